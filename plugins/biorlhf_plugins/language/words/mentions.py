"""Mentions: which tokens name a tissue, a set, a direction, a number, a negation. One step per token."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from biorlhf_plugins.language.words.degrees import AMOUNTS, LEVELS, PREFIXED, WORDS, degrees
from biorlhf_plugins.language.words.lexicon import ASKED_MARKS, END, MARKS, Lexicon, Trie, match
from biorlhf_plugins.language.words.numbers import Number, bounded, cited
from biorlhf_plugins.language.words.spelt import (
    BEING,
    LARGE,
    WORD_NUMBERS,
    any_gene,
    lone,
    no_gene,
    spelt,
)
from biorlhf_plugins.language.words.text import Stream, vocabulary
from biorlhf_plugins.language.words.unchanged import OPENS, PASSING, limit, of_chance, unchanged

MISSIONS = ("rr", "mhu", "osd", "glds", "sts", "bion")
MISSION = re.compile(rf"(?:({'|'.join(MISSIONS)})|rodent research) ?(\d+) ")
NOUGHT = Number(0.0, "", "0", False, 0, False)
ONE = NOUGHT._replace(value=1.0, word="1")
OVERLAPPING = frozenset(("premise", "guess", "know", "bar", "abstain", "about", "aside", "answer"))
NONE_WORDS = frozenset(("none", "nil", "zilch"))
UNLISTED = frozenset((*WORD_NUMBERS, *NONE_WORDS, "tbd", "rodent", "nothing"))
"""Words beside the missions that mean something without being in the lexicon."""
DEGREES = {"more": "UP", "less": "DOWN"}
DIRECTED = {"deg_up": "UP", "deg_down": "DOWN"}
SUBSTANCE = frozenset(("content", "concentration", "efflux", "uptake", "intake", "influx", "export", "ester"))
VEHICLE = ("treatment", "vehicle")
NO_CHANGE: list[tuple[str, Any]] = [("dir", "NS")]
NAMING = frozenset(("path", "quantity"))
OF_SETS = frozenset(("gene", "deg", "set", "transcript", "pathway"))
SHOWING = vocabulary("suggest indicate show imply support favor favour hint point demonstrate reveal")
"""What "nothing … suggests that" and "none of the missions shows" deny is what follows the verb."""
COUNTED_OF = OF_SETS - {"transcript"}  # "more OXPHOS transcript" is no count
EXPOSED = (["treated"], ["stimulated"], ["exposed"], ["primed"], ["challenged"])
"""Behind the name of a set these make a name of those who got it: "interferon-gamma-treated cells"."""
JOINS = frozenset(("–", "and", "to"))  # between the two ends of a range
DATABASE_WORDS = frozenset(("hallmark", "kegg", "reactome", "mitocarta"))


class Mention(NamedTuple):
    """Tokens [first, last) that mean ``value`` of ``kind``; numbers carry their Number as value."""

    kind: str
    value: Any
    first: int
    last: int


new_mention = functools.partial(tuple.__new__, Mention)
"""A mention of a tuple of its fields: a NamedTuple's own constructor takes three times as long."""


def grouped(mentions: Iterable[Mention]) -> dict[str, list[Mention]]:
    """Mentions by kind, in order."""
    found: dict[str, list[Mention]] = {}
    for m in mentions:
        kind = m.kind
        if kind in found:
            found[kind].append(m)
        else:
            found[kind] = [m]
    return found


def scan(stream: Stream, lexicon: Lexicon) -> list[Mention]:
    """Mentions of the content lexicon, numbers and missions, in the order of the text."""
    found: list[Mention] = []
    texts, tries = stream.texts, lexicon.content
    following = [*texts[1:], END]
    done, nothing, denied = 0, -1, (0, 0)
    for index, (word, sort, _, _, digits) in enumerate(stream):
        if index < done:
            continue
        end, meanings, done = index, None, index + 1
        for trie in tries:
            if (node := trie.get(word)) is None:
                continue
            if not (END in node or following[index] in node or following[index] in ASKED_MARKS):
                continue  # most words that begin a phrase begin none here
            # Only an asked set's: "unfolded protein response (UPR)" is mostly no name with "UPR" in it.
            stop, hit = match(node, texts, index, ASKED_MARKS if trie is not tries[-1] else MARKS)
            exposed = hit is not None and hit[0][0] == "path" and texts[stop : stop + 1] in EXPOSED
            if hit is not None and stop > end and not exposed:
                end, meanings = stop, hit
        if meanings is None and digits is None and nothing < 0 and denied[0] < index and not _tells(word):
            continue
        if word == "the" and meanings is not None and _asked_behind(tries, texts, index, end):
            continue  # "the combination arm" where that arm is asked for
        opens = word in OPENS or (meanings is not None and meanings[0][0] == "neg")
        if opens and (no_change := unchanged(texts, index, end))[1] > end:
            denied = no_change
            if denied[0] > index:
                continue  # what is denied stands further on
        if denied[1] > end and denied[0] == index:
            end, meanings = denied[1], NO_CHANGE
            if noun := any_gene(texts, end):  # "does not change any gene"
                found += _no_genes(noun - 1, noun, noun)
        if digits is not None and (meanings is None or end == index + 1) and digits.unit != "name":
            end, number = _figure(stream, index, digits)
            if not cited(texts, index, end):
                found.append(new_mention(("num", number, index, end)))
                _times(texts, number, index, end, found)
            done = end
        elif word in ("not", "single") and (size := lone(texts, index, [m.first for m in found[-3:]])):
            found.append(Mention("num", NOUGHT if word == "not" else ONE, index, index + size))
            done = index + size
        elif word == "no" and end == index + 1 and (noun := no_gene(texts, index)):
            found += _no_genes(index, index + 1, noun)
            done = noun + 1
        elif meanings is not None and not (word == "no" and end == index + 1 and _opens(stream, index)):
            done = _phrase(stream, meanings, index, end, found)
        elif meanings is None and (special := _special(word)) and (special == "degree" or sort == "w"):
            told = degrees(texts, index, lambda at: _is_side(tries, texts, at)) if special == "degree" else []
            found += [Mention(kind, value, index, index + size) for kind, value, size in told]
            nothing = index if word in ("nothing", "none") else nothing
            done = index + told[0][2] if told else _other(stream, index, found)
        elif word in PASSING and (stop := limit(texts, index + 1)):
            found.append(Mention("sig", "", index, stop))
            done = stop
        elif nothing >= 0 and (word in SHOWING or word in ".;!?"):
            if word in SHOWING:
                found.append(Mention("neg", "", index, index + 1))
            nothing = -1
    return found


def _no_genes(first: int, last: int, noun: int) -> tuple[Mention, Mention]:
    """ "No gene": a count of 0, and what it counts."""
    return Mention("num", NOUGHT, first, last), Mention("quantity", "deg", noun, noun + 1)


def _asked_behind(tries: Sequence[Trie], texts: Sequence[str], index: int, end: int) -> bool:
    after = texts[index + 1 : index + 2]
    found = (match(trie[after[0]], texts, index + 1) for trie in tries[:-1] if after and after[0] in trie)
    return any(meanings is not None and stop > end for stop, meanings in found)


def _phrase(
    stream: Stream, meanings: list[tuple[str, Any]], index: int, end: int, found: list[Mention]
) -> int:
    """What the phrase of a lexicon means, with what stands beside it; returns the next token's index."""
    texts, kind = stream.texts, meanings[0][0]
    if meanings[0] == VEHICLE and (texts[end : end + 1] == ["as"] or texts[index - 1] in ("vs", "versus")):
        return end  # "with vehicle as the reference", "KMP vs vehicle"
    if kind == "path" and end == index + 1 and not SUBSTANCE.isdisjoint(texts[end : end + 1]):
        return end  # "cholesterol efflux" is not cholesterol homeostasis
    over = kind == "dir" and texts[end - 1] in ("above", "below")
    if over and of_chance(texts, index) and (stop := limit(texts, end)):
        # A p of 0.68 "is far above the cut-off", which is no direction; an NES may be above one.
        above = texts[end - 1] == "above"
        found.append(Mention("dir" if above else "sig", "NS" if above else "", index, stop))
        return stop
    if kind in NAMING:
        _beside(stream, meanings[0], index, end, found)
    if len(meanings) == 1:
        found.append(new_mention((*meanings[0], index, end)))
    else:
        found.extend(meant(meanings, index, end))
    tail = end - index > 2 and texts[index] not in BEING and texts[end - 1] in ("of", "in", "what")
    if kind == "dir" and (tail or over):
        found.append(Mention("cmp", "", end - 1, end))  # "twice those of": of the other side
    return end


def _is_side(tries: Sequence[Trie], texts: Sequence[str], at: int) -> bool:
    nodes = [trie[texts[at]] for trie in tries if texts[at] in trie] if at < len(texts) else []
    return any(kind == "frame" for node in nodes for kind, _ in match(node, texts, at)[1] or ())


@functools.lru_cache(maxsize=65536)
def _tells(word: str) -> bool:
    """Whether a word without a meaning of its own may have one by the words beside it."""
    return word in OPENS or word in PASSING or word in ("not", "no", "single") or _special(word) != ""


@functools.lru_cache(maxsize=65536)
def _special(word: str) -> str:
    """What a word that the lexicon lacks may tell: a direction by degree ("degree"), "other", or ""."""
    if word in WORDS or PREFIXED.fullmatch(word) is not None:
        return "degree"
    return "other" if word in UNLISTED or word.startswith(MISSIONS) or word.endswith("fold") else ""


def _times(texts: Sequence[str], number: Number, first: int, last: int, found: list[Mention]) -> None:
    """The direction in "8x those of normal lung" and "0.3-fold that in controls"."""
    timed = texts[last : last + 1] == ["time"]
    if not timed and number.unit != "ratio":
        return
    pronoun, link = [*texts[last + timed : last + timed + 2], "", ""][:2]
    if pronoun in ("those", "that") and link in ("of", "in"):
        found.append(Mention("dir", "UP" if number.value > 1 else "DOWN", first, last + timed))
        found.append(Mention("cmp", "", last + timed, last + timed + 2))


def scan_stance(stream: Stream, lexicon: Lexicon) -> list[Mention]:
    """Mentions of the stance lexicon: abstention, confidence, yes and no, answer, guess."""
    found: list[Mention] = []
    done, trie, texts = 0, lexicon.stance, stream.texts
    for index in [i for i, word in enumerate(texts) if word in trie]:
        if index < done:
            continue
        end, meanings = match(trie[texts[index]], texts, index)
        if meanings is not None:
            found.extend([new_mention((kind, value, index, end)) for kind, value in meanings])
            if end > index + 1 and ("bar", "") in trie[texts[index]].get(END, ()):
                found.append(Mention("bar", "", index, index + 1))
            if not all(kind in OVERLAPPING for kind, _ in meanings):
                done = end
    return found


def _beside(stream: Stream, meaning: tuple[str, Any], first: int, last: int, found: list[Mention]) -> None:
    """What stands beside a set's name and is a direction there: "more OXPHOS", "OXPHOS genes go up"."""
    kind, value = meaning
    if kind == "path":
        before = stream.texts[first - 1] if first else ""
        after = stream.texts[last] if last < len(stream) else ""
        if before in DEGREES and after not in COUNTED_OF and (not found or found[-1].last < first):
            found.append(Mention("dir", DEGREES[before], first - 1, first))
        lead = stream.texts[max(0, first - 3) : first]
        if len(lead) == 3 and lead[0] in DEGREES and lead[1:] == ["transcript", "of"]:
            found.append(Mention("dir", DEGREES[lead[0]], first - 3, first - 2))
    elif (
        value == "ratio"
        and last < len(stream)
        and stream.texts[last] in {"as": AMOUNTS, "the": LEVELS}.get(stream.texts[last - 1], ())
    ):
        number = found[-1].value.value if found and found[-1].kind == "num" else 2.0
        end = last + (stream.texts[last - 1] == "as")  # "three times as much as"
        found.append(Mention("dir", "UP" if number > 1 else "DOWN", first, end))
        if end == last and stream.texts[last + 1 : last + 2] in (["of"], ["in"]):
            found.append(Mention("cmp", "", last + 1, last + 2))  # "1.8 times the level of"
    elif value in DIRECTED and "among" in stream.texts[max(0, first - 5) : first]:
        found.append(Mention("dir", DIRECTED[value], first, last))  # "among the most induced genes"
    elif (
        value in DIRECTED
        and last > first + 1
        and stream.texts[first] in OF_SETS
        and found
        and found[-1].kind == "path"
        and found[-1].last == first
    ):
        found.append(Mention("dir", DIRECTED[value], first + 1, last))


def meant(meanings: list[tuple[str, Any]], first: int, last: int) -> list[Mention]:
    """What a phrase of several meanings is: every set that it may stand for, or each of them."""
    paths = tuple(dict.fromkeys(key for kind, value in meanings if kind == "path" for key in value))
    if paths:
        return [Mention("path", paths, first, last)]
    return [Mention(kind, value, first, last) for kind, value in meanings]


def _opens(stream: Stream, index: int) -> bool:
    """True for the "No" of "No, it falls": an answer, not a negation of what follows."""
    return all(t.kind == "p" for t in (*stream[max(0, index - 1) : index], *stream[index + 1 : index + 2]))


def _figure(stream: Stream, index: int, digits: Number) -> tuple[int, Number]:
    """A number with what stands behind it, the end of a range or "million": (its end, the number)."""
    end, number = _range(stream, index, digits)
    if end < len(stream) and stream.texts[end] in LARGE and not number.unit and number.low is None:
        return end + 1, number._replace(value=number.value * LARGE[stream.texts[end]], scaled=True)
    return end, number


def _range(stream: Stream, index: int, number: Number) -> tuple[int, Number]:
    """A range or a bound that begins or ends at this number: (its end, the number with low and high)."""
    texts = stream.texts
    after = texts[index + 1] if index + 1 < len(texts) else ""
    before = texts[index - 1] if index else ""
    if after in JOINS and index + 2 < len(texts) and (second := stream[index + 2].number) is not None:
        joined = (
            after == "–"
            or (before == "between" and after == "and")
            or (before == "from" and index > 1 and texts[index - 2] == "anywhere" and after == "to")
        )
        sum_follows = after == "–" and index + 3 < len(texts) and texts[index + 3] in ("=", "≈")
        if joined and not sum_follows:
            raised = second.scaled and not number.scaled and number.value < second.value / 100
            low, high = sorted((number.value * (1000.0 if raised else 1.0), second.value))
            unit = number.unit or second.unit
            return index + 3, Number((low + high) / 2, unit, number.word, False, 0, False, low, high)
    return index + 1, bounded(texts, index, number)


def _other(stream: Stream, index: int, found: list[Mention]) -> int:
    """What is not in the lexicon: missions, number words, "none". Returns the next token's index."""
    word = stream.texts[index]
    if mission := MISSION.match(f"{' '.join(stream.texts[index : index + 3])} "):
        end = index + mission[0].count(" ")
        found.append(Mention("mission", f"{mission[1] or 'rr'}{mission[2]}", index, end))
        return end
    if word == "tbd":
        found.append(Mention("mission", "osd397", index, index + 1))
    elif word in WORD_NUMBERS:
        end, number = spelt(stream.texts, index)
        if number is not None:
            found.append(Mention("num", number, index, end))
        return end
    elif word.endswith("fold") and word[:-4] in WORD_NUMBERS:
        value = float(WORD_NUMBERS[word[:-4]])
        found.append(Mention("num", Number(value, "ratio", word, False, 0, False), index, index + 1))
    elif word == "none" and index and stream.texts[index - 1] in ("in", "for", "at", "under"):
        found.append(Mention("neg", "", index, index + 1))
    elif word in NONE_WORDS:
        found.append(Mention("num", NOUGHT._replace(word="none"), index, index + 1))
    return index + 1
