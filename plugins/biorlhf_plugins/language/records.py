"""What reading a text yields: claims with their slots and spans, a stated confidence, an abstention."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from biorlhf_plugins.language.words.text import NOTHING, Clean, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from biorlhf_plugins.language.sentences.clauses import Sentence

Span = tuple[int, int]
OPPOSITE = {"UP": "DOWN", "DOWN": "UP"}


class Slot(NamedTuple):
    """What a claim is about. ``None`` means that neither the text nor the prompt says.

    ``entity`` is a tissue (or another thing that has figures), by its canonical name: "soleus".
    ``condition`` is a stressor or an interaction: "baseline", "hu", "ir", "hu+ir", "stress",
    "kmp_x_hu", ...; ``treatment`` is "kmp" or None. ``quantity`` is "deg", "deg_up", "deg_down",
    "nes", "padj", "log2fc", "ratio", "percent", "type", "pattern", or a lower-case noun.
    ``pathways`` are canonical set names that the words may stand for; ``db`` is set where the text
    names the database. ``stated`` holds the names of the fields that the text itself gives; the
    others come from the prompt.
    """

    entity: str | None = None
    condition: str | None = None
    treatment: str | None = None
    quantity: str | None = None
    pathways: tuple[str, ...] = ()
    db: str | None = None
    mission: str | None = None
    stated: frozenset[str] = frozenset()


new_slot = functools.partial(tuple.__new__, Slot)
"""A slot of a tuple of all its fields: see ``new_mention``."""


class Claim(NamedTuple):
    """One statement: a slot and what is said of it.

    ``kind`` is "number", "direction" or "class". A number has ``value`` and, where it is a range,
    ``low`` and ``high``; it is ``signed`` where a sign is written, with so many ``decimals`` and
    significant ``digits`` (no decimals where it is scaled, as 1.6k is). A direction has ``label`` UP,
    DOWN, NS or MIXED, already turned into the frame treated-minus-control; a class has its label, upper
    case. ``negated`` says that the text denies it. ``modality`` is "asserted", "quoted", "hypothetical"
    or "corrected". ``partial`` marks "mostly", "in some missions". ``span`` is [start, end) in the
    original text. ``about`` tells how a direction's set is given: "named" in its phrase, "same" as spoken
    of, "loose" by mere nearness, "other" for another thing; ``weak`` marks "enriched", which of a gene set
    may say no more than that it is significant.
    """

    kind: str
    slot: Slot
    span: Span
    value: float | None = None
    label: str | None = None
    low: float | None = None
    high: float | None = None
    approximate: bool = False
    negated: bool = False
    modality: str = "asserted"
    partial: bool = False
    final: bool = False
    sentence: int = 0
    chunk: int = 0
    about: str = ""
    weak: bool = False
    signed: bool = False
    decimals: int | None = None
    digits: int = 0

    @property
    def asserted(self) -> bool:
        """True where the text states it as its own: not denied, quoted, supposed or taken back."""
        return self.modality == "asserted" and not self.negated


new_claim = functools.partial(tuple.__new__, Claim)
"""A claim of a tuple of all its fields: see ``new_mention``."""


class Named(NamedTuple):
    """A name in the text: ``kind`` "entity", "path", "condition", "mission", "type" or "pattern".

    ``denied`` is true under a negation, ``compared`` after "than", "versus" or the like, ``aside``
    where it is quoted or supposed. ``link`` is the ">" or "<" before it, where there is one.
    """

    kind: str
    value: object
    span: Span
    sentence: int
    denied: bool = False
    compared: bool = False
    aside: bool = False
    link: str = ""


new_named = functools.partial(tuple.__new__, Named)
"""A name of a tuple of all its fields: see ``new_mention``."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """A stated confidence. ``value`` in [0, 1]; None where none is stated or what is stated is invalid.

    ``problem`` says why it is invalid; empty where it is valid or simply absent. ``found`` holds
    every statement read: (value, span, how), with ``how`` "number", "category" or "words".
    """

    value: float | None = None
    problem: str = ""
    span: Span | None = None
    found: tuple[tuple[float, Span, str], ...] = ()

    @property
    def stated(self) -> bool:
        return bool(self.found)


@dataclass(frozen=True, slots=True, eq=False)
class Extraction:
    """All that one pass over a text reads.

    ``numbers``, ``directions`` and ``classes`` are its claims in the order of the text;
    ``abstains`` holds the spans of "I cannot tell" in any wording; ``degenerate`` is a reason
    where the text is no answer at all: empty, an echo of the prompt, a repetition, a bag of words.
    ``answers`` are yes and no, ``agreements`` SAME and DIFF (do tissues or missions agree);
    ``contradicts`` are the spans that answer the prompt although the text says that it cannot, looked for
    by ``answers_anyway`` where they are asked for.
    ``stream``, ``clean`` and ``parts`` are the tokens, the text that they stand in and its sentences;
    ``marks`` says of each token whether it is quoted, supposed or taken back ("" where it is not).
    """

    text: str
    numbers: tuple[Claim, ...] = ()
    directions: tuple[Claim, ...] = ()
    classes: tuple[Claim, ...] = ()
    agreements: tuple[Claim, ...] = ()
    answers: tuple[Claim, ...] = ()
    confidence: Confidence = Confidence()
    abstains: tuple[Span, ...] = ()
    rejects_premise: tuple[Span, ...] = ()
    named: tuple[Named, ...] = ()
    unknown_sets: tuple[tuple[str, Span], ...] = ()
    degenerate: str = ""
    stream: Stream = field(default_factory=Stream)
    clean: Clean = NOTHING
    parts: Sequence[Sentence] = ()
    marks: Sequence[str] = ()
    answers_anyway: Callable[[], Sequence[Span]] = tuple

    @property
    def contradicts(self) -> tuple[Span, ...]:
        return tuple(self.answers_anyway())

    @property
    def claims(self) -> tuple[Claim, ...]:
        return self.numbers + self.directions + self.classes
