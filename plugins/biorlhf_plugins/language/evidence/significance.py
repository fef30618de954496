"""Significant or not against a p value, an FDR or an interval: "no significant reduction (HR 0.91, 95 % CI
0.73 to 1.13)".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import (
    Check,
    Evidence,
    Figure,
    Passage,
    clauses,
    gap,
    is_level,
    once,
    passages,
)
from biorlhf_plugins.language.evidence.signs import (
    DECIDES,
    Word,
    denied,
    directions,
    paired,
    threshold,
)
from biorlhf_plugins.language.words.evidence import words_of

CI = frozenset(("ci", "interval"))
RATIOS = words_of("hazards") | {"ratio", "fold", "aor", "ahr", "arr"}
DIFFERENCES = words_of("differences")
APART = words_of("other_tests")
"""What makes "significant" be said of something else than the interval beside it."""
HOLDS = words_of("contains") | words_of("excludes")
NOT = frozenset(("not", "no", "none", "neither", "nor", "never"))
CALLED = words_of("called")
UNSAID = NOT | words_of("unsaid")
REFERS = frozenset(("difference", "effect", "association", "reduction", "increase", "result", "interval"))
LIMITS = words_of("thresholds") | {"cutoff", "cut-off", "off"}
LEVELS = frozenset(("at", "used"))
"""Before "q < 0.05" these make it what was asked for, and no result."""
THIS = frozenset(("this", "it", "that", "so", "thus", "therefore", "hence"))
RAW, ADJUSTED = (
    frozenset(("raw", "nominal")),
    frozenset(("adjusted", "padj", "fdr", "corrected")),
)
ENDPOINT = frozenset(("met", "reached", "achieved", "missed"))
"""Verdicts where they are of an endpoint."""
VERDICTS = {
    **dict.fromkeys(("significantly", "pass", "passed", "met", "reached", "achieved"), "SIG"),
    **dict.fromkeys(("fail", "failed", "missed"), "NS"),
}
REASONS = frozenset(("although", "though", "since", "because", "but", "despite", "raw"))
"""With these something else than the p value decides."""
IS = frozenset(("is", "are", "was", "were"))
TURNS = frozenset(("but", "while", "whereas", "unlike", "and"))
CUTS = TURNS | {",", ";", "("}
REACH = 9
NO_ESTIMATE = frozenset(("low", "high", "p", "n", "alpha", "range"))


class Interval(NamedTuple):
    """An interval behind its word, the token ``at``, with the value that means no effect. That is None where
    it is not plain, and of all but confidence intervals of 95 %, or of a level that is not given."""

    at: int
    low: Figure
    high: Figure
    null: float | None


def significance(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    chanced = any(f.kind == "p" for f in found.figures)
    alpha = threshold(found) if chanced else 0.0
    for number, figures in found.by_part.items():
        if chanced and found.asserted(found.parts[number].first):
            yield from _chances(found, number, figures, alpha)
            yield from _concluded(found, number, figures, alpha)
            yield from _corrected(found, figures)
    if not found.stream.vocabulary.isdisjoint(CI):
        told = passages(found)
        for at, passage in enumerate(told):
            here = list(_intervals(found, passage))
            for interval in here:
                yield from _estimated(found, interval)
            after = told[at + 1] if at + 1 < len(told) else None
            yield from _with_intervals(found, passage, here, after)


@once
def _words(found: Evidence, number: int) -> list[Word]:
    """The words of significance of a sentence, "NS" where it is denied: "does not change significantly"."""
    part = found.parts[number]
    marks = [m for m in part.inside.get("sig", ()) if found.asserted(m.first)]
    negations, texts = part.inside.get("neg", ()), found.stream.texts
    words = [
        ("NS" if denied(negations, m) or _spared(texts, part.first, m.first) else "SIG", m.first)
        for m in marks
    ]
    unchanged = [("NS", at) for label, at in directions(found, number) if label == "NS"]
    here = texts[part.first : part.last]
    told = not VERDICTS.keys().isdisjoint(here)
    taken = (*marks, *part.inside.get("dir", ())) if told else ()
    known = {i for m in taken for i in range(m.first, m.last)}
    for i in range(part.first, part.last) if told else ():
        verdict = "NS" if texts[i : i + 2] == ["not", "("] else VERDICTS.get(texts[i], "")
        of_endpoint = texts[i] in ENDPOINT and "endpoint" not in here
        if verdict and i not in known and not of_endpoint and found.asserted(i):
            # "no other gene passes", "the primary endpoint was not met"
            no = not NOT.isdisjoint(_since(texts, part.first, i))
            words.append(("NS" if no == (verdict == "SIG") else "SIG", i))
    for i in (
        range(part.first + 2, part.last)
        if "deg" in here and REASONS.isdisjoint(here) and not _sized(found, number)
        else ()
    ):
        one = texts[i] == "deg" and texts[i - 1] in ("a", "no") and texts[i - 2] in IS
        if one and texts[i - 3] != "there":
            words.append(("SIG" if texts[i - 1] == "a" and texts[i - 3] != "not" else "NS", i))
    words = [w for w in words if not any(_of_one(texts, at, w[1]) for _, at in unchanged)] + unchanged
    return sorted(words, key=lambda w: w[1])


def _spared(texts: Sequence[str], first: int, at: int) -> bool:
    """Whether the word is what something is not called: "we do not describe the effect as significant"."""
    before = _since(texts, first, at)
    called = next((i for i, word in enumerate(before) if word in CALLED), -1)
    return called >= 0 and not UNSAID.isdisjoint(before[: called + 1])


def _of_one(texts: Sequence[str], unchanged: int, at: int) -> bool:
    """Whether the "significantly" of "does not change the length significantly" is of "not change"."""
    between = texts[unchanged:at]
    return abs(at - unchanged) <= 3 or (0 < len(between) <= REACH and CUTS.isdisjoint(between))


def _sized(found: Evidence, number: int) -> bool:
    """Whether an effect stands beside it, which a DEG may have to have too."""
    return any(f.kind in ("effect", "fold") for f in found.by_part.get(number, ()))


def _since(texts: Sequence[str], first: int, at: int) -> Sequence[str]:
    """The words of a clause before one of them."""
    start = next((i + 1 for i in range(at - 1, first - 1, -1) if texts[i] in CUTS), first)
    return texts[max(start, at - REACH) : at]


def _chances(found: Evidence, number: int, figures: Sequence[Figure], alpha: float) -> Iterator[Check]:
    part = found.parts[number]
    decides = not DECIDES.isdisjoint(found.stream.texts[part.first : part.last])
    chances = [f for f in figures if f.kind == "p" and f.value <= 1 and not (decides and f.value == alpha)]
    chances = [
        f
        for f in chances
        if not f.sign or LIMITS.isdisjoint(found.stream.texts[max(part.first, f.first - 5) : f.first])
    ]
    words, texts = _words(found, number) if chances else [], found.stream.texts
    chances = [
        f for f in chances if not (f.sign and LEVELS & {*texts[max(part.first, f.first - 4) : f.first]})
    ]
    for figure, label in paired(found, chances, words) if words else ():
        if not _moved(found, number, figure, label):
            yield from _chance(found, figure, label, alpha)


def _moved(found: Evidence, number: int, figure: Figure, label: str) -> bool:
    """Whether a p value is of a change, and the word of another clause: "up in A (p = 1e-6), flat in B"."""
    part = found.parts[number]
    here = (c for c in clauses(found, Passage(part.first, part.last, [], [])) if c[0] <= figure.first < c[1])
    first, last = next(here, (0, 0))
    own = {word for word, at in (*_words(found, number), *directions(found, number)) if first <= at < last}
    return label not in own and not own.isdisjoint(("UP", "DOWN"))


def _corrected(found: Evidence, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Raw p = 0.0004, adjusted p = 0.012": a correction for many tests never lowers a p value."""
    chances = [f for f in figures if f.kind == "p" and f.sign in ("", "=")]
    if len(chances) != 2:
        return
    sorts = [(not RAW.isdisjoint(f.left), not ADJUSTED.isdisjoint(f.left)) for f in chances]
    if sorts in ([(True, False), (False, True)], [(False, True), (True, False)]):
        raw, adjusted = chances if sorts[0][0] else chances[::-1]
        says = f"p {raw.value:g}, adjusted {adjusted.value:g}"
        passed = adjusted.value >= raw.value
        yield Check("significance against the p value", passed, says, (raw.span, adjusted.span))


def _concluded(found: Evidence, number: int, figures: Sequence[Figure], alpha: float) -> Iterator[Check]:
    """ "p = 0.21. At a threshold of 0.05 this is not significant": the sentence after it, without a p."""
    chances = [f for f in figures if f.kind == "p" and f.value <= 1]
    if len(chances) != 1 or number + 1 >= len(found.parts) or _words(found, number):
        return
    after, texts = found.parts[number + 1], found.stream.texts
    own = [f for f in found.by_part.get(number + 1, ()) if f.kind != "alpha"]
    here = texts[after.first : after.last]
    if own or THIS.isdisjoint(here) or not APART.isdisjoint(here):
        return
    labels = {label for label, _ in _words(found, number + 1)}
    if len(labels) == 1:
        yield from _chance(found, chances[0], labels.pop(), alpha)


def _chance(found: Evidence, figure: Figure, label: str, alpha: float) -> Iterator[Check]:
    shown = _shown(figure, alpha)
    raw = not (RAW | {"unadjusted", "uncorrected"}).isdisjoint(
        found.stream.texts[max(0, figure.first - 5) : figure.first]
    )
    if shown and not (raw and label == "NS"):  # what counts is the p value after correction
        word = "not significant" if label == "NS" else "significant"
        says = f"{word} with p {figure.sign or '='} {figure.value:g}"
        yield Check("significance against the p value", shown == label, says, (figure.span,))


def _shown(figure: Figure, alpha: float) -> str:
    if figure.sign == "<":
        return "SIG" if figure.value <= alpha else ""
    if figure.sign == ">":
        return "NS" if figure.value >= alpha else ""
    return "SIG" if figure.value < alpha else "NS" if figure.value > alpha else ""


def _intervals(found: Evidence, passage: Passage) -> Iterator[Interval]:
    """The intervals behind "CI" or "interval"."""
    texts, since = found.stream.texts, passage.first
    for at in [i for i in range(passage.first, passage.last) if texts[i] in CI]:
        levels = [f for f in passage.figures if at - 3 <= f.first < at and f.kind == "percent"]
        ends = [f for f in passage.figures if at < f.first <= at + REACH and f.kind != "level"][:2]
        if len(ends) < 2 or not HOLDS.isdisjoint(texts[at : at + 3]):
            continue  # "the interval excludes 1 (1.12-1.88)"
        between = gap(found, *ends)
        if len(between) > 3 or not {")", ";"}.isdisjoint(between):
            continue
        # Not "the QT interval", "90 % CI".
        confident = texts[at] == "ci" or texts[at - 1] in ("confidence", "credible")
        confident = confident and all(f.value == 95 for f in levels) and ends[0].value < ends[1].value
        yield Interval(at, ends[0], ends[1], _null(texts, since, at, ends) if confident else None)
        since = ends[1].last


def _estimated(found: Evidence, interval: Interval) -> Iterator[Check]:
    """ "HR 0.68 (95 % CI 0.54-0.86)": an interval holds its estimate."""
    before = [f for f in found.by_part[interval.low.part] if f.last <= interval.at <= f.last + 12]
    before = [f for f in before if f.kind not in NO_ESTIMATE and not is_level(found, f)]
    if before and not (before[-1].kind == "percent" and before[-1].value > 2 > interval.high.value > 1):
        # Not "by 8 % (1.06 to 1.10)", a ratio's interval.
        value = before[-1].value
        low, high = sorted((interval.low.value, interval.high.value))
        # "12 mg lighter (95 % CI -21 to -3)": the sign is in the word.
        holds = low <= value <= high or (high < 0 < value and low <= -value <= high)
        says = f"{value:g} with an interval from {low:g} to {high:g}"
        spans = (before[-1].span, interval.low.span)
        yield Check("an interval holds its estimate", holds, says, spans)


def _null(texts: Sequence[str], since: int, at: int, ends: Sequence[Figure]) -> float | None:
    """1 of a ratio and 0 of a difference: where a bound is not above 0, it can be no ratio."""
    near = texts[max(since, at - 14) : at]
    odds = any(a == "or" and (b in ("=", ":", "of") or b[:1].isdigit()) for a, b in itertools.pairwise(near))
    if ends[0].value <= 0:
        return 0.0
    for word in reversed(near):  # the nearest tells: "did not differ (HR 0.88"
        if word in DIFFERENCES:
            return 0.0
        if word in RATIOS:
            return 1.0
    return 1.0 if odds else None


def _with_intervals(
    found: Evidence, passage: Passage, here: Sequence[Interval], after: Passage | None
) -> Iterator[Check]:
    """A word of significance and the interval of its clause, or of the sentence before ("the difference")."""
    texts = found.stream.texts
    if not APART.isdisjoint(texts[passage.first : passage.last]):
        return
    words = [w for number in passage.numbers for w in _words(found, number)]
    labels = {label for label, at in words if not here or _tied(texts, at, here[0])}
    if len(here) == 1 and not words and after is not None and _refers(found, after):
        labels = {label for number in after.numbers for label, _ in _words(found, number)}
    if len(here) == 1 and len(labels) == 1:
        yield from _verdict(here[0], labels.pop())
        return
    for first, last in clauses(found, passage) if len(here) > 1 else ():
        own = [i for i in here if first <= i.low.first < last]
        labels = {label for label, at in words if first <= at < last}
        if len(own) == 1 and len(labels) == 1:
            yield from _verdict(own[0], labels.pop())


def _tied(texts: Sequence[str], at: int, interval: Interval) -> bool:
    """Not the "significantly" of "age was significantly associated, but sex was not (95 % CI 0.8 to 1.5)"."""
    low, high = sorted((at, interval.low.first))
    return TURNS.isdisjoint(texts[low:high])


def _refers(found: Evidence, after: Passage) -> bool:
    """Whether a sentence goes on about the interval before it, with no figures of its own but a level."""
    texts = found.stream.texts[after.first : after.last]
    foreign = [f for f in after.figures if f.value not in (0, 1, 5, 95, 0.05)]
    named = any(
        a in ("the", "this", "that") and b in REFERS and c not in ("in", "of", "for", "between")
        for a, b, c in zip(texts, texts[1:10], texts[2:], strict=False)
    )
    return named and not foreign and APART.isdisjoint(texts) and CI.isdisjoint(texts[3:])


def _verdict(interval: Interval, label: str) -> Iterator[Check]:
    low, high, null = interval.low.value, interval.high.value, interval.null
    if null is None or null in (low, high):
        return
    shown = "NS" if low < null < high else "SIG"
    word = "not significant" if label == "NS" else "significant"
    says = f"{word} with {low:g} to {high:g} around {null:g}"
    yield Check("significance against the interval", shown == label, says, (interval.low.span,))
