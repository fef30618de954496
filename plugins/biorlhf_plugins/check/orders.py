"""Orders and comparisons against the table: chains without figures, the first of all, "larger than all"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.statements import COUNTED, REACTS
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language.evidence.orders import (
    LEAST,
    MOST,
    NOT_MOST,
    RANKS,
    Lookup,
    Words,
    chains,
    compared,
    stated,
)
from biorlhf_plugins.language.evidence.records import FUNCTION, Check
from biorlhf_plugins.language.extract import prompt_mentions

COMBINED = re.compile(
    r"(?:larger|greater|bigger|higher|more) than (?:all|every|the)(?: of)?(?: the)? others?\b"
    r"(?P<scope>[^.?!\n]{0,60}?)"
    r"\b(?:combined|together|put together|in total)",
    re.IGNORECASE,
)
YES_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)
MOST_OF = re.compile(r"\b(?:most|least|one) of\b(?! all)", re.IGNORECASE)
THEN = re.compile(r"\b(?:then|followed by)\b", re.IGNORECASE)
SERIES = tuple[str, str | None]


def check_orders(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "a > b > c" and "a has more DEGs than b": some series of counts must bear it, or the one named."""
    judged: dict[tuple[str, tuple[tuple[int, int], ...]], list[tuple[SERIES, Check]]] = defaultdict(list)
    # A multiple has a check of its own, against the quotient.
    claims = [c for c in stated(reading.evidence) if not _times(reading, c.at)]
    for line in reading.lines:
        for series, values in _series(reading, table, line).items():
            look = _lookup(table, values)
            for check in (*chains(reading.evidence, look), *compared(reading.evidence, claims, look)):
                start = check.spans[0][0]
                if line.start <= start < line.end and COUNTED.search(reading.quote(line)):
                    judged[check.name, check.spans].append((series, check))
            for check in (*_named_order(reading, line, values), *_named_best(reading, line, values)):
                judged[check.name, check.spans].append((series, check))
    for (name, spans), checks in judged.items():
        # Where the sentence leaves the condition open, one series that bears it out is enough.
        if any(check.passed for _, check in checks):
            continue
        line = next(line for line in reading.lines if line.start <= spans[0][0] < line.end)
        kind = "wrong_ranking" if "ranking" in name else "wrong_comparison"
        expected = "; ".join(dict.fromkeys(f"{series[0]}: {check.says}" for series, check in checks))
        yield reading.finding(line, kind, expected, "the table has another order")


def _named_order(reading: Reading, line: Line, values: dict[str, float]) -> Iterator[Check]:
    """ "Liver leads under IR, followed by soleus and heart": three names or more in an order, no figures."""
    names = list(dict.fromkeys(str(name) for name in line.values("entity")))
    placed = line.values("condition") or reading.asked("condition")
    bare = len(line.numbers("")) in (0, len(names)) and not line.values("type")
    bare = bare and not line.values("path") + reading.asked("path")
    bare = bare and len(names) >= 3 and values.keys() >= set(names)
    if placed and bare and (THEN.search(reading.quote(line)) or _is_ranking(reading, line)):
        known = [values[name] for name in names]
        passed = known in (sorted(known), sorted(known, reverse=True))
        says = " > ".join(f"{name} ({value:,g})" for name, value in zip(names, known, strict=True))
        yield Check("a ranking against its figures", passed, says, ((line.start, line.end),))


def _is_ranking(reading: Reading, line: Line) -> bool:
    """ "From most to least responsive: a, b, c", or no more than the names, where the question asks so."""
    first = next(m.first for m in line.mentions if m.kind == "entity")
    known = {i for m in line.mentions for i in range(m.first, m.last)}
    rest = {i: text for i, text in enumerate(line.texts) if i not in known and text not in FUNCTION}
    alone = RANKS.search(reading.text.prompt) and all(line.tokens[i].kind == "p" for i in rest)
    ends = all(rest[i] in "(),." for i in rest if i > first)
    return ends and bool(alone or RANKS.search(reading.quote(line)))


def _named_best(reading: Reading, line: Line, values: dict[str, float]) -> Iterator[Check]:
    """ "The hippocampus reacts least to HU": one name that is called the first, or the last, of all."""
    conditions = {m.first - 1 for m in line.mentions if m.kind == "condition"}  # "at baseline"
    words = {text for i, text in enumerate(line.texts) if text != "at" or i not in conditions}
    names = line.values("entity")
    most = not words.isdisjoint(MOST)
    words -= set() if MOST_OF.search(reading.quote(line)) else {"of"}
    plain = most == words.isdisjoint(LEAST) and words.isdisjoint(NOT_MOST) and not line.values("neg")
    placed = line.values("condition") or reading.asked("condition")
    reacts = COUNTED.search(reading.quote(line)) or REACTS.search(reading.quote(line))
    if not (plain and placed and reacts and len(names) == 1 and len(values) >= 3 and names[0] in values):
        return
    if line.values("path") or line.values("type"):
        return
    best = (max if most else min)(values, key=lambda name: values[name])
    says = f"{best} ({values[best]:,g}) is the {'first' if most else 'last'}"
    yield Check(
        "a ranking against its figures", values[best] == values[names[0]], says, ((line.start, line.end),)
    )


def _times(reading: Reading, at: int) -> bool:
    """True for "166 times more than": a ratio, which has a check of its own."""
    before = reading.evidence.stream[max(0, at - 2) : at]
    return any(t.text in ("time", "fold") or (t.number is not None) for t in before)


def _series(reading: Reading, table: FactTable, line: Line) -> dict[SERIES, dict[str, float]]:
    """By condition and treatment the counts of each entity, of those series that the sentence may mean."""
    named = reading.conditions(line)
    asked = reading.prompt_lines[-1].values("treatment") if reading.prompt_lines else ()
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


def _lookup(table: FactTable, values: dict[str, float]) -> Lookup:
    def look(mine: Words, theirs: Words) -> float | None:
        entities = {
            str(m.value)
            for m in prompt_mentions(" ".join(sorted(mine)), table.additions)
            if m.kind == "entity"
        }
        return values.get(entities.pop()) if len(entities) == 1 else None

    return look


def check_combined(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """Is one count larger than all the others combined? The table's sums decide, the answer must agree."""
    asked = COMBINED.search(reading.text.prompt)
    verdict = YES_NO.search(reading.text.answer)
    entities, conditions = reading.asked("entity"), reading.asked("condition")
    if asked is None or verdict is None or len(entities) != 1 or len(conditions) != 1:
        return
    own = table.find(quantity="deg", entity=entities[0], condition=conditions[0])
    own = [f for f in own if f.value is not None]
    if len(own) != 1:
        return
    subject = own[0]
    rest = [
        f for f in table.find(quantity="deg") if f != subject and f.is_interaction == subject.is_interaction
    ]
    narrow = str(conditions[0]).replace("_x_", "×")
    if narrow in asked["scope"].lower().replace(" ", "").replace("x", "×"):
        rest = [f for f in rest if f.condition == subject.condition]
    total = sum(f.value or 0 for f in rest)
    right = "yes" if (subject.value or 0) > total else "no"
    answers = [m.group(1).lower() for m in YES_NO.finditer(reading.text.answer)]
    if right in answers or not rest:
        return
    quote = next(
        (reading.quote(line) for line in reading.lines if line.start <= verdict.start() < line.end),
        verdict[0],
    )
    yield Finding(
        reading.text.index, ERROR, "answers_another_question", quote,
        f"{right}: {subject.value:,g} against {total:,g}",
        "the question asks about all the others; the answer compares with a part of them",
    )  # fmt: skip
