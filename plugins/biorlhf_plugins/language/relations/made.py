"""What is made of the figures beside it, in plain words: a mean, a difference, a share, a rest, an order.

"300, 450 and 600; the mean is 550"; "400 DEGs more (600 against 200)"; "5.0 and 2.4 t/ha, a loss of 3.6";
"50 % of the cells are infected, 200 of 800"; "75 % passed, 55 % did not"; "in falling order: 64, 81, 22".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.evidence.comparisons import GREATER, INVERSE, POTENT, SMALLER
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.shares import ROUGH, is_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of

MEANS = frozenset(("mean", "average"))
UNLIKE = frozenset((
    "weighted", "geometric", "scale", "change", "difference", "range", "sd", "moving", "other", "all",
    "outlier", "left", "excluded", "without", "median", "trimmed",
))  # fmt: skip
APART = GREATER | SMALLER | {"more", "fewer", "less"}
SO = frozenset(("that", "so", "thus", "hence", "ie", "which"))
LOSSES = words_of("change_words") - {"change"}
LOST = words_of("lost_from") | LOSSES | {"gone"}
FALLS = frozenset(("fall", "fell", "drop", "decline", "decrease", "shrink", "lose"))
AT = frozenset(("at", "after", "with", "between", "of"))
"""What these lead to is a dose or a time, and no result."""
AGAINST_ALL = frozenset(("against", "versus", "vs"))
AGAINST = frozenset(("against", "vs", "versus", "and", "to"))
NOT = (["not"], *([word, "not"] for word in ("do", "did", "does", "is", "are", "was", "were")))
FALLING = frozenset(("falling", "descending", "decreasing"))
RISING = frozenset(("rising", "ascending", "increasing"))
HIGHEST = frozenset(("highest", "largest", "most"))
LOWEST = frozenset(("lowest", "smallest", "least", "fewest"))
UPSIDE_DOWN = INVERSE | {"ct", "cq", "rank", "potency", "affinity", "thousand", "million"}
"""Of these the first has the least, or is told in another unit."""
FEW = 12


def made(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    for number, figures in found.by_part.items():
        part = found.parts[number]
        plain = [f for f in figures if f.kind in ("count", "percent") and not f.sign]
        if part.kind != "prose" or not found.asserted(part.first) or len(plain) > FEW:
            continue
        if len(plain) == len(figures):
            yield from _mean(found, number, plain)
            yield from _difference(found, number, plain)
            yield from _order(found, number, plain)
            yield from _ahead(found, number, plain)
            yield from _exact(found, number, plain)
        yield from _share(found, number, plain)
        yield from _its_effect(found, number, figures)
        yield from _not(found, number, plain)


def _slack(figure: Figure) -> float:
    return 0.51 * 10.0**-figure.decimals


def _alike(figures: Sequence[Figure]) -> bool:
    """Of one kind and unit, as far as they are given: the 64 of "81 % of A, 64 of B" is a percentage too."""
    plain = len({f.kind for f in figures if f.unit or f.kind != "count"}) <= 1
    return plain and len({f.unit for f in figures if f.unit}) <= 1


def _mean(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "RR-1 has 300 DEGs, RR-3 450 and RR-9 600; the mean is 450"."""
    texts = found.stream.texts
    told = figures[-1] if figures else None
    if told is None:
        return
    lead = texts[max(found.parts[number].first, told.first - 2) : told.first]
    spread = texts[told.first - 1 : told.first] == ["±"] or texts[told.last : told.last + 1] == ["±"]
    if lead[-2:-1] not in (["mean"], ["average"]) or lead[-1] not in ("is", "was", "of", "=", ":") or spread:
        return
    given = list(figures[:-1]) or [f for f in found.by_part.get(number - 1, ()) if f.kind == told.kind]
    every = len(figures) > 1 or len(given) == len(found.by_part.get(number - 1, ()))
    values = [f.value for f in given]
    since = found.parts[given[0].part].first if given else 0
    said = texts[since : told.last + 3] if given else []
    if not UNLIKE.isdisjoint(said) or len(values) < 3 or not every or any(f.sign for f in given):
        return
    if not _alike(given) or told.unit not in {f.unit for f in given} | {""}:
        return
    right = sum(values) / len(values)
    says = f"the mean of {', '.join(f'{v:g}' for v in values)}: {told.value:g}"
    passed = abs(right - told.value) <= _slack(told)
    yield Check("arithmetic", passed, says, (told.span,), expected=f"{right:.4g}")


def _difference(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "400 more (600 against 200)", "600 and 200; that is 400 more", "5.0 and 2.4 t/ha, a loss of 2.6"."""
    texts, part = found.stream.texts, found.parts[number]
    before = found.by_part.get(number - 1, ())
    if len(figures) == 3:
        ahead, *two = figures
        bracket = "(" in texts[ahead.last : two[0].first] and {*gap(found, *two)} - {two[0].unit} <= AGAINST
        if bracket and not APART.isdisjoint(texts[ahead.last : ahead.last + 3]):
            told = ahead
        else:
            *two, told = figures
            lead = texts[told.first - 2 : told.first]
            if not (UNLIKE | MEANS).isdisjoint(texts[told.first - 4 : told.first]):
                return
            lost = (
                lead[-1:] == ["of"]
                and lead[0] in LOSSES
                and told.unit
                and {f.unit for f in two} <= {told.unit, ""}
            )
            measured = AT.isdisjoint((*texts[part.first : two[0].first], *gap(found, *two)))
            if not lost or not measured or texts[two[0].first - 1] == "from":
                return
    elif len(figures) == 1 and len(before) == 2 and texts[part.first] in SO:
        told, two = figures[0], list(before)
        if APART.isdisjoint(texts[told.last : told.last + 2]):
            return
    else:
        return
    if not _alike([*two, told]) or told.kind != "count" or two[0].unit == "" == told.unit:
        return
    right = abs(two[0].value - two[1].value)
    says = f"{told.value:,g}, of {two[0].value:,g} and {two[1].value:,g}"
    slack = _slack(told) + (0.0 if told.decimals == 0 else 10.0**-told.decimals)
    rough = not ROUGH.isdisjoint(texts[max(0, told.first - 2) : told.first])
    if not rough:
        passed = abs(right - told.value) <= slack
        yield Check("a difference of its figures", passed, says, (told.span,), expected=f"{right:,g}")


def _share(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "50 % of the cells are infected, 200 of 800"; "800 cells in all; 200 are infected, i.e. 25 %"."""
    texts, part = found.stream.texts, found.parts[number]
    before = found.by_part.get(number - 1, ())
    some = whole = share = None
    if len(figures) == 3 and figures[0].kind == "percent" and is_of(found, figures[1], figures[2]):
        share, some, whole = figures
        closed = texts[some.first - 1] == "," and {*texts[whole.last : part.last]} <= {whole.unit}
        named = texts[share.last : share.last + 1] == ["of"]
        if not closed or not named or share.first - part.first > 1:
            return
    elif (
        len(figures) == 2 and figures[1].kind == "percent" and len(before) == 1 and before[0].kind == "count"
    ):
        (some, share), whole = figures, before[0]
        total = {"all", "total"} & {*texts[whole.last : found.parts[number - 1].last]}
        if not total or texts[share.first - 1] not in ("ie", "is", "or") or some.first != part.first:
            return
    elif len(figures) == 3 and figures[2].kind == "percent" and texts[figures[2].first - 1] == "so":
        share, two = figures[2], sorted(figures[:2], key=lambda f: f.value)
        some, whole = two  # "6 g under salt and 15 g in the control, so 40 % of the control"
        less = share.value <= 100 and texts[share.last : share.last + 1] == ["of"]
        less = less and LOST.isdisjoint(texts[share.last : part.last])
        if not less or not some.unit or some.unit != whole.unit or is_of(found, *figures[:2]):
            return
    elif len(figures) == 3 and figures[2].kind == "percent":
        whole, some, share = figures
        led = texts[part.first] in ("of", "among") and whole.first - part.first <= 2
        if not led or texts[share.first - 2 : share.first] not in (["share", "of"], ["fraction", "of"]):
            return
    if some is None or whole is None or share is None or {some.kind, whole.kind} != {"count"}:
        return
    if not 0 < some.value <= whole.value or not ROUGH.isdisjoint(
        texts[max(0, share.first - 2) : share.first]
    ):
        return
    right = 100 * some.value / whole.value
    says = f"{some.value:g} of {whole.value:g} = {right:.3g} %, stated {share.value:g} %"
    passed = abs(right - share.value) <= _slack(share) + 0.1
    yield Check("ratios and percentages", passed, says, (share.span, some.span), expected=f"{right:.3g}%")


def _not(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Of 200 samples 150 passed and 87 did not", "75 % passed, 55 % did not": the rest of a whole."""
    texts, part = found.stream.texts, found.parts[number]
    if len(figures) not in (2, 3) or texts[figures[-1].last : part.last] not in NOT:
        return
    if len(figures) == 3 and is_of(found, figures[0], figures[1]):
        figures = (figures[1], figures[0], figures[2])  # "four of the six are, three are not"
    some, rest = figures[-2:]
    if not {"not", "but"}.isdisjoint(texts[part.first : rest.first]):
        return
    whole = figures[0].value if len(figures) == 3 else 100.0
    led = len(figures) == 3 and (
        some.first < figures[0].first
        or texts[part.first] in ("of", "among", "out")
        or texts[some.first - 1] == ":"
    )
    shares = len(figures) == 2 and some.kind == rest.kind == "percent"
    if not (led or shares) or len({f.kind for f in figures}) != 1:
        return
    total = some.value + rest.value
    says = f"{some.value:g} + {rest.value:g} = {total:g}, of {whole:g}"
    passed = abs(total - whole) <= (1.0 if shares else 0.0)
    if passed or total > whole:
        yield Check("parts and whole", passed, says, (some.span, rest.span), expected=f"{whole:g}")


def _its_effect(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Alb is induced; its log2 fold change is -2.1": the figure of the clause before."""
    part, one = found.parts[number], figures[0]
    before = found.parts[number - 1] if number else None
    if before is None or len(figures) != 1 or one.kind != "effect" or one.sign or not one.value:
        return
    own = directions(found, number)
    told = [(label, at) for label, at in directions(found, number - 1) if label in ("UP", "DOWN")]
    alone = len(told) == 1 and found.asserted(told[0][1]) and not found.by_part.get(number - 1)
    goes_on = part.last - one.last > 1  # "because the table gives ground over flight"
    named = found.stream.texts[part.first + 1 : part.first + 2]
    its = (
        found.stream.texts[part.first] == "its" and named and (named[0] in ("nes", "log2", "log2fc", "logfc"))
    )
    if own or goes_on or not alone or not its or before.kind != "prose":
        return
    label, at = told[0]
    passed = (one.value > 0) == (label == "UP")
    spans = (found.span(at, at + 1), one.span)
    yield Check("a direction against its figure", passed, f"{label} with effect {one.value:g}", spans)


def _ahead(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Liver responds most: 4,110 DEGs, against 6,425"; "more potent, with an IC50 of 12 nM against 340"."""
    texts, part = found.stream.texts, found.parts[number]
    if len(figures) < 2 or not _alike(figures):
        return
    one, other = figures[:2]
    lead, between = texts[part.first : one.first], texts[one.last : other.first]
    if AGAINST_ALL.isdisjoint(between) or len([w for w in between if w.isalpha()]) > 3 or "from" in lead:
        return
    potent = not POTENT.isdisjoint(lead) and not INVERSE.isdisjoint(lead) and len(figures) == 2
    most = lead[-2:] == ["most", ":"] or lead[-3:] == ["most", ",", "with"]
    if not (most or (potent and ("more" in lead or "most" in lead) and "with" in lead)) or "not" in lead:
        return
    if most and not (LOSSES | FALLS).isdisjoint(lead):
        return  # "drops most: 0.2 TPM, against 14"
    rest = [f.value for f in figures[1:]]
    passed = one.value >= max(rest) if most else one.value <= min(rest)
    says = f"{'most' if most else 'more potent'}: {one.value:g}, against {', '.join(f'{v:g}' for v in rest)}"
    yield Check("a superlative against its figures", passed, says, (one.span, other.span))


def _exact(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "About 6.4k genes, 6,425 to be exact"."""
    texts = found.stream.texts
    if len(figures) != 2 or texts[figures[1].last : figures[1].last + 3] != ["to", "be", "exact"]:
        return
    one, other = figures
    passed = abs(one.value - other.value) <= 0.1 * abs(other.value)
    says = f"{one.value:,g}, and exactly {other.value:,g}"
    yield Check("one value per slot", passed, says, (one.span, other.span))


def _order(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "In falling order: 81, 64, 22"; "the highest is A with 81 %; B has 64, C 22"."""
    texts, part = found.stream.texts, found.parts[number]
    if not UPSIDE_DOWN.isdisjoint(found.stream.vocabulary):
        return
    values = [f.value for f in figures]
    head = texts[part.first : figures[0].first] if figures else []
    # "A > B > C (81, 64 and 22)"; "A (81) comes first, then B (64) and C (22)"
    chained = head.count(">") == len(values) - 1 and head[-1:] in (["("], [":"])
    between = texts[figures[0].last : figures[1].first] if len(figures) > 2 else []
    first = "first" in between and "then" in between
    ordered = "order" in head and head[-2:] == ["order", ":"]
    if len(values) >= 3 and (ordered or chained or first) and _alike(figures):
        falls = chained or first or not FALLING.isdisjoint(head)
        if falls != (not RISING.isdisjoint(head)):
            passed = all(a >= b if falls else a <= b for a, b in pairwise(values))
            says = f"{'falling' if falls else 'rising'}: {', '.join(f'{v:g}' for v in values)}"
            yield Check("a ranking against its figures", passed, says, (figures[0].span, figures[-1].span))
        return
    after = [f for f in found.by_part.get(number + 1, ()) if f.kind in ("count", "percent")]
    opened = texts[part.first : part.first + 3]
    if opened[:1] != ["the"] or len(figures) != 1 or len(after) < 2 or opened[-1:] != ["is"]:
        return
    every = [*figures, *after]
    joined = found.parts[number + 1].first and texts[found.parts[number + 1].first - 1] == ";"
    if opened[1] not in HIGHEST | LOWEST or not _alike(every) or not joined:
        return
    rest = [f.value for f in after]
    passed = values[0] >= max(rest) if opened[1] in HIGHEST else values[0] <= min(rest)
    says = f"{opened[1]}: {values[0]:g}, beside {', '.join(f'{v:g}' for v in rest)}"
    yield Check("a superlative against its figures", passed, says, (figures[0].span,))
