"""Units that are right, wrong, missing, converted, and none of this verifier's business."""

from __future__ import annotations

import biorlhf_units as plugin
import pytest

from biorlhf import Question, RewardComposer, Score, Status
from biorlhf.testing import fresh_catalogue

IC50 = {"entity": "imatinib", "condition": "K562", "quantity": "IC50 (nM)", "value": 20}


def scored(text: str, *facts: dict) -> Score:
    question = Question("a", "What is the IC50 of imatinib in K562?", {"facts": list(facts or (IC50,))})
    return fresh_catalogue(plugin).build("verifier", "units", {}).score(question, text)


@pytest.mark.parametrize(
    "text",
    ["20 nM", "20nM", "20-nM", "The IC50 is 0.02 µM.", "0.02 uM", "20 nanomolar", "2e-8 M", "20.0 nM,"],
)
def test_the_amount_in_any_unit_of_its_dimension_is_right(text):
    assert scored(text).value == 1.0


@pytest.mark.parametrize("text", ["20 µM", "20 nm", "20", "20 nMol", "120 nM", "0.2 µM", "", "-20 nM"])
def test_another_amount_or_no_unit_is_wrong(text):
    assert scored(text).value == 0.0


def test_the_same_number_in_two_units_is_half_right():
    assert scored("20 nM, that is, 20 µM").value == 0.5


def test_another_quantity_beside_it_contradicts_nothing():
    assert scored("After 72 h at 37 °C and 5 % CO2, the IC50 was 20 nM in 3 of 3 experiments.").value == 1.0


def test_each_fact_counts_alike_and_the_details_say_what_was_found():
    dose = {"entity": "LPS", "quantity": "dose (mg/kg)", "value": 5}
    score = scored("5 mg/kg of LPS; IC50 20", dose, IC50)
    assert score.value == 0.5
    assert score.details["facts"] == [
        {"expected": "5 mg/kg", "stated": ["5 mg/kg"]},
        {"expected": "20 nM", "stated": ["20"]},
    ]


def test_thousands_and_spaces_are_read():
    dose = {"entity": "IL-6", "quantity": "level (pg/mL)", "value": 1250}
    assert scored("1,250 pg/mL", dose).value == 1.0
    assert scored("1.25 ng/mL", dose).value == 1.0


@pytest.mark.parametrize("quantity", ["IC50", "DEG count (padj < 0.05)", "response type (A, B or C)"])
def test_where_no_unit_is_named_it_does_not_apply(quantity):
    assert scored("20 nM", {**IC50, "quantity": quantity}).status is Status.NOT_APPLICABLE


def test_it_composes_with_the_built_in_verifier_of_facts():
    weights = {"factual": 0.8, "units": 0.2}
    composer = RewardComposer(list(weights), weights, catalogue=fresh_catalogue(plugin))
    question = Question("a", "What is the IC50 of imatinib in K562?", {"facts": [IC50]})
    right, bare = (float(composer.score(question, f"Answer: {text}")) for text in ("20 nM", "20"))
    assert (right, bare) == (pytest.approx(1.0), pytest.approx(0.8))
