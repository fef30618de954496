"""The words that stand beside each figure of a text: its own, and those that it shares with others."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from biorlhf_plugins.language.claims.quantities import PREPOSITIONS
from biorlhf_plugins.language.evidence.parts import OF_THESE
from biorlhf_plugins.language.records import Extraction
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.words.measured import FALLING, GENERIC, RISING
from biorlhf_plugins.language.words.text import Stream
from biorlhf_plugins.language.words.vocabulary import STOP_WORDS

CUTS = frozenset((
    ",", ";", ":", "(", ")", "|", "\n", "—", "→", "and", "but", "while", "whereas", "against", "vs", "versus",
    "compared", "than", "ie",
))  # fmt: skip
"""Where one figure's words end and the next one's begin."""

UNSAYING = frozenset((
    "it", "them", "about", "roughly", "those", "one", "exact", "exactly", "precise", "precisely", "be",
    "been", "may", "might", "could", "would", "perhaps", "maybe", "even",
))  # fmt: skip
NAMELESS = STOP_WORDS | GENERIC | PREPOSITIONS | CUTS | UNSAYING
ALIKE = {
    "one": "1", "first": "1", "two": "2", "second": "2", "three": "3", "third": "3", "four": "4",
    "fourth": "4", "after": "after", "afterwards": "after", "afterward": "after", "beforehand": "befor",
    **dict.fromkeys((*RISING, "rose", "higher"), "up"), **dict.fromkeys((*FALLING, "fell", "lower"), "down"),
}  # fmt: skip
ENDINGS = ("ing", "ed", "al", "ly", "e")
OR = 3  # tokens from an "or" to the figure that it gives once more
DASHES = frozenset(("-", "–", "—"))
VERBS = frozenset(("was", "were", "is", "are", "rose", "fell", "went", "climbed", "reached", "had"))
TOWARDS = PREPOSITIONS | {"to"}
BARELY = frozenset(
    ("only", "barely", "just", "very", "strongly", "weakly", "hardly", "then", "even", "full", "still")
)
STEM = 4
"""Letters that an ending must leave of a word."""

Words = frozenset[str]


def stems(listed: Iterable[str]) -> Words:
    """Words in one form: "surviving" and "survive", "second" and "2"."""
    return frozenset([_stem(word) for word in listed if word not in NAMELESS or word in ALIKE])


@functools.lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    if word in ALIKE:
        return ALIKE[word]
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= STEM:
            return word.removesuffix(ending)
    return word


class Beside(NamedTuple):
    """The words of one figure: those beside it; those that it shares with the figures before it ("titres" in
    "Titres rose from 80 after dose one to 1,280 after dose two"); those with which its sentence opens; and
    those that may name its quantity, but not what it is of ("yield" in "In wheat the yield was 5.2, in barley
    4.1")."""

    own: Words
    shared: Words = frozenset()
    opening: Words = frozenset()
    measured: Words = frozenset()


def words_beside(said: Extraction, places: Sequence[tuple[int, int]]) -> dict[int, Beside]:
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
    named_before = all(
        stems(w for w in texts[a:b] if w not in BARELY) for a, b in zip(cuts, figures[1:], strict=True)
    )
    opens, label = part.first, frozenset[str]()
    if ":" in texts[part.first : figures[0]]:  # "kcat (s-1): wild type 85, D179N 12": said of all
        opens = figures[0] - texts[part.first : figures[0]][::-1].index(":")
        label = stems(texts[part.first : opens])
    opening = stems(texts[opens : figures[0]])
    tail: Words = frozenset()
    bracketed = len(figures) > 1 and all(texts[at - 1] == "(" for at in figures)
    if bracketed:
        ends[-1] = texts.index(")", figures[-1]) if ")" in texts[figures[-1] : part.last] else part.last
        tail = stems(texts[ends[-1] : part.last])  # "Karan (5.2) differed from Sonalika (4.1) in yield"
    led = frozenset[str]() if named_before else opening
    found: dict[int, Beside] = {}
    own = lead = frozenset[str]()
    taken, first, depth = set(figures), stems(texts[figures[0] + 1 : ends[0]]), 0
    since = figures[0]
    for at, start, end in zip(figures, starts, ends, strict=True):
        begins = at if at == figures[0] and not named_before else start
        words = stems([t for i, t in enumerate(texts[begins:end], begins) if i not in taken])
        again = not words or "or" in texts[max(start, at - OR) : at]  # "or 18,214", "31 % exactly"
        own = own if again and at != figures[0] else words
        if at != figures[0] and texts[start] == "to":  # "in ost1-3 from 0.31 before ABA to 0.29 afterwards"
            own |= lead
        lead = stems(texts[start:at])
        alike = stems(texts[at + 1 : end]) <= first
        depth += texts[since:at].count("(") - texts[since:at].count(")")
        goes_on = named_before and at != figures[0] and _goes_on(texts[start:at])
        # Not into a bracket: "Kd 1.8 nM (the Fab has 0.6 nM)".
        carried = named_before and alike and depth <= 0 and not bracketed
        measured = opening if carried or goes_on else tail
        if goes_on and texts[opens] not in PREPOSITIONS:
            found[at] = Beside(own, before | label | opening)
        elif label or (len(figures) == 1 and texts[at - 1] in DASHES):  # "BA.5: 184; BA.2: 310"
            found[at] = Beside(own, label | led, led, measured | before)
        else:
            found[at] = Beside(own, before | led, led, measured)
        since = at
    return found, before | label | opening


def _past(word: str) -> bool:
    return word.endswith("ed") and word != "followed"  # ", followed by G12V in 58"


def _goes_on(words: Sequence[str]) -> bool:
    """Does a stretch before a figure have no subject of its own: ", peaked at", "but barely in npr1-1"?"""
    closed = len(words) - words[::-1].index(")") if ")" in words else 0  # what a bracket adds is aside
    left = [w for w in words[closed:] if w not in CUTS and w not in BARELY]
    verb = left[:1] and (left[0] in VERBS or (_past(left[0]) and left[1:2] and left[1] in TOWARDS))
    return bool(verb) or bool(left[:1] and left[0] in PREPOSITIONS)


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
