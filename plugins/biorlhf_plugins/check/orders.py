"""Orders and comparisons against the table: chains without figures, the first of all, "larger than all"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.statements import POOLED, comparator, turned
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language.evidence.orders import RANKS
from biorlhf_plugins.language.evidence.records import FUNCTION

REST = frozenset(("other", "others", "rest", "remaining", "remainder"))
YES_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
THEN = re.compile(r"\b(?:then|followed by)\b", re.IGNORECASE)
SERIES = tuple[str, str | None]


def check_orders(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "a > b > c", "a, followed by b and c", a list that is asked for: a series of counts must bear it."""
    for line in reading.lines:
        names = list(dict.fromkeys(str(name) for name in line.values("entity")))
        chain = len(names) > 1 and line.texts.count(">") == len(names) - 1
        if not chain and not _is_order(reading, line, names):
            continue
        judged: dict[str, bool] = {}
        for series, values in _series(reading, table, line).items():
            if values.keys() >= set(names):
                known = [values[name] for name in names]
                says = " > ".join(f"{name} ({value:,g})" for name, value in zip(names, known, strict=True))
                falls = known == sorted(known, reverse=True)
                judged[f"{series[0]}: {says}"] = falls or (not chain and known == sorted(known))
        # Where the sentence leaves the condition open, one series that bears it out is enough.
        if judged and not any(judged.values()):
            kind = "wrong_ranking" if len(names) > 2 else "wrong_comparison"
            yield reading.finding(line, kind, "; ".join(judged), "the table has another order")


def _is_order(reading: Reading, line: Line, names: list[str]) -> bool:
    """ "Liver leads under IR, followed by soleus and heart": three names or more in an order, no figures."""
    placed = line.values("condition") or reading.asked("condition")
    foreign = line.values("type") + line.values("path") + reading.asked("path")
    if not placed or foreign or len(names) < 3 or len(line.numbers("")) not in (0, len(names)):
        return False
    return bool(THEN.search(reading.quote(line))) or _is_ranking(reading, line)


def _is_ranking(reading: Reading, line: Line) -> bool:
    """ "From most to least responsive: a, b, c", or no more than the names, where the question asks so."""
    first = next(m.first for m in line.mentions if m.kind == "entity")
    known = {i for m in line.mentions for i in range(m.first, m.last)}
    rest = {i: text for i, text in enumerate(line.texts) if i not in known and text not in FUNCTION}
    alone = RANKS.search(reading.text.prompt) and all(line.tokens[i].kind == "p" for i in rest)
    ends = all(rest[i] in "(),." for i in rest if i > first)
    return ends and bool(alone or RANKS.search(reading.quote(line)))


def _series(reading: Reading, table: FactTable, line: Line) -> dict[SERIES, dict[str, float]]:
    """By condition and treatment the counts of each entity, of those series that the sentence may mean."""
    named = reading.conditions(line)
    asked = reading.asked("treatment")
    treated = "kmp" in line.values("treatment")
    series: dict[SERIES, dict[str, float]] = defaultdict(dict)
    for figure in table.find(quantity="deg"):
        if figure.value is None or (named and figure.condition not in named):
            continue
        other = not figure.is_interaction and (figure.treatment == "kmp") != treated
        if other and (treated or "kmp" not in asked):
            continue
        if not named and figure.is_interaction and "stress" in line.values("condition"):
            continue
        series[str(figure.condition), figure.treatment][figure.entity] = figure.value
    return series


def check_combined(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """One count against all the others combined: the table's sums decide, and the answer must agree."""
    verdict = YES_NO.search(reading.text.answer)
    asked = reading.prompt_lines[-1] if reading.prompt_lines else None
    found = _pooled(reading.as_asked(asked), asked, table) if asked is not None else None
    if found is not None and verdict is not None:
        right = "yes" if found[0] else "no"
        quote = next(
            (reading.quote(o) for o in reading.lines if o.start <= verdict.start() < o.end), verdict[0]
        )
        if right not in [m.group(1).lower() for m in YES_NO.finditer(reading.text.answer)]:
            told = "the question asks about all the others; the answer compares with a part of them"
            expected = f"{right}: {found[1]}"
            yield Finding(reading.text.index, ERROR, "answers_another_question", quote, expected, told)
        return
    for line in reading.lines:
        found = _pooled(reading, line, table)
        if found is not None and not found[0] and not turned(line):
            yield reading.finding(line, "wrong_comparison", found[1], "the others add up to something else")


def _pooled(reading: Reading, line: Line, table: FactTable) -> tuple[bool, str] | None:
    """Whether "X is more than all the others combined" or "the rest, pooled, stays below X" is so."""
    rest = next((i for i, text in enumerate(line.texts) if text in REST), -1)
    pool = next((i for i, text in enumerate(line.texts) if text in POOLED), -1)
    found = comparator(line)
    if found is None and "short" in line.words:
        found = (line.texts.index("short"), line.texts.index("short"), False)
    entities = line.values("entity") or reading.asked("entity")
    conditions = line.values("condition") or reading.asked("condition")
    if min(rest, pool) < 0 or found is None or len(entities) != 1 or len(conditions) != 1:
        return None
    counts = table.find(quantity="deg")
    own = [f for f in counts if (f.entity, f.condition) == (entities[0], conditions[0])]
    own = [f for f in own if f.is_interaction or (f.treatment == "kmp") == reading.treated(line)]
    if len(own) != 1:
        return None
    alike = [
        f for f in table.find(quantity="deg") if f != own[0] and f.is_interaction == own[0].is_interaction
    ]
    alike = [f for f in alike if f.treatment == own[0].treatment]
    # "All other KMP×HU terms" are those of the other tissues; so are "all other tissues".
    within = [m for m in line.mentions if m.kind == "condition" and rest < m.first <= max(pool, rest + 4)]
    if within or "tissue" in line.texts[rest : rest + 3]:
        alike = [f for f in alike if f.condition == own[0].condition]
    told = next((m.value.value for m in line.mentions if m.kind == "num" and m.first == rest + 1), None)
    if told is not None and told != len(alike):  # "the other two terms" are those of the tissue
        alone = "entity" if told == 2 else "condition"
        alike = [f for f in alike if getattr(f, alone) == getattr(own[0], alone)]
    count, total = own[0].value or 0.0, sum(f.value or 0.0 for f in alike)
    more = found[2] == (rest > found[0])  # the others stand behind what compares, or before it
    return (count > total) == more, f"{count:,g} against {total:,g}"
