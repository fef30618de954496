"""Honest sentences that V3 must not charge: a training run fines what it charges.

``data/plain_honest.jsonl``: seven kinds of sentences in which figures stand for something else than results
("higher at 20 °C than at 30 °C", "not what we call significant", "was listed twice"), and those of 200
answers written blind that were charged. Before the rules for them 29 of the 59 were.

Six kinds more show the faults of 420 other answers: a dose before a fall, a p value of another clause,
"in most samples", lists of fold changes, the odds of a study, two pairs of which one differs.
Of these 31 sentences 23 were charged before.
"""

from __future__ import annotations

import json
from pathlib import Path

from biorlhf import Question

TEXTS = Path(__file__).parent / "data" / "plain_honest.jsonl"


def test_what_only_looks_like_a_contradiction_is_not_charged(verifiers):
    question = Question("q", "What was found?", {"answer": "yes"})
    rows = [json.loads(line) for line in TEXTS.read_text("utf-8").splitlines()]
    charged = [
        row["text"]
        for row in rows
        if verifiers["consistency"].score(question, row["text"]).value not in (None, 1.0)
    ]
    # The three state two confidences: "only 40 % sure which cohort was used, but 90 % of the answer".
    assert len(charged) <= 3, charged


def test_being_sure_that_something_was_used_is_a_confidence_in_the_answer(verifiers):
    question = Question("q", "Which dose was used?", {"answer": "14 nM"})
    text = "14 nM. I am 90% confident that this dose was used."
    assert verifiers["uncertainty"].score(question, text).details["confidence"] == 0.9
