"""``biorlhf data show``: items on a terminal, as a person wants to read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from biorlhf.errors import InputError
from biorlhf.types import Dataset, Example, Preference, Question

Item = Question | Example | Preference
TABLES = ("questions", "examples", "preferences")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which items: an empty string means any. ``limit`` counts per table."""

    table: str = ""
    id: str = ""
    family: str = ""
    split: str = ""
    limit: int = 3


def choose(dataset: Dataset, wanted: Wanted) -> list[Item]:
    """The items that fit; where none does, ``InputError`` says what there is."""
    if wanted.table and wanted.table not in TABLES:
        raise InputError("--table", repr(wanted.table), choices=TABLES, name=wanted.table)
    tables = {name: getattr(dataset, name) for name in TABLES if wanted.table in ("", name)}
    everything: list[Item] = [item for items in tables.values() for item in items]
    for option, value, of in (
        ("--id", wanted.id, lambda item: item.id),
        ("--family", wanted.family, family_of),
        ("--split", wanted.split, lambda item: item.split),
    ):
        known = {of(item) for item in everything}
        if value and value not in known:
            nearest = sorted(known)[:40] if option == "--id" else known
            raise InputError(option, f"no item has {value!r}", choices=nearest, name=value)
    chosen: list[Item] = []
    for items in tables.values():
        fitting = [
            item
            for item in items
            if wanted.id in ("", item.id)
            and wanted.family in ("", family_of(item))
            and wanted.split in ("", item.split)
        ]
        chosen += fitting[: wanted.limit]
    return chosen


def family_of(item: Item) -> str:
    """A question's family, else the kind."""
    return (item.family or item.kind) if isinstance(item, Question) else item.kind


def print_items(items: Sequence[Item]) -> None:
    """One panel per item: what is asked, what is right, and where it belongs."""
    from rich.panel import Panel
    from rich.text import Text

    from biorlhf.runs.watching.terminal import Terminal

    console = Terminal()
    for item in items:
        body = Text()
        for heading, text, style in _parts(item):
            body.append(f"{heading}\n", style=f"bold {style}")
            body.append(f"{text}\n\n")
        body.rstrip()
        place = " · ".join(part for part in (item.split, family_of(item), item.source) if part)
        console.print(Panel(body, title=Text(item.id), subtitle=Text(place), title_align="left"))
    if not items:
        console.print("no items")


def _parts(item: Item) -> list[tuple[str, str, str]]:
    if isinstance(item, Question):
        truth = json.dumps(dict(item.ground_truth), indent=2, ensure_ascii=False, default=list)
        rows = [("Question", item.prompt, "cyan"), ("Answer", item.answer or "", "green")]
        return [row for row in [*rows, ("Ground truth", truth, "yellow")] if row[1]]
    if isinstance(item, Preference):
        return [
            ("Prompt", item.prompt, "cyan"),
            ("Chosen", item.chosen, "green"),
            ("Rejected", item.rejected, "red"),
        ]
    return [("Prompt", item.prompt, "cyan"), ("Response", item.response, "green")]
