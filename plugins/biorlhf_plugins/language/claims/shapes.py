"""What the asked names look like: a numbered cluster, a gene, a binomial, an arm of a trial, a dose."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Container
from itertools import pairwise
from typing import NamedTuple

from biorlhf_plugins.language.words.lexicon import Additions, base
from biorlhf_plugins.language.words.mentions import Mention, scan
from biorlhf_plugins.language.words.names import DRUG
from biorlhf_plugins.language.words.text import Stream, canonical, spoken, stream_of
from biorlhf_plugins.language.words.units import Unit, unit_at
from biorlhf_plugins.language.words.vocabulary import (
    ANIMALS,
    ARMS,
    CAPITALISED,
    GENOTYPES,
    GROUPS,
    POPULATIONS,
    SAME_GENOTYPE,
    TISSUES,
)

NUMBERED = re.compile(r"(?:.*\s)?([A-Za-z]+)[\s-](\d{1,4}[a-z]?|[A-Z]|[IVX]{1,4})")
SYMBOL = re.compile(r"(?=.{2,14}$)(?:[A-Za-z]*[A-Z][A-Za-z-]*\d[\w-]*|[A-Za-z]*[A-Z][\w-]*[A-Z][\w-]*)")
TITLE = re.compile(r"[A-Z][a-z]{1,8}\d{0,3}[a-z]?\d?")
BINOMIAL = re.compile(r"[A-Z](?:\.|[a-z]{3,}) ?[a-z]{4,}")
MEASURE = re.compile(r"\d[\d.,]*\s?[A-Za-zµμ%/°]+")
YEAR = re.compile(r"(?:19|20)\d\d")
LABEL = re.compile(r"\d{1,4}[a-z]?|[a-z]|[ivx]{1,4}")
VERSUS = ("vs", "versus")
LABELLING = re.compile(r"\d+(?:\.\d+)*[a-z]?$|\d+")
ALIKE = {
    "entity": "entity",
    "condition": "condition",
    "phrase": "phrase",
    "pathway": "path",
    "feature": "path",
}
"""Kinds of names that have look-alikes, and the kind of mention that those are."""

FURTHER = frozenset(("double", "triple", "compound", "conditional", "other", "no"))
"""Before a genotype these tell another one."""

UNIT = 3  # tokens of "mg/kg"

Mould = tuple[str, ...]


class Shapes(NamedTuple):
    """What the asked names look like.

    ``heads``: word before a label -> (role, {label: name}); ``groups``: word after what distinguishes it ->
    that; ``kinds``: other words of the asked ones' closed lists; ``own``: the asked names' words; ``drugs``:
    the role of an asked drug, or ""; ``measures``: dimension of a dose or time -> (role, [(size, name)]);
    ``years``: the role of an asked year, or "".
    """

    heads: dict[str, tuple[str, dict[str, str]]]
    groups: dict[str, frozenset[str]]
    symbols: bool
    titles: bool
    binomials: bool
    drugs: str
    places: bool
    kinds: frozenset[str]
    own: frozenset[str]
    measures: dict[str, tuple[str, list[tuple[float, str]]]]
    years: str

    @property
    def any(self) -> bool:
        return bool(self.heads or self.groups or self.measures or self.kinds or self.years) or any(self[2:6])


@functools.lru_cache(maxsize=4096)
def shapes(additions: Additions) -> Shapes:
    """The shapes of the names that the entries "asked" hold: (role, (name, alias, …))."""
    heads: dict[str, tuple[str, dict[str, str]]] = {}
    groups: dict[str, frozenset[str]] = {}
    measures: dict[str, tuple[str, list[tuple[float, str]]]] = {}
    flags = dict.fromkeys(("symbols", "titles", "binomials", "places"), False)
    kinds: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
    drugs = years = ""
    for kind, role, names in additions.entries:
        if kind != "asked":
            continue
        for name in names:
            if YEAR.fullmatch(name.strip()):
                years = role
                continue
            measure = _measure(name)
            if measure is not None:
                sizes = measures.setdefault(measure.dimension, (role, []))[1]
                sizes.append((measure.size, names[0].lower()))
                continue
            numbered = NUMBERED.fullmatch(name)
            if numbered is not None:
                head = heads.setdefault(canonical(numbered[1].lower()), (role, {}))
                head[1][numbered[2].lower()] = names[0].lower()
            words = spoken(name)
            if any(w.endswith(DRUG) for w in words):
                drugs = role
                own |= frozenset(words)
            if role != "entity":
                continue
            shaped = numbered or SYMBOL.fullmatch(name) or BINOMIAL.fullmatch(name)
            contrast = not set(VERSUS).isdisjoint(words)
            if len(words) > 1 and not contrast and (words[-1] in GROUPS or not shaped):
                groups[words[-1]] = groups.get(words[-1], frozenset()) | frozenset(words[:-1])
            capital = numbered is not None and name[0].isupper()
            flags["symbols"] |= SYMBOL.fullmatch(name) is not None or capital
            flags["titles"] |= TITLE.fullmatch(name) is not None or capital
            own |= frozenset(words)
            for listed in (ARMS, TISSUES, POPULATIONS, ANIMALS):
                if words and (words[-1] in listed or (listed is POPULATIONS and words[-1] in GENOTYPES)):
                    kinds |= listed
                    flags["places"] |= listed is TISSUES
            flags["binomials"] |= BINOMIAL.fullmatch(name) is not None
            flags["places"] |= any(m.kind == "entity" for m in scan(stream_of(name), base()))
    kinds |= ARMS if drugs == "entity" else frozenset()
    own |= {"knockout"} if "knock" in own else frozenset()
    own |= {word for alike in SAME_GENOTYPE if not own.isdisjoint(alike) for word in alike}
    return Shapes(
        heads, groups, **flags, drugs=drugs, kinds=kinds - own, own=own, measures=measures, years=years
    )


@functools.lru_cache(maxsize=4096)
def asked_names(additions: Additions) -> frozenset[str]:
    """The asked entities, as their mentions' values."""
    listed = (names for kind, role, names in additions.entries if (kind, role) == ("asked", "entity"))
    return frozenset(names[0].lower() for names in listed)


@functools.lru_cache(maxsize=4096)
def contrasts(additions: Additions) -> tuple[tuple[str, Mould, Mould], ...]:
    """Of asked entities that are contrasts ("Th1 vs Th2"): the name, and the words of its two sides."""
    found = []
    for name in asked_names(additions):
        stream = spoken(name)
        at = next((stream.index(word) for word in VERSUS if word in stream), 0)
        if 0 < at < len(stream) - 1:
            found.append((name, stream[:at], stream[at + 1 :]))
    return tuple(found)


def _measure(name: str) -> Unit | None:
    if MEASURE.fullmatch(name.strip()) is None:
        return None
    number = stream_of(name)[0].number
    found = unit_at(name, 0, len(re.match(r"[\d.,]+", name.strip())[0]))  # type: ignore[index]
    return Unit(number.value * found[1].size, found[1].dimension) if number and found else None


def measured(asked: Shapes, value: float, unit: str) -> tuple[str, str] | None:
    """(role, name) of a size of the asked ones' dimension: the asked one, or another. None for others."""
    found = _measure(f"{value:g} {unit}")
    if found is None or found.dimension not in asked.measures:
        return None
    role, sizes = asked.measures[found.dimension]
    name = next((name for size, name in sizes if math.isclose(found.size, size)), None)
    return role, name or f"{value:g} {unit}"


def of_another(stream: Stream, index: int, asked: Shapes, prompt: Container[str]) -> str:
    """What makes of the genotype at a token another one than the asked: the Cdkl5 of "Cdkl5 knock-out" where
    that of Mecp2 is asked for, the double of "double mutants"; "" where nothing does."""
    word = stream.texts[index - 1] if index else ""
    if not word or word in asked.own or word in prompt or word in CAPITALISED:
        return ""
    written = stream.written(index - 1, index)
    titled = index > 1 and stream.texts[index - 2] not in ".!?\n" and TITLE.fullmatch(written)
    gene = word[0].isalpha() and any(c.isdigit() for c in word)
    return word if word in FURTHER or gene or titled or SYMBOL.fullmatch(written) else ""


def dosed(mentions: list[Mention], ends: Container[int], asked: Shapes) -> list[Mention]:
    """The mentions with one condition for each dose, which ends at a token of ``ends``, and its drug: for
    "10 nM dexamethasone", where 100 nM of it is asked for, another one."""
    own = {name for _, sizes in asked.measures.values() for _, name in sizes}
    gone: set[Mention] = set()
    for one, two in pairwise([m for m in mentions if m.kind == "condition"] if own else ()):
        if one.last in ends and two.first - one.last <= UNIT and one.value != two.value:
            gone.add(one if one.value in own else two)
    return [m for m in mentions if m not in gone] if gone else mentions


@functools.lru_cache(maxsize=65536)
def mould(word: str) -> str:
    """A word with # for its digits and what labels it behind them: "mir#" of miR-34a, "#" of 3, A and II."""
    return "#" if LABEL.fullmatch(word) else LABELLING.sub("#", word)


@functools.lru_cache(maxsize=4096)
def moulds(additions: Additions) -> dict[str, dict[Mould, str]]:
    """What a question's own names share with those that differ in a number or a letter alone, as a role by
    mould, under the mould's first word: miR-210 is not miR-21, "patient 5" not "patient 3"."""
    found: dict[str, dict[Mould, str]] = {}
    for kind, value, names in additions.entries:
        for name in (value, *names) if kind in ALIKE else ():
            cast = tuple(mould(word) for word in stream_of(name).texts)
            # A number alone is anything's, and "cluster" without one has no look-alike.
            if any("#" in word for word in cast) and any(len(word) > 1 and word[0] != "#" for word in cast):
                found.setdefault(cast[0], {}).setdefault(cast, ALIKE[kind])
    return found
