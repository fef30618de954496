"""Questions, training texts and preference pairs from a lab's slots, one at a time.

Each split has wordings of its own, so that no test question is a training question with another name in it.
"""

from __future__ import annotations

import heapq
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from biorlhf_plugins.datasets.tables import enrichment, joint
from biorlhf_plugins.datasets.tables.config import LabConfig
from biorlhf_plugins.datasets.tables.drafts import Budget, Draft, Pair
from biorlhf_plugins.datasets.tables.phrases import Place, Row, Spoken, article, figures_text
from biorlhf_plugins.datasets.tables.slots import (
    DOWN,
    NOT_TESTED,
    NS,
    UP,
    Slots,
    chunks,
    limits_of,
)
from biorlhf_plugins.datasets.tables.written import CHOICES, Teaching, bits_of, made
from biorlhf_plugins.making.parquet import Made

LABELS = {UP: "UP", DOWN: "DOWN", NS: "NS"}
DIRECTION_FAMILIES = {UP: "direction", DOWN: "direction", NS: "not_significant", NOT_TESTED: "not_tested"}
CONFIDENCE = {UP: (85, 90, 95), DOWN: (85, 90, 95), NS: (80, 85, 90)}
UNSURE = (5, 10, 15)
SAMPLE_ROWS = 400
"""So many rows of each table and split go into the questions about several rows."""


def items(config: LabConfig, slots: Slots) -> Iterator[Made]:
    """What each kept slot gives, in the order of the tables and their rows; then what several rows give.

    Of the rows only a bounded sample is held in memory.
    """
    budget, teaching = Budget(limits_of(config)), Teaching.of(config, slots)
    sample: dict[tuple[int, int], list[tuple[int, str, Row]]] = defaultdict(list)
    only_rna = {one.results.tool.of for one in slots.loaded} <= {"gene", "pathway"}
    for number, row in _rows(slots):
        over = row.at.one.results.tool.over_representation
        for draft in enrichment.of_row(row, bits_of(row.key)) if over else _of_row(row, only_rna):
            if draft.family in config.families and budget.takes(draft.family, row.split):
                yield from made(config, draft, teaching)
        # By name alone: what two tables share comes into the samples of both.
        rank = bits_of(f"{config.seed}|{row.id}")
        kept = sample[number, row.split]
        if row.code != NOT_TESTED and (len(kept) < SAMPLE_ROWS or -rank > kept[0][0]):
            (heapq.heappush if len(kept) < SAMPLE_ROWS else heapq.heappushpop)(kept, (-rank, row.key, row))
    rows = {place: [row for *_, row in sorted(kept, reverse=True)] for place, kept in sample.items()}
    for draft in joint.drafts(slots, rows):
        if draft.family in config.families and budget.takes(draft.family, draft.rows[0].split):
            yield from made(config, draft, teaching)


def _rows(slots: Slots) -> Iterator[tuple[int, Row]]:
    """(number of the table, row) of every kept row."""
    numbers = {id(one): number for number, one in enumerate(slots.loaded)}
    places: dict[tuple[int, str, str, str], Place] = {}
    for one, _, columns in chunks(slots):
        number = numbers[id(one)]
        names = ("id", "label", "effect", "adjusted", "direction", "split",
                 "tissue", "condition", "mission", "db", "why")  # fmt: skip
        for values in zip(*(columns[name] for name in names), strict=True):
            where = values[6:9]
            place = places.get((number, *where))
            if place is None:
                place = places[(number, *where)] = Place(one, *where)
            yield number, Row(place, *values)


def _of_row(row: Row, only_rna: bool) -> Iterator[Draft]:
    """The drafts of one row: its direction, and of some rows a figure, a premise, what cannot be known."""
    bits = bits_of(row.key)
    yield _direction(row, bits)
    if row.code == NOT_TESTED:
        return
    if bits % 3 == 0 and row.at.sized:
        yield _figure(row, bits)
    if bits // 3 % 4 == 0:
        yield _premise(row, bits)
    # Where proteins were measured as well, the data may say what the RNA does not.
    if bits // 12 % 12 == 0 and (row.at.about == "pathway" or (row.at.about == "gene" and only_rna)):
        yield _unknown(row, bits)


def _direction(row: Row, bits: int) -> Draft:
    truth = _direction_truth(row)
    wrong: tuple[Pair, str] | None = None
    if row.code != NOT_TESTED:
        code, figures = _perturbed(row)
        wrong = Spoken(row, "", code, figures), LABELS[code]
    return Draft(
        "direction", DIRECTION_FAMILIES[row.code], row.key, (row,), bits, truth,
        Spoken(row), wrong, {}, _difficulty(row),
        UNSURE if row.code == NOT_TESTED else CONFIDENCE[row.code], row.code == NOT_TESTED,
    )  # fmt: skip


def _direction_truth(row: Row) -> dict[str, Any]:
    tested = row.code != NOT_TESTED
    contrast = row.spec.contrast.name
    truth: dict[str, Any] = {"answerable": tested, "contrast": contrast, "choices": list(CHOICES)}
    if not tested:
        return {**truth, "form": "direction"}
    if row.at.about == "pathway":
        truth |= {"pathway": row.id}
        aliases = [row.name, row.label]
    else:
        truth |= {"feature": row.label, "kind": row.at.about}
        aliases = [row.id]
    # An answer may give the accession in place of the symbol, or the other way round.
    given = truth.get("pathway") or truth["feature"]
    if aliases := [each for each in dict.fromkeys(aliases) if each != given]:
        truth["aliases"] = aliases
    truth |= {key: getattr(row, key) for key in ("tissue", "mission", "db") if getattr(row, key)}
    # No answer has to state them; one that does is held to them.
    figures = {"padj": row.adjusted}
    if row.spec.effect_is != "score":
        figures["nes" if row.at.about == "pathway" else "log2fc"] = row.effect
    return {**truth, "direction": LABELS[row.code], "figures": figures}


def _perturbed(row: Row) -> tuple[int, str]:
    """A wrong answer that agrees with itself: the opposite direction with its sign; for not significant,
    the direction of its sign with figures on the other side of the thresholds."""
    limits, code = row.spec.thresholds, DOWN if row.code == UP else UP
    effect, p = -row.effect, row.adjusted
    if row.code == NS:
        code = UP if row.effect > 0 else DOWN
        # From a p of 0 to 1 to one below the threshold; from an effect below it to one above.
        p = p if p < limits.padj else limits.padj * (0.02 + 0.9 * p**2)
        effect = row.effect
        if abs(effect) < limits.effect:
            effect = (limits.effect + abs(effect)) * (1 if effect > 0 else -1)
    return code, figures_text(row, effect, p)


def _figure(row: Row, bits: int) -> Draft:
    value = row.value
    other = -value if bits // 7 % 2 else round(value * 1.6, 2)
    fact: dict[str, Any] = {"entity": row.name, "quantity": row.at.quantity, "value": value}
    if row.aliases:
        fact["aliases"] = row.aliases
    a = f"{article(row.at.quantity)} {row.at.quantity}"
    names = f"the {row.at.quantity} of the {row.at.noun} {row.name} in {row.at.this}"
    mirror = f"in {row.at.this}, the {row.at.noun} {row.name} has {a} of"
    return Draft(
        "figure", "figure", f"{row.key}:figure", (row,), bits, {"facts": [fact]},
        (f"{names} is {value:+g}", f"{mirror} {value:+g}"),
        ((f"{names} is {other:+g}", f"{mirror} {other:+g}"), f"{other:g}"), {}, "hard",
        CONFIDENCE[row.code], False,
    )  # fmt: skip


def _premise(row: Row, bits: int) -> Draft:
    """A question that takes a direction for granted: about as often rightly as wrongly."""
    if row.code == NS:
        said = UP if bits // 7 % 2 else DOWN
    else:
        said = row.code if bits // 7 % 4 else (DOWN if row.code == UP else UP)
    words = {"said": "up" if said == UP else "down", "other": "down" if said == UP else "up"}
    so = said == row.code
    truth = {"answer": "yes" if so else "no", **({} if so else {"false_premise": True})}
    verdict, reverse = ("yes", "no") if so else ("no", "yes")
    turned, figures = _perturbed(row) if so else (said, _figures_of(row, said))
    wrong = Spoken(row, reverse, turned, figures), reverse
    return Draft(
        "false_premise", "false_premise", f"{row.key}:premise", (row,), bits, truth, Spoken(row, verdict),
        wrong, words, _difficulty(row), CONFIDENCE[row.code], False,
    )  # fmt: skip


def _figures_of(row: Row, code: int) -> str:
    """Figures that would bear a wrong direction out."""
    if row.code != NS:
        return _perturbed(row)[1]
    turned, figures = _perturbed(row)
    # Signs alone: a "-" stands in the exponent of a p as well.
    signs = {" +": " -", " -": " +"}
    return figures if turned == code else re.sub(r" [+-](?=\d)", lambda sign: signs[sign[0]], figures)


def _unknown(row: Row, bits: int) -> Draft:
    """What a table of this kind cannot tell, asked like what it can."""
    if row.at.about == "pathway":
        truth: dict[str, Any] = {"answerable": False, "form": "figure"}
        why = f"the table scores {row.subject} as a whole and does not give the expression of its genes"
    else:
        truth = {"answerable": False, "form": "direction", "choices": list(CHOICES),
                 "contrast": row.spec.contrast.name}  # fmt: skip
        why = f"the table holds RNA, and the protein of {row.label} was not measured"
    return Draft(
        "unanswerable", f"unanswerable_{row.at.about}", f"{row.key}:unknown", (row,), bits, truth,
        (f"the data cannot say: {why}", f"that cannot be told from these data: {why}"), None, {},
        "medium", UNSURE, True,
    )  # fmt: skip


def _difficulty(row: Row) -> str:
    """Near the threshold is hard; far from it is easy."""
    if row.code == NOT_TESTED:
        return "medium"
    ratio = row.adjusted / row.spec.thresholds.padj
    if 0.5 <= ratio <= 2 or row.too_small:
        return "hard"
    return "easy" if ratio < 0.02 or ratio > 10 else "medium"
