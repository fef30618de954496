"""Directions of pathways against the signs of their scores: "stress lowers it and kaempferol raises it"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.statements import COUNTED
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import vocabulary

CUTS = vocabulary(", ; : ( ) but while whereas and although which then —")
TURNS = re.compile(
    r"\b(?:revers|restor|rescu|offset|counter|undo|undid|correct|prevent|block|against|compensat|overc|"
    r"normali|abolish|oppos|protect|recover|back|instead|would|should|expect|might|may|could|if|only|"
    r"without|vehicle|untreated|most|least|strong|weak|than)",
    re.IGNORECASE,
)
"""What turns a direction, or makes of it a degree."""
UNCLEAR = frozenset(("neg", "hyp", "report", "reject", "corr", "everyone", "cmp"))
"""Mentions beside which a direction is not read."""
NOUN = frozenset(("the", "this", "that", "its", "of", "induced", "an", "for"))


def check_directions(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """The direction of a set in one tissue, under stress or with the drug."""
    for line in reading.lines:
        if line.kind == "row" or not UNCLEAR.isdisjoint(m.kind for m in line.mentions):
            continue
        named = {m.first for m in line.mentions if m.kind in ("pattern", "type")}
        ways = [m for m in line.mentions if m.kind == "dir" and m.value in ("UP", "DOWN")]
        ways = [] if any(m.first in named for m in ways) else ways  # "SUPPRESSION" names a pattern
        for first, last, way in _clauses(line, ways):
            text = " ".join(token.text for token in line.tokens[first:last])
            if TURNS.search(text) or COUNTED.search(text) or line.tokens[way.first - 1].text in NOUN:
                continue
            wrong = _against(reading, line, table, first, last, way)
            if wrong:
                yield reading.finding(line, "wrong_direction", wrong, "the table's score has the other sign")
                break


def _clauses(line: Line, ways: list[Mention]) -> Iterator[tuple[int, int, Mention]]:
    """The words of each direction: from the cut before it to the cut before the next."""
    start = 0
    for at, way in enumerate(ways):
        after = ways[at + 1].first if at + 1 < len(ways) else len(line.tokens)
        cuts = [i for i in range(way.last, after) if line.tokens[i].text in CUTS]
        if at + 1 == len(ways):
            yield start, after, way
        elif cuts:
            yield start, cuts[-1], way
            start = cuts[-1]
        else:
            return  # "blunts the rise": one direction of the other


def _against(reading: Reading, line: Line, table: FactTable, first: int, last: int, way: Mention) -> str:
    inside = [m for m in line.mentions if first <= m.first < last]
    treated = _agent(reading, line, inside, way)
    entities = _named(reading, line, inside, "entity")
    sets = _named(reading, line, inside, "path")
    if treated is None or len(sets) != 1:
        return ""
    scores = table.find(quantity="nes", treatment="kmp" if treated else None)
    found = [f for f in scores if f.entity in entities and f.pathway in sets[0]]  # type: ignore[operator]
    wrong = [f for f in found if ((f.value or 0.0) > 0) != (way.value == "UP")]
    return "; ".join(map(str, wrong)) if len(wrong) == len(found) == len(entities) else ""


def _named(reading: Reading, line: Line, inside: list[Mention], kind: str) -> tuple[object, ...]:
    """The names of a clause, else of its sentence where that has one, else the one asked for."""
    own = tuple(dict.fromkeys(m.value for m in inside if m.kind == kind))
    for found in (own, line.values(kind), reading.asked(kind)):
        if found:
            return found if found is own or len(found) == 1 else ()
    return ()


def _agent(reading: Reading, line: Line, inside: list[Mention], way: Mention) -> bool | None:
    """Whether the direction is the drug's (else both stressors'); None where that is open."""
    acts = [m for m in inside if m.kind in ("condition", "treatment")]
    if any(m.value not in ("stress", "hu+ir", "kmp") for m in acts):
        return None  # of one stressor alone the table has no scores
    after = [m for m in acts if m.first > way.first and _uncut(line, way.last, m.first)]
    for near in ([m for m in acts if m.first < way.first], after):
        if near:
            return any(m.kind == "treatment" for m in near)
    stated = {*reading.asked("condition"), *reading.asked("treatment")}
    if acts or line.values("condition") or line.values("treatment"):
        return None
    if not stated or not stated <= {"stress", "hu+ir", "kmp"}:
        return None
    return "kmp" in stated


def _uncut(line: Line, first: int, last: int) -> bool:
    return not any(token.text in CUTS for token in line.tokens[first:last])
