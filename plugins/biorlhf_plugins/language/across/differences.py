"""How far two figures are apart, told before or after them: "rose by 3.2 ml, from 19.5 to 22.7 ml"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.across.totals import counted
from biorlhf_plugins.language.evidence.ratios import JOINS as JOINED
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap, is_year
from biorlhf_plugins.language.evidence.shares import ROUGH
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.evidence.sums import CHANGES, EACH
from biorlhf_plugins.language.words.evidence import words_of

MONTHS, TIMES = words_of("months"), words_of("times")
ADJUSTED = words_of("adjusts")
LOST_OR_GAINED = frozenset(("lost", "gained"))
AFTER = frozenset(("for", "after", "because", "due", "with", "at", "in", "of"))
OVER = words_of("over")
MOVES = (
    OVER
    | CHANGES
    | {
        "rose",
        "fell",
        "increased",
        "decreased",
        "dropped",
        "declined",
        "grew",
        "lowered",
        "raised",
    }
)
SO = frozenset(("so", "thus", "therefore", "ie", "hence"))
TAKEN = frozenset(
    ("randomised", "randomized", "included", "enrolled", "analysed", "analyzed", "kept", "retained")
)
SEEN = frozenset(("screened", "assessed", "invited", "approached", "identified", "examined"))
LOST = frozenset(("failure", "exclusion", "dropout", "withdrawal", "refusal", "excluded"))


def differences(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        part = found.parts[number]
        if part.kind == "row" or not found.asserted(part.first):
            continue
        values = [f for f in figures if f.kind in ("count", "percent", "effect") and not f.sign]
        values = [f for f in values if not is_year(found, f)]
        near = range(max(0, number - 1), min(number + 2, len(found.parts)))
        if any(not ADJUSTED.isdisjoint(_words(found, n)) for n in near):
            continue  # an adjusted difference is another one
        yield from _by(found, values)
        yield from _gain(found, values)
        yield from _named(found, number, values)
        yield from _between(found, number, values)
        yield from _failures(found, number)


def _words(found: Evidence, number: int) -> list[str]:
    return found.stream.texts[found.parts[number].first : found.parts[number].last]


def _by(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "By 3.2 ml, from 19.5 to 22.7 ml"; "6.8 … but 3.1, so it lowered the titre by 3.7"."""
    texts = found.stream.texts
    told = [
        f
        for f in figures
        if texts[f.first - 1] == "by" and not MOVES.isdisjoint(texts[max(0, f.first - 7) : f.first])
    ]
    if len(told) != 1 or not EACH.isdisjoint(texts[told[0].last : told[0].last + 1]):
        return
    change = told[0]
    if change.unit in MONTHS | TIMES:
        return  # "dropped to 3.0 by 10 May"
    ends = [
        (a, b) for a, b in itertools.pairwise(figures)
        if change not in (a, b) and texts[a.first - 1] == "from" and gap(found, a, b)[-1:] == ["to"]
    ]  # fmt: skip
    others = [f for f in figures if f is not change]
    since = set(texts[others[-1].last : change.first]) if others else set()
    if len(ends) == 1:
        low, high = sorted((change, ends[0][0]), key=lambda f: f.first)
        if "and" not in gap(found, low, high) and len(gap(found, low, high)) <= 8:
            yield from _apart(found, change, *ends[0])
    elif len(others) == 2 and others[0].first > change.last and JOINED & set(gap(found, *others)):
        yield from _apart(found, change, others[0], others[1])  # "exceeds liver by 2,315 (6,425 vs 4,110)"
    elif not ends and len(others) == 2 and others[-1].last < change.first and since & SO:
        yield from _apart(found, change, others[0], others[1], units=True)


def _gain(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Sprayed plants reached 64 cm and unsprayed ones 46 cm, a gain of 18 cm"."""
    texts = found.stream.texts
    figures = [f for f in figures if f.unit not in TIMES] if len(figures) > 3 else figures
    if len(figures) == 3 and texts[figures[2].first - 1] in LOST_OR_GAINED:
        if (
            not SO.isdisjoint(gap(found, figures[1], figures[2]))
            and len(moved_by(found, figures[0].part)) < 2
        ):
            yield from _apart(found, figures[2], figures[0], figures[1], units=True)
    elif len(figures) == 3 and texts[figures[2].first - 1] == "of" and texts[figures[2].first - 2] in CHANGES:
        lead = gap(found, figures[1], figures[2])
        if "," in lead and len(lead) <= 10:
            yield from _apart(found, figures[2], figures[0], figures[1], units=True)


def moved_by(found: Evidence, number: int) -> set[str]:
    """The directions that a sentence states."""
    return {label for label, _ in directions(found, number)}


def _between(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "It fell by 1.5 points with the drug and by 0.4 with placebo, so the difference was 1.1 points"."""
    if len(figures) != 3 or len(moved_by(found, number)) != 1:
        return
    one, other, told = figures
    lead = gap(found, other, told)
    if "difference" in lead and lead[-1] in ("was", "is", "of") and not SO.isdisjoint(lead):
        yield from _apart(found, told, one, other, units=one.kind == "count")


def _named(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "The difference was 3.5 kg. Those on the drug had lost 6.2 kg, those on placebo 2.7 kg"."""
    texts, part = found.stream.texts, found.parts[number]
    said = [
        f for f in figures if texts[f.first - 2 : f.first] in (["difference", "was"], ["difference", "of"])
    ]
    after = found.by_part.get(number + 1, [])
    pair = [f for f in after if f.kind == said[0].kind and f.unit == said[0].unit] if len(said) == 1 else []
    if len(figures) == 1 and len(pair) == 2 and found.asserted(pair[0].first) and part.kind == "prose":
        yield from _apart(found, said[0], pair[0], pair[1], units=True)


def _apart(
    found: Evidence, change: Figure, one: Figure, other: Figure, units: bool = False
) -> Iterator[Check]:
    after = found.said.text[change.span[1] : change.span[1] + 14]
    points = "point" in after or found.said.text[change.span[0] : change.span[1] + 14].rstrip().endswith(
        "points"
    )
    kinds = {one.kind, other.kind}
    alike = {one.unit, other.unit, change.unit} - {""}
    if len(kinds) > 1 or (units and (len(alike) != 1 or change.kind not in kinds)):
        return
    difference = abs(one.value - other.value)
    rights = [difference] if change.kind in kinds or points else []
    if change.kind == "percent" and not points and one.value:
        rights.append(100 * difference / abs(one.value))
    if not rights or (change.kind not in kinds and change.kind != "percent" and not points):
        return
    places = [f.decimals for f in (one, other, change)]
    rough = not ROUGH.isdisjoint(found.stream.texts[max(0, change.first - 3) : change.first])
    slack = sum(0.51 * 10.0**-d for d in places) if any(places) or change.kind == "percent" else 1e-6
    slack += 0.1 * difference if rough else 0.0
    passed = any(abs(right - abs(change.value)) <= slack for right in rights)
    says = f"{one.value:g} and {other.value:g} differ by {difference:g}, stated {change.value:g}"
    spans = (one.span, other.span, change.span)
    yield Check("a difference of its figures", passed, says, spans, expected=f"{difference:g}")


def _failures(found: Evidence, number: int) -> Iterator[Check]:
    """ "742 were screened and 500 randomised; the 242 screening failures"."""
    texts = found.stream.texts
    for figure in counted(found, number):
        after = texts[figure.last : figure.last + 3]
        lost = next((i for i, word in enumerate(after) if word in LOST), -1)
        if texts[figure.first - 1] != "the" or lost < 0 or {*texts[figure.last + lost + 1 :][:1]} & AFTER:
            continue
        before = [f for n in (number - 1, number) for f in counted(found, n) if f.first < figure.first]
        seen = [f for f in before if not SEEN.isdisjoint(f.right)]
        taken = [f for f in before if not TAKEN.isdisjoint(f.right) and f not in seen]
        if len(seen) == len(taken) == 1 and seen[0].value > taken[0].value:
            right = seen[0].value - taken[0].value
            says = f"{seen[0].value:,g} - {taken[0].value:,g} = {right:,g}, stated {figure.value:,g}"
            spans = (seen[0].span, taken[0].span, figure.span)
            yield Check("parts and whole", figure.value == right, says, spans, expected=f"{right:,g}")
