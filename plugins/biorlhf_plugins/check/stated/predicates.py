"""What a sentence says of a tissue, held against each tissue of the table: a class, more under one condition
than under another, more than the sum, mostly up, genes that change at all.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.ranks import family_of, place_of
from biorlhf_plugins.check.stated.statements import (
    COUNTED,
    FEW,
    NO_MEASURE,
    REACTS,
    TURNING,
    YES_NO,
    Held,
    Holds,
    comparator,
    treatments,
    turned,
    value,
)
from biorlhf_plugins.check.table import FactTable, Figure
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import vocabulary

CHANGES = re.compile(
    r"\b(?:changes?|alters?|affects?|moves?|shifts?|active|acts?|responds?|reacts?|regulates?)\b",
    re.IGNORECASE,
)
SILENT = re.compile(
    r"\b(?:silent|inert|unresponsive|(?:no|without|without any|without an) (?:\w+ )?(?:effect|response)|"
    r"do(?:es)? nothing)\b",
    re.IGNORECASE,
)
AT_BOUND = re.compile(r"\b(?:at least|at most|no fewer|no more|up to)\b|[≥≤]", re.IGNORECASE)
ADDITIVE = {
    "less": vocabulary("subadditive antagonistic"),
    "more": vocabulary("synergistic synergistically synergy superadditive supraadditive overadditive"),
    "as": vocabulary("additive additively"),
}
MAINLY = vocabulary("most mostly mainly predominantly largely majority chiefly primarily")
LEANS = vocabulary("lean leans tilt skew bias favour favor tend")
PREVAIL = vocabulary("prevail dominate predominate outweigh preponderate")
WAYS = ("UP", "DOWN", "deg_up", "deg_down")
EACH = frozenset(("per", "each", "every"))
SIDES = {"deg": "", "deg_up": "up ", "deg_down": "down "}
FAR = 6
"""Tokens from "most" to the direction that it is of."""
TOGETHER = frozenset(("together", "combined", "sum", "plus", "total"))
BREAKS = vocabulary("break breaks violate defy escape exception")
WHO = 14
"""Tokens of an answer that leaves to the question what it says of whom."""
ROUGHLY = 0.25
"""How far a count may be from the sum that it is called."""


def holds_of(reading: Reading, line: Line, table: FactTable, scope: Mention | None = None) -> Holds:
    """What the first reading of a sentence that fits says of each tissue; empty, where none does.

    An answer that names only who and how many ("Three of the four clear that bar", "all but liver") is read
    with what the question says of them.
    """
    asked = reading.prompt_lines[-1] if reading.prompt_lines else None
    for read in PREDICATES:
        found = read(reading, line, table, scope)
        if found:
            return found
    verdict = YES_NO.match(reading.text.answer)
    exists = asked is not None and {"any", "there"} & asked.words and line.values("entity")
    opens = verdict is not None and not (exists and verdict.group(1).lower() == "yes")
    denied = (
        asked is not None
        and (turned(asked) or "not" in asked.words)
        and not SILENT.search(reading.text.prompt)
    )
    if asked is None or opens or line is not reading.lines[0] or not _says_who(line, scope) or denied:
        return {}
    # Who is asked for stands for all: that it is a question after some is no limit to what is said.
    some = Mention("everyone", "all", 0, 0)
    found = next((h for read in PREDICATES if (h := read(reading.as_asked(asked), asked, table, some))), {})
    breaks = scope is None and not BREAKS.isdisjoint(asked.words)
    return {name: held._replace(true=held.true != breaks) for name, held in found.items()}


def _says_who(line: Line, scope: Mention | None) -> bool:
    """Whether a sentence has nothing of its own to say but of whom something is true."""
    kinds = {m.kind for m in line.mentions} - {"entity", "everyone", "except", "univ", "both", "said", "part"}
    counts = {m.first for m in line.mentions if m.kind == "num"}
    of_the_count = scope is not None and scope.kind == "num" and len(counts) < 3
    kinds -= {"num"} if of_the_count or not counts else set()
    denied = scope is not None and scope.value == "none"
    kinds -= {"neg"} if denied else set()
    tissues = all(m.value == "tissue" for m in line.mentions if m.kind == "quantity")
    return not (kinds - {"quantity"}) and tissues and len(line.texts) <= WHO and "way" not in line.words


def classed(reading: Reading, line: Line, table: FactTable, scope: Mention | None) -> Holds:
    """A response type, or the pattern of a pathway."""
    for kind in ("pattern", "type"):
        labels = [m for m in line.mentions if m.kind == kind]
        if scope is not None and scope.kind == "everyone":
            labels = [m for m in labels if -9 <= m.first - scope.last <= 4]
        if len({m.value for m in labels}) == 1 and not _denied(line, labels[0].first):
            label = str(labels[0].value)
        else:
            continue
        figures = _of_class(reading, line, table, kind)
        return {f.entity: Held(label.upper() in f.accepted, f.label) for f in figures}
    return {}


def _denied(line: Line, at: int) -> bool:
    return any(m.kind == "neg" and at - 3 <= m.first < at for m in line.mentions)


def _of_class(reading: Reading, line: Line, table: FactTable, kind: str) -> list[Figure]:
    figures = table.find(quantity=kind)
    near = [other for other in reading.lines if other.paragraph == line.paragraph]
    mentioned = [
        *line.values("path"),
        *(p for other in near for p in other.values("path")),
        *reading.asked("path"),
    ]
    paths = [name for names in mentioned for name in names]
    if kind == "pattern" and paths:
        return [f for f in figures if f.pathway == paths[0]]
    if kind == "pattern" and len({f.pathway for f in figures}) > 1:
        return []
    return figures


def scored(reading: Reading, line: Line, table: FactTable, scope: Mention | None) -> Holds:
    """The sign of one pathway's score under a condition."""
    ways, paths = set(line.values("dir")), line.values("path") or reading.asked("path")
    conditions = line.values("condition") or reading.asked("condition")
    plain = len(ways) == len(paths) == len(conditions) == 1 and ways <= {"UP", "DOWN"}
    if scope is None or not plain or line.numbers("") or turned(line, scope):
        return {}
    treatment = "kmp" if "kmp" in line.values("treatment") else None
    scores = table.find(quantity="nes", condition=str(conditions[0]), treatment=treatment)
    return {
        f.entity: Held(((f.value or 0.0) > 0) == (ways == {"UP"}), f.label)
        for f in scores
        if f.pathway in paths[0]
    }


def compared(reading: Reading, line: Line, table: FactTable, scope: Mention | None) -> Holds:
    """ "HU changes more genes than IR", and "HU changes fewer" where the question names the two."""
    found = comparator(line)
    quote = reading.quote(line)
    measures = {*line.values("quantity"), *reading.asked("quantity")} - NO_MEASURE
    measured = COUNTED.search(quote) or REACTS.search(quote) or not (measures or reading.asked("path"))
    if found is None or not measured or turned(line, scope) or line.values("path"):
        return {}
    _, pivot, more = found
    named = [m for m in line.mentions if m.kind == "condition"]
    mine = [str(m.value) for m in named if m.first < pivot]
    others = [str(m.value) for m in named if m.first > pivot]
    if len(mine) != 1 or not others or set(mine) & set(others) or TOGETHER & set(line.texts[pivot:]):
        return {}
    return _counted(
        (table, treatments(reading, line)),
        [[(condition, "deg") for condition in (*mine, *others)]],
        lambda side: all(v != side[0] and (side[0] > v) == more for v in side[1:]),
    )


def _counted(
    of: tuple[FactTable, list[bool]], slots: list[list[tuple[str, str]]], true: Callable[[list[float]], bool]
) -> Holds:
    """Of each tissue, whether the counts of any one of the slots bear it out, with the drug or without."""
    table = of[0]
    told: Holds = {}
    for entity in table.entities(quantity="deg"):
        for slot, treated in itertools.product(slots, of[1]):
            counts = [value(table, entity, condition, treated, quantity) for condition, quantity in slot]
            known = [count for count in counts if count is not None]
            if len(known) == len(slot) and not (entity in told and told[entity].true):
                words = zip(slot, known, strict=True)
                said = ", ".join(f"{c} {SIDES[quantity]}({v:,g})" for (c, quantity), v in words)
                told[entity] = Held(true(known), said, known[0])
    return told


def added(reading: Reading, line: Line, table: FactTable, scope: Mention | None) -> Holds:
    """Two stressors together against the sum of what each does alone."""
    named = {*line.values("condition"), *reading.asked("condition")}
    both = "hu+ir" in named or named >= {"hu", "ir"}
    said = _additive(line)
    if not said or not both or reading.treated(line) or turned(line, scope):
        return {}
    holds = {
        "less": lambda c: c[2] < c[0] + c[1],
        "more": lambda c: c[2] > c[0] + c[1],
        "as": lambda c: abs(c[2] - c[0] - c[1]) <= ROUGHLY * (c[0] + c[1]),
    }
    return _counted((table, [False]), [[(c, "deg") for c in ("hu", "ir", "hu+ir")]], holds[said])


def _additive(line: Line) -> str:
    """ "more" than the sum, "less", or just "as" much; "" where a sentence says nothing of it."""
    found = comparator(line)
    summed = "sum" in line.words or not line.words.isdisjoint(ADDITIVE["as"])
    if summed and (found is not None or "short" in line.words):
        return "more" if found is not None and found[2] else "less"
    said = [how for how, words in ADDITIVE.items() if not words.isdisjoint(line.words)]
    return said[0] if len(said) == 1 else ""


def sided(reading: Reading, line: Line, table: FactTable, scope: Mention | None) -> Holds:
    """ "Most of the genes go down", "more are up than down", "those that rise outnumber those that fall"."""
    named = line.values("condition") or reading.asked("condition")
    where = ["hu", "ir", "hu+ir"] if named == ("stress",) else reading.conditions(line)
    genes = COUNTED.search(reading.quote(line)) or COUNTED.search(reading.text.prompt)
    paths = line.values("path") + reading.asked("path")
    up = _more_up(line)
    if up is None or len(named) != 1 or not (genes or scope) or paths or turned(line, scope):
        return {}
    slots = [[(c, "deg_up"), (c, "deg_down")] for c in where]
    return _counted((table, treatments(reading, line)), slots, lambda c: (c[0] > c[1]) == up)


def _more_up(line: Line) -> bool | None:
    """Whether a sentence has more genes go up than down; None where it compares no such two."""
    ways = [
        (m.first, m.value in ("UP", "deg_up"))
        for m in line.mentions
        if m.kind in ("dir", "quantity") and m.value in WAYS
    ]
    found = comparator(line)
    if found is not None:
        at, pivot, more = found
        # Of "more genes rise than fall" the first stands behind the comparing word, of "outnumber" before it.
        mine = [up for first, up in ways if first < pivot and (first != at or pivot == at)]
        other = [up for first, up in ways if first > pivot]
        if pivot and len(set(mine)) == len(set(other)) == 1 and mine[0] != other[0]:
            return mine[0] == more
    if not PREVAIL.isdisjoint(line.words) and len({up for _, up in ways}) == 1:
        return ways[0][1]
    for i, text in enumerate(line.texts):
        ahead = {up for first, up in ways if i < first <= i + FAR}
        if (text in MAINLY or text in LEANS) and len(ahead) == 1 and len({up for _, up in ways}) == 1:
            return ahead.pop()
    return None


def changed(reading: Reading, line: Line, table: FactTable, scope: Mention | None) -> Holds:
    """That genes change at all, that hardly any do, or more than so many."""
    quote = reading.quote(line)
    conditions = line.values("condition") or reading.asked("condition")
    bounds = [n for n in line.numbers("") if (n.low is None) != (n.high is None)]
    counted = bool(COUNTED.search(quote))
    foreign = line.values("path") + line.values("type") + line.values("pattern")
    silent = SILENT.search(quote) if not line.numbers("") else None
    if len(conditions) != 1 or foreign or not (bounds or silent or (scope and CHANGES.search(quote))):
        return {}
    # A negation may turn the whole sentence: such a one is left alone.
    others = [n for n in line.mentions if n.kind == "num" and n.value not in bounds and not _inside(n, scope)]
    denied = turned(line, scope) if silent is None else _denied_beside(line, silent)
    if others or len(bounds) > 1 or denied:
        return {}
    least = FEW if silent or (scope is not None and scope.value == "none" and not counted) else 0.0
    limit, below = (bounds[0].value, bounds[0].high is not None) if bounds else (least, silent is not None)
    if silent or (bounds and AT_BOUND.search(quote)):
        limit += 0.5 if below else -0.5
    slots = [[(str(conditions[0]), "deg")]]
    true = (lambda c: c[0] < limit) if below else (lambda c: c[0] > limit)
    return _counted((table, treatments(reading, line)), slots, true)


def _denied_beside(line: Line, silent: re.Match[str]) -> bool:
    """Whether a sentence denies or supposes by more than the "no" of "no effect"."""
    turning = [line.spans[m.first][0] - line.start for m in line.mentions if m.kind in TURNING]
    return any(not silent.start() <= at <= silent.end() for at in turning)


def _inside(number: Mention, scope: Mention | None) -> bool:
    return scope is not None and scope.first <= number.first < scope.last


def topped(reading: Reading, line: Line, table: FactTable, scope: Mention | None) -> Holds:
    """ "In all of them", where the question is which condition or interaction has the most in each tissue."""
    asked = reading.prompt_lines[-1] if reading.prompt_lines else None
    place = place_of(asked) if asked is not None and not EACH.isdisjoint(asked.words) else None
    conditions = line.values("condition")
    if scope is None or place is None or place.nth > 1 or len(conditions) != 1 or turned(line, scope):
        return {}
    told: Holds = {}
    family = family_of(table, "deg", str(conditions[0]), treatments(reading, line)[0], reading)
    for figure in sorted(family, key=lambda f: f.value or 0.0, reverse=place.most):
        told.setdefault(figure.entity, Held(figure.condition == conditions[0], str(figure)))
    return told


Predicate = Callable[[Reading, Line, FactTable, Mention | None], Holds]
PREDICATES: tuple[Predicate, ...] = (classed, scored, compared, added, sided, changed, topped)
