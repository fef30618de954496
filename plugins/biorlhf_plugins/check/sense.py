"""What figures cannot mean: interaction counts read as sets, and templates that leaked a missing value."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, WARNING, Finding
from biorlhf_plugins.check.reading import Reading
from biorlhf_plugins.check.table import FactTable, Figure

AS_SET = re.compile(
    r"\bneither\b.{0,40}\bnor\b|\bnot in either\b|\bnot (?:seen|found|present) in (?:either|any)\b"
    r"|\bonly when both\b|\b(?:genes|degs) (?:that )?(?:only )?change only\b",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"[=:→]\s*(?:N/A|NaN|None|null|undefined|inf)\b(?!\w)|\{[a-z_]+\}|<[A-Z_]{3,}>|\bTODO\b", re.IGNORECASE
)
COMPARES = re.compile(
    r"\b(?:opposite|differ(?:ent|s)?|similar|same|contrasting|higher|lower|larger|smaller) (?:\w+ )?"
    r"(?:patterns?|responses?|effects?|directions?|than)\b",
    re.IGNORECASE,
)


def check_interaction_sets(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """An interaction term counts genes whose effect differs; it says nothing of where else they stand."""
    terms = _interactions(reading, table)
    for line in reading.lines:
        quote = reading.quote(line)
        values = {number.value for number in line.numbers("")}
        used = [figure for figure in terms if figure.value in values]
        if used and AS_SET.search(quote):
            yield reading.finding(
                line,
                "interaction_as_set",
                "genes for which the interaction term is significant; they may overlap the main effects",
                f"{used[0].words} is the count of an interaction term, not a set of genes of its own",
            )


def _interactions(reading: Reading, table: FactTable) -> list[Figure]:
    stated = set(reading.figures())
    named = {v for line in reading.all_lines() for v in line.values("entity")}
    return [
        f for f in table.find(quantity="deg") if f.is_interaction and f.value in stated and f.entity in named
    ]


def check_placeholders(reading: Reading) -> Iterator[Finding]:
    """A missing value that a template printed; worse where the text then builds on it."""
    for line in reading.lines:
        quote = reading.quote(line)
        # "Undefined" is the right word for a ratio to zero.
        if not PLACEHOLDER.search(quote) or "undefined" in quote.lower():
            continue
        built_on = COMPARES.search(reading.text.answer[line.end :])
        told, severity = "a placeholder stands where a figure belongs", WARNING
        if built_on:
            told, severity = f"the text has no figure here and still says {built_on.group(0)!r}", ERROR
        yield reading.finding(line, "missing_value", "a figure, or 'not known'", told, severity)
