"""Directions in texts of many fields: the share that is read as a person reads it does not fall."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question

DATA = Path(__file__).parent / "data"
LABELS = ("UP", "DOWN", "NS", "MIXED")


def rows(name):
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def read_as(verifiers, question, about, response):
    """The only direction that earns full marks, or NONE."""
    full = [
        label
        for label in LABELS
        if (
            verifiers["pathway"].score(Question("q", question, {**about, "direction": label}), response).value
            or 0.0
        )
        >= 0.9
    ]
    return full[0] if len(full) == 1 else "NONE"


@pytest.mark.parametrize(
    ("group", "bar"),
    [
        ("other_fields", 0.98),
        ("long_answers", 1.0),
        ("other_fields_untuned", 1.0),
        ("long_answers_untuned", 0.93),
    ],
)
def test_directions_are_read_as_a_person_reads_them(verifiers, group, bar):
    items = [row for row in rows("directions.jsonl") if row["set"] == group]
    wrong = [
        (row["id"], row["said"], seen)
        for row in items
        if (seen := read_as(verifiers, row["question"], row["about"], row["response"])) != row["said"]
    ]
    assert len(items) >= 25
    assert len(wrong) <= (1 - bar) * len(items), wrong


def test_long_answers_of_a_language_model_have_the_direction_that_a_person_sees(verifiers):
    items = [x for x in rows("long_answers.jsonl") if not x["wrong_tissue"] and not x["wrong_pathway"]]
    wrong = []
    for x in items:
        about = {"pathway": x["pathway"], "tissue": x["tissue"], "contrast": "flight_vs_ground"}
        seen = read_as(verifiers, x["prompt"], about, x["response"])
        if (seen if seen in ("UP", "DOWN") else "NONE") != x["said"]:
            wrong.append((x["id"], x["said"], seen))
    assert len(items) >= 50
    assert len(wrong) <= 0.02 * len(items), wrong


def test_pairs_of_other_fields_rank_honest_above_hack(verifiers):
    wrong = []
    for row in rows("direction_pairs.jsonl"):
        question = Question(row["id"], row["question"], row["ground_truth"])
        good, bad = (
            verifiers[row["verifier"]].score(question, row[side]).value
            for side in ("honest_response", "hack_response")
        )
        if good is None or good <= (bad or 0.0):
            wrong.append(row["id"])
    assert wrong == []


def test_single_answers_earn_what_they_should(verifiers):
    wrong = []
    for row in rows("direction_items.jsonl"):
        question = Question(row["id"], row["question"], row["ground_truth"])
        value, expect = verifiers[row["verifier"]].score(question, row["response"]).value, row["expect"]
        if value is None or not expect.get("min", 0) - 1e-9 <= value <= expect.get("max", 1) + 1e-9:
            wrong.append((row["id"], value))
    assert wrong == []


def test_a_mismatch_earns_nothing(verifiers):
    about = {"pathway": "HALLMARK_HYPOXIA", "tissue": "liver", "contrast": "flight_vs_ground"}
    texts = {"UP": "Hypoxia is up.", "DOWN": "Hypoxia is down.", "NS": "Hypoxia is not significant.",
             "MIXED": "Hypoxia is mixed across missions."}  # fmt: skip
    for said, text in texts.items():
        for label in LABELS:
            question = Question("q", "Hypoxia in flight liver?", {**about, "direction": label})
            assert verifiers["pathway"].score(question, text).value == float(said == label), (said, label)


@pytest.mark.parametrize(
    "gene", ["MYC", "TP53", "MTOR", "IFNG", "KRAS", "NOTCH1", "E2F1", "TNF", "HIF1A", "EMT"]
)
def test_a_gene_is_never_a_gene_set(verifiers, gene):
    truth = {"feature": gene, "kind": "gene", "direction": "UP", "contrast": "treated_vs_untreated"}
    question = Question("q", f"Is the gene {gene} up or down in treated relative to untreated lung?", truth)
    assert verifiers["pathway"].score(question, f"The gene {gene} is up in treated lung.").value == 1.0
    assert verifiers["pathway"].score(question, f"The gene {gene} is down in treated lung.").value == 0.0
    assert verifiers["pathway"].score(question, f"{gene} signaling is up in treated lung.").value == 0.0


def test_several_features_are_several_slots(verifiers):
    truth = {
        "features": [
            {"feature": "EPCAM", "kind": "gene", "direction": "UP"},
            {"feature": "CDX2", "kind": "gene", "direction": "DOWN"},
        ],
        "contrast": "tumour_vs_normal",
    }
    question = Question("q", "Give the directions of EPCAM and CDX2 in tumour vs normal colon.", truth)
    assert verifiers["pathway"].score(question, "EPCAM: up; CDX2: down").value == 1.0
    assert verifiers["pathway"].score(question, "EPCAM: down; CDX2: up").value == 0.0
    assert verifiers["pathway"].score(question, "EPCAM is up.").value == 0.5


def test_a_fact_that_is_a_direction_is_graded_as_one(verifiers):
    fact = {"entity": "VHL", "condition": "tumour vs normal", "quantity": "regulation", "value": "down"}
    question = Question("q", "Is VHL up or down in tumours versus normal kidney?", {"facts": [fact]})
    assert verifiers["factual"].score(question, "VHL is reduced in the tumours.").value == 1.0
    assert verifiers["factual"].score(question, "VHL is higher in normal kidney.").value == 1.0
    assert verifiers["factual"].score(question, "VHL goes up.").value == 0.0
    assert verifiers["uncertainty"].score(question, "VHL goes down. Confidence: 90%").value == pytest.approx(
        0.995
    )
    assert verifiers["uncertainty"].score(question, "VHL goes up. Confidence: 90%").value == pytest.approx(
        0.095
    )


def test_yes_and_no_is_no_answer(verifiers):
    question = Question("q", "Does the diet raise leptin?", {"answer": "yes"})
    assert verifiers["factual"].score(question, "Yes and no.").value == 0.0
    assert verifiers["factual"].score(question, "It was measured twice, so yes.").value == 1.0
