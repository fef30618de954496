"""Stated differences against the figures that they are of: "heart has 5,303 fewer", "so it adds 405"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.statements import COUNTED, REACTS
from biorlhf_plugins.check.table import COUNTS, FactTable, agrees
from biorlhf_plugins.language import Claim
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import vocabulary

ADDS = frozenset(("add", "adding", "added", "gain", "gained", "contribute", "lose", "lost", "by", "exceed"))
OF_A_CHANGE = words_of("changes") | frozenset(
    ("difference", "gap", "gain", "rise", "increase", "drop", "surplus", "excess")
)
APART = vocabulary("margin gap difference surplus excess separate apart lead")
BETWEEN = vocabulary("only another just about roughly some a of up further around")
AFTER = frozenset(
    ("extra", "additional", "further", "more", "fewer", "less", "ahead", "behind", "above", "below")
)
ROUGH = frozenset(("about", "roughly", "around", "some", "nearly", "almost", "approximately"))
SLACK = 0.02


def check_differences(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """A difference that is none of the text's two figures, nor of the table's two counts."""
    for line in reading.lines:
        differences = [m for m in line.mentions if m.kind == "num" and _is_difference(line, m)]
        if len(differences) > 1:  # "745 more than HU does, so it adds 645"
            differences = [m for m in differences if "than" not in line.texts[m.last : m.last + 4]]
        if len(differences) != 1 or line.numbers("ratio", "percent") or line.values("path"):
            continue
        difference = differences[0]
        stated = difference.value.value
        rights = _rights(reading, line, table, difference)
        names = {str(name) for name in (*line.values("entity"), *reading.asked("entity"))}
        own = {f.value for f in table.figures if f.quantity in COUNTS and f.entity in names}
        # A count of the table is that count: "kaempferol adds 491".
        if not rights or stated in own:
            continue
        if any(_near(line, difference, right) for right in _all(reading, table, rights)):
            continue
        told = f"{stated:,g} is no difference of the figures"
        yield reading.finding(line, "wrong_arithmetic", f"{rights[0]:,g}", told)


def is_difference(line: Line, claim: Claim) -> bool:
    """Whether a claim's figure is told as a difference."""
    at = line.at(claim.span[0])
    return at is not None and _is_difference(line, at)


def _is_difference(line: Line, m: Mention) -> bool:
    number, texts = m.value, line.texts
    if not isinstance(number, Number) or number.unit or number.low is not None or number.high is not None:
        return False
    at = m.first
    while at and texts[at - 1] in BETWEEN:
        at -= 1
    lead = texts[at - 1] if at else ""
    skipped = texts[at : m.first]
    after = [t for t in texts[m.last : m.last + 2] if t not in ("gene", "deg")][:1]
    if texts[m.last : m.last + 1] == ["time"]:
        return False  # a comparison has a check of its own
    summed = lead in ("add", "adding", "added") and "up" in skipped
    changes = lead in OF_A_CHANGE and "of" in skipped
    return not summed and (lead in ADDS or changes or (bool(after) and after[0] in AFTER))


def _rights(reading: Reading, line: Line, table: FactTable, told: Mention) -> list[float]:
    """The difference of the two figures beside it, or of the two counts that are named."""
    others = [m.value.value for m in line.mentions if m.kind == "num" and m is not told]
    if len(others) in (2, 3):
        return [abs(a - b) for a, b in itertools.combinations(others, 2)][::-1]
    return [] if others else [abs(a - b) for a, b in named_counts(reading, line, table)]


def named_counts(reading: Reading, line: Line, table: FactTable) -> Iterator[tuple[float, float]]:
    """The counts of the two tissues, or of one under two conditions, that the line or the question names."""
    entities, conditions = (_sides(reading, line, kind) for kind in ("entity", "condition"))
    told = reading.text.prompt + reading.quote(line)
    if not (COUNTED.search(told) or REACTS.search(told)):
        return
    for a, b in itertools.combinations([f for f in table.find(quantity="deg") if f.entity in entities], 2):
        same = (a.treatment, a.is_interaction) == (b.treatment, b.is_interaction)
        across = len(entities) == 2 and a.entity != b.entity and a.condition == b.condition
        within = len(entities) == 1 and {a.condition, b.condition} == conditions
        if same and (within or (across and {a.condition} >= conditions)):
            yield a.value or 0.0, b.value or 0.0


def _sides(reading: Reading, line: Line, kind: str) -> set[object]:
    """The names of a line, and the question's where the line names one of its two or none."""
    named, asked = set(line.values(kind)), set(reading.asked(kind))
    return asked if not named or (len(asked) == 2 and named < asked) else named


def _all(reading: Reading, table: FactTable, rights: list[float]) -> Iterator[float]:
    """What a difference may be: of the figures of the text, or of the counts of what it names anywhere."""
    yield from rights
    lines = list(reading.all_lines())
    places = {v for line in lines for v in line.values("entity") + line.values("condition")}
    counts = [f for f in table.find(quantity="deg") if {f.entity, f.condition} <= places]
    for a, b in itertools.combinations(counts, 2):
        if (a.condition, a.treatment) == (b.condition, b.treatment):
            yield abs((a.value or 0.0) - (b.value or 0.0))
    figures = reading.figures()[:40]
    yield from (abs(a - b) for a, b in itertools.combinations(figures, 2))


def _near(line: Line, told: Mention, right: float) -> bool:
    stated = told.value.value
    rough = not ROUGH.isdisjoint(line.texts[max(0, told.first - 3) : told.first])
    return agrees(stated, right) or (rough and abs(stated - right) <= SLACK * right)


def derived_from(reading: Reading) -> list[float]:
    """Sums and differences of two figures of the text, and what all other figures of a sentence add up to."""
    # The pairs grow with the square of the figures: 40 give 780, a long table would give millions.
    plain = [v for v in reading.figures() if v == v and abs(v) < 1e7][:40]
    pairs = [a + b for a, b in itertools.combinations(plain, 2) if a and b]
    pairs += [abs(a - b) for a, b in itertools.combinations(plain, 2) if a and b and a != b]
    lines = [[number.value for number in line.numbers("")] for line in reading.lines]
    totals = [sum(values) / 2 for values in lines if len(values) > 3]
    for values in lines:
        runs = [values[a:b] for a in range(len(values[:12])) for b in range(a + 3, len(values[:12]) + 1)]
        # "479, 36 and 3,369 make 3,884": neither the sum nor its terms are of the tissue behind them.
        totals += [v for run in runs if sum(run) in values for v in (sum(run), *run)]
    return [*pairs, *totals]


def starts(line: Line, claim: Claim) -> bool:
    """The first figure of "from 0 genes to 491", "0 → 491": what the question names is of the second."""
    at = line.at(claim.span[0])
    if at is None or line.values("condition"):
        return False
    after = line.texts[at.last : at.last + 4]
    leads = at.first > 0 and line.texts[at.first - 1] == "from"
    return after[:1] == ["→"] or (leads and "to" in after)
