"""Parts of a whole: "62 of 151 (41 %)", "301, 151 to the drug and 150 to placebo"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, Figure, gap
from biorlhf_plugins.language.words.evidence import meanings, words_of
from biorlhf_plugins.language.words.text import vocabulary

ROUGH = words_of("rough")
REST = words_of("rest")
WAYS = meanings("ways")
GREATER, SMALLER = words_of("greater"), words_of("smaller")
WHOLE = "them whole total dataset data cohort sample study population"
THEM = words_of("neutral") | set(WHOLE.split())
SLACK = 0.06
"""Relative error that a stated ratio of two stated figures may have."""
FAR = 14
"""Tokens between a part and its share: "150 responded and 90 did not, a response rate of 62.5 %"."""

EXPLAINS = (
    "that is", "ie", "that means", "which is", "in other words", "or", "a reduction of", "a decrease of",
    "an increase of", "a rise of", "a drop of", "a fall of", "a loss of", "a gain of", "a decline of",
    ", a", "(",
)  # fmt: skip
"""What leads from two figures to their share."""

WHOLES = vocabulary("series cohort total whole sample")
"""What "30 % of the series" is of, by whatever name the whole was counted."""
SUMMED = words_of("summed")
Taken = tuple[Check, set[int]]


def plain_of(figures: Sequence[Figure]) -> list[Figure]:
    return [f for f in figures if f.kind == "count" and not f.sign]


OF_IT = frozenset(("the", "these", "those", "all", "it", "its", "a", "total", "out", "our"))
NOT_OF = frozenset(("that", "is", ",", "instead", "because", "median", "mean", "average", "came", "come"))
"""What may stand between a part, its "of" and the whole, and what may not."""


def is_of(found: Evidence, one: Figure, other: Figure) -> bool:
    """ "62 of the 151", "62 out of 151", "62/151"."""
    between = gap(found, one, other)
    if between == ["/"]:
        return other.value >= one.value > 0  # "6,425/165" is a ratio
    if "of" not in between:
        return False
    words = [w for w in between if w not in OF_IT]
    if one.value > other.value and len(words) > 1 and "the" not in between:
        return False  # "36 mice in 12 cages of three", "2,914 fish of 16 species"
    return bool(words) and words[-1] == "of" and len(words) <= 3 and NOT_OF.isdisjoint(between)


def among(found: Evidence, figure: Figure, between: Sequence[str]) -> bool:
    """ "Of the 240 tumours, 48 …": the whole of what follows."""
    texts, at = found.stream.texts, figure.first
    before = texts[max(0, at - 3) : at]
    if ("of" not in before and "among" not in before) or "each" in before:
        return False
    if any(token.number is not None for token in found.stream[max(0, at - 3) : at]):
        return False  # the 12 of "of 60 samples 12 were dropped"
    led = next((i for i in range(at - 1, max(0, at - 4), -1) if texts[i] in ("of", "among")), 0)
    if led and texts[led - 1] not in LEADS:
        return False  # "made up of 2,900 natural products, 1,250 drugs"
    # "Of 309 genes at baseline just 3 remain", "Of the 1,560 genes in the liver 390 …".
    opens = found.parts[figure.part].first == figure.first - 1 - (texts[at - 1] == "the")
    return ("," in between or opens) and "and" not in between and between[-1:] != ["at"] and len(between) <= 8


RATES_OF = words_of("thresholds") | {"fdr", "cut", "limit", "tolerance", "missingness"}
"""Behind a percentage that something was held against: "exceeded the 10 % mitochondrial cut-off"."""
LIMITS = words_of("chances") | words_of("thresholds") | {"within"}
OPPOSED = vocabulary(
    "specificity sensitivity survival free viability purity accuracy retention recovery pass passed survived "
    "remained intact germination germinated negative"
)
"""Of these a share is that of the others: "6 of 200 were false positives, so the specificity is 97 %"."""
LEADS = frozenset((",", ";", ".", "!", "?", "(", ")", "•", "\n", "and", "but", "that", ":"))
"""What stands before the "of" of a whole."""
PRODUCTS = frozenset(("×", "*", "time", "x"))
BOUNDS = frozenset(("above", "below", "under", "over", "than", "to", "exceeding", "least", "most"))
"""Before a percentage that something had to pass."""
TURNS = frozenset(("and", "or", "but", ";", "while", "whereas", "together", "least"))
"""Between a percentage and a part of a whole that it is not of."""
COMPARED = frozenset(("compared", "versus", "vs", "against", "whereas"))


def shares(found: Evidence, figures: Sequence[Figure], used: set[int]) -> Iterator[Taken]:
    """ "62 of 151 patients (41 %)", "of the 240 tumours, 48 (20 %)": the part, the whole and the share."""
    opened: Sequence[Figure] = ()
    part: Figure | None = None
    for at, (figure, following) in enumerate(itertools.pairwise(figures)):
        if figure.kind != "count" or figure.first in used or found.stream.texts[figure.first - 1] in PRODUCTS:
            continue
        between = gap(found, figure, following)
        if opened and figure is not part and _in_brackets(found, figure, following):
            # "… and 12 (25 %)": of the whole, or of a part before it.
            yield from share_of(found, [figure], [f for f in opened if f.first < figure.first], following)
        if following.kind != "count" or figure.last - figure.first != following.last - following.first:
            continue  # "36 of 40 million"
        if is_of(found, figure, following):
            part, whole = figure, following
        elif among(found, figure, between):
            part, whole = following, figure
            opened = plain_of(figures[at:])
        else:
            continue
        if part.value > whole.value and (found.said.text[slice(*whole.span)].isalpha() or whole.value < 1):
            continue  # "Of the two lists, 611 genes are shared", "0.1 mL of the 10⁻⁵ dilution"
        says = f"{part.value:g} of {whole.value:g}"
        if not (part.unit == whole.unit and part.unit in ("h", "day", "week")):
            spans = (part.span, whole.span)
            yield Check("parts and whole", part.value <= whole.value, says, spans), {part.first, whole.first}
        share = next((f for f in figures[at + 2 : at + 4] if f.kind in ("percent", "ratio")), None)
        listed = [f for f in figures[at + 2 : at + 4] if f.kind == "percent"]
        if len(listed) == 2 and at > 1 and is_of(found, *figures[at - 2 : at]):
            share = listed[1]  # "338 of 360 in orbit and 346 of 360 on the ground, 94 % and 96 %"
        ahead = figures[at - 1] if at and figures[at - 1].kind == "percent" else None
        lead = gap(found, ahead, part) if ahead else []
        beside = lead[-1:] == ["("] and (len(lead) == 1 or (lead[0] == "of" and len(lead) <= 6))
        if not beside and (lead[-1:] == ["in"] or not TURNS.isdisjoint(lead)):
            ahead = None  # "a score of 18 %, and in 11 of 12 patients …"
        if beside:
            share = ahead  # "from 40 % (64 of 160) to 50 %"
        if share and not RATES_OF.isdisjoint(found.stream.texts[share.last : share.last + 3]):
            share = None  # "899 responded at 5 % FDR"
        if share and found.stream.texts[share.first - 2 : share.first] == ["significant", "at"]:
            share = None
        led = found.stream.texts[max(0, share.first - 3) : share.first] if share else []
        since = gap(found, following, share) if share else []
        # "6 of 403 by more than 90 %", "364 of 400, compared with 78 %", "within 10 % in 171 of 200"
        bound = not BOUNDS.isdisjoint(led[-1:]) or not LIMITS.isdisjoint(led)
        if share and (share.sign or bound or not COMPARED.isdisjoint(since)):
            share = None
        # "12 (25 %) showed fibrosis, and 4 of these 12 …": what stands in brackets is of what it follows.
        share = share or (None if ahead and found.stream.texts[ahead.first - 1] == "(" else ahead)
        if share is not None and share.kind == "percent" and len(gap(found, following, share)) <= FAR:
            others = [f for f in plain_of(figures) if following.first < f.first < share.first]
            if others and found.stream.texts[share.first - 1] in ("is", "was"):
                continue  # "20 got the drug and 30 saline, and mortality was 10 %"
            yield from share_of(found, [part, *others], [whole], share, beside)


def _tens(found: Evidence, figure: Figure) -> tuple[int, bool]:
    """How a figure's size is written: in how many tokens, and whether as a power of ten."""
    return figure.last - figure.first, "×" in found.said.text[slice(*figure.span)]


def _in_brackets(found: Evidence, part: Figure, share: Figure) -> bool:
    """ "and 12 showed fibrosis (25 %)"."""
    texts, between = found.stream.texts, gap(found, part, share)
    closed = share.kind == "percent" and between[-1:] == ["("] and texts[share.last : share.last + 1] == [")"]
    return closed and "," not in between and texts[part.first - 1] in ("and", ",")


def share_of(
    found: Evidence, parts: list[Figure], wholes: Sequence[Figure], share: Figure, beside: bool = False
) -> Iterator[Taken]:
    """A share against the one of the parts that goes its way; where none does, any of them may be meant."""
    texts, last = found.stream.texts, found.parts[share.part].last
    after = texts[share.last : share.last + 4]
    named = next((w for w in after if w not in FUNCTION), "") if after[:1] == ["of"] else "them"
    wholes = [f for f in wholes if f.value > 0 and f.value >= parts[0].value]
    ahead = bool(wholes) and share.first < parts[0].first and not wholes[0].unit  # "…, 200 of 800"
    if not wholes or not (beside or ahead or named in THEM | WHOLES or named in wholes[0].words):
        return  # "50 % of the females"
    side = way_of(found, share, last)
    parts = [f for f in parts if side and way_of(found, f, last) == side] or parts
    rough = bool(set(texts[max(0, share.first - 2) : share.first]) & ROUGH)
    slack = 1.5 if rough else 0.6 if share.decimals == 0 else 0.11
    rights = [(100 * part.value / whole.value, part, whole) for part in parts for whole in wholes]
    if not OPPOSED.isdisjoint((*texts[max(parts[-1].last, share.first - 4) : share.first], *after)):
        rights += [(100 - right, part, whole) for right, part, whole in rights]
    right, part, whole = min(rights, key=lambda r: abs(r[0] - share.value))
    says = f"{part.value:g} of {whole.value:g} = {right:.3g} %, stated {share.value:g} %"
    yield (
        Check(
            "ratios and percentages", abs(right - share.value) <= slack, says,
            (part.span, whole.span, share.span), expected=f"{right:.3g}%",
        ),
        {part.first, whole.first, share.first},
    )  # fmt: skip


def way_of(found: Evidence, figure: Figure, limit: int) -> str:
    """The up or down of "150 up", "2,189 go up", "362 are downregulated"."""
    for token in found.stream[figure.last : min(limit, figure.last + 4)]:
        if token.text in WAYS:
            return WAYS[token.text]
        if token.text in (",", ";", "(", ")", "and", ":") or token.number is not None:
            break
    return ""


def percents(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "60 % rise, the remaining 60 % fall", "62 % up and 58 % down": shares of one whole."""
    shares = [f for f in figures if f.kind == "percent" and not f.sign]
    if len(shares) < 2:
        return
    spans = tuple(f.span for f in shares)
    whole = shares.pop().value if len(shares) > 2 and _is_sum(found, shares[-1]) else 100.0
    part, texts = found.parts[number], found.stream.texts
    closed = any(texts[i - 1 : i + 1] == ["is", "all"] for i in range(part.first + 1, part.last))
    summed = len(spans) > len(shares) or (len(shares) > 2 and closed)  # "…, 8 %: that is all cells"
    ways = {way_of(found, f, part.last) for f in shares}
    total = sum(f.value for f in shares)
    says = f"{' + '.join(f'{f.value:g}' for f in shares)} = {total:g} %, of {whole:g} %"
    wholes = [f for f in figures if f.kind == "count" and texts[f.first - 2 : f.first] == ["of", "the"]]
    none = [f for f in figures if f.kind == "count" and not f.value]
    if len(spans) + len(wholes) + len(none) == len(figures) and (summed or shares[-1].words & REST):
        slack = max(1.0, 0.51 * len(shares) * 10.0 ** -max(f.decimals for f in shares))
        # Shares that overlap come to less than their sum; what is no more than one of them is a mean.
        if whole > max(f.value for f in shares) and (total <= whole + slack or whole >= 99.5):
            yield Check("shares of a whole", abs(total - whole) <= slack, says, spans)
    elif len(shares) == 2 and ways == {"up", "down"} and not _compared(found, shares):
        yield Check("shares of a whole", total <= 101, says, spans)


def _compared(found: Evidence, shares: Sequence[Figure]) -> bool:
    """ "40 % lower … 67 % higher": by how much, of no whole."""
    after = {found.stream.texts[f.last] for f in shares if f.last < len(found.stream)}
    return not {"higher", "lower", "reduction", "increase", "decrease", "rise", "fall"}.isdisjoint(after)


def _is_sum(found: Evidence, figure: Figure) -> bool:
    """ "together 100 %", "add up to 100 %", "100 % in total": the sum of the shares before it."""
    texts, at = found.stream.texts, figure.first
    while at > 1 and texts[at - 1] in ROUGH | {"to", "up", "of", "they", ":", "=", "is", "are"}:
        at -= 1
    return texts[at - 1] in SUMMED or ends_total(texts[figure.last : figure.last + 2])


def ends_total(tail: Sequence[str]) -> bool:
    """ "4,110 in all", "26 altogether"."""
    pairs = (["in", "total"], ["in", "all"], ["when", "taken"], ["taken", "together"])
    return tail[:2] in pairs or tail[:1] in (["altogether"], ["total"], ["together"])


CHANGES = {
    **dict.fromkeys(("reduction", "decrease", "drop", "fall", "decline", "loss"), "down"),
    **dict.fromkeys(("increase", "rise", "gain"), "up"),
}
"""What a percentage is of, by its noun: "a drop of 75 %"."""


def explained(found: Evidence, figures: Sequence[Figure], used: set[int]) -> Iterator[Check]:
    """ "1,920 wells and 96 hits, that is 5 %", "160 and 120, so they are 25 % smaller"."""
    shares = [f for f in figures if f.kind == "percent" and not f.sign and f.first not in used]
    plain = [f for f in plain_of(figures) if f.value > 0]
    if len(shares) != 1 or len(plain) != 2 or plain[1].first > shares[0].first:
        return
    if len({_tens(found, f) for f in plain}) > 1:
        return  # "36 of 40 million", "1,050 ×10⁹ and 420"
    one, other, share = *plain, shares[0]
    lead = " ".join(gap(found, other, share))
    after = found.stream.texts[share.last : share.last + 1]
    compares = not (GREATER | SMALLER).isdisjoint(after)  # "they are 50 % taller"
    if is_of(found, one, other) or not (compares or any(f" {words} " in f" {lead} " for words in EXPLAINS)):
        return
    low, high = sorted((one.value, other.value))
    differs = [1 - low / high] if after and after[0] in SMALLER else [high / low - 1]
    shares_of = [low / high, high / low, 1 - low / high, high / low - 1]
    shares_of += [] if OPPOSED.isdisjoint((*gap(found, other, share), *after)) else [1 - low / high]
    change = gap(found, other, share)[-2:]
    named = change[-1:] in (["of"], ["by"]) and change[0] in CHANGES
    if named:  # "from 80 to 20, a reduction by 75 %"
        differs = [high / low - 1] if CHANGES[change[0]] == "up" else [1 - low / high]
    right = differs if compares or named else shares_of
    slack = 1.5 if set(lead.split()) & ROUGH else 0.6 if share.decimals == 0 else 0.11
    passed = any(abs(100 * r - share.value) <= slack for r in right)
    says = f"{one.value:g} and {other.value:g}, stated {share.value:g} %"
    spans = (one.span, other.span, share.span)
    yield Check("ratios and percentages", passed, says, spans, expected=f"{100 * right[0]:.3g}%")
