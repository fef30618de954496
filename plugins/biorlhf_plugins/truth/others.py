"""What the names of the data mean in one question: those of its other questions are foils, unless they are
parts of what this one asks for."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from biorlhf.ground_truth.names import split_entity
from biorlhf_plugins.language.words.lexicon import SIDES, Additions, Entry, base, longest, with_additions
from biorlhf_plugins.language.words.lexicon import words as words_of
from biorlhf_plugins.language.words.mentions import meant, scan
from biorlhf_plugins.language.words.names import LINE, PREFIX, SYMBOL
from biorlhf_plugins.language.words.text import clean, tokens
from biorlhf_plugins.truth.contrast import side_names, turned
from biorlhf_plugins.truth.targets import contrast_of, feature_key, kind_of

CARRIERS = frozenset(("sample", "tissue", "library", "group", "arm", "cohort"))
"""One of these behind a name changes nothing of what it names."""

PLAIN = "plain"
"""The kind of what is no name in this question."""

words = functools.lru_cache(maxsize=65536)(words_of)


def of_the_data(lab: Additions, truth: Mapping[str, Any], prompt: str) -> Iterator[Entry]:
    """The two sides of the question's contrast ("current smokers" too, where smokers are one), what the asked
    feature or entity is called in other questions, and the others' names that are no foils here."""
    contrast, feature = contrast_of(truth), str(truth.get("feature") or "")
    ways = ("GROUND", "FLIGHT") if turned(contrast) else ("FLIGHT", "GROUND")
    sides = side_names(contrast, prompt)
    own = {words(name): entity_of(name, Additions()) for name in _entities(truth)}
    asked = _asked(truth)
    of_set = frozenset(words(str(truth.get("pathway") or "").replace("_", " ")))
    direction = not any(truth.get(key) for key in ("facts", "ranking", "answer"))
    for kind, value, phrases in lab.entries:
        if kind in SIDES and value == contrast and phrases:
            yield "frame", ways[kind != "numerator"], phrases
        elif kind == "entity" and feature and value == feature.lower():
            yield "feature", feature_key(kind_of(truth), feature), phrases
        elif kind == "entity":
            yield from _things(phrases, of_set) if direction else _no_foils(phrases, own, asked)
        for phrase in phrases if kind == "entity" else ():
            *told, head = words(phrase) or ("",)
            mine = [way for way, side in zip(ways, sides, strict=True) if head in side]
            if told and len(mine) == 1 and not _is_place(told) and set(told).isdisjoint(chain(*sides)):
                yield "frame", mine[0], (phrase,)


def _entities(truth: Mapping[str, Any]) -> Iterator[str]:
    for fact in truth.get("facts") or ():
        yield from split_entity(str(fact["entity"]))


def _asked(truth: Mapping[str, Any]) -> list[frozenset[str]]:
    """The words of each thing that is asked for: the "ASVs" of "ASV count" have no figure of their own."""
    facts = truth.get("facts") or ()
    told = (str(fact.get(key) or "") for fact in facts for key in ("entity", "quantity", "condition"))
    return [frozenset(words(text)) for text in told]


def _things(phrases: Iterable[str], of_set: frozenset[str]) -> Iterator[Entry]:
    """Genes and missions that other questions have figures of, where a direction is asked for: a gene is a
    thing with a direction of its own, and no place; but the KRAS of "KRAS signaling" is the set's word."""
    for phrase in phrases:
        if of_set.issuperset(words(phrase)):
            continue
        kind, value = _thing(phrase)
        if kind:
            yield kind, value, (phrase,)


@functools.lru_cache(maxsize=65536)
def _thing(phrase: str) -> tuple[str, str]:
    stream = tokens(clean(phrase).text)
    found = [m for m in scan(stream, base()) if m.last - m.first == len(stream)]
    if found and found[0].kind == "mission":
        return "mission", str(found[0].value)
    shaped = SYMBOL.fullmatch(phrase) and not LINE.fullmatch(phrase) and not found
    return ("feature", f"{PREFIX}{phrase.lower()}") if shaped else ("", "")


def _no_foils(
    phrases: Iterable[str], own: Mapping[tuple[str, ...], str], asked: Iterable[frozenset[str]]
) -> Iterator[Entry]:
    """ "Stool samples", as another question calls the stool that this one asks about; "phosphosites", which
    another one has as an entity and this one counts."""
    for phrase in phrases:
        told = words(phrase)
        if not told or told in own:
            continue
        same = next((value for name, value in own.items() if _same(told, name)), None)
        if same is not None:
            yield "entity", same, (phrase,)
        elif any(each.issuperset(told) for each in asked):
            known = kind_of_name(phrase, Additions())
            # A tissue of the lexicon stays one.
            kind, value = known if known and isinstance(known[1], str) else (PLAIN, phrase)
            yield kind, value, (phrase,)


def _same(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    short, long = sorted((one, other), key=len)
    return bool(short) and len(long) == len(short) + 1 and long[:-1] == short and long[-1] in CARRIERS


def _is_place(listed: list[str]) -> bool:
    kind = kind_of_name(" ".join(listed), Additions())
    return kind is not None and kind[0] == "entity"


def canonical_name(text: str, additions: Additions) -> Any:
    """What a text as a whole names, by the names of the data and the built-in ones; None for nothing."""
    kind = kind_of_name(text, additions)
    return kind[1] if kind else None


def kind_of_name(text: str, additions: Additions) -> tuple[str, Any] | None:
    """The kind and the value that a text as a whole names; None for nothing."""
    stream = tokens(clean(text).text)
    lexicon = with_additions(additions)
    for trie in lexicon.content:
        end, meanings = longest(trie, stream, 0)
        # As a whole: "heart rate" is not the heart.
        if meanings and end == len(stream):
            named = {m.kind: m.value for m in reversed(meant(meanings, 0, end))}
            for kind in ("entity", "path", "condition", "type", "pattern", "dir", "mission"):
                if kind in named:
                    return kind, named[kind]
    return None


def entity_of(name: str, additions: Additions) -> str:
    """The canonical name of a tissue or another place; the name itself where it is unknown."""
    kind = kind_of_name(name, additions)
    return str(kind[1]) if kind and kind[0] == "entity" else name.lower()
