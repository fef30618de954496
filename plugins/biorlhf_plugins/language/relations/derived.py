"""Figures that a sentence derives from others: a share, a change, a difference, a rest.

Which figures it is derived from is not parsed. What is stated has to follow from some of the figures beside
it ("62 of 151 (41 %)", "falls from 80 to 20 %, a reduction by 75 %"); where it follows from none, it is
wrong. A word has to say that it is derived, and figures that it could be derived from have to be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from biorlhf_plugins.language.evidence.ratios import SAYS
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.shares import ROUGH, ends_total, is_of
from biorlhf_plugins.language.words.evidence import words_of

TIMES, RATES = words_of("times"), words_of("rates")
THEM = frozenset(("them", "these", "those", "which"))
CHANGES = words_of("change_words")
COMPARED = words_of("greater") | words_of("smaller")
DIFFERENCES = frozenset(("difference", "gap", "differ", "differed", "gain", "lead"))
LOST, KEPT = words_of("lost_from"), words_of("kept_of")
PASSED = frozenset(("passed", "kept", "retained"))
TAKEN = frozenset(("removed", "discarded", "filtered", "excluded", "dropped"))
"""Of a whole these two leave nothing over."""
SO = frozenset(("so", "leaving", "thus", "hence", "therefore"))
AT = frozenset(("at", "after", "with", "between", "of"))
"""What these lead to is a dose or a time, and no result."""
GOES_ON = SO | {"that", "ie"}
LEFT = frozenset(("left", "leaving", "leave"))
DIFFERING = DIFFERENCES | CHANGES | COMPARED
AGAINST = frozenset(("against", "vs", "versus", "and", "to"))
FEW = 6


def derived(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    differing = not found.stream.vocabulary.isdisjoint(DIFFERING)
    for number, figures in found.by_part.items():
        part = found.parts[number]
        given = [*_before(found, number), *figures]
        if part.kind == "row" or not found.asserted(part.first) or len(given) < 2:
            continue
        for at, figure in enumerate(figures):
            mine = [f for f in given if f.first < figure.first]
            if figure.sign or len(mine) > 2 * FEW:
                continue
            if differing and figure.kind in ("count", "percent"):
                yield from _difference(found, figure, mine, figures[at + 1 :])
            if not mine:
                continue
            if figure.kind == "percent":
                yield from _share(found, figure, mine)
                yield from _rate(found, figure, mine)
            if figure.kind == "count":
                yield from _rest(found, figure, mine)
                yield from _per(found, figure, mine)


def _before(found: Evidence, number: int) -> Sequence[Figure]:
    """The figures of the clause or sentence before, where this one goes on."""
    part = found.parts[number]
    if number == 0 or found.parts[number - 1].kind == "row" or part.kind == "item":
        return ()
    return found.by_part.get(number - 1, ())


def _follows(name: str, found: Evidence, stated: Figure, told: float, right: Sequence[float],
             mine: Sequence[Figure], slack: float) -> Check:  # fmt: skip
    """The check that one of ``right`` is what is stated."""
    slack += 0.51 * 10.0**-stated.decimals
    if not ROUGH.isdisjoint(found.stream.texts[max(0, stated.first - 2) : stated.first]):
        slack += 0.1 * max(abs(told), 1.0)
    passed = any(abs(value - told) <= slack for value in right)
    given = ", ".join(f"{f.value:,g}" for f in mine)
    says = f"{told:,g} does not follow from {given}" if not passed else f"{told:,g} from {given}"
    spans = (stated.span, *(f.span for f in mine))
    return Check(name, passed, says, spans, expected=f"{right[0]:.4g}" if right else "")


def _rate(found: Evidence, rate: Figure, mine: Sequence[Figure]) -> Iterator[Check]:
    """ "Of 100 controls 80 were negative, 20 positive, so the specificity is 80 %"; a CV of mean and SD."""
    texts = found.stream.texts
    before = texts[max(0, rate.first - 5) : rate.first]
    counts = [f for f in mine if f.kind in ("count", "effect") and not f.sign and f.value > 0]
    led = {"so", "give", "giving", "hence", "thus", "therefore"} & {*before}
    if not RATES & {*before} or not led or not 2 <= len(counts) <= 3 or len(counts) != len(mine):
        return
    right = [100 * a.value / b.value for a in counts for b in counts if a is not b and a.value <= b.value]
    right += [100 * (a.value + b.value) / counts[0].value for a, b in combinations(counts[1:], 2)]
    yield _follows("ratios and percentages", found, rate, rate.value, right, counts, 0.1)


def _share(found: Evidence, share: Figure, mine: Sequence[Figure]) -> Iterator[Check]:
    """ "8,912 of them (89 %)", "62 of 151, i.e. 41 %", "800 in all; 200 are infected, i.e. 25 %"."""
    counts = [f for f in mine if f.kind == "count" and not f.sign and f.value > 0 and f.unit not in TIMES]
    if len(counts) < 2 or counts[-1] is not mine[-1]:
        return
    whole, between = counts[-2], gap(found, counts[-1], share)
    them = between[:1] == ["of"] and len(between) > 1 and between[1] in THEM
    total = len(mine) == 2 and whole.part != share.part
    total = total and ends_total(found.stream.texts[whole.last + 1 : whole.last + 3])
    rest = between[2:] if them else between[-1:] if total else between
    opened = rest and (rest[0] in ("(", ",", "=") or rest[0] in SAYS)
    if not (is_of(found, whole, counts[-1]) or them or total) or not opened or not SAYS.issuperset(rest):
        return
    right = [100 * a.value / b.value for a in counts for b in counts if a is not b and a.value <= b.value]
    if len(counts) > 2 and counts[-3].value == 1 and gap(found, counts[-3], whole) in (["-"], ["—"]):
        right = [100 - value for value in right]  # "1 - 11/185 = 94.1%"
    if right:
        yield _follows("ratios and percentages", found, share, share.value, right, counts, 0.1)


def _difference(
    found: Evidence, stated: Figure, mine: Sequence[Figure], after: Sequence[Figure]
) -> Iterator[Check]:
    """ "41 % and 26 %, a difference of 15 percentage points", "600 and 200; that is 400 more"."""
    texts = found.stream.texts
    lead = texts[max(0, stated.first - 6) : stated.first]
    before = [w for w in lead[-3:] if w not in ROUGH]
    points = "point" in found.said.text[stated.span[0] : stated.span[1] + 20]
    measured = stated.kind == "count" and bool(stated.unit)
    named = DIFFERENCES | CHANGES if points or measured or "absolute" in before else DIFFERENCES
    told = len(before) > 1 and before[-1] in ("of", "by", "is", "was") and before[-2] in named
    changed = told and not points and before[-2] not in DIFFERENCES
    more = not COMPARED.isdisjoint(texts[stated.last : stated.last + 1 + bool(stated.unit)])
    more = more and stated.unit != "time"
    # "42 cm tall, mutants 30 cm, so the mutants are 12 cm shorter"
    told = told or (more and bool(stated.unit) and not SO.isdisjoint(lead))
    goes_on = bool(mine) and mine[-1].part != stated.part
    goes_on = goes_on and texts[found.parts[stated.part].first] in GOES_ON
    if more and len(after) == 2 and {*gap(found, *after)} - {after[0].unit} <= AGAINST:
        two = list(after) if "(" in gap(found, stated, after[0]) else []  # "400 more (600 against 200)"
    elif told or (more and goes_on):
        two = [f for f in mine if f.kind == stated.kind and not f.sign and f.first < stated.first - 2]
        two = two if two and two[-1] is mine[-1] and (goes_on or two[-1].part == stated.part) else []
    else:
        return
    if len(two) < 2 or not {"relative", "mean", "average", "further"}.isdisjoint(before):
        return
    opening = texts[found.parts[two[0].part].first : two[0].first]
    if changed and not AT.isdisjoint((*opening, *gap(found, *two[:2]))):
        return  # "at 5 and 10 mg the tumour shrank, with a loss of 3 mg"
    alike = (*two[-2:], stated) if changed else two[-2:]  # "6,830 DEGs and 6,425, a difference of 405 genes"
    if stated.kind == "count" and len({f.unit for f in alike if f.unit}) > 1:
        return
    right = [abs(a.value - b.value) for a, b in combinations(two, 2)]
    slack = 10.0 ** -min(f.decimals for f in two)  # each is rounded
    yield _follows("a difference of its figures", found, stated, abs(stated.value), right, two, slack)


def _rest(found: Evidence, left: Figure, mine: Sequence[Figure]) -> Iterator[Check]:
    """ "Of 301 patients 22 dropped out, so 279 completed": the whole less some of what it lost."""
    texts = found.stream.texts
    before, after = texts[max(0, left.first - 3) : left.first], texts[left.last : left.last + 6]
    led = not SO.isdisjoint(before) and not KEPT.isdisjoint((*after, *before))
    after = after[: after.index(",")] if "," in after else after
    led = led or (before[-1:] == ["and"] and not KEPT.isdisjoint(after))
    led = led or not LEFT.isdisjoint(before[-1:])
    if not led and TAKEN.isdisjoint(after):
        return
    here = [f for f in mine if f.kind == "count" and not f.sign and not found.unit(f)]
    paired = (
        after[:1] == ["and"] and found.stream[left.last + 1].number is not None
    )  # "so 40 and 38 remained"
    if paired or any(f.decimals for f in here):
        return  # "of which an IDR of 0.05 left 11,260"
    whole_first = bool(here) and texts[here[0].first - 1] == "of"
    both = (
        len(here) == 2
        and whole_first
        and not TAKEN.isdisjoint(after)
        and not PASSED.isdisjoint(texts[here[1].first : left.first])
    )
    so = len(here) == 2 and whole_first and not SO.isdisjoint(before) and not TAKEN.isdisjoint(after)
    if so:  # "Of 7,420 proteins 6,115 had two peptides, so 1,305 were dropped"
        right = [here[0].value - here[1].value, here[1].value]
        yield _follows("parts and whole", found, left, left.value, right, here, -0.5)
        return
    if both:  # "Of 12,000 cells 9,000 passed; 3,000 were removed"
        passed = [here[0].value - here[1].value]
        yield _follows("parts and whole", found, left, left.value, passed, here, -0.5)
        return
    if not led or not 2 <= len(here) <= FEW:
        return
    here = (
        here[1:] if len(here) > 2 and is_of(found, *here[:2]) else here
    )  # "600 of 12,000 cells. These 600 were removed, leaving …"
    whole, *lost = sorted(here, key=lambda f: -f.value)
    since = texts[min(f.first for f in here) : left.first]
    more = whole.value <= left.value and (len(here) > 2 or LEFT.isdisjoint(before[-1:]))
    if whole is not here[0] or LOST.isdisjoint(since) or more:
        return
    sums = [sum(some) for n in range(1, len(lost) + 1) for some in combinations([f.value for f in lost], n)]
    right = [whole.value - total for total in sums]
    right += [
        a.value - b.value for a, b in combinations(here, 2)
    ]  # step by step: "left 1,102, less 37 leaves …"
    yield _follows("parts and whole", found, left, left.value, [right[-1], *right], here, -0.5)


def _per(found: Evidence, stated: Figure, mine: Sequence[Figure]) -> Iterator[Check]:
    """ "9,600 cells from 4 donors, 2,400 per donor"; "6 mice per genotype; 3 genotypes make 18 mice"; "19,050
    genes at 4 guides each, so 76,200 guides"."""
    texts = found.stream.texts
    counts = [f for f in mine if f.kind == "count" and not f.sign]
    if len(counts) != 2 or len(mine) != 2 or min(f.value for f in counts) <= 0:
        return
    one, other = counts
    before, after = texts[max(0, stated.first - 3) : stated.first], texts[stated.last : stated.last + 4]
    per = one.unit in texts[one.last : one.last + 1] and "per" in texts[one.last : one.last + 2]
    shared = after[1:] if after[:1] == [one.unit] else after  # "12 peptides per protein"
    makes = not {"make", "total", "=", "so", "ie", "altogether", "hence"}.isdisjoint((*before, *after))
    per = per and texts[one.last + 2 : one.last + 3] == [other.unit] and one.unit in ("", stated.unit)
    each = one.part == stated.part and not {"each", "apiece"}.isdisjoint(texts[other.last : stated.first])
    each = each and {"×", "x", "*"}.isdisjoint(after[:1])  # "with 10 samples each: 12 × 10 = 120"
    if makes and (per or each):
        yield _follows("arithmetic", found, stated, stated.value, [one.value * other.value], counts, 0.0)
    elif shared[:1] == ["per"] and shared[1:2] == [other.unit] and other.unit and one.value > other.value:
        right = one.value / other.value
        yield _follows("arithmetic", found, stated, stated.value, [right], counts, 0.01 * right)
