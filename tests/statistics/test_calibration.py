"""Calibration numbers against values worked out by hand, identities, and truths known by construction."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biorlhf import Question
from biorlhf.statistics import calibration as cal
from biorlhf.statistics.assessment import BIASED, NAMES, assess, cluster_of, statistics
from biorlhf.statistics.intervals import bootstrap

# Ten answers, two confidences: at 0.9 three of five are right, at 0.4 two of five.
Q = np.array([0.9] * 5 + [0.4] * 5)
C = np.array([1, 1, 1, 0, 0, 1, 1, 0, 0, 0], dtype=float)


def sums(q=Q, c=C):
    bins = cal.bin_index(q)
    assert bins is not None
    return cal.bin_sums(q, c, bins)


def test_the_numbers_of_ten_answers_are_those_worked_out_by_hand():
    s = sums()
    assert cal.ece(s) == pytest.approx(0.5 * 0.3 + 0.5 * 0.0)
    assert cal.mce(s) == pytest.approx(0.3)
    assert cal.reliability(s) == pytest.approx(0.5 * 0.09)
    assert cal.resolution(s) == pytest.approx(0.01)
    assert cal.uncertainty(s) == pytest.approx(0.25)
    # sum share [gap^2 - p (1 - p) / (n - 1)] = 0.5 (0.09 - 0.06) + 0.5 (0 - 0.06) < 0
    assert cal.debiased_l2(s) == 0.0
    brier = (3 * 0.01 + 2 * 0.81 + 2 * 0.36 + 3 * 0.16) / 10
    assert cal.brier(Q, C) == pytest.approx(brier)
    assert cal.brier_skill(Q, C) == pytest.approx(1 - brier / 0.25)
    # Pairs (right, wrong): 3 x 3 won by the confident right, 2 x 2 lost, 3 x 2 + 2 x 3 ties.
    assert cal.auroc(Q, C) == pytest.approx((9 + 12 / 2) / 25)
    assert cal.overconfidence(Q, C) == pytest.approx(0.4)
    assert math.isnan(cal.underconfidence(Q, C))


def test_debiased_l2_of_a_wrong_confidence_is_near_the_true_gap():
    """Confidence 0.9, right half of the time: 0.4. The plug-in's square is too large by p(1-p)/n."""
    rng = np.random.default_rng(0)
    q = np.full(40, 0.9)
    found, plugged = [], []
    for _ in range(400):
        s = sums(q, (rng.random(40) < 0.5).astype(float))
        found.append(float(cal.debiased_l2(s)) ** 2)
        plugged.append(float(cal.reliability(s)))
    assert np.mean(found) == pytest.approx(0.16, abs=0.01)
    assert np.mean(plugged) == pytest.approx(0.16 + 0.25 / 40, abs=0.005)


def test_murphys_parts_add_up_to_the_brier_score_where_bins_are_single_values():
    s = sums()
    total = cal.reliability(s) - cal.resolution(s) + cal.uncertainty(s)
    assert total == pytest.approx(cal.brier(Q, C))


def test_the_risk_coverage_curve_keeps_the_most_confident_first():
    coverage, risk = cal.risk_coverage(Q, C)
    assert coverage.tolist() == [0.5, 1.0]
    assert risk.tolist() == pytest.approx([0.4, 0.5])
    assert cal.aurc(Q, C) == pytest.approx(0.5 * 0.4 + 0.5 * 0.45)


def test_the_surer_half_counts_answers_that_are_equally_sure_alike():
    assert cal.surest_half(Q, C) == pytest.approx(0.4)
    # The surest answer is right; of the three that follow, equally sure, one is right and one fits in.
    q, c = np.array([0.9, 0.5, 0.5, 0.5]), np.array([1.0, 1.0, 0.0, 0.0])
    assert cal.surest_half(q, c) == pytest.approx((0 + 2 / 3) / 2)
    weights = np.array([[1.0, 1.0, 1.0, 1.0], [0.0, 2.0, 1.0, 1.0]])
    assert cal.surest_half(q, c, weights).tolist() == pytest.approx([1 / 3, 0.5])


def test_a_confidence_that_separates_perfectly_has_auroc_one_and_noise_has_a_half():
    assert cal.auroc(np.array([0.9, 0.8, 0.1]), np.array([1.0, 1.0, 0.0])) == 1.0
    assert cal.auroc(np.full(4, 0.5), np.array([1.0, 0.0, 1.0, 0.0])) == 0.5


def test_bins_follow_the_rule():
    assert cal.bin_index(np.array([])) is None
    assert len(np.unique(cal.bin_index(np.repeat([0.1, 0.5, 0.9], 30)))) == 3  # below ten values: by value
    assert cal.bin_index(np.linspace(0, 1, 19)) is None  # ten and more values, fewer than 20 answers
    for n, bins in ((20, 1), (59, 2), (100, 5), (200, 10), (1000, 10)):
        found = cal.bin_index(np.linspace(0, 1, n))
        assert found is not None
        counts = np.bincount(found)
        assert len(counts) == bins
        assert counts.max() - counts.min() <= 1


def test_equal_confidences_share_a_bin_in_any_order():
    q = np.array([0.9] * 60 + list(np.linspace(0, 0.8, 40)))
    order = np.random.default_rng(0).permutation(100)
    bins, shuffled = cal.bin_index(q), cal.bin_index(q[order])
    assert bins is not None
    assert shuffled is not None
    assert len(set(bins[:60])) == 1
    assert (bins[order] == shuffled).all()


def test_a_published_ece_of_0_078_is_what_chance_gives():
    """25 answers, 11 stated with 0.55 and 14 with 0.50, 15 right, in one bin: ECE 0.078. A perfectly
    calibrated model that states the same has an expected ECE of 0.079."""
    q = np.array([0.55] * 11 + [0.50] * 14)
    c = np.array([1.0] * 15 + [0.0] * 10)
    one_bin = np.zeros(25, dtype=np.int64)
    assert cal.ece(cal.bin_sums(q, c, one_bin)) == pytest.approx(0.078)
    null = cal.null_ece(q, one_bin, draws=20_000)
    assert null.mean() == pytest.approx(0.079, abs=0.001)
    assert (null >= 0.078).mean() > 0.3


def test_the_null_ece_is_the_ece_that_calibrated_answers_get():
    rng = np.random.default_rng(5)
    q = rng.choice([0.3, 0.6, 0.9], 120)
    bins = cal.bin_index(q)
    assert bins is not None
    seen = [float(cal.ece(cal.bin_sums(q, (rng.random(120) < q).astype(float), bins))) for _ in range(400)]
    assert cal.null_ece(q, bins).mean() == pytest.approx(np.mean(seen), abs=0.004)


def test_a_calibrated_model_lies_within_its_null_and_an_overconfident_one_outside():
    rng = np.random.default_rng(6)
    q = rng.choice([0.5, 0.7, 0.9], 300)
    keys = list(range(300))
    honest = assess(list(q), list((rng.random(300) < q).astype(float)), keys)
    boaster = assess([0.95] * 300, list((rng.random(300) < 0.6).astype(float)), keys)
    assert honest.null is not None
    assert boaster.null is not None
    assert honest.null["p_value"] > 0.05
    assert boaster.null["p_value"] < 0.01
    assert boaster.distinct_confidences == 1
    assert boaster.rates["overconfidence"].value == pytest.approx(0.4, abs=0.1)
    assert boaster.rates["confidence_gap"].low > 0.2


def test_the_interval_of_the_ece_holds_the_true_one():
    """Five confidences with known accuracies, 60 answers, 150 experiments. The plain percentile interval
    holds the true ECE 60 % of the time here; the reflected one is held to 85 % at least."""
    rng = np.random.default_rng(7)
    stated, accuracy = np.array([0.1, 0.3, 0.5, 0.7, 0.9]), np.array([0.2, 0.35, 0.5, 0.6, 0.75])
    truth = np.abs(stated - accuracy).mean()
    held = 0
    for _ in range(150):
        kind = rng.integers(0, 5, 60)
        right = (rng.random(60) < accuracy[kind]).astype(float)
        one = {"ece": statistics(stated[kind], right)["ece"]}
        rate = bootstrap(one, np.arange(60), {"ece": 60}, reflected=BIASED)["ece"]
        held += rate.low <= truth <= rate.high
    assert held / 150 >= 0.85


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 1), st.integers(0, 5)),
        max_size=30,
    )
)
def test_any_answers_give_finite_numbers_or_a_reason(rows):
    found = assess([q for q, _, _ in rows], [c for _, c, _ in rows], [key for _, _, key in rows])
    assert set(found.rates) | set(found.left_out) == set(NAMES)
    assert not set(found.rates) & set(found.left_out)
    assert all(found.left_out.values())
    for rate in found.rates.values():
        assert all(map(math.isfinite, (rate.value, rate.low, rate.high)))
        assert rate.low <= rate.value <= rate.high


@pytest.mark.parametrize("n", [0, 1, 2, 19])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_few_answers_that_are_all_alike_give_reasons_not_errors(n, label):
    found = assess(list(np.linspace(0, 1, n)), [label] * n, list(range(n)))
    assert "auroc" in found.left_out
    assert "brier_skill" in found.left_out
    if n:
        assert found.left_out["auroc"] == ("every answer is right" if label else "every answer is wrong")
        assert found.rates["accuracy"].value == label
    else:
        assert found.left_out["ece"] == "no answer states a confidence"
    if n == 19:
        assert found.left_out["ece"] == "19 answers with 19 distinct confidences are too few to bin"


def test_five_hundred_answers_take_less_than_a_second():
    rng = np.random.default_rng(8)
    q = rng.random(500)
    started = time.process_time()
    assess(list(q), list((rng.random(500) < q).astype(float)), [i // 2 for i in range(500)])
    assert time.process_time() - started < 2.0  # measured: 0.2 s


def test_the_cluster_is_the_split_group_then_tissue_and_pathway_then_the_question():
    truth = {"pathway": "HALLMARK_HYPOXIA", "tissue": "liver"}
    assert cluster_of(Question("1", "?", truth, split_group="g")) == "g"
    assert cluster_of(Question("1", "?", truth, tissue="eye")) == "eye/HALLMARK_HYPOXIA"
    assert cluster_of(Question("1", "?", truth)) == "liver/HALLMARK_HYPOXIA"
    assert cluster_of(Question("1", "?", {}, tissue="eye")) == "question/1"
