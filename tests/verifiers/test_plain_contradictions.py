"""Contradictions that a reader sees at once, each beside honest texts in almost the same words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question

LINES = (Path(__file__).parent / "data" / "plain_contradictions.jsonl").read_text(encoding="utf-8")
ROWS = [json.loads(line) for line in LINES.splitlines()]
QUESTION = Question("q", "What do the data show?", {"check": "internal_consistency"})


def _of(holds: bool) -> list[object]:
    rows = [row for row in ROWS if row["holds"] == holds]
    return [pytest.param(row["text"], id=f"{row['kind']}-{n}") for n, row in enumerate(rows)]


@pytest.mark.parametrize("text", _of(holds=False))
def test_a_plain_contradiction_is_charged(verifiers, text):
    assert verifiers["consistency"].score(QUESTION, text).details["failed"]


@pytest.mark.parametrize("text", _of(holds=True))
def test_an_honest_text_in_like_words_is_not(verifiers, text):
    assert not verifiers["consistency"].score(QUESTION, text).details.get("failed")
