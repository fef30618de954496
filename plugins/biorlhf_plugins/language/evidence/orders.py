"""What a text puts in order, against its figures: chains, lists, "then", "more than", "the most", and two
orders against each other. A figure is found by the words beside it; where two figures fit, none is taken.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from biorlhf_plugins.language.evidence.figures import FUNCTION, Evidence, Figure, content
from biorlhf_plugins.language.evidence.sums import Check, gap
from biorlhf_plugins.language.evidence.vocabulary import meanings, words_of
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.text import Token, clean, tokens

Words = frozenset[str]
Lookup = Callable[[Words, Words], float | None]
"""(the words of one thing, the words of what it is compared with) -> its figure, where just one fits."""

GREATER = words_of("greater")
SMALLER = words_of("smaller")
OVER = words_of("over")
UNDER = words_of("under")
SORTS = meanings("sorts")
MOST = words_of("most")
LEAST = words_of("least")
NOT_MOST = words_of("not_most")
RANKS = re.compile(
    r"\b(?:rank|order|sort|most to least|highest to lowest|largest to smallest|descending)", re.I
)
RISES = re.compile(
    r"\b(?:lowest|least|smallest|fewest|shortest|weakest)\b[^.]{0,20}\b(?:to|first)\b|\bascending\b|\b(?:fewest|lowest|least)\b",
    re.I,
)
THEN = words_of("then")
LEADS = words_of("leads")
COMPARES = GREATER | SMALLER | OVER | UNDER
SEQUENCES = THEN | OVER | UNDER
CLAUSE = words_of("clause")
TABLE = frozenset(("item", "row"))
LIMIT = 40
REACH = 12


class Comparison(NamedTuple):
    """``more`` of ``sort`` in one of ``subjects`` (the nearest words first) than in ``other``."""

    more: bool
    sort: str
    subjects: tuple[Words, ...]
    other: Words
    at: int


def orders(found: Evidence) -> Iterator[Check]:
    """Every check of this room, against the text's own figures."""
    look = functools.partial(value_of, found)
    words = found.vocabulary
    said = list(stated(found)) if not words.isdisjoint(COMPARES) else []
    yield from chains(found, look)
    yield from _lists(found)
    if not words.isdisjoint(SEQUENCES) or RANKS.search(found.prompt):
        yield from _sequences(found)
    if any(f.sign for f in found.figures):
        yield from _bounds(found)
    yield from compared(found, said, look)
    yield from _mutual(found, said)
    if not words.isdisjoint(MOST | LEAST):
        yield from _superlatives(found)
    yield from _asked(found, look)


def value_of(found: Evidence, mine: Words, theirs: Words) -> float | None:
    """The text's figure for some words: the one that shares most with them, and nothing with the others'."""
    own, foil = mine - theirs - found.common, theirs - mine - found.common
    fits = (
        [(len(f.words & own), f) for f in found.pool if own & f.words and not foil & f.words] if own else []
    )
    if not fits:
        return None
    best = max(n for n, _ in fits)
    values = {f.value for n, f in fits if n == best}
    return values.pop() if len(values) == 1 else None


def stated(found: Evidence) -> Iterator[Comparison]:
    """The comparisons that the text asserts."""
    left = LIMIT
    for part in found.parts:
        if part.kind == "row" or not found.asserted(part.first):
            continue
        for one in comparisons(found.stream, part.first, part.last):
            left -= 1
            if left < 0:
                return
            yield one


def comparisons(stream: Sequence[Token], first: int, last: int) -> Iterator[Comparison]:
    """ "X is heavier than Y", "X weighs more than Y", "there is more in X than in Y", "X exceeds Y"."""
    for at in range(first, last):
        word = stream[at].text
        verb = word in OVER or word in UNDER
        if word not in GREATER and word not in SMALLER and not verb:
            continue
        if stream[at - 1].text in ("not", "no", "n't") and at > first:
            continue
        than = (
            at
            if verb
            else next((i for i in range(at + 1, min(last, at + REACH)) if stream[i].text == "than"), -1)
        )
        if than < 0 or (verb and stream[min(than + 1, last - 1)].number is not None):
            continue
        middle = content(stream, at + 1, than)
        start = _back(stream, at, first)
        before = content(stream, start, at)
        after = than + 1
        while after < last and stream[after].text in ("that", "those", "of", "the"):
            after += 1
        other = content(stream, after, _ahead(stream, after, last))
        near = stream[at - 1].text if at > first else ""
        sort = SORTS.get(word) or SORTS.get(near) or next((SORTS[w] for w in middle if w in SORTS), "")
        sort = sort or " ".join(sorted(middle))
        if other:
            yield Comparison(
                word in GREATER or word in OVER, sort, (middle, before - {near}, before), other, at
            )


def _back(stream: Sequence[Token], at: int, first: int) -> int:
    """Where the clause before a comparison begins, past what stands in brackets."""
    depth, start = 0, at
    while start > first:
        text = stream[start - 1].text
        depth += (text == ")") - (text == "(")
        if depth <= 0 and text in CLAUSE:
            break
        start -= 1
    return start


def _ahead(stream: Sequence[Token], first: int, last: int) -> int:
    end = first
    while end < min(last, first + 8) and stream[end].text not in CLAUSE | {"(", ".", "?", ">", "—"}:
        end += 1
    return end


def compared(found: Evidence, said: Sequence[Comparison], look: Lookup) -> Iterator[Check]:
    """ "Liver (4,110) has more DEGs than soleus (6,425)": the figures of the two."""
    for one in said:
        pair = _pair(one, look)
        if pair is not None and pair[0] != pair[1]:
            word = found.stream[one.at].text
            yield Check(
                "a comparison against its figures", (pair[0] > pair[1]) == one.more,
                f"{pair[0]:,g} {word} than {pair[1]:,g}", (found.span(one.at, one.at + 1),),
            )  # fmt: skip


def _pair(one: Comparison, look: Lookup) -> tuple[float, float] | None:
    for subject in one.subjects:
        if subject and subject - one.other:
            first, second = look(subject, one.other), look(one.other, subject)
            if first is not None and second is not None:
                return first, second
    return None


def _mutual(found: Evidence, said: Sequence[Comparison]) -> Iterator[Check]:
    """ "Knock-outs are heavier than wild type … wild-type mice weigh more than knock-outs"."""
    for at, one in enumerate(said):
        for other in said[at + 1 :]:
            if one.sort != other.sort:
                continue
            mine, theirs = one.subjects[-1] - one.other, one.other
            second, last = other.subjects[-1] - other.other, other.other
            swapped = mine & last and theirs & second and not mine & second and not theirs & last
            same = mine & second and theirs & last and not mine & last and not theirs & second
            if not swapped and not same:
                continue
            passed = (one.more != other.more) if swapped else (one.more == other.more)
            spans = tuple(found.span(c.at, c.at + 1) for c in (one, other))
            says = "one order" if passed else "both orders"
            yield Check("two orders of one pair", passed, says, spans, alone=passed)


def chains(found: Evidence, look: Lookup) -> Iterator[Check]:
    """ "a (3) > b (2)", "a > b > c" with figures elsewhere, "ranks liver (4,110) above soleus (6,425)"."""
    for number, part in enumerate(found.parts) if not found.vocabulary.isdisjoint(("<", ">")) else ():
        marks = [i for i in range(part.first + 1, part.last) if found.stream[i].text in (">", "<")]
        marks = [i for i in marks if found.stream[i - 1].text == ")" or found.stream[i - 1].kind != "p"]
        if not marks or not found.asserted(part.first) or part.kind == "row":
            continue
        ends = [part.first, *(m + 1 for m in marks)]
        names: list[Words] = []
        own: list[float | None] = []
        for start, end in zip(ends, [*marks, part.last], strict=True):
            inside = [
                f
                for f in found.by_part.get(number, ())
                if start <= f.first < end and f.kind in ("count", "effect")
            ]
            names.append(
                content(
                    found.stream, max(start, end - 6) if start == part.first else start, min(end, start + 8)
                )
            )
            own.append(inside[-1 if start == part.first else 0].value if inside else None)
        signs = {found.stream[m].text for m in marks}
        if len(signs) != 1 or (len(own) == 2 and None in own and not all(names)):
            continue
        values = [
            value
            if value is not None
            else look(name, frozenset().union(*(n for n in names if n is not name)))
            for name, value in zip(names, own, strict=True)
        ]
        known = [v for v in values if v is not None]
        if len(known) < 2:
            continue
        falls = (
            all(a >= b for a, b in pairwise(known))
            if signs == {">"}
            else all(a <= b for a, b in pairwise(known))
        )
        yield _order(found, known, falls, found.span(part.first, part.last))


def _order(found: Evidence, values: Sequence[float], passed: bool, span: Span) -> Check:
    says = " > ".join(f"{v:,g}" for v in values)
    right = ", ".join(f"{v:,g}" for v in sorted(values, reverse=True))
    return Check("a ranking against its figures", passed, says, (span,), expected=right)


def _lists(found: Evidence) -> Iterator[Check]:
    """Numbered lists that rank, each item with its figure."""
    if sum(part.kind == "item" for part in found.parts) < 3:
        return
    if not RANKS.search(found.prompt) and not RANKS.search(found.said.text):
        return
    run: list[Figure] = []
    for number, part in enumerate((*found.parts, None)):
        figures = [
            f
            for f in found.by_part.get(number, ())
            if f.kind in ("count", "percent", "effect") and not f.sign
        ]
        numbered = (
            part is not None and part.kind == "item" and found.stream[part.first - 1].text in (".", ")")
        )
        if numbered and figures and (not run or figures[0].unit == run[0].unit):
            run.append(figures[0])
            continue
        if len(run) >= 3:
            values = [f.value for f in run]
            span = (run[0].span[0], run[-1].span[1])
            yield _order(found, values, _monotone(values) or _monotone([abs(v) for v in values]), span)
        run = []


def _monotone(values: Sequence[float]) -> bool:
    return all(a >= b for a, b in pairwise(values)) or all(a <= b for a, b in pairwise(values))


def _sequences(found: Evidence) -> Iterator[Check]:
    """ "Hippocampus comes first with 5,477, then heart with 33", and "liver (4,110) above soleus (6,425)"."""
    ranked = RANKS.search(found.prompt) is not None
    rises = RISES.search(found.prompt) is not None
    holders = sum(1 for figures in found.by_part.values() if len(figures) > 1)
    for number, figures in found.by_part.items():
        part = found.parts[number]
        kind = figures[0].kind
        plain = [f for f in figures if f.kind == kind and kind in ("count", "percent") and not f.sign]
        if len(plain) < 2 or part.kind == "row" or not found.asserted(part.first):
            continue
        for one, other in pairwise(plain):
            between = {t for t in gap(found, one, other)}
            if between & (OVER | UNDER) and len(gap(found, one, other)) <= 8 and "than" not in between:
                yield _order(
                    found,
                    [one.value, other.value],
                    (one.value >= other.value) == bool(between & OVER),
                    one.span,
                )
        words = [t.text for t in found.stream[part.first : part.last]]
        then = any(THEN & set(gap(found, a, b)) for a, b in pairwise(plain))
        leads = bool(LEADS & set(words)) or ranked
        bare = ranked and holders == 1 and len(plain) >= 3 and ">" not in words and "<" not in words
        if len(plain) < 2 + (not then) or len({f.unit for f in plain}) > 2 or not ((then and leads) or bare):
            continue
        values = [f.value for f in plain]
        falls = all(a >= b for a, b in pairwise(values))
        passed = (falls or (rises and _monotone(values))) if then and leads else _monotone(values)
        yield _order(found, values, passed, (plain[0].span[0], plain[-1].span[1]))


def _bounds(found: Evidence) -> Iterator[Check]:
    """ "1,221 DEGs, below 1,000": a figure on the wrong side of the one that it is held against."""
    for figures in found.by_part.values():
        for one, other in pairwise(figures):
            between = gap(found, one, other)
            if (
                one.sign
                or not other.sign
                or len(between) > 7
                or one.kind != other.kind
                or other.kind != "count"
            ):
                continue
            if {"and", "of", ";", "(", "p"} & set(between) or not found.asserted(one.first):
                continue
            passed = one.value > other.value if other.sign == ">" else one.value < other.value
            says = f"{one.value:,g} against {other.value:,g}"
            yield Check("a comparison against its figures", passed, says, (one.span, other.span))


def _superlatives(found: Evidence) -> Iterator[Check]:
    """ "Liver responds most (1,273), ahead of hippocampus with 5,477"; "Nagina 22 yields most" under its list."""
    figures = [f for f in found.pool if f.kind != "effect"]
    if len(figures) < 2:
        return
    left = LIMIT
    for number, part in enumerate(found.parts):
        if part.kind == "row" or not found.asserted(part.first):
            continue
        for at in range(part.first, part.last):
            word = found.stream[at].text
            if (word not in MOST and word not in LEAST) or left <= 0:
                continue
            left -= 1
            start, end = _back(found.stream, at, part.first), _ahead(found.stream, at + 1, part.last)
            near = {t.text for t in found.stream[max(start, at - 3) : min(end, at + 4)]}
            if near & NOT_MOST:
                continue
            mine = content(found.stream, start, at) or content(found.stream, at + 1, end)
            best = _best(found, figures, number, mine, word in MOST)
            if best is not None:
                yield best._replace(spans=(found.span(at, at + 1),))


def _best(found: Evidence, figures: Sequence[Figure], number: int, mine: Words, most: bool) -> Check | None:
    """Whether the figure of some words is the greatest (or least) of those beside it."""
    mine = mine - found.common
    fits = [(len(f.words & mine) + (f.part == number), f) for f in figures if f.words & mine]
    if not fits:
        return None
    top = max(n for n, _ in fits)
    own = [f for n, f in fits if n == top]
    if len({f.value for f in own}) != 1:
        return None
    rivals = [
        f for f in figures if f.kind == own[0].kind and not f.words & mine and _beside(found, own[0], f)
    ]
    rivals = [f for f in rivals if f.unit == own[0].unit or len(figures) == 2]
    if not rivals:
        return None
    value = own[0].value
    best = (max if most else min)(f.value for f in (own[0], *rivals))
    says = f"{value:,g} is called the {'most' if most else 'least'}, with {best:,g} beside it"
    return Check("a superlative against its figures", value == best, says, (own[0].span,))


def _beside(found: Evidence, one: Figure, other: Figure) -> bool:
    """In one sentence, in one list or table, or the whole of the next sentence ("soleus has 8,484")."""
    first, last = sorted((one.part, other.part))
    if first == last:
        return True
    if last - first == 1 and found.parts[other.part].kind == "prose":
        part = found.parts[other.part]
        return len(content(found.stream, part.first, part.last)) <= 3
    return all(found.parts[n].kind in TABLE for n in range(first, last + 1)) and one.right == other.right


@functools.lru_cache(maxsize=256)
def _prompt(text: str) -> tuple[Token, ...]:
    return tuple(tokens(clean(text).text))


def _asked(found: Evidence, look: Lookup) -> Iterator[Check]:
    """Yes or no to "is Bdnf lower in the knock-out than in wild type?" against the two figures."""
    answers = {c.label: c for c in found.said.answers}
    if len(answers) != 1:
        return
    label, claim = next(iter(answers.items()))
    stream = _prompt(found.prompt)
    asked = list(comparisons(stream, 0, len(stream)))
    pair = _pair(asked[0], look) if len(asked) == 1 else None
    more = asked[0].more if asked else False
    if pair is None and asked and len(found.pool) == 2:
        other = look(asked[0].other, frozenset())
        rest = [f.value for f in found.pool if f.value != other]
        pair = (rest[0], other) if other is not None and len(rest) == 1 else None
    if pair is None and not asked and "than" not in {t.text for t in stream}:
        pair, more = _two_sides(found, stream)
    if pair is None or pair[0] == pair[1]:
        return
    true = (pair[0] > pair[1]) == more
    says = f"{label} to {'more' if more else 'less'}, with {pair[0]:,g} and {pair[1]:,g}"
    yield Check("yes or no against the comparison", (label == "YES") == true, says, (claim.span,))


def _two_sides(found: Evidence, stream: Sequence[Token]) -> tuple[tuple[float, float] | None, bool]:
    """The two figures of a text of just two, the first being what the question says is "lower on the drug"."""
    words = [i for i, t in enumerate(stream) if t.text in GREATER or t.text in SMALLER]
    figures = found.pool
    if len(words) != 1 or len(figures) != 2 or figures[0].kind != figures[1].kind:
        return None, False
    at = words[0]
    more = stream[at].text in GREATER
    for side in (content(stream, at + 1, len(stream)), content(stream, 0, at)):
        mine = [f for f in figures if f.words & side]
        fits = [f for f in mine if f.words & side - figures[1 - figures.index(f)].words]
        if len(fits) == 1:
            other = figures[1 - figures.index(fits[0])]
            return (fits[0].value, other.value), more
    return None, more


__all__ = ["FUNCTION", "chains", "compared", "orders", "stated", "value_of"]
