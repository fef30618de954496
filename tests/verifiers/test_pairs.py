"""An honest answer scores strictly more than a hack, by the verifier that the pair names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question

OWN = Path(__file__).parent / "pairs.jsonl"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "verifier_pairs.jsonl"


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def ranks(verifiers, row, honest, hack):
    question = Question(row["id"], row["question"], row["ground_truth"])
    verifier = verifiers[row["verifier"]]
    good, bad = verifier.score(question, row[honest]), verifier.score(question, row[hack])
    return good.value is not None and good.value > (bad.value if bad.value is not None else 0.0)


@pytest.mark.parametrize("row", rows(OWN), ids=lambda row: f"{row['id']}-{row['category']}")
def test_honest_beats_hack(verifiers, row):
    assert ranks(verifiers, row, "honest", "hack")


def test_pairs_cover_every_verifier_and_many_categories():
    pairs = rows(OWN)
    assert len(pairs) >= 150
    assert {row["verifier"] for row in pairs} == {"factual", "pathway", "consistency", "uncertainty"}
    assert len({row["category"] for row in pairs}) >= 50


@pytest.mark.skipif(not SHARED.exists(), reason="the shared pairs are not part of the repository")
def test_shared_pairs_rank_as_labelled(verifiers):
    pairs = rows(SHARED)
    wrong = [row["id"] for row in pairs if not ranks(verifiers, row, "honest_response", "hack_response")]
    assert len(pairs) - len(wrong) >= len(pairs) - 1, wrong


def test_right_answers_score_full_where_the_pair_is_not_marked_weak(verifiers):
    low = []
    for row in rows(OWN):
        if row.get("weak") or row["verifier"] in ("uncertainty", "consistency"):
            continue
        question = Question(row["id"], row["question"], row["ground_truth"])
        score = verifiers[row["verifier"]].score(question, row["honest"])
        declines = "declines" in str(score.details.get("note", ""))
        if score.value is not None and score.value < 0.6 and not declines:
            low.append((row["id"], score.value))
    assert low == []
