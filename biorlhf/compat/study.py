"""The KMP study under the names of BioRLHF 0.3: its tables, and the two files of texts made from it."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from biorlhf import plugins
from biorlhf.compat.models import create_sft_dataset, write_json
from biorlhf.errors import DataError, InputError
from biorlhf.ground_truth.forms import unblocked

TABLES = ("INTERACTIONS", "KMP_EFFECTS", "OXPHOS_PATTERNS", "STRESSOR_EFFECTS", "TISSUE_TYPES")
SFT_FILE, TEST_FILE = "kmp_sft_final.json", "kmp_test_set.json"
CATEGORIES = ("factual", "reasoning", "calibration")  # in this order in the file

# What data/MANIFEST.json says of the two files; sha256 and rows are counted when they are written.
_MADE = "made by `python -m biorlhf.data` from kmp/figures.csv"
_ENTRIES = {
    SFT_FILE: {
        "title": "SFT texts over the figures of the KMP study, as create_sft_dataset writes them",
        "source": _MADE,
        "licence": "Apache-2.0",
        "notes": ["the figures are those of kmp/figures.csv (MIT), the sentences biorlhf's own"],
    },
    TEST_FILE: {
        "title": "20 questions on the KMP study for evaluate_model: 10 factual, 5 reasoning, 5 calibration",
        "source": _MADE,
        "licence": "Apache-2.0",
        "notes": [
            "the figures are those of kmp/figures.csv (MIT), the sentences biorlhf's own",
            f"no question stands in {SFT_FILE}; the facts that are asked for do, in other words",
        ],
    },
}


def table(name: str) -> Any:
    """One of ``TABLES`` as the plugin ``kmp`` publishes it, in the module that it is built in."""
    build = plugins.catalogue().get("dataset", "kmp").record.build
    return getattr(sys.modules[build.__module__], name)


def published_questions() -> list[dict[str, Any]]:
    """Twenty rows as ``evaluate_model`` reads them, in the order of ``CATEGORIES``."""
    settings = {"split": "paraphrase", "test_set": "published"}
    dataset = plugins.catalogue().build("dataset", "kmp", settings)
    asked = sorted(
        (question for question in dataset.questions if question.split == "test"),
        key=lambda question: (CATEGORIES.index(question.kind), question.id),
    )
    return [
        {
            "question": question.prompt,
            "expected_answer": unblocked(question.answer),
            "category": question.kind,
            "ground_truth": question.ground_truth,
        }
        for question in asked
    ]


def write_files(folder: Path) -> dict[Path, int]:
    """Write both files into ``folder``, and their entries into its MANIFEST.json where it has one.

    Returns path -> number of rows. Raises ``InputError`` where a file cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputError("folder", f"{folder} cannot be made: {error.strerror}") from None
    texts = create_sft_dataset(folder / SFT_FILE)
    questions = published_questions()
    write_json(folder / TEST_FILE, questions)
    rows = {folder / SFT_FILE: len(texts), folder / TEST_FILE: len(questions)}
    if (folder / "MANIFEST.json").is_file():
        _record(folder / "MANIFEST.json", rows)
    return rows


def _record(manifest: Path, rows: dict[Path, int]) -> None:
    """Put the files' entries in place of their earlier ones, or at the end."""
    try:
        entries = {entry["path"]: entry for entry in json.loads(manifest.read_text("utf-8"))["files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(str(manifest), f"no manifest: {error!r}", '{"files": [{"path": …}]}') from None
    for path, count in rows.items():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        entries[path.name] = {"path": path.name, **_ENTRIES[path.name], "sha256": digest, "rows": count}
    write_json(manifest, {"files": list(entries.values())}, indent=2)
