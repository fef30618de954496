"""Several learners update as one: the numbers of one learner, replicas equal to the bit, failures shared."""

from __future__ import annotations

import functools
import multiprocessing
import os
import random
import sys
from pathlib import Path

import pytest
import torch

import ranks_at_work
from biorlhf.engines.learning.ranks import Alone, deal
from ranks_at_work import EVERY, LOSSES, PLANS, gaps, one_step, work
from tiny_learner import make
from tiny_model import write_tiny_model


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def alone(base):
    plans = {str(plan): plan for plan in EVERY}
    return functools.cache(lambda name: one_step(base, plans[name], Alone()))


@pytest.fixture(scope="module")
def processes():
    """Processes that begin with the libraries loaded, which takes longer than all they have to do."""
    doubles = str(Path(ranks_at_work.__file__).parent)
    with pytest.MonkeyPatch.context() as patch:
        # The server that they are forked from looks where Python would, not where pytest does.
        patch.setenv("PYTHONPATH", os.pathsep.join([doubles, *filter(None, sys.path)]))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["ranks_at_work"])
        yield context


def parameters():
    yield from (pytest.param((size, *plans), id=str(size)) for size, plans in PLANS.items())
    for size in PLANS:
        marks = [pytest.mark.hostile, pytest.mark.timeout(3000)]
        yield pytest.param((size, EVERY, EVERY), id=f"{size}, every plan", marks=marks)


@pytest.fixture(scope="module", params=parameters())
def together(request, base, processes, tmp_path_factory):
    """What each of several ranks made of the same plans, in processes of their own: by rank, by plan."""
    plans, folder = request.param, tmp_path_factory.mktemp("ranks")
    size, port = plans[0], processes.Value("i", 0)
    first = processes.Process(target=work, args=(base, 0, port, folder, plans))
    first.start()
    while port.value == 0 and first.is_alive():
        first.join(0.05)
    others = [processes.Process(target=work, args=(base, n, port, folder, plans)) for n in range(1, size)]
    for other in others:
        other.start()
    for process in (first, *others):
        process.join()
        assert process.exitcode == 0
    return [torch.load(folder / f"{size}-{rank}.pt", weights_only=True) for rank in range(size)]


def plans_of(together, prefix=""):
    """Their names, as whole bases went through them, or sharded ones."""
    return [name for name in together[0] if name.startswith(f"{prefix}(")]


def test_every_loss_dropout_kl_and_iterations_is_met_with_each_number_of_ranks():
    for size, kinds in PLANS.items():
        for plans in kinds:
            assert {plan[0] for plan in plans} == set(LOSSES), size
            for one, other in ((1, 2), (1, 3), (2, 3)):
                met = {(plan[one], plan[other]) for plan in plans}
                assert met == {(plan[one], plan[other]) for plan in EVERY}, size


@pytest.mark.parametrize("prefix", ["", "sharded "])
def test_the_sum_over_ranks_is_the_gradient_of_one_learner(alone, together, prefix):
    for plan in plans_of(together, prefix):
        expected, _, metrics, evaluated = alone(plan.removeprefix(prefix))
        for rank in together:
            own, _, numbers, seen = rank[plan]
            # Of a second iteration as well, which starts from weights that differ by rounding already.
            assert max(gaps(expected, own)) < 5e-6, plan
            for name, value in metrics.items():
                if not name.startswith("time_"):
                    assert numbers[name] == pytest.approx(value, rel=1e-3, abs=1e-5), (plan, name)
            for name, value in evaluated.items():
                assert seen[name] == pytest.approx(value, rel=1e-3, abs=1e-5), (plan, name)


def test_replicas_are_equal_to_the_bit(together):
    for plan in [*plans_of(together), *plans_of(together, "sharded ")]:
        first = together[0][plan][1]
        for rank in together[1:]:
            assert all(torch.equal(first[name], value) for name, value in rank[plan][1].items()), plan


@pytest.mark.parametrize("which", ["failure", "sharded failure"])
def test_a_failure_of_one_rank_is_the_failure_of_all_and_changes_nothing(together, which):
    messages = [rank[which] for rank in together]
    assert all(unchanged for _, unchanged in messages)
    assert sum("micro-batch" in text for text, _ in messages) == 1
    assert all("stage s0, step 1: the loss of" in text for text, _ in messages)


def test_a_rank_of_a_sharded_base_holds_its_share_of_the_layers_and_all_of_the_rest(base, together):
    size = len(together)
    whole = {n: p for n, p in make(base).policy.model.named_parameters() if "lora_" not in n}
    rest = sum(p.numel() for name, p in whole.items() if ".layers." not in name)
    layers = [p for name, p in whole.items() if ".layers." in name]
    # Dealt by rows; the last rank's share of those that do not divide is the smaller one.
    shares = [sum(_rows(len(p), size, rank) * p[0].numel() for p in layers) for rank in range(size)]
    assert [rank["held"]["layers"] for rank in together] == shares
    assert sum(shares) == sum(p.numel() for p in layers)
    assert [rank["held"]["all"] - rank["held"]["layers"] for rank in together] == [rest] * size
    assert all(rank["plain"] for rank in together)


def _rows(rows, size, rank):
    each = -(-rows // size)
    return max(0, min(each, rows - rank * each))


def test_a_sharded_base_gives_the_log_probabilities_of_a_whole_one(base, together):
    expected = make(base).logprobs((5, 6, 7), (8, 9))
    for rank in together:
        assert rank["logprobs"] == pytest.approx(expected, abs=1e-5)


def test_ranks_without_a_group_add_nothing_and_are_counted(together):
    assert {rank["idle"] for rank in together} == {float(len(together) - 1)}


def test_micro_batches_are_dealt_by_tokens_and_each_goes_to_one_rank():
    draw = random.Random(1)
    for size in (1, 2, 3, 5):
        sizes = [draw.randrange(1, 1000) for _ in range(40)]
        hands = deal(sizes, size)
        assert sorted(number for hand in hands for number in hand) == list(range(40))
        loads = [sum(sizes[number] for number in hand) for hand in hands]
        assert max(loads) - min(loads) <= max(sizes)
