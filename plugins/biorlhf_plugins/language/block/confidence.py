"""The confidence that a block states: a number, so many of ten, or high, medium, low."""

from __future__ import annotations

import re

from biorlhf_plugins.language.block.values import BREAKS, numbers_of, vocabulary
from biorlhf_plugins.language.words.lexicon import longest
from biorlhf_plugins.language.words.text import clean, stream_of, tokens

_OF = r"\d{1,3}\b"
SURE = re.compile(
    r"^[~≈=\s]*(?:i(?: a|')m\s|i(?: woul|')d say\s)?\s*"
    r"(?:about|around|approximately|roughly|circa|etwa|ca\.?|environ)?\s*"
    r"(?P<n>\d{1,3}(?:[.,]\d{1,3})?|\.\d{1,3})\s*"
    rf"(?P<unit>%{{1,2}}|percent\b|pct\b|per cent\b|prozent\b|pour ?cent\b|"
    rf"/\s?(?P<of>{_OF})(?!\s?%)|(?:out of|in|von|sur) (?P<out>{_OF}))?\s*"
    r"(?P<rest>$|\s*(?![.,]\d)[^\w\s%±+-].*|\s+(?:sure|certain|confident|confidence|sicher|sûr|because|"
    r"since|given|based|-)(?:[\s.,;]|$).*)",
    re.IGNORECASE | re.DOTALL,
)
LABELLED = re.compile(r"^[\s*_:]*(?:(?:my )?(?:confidence|certainty)[\s*_]{0,4}(?:is|:|=))?")
SAME, ALIKE = 0.015, 0.25
"""Two figures that differ by more contradict each other; a word and a figure may differ by ``ALIKE``."""


def read_confidence(value: str) -> tuple[float | None, str]:
    """(confidence in [0, 1], what is wrong with it): a number, x of 10, or high, medium, low.

    What follows may say it again, "0.9 (90%)", and may not say another.
    """
    text = LABELLED.sub("", clean(value).text.replace("\\boxed", "")).strip("*_`|\"'(){}[]!$ \t\n")
    text = text[1:-1] if text[:1] == "<" and text[-1:] == ">" else text
    if match := SURE.match(_figures(text)):
        number = float(match["n"].replace(",", "."))
        of = match["of"] or match["out"]
        whole = float(of) if of else 100.0 if match["unit"] or number >= 2 else 1.0
        if number > whole or not whole:
            return None, f"a confidence above {whole:g}: {value.strip()!r:.40}"
        return _with(number / whole, match["rest"], value, SAME)
    stream = stream_of(text)
    end, meanings = longest(vocabulary()["confidence"], stream, 0)
    rest = stream[end:]
    named = ("confidence", "certainty", "sicherheit")
    if meanings and (not rest or rest[0].text in (*BREAKS, *named) or not rest[0].text.isalnum()):
        return _with(float(meanings[0][1]), text[rest[0].start :] if rest else "", value, ALIKE)
    return None, f"no confidence: {value.strip()!r:.40}"


def _figures(text: str) -> str:
    """A text that begins with a number in words, with its numbers in figures: "eight out of ten"."""
    stream = tokens(text) if text[:1].isalpha() else tokens("")
    for number in reversed(numbers_of(stream)):
        if stream[number.first].kind == "w":
            first, last = stream[number.first].start, stream[number.last - 1].end
            text = f"{text[:first]}{number.value.value:g}{text[last:]}"
    return text


def _with(stated: float, rest: str, value: str, most: float) -> tuple[float | None, str]:
    again = read_confidence(rest.strip(" .,;:()[]|=/—–→-"))[0] if rest.strip(" .") else None
    if again is None:
        return stated, ""
    word = SURE.match(rest.strip(" .,;:()[]|=/—–→-")) is None
    if abs(stated - again) > (ALIKE if word else most):
        return None, f"two confidences: {value.strip()!r:.40}"
    return (stated if word or most == SAME else again), ""
