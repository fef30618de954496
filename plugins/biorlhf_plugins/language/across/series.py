"""Figures that are said to go one way step by step: "fell at each step, from 88 % at 0.3 mg/kg to 64 % at …"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.signs import directions

STEPS = frozenset(("monotonically", "steadily", "progressively", "stepwise", "continuously", "consistently"))
EACH = frozenset(("each", "every"))
STEP = frozenset(("step", "dose", "increment", "increase", "current", "concentration", "time", "level", "passage"))
PLACED = frozenset(("at", "after", "on", "by", "with", "in"))


def series(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        part, texts = found.parts[number], found.stream.texts
        words = texts[part.first : part.last]
        stepped = not STEPS.isdisjoint(words) or any(
            a in EACH and (b in STEP or c in STEP) for a, b, c in zip(words, words[1:], words[2:], strict=False)
        )
        if not stepped or part.kind == "row" or not found.asserted(part.first):
            continue
        kept = [f for f in figures if f.kind in ("count", "percent") and not f.sign]
        kept = [f for f in kept if texts[f.first - 1] not in PLACED]
        ways = {label for label, at in directions(found, number) if at < (kept[0].first if kept else 0)}
        more = "each" in words and "more" in words[: words.index("each")]
        ways |= {"UP"} if more else set()
        kinds = {f.kind for f in kept}
        joined = all(
            {",", "and", "to", "then"} & set(texts[a.last : b.first]) for a, b in itertools.pairwise(kept)
        )
        if len(kept) < 3 or len(kinds) != 1 or len(ways & {"UP", "DOWN"}) != 1 or not joined:
            continue
        values = [f.value for f in kept]
        ordered = sorted(values, reverse="DOWN" in ways)
        says = f"{min(ways)} step by step, {', '.join(f'{v:g}' for v in values)}"
        yield Check("a course against its figures", values == ordered, says, (kept[0].span, kept[-1].span))
