"""The confidence that a block states: a number, so many of ten, or high, medium, low."""

from __future__ import annotations

import re

from biorlhf_plugins.language.block.values import BREAKS, vocabulary
from biorlhf_plugins.language.words.lexicon import longest
from biorlhf_plugins.language.words.text import clean, tokens

SURE = re.compile(
    r"^[~≈<>=\s]*(?:about|around|approximately|roughly|circa|etwa|ca\.?|environ)?\s*"
    r"(?P<n>\d{1,3}(?:[.,]\d{1,3})?|\.\d{1,3})\s*(?P<unit>%|percent\b|per cent\b|prozent\b|pour ?cent\b|"
    r"/\s?(?P<of>10{1,2})\b|out of (?P<out>10{1,2})\b|von (?P<von>10{1,2})\b|sur (?P<sur>10{1,2})\b)?\s*"
    r"(?P<rest>$|[.,;:)(\]|*_`\"'}<!—–].*|\s+(?:sure|certain|confident|confidence|sicher|sûr)\b.*)",
    re.IGNORECASE | re.DOTALL,
)


def read_confidence(value: str) -> tuple[float | None, str]:
    """(confidence in [0, 1], what is wrong with it): a number, x of 10, or high, medium, low."""
    text = clean(value).text.strip().strip("*_`|\"' ")
    match = SURE.match(text)
    if match:
        number = float(match["n"].replace(",", "."))
        of = match["of"] or match["out"] or match["von"] or match["sur"]
        whole = float(of) if of else 100.0 if match["unit"] or number > 1 else 1.0
        if number > whole:
            return None, f"a confidence above {whole:g}: {value.strip()!r:.40}"
        return number / whole, ""
    stream = tokens(clean(text).text)
    end, meanings = longest(vocabulary()["confidence"], stream, 0)
    rest = [t.text for t in stream[end:]]
    if meanings and (
        not rest
        or rest[0] in BREAKS
        or rest[0] in ("confidence", "certainty", "sicherheit")
        or not rest[0].isalnum()
    ):
        return float(meanings[0][1]), ""
    return None, f"no confidence: {value.strip()!r:.40}"
