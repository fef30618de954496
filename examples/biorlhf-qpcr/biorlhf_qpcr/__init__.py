"""A table of RT-qPCR results as questions: how much a gene's mRNA changed, and whether that is significant.

One row of the table is one comparison; log2fc is positive where the treated cells have more mRNA::

    gene   cells   treatment   reference   hours   n   log2fc   padj
    IL6    THP-1   LPS         vehicle     4       4   5.2      0.0004
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from biorlhf import DataError, Dataset, DatasetPlugin, Example, PluginConfig, Question, hookimpl

SHIPPED = Path(__file__).with_name("results.tsv")
COLUMNS = ("gene", "cells", "treatment", "reference", "hours", "n", "log2fc", "padj")


class QpcrConfig(PluginConfig):
    """``file``: a table with the columns above; the example's own by default. ``held_out``: the cells whose
    questions are for tests alone. ``padj``: what counts as significant, below it."""

    file: Path | None = None
    held_out: tuple[str, ...] = ("HeLa",)
    padj: Annotated[float, Field(gt=0, lt=1)] = 0.05


@dataclass(frozen=True, slots=True)
class Result:
    """One comparison of treated with reference cells; ``log2fc`` in units of log2, ``padj`` in [0, 1]."""

    gene: str
    cells: str
    treatment: str
    reference: str
    hours: str
    log2fc: float
    padj: float

    @property
    def slot(self) -> str:
        return f"{self.cells}:{self.treatment}:{self.hours}h:{self.gene}"

    @property
    def setting(self) -> str:
        return f"in {self.cells} cells after {self.hours} h of {self.treatment}, relative to {self.reference}"


def build(config: QpcrConfig) -> Dataset:
    """Two questions for each row; the answers to those of the split ``train`` are texts for SFT.

    Raises:
        DataError: a column or value that is wrong, a comparison that stands twice, cells that are not there.
    """
    path = config.file or SHIPPED
    results = read(path)
    known = {result.cells for result in results}
    for cells in config.held_out:
        if cells not in known:
            raise DataError("held_out", f"no cells named {cells!r} in {path}", choices=known, name=cells)
    questions = tuple(question for result in results for question in ask(result, config))
    examples = tuple(text_of(question) for question in questions if question.split == "train")
    file = {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    return Dataset("qpcr", questions=questions, examples=examples, provenance={"files": [file]})


def ask(result: Result, config: QpcrConfig) -> Iterator[Question]:
    """The questions of one row, with what is true and an answer that says it."""
    significant = "yes" if result.padj < config.padj else "no"
    figure = {
        "entity": result.gene,
        "condition": result.treatment,
        "quantity": "log2 fold change",
        "value": result.log2fc,
    }
    change = f"the {result.gene} mRNA {result.setting} (RT-qPCR)"
    for kind, prompt, truth, answer in (
        ("figure", f"What is the log2 fold change of {change}?", {"facts": [figure]}, f"{result.log2fc:g}"),
        (
            "significance",
            f"Does {change} change significantly, at an adjusted p value below {config.padj:g}?",
            {"answer": significant},
            significant,
        ),
    ):
        yield Question(
            id=f"qpcr:{kind}:{result.slot}",
            prompt=prompt,
            ground_truth=truth,
            kind=kind,
            source="biorlhf-qpcr",
            split="test" if result.cells in config.held_out else "train",
            answer=f"Answer: {answer}\nConfidence: 95%",
            family=kind,
            split_group=result.cells,
            fact_ids=(f"qpcr:{result.slot}",),
        )


def text_of(question: Question) -> Example:
    """A question and its answer as a text for SFT, about the same fact."""
    return Example(
        id=f"{question.id}:text",
        prompt=question.prompt,
        response=question.answer or "",
        kind=question.kind,
        source=question.source,
        split=question.split,
        split_group=question.split_group,
        fact_ids=question.fact_ids,
    )


def read(path: Path) -> list[Result]:
    """The rows of a table; raises ``DataError`` with file and line."""
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(str(path), f"cannot be read: {error}") from error
    rows = csv.DictReader(lines, delimiter="\t")
    for column in COLUMNS:
        if column not in (rows.fieldnames or ()):
            found = f"no column {column!r}"
            raise DataError(f"{path}:1", found, choices=rows.fieldnames or (), name=column)
    results: dict[str, Result] = {}
    for row in rows:
        where = f"{path}:{rows.line_num}"
        log2fc, padj = number(row, "log2fc", where), number(row, "padj", where)
        if not 0 <= padj <= 1:
            raise DataError(f"{where}: padj", f"{padj:g}", "a number from 0 to 1")
        words = (row["gene"], row["cells"], row["treatment"], row["reference"], row["hours"])
        result = Result(*words, log2fc, padj)
        if result.slot in results:
            raise DataError(where, f"{result.slot} stands twice", "each comparison once")
        results[result.slot] = result
    return list(results.values())


def number(row: dict[str, str], column: str, where: str) -> float:
    """A finite number; an empty cell and NA are none, never zero."""
    try:
        value = float(row[column] or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {column}", repr(row[column]), "a number")
    return value


@hookimpl
def biorlhf_datasets() -> Iterator[DatasetPlugin]:
    yield DatasetPlugin(
        name="qpcr",
        summary="RT-qPCR results as questions (biorlhf-qpcr)",
        config=QpcrConfig,
        build=build,
    )
