"""Parts and their whole: "301 randomised, 151 to the drug and 150 to placebo", a table and its total."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import TIMES, Check, Evidence, Figure, gap
from biorlhf_plugins.language.evidence.shares import (
    COMPARED,
    REST,
    ROUGH,
    SLACK,
    Taken,
    ends_total,
    is_of,
    plain_of,
    share_of,
    way_of,
)
from biorlhf_plugins.language.words.evidence import words_of

TOTALS = words_of("totals")
OVERLAPS = words_of("overlaps")
"""Words by which parts may have something in common, or the whole has lost something."""
BOTH = frozenset(("both", "common", "overlap", "overlapping"))
"""Of these a third figure beside two is the part that they share."""
TOTAL_ROWS = frozenset(("total", "sum", "all"))
LISTS = frozenset((":", "(", "comprise", "comprised", "comprising"))
FEW = 8
"""Tokens from a whole to the first of its listed parts."""

NEARLY = 0.12
"""Relative error up to which two parts and a whole are meant as such, and are a slip."""
SLIP = 0.35
"""The same of three parts and more behind a colon, which nobody lists but as parts."""

PARALLEL = frozenset(("to", "received", "got", "in", "on", "were", "assigned", "from", "with"))
OPEN_ENDED = frozenset(("other", "among", "including", "rest", "eg"))
OF_THESE = {(a, b) for a in ("of", "among") for b in ("these", "them", "those")}
SO = frozenset(("so", "leaving", "thus", "hence"))
FURTHER = frozenset(("another", "further", "additional", "other"))
SPLITS = frozenset(("which", "them", "kept", "remaining", "left", "removed", "excluded", "rest"))


def wholes(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Taken]:
    """ "301 randomised, 151 to the drug and 150 to placebo", "412 proteins: 150 up, 262 down"."""
    part, texts = found.parts[number], found.stream.texts
    plain = plain_of(figures) if len(figures) > 2 else []
    plain = [f for f in plain if f.unit not in TIMES and not found.unit(f) and not _is_label(found, f)]
    spelt = [f for f in plain if found.said.text[slice(*f.span)].isalpha()]
    if len(spelt) < len(plain):  # "the remaining eleven terms come to 9,623": terms are counted, not genes
        plain = [f for f in plain if f not in spelt or texts[f.first - 1] not in REST]
    if len(plain) < 3 or texts[plain[0].first - 2 : plain[0].first] == ['"', ":"]:
        return  # a JSON object has its total behind its parts
    if part.kind == "prose" and (ended := _ended(found, plain)):
        yield from _summed(found, figures, ended, plain)
        return
    # "Overall, soleus responds most" is of no total.
    totalled = not TOTALS.isdisjoint(texts[part.first + (texts[part.first] == "overall") : part.last])
    sides = [way_of(found, f, part.last) for f in plain]
    split = not SPLITS.isdisjoint(texts[part.first : part.last]) or (
        ":" in gap(found, plain[0], plain[1]) and "and" in gap(found, plain[1], plain[2])
    )
    whole, rest = plain[0], plain[1:]
    listed = not LISTS.isdisjoint(lead := gap(found, whole, rest[0])) and len(lead) <= FEW
    gaps = [gap(found, a, b) for a, b in itertools.pairwise(rest)]
    listed = listed and all(g[-1] in (",", "and") or ("of" not in g and "," in g) for g in gaps if g)
    listed = listed and not any(")" in g for g in gaps)
    near = abs(sum(f.value for f in rest) - whole.value) <= SLIP * whole.value
    if listed and len(rest) > 2 and len(plain) == len(figures):
        # "29 in all: 14 in the valley, 9 on the slope and 6 above"; without "in all" some may be left out.
        open_end = not OPEN_ENDED.isdisjoint(texts[part.first : part.last])
        if not open_end and (totalled or (near and ")" not in lead and not any(f.decimals for f in plain))):
            yield whole_of(whole, rest)
            return
    after = [_next(found, f) for f in rest]
    if totalled and near and len(rest) > 2 and set(after) <= PARALLEL and len(set(after)) == 1:
        yield whole_of(whole, rest)  # "606 were randomised: 203 to 5 mg, 201 to 10 mg and 202 to placebo"
        return
    if len(plain) == 4 and ":" in gap(found, plain[1], plain[2]) and "and" in gap(found, *plain[2:]):
        # "Of 6,902 proteins, 318 changed: 221 accumulated and 97 became less abundant"
        if abs(sum(f.value for f in plain[2:]) - plain[1].value) <= SLIP * plain[1].value < plain[0].value:
            yield whole_of(plain[1], plain[2:])
        return
    # "and 40 of them occurred in both"; "another 213": beside what was counted before
    apart = BOTH | FURTHER | COMPARED
    split = split and apart.isdisjoint(texts[part.first : part.last])
    split = split and len({f.decimals > 0 for f in plain}) == 1  # "two soils: 5.1 in … and 7.9 in …"
    if split and len(plain) == 3 and not any(is_of(found, a, b) for a, b in itertools.pairwise(plain)):
        whole, one, other = sorted(plain, key=lambda f: -f.value)
        # Which is the whole is left open; parts that come near it without making it are a slip.
        told = ":" in gap(found, plain[0], plain[1]) and whole is plain[0]
        both = told and after[0] == after[1]  # "416 seedlings: 309 were green and 107 were not"
        if abs(one.value + other.value - whole.value) <= (SLIP if both else NEARLY) * whole.value:
            yield whole_of(whole, [one, other])
            return
    if not totalled and not {"up", "down"} <= set(sides):
        return
    yield from _threes(found, figures, plain, sides, totalled)


def _is_label(found: Evidence, figure: Figure) -> bool:
    """The 50 of "the top 50", the 1 of "1 and 60 months"."""
    texts = found.stream.texts
    follows = texts[figure.last : figure.last + 3]
    return texts[figure.first - 1] == "top" or (
        len(follows) == 3 and follows[0] == "and" and follows[2] in TIMES
    )


def _threes(
    found: Evidence, figures: Sequence[Figure], plain: Sequence[Figure], sides: Sequence[str], totalled: bool
) -> Iterator[Taken]:
    """Three figures in a row as a whole and its two parts: by their directions, or where each part goes."""
    for at, (whole, one, other) in enumerate(zip(plain, plain[1:], plain[2:], strict=False)):
        opposite = {"up", "down"} == {*sides[at + 1 : at + 3]} and not way_of(found, whole, one.first)
        after = [_next(found, f) for f in (one, other)]
        parallel = after[0] == after[1] and after[0] in PARALLEL
        alone = len(plain) == len(figures) == 3 and "and" in gap(found, one, other)
        told = ":" in gap(found, whole, one) and set(after) <= PARALLEL  # "47 in total: 21 in … and 16 on …"
        whole_numbers = not any(f.decimals for f in (whole, one, other))
        totals = (
            whole_numbers
            and whole is plain[0]
            and len(plain) == 3
            and totalled
            and (parallel or (alone and told))
        )
        if not opposite and not totals:
            continue
        if is_of(found, whole, one) or is_of(found, one, other):
            continue
        if opposite and at + 3 < len(plain) and gap(found, other, plain[at + 3])[-1:] in (["and"], [","]):
            continue  # "312 increase, 148 decrease and 8,452 stay": not the only parts
        if (
            gap(found, whole, one)[-2:] == ["of", "which"]
            and one.value + other.value < (1 - SLIP) * whole.value
        ):
            continue  # "2,950 sites, of which 186 went up and 43 down": the rest did not change
        if at and is_of(found, plain[at - 1], whole):
            continue  # "27 of the 50 sets pass, 18 lower and 9 higher"
        yield whole_of(whole, [one, other])


def of_these(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Taken]:
    """ "We collected 148 isolates. Of these, 37 (25 %) were resistant and the remaining 111 susceptible"."""
    part, texts = found.parts[number], found.stream.texts
    if tuple(texts[part.first : part.first + 2]) not in OF_THESE:
        return
    before = plain_of(found.by_part.get(number - 1, ()))
    whole, plain = max(before, key=lambda f: f.value, default=None), plain_of(figures)
    if whole is None or not whole.unit:
        return
    for one, share in itertools.pairwise(figures):
        between = gap(found, one, share)
        if one in plain and share.kind == "percent" and between[-1:] == ["("] and "," not in between:
            yield from share_of(found, [one], before, share)
    if len(plain) != 2:
        return
    between = gap(found, plain[0], plain[1])
    parallel = _next(found, plain[0]) in PARALLEL and "and" in between
    total = plain[0].value + plain[1].value
    opposite = {way_of(found, f, part.last) for f in plain} == {"up", "down"}
    near = abs(total - whole.value) <= (SLIP if opposite else NEARLY) * whole.value
    if near and (parallel or opposite or REST & set(between)):
        yield whole_of(whole, plain[:2])


def whole_of(whole: Figure, parts: Sequence[Figure], slack: float = 1e-6) -> Taken:
    total = sum(f.value for f in parts)
    says = f"{' + '.join(f'{f.value:,g}' for f in parts)} = {total:,g}, stated {whole.value:,g}"
    spans = tuple(f.span for f in (whole, *parts))
    check = Check(
        "parts and whole",
        abs(total - whole.value) <= slack,
        says,
        spans,
        expected=f"{total:,g}",
    )
    return check, {f.first for f in (whole, *parts)}


def _next(found: Evidence, figure: Figure) -> str:
    token = found.stream[figure.last] if figure.last < len(found.stream) else None
    return token.text if token else ""


def _ended(found: Evidence, plain: Sequence[Figure]) -> Figure | None:
    """The last figure, where it is the whole: "4,110 in all", "a total of 26"."""
    texts, last = found.stream.texts, plain[-1]
    before = [w for w in texts[max(0, last.first - 4) : last.first] if w not in ROUGH]
    ends = any(ends_total(texts[last.last + at :]) for at in range(3)) or before[-2:] == ["total", "of"]
    return last if ends else None


def _summed(
    found: Evidence, figures: Sequence[Figure], whole: Figure, plain: Sequence[Figure]
) -> Iterator[Taken]:
    """ "12 knock-outs (7 males and 5 females) and 14 wild types, 26 in total": what no bracket holds."""
    texts, depth, first = found.stream.texts, 0, found.parts[whole.part].first
    parts: list[Figure] = []
    for at in range(first, whole.first):
        depth += (texts[at] == "(") - (texts[at] == ")")
        if texts[at] in SO and at < whole.first - 3:
            parts = []  # "11 and 17 withdrew, so 109 and 103 completed, 212 in all"
        if not depth:
            here = [f for f in figures if f.first <= at < f.last]
            led = not {"of", "among"}.isdisjoint(texts[max(first, at - 2) : at])  # "Of 300, 180 …"
            parts += [f for f in here if f in plain and f.first == at and not led]
    if parts and parts[0].value in (whole.value, sum(f.value for f in parts[1:])):
        parts = parts[1:] if parts[0].value == whole.value else []  # a whole that comes before as well
    if len(parts) > 2 and parts[0].value == len(parts) - 1:
        parts = parts[1:]  # "Across five donors we obtained 1,840, …": how many there are
    total = sum(f.value for f in parts)
    ends = {f.first for f in parts}
    gaps: list[set[str]] = [set()]
    for at in range(first, whole.first):
        gaps = [*gaps, set()] if at in ends else [*gaps[:-1], gaps[-1] | {texts[at]}]
    alike = len({f.last - f.first for f in (*parts, whole)}) == 1
    lists = all(words & {",", "and", "plus"} and "of" not in words for words in gaps[1:-1])
    lists = lists and {"each", "every", "per"}.isdisjoint(texts[first : whole.first])
    if len(parts) < 2 or not alike or not lists or not OVERLAPS.isdisjoint(found.stream.vocabulary):
        return
    products = {a.value * b.value for a, b in itertools.combinations(parts, 2)}
    if whole.value > total and (whole.value in products or (total and whole.value % total == 0)):
        return  # "3 plates, 96 wells", "12 mice and 14 rats, 78 injections in total"
    rough = any(ROUGH & set(texts[max(0, f.first - 2) : f.first]) for f in (whole, *parts))
    yield whole_of(whole, parts, SLACK * total if rough else 1e-6)


LOSES = OVERLAPS - {"which", "common"}
"""What makes a table's total less than its rows."""


def tables(found: Evidence) -> Iterator[Check]:
    """A table's last row, where it is the total, against the columns over it."""
    if TOTAL_ROWS.isdisjoint(found.stream.vocabulary) or not LOSES.isdisjoint(found.stream.vocabulary):
        return
    numbers = range(len(found.parts))
    for is_row, group in itertools.groupby(numbers, key=lambda n: found.parts[n].kind == "row"):
        run = list(group) if is_row else []
        # After the head every row with words counts: one without its figure leaves the sum open.
        rows = [n for n in run if n in found.by_part or (n > run[0] and found.words(n))]
        chunks = found.parts[rows[-1]].chunks if len(rows) > 2 else ()
        if chunks and found.asserted(found.parts[rows[-1]].first):
            head = frozenset(found.stream.texts[chunks[0].first : chunks[0].last]) - {"n", "grand", "|", "*"}
            columns = [_columns(found, n) for n in rows]
            for at, whole in columns[-1].items():
                cells = [column[at] for column in columns[:-1] if at in column]
                if head & TOTAL_ROWS and head - TOTAL_ROWS <= whole.right and len(cells) == len(rows) - 1:
                    yield from _column(found, whole, cells)


def _columns(found: Evidence, number: int) -> dict[int, Figure]:
    chunks = found.parts[number].chunks
    return {
        at: f
        for f in found.by_part.get(number, ())
        for at, c in enumerate(chunks)
        if c.first <= f.first < c.last and not f.sign
    }


def _column(found: Evidence, whole: Figure, cells: Sequence[Figure]) -> Iterator[Check]:
    values = [f.value for f in cells]
    rough = found.stream.texts[whole.first - 1] in ROUGH
    if {f.kind for f in cells} != {whole.kind} or whole.kind not in ("count", "percent", "n") or rough:
        return
    # What is no more than one of its parts is their mean, and sums within a column are of its sections.
    ends = itertools.combinations(range(len(values) + 1), 2)
    sections = [sum(values[a:b]) for a, b in ends if 1 < b - a < len(values)]
    if whole.value <= max(values) or whole.value in sections or min(values) < 0:
        return
    decimals = max(f.decimals for f in cells)
    rounded = decimals or whole.kind == "percent" or whole.value == 100
    yield whole_of(whole, cells, 0.51 * len(cells) * 10.0**-decimals if rounded else 1e-6)[0]
