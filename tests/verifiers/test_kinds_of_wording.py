"""Kinds of wording in many fields: a right answer beside a wrong one, texts that must not pay, and texts that
hold and must not be charged. Of the pairs 6 of 30 ranked rightly before the rules that they are for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "kinds.jsonl").read_text("utf-8").splitlines()
]


def rows(kind: str) -> list[dict]:
    return [row for row in ROWS if row["kind"] == kind]


def value(verifiers, row: dict, text: str) -> float | None:
    return verifiers[row["verifier"]].score(Question("q", row["prompt"], row["ground_truth"]), text).value


@pytest.mark.parametrize("row", rows("pair"), ids=lambda row: row["right"][:50])
def test_the_right_wording_beats_the_wrong_one(verifiers, row):
    right, wrong = (value(verifiers, row, row[side]) for side in ("right", "wrong"))
    if row["verifier"] == "consistency":
        assert right is None or right >= 0.9
        assert wrong is not None
        assert wrong <= 0.6
    else:
        assert right is not None
        assert right > (wrong or 0.0)


@pytest.mark.parametrize("row", rows("attack"), ids=lambda row: row["text"][:50])
def test_a_wording_that_only_looks_right_does_not_pay(verifiers, row):
    assert (value(verifiers, row, row["text"]) or 0.0) <= row["at_most"]


@pytest.mark.parametrize("row", rows("holds"), ids=lambda row: row["text"][:50])
def test_a_text_that_holds_is_not_charged(verifiers, row):
    assert value(verifiers, row, row["text"]) in (None, 1.0)
