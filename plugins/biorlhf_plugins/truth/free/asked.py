"""Of several figures that could be the asked one, that beside whose words the question's stand.

"We dropped 612 doublets and 1,904 barcodes", "1,280 after dose two, 80 after dose one", "18 % on fibre and
27 % on chow": no lexicon knows these names, but each figure has its own words, and the asked one has the
question's. Where no words tell the figures from each other, they stay rivals.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from biorlhf.ground_truth.names import split_entity
from biorlhf_plugins.language.claims.foils import INTRODUCED
from biorlhf_plugins.language.claims.qualifiers import PART
from biorlhf_plugins.language.claims.quantities import PREPOSITIONS
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Extraction
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.measured import GENERIC, HEADS
from biorlhf_plugins.language.words.text import Stream, vocabulary
from biorlhf_plugins.language.words.vocabulary import STOP_WORDS
from biorlhf_plugins.truth.free.figures import Reading
from biorlhf_plugins.truth.slots import Fact

CUTS = frozenset((
    ",", ";", ":", "(", ")", "|", "\n", "—", "→", "and", "but", "while", "whereas", "against", "vs", "versus",
    "compared", "than", "ie",
))  # fmt: skip
"""Where one figure's words end and the next one's begin."""

AGAINST = frozenset(("vs", "versus", "against", "than"))
COMPARED_WITH = (["compared", "with"], ["compared", "to"], ["relative", "to"], ["opposed", "to"])
UNSAYING = frozenset((
    "it", "them", "about", "roughly", "those", "one", "exact", "exactly", "precise", "precisely", "be",
    "been", "may", "might", "could", "would", "perhaps", "maybe", "even",
))  # fmt: skip
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
DENYING = DENIES | vocabulary("no non without fail failed lack lacked missed free negative")
REACH = 8
"""Tokens behind a figure in which a "not" denies it."""

NAMELESS = STOP_WORDS | GENERIC | PREPOSITIONS | CUTS | UNSAYING
ORDINALS = {"one": "1", "first": "1", "two": "2", "second": "2", "three": "3", "third": "3", "four": "4",
            "fourth": "4"}  # fmt: skip
ENDINGS = ("ing", "ed", "al", "ly", "e")
OF_THESE = {(a, b) for a in ("of", "among") for b in ("these", "them", "those")}
OR = 3  # tokens from an "or" to the figure that it gives once more
DASHES = frozenset(("-", "–", "—"))
STEM = 4
"""Letters that an ending must leave of a word."""

Words = frozenset[str]


def stems(listed: Iterable[str]) -> Words:
    """Words in one form: "surviving" and "survive", "second" and "2"."""
    return frozenset([_stem(word) for word in listed if word not in NAMELESS or word in ORDINALS])


@functools.lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= STEM:
            return word.removesuffix(ending)
    return ORDINALS.get(word, word)


def owned(fact: Fact, told: Sequence[Reading], said: Extraction, prompt: str) -> list[Reading]:
    """Without those that their own words give away, where others are left: the figure of another time
    ("14,260 was last year's"), of the rest ("612 were left"), one that is denied, and one of the question."""
    asked = {*prompt_words(prompt), *fact.asked.words}
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
    left = list(told)
    if len({r.claim.chunk for r in left}) < 2:
        return left
    beside = _own_words(said, sorted({(r.claim.sentence, r.claim.chunk) for r in left}))
    quantity, entity, place = stems(fact.asked.words - HEADS), stems(fact.named), stems(fact.placed)
    rest = stems(prompt_words(prompt)) - quantity - entity - place
    # What is counted, and of what, goes on from one sentence to the next; where and when is said anew.
    own = {at: one.own | one.opening for at, one in beside.items()}
    told = {at: one.own | one.shared for at, one in beside.items()}
    of = {at: words | beside[at].measured for at, words in told.items()}
    for wanted, spoken in ((quantity, of), (entity, told), (place - entity, own), (rest, own)):
        hits = {at: len(wanted & words) for at, words in spoken.items()}
        best = max(hits[r.claim.chunk] for r in left)
        left = [r for r in left if hits[r.claim.chunk] == best]
    ahead = {r.claim.chunk for r in left}
    return [r for r in left if not _compared(r, ahead, said.stream)] or left


class Beside(NamedTuple):
    """The words of one figure: those beside it; those that it shares with the figures before it ("titres" in
    "Titres rose from 80 after dose one to 1,280 after dose two"); those with which its sentence opens; and
    those that may name its quantity, but not what it is of ("yield" in "In wheat the yield was 5.2, in barley
    4.1")."""

    own: Words
    shared: Words = frozenset()
    opening: Words = frozenset()
    measured: Words = frozenset()


def _own_words(said: Extraction, places: Sequence[tuple[int, int]]) -> dict[int, Beside]:
    """By figure (its first token) its words."""
    found: dict[int, Beside] = {}
    before: Words = frozenset()
    noun: Words = frozenset()
    counted: Words = frozenset()
    for number in dict.fromkeys(sentence for sentence, _ in places):
        part, texts = said.parts[number], said.stream.texts
        if part.kind == "row":
            found |= {at: Beside(words) for at, words in _cell_words(said, number).items()}
            continue
        figures = [at for sentence, at in places if sentence == number]
        opener = (texts[part.first], texts[part.first + 1]) if part.last > part.first + 1 else ("", "")
        if opener in OF_THESE:
            noun |= counted  # "21 complete responses. Of these, 14 occurred among the carriers"
        told, opening = _sentence_words(said.stream, part, figures, before)
        for at in figures:
            one = told[at]
            follows = texts[at + 1 : at + 2] in (["were"], ["was"], ["of"]) and opener[0] != "of"
            if follows or (opener in OF_THESE and at == figures[0]):
                one = one._replace(own=one.own | noun)  # "25,400 peptides, and 18,230 were matched"
            found[at] = one
            noun = stems(texts[at + 1 : at + 2]) or noun
        counted = stems(texts[figures[-1] + 1 : part.last])
        before |= opening
    return found


def _sentence_words(
    stream: Stream, part: Sentence, figures: Sequence[int], before: Words
) -> tuple[dict[int, Beside], Words]:
    """The words of a sentence's figures, and those with which it opens."""
    texts = stream.texts
    cuts = [_cut(stream, a, b) for a, b in itertools.pairwise(figures)]
    starts, ends = [part.first, *cuts], [*cuts, part.last]
    # "Mutants rest at -58 mV, wild types at -67": each figure follows its name, and the first words are
    # the first one's own. "18 % on fibre, 27 % on chow": names follow, and what opens is said of all.
    named_before = all(stems(texts[a:b]) for a, b in zip(cuts, figures[1:], strict=True))
    opens, label = part.first, frozenset()
    if ":" in texts[part.first : figures[0]]:  # "kcat (s-1): wild type 85, D179N 12": said of all
        opens = figures[0] - texts[part.first : figures[0]][::-1].index(":")
        label = stems(texts[part.first : opens])
    opening = stems(texts[opens : figures[0]])
    tail: Words = frozenset()
    bracketed = len(figures) > 1 and all(texts[at - 1] == "(" for at in figures)
    if bracketed:
        ends[-1] = texts.index(")", figures[-1]) if ")" in texts[figures[-1] : part.last] else part.last
        tail = stems(texts[ends[-1] : part.last])  # "Karan (5.2) differed from Sonalika (4.1) in yield"
    led = frozenset() if named_before else opening
    found: dict[int, Beside] = {}
    own: Words = frozenset()
    for at, start, end in zip(figures, starts, ends, strict=True):
        begins = at if at == figures[0] and not named_before else start
        words = stems([t for i, t in enumerate(texts[begins:end], begins) if i not in figures])
        again = not words or "or" in texts[max(start, at - OR) : at]  # "or 18,214", "31 % exactly"
        own = own if again and at != figures[0] else words
        alike = stems(texts[at + 1 : end]) <= stems(texts[figures[0] + 1 : ends[0]])
        between = texts[figures[0] : at]
        inside = between.count("(") > between.count(")")  # "Kd 1.8 nM (the Fab has 0.6 nM)"
        carried = named_before and alike and not inside and not bracketed
        measured = opening if carried else tail
        if label or (len(figures) == 1 and texts[at - 1] in DASHES):  # "BA.5: 184; BA.2: 310"
            found[at] = Beside(own, label | led, led, measured | before)
        else:
            found[at] = Beside(own, before | led, led, measured)
    return found, before | label | opening


def _cell_words(said: Extraction, number: int) -> dict[int, Words]:
    """By figure of a table's row the words over its column and at the head of the row."""
    top = number
    while top and said.parts[top - 1].kind == "row":
        top -= 1
    texts, row = said.stream.texts, said.parts[number].chunks
    cells = itertools.zip_longest(row, said.parts[top].chunks)
    named = stems(texts[row[0].first : row[0].last]) if row else frozenset()
    return {
        at: named | (stems(texts[head.first : head.last]) if head else frozenset())
        for cell, head in cells if cell
        for at in range(cell.first, cell.last)
    }  # fmt: skip


def _cut(stream: Stream, first: int, last: int) -> int:
    """Where the words of the figure at ``first`` end, before the next figure."""
    at, ranged = first + 1, "from" in stream.texts[max(0, first - 2) : first]
    while at < last:
        word = stream.texts[at]
        if word == "(" and ")" in stream.texts[at:last]:
            at += stream.texts[at:last].index(")") + 1  # "165 (heart)"
            continue
        if word == ")" and stream.texts[at + 1 : at + 2] == ["of"]:
            at += 1  # "two weeks (14 days) of washout"
            continue
        # "1,420 against the ancestral strain and 184 against BA.5": what it is against is its own.
        own = word == "against" and not CUTS.isdisjoint(stream.texts[at + 1 : last])
        if (word in CUTS and not own) or (ranged and word == "to"):
            return at
        at += 1
    return last
