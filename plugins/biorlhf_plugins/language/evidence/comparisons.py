"""More and less of two things: against their figures, against each other, and asked in the prompt."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import LABELS, TIMES, Check, Evidence, content, gap, once
from biorlhf_plugins.language.evidence.signs import moves
from biorlhf_plugins.language.records import Claim
from biorlhf_plugins.language.words.evidence import meanings, words_of
from biorlhf_plugins.language.words.text import Stream, clean, tokens

Words = frozenset[str]


Lookup = Callable[[Words, Words], float | None]
"""(the words of one thing, the words of what it is compared with) -> its figure, where just one fits."""
GREATER = words_of("greater")
SMALLER = words_of("smaller")
OVER = words_of("over")
UNDER = words_of("under")
SORTS = meanings("sorts")
COMPARES = GREATER | SMALLER | OVER | UNDER
CLAUSE = words_of("clause")
CLAUSE_ENDS = CLAUSE | {"(", ".", "?", ">", "—"}
INVERSE, POTENT = words_of("inverse"), words_of("potent")
"""Of an IC50, a Kd or an MIC the smaller is the more potent, tight or susceptible."""

PLACES = words_of("places")
FAST = frozenset(("speed", "faster", "slower"))
BODILY = frozenset(("weight", "height", "strength", "size"))
IS = frozenset(("is", "are", "was", "were"))
SUMS = frozenset(("sum", "total", "together", "combined"))
BESIDE = frozenset(("with", "at"))
CONDITIONS = frozenset(("at", "in", "on", "after", "by", "with", "under", "for"))
TIMED = frozenset((*LABELS, "ph", "day", "week", "month"))
HURT = words_of("hurt")
"""Of what is more toxic or sensitive the figure may be of those that live or of those that do not."""
SAME = frozenset(("significant", "significantly", "similar", "comparable", "differ", "difference", "same"))
LIMIT = 40
REACH = 12

SIZED = frozenset(("more", "less", "stronger", "weaker"))
"""Of two figures below zero these tell the sizes."""


class Comparison(NamedTuple):
    """``more`` of ``sort`` in one of ``subjects`` (the nearest words first) than in ``other``."""

    more: bool
    sort: str
    subjects: tuple[Words, ...]
    other: Words
    at: int


def value_of(found: Evidence, mine: Words, theirs: Words) -> float | None:
    """The text's figure for some words: the one that shares most with them, and nothing with the others'."""
    own, foil = mine - theirs - found.common, theirs - mine - found.common
    own = own or mine - theirs
    fits = [
        (len(w & own), f)
        for w, f in zip(_told(found), found.pool, strict=True)
        if not own.isdisjoint(w)
        and foil.isdisjoint(w)
        and found.stream.texts[f.last : f.last + 1] != ["time"]
    ]
    if not fits:
        return None
    best = max(n for n, _ in fits)
    values = {f.value for n, f in fits if n == best}
    return values.pop() if len(values) == 1 else None


@once
def _told(found: Evidence) -> list[Words]:
    """The words of the figures; of "in rural areas (34 % in urban ones" those before the bracket are none."""
    told, texts = [], found.stream.texts
    for figure in found.pool:
        after = texts[figure.last : figure.last + 2]
        opens = texts[figure.first - 1] == "(" and after[:1] != [")"] and not PLACES.isdisjoint(after)
        told.append(figure.right if opens else figure.words)
    return told


@once
def stated(found: Evidence) -> list[Comparison]:
    """The comparisons that the text asserts."""
    if found.stream.vocabulary.isdisjoint(COMPARES):
        return []
    prose = (part for part in found.parts if part.kind != "row" and found.asserted(part.first))
    said = (one for part in prose for one in comparisons(found.stream, part.first, part.last))
    return list(itertools.islice(said, LIMIT))


def comparisons(stream: Stream, first: int, last: int) -> Iterator[Comparison]:
    """ "X is heavier than Y", "X weighs more than Y", "there is more in X than in Y", "X exceeds Y"."""
    for at in [i for i, word in enumerate(stream.texts[first:last], first) if word in COMPARES]:
        word = stream.texts[at]
        verb = word in OVER or word in UNDER
        if verb and "than" in stream.texts[max(first, at - 1) : at + 2]:
            continue  # "higher below than above"
        if stream.texts[at - 1] in ("not", "no") and at > first:
            continue
        than = (
            at
            if verb
            else next((i for i in range(at + 1, min(last, at + REACH)) if stream.texts[i] == "than"), -1)
        )
        if than < 0 or stream[min(than + 1, last - 1)].number is not None or _conditional(stream, than, last):
            continue
        middle = content(stream, at + 1, than)
        start = clause_start(stream, at, first)
        if stream.texts[start - 4 : start] == [",", "in", "turn", ","]:
            start = clause_start(stream, start - 4, first)  # "Col-0, in turn, flowers later than Ler"
        while start > first and (stream.texts[start] in BESIDE or not content(stream, start, at)):
            start = clause_start(stream, start - 1, first)  # "Strain A, with an MIC of 2, is …"
        before = content(stream, start, at)
        after = than + 1
        while after < last and stream.texts[after] in ("that", "those", "of", "the"):
            after += 1
        end = clause_end(stream, after, last)
        # "in the flight mice in liver": the second "in" is where both were seen.
        end = next((i for i in range(after + 1, end) if _seen_in(stream, i)), end)
        other = content(stream, after, end)
        near = stream.texts[at - 1] if at > first else ""
        sort = SORTS.get(word) or SORTS.get(near) or next((SORTS[w] for w in middle if w in SORTS), "")
        sort = sort or " ".join(sorted(middle))
        if other:
            yield Comparison(
                word in GREATER or word in OVER, sort, (middle, before - {near}, before), other, at
            )


def _conditional(stream: Stream, than: int, last: int) -> bool:
    """Whether it is of one thing under two conditions, which are no results: "at 20 °C than at 30 °C"."""
    if stream.texts[min(than + 1, last - 1)] not in CONDITIONS:
        return False
    at = than + 2 + (stream.texts[min(than + 2, last - 1)] in TIMED)
    has_own = "(" in stream.texts[at : at + 3]  # "on day 7 (3,600) than on day 1 (1,200)"
    return at < last and stream[at].number is not None and not has_own


def _seen_in(stream: Stream, at: int) -> bool:
    """Where or when both were seen: "in liver", "at 12 weeks", "on day 5"."""
    following = stream[at + 1] if at + 1 < len(stream) else None
    timed = following is not None and (following.number is not None or following.text in LABELS)
    return stream.texts[at] == "in" or (timed and stream.texts[at] in ("at", "after", "on", "by"))


def clause_start(stream: Stream, at: int, first: int) -> int:
    """Where the clause before a comparison begins, past what stands in brackets."""
    depth, start = 0, at
    while start > first:
        text = stream.texts[start - 1]
        depth += (text == ")") - (text == "(")
        if depth <= 0 and text in CLAUSE:
            break
        start -= 1
    return start


def clause_end(stream: Stream, first: int, last: int) -> int:
    end = first
    while end < min(last, first + 8) and stream.texts[end] not in CLAUSE_ENDS:
        end += 1
    return end


def compared(found: Evidence, said: Sequence[Comparison], look: Lookup) -> Iterator[Check]:
    """ "Liver (4,110) has more DEGs than soleus (6,425)": the figures of the two."""
    for one in said:
        pair = _in_turn(found, one.at) or _pair(one, look) or _summed(found, one)
        if pair is not None and pair[0] != pair[1] and not open_ended(found, one.sort.split()):
            word = found.stream.texts[one.at]
            if max(pair) < 0 and word in SIZED:  # "-2.6 is more strongly suppressed than -1.8"
                pair = (-pair[0], -pair[1])
            passed = (pair[0] > pair[1]) == (one.more != inverse(found, one.sort.split()))
            says = f"{pair[0]:,g} {word} than {pair[1]:,g}"
            yield Check("a comparison against its figures", passed, says, (found.span(one.at, one.at + 1),))


def inverse(found: Evidence, words: Iterable[str]) -> bool:
    """Whether less is more: of an IC50 and what is potent, of the time and what is fast."""
    timed = not FAST.isdisjoint(words) and all(f.unit in TIMES for f in found.pool)
    return timed or (not POTENT.isdisjoint(words) and not INVERSE.isdisjoint(found.stream.vocabulary))


def open_ended(found: Evidence, words: Iterable[str]) -> bool:
    """Whether more may be shown by more or by less."""
    return not HURT.isdisjoint(words) and INVERSE.isdisjoint(found.stream.vocabulary)


def _in_turn(found: Evidence, at: int) -> tuple[float, float] | None:
    """ "Knock-outs are lighter than wild types: 21.3 g against 26.8 g": in the order of the names."""
    number = next((n for n, part in enumerate(found.parts) if part.first <= at < part.last), 0)
    figures = found.by_part.get(number, ())
    if len(figures) > 2:  # "was higher below than above (18 vs 11), but not before it (9 vs 13)"
        texts, last = found.stream.texts, found.parts[number].last
        opened = next((i for i in range(at, last) if texts[i] == "("), last)
        closed = next((i for i in range(opened, last) if texts[i] == ")"), opened)
        figures = [f for f in figures if opened < f.first < closed and f.kind != "p"]
    if len(figures) != 2 or figures[0].first < at or figures[0].kind != figures[1].kind != "p":
        return None
    between = gap(found, *figures)
    joined = {"against", "vs", "versus"} & set(between) and len(between) <= 3
    return (figures[0].value, figures[1].value) if joined else None


def _summed(found: Evidence, one: Comparison) -> tuple[float, float] | None:
    """ "165 and 33, together 198. The 910 under both are fewer than this sum": of two figures before it."""
    before = [f for f in found.pool if f.kind == "count" and f.first < one.at]
    since = found.stream.texts[before[-1].last : one.at + 1] if before else []
    # "6,830 DEGs, 338 more than the sum": a difference has no verb.
    if one.other.isdisjoint(SUMS) or (OVER | UNDER | IS).isdisjoint(since) or "." in since:
        return None
    *rest, value = (f.value for f in before)
    made = {a + b for a, b in itertools.combinations(rest, 2)}
    told = made if len(rest) == 2 else made & set(rest)
    return (value, told.pop()) if len(told) == 1 else None


def _pair(one: Comparison, look: Lookup) -> tuple[float, float] | None:
    for subject in one.subjects:
        if subject and subject - one.other:
            first = look(subject, one.other)
            second = look(one.other, subject) if first is not None else None
            if first is not None and second is not None:
                return first, second
    return None


@functools.lru_cache(maxsize=256)
def prompt_tokens(text: str) -> Stream:
    return tokens(clean(text).text)


def asked(found: Evidence, look: Lookup) -> Iterator[Check]:
    """Yes or no to "is Bdnf lower in the knock-out than in wild type?" against the two figures."""
    answers = {c.label: c for c in found.said.answers}
    if len(answers) != 1:
        return
    label, claim = next(iter(answers.items()))
    stream = prompt_tokens(found.prompt)
    wanted = list(comparisons(stream, 0, len(stream)))
    pair = _pair(wanted[0], look) if len(wanted) == 1 else None
    more = wanted[0].more if wanted else False
    if pair is None and wanted and len(found.pool) == 2:
        other = look(wanted[0].other, frozenset())
        rest = [f.value for f in found.pool if f.value != other]
        pair = (rest[0], other) if other is not None and len(rest) == 1 else None
    if pair is None and not wanted and "than" not in stream.vocabulary:
        pair, more = _two_sides(found, stream)
    if "half" in stream.vocabulary and wanted:
        return  # "more than half of them?": of a part, and no two sides
    by = pair is not None and not more and all(found.stream.texts[f.first - 1] == "by" for f in found.pool)
    if pair is not None and (min(pair) < 0 or by):
        return  # "changed by -14.9 % and -2.4 %", "fell by 58 and by 3": which is more is open
    if pair is not None and any({*m} == {*pair} for m in moves(found)):
        return  # "from 22 on day 2 to 66 on day 5" has no two sides
    sort = wanted[0].sort.split() if wanted else ()
    timed = all(f.unit in TIMES for f in found.pool) and not BODILY.isdisjoint(sort)  # "died after 30 weeks"
    # "Significantly heavier?" is answered by the p value, and "no" may mean that the two hardly differ.
    spoken = _beside(found, claim) if label == "NO" else stream.vocabulary
    chance = label == "NO" and any(f.kind == "p" and f.sign != "<" and f.value > 0.05 for f in found.figures)
    same = chance or not SAME.isdisjoint(spoken | stream.vocabulary)
    if pair is None or pair[0] == pair[1] or timed or same or (label == "NO" and _near(*pair)):
        return
    true = (pair[0] > pair[1]) == (more != inverse(found, sort))
    says = f"{label} to {'more' if more else 'less'}, with {pair[0]:,g} and {pair[1]:,g}"
    yield Check("yes or no against the comparison", (label == "YES") == true, says, (claim.span,))


def _beside(found: Evidence, answer: Claim) -> frozenset[str]:
    """The words of the sentences from a yes or no to the last figure."""
    last = max((f.part for f in found.pool), default=answer.sentence)
    ends = found.parts[answer.sentence].first, found.parts[max(last, answer.sentence)].last
    return frozenset(found.stream.texts[slice(*ends)])


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= 0.03 * max(abs(one), abs(other))


def _two_sides(found: Evidence, stream: Stream) -> tuple[tuple[float, float] | None, bool]:
    """The figures of a text of just two, the first of what the question says is "lower on the drug"."""
    words = [i for i, word in enumerate(stream.texts) if word in GREATER or word in SMALLER]
    figures = found.pool
    if len(words) != 1 or len(figures) != 2 or figures[0].kind != figures[1].kind:
        return None, False
    at = words[0]
    more = stream.texts[at] in GREATER
    for side in (content(stream, at + 1, len(stream)), content(stream, 0, at)):
        mine = [f for f in figures if f.words & side]
        fits = [f for f in mine if f.words & side - figures[1 - figures.index(f)].words]
        if len(fits) == 1:
            other = figures[1 - figures.index(fits[0])]
            return (fits[0].value, other.value), more
    return None, more
