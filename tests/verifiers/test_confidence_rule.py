"""V4's rule is proper, being right pays, and nothing beats an honest confidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biorlhf import Question
from biorlhf_plugins.truth import correctness, stated_confidence
from biorlhf_plugins.verifiers.uncertainty import confidence_score

GRID = [i / 1000 for i in range(1001)]
E2F = Question(
    "q",
    "In flight thymus, is E2F Targets up or down? Give your confidence in percent.",
    {
        "answerable": True,
        "pathway": "HALLMARK_E2F_TARGETS",
        "direction": "DOWN",
        "tissue": "thymus",
        "contrast": "flight_vs_ground",
    },
)
probabilities = st.floats(0, 1, allow_nan=False)


def expected(p, q):
    return p * confidence_score(1, q) + (1 - p) * confidence_score(0, q)


@pytest.mark.parametrize("p", [i / 20 for i in range(1, 20)])
def test_the_best_confidence_is_the_honest_one(p):
    best = max(GRID, key=lambda q: expected(p, q))
    assert abs(best - p) <= 0.01


@pytest.mark.parametrize("percent", [5, 30, 50, 70, 95])
def test_the_verifier_pays_what_the_rule_says(verifiers, percent):
    for word, correct in (("Down", 1), ("Up", 0)):
        score = verifiers["uncertainty"].score(E2F, f"{word}. Confidence: {percent}%")
        assert score.value == pytest.approx(confidence_score(correct, percent / 100))


@given(probabilities)
def test_stating_nothing_never_beats_the_honest_confidence(p):
    assert p * 0.25 <= expected(p, p)


@given(probabilities, st.floats(0.5, 1))
def test_a_wrong_answer_never_beats_a_right_one_with_confidence_of_a_half(q_wrong, q_right):
    assert confidence_score(0, q_wrong) <= 0.5 < confidence_score(1, q_right)


@given(probabilities, probabilities)
def test_honest_reward_grows_with_the_chance_of_being_right(p, r):
    low, high = sorted((p, r))
    assert expected(low, low) <= expected(high, high) + 1e-12


@given(probabilities)
def test_answering_wrongly_on_purpose_does_not_pay(p):
    assert max(confidence_score(0, q) for q in GRID) <= expected(p, p) + 1e-12


@given(st.integers(0, 100))
def test_percent_decimal_and_plain_forms_agree(percent):
    texts = [f"Down. Confidence: {percent}%", f"Down. Confidence: {percent / 100}", f"Down. {percent}% sure."]
    read = [stated_confidence(text) for text in texts]
    assert read == pytest.approx([percent / 100] * 3)


def test_a_missing_confidence_is_a_quarter_and_never_imputed(verifiers):
    assert verifiers["uncertainty"].score(E2F, "Down.").value == 0.25
    assert verifiers["uncertainty"].score(E2F, "Up.").value == 0.0
    assert correctness(E2F, "Down.").confidence is None


@pytest.mark.parametrize(
    "text",
    [
        "Confidence: 0%",
        "Confidence: 100%",
        "",
        "   ",
        E2F.prompt,
        "Up.",
        "unclear, uncertain, mixed, variable, limited",
    ],
)
def test_no_answer_never_beats_declining(verifiers, text):
    declining = verifiers["uncertainty"].score(E2F, "I cannot tell.").value
    assert (verifiers["uncertainty"].score(E2F, text).value or 0.0) <= declining


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Confidence: 95 %", 0.95), ("confidence 0.95", 0.95), ("Confidence 9/10", 0.9), ("95% sure", 0.95),
        ("Confidence: HIGH", 0.9), ("Confidence: **medium**", 0.6), ("my confidence is low", 0.3),
        ("Confidence: nine out of ten", 0.9), ("I am 80 percent confident that it is down", 0.8),
        ("Confidence: 70%. Confidence: 75%.", 0.75), ("Confidence: 40%. Confidence: 90%.", None),
        ("Confidence: 900%", None), ("Confidence: -5%", None), ("no number here", None),
        ("I am 99% sure the sun is warm. Confidence: 60%", 0.6), ("the 95% confidence interval", None),
        ("Definitely. Confidence: 2%", None), ("Confidence: 5% - correction, confidence: 90%", 0.9),
    ],
)  # fmt: skip
def test_forms_of_a_stated_confidence(text, value):
    assert stated_confidence(text) == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I don't know how many nests were found on the north cliff in May.",
        "I cannot say how many nests were found on the north cliff in May.",
        "It is unknown how many nests were found on the north cliff in May. Confidence: 10%",
    ],
)
def test_declining_with_the_whole_question_in_it_is_declining(verifiers, text):
    facts = [{"entity": "north cliff", "condition": "May", "quantity": "nests", "value": 156}]
    asked = Question("n", "How many nests were found on the north cliff in May?", {"facts": facts})
    declining = verifiers["uncertainty"].score(asked, "I cannot tell.").value
    assert verifiers["uncertainty"].score(asked, text).value == declining > 0.5
    assert verifiers["uncertainty"].score(asked, "512. Confidence: 95%").value < declining
    echo = verifiers["uncertainty"].score(asked, "So: how many nests were found on the north cliff in May.")
    assert (echo.value or 0.0) == 0.0


def test_unanswerable_questions_pay_for_declining(verifiers):
    dose = Question("d", "What dose of KMP should humans take?", {"answerable": False})
    score = verifiers["uncertainty"].score
    assert score(dose, "The study cannot say.").value == 1.0
    assert score(dose, "500 mg. Confidence: 50%").value == pytest.approx((1 - 0.25) / 2)
    assert score(dose, "500 mg.").value == 0.0
    assert score(dose, "The study cannot say, but take 500 mg. Confidence: 100%").value == 0.0
