"""Seeds are part of what a resumed run repeats: the numbers themselves are pinned."""

import pytest

from biorlhf.seeds import seed_of


@pytest.mark.parametrize(
    ("parts", "bits", "number"),
    [
        ((42, 0), 31, 708420325),  # a stage of a run
        ((42, 1), 31, 32439336),
        ((7, "kmp:soleus"), 31, 1993304200),  # a question of a step
        ((5, 3, "update"), 31, 1993423930),  # a trainer's draw
        ((42, "lora", 1), 63, 133839294119584949),  # a learner's draw
        ((99, 0, 2), 63, 1807787683576458354),
    ],
)
def test_the_numbers_of_runs_before_stay_the_same(parts, bits, number):
    assert seed_of(*parts, bits=bits) == number


def test_seeds_lie_below_their_bound_and_differ_by_every_part():
    drawn = {seed_of(run, step, name) for run in range(5) for step in range(5) for name in ("a", "b")}
    assert len(drawn) == 50
    assert all(0 <= seed < 2**31 for seed in drawn)
    assert max(seed_of(number, bits=63) for number in range(50)) >= 2**31
