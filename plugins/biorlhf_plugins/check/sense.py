"""What figures cannot mean: interaction counts read as sets, unsigned figures read as directions, groups that
do not make the animals, and templates that leaked a missing value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, WARNING, Finding
from biorlhf_plugins.check.reading import Reading
from biorlhf_plugins.check.table import FactTable, Figure
from biorlhf_plugins.language.records import OPPOSITE

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
HEDGE = re.compile(
    r"\b(?:may|might|could|would|if|whether|predict|expect|hypothes|suggest|cannot|no data)", re.IGNORECASE
)
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
DIFFERENCE = re.compile(r"(\d[\d,]*)\s*[-−–]\s*(\d[\d,]*)\s*=\s*(\d[\d,]*)")


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


def check_interaction_sums(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """An interaction's count less a main effect's count is no number of anything."""
    terms = _interactions(reading, table)
    entities = {figure.entity for figure in terms}
    mains = [f for f in table.find(quantity="deg") if not f.is_interaction and f.entity in entities]
    for line in reading.lines:
        quote = reading.quote(line)
        match = DIFFERENCE.search(quote)
        if match is None:
            continue
        first, second = (float(text.replace(",", "")) for text in match.groups()[:2])
        term = next((f for f in terms if f.value == first), None)
        main = next(
            (f for f in mains if f.value == second and f.entity == (term.entity if term else "")), None
        )
        if term is not None and main is not None:
            told = f"{term.words} less {main.words}: counts of different tests cannot be subtracted"
            yield reading.finding(line, "interaction_arithmetic", "not computable from counts of genes", told)


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


def check_unsigned(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """A direction for a gene of which the table only has an absolute change."""
    if not table.features:
        return
    for line in reading.lines:
        genes = [text for text in line.texts if text in table.features]
        ways = [m for m in line.mentions if m.kind == "dir" and m.value in OPPOSITE]
        # What is supposed or asked needs no sign in the table.
        if genes and ways and not HEDGE.search(reading.quote(line)):
            names = ", ".join(dict.fromkeys(gene.capitalize() for gene in genes))
            expected = f"the table has an absolute change for {names}, without a sign or a contrast"
            told = f"{' '.join(line.texts[ways[0].first : ways[0].last])!r} is not in the table"
            yield reading.finding(line, "unsupported_direction", expected, told)


def check_design(reading: Reading) -> Iterator[Finding]:
    """n per group times the number of groups is the number of animals."""
    text = reading.text.answer
    for match in PER_GROUP.finditer(text):
        n = int(match["n"] or match["m"])
        groups = GROUPS.search(match["rest"])
        count = int(groups.group(1)) if groups else _listed_after(text, match.end())
        total = TOTAL.search(match["rest"]) or None
        if not count or total is None or int(total.group(1)) == n * count:
            continue
        yield Finding(
            reading.text.index, ERROR, "wrong_arithmetic", text[match.start() : match.end()].strip(),
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
