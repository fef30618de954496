"""Labels of a table's rows that are foils of the asked name."""

from __future__ import annotations

import re
from collections.abc import Sequence

from biorlhf_plugins.language.claims.foils import LABEL
from biorlhf_plugins.language.claims.shapes import Shapes, asked_names, measured, shapes
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.lexicon import Additions
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream

UNIT = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$")


def label_rows(stream: Stream, parts: Sequence[Sentence], additions: Additions) -> None:
    """Of a table whose first column holds an asked name, the other rows' labels are foils; under the header
    "cluster" the labels are those of clusters, and under "Dose (µM)" they are doses."""
    asked = shapes(additions)
    if not additions.entries or not any(part.kind == "row" for part in parts):
        return
    names = asked_names(additions)
    table: list[Chunk] = []
    for part in (*parts, None):
        if part is not None and part.kind == "row":
            table += part.chunks[:1]
            continue
        unit = _unit(stream, table[0]) if table and asked.measures else ""
        for cell in table[1:]:
            _numbered_row(stream, table[0], cell, asked)
            _measured_row(stream, unit, cell, asked)
        if any(m.kind == "entity" and m.value in names for cell in table for m in cell.mentions):
            for cell in table[1:]:
                words = [t.text for t in stream[cell.first : cell.last] if t.kind != "p"]
                known = {m.kind for m in cell.mentions} & {"entity", "num", "quantity"}
                way = len(words) == 1 and any(m.kind == "dir" for m in cell.mentions)  # "upregulated"
                if words and not known and not way:
                    cell.mentions.append(Mention("entity", " ".join(words), cell.first, cell.last))
        table = []


def _numbered_row(stream: Stream, header: Chunk, cell: Chunk, asked: Shapes) -> None:
    head = next((t.text for t in stream[header.first : header.last] if t.text in asked.heads), None)
    label = [t.text for t in stream[cell.first : cell.last] if t.kind != "p"]
    if head is None or len(label) != 1 or not LABEL.fullmatch(label[0]):
        return
    role, names = asked.heads[head]
    cell.mentions[:] = [m for m in cell.mentions if m.kind != "num"]
    cell.mentions.append(Mention(role, names.get(label[0], f"{head} {label[0]}"), cell.first, cell.last))


def _unit(stream: Stream, header: Chunk) -> str:
    """The µM of "Dose (µM)", the week of "Week"; "" of an empty header."""
    if header.first == header.last:
        return ""
    head = stream.written(header.first, header.last).strip(" *_|")
    bracketed = UNIT.search(head)
    return bracketed[1] if bracketed else head.lower()


def _measured_row(stream: Stream, unit: str, cell: Chunk, asked: Shapes) -> None:
    """The 5 under "Dose (µM)" is one of the asked doses, or another."""
    label = [t for t in stream[cell.first : cell.last] if t.kind != "p"]
    if not unit or len(label) != 1 or label[0].number is None:
        return
    found = measured(asked, label[0].number.value, unit)
    if found is not None:
        cell.mentions[:] = [m for m in cell.mentions if m.kind != "num"]
        cell.mentions.append(Mention(*found, cell.first, cell.last))
