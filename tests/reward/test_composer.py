"""The composer: weights over what applies, failures left out, explanations, and refusals."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biorlhf import plugins
from biorlhf.errors import InputError, PluginError
from biorlhf.hookspecs import VerifierPlugin
from biorlhf.reward import RewardComposer, compose
from biorlhf.types import Question, Score, Status


class Says:
    """A verifier that says what its name asks for: a number, n.a., or an error."""

    def __init__(self, answer, **declared):
        self.answer = answer
        self.__dict__.update(declared)

    def score(self, question, completion_text):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


def catalogue_of(records):
    return plugins.Catalogue([plugins.Entry(r, plugins.Provenance("lab", "1.0")) for r in records], [])


def composer(verifiers, **options):
    records = [
        VerifierPlugin(name=name, aliases=(f"alias_{name}",), build=lambda config, v=verifier: v)
        for name, verifier in verifiers.items()
    ]

    return RewardComposer(list(verifiers), catalogue=catalogue_of(records), **options)


def test_weights_are_renormalised_over_what_applies():
    made = composer(
        {
            "one": Says(Score.scored(1.0)),
            "two": Says(Score.scored(0.5)),
            "three": Says(Score.not_applicable()),
        },
        weights={"one": 0.2, "alias_two": 0.2, "three": 0.6},
    )
    reward = made.score("a question", "a response", {})
    assert reward.total == pytest.approx(0.75)
    assert reward.weights == {"one": pytest.approx(0.5), "two": pytest.approx(0.5)}
    assert float(reward) == reward.total


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ValueError("bad luck"), "ValueError: bad luck"),
        (SystemExit(3), "SystemExit: 3"),
        (0.5, "returned float"),
        (None, "returned NoneType"),
    ],
)
def test_a_failure_is_left_out_with_its_reason(answer, reason):
    made = composer({"good": Says(Score.scored(0.8)), "bad": Says(answer)})
    reward = made.score("q", "r", {})
    assert reward.total == pytest.approx(0.8)
    assert reason in reward.failures["bad"]


def test_without_any_score_there_is_no_reward():
    reward = composer({"bad": Says(ValueError("x"))}).score("q", "r", {})
    assert reward.total is None
    with pytest.raises(ValueError, match="no verifier scored"):
        float(reward)


def test_a_question_names_its_verifiers_by_name_or_alias():
    made = composer({"one": Says(Score.scored(1.0)), "two": Says(Score.scored(0.0))})
    for name in ("one", "alias_one", "ALIAS_ONE"):
        assert made.score("q", "r", {}, verifiers=[name]).total == 1.0
    with pytest.raises(InputError, match="did you mean: one"):
        made.score(Question("1", "q", {}, verifiers=("onne",)), "r")


def test_a_verifier_that_cannot_be_built_is_named_with_its_origin():
    plugin = VerifierPlugin(name="broken", build=lambda config: 1 / 0)

    with pytest.raises(PluginError, match=r"'broken' of lab 1.0 could not be built: ZeroDivisionError"):
        RewardComposer(["broken"], catalogue=catalogue_of([plugin]))


@given(
    st.dictionaries(
        st.sampled_from("abcdef"),
        st.tuples(st.floats(0, 1), st.floats(0, 1e6), st.booleans()),
        min_size=1,
    )
)
def test_a_reward_lies_between_the_least_and_the_greatest_score(table):
    weights = {name: weight for name, (_, weight, _) in table.items()}
    scores = {
        name: Score.scored(value) if applies else Score.not_applicable()
        for name, (value, _, applies) in table.items()
    }
    reward = compose(scores, weights)
    used = [table[name][0] for name in reward.weights]
    assert (reward.total is None) == (not used)
    if used:
        assert min(used) - 1e-9 <= reward.total <= max(used) + 1e-9
        assert sum(reward.weights.values()) == pytest.approx(1.0)


def test_an_explanation_adds_up_and_names_what_was_left_out():
    made = composer(
        {
            "factual": Says(Score.scored(0.5, reason="one of two figures")),
            "uncertainty": Says(ValueError("no luck")),
            "pathway": Says(Score.not_applicable("no pathway in the ground truth")),
        },
        weights={"factual": 0.5, "uncertainty": 0.3, "pathway": 0.2},
    )
    explanation = made.explain("q", "r", {})
    assert explanation.total == pytest.approx(sum(part.contribution for part in explanation.parts))
    text = str(explanation)
    assert "failed: ValueError: no luck" in text
    assert "not applicable: no pathway in the ground truth" in text
    assert "one of two figures" in text
    assert "the weight of uncertainty, pathway is shared out" in text
    parts = json.loads(json.dumps(explanation.to_json()))["parts"]
    assert [part["share"] for part in parts] == [1.0, 0.0, 0.0]
    assert [part["status"] for part in parts] == ["scored", "failed", "not_applicable"]


def brier():
    return Says(Score.scored(1.0), needs_correctness_weight=1.0, correctness_from=("factual", "pathway"))


def test_a_pure_brier_needs_as_much_weight_on_correctness():
    judge = Says(Score.scored(0.0))
    with pytest.raises(InputError) as caught:
        composer({"factual": judge, "sure": brier()}, weights={"factual": 0.3, "sure": 0.6})
    message = str(caught.value)
    assert caught.value.where == "weights.factual"
    assert "0.3 for 'factual' and 0.6 for 'sure'" in message
    assert "earns 0.667" in message
    assert "probability below 0.500" in message
    assert "at least 0.6" in message
    composer({"factual": judge, "sure": brier()}, weights={"factual": 0.5, "sure": 0.5})


def test_each_verifier_of_correctness_has_to_outweigh_it_for_it_may_be_the_only_one_that_applies():
    judge = Says(Score.scored(0.0))
    verifiers = {"factual": judge, "pathway": judge, "sure": brier()}
    with pytest.raises(InputError, match="'pathway'"):
        composer(verifiers, weights={"factual": 0.5, "pathway": 0.1, "sure": 0.4})
    composer(verifiers, weights={"factual": 0.4, "pathway": 0.4, "sure": 0.2})


def test_a_pure_brier_alone_is_refused():
    with pytest.raises(InputError, match="no verifier of correctness is active"):
        composer({"sure": brier()})


def test_the_built_in_verifier_is_safe_at_any_weight_but_not_with_the_brier_rule():
    weights = {"V1": 0.1, "V2": 0.1, "V4": 0.8}
    RewardComposer(["V1", "V2", "V4"], weights)
    with pytest.raises(InputError, match=r"weights\.factual: 0\.1 for 'factual' and 0\.8 for 'uncertainty'"):
        RewardComposer(["V1", "V2", "V4"], weights, configs={"V4": {"rule": "brier"}})
    RewardComposer(["V1", "V2", "V4"], {"V1": 0.4, "V2": 0.4, "V4": 0.2}, configs={"V4": {"rule": "brier"}})


def test_the_refusal_is_right_about_what_pays():
    """Under weights a < b, answering wrongly on purpose beats honesty exactly below p = 1 - a/b."""
    a, b = 0.3, 0.6
    for p in (0.3, 0.49, 0.51, 0.9):
        honest = a * p + b * (1 - p * (1 - p))
        assert (b > honest) == (p < 1 - a / b)


def test_scores_made_around_the_constructor_are_failures():
    forged = object.__new__(Score)
    for key, value in (("status", Status.SCORED), ("value", float("nan")), ("details", {})):
        object.__setattr__(forged, key, value)
    reward = composer({"forged": Says(forged)}).score("q", "r", {})
    assert reward.scores["forged"].status is Status.FAILED
