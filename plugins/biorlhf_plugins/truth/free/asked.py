"""Of several figures that could be the asked one, that beside whose words the question's stand.

"We dropped 612 doublets and 1,904 barcodes", "1,280 after dose two, 80 after dose one", "18 % on fibre and
27 % on chow": no lexicon knows these names, but each figure has its own words, and the asked one has the
question's. Where no words tell the figures from each other, they stay rivals.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace

from biorlhf.ground_truth.names import split_entity
from biorlhf_plugins.language.block.keyed import keyed_figures
from biorlhf_plugins.language.claims.foils import INTRODUCED
from biorlhf_plugins.language.claims.qualifiers import PART
from biorlhf_plugins.language.claims.quantities import PREPOSITIONS
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Extraction
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.measured import HEADS
from biorlhf_plugins.language.words.text import Stream, vocabulary
from biorlhf_plugins.truth.free.beside import CUTS, Words, stems, words_beside
from biorlhf_plugins.truth.free.corrected import without_corrected
from biorlhf_plugins.truth.free.figures import Reading
from biorlhf_plugins.truth.slots import Fact

JOINS = frozenset(("and", "vs", "versus", "well", ",", "plus"))
WHOLE = frozenset(("all", "total", "altogether"))
EACH = frozenset(("each", "per", "every", "apiece"))
AGAINST = frozenset(("vs", "versus", "against", "than"))
COMPARED_WITH = (["compared", "with"], ["compared", "to"], ["relative", "to"], ["opposed", "to"])
SEGMENT_ENDS = CUTS - {":"}
EARLIER = vocabulary("last previous previously earlier prior former formerly pilot older preceding ago")
TIMES = vocabulary("year season month week visit survey day round")
"""Before "before": "377 the year before"."""
REMOVED = vocabulary(
    "removed remove dropped drop excluded exclude discarded discard filtered died dead killed lost rejected"
    " flagged screened withdrew withdrawn culled failed eliminated"
)
KEPT = vocabulary(
    "left remain remained remaining remainder kept stay stayed survive survived surviving survivor passed"
    " retained leaving finished completed rest"
)
CHANGES = words_of("changes")
DENIES = frozenset(("not", "never", "no"))
DENYING = DENIES | vocabulary("cannot no non without fail failed lack lacked missed free negative")
FAR = 8
"""Tokens between two figures of which one is meant: "412, or maybe 380"."""
MAYBE = vocabulary("or maybe perhaps possibly even rather about roughly around else") | {",", "~", "≈"}
WAYS = {"deg_up": "UP", "deg_down": "DOWN"}
REACH = 8
"""Tokens behind a figure in which a "not" denies it."""


def of_its_key(fact: Fact, said: Extraction, prompt: str) -> Extraction:
    """Of a JSON object the figures under the keys that name the asked one, {"up": 640, "down": 511}; all
    where no key names it better than the others, and of any other text."""
    keyed = keyed_figures(said.text)
    if len(keyed) < 2:
        return said
    own = fact.asked.words | fact.named | fact.placed
    way = WAYS.get(fact.quantity or "")
    ranked = []
    for one in keyed:
        spoken = stems(one.words)
        ways = {m.value for m in prompt_mentions(" ".join(one.words)) if m.kind == "dir"}
        told = len(spoken & stems(own)) + (way in ways) - 2 * (way is not None and bool(ways - {way}))
        known = len(spoken & stems(prompt_words(prompt)))
        ranked.append((told, known, known - len(spoken)))
    best = max(ranked)
    if best[:2] <= (0, 0):
        return said
    spans = [one.span for one, rank in zip(keyed, ranked, strict=True) if rank == best]
    left = [c for c in said.numbers if any(a <= c.span[0] < b for a, b in spans)]
    return replace(said, numbers=tuple(left))


def owned(fact: Fact, told: Sequence[Reading], said: Extraction, prompt: str) -> list[Reading]:
    """Without those that their own words give away, where others are left: the figure of another time
    ("14,260 was last year's"), of the rest ("612 were left"), one that is denied, and one of the question."""
    if len(told) < 2:
        return list(told)
    asked = {*prompt_words(prompt), *fact.asked.words}
    told = without_corrected(told, said, asked)
    mentions = prompt_mentions(prompt)
    level = CHANGES.isdisjoint(asked) and all(m.kind != "dir" for m in mentions)
    turned = not asked.isdisjoint(DENYING) or any(w.startswith("un") and len(w) > 6 for w in asked)
    given = {m.value.value for m in mentions if m.kind == "num"}
    rest = (KEPT if asked & REMOVED else frozenset()) | (REMOVED if asked & KEPT else frozenset())
    foreign = (EARLIER | rest) - asked
    at = sorted({r.claim.chunk for r in told})
    left = [r for r in told if not _given_away(r, said, at, foreign, not turned)
            and (r.credit or r.claim.value not in given) and not (level and _change(r, said))]  # fmt: skip
    left = left or list(told)
    named = [r for r in left if _labelled(fact, r, said)]
    kinds = {(r.claim.sentence, r.claim.slot.quantity) for r in named}
    # Of "412 in Col-0 (epf1: 268)" only the second is of epf1.
    return [r for r in left if r in named or _part(r, said) or kinds.isdisjoint(
        (r.claim.sentence, kind) for kind in (r.claim.slot.quantity, None, "dose"))]  # fmt: skip


def _opposed(placed: Words) -> Words:
    """What says that a figure is of the other side of the asked time."""
    return stems(b for a, b in (("before", "after"), ("after", "before")) if a in placed and b not in placed)


def _compared(one: Reading, figures: Container[int], stream: Stream) -> bool:
    """The 12 of "33 % (12 % with sunitinib)" and "33 %, compared with 12 % in controls": of what it names."""
    texts, at = stream.texts, one.claim.chunk
    placed = not (PREPOSITIONS | {"against"}).isdisjoint(texts[at + 1 : at + 3])
    behind = texts[at - 1] == "(" and (at - 2 in figures or at - 3 in figures)
    set_against = texts[at - 1] in AGAINST or texts[at - 2 : at] in COMPARED_WITH
    return placed and (behind or set_against)


def _change(one: Reading, said: Extraction) -> bool:
    """ "Viability fell by 42 %, to 58 %": how far it went, and not what it came to."""
    part, texts, at = said.parts[one.claim.sentence], said.stream.texts, one.claim.chunk
    return texts[at - 1] == "by" and any(0 <= at - 1 - m.last <= 1 for m in part.inside.get("dir", ()))


def _part(one: Reading, said: Extraction) -> bool:
    """ "64 of them", "of which 64": of those that were named."""
    texts, at = said.stream.texts, one.claim.chunk
    beside = (texts[at + 1 : at + 3], texts[max(0, at - 2) : at])
    return any(pair[:1] == ["of"] and pair[-1] in PART for pair in beside)


def _labelled(fact: Fact, one: Reading, said: Extraction) -> bool:
    """Is a figure told as "epf1: 268", by the asked name itself?"""
    part, texts, at = said.parts[one.claim.sentence], said.stream.texts, one.claim.chunk
    if part.kind == "row":
        return False  # "| Gck-/- | 9 | 312 |": the columns tell
    names = (m for m in part.inside.get("entity", ()) if m.value in split_entity(fact.entity))
    return any(m.last == at or (m.last == at - 1 and texts[m.last] in INTRODUCED) for m in names)


def _given_away(one: Reading, said: Extraction, figures: Sequence[int], foreign: Words, denied: bool) -> bool:
    part, texts, at = said.parts[one.claim.sentence], said.stream.texts, one.claim.chunk
    first, last = at, at + 1
    while first > part.first and texts[first - 1] not in SEGMENT_ENDS and first - 1 not in figures:
        first -= 1
    while last < part.last and texts[last] not in SEGMENT_ENDS and last not in figures:
        last += 1
    spoken = texts[first:last]
    before = "before" in spoken and not TIMES.isdisjoint(spoken)
    return (
        not foreign.isdisjoint(spoken)
        or before
        or ("had", "been") in itertools.pairwise(spoken)
        or (denied and not DENIES.isdisjoint(texts[at + 1 : min(last, at + REACH)]))
    )


def asked_ones(fact: Fact, told: Sequence[Reading], said: Extraction, prompt: str) -> list[Reading]:
    """The readings beside which most of the question's words stand; all where that tells none from another.

    The words of the quantity decide first, then those of the entity, of its condition, and the rest of the
    question's.
    """
    left = _apiece(fact, told, said, prompt)
    if len({r.claim.chunk for r in left}) < 2:
        return left
    beside = words_beside(said, sorted({(r.claim.sentence, r.claim.chunk) for r in left}))
    entity = stems(fact.named)
    quantity = stems(fact.asked.words - HEADS)
    quantity = quantity - entity or quantity  # of "plants per treatment", asked of each treatment, the plants
    place = stems(fact.placed) - entity
    rest = stems(prompt_words(prompt)) - quantity - entity - place
    # What is counted, and of what, goes on from one sentence to the next; where and when is said anew.
    own = {at: one.own | one.opening for at, one in beside.items()}
    shared = {at: one.own | one.shared for at, one in beside.items()}
    named = {at: words | beside[at].measured for at, words in shared.items()}
    paired = _paired({at: entity & stems(said.stream.texts[at + 1 : at + 3]) for at in own}, said.stream)
    for wanted, spoken in ((quantity, named), (entity, shared), (place, own), (rest, own)):
        hits = {at: len(wanted & words) for at, words in spoken.items()}
        for r in left:
            at = r.claim.chunk
            if wanted is quantity and r.claim.slot.quantity == fact.quantity and fact.asked.own:
                hits[at] = max(hits.values())
            elif wanted is quantity and at in paired:
                hits[at] = max(hits[at], hits[paired[at]])
            elif wanted is place and not _opposed(fact.placed).isdisjoint(own[at]):
                hits[at] = -1  # "before mink removal", asked for after it
        best = max(hits[r.claim.chunk] for r in left)
        left = [r for r in left if hits[r.claim.chunk] == best]
    ahead = {r.claim.chunk for r in left}
    left = [r for r in left if not _compared(r, ahead, said.stream)] or left
    return [r for r in told if r in left or any(_either(r, one, said.stream) for one in left)]


def _paired(named: Mapping[int, Words], stream: Stream) -> dict[int, int]:
    """Figures that stand before the asked thing's name, by the neighbour with which they share what is
    counted: the 48 of "48 tumours and 31 normal samples"."""
    pairs: dict[int, int] = {}
    for a, b in itertools.pairwise(sorted(named)):
        joined = b - a <= FAR and not JOINS.isdisjoint(stream.texts[a + 1 : b])
        if joined and bool(named[a]) != bool(named[b]):
            pairs |= {a: b} if named[a] else {b: a}
    return pairs


def _apiece(fact: Fact, told: Sequence[Reading], said: Extraction, prompt: str) -> list[Reading]:
    """Of "4 treatments with 12 plants each, 48 in all" the 12, where so many per treatment are asked for, and
    not the 12, where all are."""
    each, all_of_them = not EACH.isdisjoint(fact.asked.words), not WHOLE.isdisjoint(prompt_words(prompt))
    if each == all_of_them:
        return list(told)
    texts, figures = said.stream.texts, {r.claim.chunk for r in told}
    apiece, total = [], False
    for r in told:
        at, part = r.claim.chunk, said.parts[r.claim.sentence]
        end = next(
            (i for i in range(at + 1, part.last) if i in figures or texts[i] in SEGMENT_ENDS), part.last
        )
        counted = not EACH.isdisjoint(texts[max(part.first, at - 3) : at])  # the 4 of "each of the 4"
        if not counted and not EACH.isdisjoint(texts[at + 1 : end]):
            apiece.append(r)
        total = (
            total
            or texts[end - 2 : end] in (["in", "all"], ["in", "total"])
            or texts[end - 1] == "altogether"
        )
    if each:
        return apiece or list(told)
    return [r for r in told if r not in apiece] or list(told) if total else list(told)


def _either(one: Reading, other: Reading, stream: Stream) -> bool:
    """ "165 or 210 DEGs", "412, or maybe 380": one of two, and the words of either are the other's."""
    first, last = sorted((one.claim.chunk, other.claim.chunk))
    if last - first > FAR:
        return False
    between = stream.texts[first + 1 : last]
    return "or" in between and MAYBE.issuperset(between)
