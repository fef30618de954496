"""The canary by itself: what it takes for the learner's policy, and what not."""

from __future__ import annotations

import pytest

from biorlhf.errors import PolicyMismatch
from biorlhf.workers.crew import Canary

TEXT = [-1.0, -2.0, -0.5, -3.0]
# Two engines never round alike: here they are a hundredth apart, far more than a step moves anything.
ROUNDING = [0.01, -0.01, 0.012, -0.009]


def moved(by, values=TEXT):
    return [value + by * (1 + n) for n, value in enumerate(values)]


def served(values):
    return [value + error for value, error in zip(values, ROUNDING, strict=True)]


def canary(floor=1e-5):
    return Canary("it", 0.1, floor)


def test_small_steps_that_arrive_pass():
    watch = canary()
    for step in range(5):
        watch.check(moved(3e-4 * step), served(moved(3e-4 * step)))


def test_one_small_step_that_does_not_arrive_is_seen():
    watch = canary()
    watch.check(TEXT, served(TEXT))
    with pytest.raises(PolicyMismatch, match="it does not follow the learner"):
        watch.check(moved(3e-4), served(TEXT))


def test_half_a_step_that_arrives_is_seen():
    watch = canary()
    watch.check(TEXT, served(TEXT))
    with pytest.raises(PolicyMismatch):
        watch.check(moved(3e-4), served(moved(1e-4)))


def test_steps_that_go_astray_later_are_seen_where_rounding_hides_each():
    watch = canary(floor=2e-3)
    watch.check(TEXT, served(TEXT))
    watch.check(moved(4e-4), served(TEXT))
    with pytest.raises(PolicyMismatch):
        watch.check(moved(4e-3), served(TEXT))


def test_rounding_that_changes_from_step_to_step_is_no_lost_adapter():
    watch = canary(floor=0.05)
    watch.check(TEXT, served(TEXT))
    watch.check(moved(1e-4), [value - error for value, error in zip(TEXT, ROUNDING, strict=True)])


def test_another_policy_and_no_number_are_seen_at_once():
    with pytest.raises(PolicyMismatch):
        canary().check(TEXT, moved(0.2))
    with pytest.raises(PolicyMismatch):
        canary().check(TEXT, [float("nan")] * 4)


def test_a_sampler_without_logprobs_is_not_watched():
    watch = canary()
    watch.check([], [])
