"""Labels of a table's rows that are foils of the asked name."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.claims.foils import LABEL
from biorlhf_plugins.language.claims.shapes import Shapes, asked_names, shapes
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.lexicon import Additions
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream


def label_rows(stream: Stream, parts: Sequence[Sentence], additions: Additions) -> None:
    """Of a table whose first column holds an asked name, the other rows' labels are foils; under the header
    "cluster" the labels are those of clusters."""
    asked = shapes(additions)
    if not additions.entries or not any(part.kind == "row" for part in parts):
        return
    names = asked_names(additions)
    table: list[Chunk] = []
    for part in (*parts, None):
        if part is not None and part.kind == "row":
            table += part.chunks[:1]
            continue
        for cell in table[1:]:
            _numbered_row(stream, table[0], cell, asked)
        if any(m.kind == "entity" and m.value in names for cell in table for m in cell.mentions):
            for cell in table[1:]:
                words = [t.text for t in stream[cell.first : cell.last] if t.kind != "p"]
                if words and not any(m.kind in ("entity", "num", "quantity") for m in cell.mentions):
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
