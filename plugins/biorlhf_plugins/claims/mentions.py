"""Mentions: which tokens name a tissue, a set, a direction, a number, a negation. One step per token."""

from __future__ import annotations

from typing import NamedTuple

from biorlhf_plugins.claims.lexicon import END, Lexicon, longest
from biorlhf_plugins.claims.numbers import Number
from biorlhf_plugins.claims.text import Token

UNITS = {
    w: n
    for n, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen".split()
    )
}
TENS = {
    w: 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
WORD_NUMBERS = {**UNITS, **TENS, **LARGE}
MISSIONS = ("rr", "mhu", "osd", "glds", "sts", "bion")
COUNTED = frozenset(("deg", "gene", "differentially", "significant", "transcript", "de", "differential"))
NONE_WORDS = frozenset(("none", "nil", "zilch"))
DATABASE_WORDS = frozenset(("hallmark", "kegg", "reactome", "mitocarta"))


class Mention(NamedTuple):
    """Tokens [first, last) that mean ``value`` of ``kind``; numbers carry their Number as value."""

    kind: str
    value: object
    first: int
    last: int


def scan(stream: list[Token], lexicon: Lexicon) -> list[Mention]:
    """Mentions of the content lexicon, numbers and missions, in the order of the text."""
    found: list[Mention] = []
    index, total = 0, len(stream)
    tries = lexicon.content
    while index < total:
        token = stream[index]
        end, meanings = index, None
        for trie in tries:
            if token.text in trie:
                stop, hit = longest(trie, stream, index)
                if hit is not None and stop > end:
                    end, meanings = stop, hit
        if (
            token.number is not None
            and (meanings is None or end == index + 1)
            and token.number.unit != "name"
        ):
            found.append(Mention("num", token.number, index, index + 1))
            index += 1
        elif meanings is not None:
            found.extend(_meant(meanings, index, end))
            index = end
        else:
            index = _other(stream, index, found)
    return found


def scan_stance(stream: list[Token], lexicon: Lexicon) -> list[Mention]:
    """Mentions of the stance lexicon: abstention, confidence, yes and no, answer, guess."""
    found: list[Mention] = []
    index, trie = 0, lexicon.stance
    while index < len(stream):
        if stream[index].text in trie:
            end, meanings = longest(trie, stream, index)
            if meanings is not None:
                found.extend(Mention(kind, value, index, end) for kind, value in meanings)
                index = end
                continue
        index += 1
    return found


def _meant(meanings: list, first: int, last: int) -> list[Mention]:
    paths = tuple(dict.fromkeys(key for kind, value in meanings if kind == "path" for key in value))
    if paths:
        return [Mention("path", paths, first, last)]
    return [Mention(kind, value, first, last) for kind, value in meanings]


def _other(stream: list[Token], index: int, found: list[Mention]) -> int:
    """What is not in the lexicon: missions, number words, "none". Returns the next token's index."""
    word = stream[index].text
    if stream[index].kind != "w":
        return index + 1
    letters = word.rstrip("0123456789")
    if letters in MISSIONS:
        following = stream[index + 1] if index + 1 < len(stream) else None
        if letters != word:
            found.append(Mention("mission", word, index, index + 1))
        elif following and following.number and following.end - following.start < 5:
            found.append(Mention("mission", f"{letters}{following.text}", index, index + 2))
            return index + 2
    elif word == "tbd":
        found.append(Mention("mission", "osd397", index, index + 1))
    elif word == "rodent" and [t.text for t in stream[index + 1 : index + 2]] == ["research"]:
        following = stream[index + 2] if index + 2 < len(stream) else None
        if following and following.text.isdigit():
            found.append(Mention("mission", f"rr{following.text}", index, index + 3))
            return index + 3
        if following and following.text.startswith("research"):
            return index + 2
    elif word in WORD_NUMBERS:
        return _number_words(stream, index, found)
    elif word in NONE_WORDS:
        found.append(Mention("num", Number(0.0, "", "none", False, 0, False), index, index + 1))
    return index + 1


def _number_words(stream: list[Token], index: int, found: list[Mention]) -> int:
    total, current, end = 0, 0, index
    while end < len(stream) and end < index + 16:
        word = stream[end].text
        if word in UNITS or word in TENS:
            current += WORD_NUMBERS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in LARGE:
            total, current = total + max(current, 1) * LARGE[word], 0
        elif not (
            word == "and"
            and end + 1 < len(stream)
            and stream[end + 1].text in WORD_NUMBERS
            and current >= 100
        ):
            break
        end += 1
    following = stream[end].text if end < len(stream) else END
    single = end == index + 1
    pronoun = single and stream[index].text == "one" and following not in COUNTED
    if not pronoun:
        word = str(total + current)
        found.append(Mention("num", Number(float(total + current), "", word, False, 0, False), index, end))
    return end
