"""What a text says against itself, by the checks that the verifier ``consistency`` uses."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.ratios import close, plain_of
from biorlhf_plugins.check.reading import Reading
from biorlhf_plugins.language.evidence.checks import text_checks
from biorlhf_plugins.language.evidence.records import Check
from biorlhf_plugins.language.words.numbers import Number

KINDS = {
    "arithmetic": "wrong_arithmetic",
    "parts and whole": "wrong_arithmetic",
    "a difference of its figures": "wrong_arithmetic",
    "ratios and percentages": "wrong_ratio",
    "shares of a whole": "wrong_percentage",
    "an interval holds its estimate": "wrong_interval",
    "a direction against its figure": "wrong_direction",
    "significance against the p value": "wrong_significance",
    "significance against the interval": "wrong_significance",
    "a ranking against its figures": "wrong_ranking",
    "a superlative against its figures": "wrong_ranking",
    "a comparison against its figures": "wrong_comparison",
    "yes or no against the comparison": "wrong_comparison",
    "yes or no against the evidence": "wrong_comparison",
    "a universal against an exception": "universal_with_exception",
}
"""A check's name -> a finding's kind; every other one is "contradicts_itself"."""


def check_inside(reading: Reading) -> Iterator[Finding]:
    """Everything in the text that something else in it contradicts."""
    seen: set[tuple[str, str]] = set()
    for check in text_checks(reading.evidence):
        kind = _kind(check)
        quote = _quote(reading, check)
        if check.name == "a superlative against its figures" and _several(reading, quote):
            continue
        # Several checks may fail on one sentence; a person has to look at it once.
        if check.passed or (kind, quote) in seen or (kind == "wrong_ratio" and _further_off(reading, check)):
            continue
        seen.add((kind, quote))
        yield Finding(reading.text.index, ERROR, kind, quote, check.expected, check.says)


def _further_off(reading: Reading, check: Check) -> bool:
    """Whether a ratio is of a figure beside it and one of another sentence or of the question."""
    start = check.spans[-1][0]
    for line in reading.whole:
        m = line.at(start) if line.start <= start < line.end else None
        if m is not None and isinstance(m.value, Number):
            sides = [(a, b) for a in plain_of(line) for other in reading.all_lines() for b in plain_of(other)]
            return any(close(m.value, max(a, b) / min(a, b), "ratio") for a, b in sides[:400])
    return False


def _several(reading: Reading, quote: str) -> bool:
    """Whether a superlative is of figures under several conditions: "33 and 910 are least under these"."""
    lines = [line for line in reading.whole if reading.quote(line) == quote]
    return any(len(line.values("condition")) > 1 and len(line.numbers("")) > 1 for line in lines)


def _kind(check: Check) -> str:
    kind = KINDS.get(check.name, "contradicts_itself")
    return "wrong_percentage" if kind == "wrong_ratio" and check.says.endswith("%") else kind


def _quote(reading: Reading, check: Check) -> str:
    if not check.spans:
        return ""
    start, end = min(s for s, _ in check.spans), max(e for _, e in check.spans)
    lines = [line for line in reading.whole if line.start < end and start < line.end]
    return (
        reading.text.answer[lines[0].start : lines[-1].end].strip()
        if lines
        else reading.text.answer[start:end]
    )
