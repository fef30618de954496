"""A lab's own results tables as facts: which way a gene or set goes, its effect, how many go up and down."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.table import FactTable, LabSlot, agrees, table_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.lexicon import add, longest, pathway_key, words

REFERENCES = frozenset(("than", "vs", "vs.", "versus", "to", "with", "over", "against"))
SHORT = 8
"""Tokens of a sentence that may leave its gene to the question: "Answer: UP", "It is down in spleen"."""


def lab_facts(path: Path) -> FactTable:
    """The tables that a ``lab.yaml`` lists, as ``biorlhf data build`` reads them.

    Raises:
        DataError, RecipeError: no such file, a wrong key, or a table that cannot be read.
    """
    from biorlhf_plugins.datasets.tables import DIRECTIONS, load_tables
    from biorlhf_plugins.datasets.tables.config import load_lab

    slots: dict[str, list[LabSlot]] = defaultdict(list)
    rows = []
    for loaded in load_tables(load_lab(path)):
        # Enriched among a list of genes is no direction.
        if loaded.results.tool.over_representation:
            continue
        columns = {name: loaded.results.table[name].to_pylist() for name in ("id", "label", "effect")}
        tissues, conditions = loaded.column("tissue").to_pylist(), loaded.column("condition").to_pylist()
        counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: {"UP": 0, "DOWN": 0})
        for at, (name, label, effect) in enumerate(zip(*columns.values(), strict=True)):
            way = DIRECTIONS[int(loaded.direction[at])]
            tissue, condition = str(tissues[at] or ""), str(conditions[at] or "")
            denominator = loaded.spec.contrast.denominator
            slot = LabSlot(str(label or name), tissue, condition, way, effect, denominator)
            # By id and by symbol: texts use either.
            for spelling in {str(name), str(label or name)}:
                slots[spelling].append(slot)
            if way in ("UP", "DOWN"):
                counts[tissue, condition][way] += 1
        # A row of an enrichment table is a set: sets are not counted as DEGs.
        if loaded.results.tool.of == "gene":
            rows += [row for place, count in counts.items() for row in _counted(str(path), *place, count)]
    table = table_of(rows)
    trie: dict[str, Any] = {}
    for spelling, entries in slots.items():
        # Sets are written with and without their database's prefix.
        for phrase in {words(spelling), words(pathway_key(spelling)[0])}:
            add(trie, phrase, "feature", (spelling, tuple(entries)))
    return FactTable(table.figures, table.additions, table.features, trie)


def _counted(where: str, tissue: str, condition: str, count: dict[str, int]) -> Iterator[Any]:
    values = {"DEG count": sum(count.values()), "upregulated DEG count": count["UP"]}
    values["downregulated DEG count"] = count["DOWN"]
    for quantity, value in values.items():
        if tissue:
            yield where, tissue, condition, quantity, str(value), ()


def check_lab(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """The direction and the effect that a sentence gives for the one gene or set that it names."""
    if not table.lab:
        return
    asked = {
        f.feature: entries
        for line in reading.prompt_lines
        for entries in _features(reading.text.prompt, line, table)
        for f in entries[:1]
    }
    for line in reading.whole:
        named = {
            f.feature: entries for entries in _features(reading.text.answer, line, table) for f in entries[:1]
        }
        if not named and len(line.tokens) <= SHORT:
            named = asked
        # Of two names, whose direction is told would be a guess.
        if len(named) != 1:
            continue
        slots = _meant(reading, line, next(iter(named.values())))
        if slots and not _turned(line, slots[0]):
            yield from _direction(reading, line, slots)
            yield from _effect(reading, line, slots)


def _features(text: str, line: Line, table: FactTable) -> Iterator[Sequence[LabSlot]]:
    """The slots of each gene or set that a line names. One word must be written as a symbol is."""
    at, stream = 0, list(line.tokens)
    while at < len(stream):
        end, meanings = longest(table.lab, stream, at)
        if meanings is None:
            at += 1
            continue
        raw = text[line.spans[at][0] : line.spans[end - 1][1]]
        spelling, slots = meanings[0][1]
        # SET, CAT and REST are genes; set, cat and rest are words.
        if end - at > 1 or raw == spelling or sum(c.isupper() or c.isdigit() for c in raw) > 1:
            yield slots
        at = end


def _meant(reading: Reading, line: Line, slots: Sequence[LabSlot]) -> list[LabSlot]:
    """Of a gene's slots those of the tissue and condition that the sentence, else the question, names."""
    prompt = frozenset().union(*(other.words for other in reading.prompt_lines))
    for role in ("tissue", "condition"):
        for spoken in (line.words, prompt):
            named = [s for s in slots if getattr(s, role) and set(words(getattr(s, role))) <= spoken]
            if named:
                slots = named
                break
    return list(slots)


def _turned(line: Line, slot: LabSlot) -> bool:
    """Whether the denominator is what changes, and not what is compared with: "higher in vehicle"."""
    low = words(slot.denominator)[:1]
    at = next((i for i, text in enumerate(line.texts) if (text,) == low), -1)
    return at >= 0 and REFERENCES.isdisjoint(line.texts[max(0, at - 3) : at])


def _direction(reading: Reading, line: Line, slots: Sequence[LabSlot]) -> Iterator[Finding]:
    labels = {label for label, _ in directions(reading.evidence, line.number)}
    right = {slot.label for slot in slots}
    # Rows of one gene that differ (other tissues, other conditions) bear out either direction.
    if len(labels) == 1 and not labels & right and len(right) == 1 and labels <= {"UP", "DOWN", "NS"}:
        label, expected = labels.pop(), right.pop()
        # What was not tested contradicts nothing.
        if expected != "NOT TESTED":
            told = f"{slots[0].feature} is {expected} in the table, and called {label}"
            yield reading.finding(line, "wrong_direction", f"{slots[0]}", told)


def _effect(reading: Reading, line: Line, slots: Sequence[LabSlot]) -> Iterator[Finding]:
    figures = [f for f in reading.evidence.by_part.get(line.number, ()) if f.kind == "effect"]
    right = [slot.effect for slot in slots if slot.effect is not None]
    if len(figures) != 1 or not right:
        return
    figure = figures[0]
    if not any(agrees(figure.value, value, figure.decimals) for value in right):
        told = f"{figure.value:g} is not the effect of {slots[0].feature}"
        yield reading.finding(line, "wrong_number", f"{slots[0]}", told)
