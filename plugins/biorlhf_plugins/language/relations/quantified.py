"""Words for how many, against the figures beside them: "half of the tumours, 60 of 120", "none survived: 9 of
31 did", "no gene responds: 33 DEGs", "all 301 completed; 38 were lost", "1,490 of 6,425, under a quarter".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure, content, gap
from biorlhf_plugins.language.evidence.shares import ROUGH, among, is_of, way_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.evidence.statements import NEUTRAL, content_of
from biorlhf_plugins.language.evidence.universals import stemmed
from biorlhf_plugins.language.relations.derived import KEPT, LOST
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.fractions import OVER, PARTS, UNDER, share_at

TIMES = words_of("times")
NONE = frozenset(("no", "none", "nobody", "neither", "absent", "nothing"))
ALL = frozenset(("all", "every"))
NEARLY = frozenset(("nearly", "almost"))
MANY = {"majority": (0.5, 1.0), "most": (0.5, 1.0), "minority": (0.0, 0.5), "few": (0.0, 0.5)}
MANY_OR_ALL, ALL_OR_NONE = frozenset((*MANY, *ALL)), ALL | NONE
NOT = frozenset(("not", "no", "none", "neither", "nor", "never", "but", "except", "only", "other"))
FREE = frozenset((*PARTS, "absent", "majority", "minority", "no"))
"""These may stand anywhere in their clause; the others open it."""
HAVING = frozenset(("has", "have", "had", "is", "are", "was", "were", "there", ":", ";"))
LEADS = frozenset((",", "(", ":", "—", ";", "or", "ie"))
LINKS = words_of("links_of") | ROUGH
BEHIND = frozenset(("half", "quarter", "third", "majority", "minority"))
UNION = frozenset(("distinct", "unique", "all", "total", "altogether"))
TURNS = frozenset(("but", "while", "whereas", "though", "although", "however"))
NEAR = 0.06
"""What "half" allows, as a share."""
Bounds = tuple[float, float, str]


def quantified(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        if part.kind == "row" or not found.asserted(part.first):
            continue
        plain = [f for f in figures if f.kind == "count" and not f.sign and texts[f.first] not in NONE]
        plain = [f for f in plain if PARTS.keys().isdisjoint(texts[f.last : f.last + 1])]  # "three quarters"
        pairs = [(a, b) for a, b in pairwise(plain) if is_of(found, a, b) and 0 < b.value >= a.value]
        pairs += [
            (b, a) for a, b in pairwise(plain) if among(found, a, gap(found, a, b)) and b.value <= a.value
        ]
        yield from _sided(found, number, plain)
        if len(pairs) == 1 and len(plain) == 2:
            yield from _share(found, number, *pairs[0])
        if not pairs and part.kind == "prose":
            yield from _overlap(found, number, plain)
            yield from _counted(found, number, plain)


def _share(found: Evidence, number: int, some: Figure, whole: Figure) -> Iterator[Check]:
    """A word for a share, before or behind "60 of 120"."""
    part, texts = found.parts[number], found.stream.texts
    colon = next((i for i in range(part.first, some.first) if texts[i] == ":"), 0)
    bounds = None
    if texts[some.first - 1] in LEADS or some.first == part.first or colon:
        bounds = _opening(found, number, some.first)
    bounds = bounds or _behind(found, number, whole)
    if bounds is None:
        return
    low, high, word = bounds
    if colon and word in MANY_OR_ALL:  # "Most side effects were mild: 3 of 90 had to stop"
        head, tail = content(found.stream, part.first, colon), content(found.stream, whole.last, part.last)
        if not tail <= head | {whole.unit}:
            return
    share = some.value / whole.value
    # "No missing values: measured in 24 of 24": a denial may be told by what is there.
    passed = low <= share <= high or (word in NONE and share == 1)
    says = f"{word}, with {some.value:g} of {whole.value:g}"
    yield Check("shares of a whole", passed, says, (some.span, whole.span), expected=f"{100 * share:.3g}%")


def _sided(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "Most are down: of 1,273 DEGs 860 are down and 413 are up"."""
    if not 2 <= len(figures) <= 3:
        return
    sides = {way_of(found, f, found.parts[number].last): f for f in figures}
    if not {"up", "down"} <= sides.keys():
        return
    part, texts = found.parts[number], found.stream.texts
    if not TURNS.isdisjoint(texts[part.first : figures[0].first]):
        return  # "Most immune genes are up, although of all DEGs 860 are down and 413 up"
    ways = {label.lower() for label, at in directions(found, number) if at < figures[0].first}
    bounds = _opening(found, number, figures[0].first) if len(ways) == 1 and ways <= sides.keys() else None
    both = [f for f in figures if f in (sides["up"], sides["down"])]
    total = sum(f.value for f in both)
    if bounds is not None and total > 0:
        low, high, word = bounds
        passed = low <= sides[ways.pop()].value / total <= high
        says = f"{word}, with {sides['up'].value:g} up and {sides['down'].value:g} down"
        yield Check("shares of a whole", passed, says, tuple(f.span for f in both))


def _opening(found: Evidence, number: int, end: int) -> Bounds | None:
    """What the words before a figure say of how many: those of its sentence, or of the clause before it."""
    part, texts = found.parts[number], found.stream.texts
    first = part.first
    if end == first and number and texts[first - 1] in (":", ";", "—"):
        first = found.parts[number - 1].first
    if texts[first : first + 2] in (["yes", ","], ["no", ","]):
        first += 2
    said = [i for i in range(first, end) if texts[i] in PARTS or texts[i] in MANY or texts[i] in ALL_OR_NONE]
    said = [i for i in said if texts[i] != "no" or i == first or texts[i - 1] in HAVING]
    said = [i for i in said if texts[i] in FREE or i == first or (i == first + 1 and texts[first] in NEARLY)]
    if len(said) != 1 or texts[said[0] + 1] in (",", "."):
        return None
    beside = {*texts[max(0, said[0] - 2) : said[0]]}
    turned = {"not", "if", "than", "without"} & ({*texts[first:end]} - beside)
    return None if turned else _bounds(found, said[0], first)


def _behind(found: Evidence, number: int, whole: Figure) -> Bounds | None:
    """ "1,490 of the 6,425 genes, which is less than a quarter"."""
    part, texts = found.parts[number], found.stream.texts
    at = next((i for i in range(whole.last, part.last) if texts[i] in BEHIND), 0)
    cut = next((i for i in range(at - 1, whole.last - 1, -1) if texts[i] in (",", "(", "which", "—")), 0)
    if not at or not cut:
        return None
    own = OVER | UNDER | {"than", "a", "the", "one", "two", "three"}
    plain = {"but", "and", "than"}.isdisjoint(texts[whole.last : cut])
    return _bounds(found, at, part.first) if plain and LINKS | own >= {*texts[cut:at]} else None


def _bounds(found: Evidence, at: int, first: int) -> Bounds | None:
    """From and to of a word, as shares."""
    word, before = found.stream.texts[at], found.stream.texts[max(first, at - 3) : at]
    nearly = not NEARLY.isdisjoint(before)
    if "not" in before or (word in NONE and nearly):
        return None
    if word in NONE:
        return 0.0, 0.0, word
    if word in ALL:
        return (0.8 if nearly else 1.0), 1.0, word
    if word in MANY:
        return (*MANY[word], word)
    share = share_at(found.stream, at, first)
    if share is None:
        return None
    if share.bound:
        return (share.value, 1.0, word) if share.bound == ">" else (0.0, share.value, word)
    slack = 2 * NEAR if share.rough else NEAR
    return share.value - slack, share.value + slack, word


def _counted(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "No gene responds: 33 DEGs"; "none survived; 15 were alive"; "all 301 completed; 38 were lost"."""
    part, texts = found.parts[number], found.stream.texts
    opens = number > 0 and texts[part.first - 1] in (":", ";")
    for figure in figures[:2]:
        lead = texts[part.first : figure.first]
        total = not {"count", "number"}.isdisjoint(lead) and lead[-1] in ("is", "was")
        after = opens and (not lead or total)
        if not after and lead[-1:] != [":"]:
            continue
        head = texts[found.parts[number - 1].first if after else part.first : figure.first]
        clause = texts[figure.last : part.last]
        measured = found.unit(figure) or figure.unit in TIMES or figure.decimals
        bare = "none" in head and {*head} <= NONE | {",", ":", "there", "are"}
        listed = "," in head and not bare
        if figure.value <= 0 or measured or not NOT.isdisjoint(clause) or not head or listed:
            continue
        lost = not bare and (not LOST.isdisjoint(clause) or "dead" in clause)
        opening = ["none"] if bare else head[2:] if head[0] == "there" else head
        told = stemmed(content(found.stream, figure.last, part.last) - NEUTRAL - {figure.unit})
        if bare and not (told and told <= stemmed(content_of(found.prompt))):
            return  # "None: all 33 genes go down" answers whether any goes up
        held = not KEPT.isdisjoint(clause)  # "no deaths occurred: 33 patients completed"
        bound = "than" in head  # "no blank had more than 50 reads; the highest had 38"
        verdict = head == ["no", ":"]  # "No: 479 and 36 make 515"
        none = (
            not (held or bound or lost or verdict) and opening[:1] and opening[0] in ("no", "none", "neither")
        )
        not_all = head[0] == "all" and lost and LOST.isdisjoint(head)
        if none or not_all:
            says = f"{head[0]}, and {figure.value:g}"
            yield Check("a universal against its figures", False, says, (figure.span,))
        return


def _overlap(found: Evidence, number: int, figures: Sequence[Figure]) -> Iterator[Check]:
    """ "120 in infants, 310 in adults; 95 in both"; "5,000 and 4,000, 3,500 in common, 5,500 in all"."""
    texts = found.stream.texts
    if found.stream.vocabulary.isdisjoint(("both", "common")):
        return
    given = [*found.by_part.get(number - 1, ()), *figures] if len(figures) < 3 else list(figures)
    if not 3 <= len(given) <= 4 or any(f.kind != "count" or f.sign or f.decimals for f in given):
        return
    one, other, both, *rest = given
    near = texts[
        both.last : min(both.last + 6, rest[0].first if rest else len(texts), found.parts[both.part].last)
    ]
    shared = "both" in near or near[:2] == ["in", "common"]
    parts = {"of", "per"} & {texts[one.first - 1], texts[other.first - 1]} or one.part != other.part
    if not shared or parts or "both" in texts[one.last : other.first]:
        return
    says = f"{both.value:g} in both, of {one.value:g} and {other.value:g}"
    spans = (both.span, one.span, other.span)
    yield Check("parts and whole", both.value <= min(one.value, other.value), says, spans)
    if rest and not UNION.isdisjoint(texts[rest[0].last : rest[0].last + 5]):
        right = one.value + other.value - both.value
        says = f"{one.value:g} + {other.value:g} - {both.value:g} = {right:g}, stated {rest[0].value:g}"
        passed = right == rest[0].value
        yield Check("parts and whole", passed, says, (rest[0].span, both.span), expected=f"{right:g}")
