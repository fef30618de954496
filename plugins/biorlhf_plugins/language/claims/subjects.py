"""What a word of direction is said of: the set that is named, the one that was spoken of, or another thing.

"EMT is a process by which cells lose their polarity" says nothing of EMT's direction, and "stress lowers
immunity" nothing of a set: their words of direction have another subject or object. A noun that the
lexicon does not know, right where the grammar wants a subject or an object, is such another thing.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from biorlhf_plugins.language.claims.general import (
    ADVERBS,
    AUXILIARIES,
    BEING,
    DETERMINERS,
    FUNCTION,
    GENERIC,
    LINKING,
    MODALS,
    NEUTRAL,
    PLACES,
    PREPOSITIONS,
    WORDS,
    in_general,
    may_generalise,
)
from biorlhf_plugins.language.claims.reader import Reader
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream

OTHER = "?"
"""The name of a thing that has a direction and is no set that the lexicon or the question knows."""
REACH = 8
NOMINAL = WORDS["nominal"]
DETERMINING = DETERMINERS | PREPOSITIONS | WORDS["showing"] | WORDS["adjective"]
ADJECTIVAL = ("al", "ive", "ic", "ant", "ent", "ous", "ible", "able", "ed", "ing", "est", "ar")
STOPS = frozenset(("dir", "num", "type", "pattern", "cmp", "neg"))

ASIDES = frozenset(("in", "within", "during", "from", "under", "throughout", "across"))
"""Prepositions of place: what follows them is where something was seen, and not what was."""

APART = (["in", "contrast", "to"], ["in", "contrast", "with"], ["as", "opposed", "to"])
JOINTS = frozenset(("and", "or", "nor", "but", "&"))
"""After these a clause without a subject has that of the clause before."""

AGAINST = frozenset(("while", "whereas", "but", "although", "though", "unlike"))
VERBAL = MODALS | {"to", "not", "it", "they", "we", "which", "that", "who"}
MANY = frozenset(("most", "many", "several", "other", "few"))
SETS = frozenset(("pathway", "process", "program", "signature", "set"))
TOWARDS = frozenset(("to", "in", "for", "of", "on"))


class Aim(NamedTuple):
    """``kind`` is "named" (``paths`` says which), "same" (the set that is spoken of), "other", or "loose"
    where the words near a direction do not tell."""

    kind: str
    paths: tuple[Any, ...] = ()


SAME, LOOSE, ELSE = Aim("same"), Aim("loose"), Aim("other")


def aim(reader: Reader, sentence: Sentence, index: int, focus: Mention) -> Aim:
    """What a direction is said of, by the words right after it and right before it."""
    stream, chunk = reader.stream, sentence.chunks[index]
    general = may_generalise(reader, focus, sentence.last)
    if general and in_general(reader, chunk, reader.inside[index], focus, sentence):
        return ELSE
    at, ends = reader.starts, reader.ends
    if focus.value == "NS" and (told := _unmoved(reader, chunk, focus)):
        return told
    head = stream.texts[focus.last - 1]
    nominal = head in NOMINAL and (head.endswith(("ion", "loss", "deficit")) or _noun(stream, ends, focus))
    if nominal and _named_before(stream, ends, focus):
        return _subject(reader, ends, chunk, focus)  # "glycolysis pathway suppression in exhausted T cells"
    if nominal:
        return _complement(reader, at, focus, sentence.last) or _subject(reader, ends, chunk, focus)
    after = stream.texts[focus.last] if focus.last < len(stream) else ""
    if after == "it" and focus.first and stream.texts[focus.first - 1] in reader.question:
        return SAME  # "ruxolitinib decreases it", of what is asked
    if after in ("a", "an", "the") and head in WORDS["transitive"] and focus.last not in at:
        found = _noun_phrase(reader, at, focus.last, min(sentence.last, focus.last + REACH))
        return found or ELSE
    found = _noun_phrase(reader, at, focus.last, min(chunk.last, focus.last + REACH))
    if found is not None and (found.kind == "named" or not _predicative(stream, focus, chunk.first)):
        return found
    if found is ELSE and after not in NEUTRAL and focus.last not in at and not after.endswith("ly"):
        return ELSE  # "is enhanced degradation"
    return _subject(reader, ends, chunk, focus)


def _unmoved(reader: Reader, chunk: Chunk, focus: Mention) -> Aim | None:
    """The set of "hardly any difference to lactate" and "For psbA the two cannot be told apart"."""
    texts = reader.stream.texts
    for m in chunk.mentions:
        behind = focus.last < m.first <= focus.last + 2 and texts[focus.last] in TOWARDS
        leads = m.first == chunk.first + 1 and texts[chunk.first] in ("for", "in", "of")
        if m.kind == "path" and (behind or leads):
            return Aim("named", (m.value,))
    return None


def _noun(stream: Stream, ends: Mapping[int, Mention], focus: Mention) -> bool:
    """Is "increase" a noun here: "an increase", "shows increases", "the net increase"?"""
    after = stream.texts[focus.last] if focus.last < len(stream) else ""
    if focus.first == 0 or (focus.first in ends and ends[focus.first].kind != "method"):
        return after == "of"
    before = stream.texts[focus.first - 1]
    if before in VERBAL:
        return False
    return (
        before in DETERMINING
        or before.endswith(("al", "ive", "ic", "ant", "ent", "ous", "ed"))
        or after == "of"
    )


def _named_before(stream: Stream, ends: Mapping[int, Mention], focus: Mention) -> bool:
    """Does a set's name, or its "pathway", stand right before a noun of direction that says where?"""
    before = ends.get(focus.first)
    named = before is not None and before.kind == "path"
    named = named or (focus.first > 0 and stream.texts[focus.first - 1] in SETS)
    return named and stream.texts[focus.last : focus.last + 1] == ["in"]


def _predicative(stream: Stream, focus: Mention, first: int) -> bool:
    at = focus.first - 1
    while at >= first and (stream.texts[at] in ADVERBS or stream.texts[at].endswith("ly")):
        at -= 1
    return at >= first and stream.texts[at] in BEING


def _complement(reader: Reader, at: Mapping[int, Mention], focus: Mention, last: int) -> Aim | None:
    """Of "suppression of X" and "a fall in X genes": X."""
    stream, here = reader.stream, focus.last
    if here >= last or stream.texts[here] not in ("of", "in") or here in at:
        return None
    return _noun_phrase(reader, at, here + 1, min(last, here + 1 + REACH))


def _noun_phrase(reader: Reader, at: Mapping[int, Mention], first: int, last: int) -> Aim | None:
    """The set, or the other thing, that a noun phrase from a token on names; None where there is none."""
    stream, here, unknown, own = reader.stream, first, False, _asked_words(reader)
    placed = False
    while here < last:
        m = at.get(here)
        word = stream.texts[here]
        if m is not None and m.kind == "path":
            return Aim("named", (m.value,))
        place = m is not None and m.kind in PLACES
        if m is not None and (m.kind in STOPS or (place and word in PREPOSITIONS)):
            break
        if m is not None and place:
            here = m.last + (
                m.kind == "frame" and m.last < last and reader.plural(m.last)
            )  # "control plants"
            continue
        if stream[here].kind != "w" or word in AUXILIARIES or word in WORDS["conjunction"]:
            break
        if word in PREPOSITIONS:
            generic = here > first and not unknown and stream.texts[here - 1] in GENERIC
            if not (generic and word in ("of", "in", "from", "for")):
                break
            placed = word in ("in", "from")  # "lower levels in palbociclib-treated cells"
            here += 1
            continue
        if not (
            (placed and GENERIC.isdisjoint(stream.texts[here + 1 : here + 2]))
            or word in NEUTRAL
            or word in own
            or word.endswith("ly")
            or (m is not None and m.kind != "other")
            or (word in reader.question and not word.isalpha() and not _part_of(reader, word))
        ):
            unknown = True
        here += 1
    return ELSE if unknown else None


def _subject(reader: Reader, ends: Mapping[int, Mention], chunk: Chunk, focus: Mention) -> Aim:
    """What stands before the verb of a direction."""
    stream, here = reader.stream, focus.first
    verb = ends.get(here - 1)
    if stream.texts[here] in ("up", "down") and verb is not None and verb.kind == "path":
        here -= 1  # the verb of "CXCL13 lights up"
    while here > chunk.first:
        m = ends.get(here)
        being = m is not None and m.kind == "condition" and stream.texts[here] in BEING
        if m is not None and (being or m.kind == "method"):
            return ELSE  # "stress is increased"
        if m is not None and m.kind == "univ":
            here = m.first
            continue  # "consistently"
        aside = _aside(stream, chunk.first, here)
        if m is not None and (m.kind == "path" or (m.kind in PLACES and aside <= chunk.first)):
            return SAME
        if aside > chunk.first:
            here = aside
            continue
        if m is not None and m.kind not in ("other", "quantity"):
            here = m.first
            continue
        word, kind = stream.texts[here - 1], stream[here - 1].kind
        if kind == "p" and word in ",:;()—|\n":
            return SAME if word == ":" else LOOSE
        linking = word in LINKING or word in DETERMINERS or word.endswith("ly")
        if kind != "w" or linking or (word in ("at", "to", "with", "in") and here >= focus.first - 1):
            here -= 1
            continue
        if word in ("which", "who", "that") and here - 1 > 0:
            before = stream[here - 2]
            if before.text == ",":
                apart = chunk.link == "unlike" or stream.texts[chunk.first : chunk.first + 3] in APART
                return ELSE if apart else LOOSE  # "in contrast to the dehydrins, which rise"
            thing = before.text not in NEUTRAL or before.text in WORDS["species"]  # "cells that are lost"
            if before.kind == "w" and thing and here - 1 not in ends:
                return ELSE
        compound = ends.get(here - 1)
        if word in reader.question and compound is not None and compound.kind == "path":
            return SAME  # the "BRCA1 guides" that were asked about
        if word in GENERIC:
            return _owner(reader, ends, chunk, here - 1)
        if word in NEUTRAL or (word.endswith(ADJECTIVAL) and here == focus.first):
            return SAME
        near = set(stream.texts[max(chunk.first, here - 3) : here])
        return SAME if near & _asked_words(reader) else ELSE
    return ELSE if reader.elsewhere and chunk.link in JOINTS else SAME


def _aside(stream: Stream, first: int, here: int) -> int:
    """Where the "in female mice" that ends at a token begins; -1 where no such phrase ends there."""
    for at in range(here - 1, max(first - 1, here - 4), -1):
        word = stream.texts[at]
        if word in ASIDES:
            return at if at < here - 1 else -1
        if stream[at].kind != "w" or word in AUXILIARIES or word in WORDS["showing"] or word in GENERIC:
            return -1
    return -1


def _owner(reader: Reader, ends: Mapping[int, Mention], chunk: Chunk, here: int) -> Aim:
    """Whose genes: "keratin genes" are another thing's, "its genes" and "the pathway" the same set's."""
    stream, own, last, told = reader.stream, _asked_words(reader), here, False
    while here > chunk.first:
        m = ends.get(here)
        if m is not None and m.kind == "quantity" and (named := ends.get(m.first)) is not None:
            return SAME if named.kind == "path" else ELSE  # "ESR1 gene expression"
        if m is not None:
            return SAME if m.kind not in ("other", "quantity", "method") else ELSE
        word = stream.texts[here - 1]
        several = reader.plural(last) and stream.texts[last] in SETS
        if several and (word in MANY or (word == "and" and last > here)):
            return ELSE  # "interferon and inflammatory pathways", "most sets"
        if stream[here - 1].kind != "w" or word in FUNCTION or word in own or word in reader.question:
            return SAME
        if word not in NEUTRAL and not word.endswith(ADJECTIVAL):
            return ELSE
        told = told or word not in NEUTRAL
        here -= 1
    # "Whereas mitochondrial genes do not change": set against those that were named.
    return ELSE if told and chunk.link in AGAINST else SAME


def _asked_words(reader: Reader) -> frozenset[str]:
    """The telling words of the set that the question asks for: "xenobiotic detoxification" means it."""
    return _telling(reader.given.get("path", ()))


def _part_of(reader: Reader, word: str) -> bool:
    """Is a word a part of the asked set's name, as STAT3 is of "IL6 JAK STAT3 signaling"?"""
    return any(word in name.split() for names in reader.given.get("path", ()) for name in names)


@functools.lru_cache(maxsize=256)
def _telling(paths: tuple[tuple[str, ...], ...]) -> frozenset[str]:
    return frozenset(
        w for names in paths for name in names for w in name.split() if len(w) > 5 and w not in GENERIC
    )
