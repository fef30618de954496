"""What a text puts in order, against its figures: chains, lists, "then", "the most"."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.evidence.comparisons import (
    INVERSE,
    IS,
    LIMIT,
    OVER,
    UNDER,
    Lookup,
    Words,
    asked,
    clause_end,
    clause_start,
    compared,
    inverse,
    stated,
    value_of,
)
from biorlhf_plugins.language.evidence.limits import limits
from biorlhf_plugins.language.evidence.parts import TOTAL_ROWS
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content, gap, is_year
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.words.evidence import words_of

MOST = words_of("most")
LEAST = words_of("least")
NOT_MOST = words_of("not_most")
NEUTRAL, PLACES = words_of("neutral"), words_of("places")
UPSIDE_DOWN = INVERSE | {"ct", "cq", "rank", "potency", "affinity"}
"""Of these the first has the least."""
RANKS = re.compile(
    r"\b(?:rank|order(?! to)|sort|(?:de|a)scending|(?:most|(?:high|larg|strong)est) to (?:the )?"
    r"(?:least|lowest|smallest|weakest))",
    re.I,
)
RISES = re.compile(
    r"\b(?:lowest|least|smallest|fewest|shortest|weakest)\b[^.]{0,20}\b(?:to|first)\b|\bascending\b|\b(?:fewest|lowest|least)\b",
    re.I,
)
RANKED = re.compile(
    r"\b(?:which|what) \w+ (?:has|have|had|shows?|responds?) (?:the )?"
    r"(?:most|fewest|highest|largest|lowest|strongest)\b"
    r"|\b(?:top|list|rank)\b.{0,40}\b(?:by|most|highest|largest)\b",
    re.I,
)
"""Questions under which a numbered list is a ranking."""
THEN = words_of("then")
LEADS = words_of("leads")
SEQUENCES = THEN | OVER | UNDER | {"order"}
ORDERED = frozenset(("falling", "descending", "decreasing", "rising", "ascending", "increasing"))
KINDS = ("count", "percent", "effect")
LINKS = words_of("links") | words_of("verbs")
MONTHS = words_of("months")
LIMITED = frozenset(("as", "is", "was", "are", "were", "of", "to", "at", "with", "be", "only"))
PARTITIVE = PLACES | {"of", "from"}
ORDINALS = frozenset(("first", "second", "third", "fourth", "last", "next"))
TOTALS = frozenset(("total", "sum", "overall"))
TABLE = frozenset(("item", "row"))


def orders(found: Evidence) -> Iterator[Check]:
    """Every check of this room, against the text's own figures."""
    look = functools.partial(value_of, found)
    words = found.stream.vocabulary
    yield from chains(found, look)
    yield from _lists(found)
    if not words.isdisjoint(SEQUENCES) or _ranks(found.prompt):
        yield from _sequences(found)
    if any(f.sign for f in found.figures):
        yield from limits(found)
    yield from compared(found, stated(found), look)
    if not words.isdisjoint(MOST | LEAST):
        yield from _superlatives(found)
    yield from asked(found, look)


@functools.lru_cache(maxsize=256)
def _ranks(prompt: str) -> bool:
    """Whether a prompt asks for an order."""
    return RANKS.search(prompt) is not None


def chains(found: Evidence, look: Lookup) -> Iterator[Check]:
    """ "a (3) > b (2)", "a > b > c" with figures elsewhere, "ranks liver (4,110) above soleus (6,425)"."""
    for number, part in enumerate(found.parts) if not found.stream.vocabulary.isdisjoint(("<", ">")) else ():
        marks = [i for i in range(part.first + 1, part.last) if found.stream.texts[i] in (">", "<")]
        marks = [i for i in marks if _named_before(found, i)]
        limits = {f.first for f in found.by_part.get(number, ()) if f.kind in ("p", "alpha")}
        marks = [i for i in marks if i + 1 not in limits]  # "changed at FDR < 0.05: 221 …"
        if not marks or not found.asserted(part.first) or part.kind == "row":
            continue
        ends = [part.first, *(m + 1 for m in marks)]
        names: list[Words] = []
        own: list[float | None] = []
        # "a > b > c: a has 12, b 7 and c 4": what follows the order has the figures of all.
        colon = next((i for i in range(marks[-1], part.last) if found.stream.texts[i] == ":"), part.last)
        stop = part.last if any(f.first < colon for f in found.by_part.get(number, ())) else colon
        for start, end in zip(ends, [*marks, stop], strict=True):
            here = [f for f in found.by_part.get(number, ()) if start <= f.first < end]
            inside = [f for f in here if f.kind in ("count", "effect")]
            since = max(start, end - 6) if start == part.first else start
            names.append(content(found.stream, since, min(end, start + 8)))
            own.append(inside[-1 if start == part.first else 0].value if inside else None)
        if len(here) == len(own) > 2 and found.stream.vocabulary.isdisjoint(UPSIDE_DOWN):
            own = [f.value for f in here]  # "a > b > c (81, 64 and 22)"
        signs = {found.stream.texts[m] for m in marks}
        if len(signs) != 1 or (len(own) == 2 and None in own and not all(names)):
            continue
        others = [frozenset().union(*(n for n in names if n is not name)) for name in names]
        values = [look(n, o) if v is None else v for n, o, v in zip(names, others, own, strict=True)]
        known = [v for v in values if v is not None]
        if len(known) < 2:
            continue
        falls = all((a >= b) if signs == {">"} else (a <= b) for a, b in pairwise(known))
        yield _order(known, falls, found.span(part.first, part.last))


def _named_before(found: Evidence, mark: int) -> bool:
    """Not "report them as <0.5"."""
    before = found.stream[mark - 1]
    return before.text == ")" or (before.kind != "p" and before.text not in LIMITED)


def _order(values: Sequence[float], passed: bool, span: Span) -> Check:
    says = " > ".join(f"{v:,g}" for v in values)
    right = ", ".join(f"{v:,g}" for v in sorted(values, reverse=True))
    return Check("a ranking against its figures", passed, says, (span,), expected=right)


def _lists(found: Evidence) -> Iterator[Check]:
    """Numbered lists that rank, each item with its figure; one of bullets, where it stands alone."""
    if sum(part.kind == "item" for part in found.parts) < 3:
        return
    if RANKED.search(found.prompt) is None and not _ranks(found.prompt) and not RANKS.search(found.said.text):
        return
    run: list[Figure] = []
    marks: tuple[str, ...] = (".", ")")
    # Beside other lists, or with the sum in its last row, one of bullets shows how an order came about.
    if (_ranks(found.prompt) or RANKS.search(found.said.text)) and _one_list(found):
        marks = (".", ")", "•")
    for number, part in enumerate((*found.parts, None)):
        figures = [f for f in found.by_part.get(number, ()) if f.kind in KINDS and not f.sign]
        numbered = part is not None and part.kind == "item" and found.stream.texts[part.first - 1] in marks
        if (
            part is not None and numbered and found.stream.texts[part.first - 1] == "•"
        ):  # "5.2 irrigated, 4.1 rain-fed"
            numbered = len([f for f in figures if f.kind == figures[0].kind]) < 2
        if numbered and figures and (not run or figures[0].unit == run[0].unit):
            run.append(figures[0])
            continue
        if len(run) >= 3:
            values = [f.value for f in run]
            span = (run[0].span[0], run[-1].span[1])
            yield _order(values, _monotone(values) or _monotone([abs(v) for v in values]), span)
        run = []


def _one_list(found: Evidence) -> bool:
    kinds = [part.kind == "item" for part in found.parts]
    starts = sum(item and not before for before, item in pairwise((False, *kinds)))
    last = max(i for i, item in enumerate(kinds) if item)
    part = found.parts[last]
    return starts == 1 and TOTAL_ROWS.isdisjoint(found.stream.texts[part.first : part.last])


def _monotone(values: Sequence[float]) -> bool:
    return all(a >= b for a, b in pairwise(values)) or all(a <= b for a, b in pairwise(values))


def _sequences(found: Evidence) -> Iterator[Check]:
    """ "Hippocampus comes first with 5,477, then heart with 33", and "liver (4,110) above soleus (6,425)"."""
    wanted = _ranks(found.prompt)
    rises = RISES.search(found.prompt) is not None
    holders = sum(1 for figures in found.by_part.values() if len(figures) > 1)
    for number, figures in found.by_part.items():
        part = found.parts[number]
        kind, texts = figures[0].kind, found.stream.texts
        plain = [f for f in figures if f.kind == kind and kind in ("count", "percent") and not f.sign]
        if kind == "percent":  # "A (81 %) comes first, then B (64)"
            plain = [f for f in figures if f in plain or (f.kind == "count" and texts[f.first - 1] == "(")]
        plain = [f for f in plain if not is_year(found, f) and f.unit not in MONTHS]
        if len(plain) < 2 or part.kind == "row" or not found.asserted(part.first):
            continue
        words = found.stream.texts[part.first : part.last]
        gaps = [_unnamed(gap(found, a, b)) for a, b in pairwise(plain)]
        # "From 22 % before to 88 %" tells no order.
        then = any(not THEN.isdisjoint(between) for between in gaps if between[-1:] != ["to"])
        # "In falling order: 81, 64, 22"
        ranked = wanted or any(a in ORDERED and b == "order" for a, b in pairwise(words))
        leads = not LEADS.isdisjoint(_unnamed(words)) or ranked
        bare = ranked and holders == 1 and len(plain) >= 3 and ">" not in words and "<" not in words
        if len(plain) < 2 + (not then) or len({f.unit for f in plain}) > 2 or not ((then and leads) or bare):
            continue
        values = [f.value for f in plain]
        values = values[::-1] if inverse(found, words) else values
        falls = all(a >= b for a, b in pairwise(values))
        listed = any(pair == ("in", "order") for pair in pairwise(words))  # "Add them in order: …"
        passed = (falls or ((rises or listed) and _monotone(values))) if then and leads else _monotone(values)
        yield _order(values, passed, (plain[0].span[0], plain[-1].span[1]))


def _unnamed(texts: Sequence[str]) -> list[str]:
    """Words without those that name which one: "the first run has 40 and the second 56"."""
    return [w for n, w in enumerate(texts) if w not in ORDINALS or texts[n - 1 : n] != ["the"]]


def _superlatives(found: Evidence) -> Iterator[Check]:
    """ "Liver responds most (1,273), ahead of hippocampus with 5,477"; "A yields most" under a list."""
    figures = [f for f in found.pool if f.kind != "effect" and not _group(found, f)]
    effects = [f for f in found.pool if f.kind == "effect"]
    if not figures and len({f.value > 0 for f in effects}) == 1:
        # All one way: the one that responds most is the farthest from zero.
        figures = [f._replace(value=abs(f.value)) for f in effects]
    if len(figures) < 2:
        return
    left = LIMIT
    for number, part in enumerate(found.parts):
        if part.kind == "row" or not found.asserted(part.first):
            continue
        for at in range(part.first, part.last):
            word = found.stream.texts[at]
            if (word not in MOST and word not in LEAST) or left <= 0:
                continue
            left -= 1
            start = clause_start(found.stream, at, part.first)
            end = clause_end(found.stream, at + 1, part.last)
            texts = found.stream.texts
            near = {*texts[max(start, at - 3) : min(end, at + 2)]}
            near |= {*texts[at + 2 : min(end, at + 4)]} - {"of"}  # "the lowest IC50 of the three"
            if {"which", "whom"} & {*texts[max(part.first, start - 3) : at]}:
                continue  # "63 %, of which LTR elements contribute the most (41 %)"
            if near & NOT_MOST or (word == "most" and (at == start or texts[at - 1] in PARTITIVE)):
                continue  # "most proteins fall", "9 % in most samples"
            mine, after = content(found.stream, start, at), content(found.stream, at + 1, end)
            mine = mine | after if {*texts[at + 1 : at + 2]} & PLACES else mine or after
            stop = next((i for i in range(at + 1, end) if texts[i] in PLACES or texts[i] == "of"), end)
            measure = content(found.stream, at + 1, stop) - NEUTRAL
            if not content(found.stream, start, at) and stop == end and LINKS.isdisjoint(texts[at:end]):
                continue  # "The longest half-life means the slowest clearance"
            turned = inverse(found, measure)
            if _sole(found, [f for f in figures if f.part == number], at, end):
                continue
            best = _best(found, figures, number, mine, (word in MOST) != turned, () if turned else measure)
            if best is not None:
                yield best._replace(spans=(found.span(at, at + 1),))


def _sole(found: Evidence, figures: Sequence[Figure], at: int, end: int) -> bool:
    """Whether a superlative's own noun is of one figure alone: "of 14 genes the largest overlap is 2"."""
    told = next((i for i in range(at + 1, end) if found.stream.texts[i] in IS), -1)
    sort = content(found.stream, at + 1, told) - NEUTRAL
    own = [f for f in found.figures if f.first == told + 1 and told > 0]
    led = found.stream.texts[at - 1] == "the"
    return led and bool(own and sort) and all(f in own or sort.isdisjoint(f.words) for f in figures)


def _best(
    found: Evidence, figures: Sequence[Figure], number: int, mine: Words, most: bool, measure: Collection[str]
) -> Check | None:
    """Whether the figure of some words is the greatest (or least) of those beside it."""
    mine = mine - found.common
    fits = [(len(f.words & mine) + (f.part == number), f) for f in figures if f.words & mine]
    if not fits:
        return None
    top = max(n for n, _ in fits)
    own = [f for n, f in fits if n == top]
    if len({f.value for f in own}) != 1:
        return None
    home = own[0].part
    apart = home != number and found.parts[home].kind == "prose"
    if apart and measure and found.words(home).isdisjoint(measure):
        return None  # figures of something else
    rivals = [
        f for f in figures if f.kind == own[0].kind and not f.words & mine and _beside(found, own[0], f)
    ]
    rivals = [f for f in rivals if "×" not in gap(found, *sorted((own[0], f), key=lambda g: g.first))[:2]]
    rivals = [f for f in rivals if f.unit == own[0].unit or len(figures) == 2]
    rivals = [f for f in rivals if TOTALS.isdisjoint(f.left)]
    if not rivals:
        return None
    value = own[0].value
    best = (max if most else min)(f.value for f in (own[0], *rivals))
    says = f"{value:,g} is called the {'most' if most else 'least'}, with {best:,g} beside it"
    return Check("a superlative against its figures", value == best, says, (own[0].span,))


def _group(found: Evidence, figure: Figure) -> bool:
    """The "three" of "the lowest of the three"."""
    return found.stream.texts[figure.first - 2 : figure.first] == ["of", "the"] and not figure.right


def _beside(found: Evidence, one: Figure, other: Figure) -> bool:
    """In one sentence, in one list or table, or the whole of the next sentence ("soleus has 8,484")."""
    first, last = sorted((one.part, other.part))
    if last - first == 1 and found.parts[other.part].kind == "prose":
        return len(found.words(other.part)) <= 3
    listed = all(found.parts[n].kind in TABLE for n in range(first, last + 1)) and one.right == other.right
    return first == last or listed
