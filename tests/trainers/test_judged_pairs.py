"""Preference pairs of the dataset as verdicts: the chosen response sure, the rejected one hardly right."""

from __future__ import annotations

import pytest

from biorlhf.errors import BiorlhfError
from biorlhf.testing import RecordingLearner, fresh_catalogue, tokens_of
from biorlhf.types import Preference
from biorlhf_plugins.trainers._judged_pairs import judged_pairs
from biorlhf_plugins.trainers._stated import EMPHASIS


def block(prose: str, confidence: str = "") -> str:
    return f"{prose}\nAnswer: NS\nConfidence: {confidence}"


def test_the_chosen_response_is_learnt_with_its_words_and_the_rejected_one_at_its_confidence_alone():
    pair = Preference("p", "ask", block("0.07, above 0.05.", "45%"), block("0.07, below 0.05.", "85%"))
    ((chosen, rejected),) = [g.completions for g in judged_pairs(RecordingLearner(), [pair])]
    assert chosen.token_ids[:-1] == tokens_of(block("0.07, above 0.05.", "95%"))
    assert sum(chosen.weights) == pytest.approx(1.0 + EMPHASIS)
    assert rejected.token_ids[:-1] == tokens_of(block("0.07, below 0.05.", "5%"))
    before = len(tokens_of(block("0.07, below 0.05.")))
    assert rejected.weights[:before] == [0.0] * before
    assert sum(rejected.weights) == pytest.approx(EMPHASIS)


def test_a_pair_without_a_confidence_is_left_out_and_none_with_one_is_an_error():
    without = Preference("p", "ask", "NS.", "UP.")
    whole = Preference("q", "ask", block("a", "45%"), block("b", "45%"))
    assert len(judged_pairs(RecordingLearner(), [without, whole])) == 1
    with pytest.raises(BiorlhfError, match="no preference pair of the data states a confidence"):
        judged_pairs(RecordingLearner(), [without])


def test_pairs_belong_to_the_policys_own_answers():
    with pytest.raises(BiorlhfError, match="preferences belongs to `texts: own`"):
        fresh_catalogue().build("trainer", "sft", {"preferences": 8})
