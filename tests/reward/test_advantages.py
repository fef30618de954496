"""Advantages against TRL's numbers and values worked out by hand; missing scores; shares."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biorlhf.reward.advantages import NORMALISATIONS, collect, overlong_factor
from biorlhf.types import Reward, Score

PEER = json.loads((Path(__file__).parents[1] / "data" / "trl_losses.json").read_text(encoding="utf-8"))


def reward(values: dict[str, float | None], weights: dict[str, float]) -> Reward:
    """Composed as the RewardComposer does; None is a failure."""
    scores = {n: Score.failed("broken") if v is None else Score.scored(v) for n, v in values.items()}
    used = {n: weights[n] for n, v in values.items() if v is not None}
    shares = {n: w / sum(used.values()) for n, w in used.items()}
    total = sum(shares[n] * values[n] for n in shares) if shares else None
    return Reward(total, scores, shares)


def single(values_P: list[list[float | None]]) -> list[list[Reward]]:
    return [[reward({"v": value}, {"v": 1.0}) for value in values] for values in values_P]


@pytest.mark.parametrize("case", PEER["advantages"], ids=lambda case: case["normalisation"])
def test_advantages_equal_trl(case):
    weights = dict(zip(("first", "second"), PEER["weights"], strict=True))
    rewards_P = [
        [reward(dict(zip(weights, row, strict=True)), weights) for row in g] for g in case["rewards"]
    ]
    credit = NORMALISATIONS[case["normalisation"]](collect(rewards_P), 0.0)
    np.testing.assert_allclose(credit.advantages_P_G.ravel(), case["advantages"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", [0.5, -0.5, 0.0]),
        ("group", [0.5 / 0.5001, -0.5 / 0.5001, 0.0]),  # deviation of (1, 0, .5) is .5
        ("leave_one_out", [1 - 0.25, 0 - 0.75, 0.0]),
    ],
)
def test_normalisations_by_hand(name, expected):
    credit = NORMALISATIONS[name](collect(single([[1.0, 0.0, 0.5]])), 0.0)
    np.testing.assert_allclose(credit.advantages_P_G[0], expected, atol=1e-12)


def test_batch_deviation_is_taken_over_all_rewards():
    credit = NORMALISATIONS["batch"](collect(single([[1.0, 0.0], [1.0, 1.0]])), 0.0)
    spread = np.std([1, 0, 1, 1], ddof=1) + 1e-4
    np.testing.assert_allclose(credit.advantages_P_G, [[0.5 / spread, -0.5 / spread], [0, 0]])


@pytest.mark.parametrize("name", sorted(NORMALISATIONS))
def test_a_completion_without_a_reward_gets_no_advantage_and_moves_nobody(name):
    with_hole = NORMALISATIONS[name](collect(single([[0.9, 0.1, None], [0.2, 0.4, 0.6]])), 0.0)
    without = NORMALISATIONS[name](collect(single([[0.9, 0.1], [0.2, 0.4, 0.6]])), 0.0)
    assert with_hole.advantages_P_G[0, 2] == 0.0
    np.testing.assert_array_equal(with_hole.advantages_P_G, without.advantages_P_G)
    assert with_hole.advantages_P_G[0, 0] > 0 > with_hole.advantages_P_G[0, 1]


@pytest.mark.parametrize("name", sorted(NORMALISATIONS))
@pytest.mark.parametrize("values", [[None, None], [0.4, None], [0.1, 0.1], [0.1 + 0.2, 0.3]])
def test_a_group_without_spread_is_silent_exactly(name, values):
    credit = NORMALISATIONS[name](collect(single([values, [0.0, 1.0]])), 0.0)
    assert credit.silent_P.tolist() == [True, False]
    assert credit.advantages_P_G[0].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", sorted(NORMALISATIONS))
def test_shares_add_up_to_one_and_follow_who_varies(name):
    weights = {"loud": 0.5, "constant": 0.5}
    rewards_P = [[reward({"loud": v, "constant": 0.7}, weights) for v in (0.0, 1.0, 0.3)]]
    shares = NORMALISATIONS[name](collect(rewards_P), 0.0).shares()
    assert shares["loud"] == pytest.approx(1.0)
    assert shares["constant"] == pytest.approx(0.0, abs=1e-12)


def test_shares_by_hand():
    """r = .5 a + .5 b with a = (1, 0), b = (.5, 0): parts (.25, .125), so two thirds and one third."""
    weights = {"a": 0.5, "b": 0.5}
    rewards_P = [[reward({"a": 1.0, "b": 0.5}, weights), reward({"a": 0.0, "b": 0.0}, weights)]]
    shares = NORMALISATIONS["none"](collect(rewards_P), 0.0).shares()
    assert shares == pytest.approx({"a": 2 / 3, "b": 1 / 3})


def test_a_verifier_that_the_others_outvote_has_a_negative_share():
    weights = {"a": 0.75, "b": 0.25}
    rewards_P = [[reward({"a": 1.0, "b": 0.0}, weights), reward({"a": 0.0, "b": 1.0}, weights)]]
    assert NORMALISATIONS["none"](collect(rewards_P), 0.0).shares()["b"] < 0


def test_shares_are_empty_where_nothing_was_learnt():
    assert NORMALISATIONS["group"](collect(single([[0.5, 0.5]])), 0.0).shares() == {}


def two_scales() -> list[list[Reward]]:
    """``wide`` spans the whole range; ``faint`` differs by a hundredth, against it."""
    weights = {"wide": 0.5, "faint": 0.5}
    return [
        [reward({"wide": w, "faint": f}, weights) for w, f in ((1.0, 0.50), (0.0, 0.51))],
        [reward({"wide": w, "faint": f}, weights) for w, f in ((0.0, 0.50), (0.9, 0.50))],
    ]


def test_gdpo_makes_verifiers_of_different_scale_count_alike_and_the_floor_limits_that():
    rewards = collect(two_scales())
    without, with_floor = (NORMALISATIONS["gdpo"](rewards, floor) for floor in (0.0, 0.1))
    # in the first group the two deviations, .71 and .007, are brought to one scale and cancel
    assert abs(without.advantages_P_G[0, 0]) < 0.02
    # with a floor of .1 the faint one counts for .007/.1 of the wide one
    ratio = -with_floor.parts_V["faint"][0, 0] / with_floor.parts_V["wide"][0, 0]
    assert ratio == pytest.approx(0.00707 / 0.1, rel=0.01)


def test_the_floor_is_not_undone_by_the_batch_deviation():
    rewards_P = single([[0.50, 0.51], [0.30, 0.31]])
    loud, quiet = (NORMALISATIONS["gdpo"](collect(rewards_P), floor).advantages_P_G for floor in (0.0, 0.1))
    assert abs(loud[0, 0]) > 0.8
    assert abs(quiet[0, 0]) < 0.08


@given(
    values=st.lists(
        st.lists(
            st.tuples(*[st.one_of(st.none(), st.floats(0, 1)) for _ in range(3)]), min_size=4, max_size=4
        ),
        min_size=1,
        max_size=3,
    ),
    name=st.sampled_from(sorted(NORMALISATIONS)),
    floor=st.sampled_from([0.0, 0.05]),
)
@settings(max_examples=150, deadline=None)
def test_advantages_are_finite_centred_and_the_sum_of_their_parts(values, name, floor):
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    rewards_P = [[reward(dict(zip(weights, row, strict=True)), weights) for row in g] for g in values]
    credit = NORMALISATIONS[name](collect(rewards_P), floor)
    assert np.isfinite(credit.advantages_P_G).all()
    np.testing.assert_allclose(credit.advantages_P_G.sum(axis=1), 0, atol=1e-8)
    np.testing.assert_allclose(credit.advantages_P_G, sum(credit.parts_V.values()), atol=1e-12)
    if shares := credit.shares():
        assert math.fsum(shares.values()) == pytest.approx(1.0)


def test_overlong_factor_keeps_rewards_between_zero_and_one():
    assert [overlong_factor(n, 100, 20) for n in (10, 80, 90, 100, 120)] == [1.0, 1.0, 0.5, 0.0, 0.0]
    assert overlong_factor(100, 100, 0) == 1.0


def test_factors_scale_the_composed_reward():
    rewards = collect(single([[0.8, 0.4]]), [[0.5, 1.0]])
    np.testing.assert_allclose(rewards.totals_P_G, [[0.4, 0.4]])
    assert NORMALISATIONS["group"](rewards, 0.0).silent_P.tolist() == [True]


@pytest.mark.parametrize("name", ["group", "batch", "none", "leave_one_out"])
def test_verifiers_that_cancel_leave_a_group_silent_exactly(name):
    """.7 x .6 + .3 x .3 and .7 x .3 + .3 x 1 are the same reward, but for rounding."""
    weights = {"a": 0.7, "b": 0.3}
    tied = [reward({"a": 0.6, "b": 0.3}, weights), reward({"a": 0.3, "b": 1.0}, weights)]
    credit = NORMALISATIONS[name](collect([tied, [tied[0], reward({"a": 0.0, "b": 0.0}, weights)]]), 0.0)
    assert credit.advantages_P_G[0].tolist() == [0.0, 0.0]
    assert credit.silent_P.tolist() == [True, False]
