"""Figures that a sentence derives from others: a share, a change, a difference, a rest, a fold change.

Which figures it is derived from is not parsed. What is stated has to follow from some of the figures beside
it ("62 of 151 (41 %)", "falls from 80 to 20 %, a reduction by 75 %"); where it follows from none, it is
wrong. A word has to say that it is derived, and figures that it could be derived from have to be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from biorlhf_plugins.language.evidence.ratios import SAYS
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.shares import ROUGH, is_of
from biorlhf_plugins.language.words.evidence import words_of

TIMES, RATES = words_of("times"), words_of("rates")
THEM = frozenset(("them", "these", "those", "which"))
CHANGES = words_of("change_words")
COMPARED = words_of("greater") | words_of("smaller")
DIFFERENCES = frozenset(("difference", "gap", "differ", "differed", "gain", "lead"))
LOST, KEPT, STARTED = words_of("lost_from"), words_of("kept_of"), words_of("started")
PASSED = frozenset(("passed", "kept", "retained"))
TAKEN = frozenset(("removed", "discarded", "filtered", "excluded", "dropped"))
"""Of a whole these two leave nothing over."""
SO = frozenset(("so", "leaving", "thus", "hence", "therefore"))
LEFT = frozenset(("left", "leaving", "leave"))
DIFFERING = DIFFERENCES | CHANGES | SO
TURNED = {"halved": 0.5, "doubled": 2.0, "tripled": 3.0, "trebled": 3.0, "quadrupled": 4.0}
FEW = 6


def derived(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    differing = not found.stream.vocabulary.isdisjoint(DIFFERING)
    for number, figures in found.by_part.items():
        part = found.parts[number]
        given = [*_before(found, number), *figures]
        if part.kind == "row" or not found.asserted(part.first) or len(given) < 2:
            continue
        for figure in figures:
            mine = [f for f in given if f.first < figure.first]
            if figure.sign or not mine or len(mine) > 2 * FEW:
                continue
            if figure.kind == "percent":
                yield from _share(found, figure, mine)
                yield from _rate(found, figure, mine)
            if figure.kind == "count":
                yield from _rest(found, figure, mine)
                yield from _per(found, figure, mine)
            if differing and figure.kind in ("count", "percent"):
                yield from _difference(found, figure, mine)
        yield from _turned(found, number, figures)


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
    counts = [f for f in mine if f.kind in ("count", "effect", "sd") and not f.sign and f.value > 0]
    led = {"so", "give", "giving", "hence", "thus", "therefore"} & {*before}
    if not RATES & {*before} or not led or not 2 <= len(counts) <= 3 or len(counts) != len(mine):
        return
    right = [100 * a.value / b.value for a in counts for b in counts if a is not b and a.value <= b.value]
    right += [100 * (a.value + b.value) / counts[0].value for a, b in combinations(counts[1:], 2)]
    yield _follows("ratios and percentages", found, rate, rate.value, right, counts, 0.1)


def _share(found: Evidence, share: Figure, mine: Sequence[Figure]) -> Iterator[Check]:
    """ "8,912 of them (89 %)", "62 of 151, i.e. 41 %"."""
    counts = [f for f in mine if f.kind == "count" and not f.sign and f.value > 0 and f.unit not in TIMES]
    if len(counts) < 2 or counts[-1] is not mine[-1]:
        return
    between = gap(found, counts[-1], share)
    ofs = is_of(found, counts[-2], counts[-1])
    them = between[:1] == ["of"] and len(between) > 1 and between[1] in THEM
    rest = between[2:] if them else between
    opened = rest and (rest[0] in ("(", ",", "=") or rest[0] in SAYS)
    if not (ofs or them) or not opened or not SAYS.issuperset(rest):
        return
    right = [100 * a.value / b.value for a in counts for b in counts if a is not b and a.value <= b.value]
    if right:
        yield _follows("ratios and percentages", found, share, share.value, right, counts, 0.1)


def _difference(found: Evidence, stated: Figure, mine: Sequence[Figure]) -> Iterator[Check]:
    """ "41 % and 26 %, a difference of 15 percentage points"."""
    texts = found.stream.texts
    before = texts[max(0, stated.first - 3) : stated.first]
    before = [w for w in before if w not in ROUGH]
    points = "point" in found.said.text[stated.span[0] : stated.span[1] + 20]
    named = DIFFERENCES | CHANGES if points or "absolute" in before else DIFFERENCES
    told = len(before) > 1 and before[-1] in ("of", "by") and before[-2] in named
    # "42 cm tall, mutants 30 cm, so the mutants are 12 cm shorter"
    after = texts[stated.last + bool(stated.unit) :][:1]
    lead = texts[max(0, stated.first - 6) : stated.first]
    told = told or (bool(stated.unit) and not COMPARED.isdisjoint(after) and not SO.isdisjoint(lead))
    if not told or not {"relative", "mean", "average", "further"}.isdisjoint(before):
        return
    two = [f for f in mine if f.kind == stated.kind and not f.sign and f.first < stated.first - 2]
    if len(two) < 2 or two[-1] is not mine[-1] or two[-1].part != stated.part:
        return
    if stated.kind == "count" and len({f.unit for f in (*two[-2:], stated) if f.unit}) > 1:
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
    close = after[: after.index(",")] if "," in after else after
    led = led or (before[-1:] == ["and"] and not KEPT.isdisjoint(close) and not STARTED.isdisjoint(texts))
    led = led or not LEFT.isdisjoint(before[-1:])
    if not led and TAKEN.isdisjoint(after):
        return
    here = [f for f in mine if f.kind == "count" and not f.sign and not found.unit(f)]
    here = [f for f in here if texts[f.last : f.last + 2] != ["or", "more"]]
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
    if both:  # "Of 12,000 cells 9,000 passed; 3,000 were removed"
        passed = [here[0].value - here[1].value]
        yield _follows("parts and whole", found, left, left.value, passed, here, -0.5)
        return
    if here and texts[here[-1].first - 1] in LEFT:
        return  # "left 402, and striking out others left 268"
    if not led or len(here) < 2 or len(here) > FEW or here[-1] is not mine[-1] or found.unit(left):
        return
    whole, *lost = sorted(here, key=lambda f: -f.value)
    since = texts[min(f.first for f in here) : left.first]
    if whole is not here[0] or LOST.isdisjoint(since) or whole.value <= left.value:
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


def _turned(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Goes from 1.0 to 0.5, so it is halved"."""
    part, texts = found.parts[number], found.stream.texts
    if found.stream.vocabulary.isdisjoint(TURNED):
        return
    said = [i for i in range(part.first, part.last) if texts[i] in TURNED and texts[i - 1] != "be"]
    if len(said) != 1 or len(figures) != 2 or min(f.value for f in figures) <= 0:
        return
    if not {"than", "nearly", "almost", "not"}.isdisjoint(texts[max(0, said[0] - 3) : said[0]]):
        return
    one, other = figures
    if texts[one.first - 1] != "from" or gap(found, one, other)[-1:] != ["to"] or one.kind != other.kind:
        return
    ratio, right = other.value / one.value, TURNED[texts[said[0]]]
    says = f"{texts[said[0]]}, from {one.value:g} to {other.value:g}"
    passed = abs(ratio / right - 1) <= 0.2
    yield Check("ratios and percentages", passed, says, (one.span, other.span), expected=f"{ratio:.3g}×")
