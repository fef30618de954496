"""Words that exclude each other and what stands beside them: "all are resistant; isolate 4 is susceptible",
"above the breakpoint, so susceptible", "unchanged; it went from 1.5 to 3.0".
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.across.repeated import SENTENCES
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.signs import moves
from biorlhf_plugins.language.words.numbers import Number

NAME = "words that exclude each other"
PAIRS = (
    ("resistant", "susceptible"), ("resistant", "sensitive"), ("positive", "negative"), ("alive", "dead"),
    ("survived", "died"), ("present", "absent"), ("viable", "dead"), ("fertile", "sterile"),
    ("flowered", "vegetative"), ("grew", "died"), ("soluble", "insoluble"),
)  # fmt: skip
OPPOSED: dict[str, frozenset[str]] = {
    word: frozenset(b if a == word else a for a, b in PAIRS if word in (a, b))
    for pair in PAIRS
    for word in pair
}
ALL = frozenset(("all", "every", "each", "both"))
NOT = frozenset(
    ("not", "no", "never", "without", "neither", "nor", "none", "but", "except", "or", "than", "if")
)
RESISTS, YIELDS = frozenset(("resistant",)), frozenset(("susceptible", "sensitive"))
OVER, UNDER = frozenset(("above", "over", "exceed")), frozenset(("below", "under"))
BREAKPOINTS = frozenset(("breakpoint", "cutoff", "cut-off"))
SAME = frozenset(("unchanged", "unaffected", "unaltered"))
TESTED = frozenset(
    ("significant", "significantly", "p", "padj", "fdr", "ns", "error", "trend", "noise", "despite")
)
STAYED = frozenset(("stayed", "remained", "exactly"))
LARGE = 1.3
"""A change by less than this may be called none."""
NEAR = 4
"""Tokens from the last day to how long that is."""
DAYS = frozenset(("day", "week", "month", "hour", "cycle", "generation", "passage"))


def opposed(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    words = found.stream.vocabulary
    if not words.isdisjoint(OPPOSED):
        yield from _all(found)
        yield from _breakpoint(found)
    if not words.isdisjoint(SAME | {"same"}) and words.isdisjoint(TESTED):
        yield from _unchanged(found)
    if not words.isdisjoint(DAYS):
        yield from _lasting(found)


def _all(found: Evidence) -> Iterator[Check]:
    """ "All five isolates are resistant … isolate 4 is susceptible"."""
    said: list[tuple[int, str]] = []
    parts = found.parts[:SENTENCES]
    for number, part in enumerate(parts):
        texts = found.stream.texts[part.first : part.last]
        if part.kind == "prose" and texts[:1] and texts[0] in ALL and NOT.isdisjoint(texts):
            states = [word for word in texts if word in OPPOSED]
            said += [(number, states[0])] if len(states) == 1 else []
    for number, part in enumerate(parts):
        texts = found.stream.texts[part.first : part.last]
        for of, state in said:
            shared = found.words(of) & found.words(number)
            same = not {w for w in found.words(number) - shared - OPPOSED[state] if not w.isdigit()}
            if (
                number != of
                and shared
                and same
                and not OPPOSED[state].isdisjoint(texts)
                and NOT.isdisjoint(texts)
            ):
                one, other = found.parts[of], found.parts[number]
                spans = (found.span(one.first, one.last), found.span(other.first, other.last))
                yield Check(NAME, False, f"all {state}, and one {' '.join(texts[-2:-1])}", spans)
                return


def _breakpoint(found: Evidence) -> Iterator[Check]:
    """ "Susceptible: an MIC of 8 mg/L is above the breakpoint"."""
    for number, part in enumerate(found.parts):
        texts = set(found.stream.texts[part.first : part.last])
        calls = (bool(RESISTS & texts), bool(YIELDS & texts))
        if BREAKPOINTS.isdisjoint(texts) or "mic" not in texts or sum(calls) != 1 or NOT & texts:
            continue
        sides = (bool(OVER & texts), bool(UNDER & texts))
        sides = sides if any(sides) else _sides(found, number)
        if sum(sides) == 1:
            call = "resistant" if calls[0] else "susceptible"
            says = f"{'above' if sides[0] else 'below'} the breakpoint, and {call}"
            yield Check(NAME, sides == calls, says, (found.span(part.first, part.last),))


def _sides(found: Evidence, number: int) -> tuple[bool, bool]:
    """(above, below) for "the MIC is 0.25 mg/L and the breakpoint is ≤ 2 mg/L"."""
    figures, texts = found.by_part.get(number, []), found.stream.texts
    if len(figures) != 2 or figures[0].unit != figures[1].unit:
        return False, False
    mic, limit = figures
    start = found.parts[number].first
    plain = "mic" in texts[start : mic.first] and not BREAKPOINTS.isdisjoint(texts[mic.last : limit.first])
    return plain and mic.value > limit.value, plain and mic.value < limit.value


def _unchanged(found: Evidence) -> Iterator[Check]:
    """ "CYP3A4 was unchanged; it went from 1.5 to 3.0": in one sentence, or the one after it."""
    changes = list(moves(found))
    for number, part in enumerate(found.parts if len(changes) == 1 else ()):
        texts = found.stream.texts[part.first : part.last]
        stays = "same" in texts and not STAYED.isdisjoint(texts)
        same = stays or not SAME.isdisjoint(texts)
        if not same or not NOT.isdisjoint(texts) or not found.asserted(part.first):
            continue
        told = [n for n in (number, number + 1) if found.by_part.get(n)]
        after = (
            found.stream.texts[found.parts[number + 1].first :][:1] if number + 1 < len(found.parts) else []
        )
        colon = texts.index(":") if stays and ":" in texts else 0
        direct = bool(colon) and bool(told) and told[0] == number
        direct = direct and found.by_part[number][0].first == part.first + colon + 1
        near = [n for n in told if (direct if n == number else after in (["it"], ["they"]))]
        if near and len(told) == 1:
            one, other = changes[0]
            low, high = sorted((abs(one), abs(other)))
            says = f"the same, from {one:g} to {other:g}"
            passed = high <= LARGE * low
            yield Check("a direction against its figure", passed, says, (found.span(part.first, part.last),))


def _lasting(found: Evidence) -> Iterator[Check]:
    """ "From day 3 to day 17, which is 14 days": the last less the first, or one more where both count."""
    for number, figures in found.by_part.items():
        part, texts = found.parts[number], found.stream.texts
        ends = [
            (texts[i - 1], token.value, i)
            for i in range(part.first + 1, part.last)
            if isinstance(token := found.stream[i].number, Number) and texts[i - 1] in DAYS
        ]
        lasted = [f for f in figures if f.unit in DAYS and texts[f.first - 1] in ("is", "of", "lasted", "=")]
        named = len(ends) == 2 and {"from", "between"} & set(texts[part.first : part.last])
        if not named or len(lasted) != 1 or {unit for unit, *_ in ends} != {lasted[0].unit} or lasted[0].sign:
            continue
        if not 0 < lasted[0].first - ends[1][2] <= NEAR:
            continue
        days = ends[1][1] - ends[0][1]
        says = f"from {ends[0][1]:g} to {ends[1][1]:g}, {lasted[0].value:g} {lasted[0].unit}s"
        yield Check(
            "arithmetic", lasted[0].value in (days, days + 1), says, (lasted[0].span,), expected=f"{days:g}"
        )
