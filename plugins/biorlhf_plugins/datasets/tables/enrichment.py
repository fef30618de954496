"""Questions on over-representation: a set is enriched among a list of genes or not, and has no direction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from biorlhf_plugins.datasets.tables.config import LabTable
from biorlhf_plugins.datasets.tables.slots import NOT_TESTED, NS, UP

LISTS = {
    "up": "that are up in {num} relative to {den}",
    "down": "that are down in {num} relative to {den}",
    "changed": "that change between {num} and {den}",
}
WORDINGS = (
    (
        "In {where}, is {subject} enriched among the genes {list}?",
        "Among the genes {list} in {where}, is {subject} over-represented?",
        "Do the genes {list} in {where} hold more of {subject} than chance would give?",
    ),
    ("Is {subject} significantly over-represented among the genes {list} in {where}?",),
    ("Does a test of over-representation find {subject} enriched among the genes {list} in {where}?",),
)
OF_TWO = (
    "Among the genes {list} in {where}, which of the two gene sets is enriched: {first} or {second}?",
    "Which gene set is over-represented among the genes {list} in {where}: {first} or {second}?",
    "Of {first} and {second}, which gene set is enriched among the genes {list} in {where}?",
)
ANSWERS = {UP: "yes", NS: "no"}


def tested_list(spec: LabTable) -> str:
    """The genes that were tested, in words."""
    return LISTS[spec.genes or "changed"].format(num=spec.contrast.numerator, den=spec.contrast.denominator)


def truth(code: int, row: Mapping[str, Any]) -> dict[str, Any]:
    if code == NOT_TESTED:
        return {"answerable": False, "form": "yes_no"}
    places = {key: row[key] for key in ("tissue", "mission", "db") if row[key]}
    return {"answerable": True, "answer": ANSWERS[code], **places}


def answer(words: Mapping[str, str], code: int, figures: str) -> str:
    subject = words["subject"][0].upper() + words["subject"][1:]
    rest = f"among the genes {words['list']} in {words['where']}"
    if code == NOT_TESTED:
        return f"The data cannot say: {words['subject']} was not tested {rest}."
    return f"{subject} is {'' if code == UP else 'not '}enriched {rest} ({figures})."


def pairs(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Enriched sets, each beside one of the same place and split that is not."""
    places = dict.fromkeys((row["split"], row["tissue"], row["condition"], row["mission"]) for row in rows)
    for place in places:
        here = [r for r in rows if (r["split"], r["tissue"], r["condition"], r["mission"]) == place]
        enriched, others = ([r for r in here if r["direction"] == code] for code in (UP, NS))
        yield from zip(enriched, others, strict=False)
