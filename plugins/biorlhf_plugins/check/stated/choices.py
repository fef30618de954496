"""An answer that takes one of the two things that the question offers: "To radiation", "the liver"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.statements import (
    COUNTED,
    REACTS,
    comparator,
    treatments,
    value,
)
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language.evidence.comparisons import GREATER, SMALLER
from biorlhf_plugins.language.evidence.orders import LEAST, MOST, NOT_MOST

ASKS = frozenset(("which", "what", "where", "who"))
LESS = SMALLER | LEAST
LONG = 8
"""Tokens of an answer that does no more than choose."""


def check_choices(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """Which of two conditions, or of the tissues, has more genes: against the table's counts."""
    if not reading.lines or not reading.prompt_lines or len(reading.prompt_lines) > 2:
        return
    line, asked = reading.lines[0], reading.prompt_lines[-1]
    words = {token.text for token in asked.tokens}
    whole = reading.text.prompt + reading.quote(line)
    more = not words.isdisjoint(GREATER | MOST)
    plain = more == words.isdisjoint(LESS) and words.isdisjoint(NOT_MOST - {"of"}) and _plain(line)
    if not plain or not (COUNTED.search(whole) or REACTS.search(whole)) or reading.asked("path"):
        return
    if {"neg", "except", "type", "pattern"} & {m.kind for m in (*asked.mentions, *line.mentions)}:
        return
    for kind in ("condition", "entity"):
        series = list(_offered(reading, line, asked, table, kind))
        taken = line.values(kind)
        known = [counts for counts in series if len(counts) > 1]
        if len(taken) != 1 or not known or any(str(taken[0]) not in counts for counts in known):
            continue
        best = [(max if more else min)(counts.values()) for counts in known]
        if not any(counts[str(taken[0])] == top for counts, top in zip(known, best, strict=True)):
            expected = ", ".join(f"{name} ({count:,g})" for name, count in known[0].items())
            told = "the table answers the question with another one"
            yield reading.finding(line, "wrong_comparison", expected, told)
        return


def _plain(line: Line) -> bool:
    """Whether a line only chooses: of a comparison of its own, another check judges."""
    own = {token.text for token in line.tokens}
    return comparator(line) is None and own.isdisjoint(MOST | LEAST) and len(line.tokens) <= LONG


def _offered(
    reading: Reading, line: Line, asked: Line, table: FactTable, kind: str
) -> Iterator[dict[str, float]]:
    """By treatment the counts of what can be chosen."""
    named = [str(name) for name in asked.values(kind)]
    for treated in treatments(reading, line):
        if kind == "condition":
            entities = asked.values("entity") or line.values("entity")
            if len(entities) == 1 and len(named) == 2:
                found = {c: value(table, str(entities[0]), c, treated) for c in named}
                yield {name: count for name, count in found.items() if count is not None}
        else:
            where = reading.conditions(line)
            among = named if len(named) > 1 else table.entities(quantity="deg")
            open_ = ASKS & {token.text for token in asked.tokens}
            if len(where) == 1 and (len(named) > 1 or (open_ and not named)):
                found = {name: value(table, name, where[0], treated) for name in among}
                yield {name: count for name, count in found.items() if count is not None}
