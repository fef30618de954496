"""Slips of reading that plain texts of other fields showed, each by the answer that lost by it."""

from __future__ import annotations

import pytest

from biorlhf import Question

DROPLETS = {
    "facts": [
        {"entity": "dataset", "quantity": "doublets removed", "value": 618},
        {"entity": "dataset", "quantity": "cells kept", "value": 9342},
    ]
}
RISK = {"facts": [{"entity": "relapse", "quantity": "relative risk", "value": 0.71}]}
DOUBLETS = {"facts": [{"entity": "doublets", "quantity": "cells removed", "value": 736}]}
FOLD = {"facts": [{"entity": "CXCL10", "quantity": "log2 fold change", "value": -1.8}]}
SETS = {
    "pathways": [
        {"pathway": "HALLMARK_GLYCOLYSIS", "direction": "UP"},
        {"pathway": "HALLMARK_FATTY_ACID_METABOLISM", "direction": "DOWN"},
    ],
    "contrast": "drug_vs_vehicle",
}
SLIPS = {
    "facts of one entity need no naming of it": (
        "factual", "How many doublets were removed, and how many cells kept?", DROPLETS,
        "618 doublets were removed and 9,342 cells kept.", "9,342 doublets were removed and 618 cells kept.",
    ),
    "a sign in words": (
        "factual", "What is the log2FC of CXCL10 after treatment?", FOLD,
        "A log2FC of minus 1.8.", "A log2FC of 1.8.",
    ),
    "a relative risk is no mission": (
        "factual", "What was the relative risk of relapse?", RISK, "RR 0.71 (95% CI 0.55-0.92).", "RR 0.92.",
    ),
    "sets and directions told respectively": (
        "pathway", "Give the directions of glycolysis and fatty acid metabolism.", SETS,
        "Glycolysis and fatty acid metabolism go up and down, respectively.",
        "Glycolysis and fatty acid metabolism go down and up, respectively.",
    ),
    "a figure after being sure is no confidence": (
        "uncertainty", "How many doublets were removed?", DOUBLETS,
        "I'm 90% sure: 736 doublets were removed.", "I'm 90% sure: 376 doublets were removed.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS)
def test_the_right_answer_earns_and_the_wrong_one_does_not(verifiers, slip):
    name, prompt, truth, right, wrong = SLIPS[slip]
    verifier, question = verifiers[name], Question("q", prompt, truth)
    earned, lost = (verifier.score(question, text).value for text in (right, wrong))
    assert earned >= 0.9
    assert lost < 0.5


@pytest.mark.parametrize(
    "text", ['{"total": ' * 90, '{"a": ' + "9" * 900 + ', "b": 1, "total": 2}', "0 of 0."]
)
def test_what_no_rule_expects_is_read_without_an_error(verifiers, text):
    question = Question("q", "Give the total as JSON.", {"check": "internal_consistency"})
    assert 0.0 <= (verifiers["consistency"].score(question, text).value or 0.0) <= 1.0


def test_a_correction_takes_back_what_it_corrects(verifiers):
    question = Question("q", "How many cells are in the cluster?", {"check": "internal_consistency"})
    said = "The microglia cluster has 812 cells. {} The microglia cluster has 1,377 cells."
    taken_back, kept = (
        verifiers["consistency"].score(question, said.format(between)).value
        for between in ("Correction: that was the row above.", "It is well separated.")
    )
    assert taken_back == 1.0
    assert kept < 1.0
