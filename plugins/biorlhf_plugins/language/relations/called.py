"""What a thing is called, first and in the end: "Bmal1 is rhythmic. In summary, it is arrhythmic"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence, content
from biorlhf_plugins.language.words.text import vocabulary

IS = frozenset(("is", "are", "was", "were", "remain", "remained"))
SO = frozenset(("so", "thus", "hence", "therefore", "summary", "conclusion", "overall", "short", "conclude"))
UNSAID = FUNCTION | SO
PRONOUNS = frozenset(("it", "they", "this"))
PREFIXES = ("un", "in", "non", "a", "ar", "im", "ir", "dis")
OPPOSITES = {
    "benign": "pathogenic", "absent": "present", "sensitive": "resistant", "susceptible": "resistant",
    "dispensable": "essential", "negative": "positive", "recessive": "dominant", "sterile": "fertile",
    "lethal": "viable", "silent": "expressed", "somatic": "germline", "dead": "alive", "hypoxic": "normoxic",
}  # fmt: skip
"""A word, and the one that it excludes; others are told by their prefix."""
LIMITS = vocabulary("if when unless may might could would only some most partly")
ALL = frozenset(("all", "every", "each"))
SENTENCES = 40


class Called(NamedTuple):
    """``subject`` is called ``word``, or not (``no``)."""

    subject: frozenset[str]
    word: str
    no: bool
    number: int
    at: int


def called(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts, told = found.stream.texts, list(_told(found))
    for last in told:
        for one in told:
            alike = last.subject == one.subject or (not last.subject and one.number == last.number - 1)
            opposed = _opposed(one.word, last.word)
            # "It was negative. It is positive" tells of two times.
            if one.number >= last.number or not one.subject or not alike or texts[one.at] != texts[last.at]:
                continue
            if one.word == last.word or opposed:
                passed = (one.no != last.no) if opposed else (one.no == last.no)
                says = f"{'not ' * one.no}{one.word}, and in the end {'not ' * last.no}{last.word}"
                spans = (found.span(one.at, one.at + 1), found.span(last.at, last.at + 1))
                yield Check("the conclusion against its reasons", passed, says, spans)
                return


def _told(found: Evidence) -> Iterator[Called]:
    """Every "X is (not) Y" whose Y ends its clause, in a sentence of one such."""
    texts = found.stream.texts
    for number, part in enumerate(found.parts[:SENTENCES]):
        here = texts[part.first : part.last]
        being = [i for i, word in enumerate(here, part.first) if word in IS]
        if len(being) != 1 or not being[0] or not LIMITS.isdisjoint(here):
            continue
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        at = being[0]
        subject = content(found.stream, part.first, at) - SO
        end = next(
            (
                i
                for i in range(at + 1, part.last - 1)
                if texts[i] == "in" and texts[i + 1] in ALL and i + 3 >= part.last
            ),
            part.last,
        )
        rest = [w for w in texts[at + 1 : end] if w not in UNSAID or w == "not"]
        no = rest[:1] == ["not"]
        words = rest[no:]
        pronoun = not PRONOUNS.isdisjoint(texts[part.first : at])
        if len(words) == 1 and words[0].isalpha() and (subject or pronoun):
            yield Called(subject, words[0], no, number, at)


def _opposed(one: str, other: str) -> bool:
    """Whether two words exclude each other: "rhythmic" and "arrhythmic", "benign" and "pathogenic"."""
    if OPPOSITES.get(one) == other or OPPOSITES.get(other) == one:
        return True
    short, long = sorted((one, other), key=len)
    return len(short) > 4 and any(long == prefix + short for prefix in PREFIXES)
