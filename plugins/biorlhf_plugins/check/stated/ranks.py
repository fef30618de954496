"""Which of several has the most genes, the second most, the fewest: a place that question and answer give to
a tissue, a condition or an interaction, against the order of the table's counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.differences import OF_A_CHANGE
from biorlhf_plugins.check.stated.statements import (
    ASKS,
    COMPARED,
    COUNTED,
    REACTS,
    comparator,
    treatments,
    turned,
)
from biorlhf_plugins.check.table import COUNTS, FactTable, Figure
from biorlhf_plugins.language.evidence.comparisons import GREATER, SMALLER
from biorlhf_plugins.language.evidence.orders import LEAST, MOST, NOT_MOST
from biorlhf_plugins.language.evidence.records import FUNCTION
from biorlhf_plugins.language.words.text import vocabulary

PLACES = {"second": 2, "runner": 2, "third": 3, "fourth": 4}
LEADS = vocabulary("lead top first winner champion maximum peak")
TRAILS = vocabulary("bottom last minimum trail")
KINDS = ("entity", "condition")
OTHERS = vocabulary("behind after ahead before followed than then to vs against not over")
"""Behind them stand those that something is compared with."""
SINGLE = frozenset(("single", "individual", "stressor"))
AHEAD = frozenset(("ahead", "behind"))
AFTER = frozenset(("after", "behind", "beside", "besides"))
"""Places in an order, of which the question tells whether it is of the most."""
SUPERLATIVES = MOST | LEAST
OTHER_MEASURES = ("path", "type", "pattern", "except", "rest")
HEAD_ENDS = frozenset(",:(—")
LONG = 8
"""Tokens of an answer that does no more than choose."""


class Place(NamedTuple):
    """The ``nth`` of those with the most, or with the fewest."""

    nth: int
    most: bool


def check_ranks(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "The hippocampus takes second place", "KMP×HU in heart is the weakest", "heart exceeds liver"."""
    asked = reading.prompt_lines[-1] if reading.prompt_lines else None
    for line in reading.lines:
        if line.kind == "row" or turned(line):
            continue
        place = place_of(line)
        pair = pair_of(reading, line) if place is None else None
        follows = _following(reading, line, table, asked) if line is reading.lines[0] and asked else None
        if follows is not None:
            judged = follows
        elif pair is not None:
            kind, sides, more = pair
            judged = placed(reading, line, table, Place(1, more), {kind: sides})
        else:
            first = asked is not None and line is reading.lines[0]
            place = place or (_asked_place(reading, asked, line) if first and asked is not None else None)
            judged = placed(reading, line, table, place) if place is not None else (None, "")
        if judged[0] is False:
            told = "wrong_ranking" if pair is None else "wrong_comparison"
            yield reading.finding(line, told, judged[1], "the table has another order")


def _following(reading: Reading, line: Line, table: FactTable, asked: Line) -> tuple[bool | None, str] | None:
    """ "After soleus, who is hit hardest?": the first other tissue of the answer has the next place."""
    first = next((m for m in asked.mentions if m.kind == "entity"), None)
    names = [str(v) for v in line.values("entity") if first is None or v != first.value]
    place = place_of(asked)
    if (
        not first
        or not names
        or place is None
        or not AFTER & {*asked.texts[max(0, first.first - 2) : first.first]}
    ):
        return None
    for nth in range(1, 4):
        if placed(reading, asked, table, Place(nth, place.most), {"entity": [str(first.value)]})[0]:
            return placed(reading, line, table, Place(nth + 1, place.most), {"entity": names[:1]})
    return None


def pair_of(reading: Reading, line: Line) -> tuple[str, list[str], bool] | None:
    """The two that "X has more than Y" compares, X first, and whether X is to have more."""
    found = comparator(line)
    quantified = {"everyone", "univ", "except"} & {m.kind for m in line.mentions} or "all" in line.words
    if found is None or quantified or not AHEAD.isdisjoint(line.words):
        return None
    sides = {}
    for kind in KINDS:
        names = [m for m in line.mentions if m.kind == kind and m.value != "stress"]
        mine = list(dict.fromkeys(str(m.value) for m in names if m.first < found[1] or not found[1]))
        other = list(dict.fromkeys(str(m.value) for m in names if m.first > found[1] > 0))
        if not found[1]:
            other = [str(v) for v in reading.asked(kind) if v not in (*mine, "stress")]
        if len(mine) == len(other) == 1 and mine != other:
            sides[kind] = [*mine, *other]
    return (kind, sides[kind], found[2]) if len(sides) == 1 and (kind := min(sides)) else None


def _asked_place(reading: Reading, asked: Line, line: Line) -> Place | None:
    """The place that the question is after, where the answer only chooses."""
    head = next((i for i, text in enumerate(line.texts) if text in HEAD_ENDS), len(line.texts))
    chooses = head <= LONG and not any(m.kind == "cmp" and m.first < head for m in line.mentions)
    offered = max(len(asked.values("condition")), len(asked.values("entity"))) > 1
    if ASKS.isdisjoint(asked.words) and not (offered and chooses):
        return None
    return place_of(asked, compared=chooses)


def place_of(line: Line, compared: bool = False) -> Place | None:
    """The place that a sentence's words give; ``compared``: a "stronger" is a place as well."""
    at_condition = {m.first - 1 for m in line.mentions if m.kind == "condition"}  # "at baseline"
    words = {text for i, text in enumerate(line.texts) if text != "at" or i not in at_condition}
    words -= {"lead"} if "to" in _behind(line.texts, frozenset(("lead",)), 1) else set()
    # "2,555 more than third-placed hippocampus": that place is the other one's.
    behind = {*line.texts[line.texts.index("than") :]} if "than" in words else set()
    nth = next((n for word, n in PLACES.items() if word in words - _shares(line.texts) - behind), 1)
    after_the = {b for a, b in zip(line.texts, line.texts[1:], strict=False) if a == "the"}
    graded = words if compared else after_the
    most = bool(words & (MOST | LEADS) or graded & GREATER)
    least = bool(words & (LEAST | TRAILS) or graded & SMALLER)
    spoilt = NOT_MOST - {*PLACES, "of", "one", "at"}
    graded_by = _graded(line.texts)
    several = nth > 1 and len(line.values("entity")) > 1 and not words.isdisjoint(MOST)
    if (
        several
        or words & spoilt
        or not OF_A_CHANGE.isdisjoint(_behind(line.texts, SUPERLATIVES, 2))
        or not (graded_by == "" or COUNTED.search(graded_by) or REACTS.search(graded_by))
    ):
        return None  # "the most striking"
    if (most and least) or not (most or least or nth > 1):
        return None
    return Place(nth, most or not least)


def _shares(texts: list[str]) -> set[str]:
    """The third of "a third of the genes"."""
    return {b for a, b in itertools.pairwise(texts) if a in ("a", "one", "two")}


def _behind(texts: list[str], words: frozenset[str], far: int) -> list[str]:
    """The tokens up to so many behind any of the words."""
    return [t for i, text in enumerate(texts) if text in words for t in texts[i + 1 : i + 1 + far]]


def _graded(texts: list[str]) -> str:
    """What "most" and "least" grade: the word behind them, or the genes that stand a little further."""
    behind = _behind(texts, frozenset(("most", "least")), 1)
    graded = next((word for word in behind if word.isalpha() and word not in FUNCTION), "")
    far = " ".join(_behind(texts, frozenset(("most", "least")), 4))
    return far if graded and COUNTED.search(far) else graded


def placed(
    reading: Reading, line: Line, table: FactTable, place: Place, among: dict[str, list[str]] | None = None
) -> tuple[bool | None, str]:
    """Whether the one that a line speaks of has the place; None where the table cannot tell.

    ``among`` are those that are compared, where the sentence itself names them.
    """
    kinds = {m.kind for m in line.mentions}
    foreign: object = kinds & {*OTHER_MEASURES} or reading.asked("pattern")
    sets = [path for asked in reading.prompt_lines[-1:] for path in asked.values("path")]
    foreign = sets or foreign or {"nes", "log2fc", "fc", "ratio"} & {*line.values("quantity")}
    if foreign:
        return None, ""
    judged: list[tuple[bool, str]] = []
    for group, subject in _groups(reading, line, table, among or {}):
        values = sorted((f.value or 0.0 for f in group), reverse=place.most)
        if len(values) > place.nth - 1 and subject.value is not None:
            ordered = sorted(group, key=lambda f: f.value or 0.0, reverse=place.most)
            expected = ", ".join(f"{f.words} ({f.value:,g})" for f in ordered[:4])
            judged.append((subject.value == values[place.nth - 1], expected))
    if not judged:
        return None, ""
    return any(true for true, _ in judged), judged[0][1]


def _groups(
    reading: Reading, line: Line, table: FactTable, among: dict[str, list[str]]
) -> Iterator[tuple[list[Figure], Figure]]:
    """What may be put in order, and which of them is spoken of: each reading that the names allow."""
    asked = {kind: [str(v) for v in reading.asked(kind)] for kind in KINDS} | among
    subject = {kind: among[kind][0] if kind in among else _subject(line, kind) for kind in KINDS}
    ways = [tuple(among)] if among else _varied(reading, line, subject, asked)
    for treated in treatments(reading, line):
        for varied in ways:
            entity = subject["entity"] or _single(asked["entity"])
            condition = subject["condition"] or _single([c for c in asked["condition"] if c != "stress"])
            if not entity or not condition:
                continue
            quantity = next((q for q in line.values("quantity") if q in COUNTS), "deg")
            family = family_of(table, quantity, condition, treated, reading)
            own = [f for f in family if (f.entity, f.condition) == (entity, condition)]
            named = {kind: set(asked[kind]) for kind in KINDS}
            group = [
                f
                for f in family
                if ("entity" in varied or f.entity == entity)
                and ("condition" in varied or f.condition == condition)
                and all(
                    len(named[kind] - {"stress"}) < 2 or getattr(f, kind) in named[kind] for kind in varied
                )
            ]
            if own and len(group) > 1:
                yield group, own[0]


def family_of(
    table: FactTable, quantity: str, condition: str, treated: bool, reading: Reading
) -> list[Figure]:
    """The figures that can be put in one order with that of a condition."""
    figures = table.find(quantity=quantity)
    if "_x_" in condition:
        return [f for f in figures if f.is_interaction]
    alike = [f for f in figures if not f.is_interaction and (f.treatment == "kmp") == treated]
    asked = [line.words for line in (*reading.prompt_lines, *reading.lines[:1])]
    single = any(not SINGLE.isdisjoint(words) for words in asked) and condition != "hu+ir"
    return [f for f in alike if f.condition != "hu+ir"] if single else alike


def _subject(line: Line, kind: str) -> str:
    """The name of a kind that a line speaks of: its only one, or the first, the others being "after" it."""
    names = [m for m in line.mentions if m.kind == kind and m.value != "stress"]
    both = [m for m in names[1:] if (names[0].value, m.value) == ("hu+ir", "hu_x_ir")]
    names = both or names  # "the term that couples the two stressors, HU×IR"
    rest = [m for m in names[1:] if m.value != names[0].value]
    ahead = line.texts[max(0, names[0].first - 2) : names[0].first] if names else []
    if not names or (names[0].first > 1 and not COMPARED.isdisjoint(ahead)):
        return ""
    if any(OTHERS.isdisjoint(line.texts[names[0].last : m.first]) for m in rest):
        return ""
    return str(names[0].value)


def _single(values: list[str]) -> str:
    return values[0] if len(values) == 1 else ""


def _varied(
    reading: Reading, line: Line, subject: dict[str, str], asked: dict[str, list[str]]
) -> list[tuple[str, ...]]:
    """Of what there are several: of tissues, of conditions, of both, or of either as the case may be."""
    told = {kind: bool(subject[kind]) for kind in KINDS}
    # "The largest HU×IR interaction" is so among those of one name.
    ends = {k: [m.first for m in line.mentions if m.kind == k and m.value != "stress"] for k in KINDS}
    ends = {
        k: [i for i in at if not SUPERLATIVES.isdisjoint(line.texts[i - 1 : i])] for k, at in ends.items()
    }
    if sum(map(bool, ends.values())) == 1:
        return [tuple(kind for kind in KINDS if not ends[kind])]
    offered = [kind for kind in KINDS if len(asked[kind]) > 1 and told[kind]]
    if offered:
        return [tuple(offered)]
    if not any(told.values()):
        return []
    if all(told.values()):
        free = [kind for kind in KINDS if not set(asked[kind]) - {"stress"}]
        if len(free) == 2 and any(place_of(p) for p in reading.prompt_lines):
            return [("entity", "condition")]
        if len(free) == 2:
            return [("entity", "condition"), ("entity",), ("condition",)]
        return [(kind,) for kind in free] if len(free) == 1 else [("entity",), ("condition",)]
    return [("entity",) if told["entity"] else ("condition",)]
