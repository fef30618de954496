"""Questions on over-representation: a set is enriched among a list of genes or not, and has no direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from biorlhf_plugins.datasets.tables.drafts import Draft
from biorlhf_plugins.datasets.tables.phrases import Row, probability_text
from biorlhf_plugins.datasets.tables.slots import NOT_TESTED, NS, UP

LISTS = {
    "up": "that are up in {num} relative to {den}",
    "down": "that are down in {num} relative to {den}",
    "changed": "that change between {num} and {den}",
}
ANSWERS = {UP: "yes", NS: "no"}
LEVELS, UNSURE = (80, 85, 90, 95), (5, 10, 15)


def tested_list(row: Row) -> str:
    """The genes that were tested, in words."""
    return LISTS[row.spec.genes or "changed"].format(num=row.at.numerator, den=row.at.denominator)


def of_row(row: Row, bits: int) -> Iterator[Draft]:
    """Is the set enriched or not."""
    words, untested = {"list": tested_list(row)}, row.code == NOT_TESTED
    truth: dict[str, Any] = {"answerable": False, "form": "yes_no"}
    wrong = None
    if not untested:
        places = {key: getattr(row, key) for key in ("tissue", "mission", "db") if getattr(row, key)}
        truth = {"answerable": True, "answer": ANSWERS[row.code], **places}
        turned = NS if row.code == UP else UP
        padj = row.spec.thresholds.padj * (0.02 + 0.9 * row.adjusted**2) if turned == UP else 0.6
        wrong = _said(row, turned, probability_text(row, padj)), ANSWERS[turned]
    yield Draft(
        "enrichment", "not_tested" if untested else "enrichment", row.key, (row,), bits, truth,
        _said(row, row.code, "" if untested else probability_text(row, row.adjusted)), wrong, words, "medium",
        UNSURE if untested else LEVELS, untested,
    )  # fmt: skip


def _said(row: Row, code: int, p: str) -> tuple[str, str]:
    """Whether it is enriched, in both its wordings."""
    rest = f"among the genes {tested_list(row)} in {row.at.where}"
    if code == NOT_TESTED:
        text = f"the data cannot say: {row.subject} was not tested {rest}"
        return text, text
    verb = "is" if code == UP else "is not"
    return (
        f"{row.subject} {verb} enriched {rest}, with {p}",
        f"in {row.at.where}, {row.subject} {verb} enriched among the genes {tested_list(row)}, with {p}",
    )


def of_two(rows: Sequence[Row]) -> Iterator[Draft]:
    """Enriched sets, each beside one of the same place that is not: which of the two it is."""
    places = dict.fromkeys((row.tissue, row.condition, row.mission) for row in rows)
    for place in places:
        here = [row for row in rows if (row.tissue, row.condition, row.mission) == place]
        enriched, others = ([row for row in here if row.code == code] for code in (UP, NS))
        for one, other in zip(enriched, others, strict=False):
            if one.name.lower() != other.name.lower():
                yield _of_two(one, other)


def _of_two(one: Row, other: Row) -> Draft:
    names = sorted((one.name, other.name))
    truth: dict[str, Any] = {"answer": one.name, "choices": names, "tissue": one.tissue}
    if one.aliases:
        truth["aliases"] = one.aliases
    rest = f"enriched among the genes {tested_list(one)} in {one.at.where} is"
    return Draft(
        "enrichment", "enrichment_of_two", f"{one.key}||{other.key}", (one, other), len(one.key) * 10_007,
        truth, (f"the set that is {rest} {one.name}", f"of the two, the one {rest} {one.name}"),
        ((f"the set that is {rest} {other.name}", f"of the two, the one {rest} {other.name}"), other.name),
        {"list": tested_list(one), "first": names[0], "second": names[1]}, "medium", LEVELS, False,
    )  # fmt: skip
