"""Figures that are said to go one way step by step: "fell at each step, from 88 % at 0.3 mg to 64 % at …"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.signs import directions

STEPS = frozenset(("monotonically", "steadily", "progressively", "stepwise", "continuously"))
EACH = frozenset(("each", "every"))
STEP = frozenset(
    ("step", "dose", "increment", "increase", "current", "concentration", "time", "level", "passage")
)
PLACED = frozenset(("at", "after", "on", "by", "with", "in"))


def series(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        part, texts = found.parts[number], found.stream.texts
        marks = [
            i for i in range(part.first, part.last)
            if texts[i] in STEPS or (texts[i] in EACH and not STEP.isdisjoint(texts[i + 1 : i + 3]))
        ]  # fmt: skip
        if not marks or part.kind == "row" or not found.asserted(part.first):
            continue
        at = marks[0]
        kept = [f for f in figures if f.kind in ("count", "percent") and not f.sign]
        kept = [f for f in kept if texts[f.first - 1] not in PLACED]
        ways = {label for label, i in directions(found, number) if at - 4 <= i <= at + 2}
        ways |= (
            {"UP"}
            if "more" in texts[at - 3 : at]
            else {"DOWN"}
            if "declined" in texts[at - 3 : at]
            else set()
        )
        kinds = {f.kind for f in kept}
        joined = all(
            {",", "and", "to", "then"} & set(texts[a.last : b.first]) for a, b in itertools.pairwise(kept)
        )
        if (
            len(kept) < 3
            or min(f.value for f in kept) < 0
            or len(kinds) != 1
            or len(ways & {"UP", "DOWN"}) != 1
            or not joined
        ):
            continue
        values = [f.value for f in kept]
        ordered = sorted(values, reverse="DOWN" in ways)
        says = f"{min(ways)} step by step, {', '.join(f'{v:g}' for v in values)}"
        yield Check("a course against its figures", values == ordered, says, (kept[0].span, kept[-1].span))
