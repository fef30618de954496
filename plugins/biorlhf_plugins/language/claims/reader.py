"""The state of one pass over a text, and the values of a role among mentions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from biorlhf_plugins.language.records import Claim
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream

ROLES = ("entity", "mission", "path", "condition", "treatment")

NOTHING = (None,)


@dataclass(slots=True)
class Reader:
    """The state of one pass: tokens, what the prompt gives, and what the text has spoken of last.

    ``kinds`` are those of the sentence's mentions, ``inside`` holds each chunk's mentions by kind.
    ``defaults`` is what a role is where nothing says: what the prompt names, if that is one thing.
    """

    stream: Stream
    given: dict[str, tuple[Any, ...]]
    marks: Sequence[str]
    question: frozenset[str] = frozenset()
    carried: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    heading: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    columns: list[list[Mention]] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    kinds: Set[str] = frozenset()
    inside: list[dict[str, list[Mention]]] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    absent: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)
    causes: frozenset[Any] = frozenset()
    defaults: dict[str, tuple[Any, ...]] = field(init=False)
    db: str | None = None
    operands: frozenset[int] = frozenset()
    quotients: frozenset[int] = frozenset()
    starts: dict[int, Mention] = field(default_factory=dict)
    ends: dict[int, Mention] = field(default_factory=dict)
    elsewhere: bool = False
    general: bool = True
    fresh: frozenset[int] = frozenset()
    own: bool = False
    intervals: bool = False

    def __post_init__(self) -> None:
        named = ((role, self.given.get(role, ())) for role in ROLES)
        self.defaults = {role: given if len(given) == 1 else () for role, given in named}

    def plural(self, at: int) -> bool:
        """Is the word at a token written with an s at its end, which its canonical form lacks?"""
        return self.stream.clean.text[self.stream[at].end - 1] == "s" != self.stream.texts[at][-1]


def values(mentions: Iterable[Mention], role: str) -> tuple[Any, ...]:
    """Distinct values of a role, in order; "stress" beside a named stressor says nothing more."""
    listed = [m.value for m in mentions if m.kind == role]
    if len(listed) < 2:
        return tuple(listed)
    found = tuple(dict.fromkeys(listed))
    if role == "condition" and len(found) > 1:
        found = tuple(v for v in found if v != "stress")
        if set(found) in ({"hu", "ir", "hu+ir"}, {"hu", "hu+ir"}, {"ir", "hu+ir"}):
            found = ("hu+ir",)
    return found
