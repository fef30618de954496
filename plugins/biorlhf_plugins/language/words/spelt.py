"""Numbers in words: "twenty-one", "two hundred and six", "one in ten", "no gene"."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.words.numbers import Number, bounded
from biorlhf_plugins.language.words.text import vocabulary

UNIT_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen"""
TEN_WORDS = "twenty thirty forty fifty sixty seventy eighty ninety"
UNITS = {word: number for number, word in enumerate(UNIT_WORDS.split())}
TENS = {word: 10 * number for number, word in enumerate(TEN_WORDS.split(), start=2)}
LARGE = {"dozen": 12, "hundred": 100, "thousand": 1000, "million": 1_000_000}
WORD_NUMBERS = {**UNITS, **TENS, **LARGE}
SPELT = (("percent", "percent", 1), ("per", "cent", "percent", 2), ("%", "percent", 1), ("fold", "ratio", 1))
COUNTED = frozenset(("deg", "gene", "differentially", "significant", "transcript", "de", "differential"))

NOT_COUNTED = vocabulary(
    "can could is be may might will would should set count name number list ontology alone was were that"
)
OF_GENES = NOT_COUNTED | {"signature", "pathway", "module", "program", "family"}
BEING = frozenset(("is", "are", "was", "were"))


def spelt(texts: Sequence[str], index: int) -> tuple[int, Number | None]:
    """Where the number in words ends that begins at a token, and the number; None for the pronoun "one"."""
    total, current, end = 0, 0, index
    while end < len(texts) and end < index + 16:
        word = texts[end]
        if word in UNITS or word in TENS:
            current += WORD_NUMBERS[word]
        elif word == "hundred":
            current = max(current, 1) * 100
        elif word in LARGE:
            total, current = total + max(current, 1) * LARGE[word], 0
        elif not (
            word == "and"
            and end + 1 < len(texts)
            and texts[end + 1] in WORD_NUMBERS
            and (current >= 100 or (total and not current))
        ):
            break
        end += 1
    following = texts[end] if end < len(texts) else ""
    single = end == index + 1
    pronoun = single and texts[index] == "one" and following not in COUNTED
    alone = texts[max(0, index - 1)] in ("just", "only", "exactly") and not following.isalnum()
    pronoun = pronoun and not _odds(texts, end) and not alone  # "Just one."
    if pronoun:
        return end, None
    unit, size = next(((u, n) for *w, u, n in SPELT if texts[end : end + n] == w), ("", 0))
    end += size
    number = Number(float(total + current), unit, str(total + current), False, 0, False)
    number = bounded(texts, index - (texts[index - 1] == "a"), number)
    return end, number


def _odds(texts: Sequence[str], end: int) -> bool:
    """True for the "in ten" or "out of ten" after "one"."""
    after = texts[end : end + 3]
    number = after[1:2] if after[:1] == ["in"] else after[2:3] if after[:2] == ["out", "of"] else []
    return bool(number) and (number[0] in WORD_NUMBERS or number[0].isdigit())


def lone(texts: Sequence[str], index: int, known: Sequence[int]) -> int:
    """Tokens of "not a single" or "not one", a count of none, or of the "single" of "a single gene"; else 0.

    What follows is no count where a mention behind it is ``known`` already: "does not affect a single gene".
    """
    if texts[index : index + 3] == ["not", "a", "single"]:
        return 3
    if texts[index : index + 2] == ["not", "one"]:
        return 2 * (texts[index + 2 : index + 3] in (["gene"], ["deg"], ["transcript"]))
    led = texts[index] == "single" and texts[max(0, index - 1)] in ("a", "one", "the", "only")
    after = texts[index + 1 : index + 3] if led and max(known, default=0) <= index else []
    return int(after[:1] in (["gene"], ["deg"], ["transcript"]) and OF_GENES.isdisjoint(after[1:]))


def any_gene(texts: Sequence[str], end: int) -> int:
    """The noun's index in "(does not change) any gene", "a single gene"; 0 where none is counted."""
    at = end if texts[end - 1] == "any" else end + 1 if texts[end : end + 1] == ["any"] else 0
    at = end + 2 if texts[end : end + 2] == ["a", "single"] else at
    after = texts[at + 1 : at + 2]
    counts = at and texts[at : at + 1] and texts[at] in ("gene", "deg", "transcript")
    return at if counts and OF_GENES.isdisjoint(after) else 0


def no_gene(texts: Sequence[str], index: int) -> int:
    """The noun's index where "no … gene" counts zero genes; 0 where it does not."""
    for at in range(index + 1, min(index + 5, len(texts))):
        word = texts[at]
        if word in ("gene", "deg", "transcript"):
            after = texts[at + 1] if at + 1 < len(texts) else ""
            tested = after in BEING and texts[at + 2 : at + 3] in (
                ["differentially"],
                ["significantly"],
            )
            return 0 if after in NOT_COUNTED and not tested else at
        if word not in COUNTED and word not in ("statistically", "single", "expressed", "individual", "such"):
            return 0
    return 0
