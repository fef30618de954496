"""Questions about several rows: an order, the largest of some or of all, two comparisons of one name."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from biorlhf_plugins.datasets.tables import enrichment
from biorlhf_plugins.datasets.tables.drafts import Draft
from biorlhf_plugins.datasets.tables.phrases import WAYS, Row, article, plain_name
from biorlhf_plugins.datasets.tables.slots import NS, UP, Slots
from biorlhf_plugins.making.items import listing

MOST, MOST_ENRICHED = 30, 120
"""So many questions of a kind for each table and split."""
CLOSE = 0.1
"""Effects nearer to each other than this are not set in an order."""
LEVELS = (75, 80, 85, 90)
Sample = Mapping[tuple[int, int], Sequence[Row]]


def drafts(slots: Slots, sample: Sample) -> Iterator[Draft]:
    """Args: ``sample``: rows of each (table's number, split), in a stable order, none of them untested."""
    directed = {}
    for place, rows in sample.items():
        if slots.loaded[place[0]].results.tool.over_representation:
            yield from enrichment.of_two(rows[:MOST_ENRICHED])
            continue
        directed[place] = rows
        changed = [row for row in rows if row.code != NS and _distinct(row) and row.at.sized]
        yield from _orders(changed)
        yield from _largest(changed)
    yield from _first(slots, directed)
    yield from _comparisons(directed)


def _bits(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")


def _sets(rows: Sequence[Row], size: int) -> Iterator[tuple[Row, ...]]:
    """Rows of one place taken ``size`` at a time, with effects and names that can be told apart."""
    by_place: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_place[f"{row.tissue}|{row.condition}|{row.mission}|{row.db}"].append(row)
    for members in by_place.values():
        chosen: list[Row] = []
        made = 0
        for row in members:
            apart = all(abs(row.value - other.value) >= CLOSE for other in chosen)
            # In an order such a sign would stand between two names.
            if apart and not set(">/") & set(row.name) and row.name not in {r.name for r in chosen}:
                chosen.append(row)
            if len(chosen) == size:
                yield tuple(chosen)
                chosen, made = [], made + 1
            if made == MOST:
                break


def _distinct(row: Row) -> bool:
    """Whether a name can be told from others of its kind: "Cluster 1" and "Cluster 2" differ by too little
    to be an answer by themselves."""
    return not re.search(r"[ _-]\d+$", row.name)


def _orders(rows: Sequence[Row]) -> Iterator[Draft]:
    for three in _sets(rows, 3):
        order = sorted(three, key=lambda row: -row.value)
        swapped = [order[1], order[0], order[2]]
        slot = f"{three[0].key}:ranking"
        names = listing(sorted(row.name for row in three))
        lead = f"by {three[0].at.quantity} in {three[0].at.this}"
        shown = " > ".join(f"{row.name} ({row.value:+g})" for row in order)
        # The figures of the right order under the names of the wrong one.
        false = " > ".join(f"{row.name} ({like.value:+g})" for row, like in zip(swapped, order, strict=True))
        yield Draft(
            "ranking", "ranking", slot, three, _bits(slot), {"ranking": [row.name for row in order]},
            (f"{lead}: {shown}", f"in descending order of {three[0].at.quantity}: {shown}"),
            ((f"{lead}: {false}", f"in descending order of {three[0].at.quantity}: {false}"),
             " > ".join(row.name for row in swapped)), {"names": names}, "hard", LEVELS, False,
        )  # fmt: skip


def _largest(rows: Sequence[Row]) -> Iterator[Draft]:
    for number, four in enumerate(_sets(rows, 4)):
        highest = number % 2 == 0
        order = sorted(four, key=lambda row: -row.value if highest else row.value)
        best, second = order[0], order[1]
        slot = f"{four[0].key}:top"
        extreme = "highest" if highest else "lowest"
        labels = sorted(row.name for row in four)
        truth: dict[str, Any] = {"answer": best.name, "choices": labels}
        if best.aliases:
            truth["aliases"] = best.aliases
        lead = f"the {extreme} {best.at.quantity} of these in {best.at.this} is that of"
        has = f"has the {extreme} {best.at.quantity} of these, {best.value:+g}"
        yield Draft(
            "top", "top", slot, (four[0], *four[1:]), _bits(slot), truth,
            (f"{lead} {best.name}, {best.value:+g}", f"{best.name} {has}"),
            ((f"{lead} {second.name}, {best.value:+g}", f"{second.name} {has}"), second.name),
            {"names": listing(labels), "extreme": extreme}, "hard", LEVELS, False,
        )  # fmt: skip


def _first(slots: Slots, sample: Sample) -> Iterator[Draft]:
    """The highest and the lowest of a whole table, where that row was kept and is alone at its place."""
    for number, one in enumerate(slots.loaded):
        if one.results.tool.over_representation:
            continue
        several = {"tissue", "condition", "mission", "db"} & set(one.results.table.column_names)
        effect = one.results.table["effect"].to_numpy()
        changed = np.flatnonzero(one.direction <= 1)
        if several or len(changed) < 4:
            continue
        order = changed[np.argsort(effect[changed], kind="stable")]
        labels = one.results.table["label"]
        kept = {row.id: row for (table, _), rows in sample.items() if table == number for row in rows}
        for extreme, places in (("highest", order[::-1][:2]), ("lowest", order[:2])):
            best = kept.get(one.results.table["id"][int(places[0])].as_py())
            # The next must be further away than rounding, or both would be right.
            near = abs(effect[places[0]] - effect[places[1]]) < 0.01
            if best is None or near or not _distinct(best) or not best.at.sized:
                continue
            other = plain_name(labels[int(places[1])].as_py())
            truth: dict[str, Any] = {"answer": best.name}
            if best.aliases:
                truth["aliases"] = best.aliases
            slot = f"{best.key}:first"
            lead = f"the {extreme} {best.at.quantity} of all in {best.at.this} is that of"
            has = f"has the {extreme} {best.at.quantity} of all, {best.value:+g}"
            yield Draft(
                "top", "first", slot, (best,), _bits(slot), truth,
                (f"{lead} {best.name}, {best.value:+g}", f"{best.name} {has}"),
                ((f"{lead} {other}, {best.value:+g}", f"{other} {has}"), other), {"extreme": extreme}, "hard",
                LEVELS, False,
            )  # fmt: skip


def _comparisons(sample: Sample) -> Iterator[Draft]:
    """One name in two comparisons: as often alike as not."""
    where: dict[tuple[int, str, str], list[Row]] = defaultdict(list)
    for (_, split), rows in sorted(sample.items()):
        for row in rows:
            where[split, row.at.about, row.id].append(row)
    alike: dict[int, list[Draft]] = defaultdict(list)
    unlike: dict[int, list[Draft]] = defaultdict(list)
    for (split, _, _), rows in where.items():
        for one, two in combinations(rows, 2):
            same = one.at.comparison == two.at.comparison or one.code == two.code == NS
            # Up in A against B is down in B against A: to say of them that they differ would be untrue.
            turned = (one.at.numerator, one.at.denominator) == (two.at.denominator, two.at.numerator)
            if same or turned or one.at.rule != two.at.rule:
                continue
            draft = _comparison(one, two)
            (alike if draft.truth["answer"] == "yes" else unlike)[split].append(draft)
    for split in sorted({*alike, *unlike}):
        # Where one of the verdicts is missing, two of the other show at least the form.
        most = min(max(2, min(len(alike[split]), len(unlike[split]))), MOST)
        yield from alike[split][:most]
        yield from unlike[split][:most]


def _comparison(one: Row, two: Row) -> Draft:
    same = one.code == two.code
    slot = f"{one.key}&{two.key}"
    halves = [_half(row) for row in (one, two)]
    verdict = "yes" if same else "no"
    way = WAYS[one.code if one.code != NS else two.code]
    both = f"{one.subject} is {way} in both, in {one.at.comparison} and in {two.at.comparison}"
    changes = f"both changes of {one.subject} are significant, and both go {way}"
    if same:
        text, mirror = both, changes
        split = (
            f"{one.subject} is {way} in {one.at.comparison}, and {WAYS[1 - one.code]} in {two.at.comparison}"
        )
        wrong = (f"no: {split}", f"no: they differ, {split}"), "no"
    else:
        text = f"{one.subject} {halves[0]}, and {halves[1]}"
        mirror = f"they differ, {one.subject} {halves[0]}, but {halves[1]}"
        wrong = (f"yes: {both}", f"yes: {changes}"), "yes"
    return Draft(
        "comparison", "comparison", slot, (one, two), _bits(slot), {"answer": verdict},
        (f"{verdict}: {text}", f"{verdict}: {mirror}"), wrong,
        {"first": one.at.comparison, "second": two.at.comparison}, "hard", LEVELS, False,
    )  # fmt: skip


def _half(row: Row) -> str:
    if row.code == NS:
        return f"does not change significantly in {row.at.comparison}, with {row.figures}"
    # Without its p: "no" beside two small ones would read as "not significant".
    shown = f", with {article(row.at.quantity)} {row.at.quantity} of {row.value:+g}" if row.at.sized else ""
    return f"is {'up' if row.code == UP else 'down'} in {row.at.comparison}{shown}"
