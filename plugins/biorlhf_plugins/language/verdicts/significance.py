"""Significant or not against a p value, an FDR or an interval: "no significant reduction (HR 0.91, 95 % CI
0.73 to 1.13)", "SPP1 (FDR = 0.09) did not pass", "the interval includes zero".
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.signs import (
    DECIDES,
    Word,
    denied,
    directions,
    paired,
    threshold,
)
from biorlhf_plugins.language.verdicts.passages import Passage, clauses, passages
from biorlhf_plugins.language.words.evidence import words_of

CI = frozenset(("ci", "interval"))
RATIOS = words_of("hazards") | {"ratio", "fold", "aor", "ahr", "arr"}
DIFFERENCES = words_of("differences")
APART = words_of("other_tests")
"""What makes "significant" be said of something else than the interval beside it."""
PASSES, FAILS = words_of("passes"), words_of("fails")
ALSO = frozenset(("also", "too", "so"))
HOLDS, SHUTS_OUT = words_of("contains"), words_of("excludes")
NULLS = {"zero": 0.0, "0": 0.0, "one": 1.0, "unity": 1.0, "1": 1.0}
REFERS = frozenset(("difference", "effect", "association", "reduction", "increase", "result", "interval"))
NOT = frozenset(("not", "no", "n't", "neither", "nor", "never"))
REACH = 9


class Interval(NamedTuple):
    """A confidence interval with the value that means no effect, None where that is not plain."""

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
    told = passages(found)
    if chanced:
        for passage in told:
            yield from _bracketed(found, passage, alpha)
            yield from _passing(found, passage, alpha)
    if not found.stream.vocabulary.isdisjoint(CI):
        for at, passage in enumerate(told):
            here = list(_intervals(found, passage))
            after = told[at + 1] if at + 1 < len(told) else None
            yield from _with_intervals(found, passage, here, after)
            yield from _holding(found, passage, here, after)


def _words(found: Evidence, number: int) -> list[Word]:
    """The words of significance of a sentence, "NS" where it is denied: "does not change significantly"."""
    part = found.parts[number]
    marks = [m for m in part.inside.get("sig", ()) if found.asserted(m.first)]
    words = [("NS" if denied(part.inside.get("neg", ()), m) else "SIG", m.first) for m in marks]
    unchanged = [("NS", at) for label, at in directions(found, number) if label == "NS"]
    known = {i for m in (*marks, *part.inside.get("dir", ())) for i in range(m.first, m.last)}
    texts = found.stream.texts
    words += [
        ("SIG" if NOT.isdisjoint(texts[max(part.first, i - 4) : i]) else "NS", i)
        for i in range(part.first, part.last)
        if texts[i] == "significantly" and i not in known and found.asserted(i)
    ]
    words = [w for w in words if not any(abs(at - w[1]) <= 3 for _, at in unchanged)] + unchanged
    return sorted(words, key=lambda w: w[1])


def _chances(found: Evidence, number: int, figures: Sequence[Figure], alpha: float) -> Iterator[Check]:
    part = found.parts[number]
    decides = not DECIDES.isdisjoint(found.stream.texts[part.first : part.last])
    chances = [f for f in figures if f.kind == "p" and f.value <= 1 and not (decides and f.value == alpha)]
    for figure, label in paired(found, chances, _words(found, number)) if chances else ():
        yield from _chance(figure, label, alpha)


def _chance(figure: Figure, label: str, alpha: float) -> Iterator[Check]:
    shown = _shown(figure, alpha)
    if shown:
        word = "not significant" if label == "NS" else "significant"
        says = f"{word} with p {figure.sign or '='} {figure.value:g}"
        yield Check("significance against the p value", shown == label, says, (figure.span,))


def _shown(figure: Figure, alpha: float) -> str:
    if figure.sign == "<":
        return "SIG" if figure.value <= alpha else ""
    if figure.sign == ">":
        return "NS" if figure.value >= alpha else ""
    return "SIG" if figure.value < alpha else "NS" if figure.value > alpha else ""


def _bracketed(found: Evidence, passage: Passage, alpha: float) -> Iterator[Check]:
    """ "Not significantly associated, OR = 1.24 (95 % CI 1.09 to 1.41; p = 0.001)": past the semicolon."""
    words = [w for number in passage.numbers for w in _words(found, number)]
    chances = [f for f in passage.figures if f.kind == "p" and f.value <= 1]
    single = len(chances) == 1 and len(words) == 1
    if len(passage.numbers) > 1 and single and chances[0].part != _part_of(found, passage, words[0][1]):
        yield from _chance(chances[0], words[0][0], alpha)


def _part_of(found: Evidence, passage: Passage, at: int) -> int:
    return next(n for n in passage.numbers if at < found.parts[n].last)


def _passing(found: Evidence, passage: Passage, alpha: float) -> Iterator[Check]:
    """ "NEFL (FDR = 0.0003) passed the cut-off; SPP1, at an FDR of 0.09, did not"."""
    texts = found.stream.texts
    if found.stream.vocabulary.isdisjoint(PASSES):
        return
    for first, last in clauses(found, passage):
        chances = [f for f in passage.figures if first <= f.first < last and f.kind == "p" and not f.sign]
        label = _passes(texts[first:last])
        if len(chances) == 1 and label and chances[0].value != alpha:
            yield from _chance(chances[0], label, alpha)


def _passes(words: Sequence[str]) -> str:
    """What a clause says of passing a cut-off: "did not", "neither did", "also did"."""
    if not FAILS.isdisjoint(words):
        return "NS" if NOT.isdisjoint(words) else ""
    spoken = [w for w in words if w in PASSES]
    elliptic = [w for w in words if w in ("did", "do", "does")]
    negated = not NOT.isdisjoint(words)
    if spoken or (elliptic and (negated or not ALSO.isdisjoint(words))):
        return "NS" if negated else "SIG"
    return ""


def _intervals(found: Evidence, passage: Passage) -> Iterator[Interval]:
    """The intervals of 95 %, or of a level that is not given, behind "CI" or "confidence interval"."""
    texts, since = found.stream.texts, passage.first
    for at in range(passage.first, passage.last):
        if texts[at] not in CI:
            continue
        levels = [f for f in passage.figures if at - 3 <= f.first < at and f.kind == "percent"]
        ends = [f for f in passage.figures if at < f.first <= at + REACH][:2]
        if not (HOLDS | SHUTS_OUT).isdisjoint(texts[at : at + 3]):
            continue  # "the interval excludes 1 (1.12-1.88)"
        if len(ends) < 2 or any(f.value != 95 for f in levels) or ends[0].value >= ends[1].value:
            continue
        between = gap(found, *ends)
        if len(between) > 3 or not {")", ";"}.isdisjoint(between):
            continue
        yield Interval(ends[0], ends[1], _null(texts, since, at, ends))
        since = ends[1].last


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
    labels = {label for label, _ in words}
    if len(here) == 1 and not words and after is not None and _refers(found, after):
        labels = {label for number in after.numbers for label, _ in _words(found, number)}
    if len(here) == 1 and len(labels) == 1:
        yield from _verdict(here[0], labels.pop())
        return
    before: set[str] = set()
    for first, last in clauses(found, passage) if len(here) > 1 else ():
        own = [i for i in here if first <= i.low.first < last]
        labels = {label for label, at in words if first <= at < last}
        if not labels and before == {"NS"} and texts[first] in ("neither", "nor"):
            labels = {"NS"}
        before = set(labels)
        if len(own) == 1 and len(labels) == 1:
            yield from _verdict(own[0], labels.pop())


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


def _holding(
    found: Evidence, passage: Passage, here: Sequence[Interval], after: Passage | None
) -> Iterator[Check]:
    """ "The interval includes zero", of the one interval of this sentence or of the one before."""
    if len(here) != 1:
        return
    for near in (passage, after):
        texts = found.stream.texts[near.first : near.last] if near is not None else []
        verbs = [i for i, word in enumerate(texts) if word in HOLDS | SHUTS_OUT]
        if len(verbs) != 1 or CI.isdisjoint(texts):
            continue
        at = verbs[0]
        nulls = [NULLS[w] for w in texts[at + 1 : at + 5] if w in NULLS]
        if len(nulls) != 1 or (near is after and not here[0].high.last <= passage.last):
            continue
        says = (texts[at] in HOLDS) == NOT.isdisjoint(texts[max(0, at - 3) : at])
        low, high = here[0].low.value, here[0].high.value
        true = low <= nulls[0] <= high
        word = "holds" if says else "leaves out"
        yield Check(
            "significance against the interval",
            true == says,
            f"{low:g} to {high:g} {word} {nulls[0]:g}",
            (here[0].low.span,),
        )
