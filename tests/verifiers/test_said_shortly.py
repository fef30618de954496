"""What is said in two words, told of the other side, or shown beside code: kinds in which fresh texts
were misread.
"""

from __future__ import annotations

import pytest

from biorlhf import Question

DRUG = {
    "feature": "ABCG2",
    "kind": "gene",
    "direction": "DOWN",
    "tissue": "lung",
    "contrast": "drug_vs_vehicle",
}
PATHWAY = {
    "pathway": "HALLMARK_HYPOXIA", "direction": "DOWN", "tissue": "spleen", "contrast": "flight_vs_ground",
}  # fmt: skip
NS = {**PATHWAY, "direction": "NS"}


def earned(verifiers, name, prompt, truth, text):
    return verifiers[name].score(Question("q", prompt, truth), text).value


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It clearly does.", "yes"), ("Indeed it did.", "yes"), ("Of course.", "yes"), ("Absolutely.", "yes"),
        ("Sadly not.", "no"), ("Probably not.", "no"), ("Regrettably, it did not.", "no"),
        ("Absolutely not.", "no"), ("Not really.", "no"),
    ],
)  # fmt: skip
def test_two_words_answer_yes_or_no(verifiers, text, answer):
    other = {"yes": "no", "no": "yes"}[answer]
    prompt = "Does the mutant survive the frost?"
    assert earned(verifiers, "factual", prompt, {"answer": answer}, text) == 1.0
    assert earned(verifiers, "factual", prompt, {"answer": other}, text) == 0.0


@pytest.mark.parametrize("text", ["It is unlikely.", "Not necessarily.", "Not entirely."])
def test_what_stays_open_is_no_answer(verifiers, text):
    for answer in ("yes", "no"):
        assert earned(verifiers, "factual", "Does it survive the frost?", {"answer": answer}, text) == 0.0


@pytest.mark.parametrize(
    ("text", "down"),
    [
        ("ABCG2 fell to a quarter of vehicle.", True),
        ("ABCG2 mRNA was cut to a tenth of the level in vehicle-treated cells.", True),
        ("ABCG2 gene expression in treated cells was lower than with vehicle.", True),
        ("ABCG2 transcript levels were lower with the drug.", True),
        ("ABCG2 was five times as abundant in treated cells.", False),
        ("ABCG2 is three times as common with the vehicle as with the drug.", True),
        ("As one would hope from the blots, ABCG2 was lower with the drug.", True),
    ],
)
def test_a_side_that_a_share_is_of_is_not_the_one_that_is_spoken_of(verifiers, text, down):
    prompt = "Is ABCG2 higher or lower with the drug than with vehicle?"
    assert (earned(verifiers, "pathway", prompt, DRUG, text) == 1.0) == down


@pytest.mark.parametrize(
    ("text", "truth", "value"),
    [
        ("Hypoxia tends to go down a little, but padj = 0.3.", NS, 1.0),
        ("Not significantly. It was slightly lower (padj = 0.2).", NS, 1.0),
        ("Hypoxia is down (padj = 0.001).", NS, 0.0),
        ("If NES < 0, the pathway is downregulated.", PATHWAY, 0.0),
        ("The suppression of Hypoxia is mild. Its activation leads to angiogenesis.", PATHWAY, 1.0),
        ("Hypoxia is down.\n\n```\nx <- split(up, down)\nlibrary(upregulated)\n```", PATHWAY, 1.0),
        ("```\nHypoxia is down (log2FC <-1.5).\n```", PATHWAY, 1.0),
        ("No. Without HIF1A the pathway does not change.", NS, 1.0),
    ],
)
def test_what_is_slight_general_or_code_is_no_direction(verifiers, text, truth, value):
    prompt = "Is the Hypoxia pathway changed in the spleen in flight, and which way?"
    assert earned(verifiers, "pathway", prompt, truth, text) == value


def test_a_prediction_answers_where_one_is_asked_for(verifiers):
    text = "Hypoxia is expected to fall in the spleen."
    asked = "What would you predict for Hypoxia in the spleen in flight?"
    assert earned(verifiers, "pathway", asked, PATHWAY, text) == 1.0
    assert earned(verifiers, "pathway", "Is Hypoxia up or down in the spleen?", PATHWAY, text) == 0.0


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "Just one."), (1, "A single gene passes."), (0, "Not one gene passes."), (0, "None.")],
)
def test_one_and_none_are_counts(verifiers, value, text):
    truth = {"facts": [{"entity": "lens", "condition": "HU", "quantity": "DEG count", "value": value}]}
    assert earned(verifiers, "factual", "How many DEGs does HU give in the lens?", truth, text) == 1.0


@pytest.mark.parametrize("value", ["increase", "increased", "up", "UP"])
def test_a_fact_that_is_a_direction_may_be_named_in_any_usual_word(verifiers, value):
    fact = {"entity": "Roseburia", "condition": "fibre vs placebo", "quantity": "direction", "value": value}
    prompt = "Did fibre increase or decrease Roseburia?"
    assert earned(verifiers, "factual", prompt, {"facts": [fact]}, "Fibre increased Roseburia.") == 1.0
    assert earned(verifiers, "factual", prompt, {"facts": [fact]}, "Fibre decreased Roseburia.") == 0.0


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Errors were fewer with PacBio (3.1%) than with Nanopore (7.4%).",
         "Errors were fewer with Nanopore (3.1%) than with PacBio (7.4%)."),
        ("PacBio had a lower rate (3.1%) than Nanopore (7.4%).",
         "Nanopore had a lower rate (3.1%) than PacBio (7.4%)."),
    ],
)  # fmt: skip
def test_a_bracket_is_of_the_name_before_it(verifiers, right, wrong):
    truth = {"facts": [{"entity": "PacBio", "quantity": "error rate (%)", "value": 3.1}]}
    prompt = "What error rate (%) had PacBio?"
    assert earned(verifiers, "factual", prompt, truth, right) == 1.0
    assert earned(verifiers, "factual", prompt, truth, wrong) < 1.0
