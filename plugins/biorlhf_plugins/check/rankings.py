"""Rankings out of order, universals with exceptions, and "larger than all the others together"."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.table import FactTable, Figure

RANKED = re.compile(
    r"\brank|\bmost to least|\bleast to most|\border(?:ed)? by|\bhighest to lowest", re.IGNORECASE
)
COMBINED = re.compile(
    r"(?:larger|greater|bigger|higher|more) than (?:all|every|the)(?: of)?(?: the)? others?\b"
    r"(?P<scope>[^.?!\n]{0,60}?)"
    r"\b(?:combined|together|put together|in total)",
    re.IGNORECASE,
)
MORE = {
    "more": True,
    "higher": True,
    "larger": True,
    "greater": True,
    "fewer": False,
    "less": False,
    "lower": False,
}
COUNTED = frozenset(("deg", "gene", "count"))
YES_NO = re.compile(r"\b(yes|no)\b", re.IGNORECASE)


def check_listed_ranking(reading: Reading) -> Iterator[Finding]:
    """A numbered list of one figure each, called a ranking, whose figures are not in order."""
    if not RANKED.search(reading.text.prompt + " " + reading.text.answer):
        return
    for run in _numbered_runs(reading):
        values = [line.numbers("")[0].value for line in run]
        falling = all(a >= b for a, b in itertools.pairwise(values))
        rising = all(a <= b for a, b in itertools.pairwise(values))
        if falling or rising:
            continue
        bad = next(
            i for i in range(len(values) - 1) if (values[i] < values[i + 1]) == (values[0] > values[-1])
        )
        expected = ", ".join(f"{line.values('entity')[0]} {line.numbers('')[0].value:,g}" for line in
                             sorted(run, key=lambda one: -one.numbers("")[0].value))  # fmt: skip
        quote = reading.text.answer[run[bad].start : run[bad + 1].end]
        yield Finding(reading.text.index, ERROR, "wrong_ranking", quote, expected,
                      f"{values[bad]:,g} stands above {values[bad + 1]:,g}")  # fmt: skip


def _numbered_runs(reading: Reading) -> Iterator[list[Line]]:
    run: list[Line] = []
    for line in reading.lines:
        before = reading.text.answer[max(0, line.start - 6) : line.start]
        numbered = re.search(r"\d[.)]\s*\**$", before) is not None
        fits = numbered and len(line.values("entity")) == 1 and len(line.numbers("")) == 1
        if fits:
            run.append(line)
        else:
            if len(run) > 2:
                yield run
            run = []
    if len(run) > 2:
        yield run


def check_chain(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "a > b > c > d": some stressor must bear it, or the one that is named."""
    for line in reading.lines:
        chain = _chain(line)
        if len(chain) < 3 or not set(chain) <= set(table.entities(quantity="deg")):
            continue
        conditions = [str(c) for c in line.values("condition")]
        named = [c for c in conditions if c != "stress"] or list(reading.asked("condition"))
        treated = "kmp" in line.values("treatment")
        series = _series(table, named or None, treated, stress="stress" in conditions)
        if not series:
            continue
        orders = {
            key: [values[name] for name in chain]
            for key, values in series.items()
            if set(chain) <= set(values)
        }
        if not orders or any(v == sorted(v, reverse=True) for v in orders.values()):
            continue
        expected = "; ".join(
            f"{key}: " + " > ".join(sorted(series[key], key=lambda name: -series[key][name]))
            for key in orders
        )
        yield Finding(
            reading.text.index,
            ERROR,
            "wrong_ranking",
            reading.quote(line),
            expected,
            "no figures are in this order",
        )


def _chain(line: Line) -> list[str]:
    """Entities joined by ">", each with its figure in brackets or without, in their order."""
    found: list[str] = []
    last = None
    for mention in line.mentions:
        if mention.kind != "entity":
            continue
        between = line.tokens[last or 0 : mention.first]
        marks = [t.text for t in between if t.number is None and t.text not in "()"]
        if found and marks != [">"]:
            if len(found) > 2:
                break
            found = []
        found.append(str(mention.value))
        last = mention.last
    return found


def check_comparison(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "soleus has more DEGs under IR than liver": two tissues, one condition, one order."""
    for line in reading.lines:
        named = [m for m in line.mentions if m.kind == "entity"]
        if len(named) != 2 or named[0].value == named[1].value:
            continue
        between = [token.text for token in line.tokens[named[0].last : named[1].first]]
        more = next((word for word in between if word in MORE), None)
        if more is None or "than" not in between or not COUNTED & set(between) or line.numbers("ratio"):
            continue
        conditions = line.values("condition") or reading.asked("condition")
        if len(conditions) != 1:
            continue
        # Where only the question names the drug, either contrast may be meant.
        asked = reading.prompt_lines[-1].values("treatment") if reading.prompt_lines else ()
        treated_here = "kmp" in line.values("treatment")
        treatments = (True,) if treated_here else (False, True) if "kmp" in asked else (False,)
        pairs = []
        for treated in treatments:
            values = _series(table, [str(conditions[0])], treated, stress=False).get(str(conditions[0]), {})
            if all(str(m.value) in values for m in named):
                pairs.append([values[str(m.value)] for m in named])
        if not pairs or any(a == b or (a > b) == MORE[more] for a, b in pairs):
            continue
        first, second = pairs[0]
        yield Finding(
            reading.text.index, ERROR, "wrong_comparison", reading.quote(line),
            f"{named[0].value} {first:,g}, {named[1].value} {second:,g}",
            "the table has it the other way round",
        )  # fmt: skip


def _series(
    table: FactTable, conditions: list[str] | None, treated: bool, *, stress: bool
) -> dict[str, dict[str, float]]:
    series: dict[str, dict[str, float]] = {}
    for figure in table.find(quantity="deg"):
        if figure.value is None or (not figure.is_interaction and (figure.treatment == "kmp") != treated):
            continue
        if conditions is not None and figure.condition not in conditions:
            continue
        if stress and conditions is None and figure.is_interaction:
            continue
        series.setdefault(str(figure.condition), {})[figure.entity] = figure.value
    return series


def check_universal(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "all other tissues show RESCUE": the table's exceptions."""
    for line in reading.lines:
        scopes = [m for m in line.mentions if m.kind == "everyone" and m.value in ("all", "rest")]
        for scope in scopes:
            claim = next(
                (m for m in line.mentions if m.kind in ("pattern", "type") and m.first >= scope.last), None
            )
            if claim is None or claim.first - scope.last > 4 or _denied(line, scope.first, claim.first):
                continue
            figures = _of_class(reading, line, table, claim.kind)
            named = {m.value for m in line.mentions if m.kind == "entity" and m.first < scope.first}
            if scope.value == "rest" and not named:
                named = set(reading.asked("entity"))
            rest = [f for f in figures if scope.value == "all" or f.entity not in named]
            wrong = [f for f in rest if str(claim.value).upper() not in f.accepted]
            if wrong:
                yield Finding(
                    reading.text.index, ERROR, "universal_with_exception", reading.quote(line),
                    "; ".join(f"{f.entity}: {f.label}" for f in wrong),
                    f"not every one of them is {claim.value}",
                )  # fmt: skip


def _denied(line: Line, first: int, last: int) -> bool:
    return any(m.kind == "neg" and first - 3 <= m.first < last for m in line.mentions)


def _of_class(reading: Reading, line: Line, table: FactTable, kind: str) -> list[Figure]:
    figures = table.find(quantity=kind)
    near = [other for other in reading.lines if other.paragraph == line.paragraph]
    said = [
        *line.values("path"),
        *(p for other in near for p in other.values("path")),
        *reading.asked("path"),
    ]
    paths = [name for names in said for name in names]
    if kind == "pattern" and paths:
        return [f for f in figures if f.pathway == paths[0]]
    if kind == "pattern" and len({f.pathway for f in figures}) > 1:
        return []
    return figures


def check_combined(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """Is one count larger than all the others combined? The table's sums decide, the answer must agree."""
    asked = COMBINED.search(reading.text.prompt)
    said = YES_NO.search(reading.text.answer)
    if asked is None or said is None:
        return
    entities, conditions = reading.asked("entity"), reading.asked("condition")
    if len(entities) != 1 or len(conditions) != 1:
        return
    own = [
        f
        for f in table.find(quantity="deg", entity=entities[0], condition=conditions[0])
        if f.value is not None
    ]
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
    yield Finding(
        reading.text.index, ERROR, "answers_another_question", _sentence(reading, said.start()),
        f"{right}: {subject.value:,g} against {total:,g}",
        "the question asks about all the others; the answer compares with a part of them",
    )  # fmt: skip


def _sentence(reading: Reading, position: int) -> str:
    for line in reading.lines:
        if line.start <= position < line.end:
            return reading.quote(line)
    return reading.text.answer[position : position + 200]
