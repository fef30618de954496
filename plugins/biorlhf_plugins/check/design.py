"""The animals and samples of a design: groups times animals in each."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.reading import Reading

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
