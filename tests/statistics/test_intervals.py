"""Intervals: known values, coverage where the truth is known, and nothing that is not a number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biorlhf.statistics.assessment import BIASED, statistics
from biorlhf.statistics.differences import Side, paired_differences
from biorlhf.statistics.intervals import bootstrap, cluster_index, mean, share, weighted_mean, wilson


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        # Newcombe (1998), Statistics in Medicine 17:857, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(right, n, low, high):
    assert wilson(right, n) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_is_no_rate():
    assert share(0, 0) is None


def test_a_mean_leaves_missing_values_out_and_counts_the_rest():
    found = mean([1.0, None, 0.0, 1.0], ["a", "b", "c", "d"])
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)
    assert mean([None], ["a"]) is None


def test_answers_about_one_thing_are_drawn_together():
    """Twenty answers that are copies of four are worth four, not twenty."""
    values = [0.0, 1.0, 0.0, 1.0] * 5
    apart = mean(values, list(range(20)))
    together = mean(values, [i % 4 for i in range(20)])
    assert apart is not None
    assert together is not None
    assert together.high - together.low > 1.7 * (apart.high - apart.low)


def test_the_cluster_bootstrap_holds_the_truth_about_as_often_as_it_says():
    """120 experiments of 40 clusters of 3 answers that agree within a cluster: 95 % within [0.89, 0.99]."""
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(40), 3)
    held = 0
    for _ in range(120):
        values = np.repeat((rng.random(40) < 0.3).astype(float), 3)
        rate = bootstrap({"m": weighted_mean(values)}, clusters, {"m": 120})["m"]
        held += rate.low <= 0.3 <= rate.high
    assert 0.89 <= held / 120 <= 0.99


def test_one_cluster_or_all_alike_gives_a_wide_interval_not_a_point():
    alike = mean([1.0] * 5, list("abcde"))
    assert alike is not None
    assert (alike.low, alike.high) == (pytest.approx(0.5655, abs=1e-4), 1.0)
    single = mean([0.2, 0.9, 0.4], ["a", "a", "a"])
    assert single is not None
    assert single.high - single.low > 0.7


def test_the_same_seed_gives_the_same_interval():
    values, keys = list(np.linspace(0, 1, 30)), [i // 2 for i in range(30)]
    assert mean(values, keys, seed=3) == mean(values, keys, seed=3)
    assert mean(values, keys, seed=3) != mean(values, keys, seed=4)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.one_of(st.none(), st.floats(0, 1)), st.integers(0, 4)), max_size=25),
)
def test_every_mean_is_finite_ordered_and_in_range(rows):
    found = mean([value for value, _ in rows], [key for _, key in rows])
    if all(value is None for value, _ in rows):
        assert found is None
    else:
        assert found is not None
        assert all(map(math.isfinite, (found.value, found.low, found.high)))
        assert 0 <= found.low <= found.value <= found.high <= 1


def side(values, questions) -> Side:
    return Side({"m": weighted_mean(np.array(values, dtype=float))}, questions)


def test_a_paired_difference_cancels_what_makes_a_question_hard():
    """Questions differ far more than the runs do: unpaired intervals overlap, the paired one does not."""
    rng = np.random.default_rng(0)
    hardness = rng.random(60)
    questions = [f"q{i}" for i in range(60)]
    first, second = hardness * 0.8, hardness * 0.8 + 0.05 + rng.normal(0, 0.02, 60)
    found = paired_differences(side(first, questions), side(second, questions), {})["m"]
    assert not found.is_noise
    assert 0.04 < found.low < found.value < found.high < 0.06
    before, after = mean(list(first), questions), mean(list(second), questions)
    assert before is not None
    assert after is not None
    assert before.high > after.low


def test_only_questions_of_both_sides_are_compared_in_any_order():
    first = side([0.0, 1.0, 0.5, 0.5, 0.2, 0.1, 0.3], list("abcdefg"))
    second = side([0.3, 0.1, 0.2, 0.5, 0.5, 1.0, 0.7], list("gfedcbx"))
    found = paired_differences(first, second, {})["m"]
    assert found.questions == 6
    assert found.value == pytest.approx(0.0)


def test_questions_with_nothing_in_common_have_no_difference():
    assert paired_differences(side([1.0], ["a"]), side([1.0], ["b"]), {}) == {}


def test_two_samples_of_one_policy_are_noise_about_nineteen_times_in_twenty():
    rng = np.random.default_rng(2)
    questions = [f"q{i}" for i in range(50)]
    called = 0
    for _ in range(120):
        first, second = (side((rng.random(50) < 0.4), questions) for _ in range(2))
        called += not paired_differences(first, second, {})["m"].is_noise
    assert called / 120 <= 0.10


def test_the_detectable_difference_is_detected_four_times_out_of_five():
    rng = np.random.default_rng(3)
    questions = [f"q{i}" for i in range(80)]
    noise = 0.3
    start = paired_differences(
        side(rng.normal(0, noise, 80), questions), side(rng.normal(0, noise, 80), questions), {}
    )["m"]
    seen = 0
    for _ in range(120):
        first, second = rng.normal(0, noise, 80), rng.normal(start.detectable, noise, 80)
        seen += not paired_differences(side(first, questions), side(second, questions), {})["m"].is_noise
    assert 0.65 <= seen / 120 <= 0.95


def test_a_unanimous_change_of_five_questions_is_too_few_to_tell():
    five = [f"q{i}" for i in range(5)]
    found = paired_differences(side([0.0] * 5, five), side([1.0] * 5, five), {})["m"]
    assert found.value == 1.0
    assert found.is_noise
    assert found.is_too_few
    six = [f"q{i}" for i in range(6)]
    assert not paired_differences(side([0.0] * 6, six), side([1.0] * 6, six), {})["m"].is_noise


def test_clusters_are_numbered_by_first_appearance():
    assert cluster_index(["b", "a", "b"]).tolist() == [0, 1, 0]


def test_the_interval_of_an_ece_difference_holds_the_true_one():
    """A calibrated model against one that is right half of the time whatever it says; 150 experiments.
    The percentile interval alone holds the true difference 78 % of the time here."""
    rng = np.random.default_rng(4)
    stated = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    questions = [f"q{i}" for i in range(120)]
    held = 0
    for _ in range(150):
        sides = []
        for accuracy in (stated, np.full(5, 0.5)):
            kind = rng.integers(0, 5, 120)
            right = (rng.random(120) < accuracy[kind]).astype(float)
            sides.append(Side({"ece": statistics(stated[kind], right)["ece"]}, questions, BIASED))
        found = paired_differences(sides[0], sides[1], {})["ece"]
        held += found.low <= 0.24 <= found.high
    assert held / 150 >= 0.85
