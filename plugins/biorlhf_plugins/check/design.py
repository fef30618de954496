"""Arithmetic that stands in the text: written sums, and the animals and samples of a design."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.reading import Reading

_N = r"(\d[\d,]*+(?:\.\d++)?+)"  # possessive: a number is never cut short to make a match
OPERATION = re.compile(
    rf"(?<![\d.,/+*×x÷-])(?<![+\-−*/×÷] )~?{_N}\s*([+\-−–*×x/÷])\s*~?{_N}"
    rf"\s*=\s*[~≈]?\s*{_N}\s*(%)?(?!\s*[+*/÷])"
)
SUM = re.compile(rf"(?<![\d.,]){_N}((?:\s*\+\s*{_N}){{2,}})\s*=\s*[~≈]?\s*{_N}(?!\s*[+*/×÷%])")
PER_GROUP = re.compile(
    r"(?:\bn\s*=\s*(?P<n>\d+)\s*(?:per|/|in each)\s*group"
    r"|(?P<m>\d+)\s*(?:mice|animals|rats|subjects)\s*(?:per|/)\s*group)"
    r"(?P<rest>[^\n]{0,60})",
    re.IGNORECASE,
)
TOTAL = re.compile(
    r"(?:approximately|about|~)?\s*(\d+)\s*(?:mice|animals|rats|subjects)(?:\s+(?:in )?total)?\b",
    re.IGNORECASE,
)
GROUPS = re.compile(r"(\d+)\s*groups\b", re.IGNORECASE)
SIDES = re.compile(
    rf"(?<![\d.,<>]){_N} (?:degs?|genes|mice|samples)?,? ?(?:which is |is |that is )?"
    r"(?P<side>below|above|less than|fewer than|more than|greater than|larger than|smaller than) "
    rf"{_N}(?![\d.,]*[%×])",
    re.IGNORECASE,
)
LARGER = ("above", "more than", "greater than", "larger than")
TOLERANCE = 0.02


def check_arithmetic(reading: Reading) -> Iterator[Finding]:
    """ "a + b = c", "a / b = c", "a - b = c" where c is not the result."""
    text = reading.text.answer
    for found in SUM.finditer(text):
        parts = [_value(part) for part in re.findall(_N, found.group(0).partition("=")[0])]
        yield from _judge(reading, found, sum(parts), _value(found.groups()[-1]))
    for found in OPERATION.finditer(text):
        a, sign, b, c = found.group(1), found.group(2), found.group(3), found.group(4)
        result = _result(_value(a), sign, _value(b))
        if result is None:
            continue
        yield from _judge(reading, found, result * (100 if found.group(5) else 1), _value(c))


def check_sides(reading: Reading) -> Iterator[Finding]:
    """ "1,221 DEGs, below 1,000": two figures on the wrong sides of each other."""
    for found in SIDES.finditer(reading.text.answer):
        first, second = _value(found.group(1)), _value(found.group(3))
        if first != second and (first > second) != (found["side"].lower() in LARGER):
            yield Finding(
                reading.text.index, ERROR, "wrong_comparison", found.group(0),
                f"{first:,g} is {'above' if first > second else 'below'} {second:,g}", "the wrong side",
            )  # fmt: skip


def _result(a: float, sign: str, b: float) -> float | None:
    if sign == "+":
        return a + b
    if sign in "-−–":
        return a - b
    if sign in "*×x":
        return a * b
    return a / b if b else None


def _judge(reading: Reading, found: re.Match[str], right: float, said: float) -> Iterator[Finding]:
    decimals = (
        len(found.group(0).rstrip("% ").rpartition(".")[2]) if "." in found.group(0).rpartition("=")[2] else 0
    )
    if (
        abs(right - said) <= max(TOLERANCE * abs(right), 0.51 * 10**-decimals)
        or abs(abs(right) - said) < 0.51
    ):
        return
    yield Finding(
        reading.text.index,
        ERROR,
        "wrong_arithmetic",
        found.group(0).strip(),
        f"{right:,.4g}",
        "it does not add up",
    )


def _value(text: str) -> float:
    return float(text.replace(",", ""))


def check_design(reading: Reading) -> Iterator[Finding]:
    """n per group times the number of groups is the number of animals."""
    text = reading.text.answer
    for found in PER_GROUP.finditer(text):
        n = int(found["n"] or found["m"])
        groups = GROUPS.search(found["rest"])
        count = int(groups.group(1)) if groups else _listed_after(text, found.end())
        total = TOTAL.search(found["rest"]) or None
        if not count or total is None or int(total.group(1)) == n * count:
            continue
        yield Finding(
            reading.text.index, ERROR, "wrong_arithmetic", text[found.start() : found.end()].strip(),
            f"{n} per group in {count} groups are {n * count}",
            f"{total.group(1)} animals do not fit the groups",
        )  # fmt: skip


def _listed_after(text: str, position: int) -> int:
    """How many numbered items follow directly."""
    count = 0
    for line in text[position:].splitlines()[1:]:
        if not re.match(rf"\s*(?:\*\*)?{count + 1}[.)]\s", line):
            break
        count += 1
    return count
