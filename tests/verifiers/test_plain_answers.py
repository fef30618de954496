"""What anybody writes: a figure or a direction in sixteen and thirty-two plain forms, of many fields.

``data/plain_answers.jsonl``: eighteen facts and eight directions, each right and wrong in every form. Before
the rules for them 279 of the 288 pairs of figures were graded rightly ("1,204 genes, I think" to how many go
up was not), and all 256 of directions.

``data/plain_kinds.jsonl`` has 24 kinds of slips and their honest sides in up to 99 plain forms each: a figure
that is corrected, the name that comes first, a ratio upside down, shares in words, so many each, who grew
faster. Before the rules for them 579 of the 922 pairs were told apart by a quarter of the scale.

``data/asked_in_other_words.jsonl``: the asked genotype without its gene, a disclaimer and then an assertion,
two confidences, a treatment against what something else set off, named numbers in JSON; rows with ``text``
are honest answers that look like one. Before the rules for them 36 of the first 68 pairs were missed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question

ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "plain_answers.jsonl").read_text("utf-8").splitlines()
]

OTHER_WORDS: dict[str, list[dict]] = {}
for line in (Path(__file__).parent / "data" / "asked_in_other_words.jsonl").read_text("utf-8").splitlines():
    OTHER_WORDS.setdefault(json.loads(line)["kind"], []).append(json.loads(line))


@pytest.mark.parametrize(("verifier", "missed"), [("factual", 2), ("pathway", 0)])
def test_plain_forms_earn_all_where_right_and_little_where_wrong(verifiers, verifier, missed):
    wrong = []
    for row in ROWS:
        if row["verifier"] == verifier:
            question = Question("q", row["prompt"], row["ground_truth"])
            right, other = (
                verifiers[verifier].score(question, row[side]).value for side in ("right", "wrong")
            )
            if (right or 0.0) < 0.9 or (other or 0.0) > 0.3:
                wrong.append((row["right"], right, other))
    assert len(wrong) <= missed, wrong


@pytest.mark.parametrize(
    ("answer", "earned"),
    [
        ("2,318 genes.", 1.0),
        ("It is 2,318 genes.", 1.0),
        ("There are 2,318 genes that are down-regulated.", 1.0),
        ("2,318 genes are up.", 0.0),
        ("2,318 genes change.", 0.0),
        ("2,318 genes in total.", 0.0),
        ("4,000 genes change, 2,318 of them down.", 1.0),
    ],
)
def test_genes_answer_how_many_go_down_where_the_answer_leaves_the_way_open(verifiers, answer, earned):
    fact = {"entity": "soleus", "condition": "HU", "quantity": "downregulated DEGs", "value": 2318}
    question = Question("q", "How many genes are down-regulated by HU in the soleus?", {"facts": [fact]})
    assert verifiers["factual"].score(question, answer).value == pytest.approx(earned, abs=0.25)


def test_of_the_plain_forms_of_slips_hardly_one_is_missed(verifiers):
    lines = (Path(__file__).parent / "data" / "plain_kinds.jsonl").read_text("utf-8").splitlines()
    missed = []
    for row in map(json.loads, lines):
        question = Question("q", row["prompt"], row["ground_truth"])
        right, wrong = (
            verifiers[row["verifier"]].score(question, row[side]).value for side in ("right", "wrong")
        )
        if right is None or right < 0.5 or (wrong is not None and right < wrong + 0.25):
            missed.append((row["kind"], row["right"], right, wrong))
    assert len(missed) <= 42, missed


def test_words_of_correction_rank_and_denial_pay_nothing_by_themselves_and_cost_no_right_answer(verifiers):
    lines = (Path(__file__).parent / "data" / "read_closely.jsonl").read_text("utf-8").splitlines()
    wrong = []
    for row in map(json.loads, lines):
        question = Question("q", row["prompt"], row["ground_truth"])
        value = verifiers[row["verifier"]].score(question, row["text"]).value or 0.0
        if not row.get("at_least", 0.0) <= value <= row.get("at_most", 1.0):
            wrong.append((row["text"], value))
    assert not wrong


@pytest.mark.parametrize("kind", OTHER_WORDS)
def test_what_is_asked_is_known_in_other_words_and_what_stands_beside_it_is_not_taken_for_it(verifiers, kind):
    wrong = []
    for row in OTHER_WORDS[kind]:
        question = Question("q", row["prompt"], row["ground_truth"])
        earned = [
            verifiers[row["verifier"]].score(question, row[side]).value or 0.0
            for side in ("right", "wrong", "text")
            if side in row
        ]
        if (
            (earned[0] < row["at_least"])
            if "text" in row
            else (earned[0] < 0.5 or earned[0] < earned[1] + 0.25)
        ):
            wrong.append((row.get("right", row.get("text")), earned))
    assert not wrong
