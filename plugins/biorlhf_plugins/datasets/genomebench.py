"""Genome-Bench's multiple-choice questions on genome editing, from a file of yours: nothing ships here.

Format (as the pipeline of mingyin0312/RL4GenomeBench writes it, and its evaluation reads it): rows with

    question      "Question context: … Question: … a. … b. … c. … d. … e. …"
    answer        "<explanation>…</explanation> <answer>b</answer>"

as a JSON list, JSONL, CSV or Parquet. The published sets are two: give each with the ``split`` that it is.
The letter is what is graded; the explanation stands before it in the gold answer, for people and for SFT.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any, Literal

from biorlhf import DataError, Dataset, DatasetPlugin, InputPath, PluginConfig, Question, hookimpl
from biorlhf.ground_truth import block, gold_answer, instruction
from biorlhf.inputs.rows import read_rows
from biorlhf_plugins.making.items import example_of

LETTERS = "abcde"
_OPTION = re.compile(r"(?:(?<=\s)|^)\(?([a-e])[.)]\s", re.IGNORECASE)
_ANSWER = re.compile(r"<answer>\s*(.*?)\s*</answer>", re.DOTALL | re.IGNORECASE)
_EXPLANATION = re.compile(r"<explanation>\s*(.*?)\s*</explanation>", re.DOTALL | re.IGNORECASE)


class GenomeBenchConfig(PluginConfig):
    """``path``: the questions on your disk; ``split``: which of the two published sets the file is."""

    path: InputPath
    split: Literal["train", "test"] = "test"


def build(config: GenomeBenchConfig) -> Dataset:
    """Every question of the file; of the training set also as SFT texts."""
    path = Path(config.path)
    questions = tuple(
        _question(where, number, row, config.split)
        for number, (where, row) in enumerate(read_rows(path), 1)
    )  # fmt: skip
    provenance = {
        "path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "that of the file", "source": "Mingyin0312/Genome-Bench",
    }  # fmt: skip
    examples = tuple(example_of(question) for question in questions) if config.split == "train" else ()
    return Dataset("genomebench", questions=questions, examples=examples, provenance={"files": [provenance]})


def _question(where: str, number: int, row: dict[str, Any], split: str) -> Question:
    for key in ("question", "answer"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            raise DataError(f"{where}: {key}", f"{row.get(key)!r:.60}", "text")
    prompt = row["question"].strip()
    options = _options(prompt)
    if len(options) < 2:
        raise DataError(f"{where}: question", f"{prompt[-60:]!r}", "options that begin with a. b. c. …")
    given = _ANSWER.search(row["answer"])
    if given is None:
        raise DataError(f"{where}: answer", f"{row['answer'][:60]!r}", "<answer>b</answer> in it")
    # Some answers repeat the option behind its letter: "b. Use a shorter homology arm".
    letter = given[1][:1].lower()
    if letter not in options or not re.match(r"[a-e](?:[.):\s]|\Z)", given[1], re.IGNORECASE):
        raise DataError(f"{where}: answer", repr(given[1][:60]), f"one of {', '.join(options)}")
    truth = {"answer": letter, "choices": list(options)}
    explained = _EXPLANATION.search(row["answer"])
    before = f"{explained[1]}\n" if explained and explained[1] else ""
    name = hashlib.sha256(prompt.encode()).hexdigest()[:12]
    return Question(
        id=f"genomebench:{split}:{number}:{name}",
        prompt=prompt,
        ground_truth=truth,
        kind="reasoning",
        source="Mingyin0312/Genome-Bench",
        split=split,
        answer=f"{before}{block(gold_answer(truth), 90)}",
        family="multiple_choice",
        split_group=f"genomebench:{name}",
        fact_ids=(f"genomebench:{name}",),
        instruction=instruction(truth),
    )


def _options(prompt: str) -> tuple[str, ...]:
    """The letters that begin options: the last run of a, b, c, … of a text that may hold others before."""
    found = [match[1].lower() for match in _OPTION.finditer(prompt)]
    starts = [place for place, letter in enumerate(found) if letter == "a"]
    for start in reversed(starts):
        run = found[start:]
        length = next((n for n, letter in enumerate(run) if letter != LETTERS[n : n + 1]), len(run))
        if length >= 2:
            return tuple(run[:length])
    return ()


@hookimpl
def biorlhf_datasets():
    yield DatasetPlugin(
        name="genomebench",
        aliases=("genome_bench",),
        summary="Genome-Bench's multiple-choice questions on genome editing, from a file of yours",
        config=GenomeBenchConfig,
        build=build,
    )
