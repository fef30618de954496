"""Losses against TRL's numbers, against values worked out by hand, and against finite differences."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from biorlhf.engines.losses.registry import LOSSES, TokenBatch, Whole, combine, needs_reference

PEER = json.loads((Path(__file__).parents[1] / "data" / "trl_losses.json").read_text(encoding="utf-8"))
LENGTHS = PEER["lengths"]
POLICY = {"clip_low": 0.2, "clip_high": 0.28, "beta": 0.0, "kl": "k3", "importance_cap": None}
PREFERENCE = {"beta": 0.1, "label_smoothing": 0.0, "sft_term": 0.0}


def rows(name: str, picked: list[int]) -> list[float]:
    """The peer's per-token numbers of some completions."""
    starts = [sum(LENGTHS[:n]) for n in range(len(LENGTHS))]
    return [v for n in picked for v in PEER[name][starts[n] : starts[n] + LENGTHS[n]]]


def group_tokens(sequence: list[int], per_group: int) -> torch.Tensor:
    """For each completion the tokens of its whole group, which holds ``per_group`` completions."""
    counts = [sequence.count(n) for n in range(max(sequence) + 1)]
    groups = [sum(counts[n : n + per_group]) for n in range(0, len(counts), per_group)]
    return torch.tensor([groups[n // per_group] for n in range(len(counts))])


def peer_batch(picked: list[int], per_group: int, dtype: torch.dtype = torch.float32) -> TokenBatch:
    sequence = [new for new, old in enumerate(picked) for _ in range(LENGTHS[old])]
    return TokenBatch(
        logprobs_T=torch.tensor(rows("logprobs", picked), dtype=dtype, requires_grad=True),
        sequence_T=torch.tensor(sequence),
        advantages_N=torch.tensor([PEER["advantages_N"][n] for n in picked], dtype=dtype),
        group_tokens_N=group_tokens(sequence, per_group),
        old_logprobs_T=torch.tensor(rows("old_logprobs", picked), dtype=dtype),
        sampler_logprobs_T=torch.tensor(rows("sampler_logprobs", picked), dtype=dtype),
        reference_logprobs_T=torch.tensor(rows("reference_logprobs", picked), dtype=dtype),
    )


def whole_of(batch: TokenBatch, groups: int) -> Whole:
    return Whole(len(batch.logprobs_T), len(batch.advantages_N), groups, PEER["max_completion_tokens"])


def tiny(
    logprobs: list[list[float]], advantages: list[float] | None = None, per_group: int = 2, **more: list
) -> TokenBatch:
    """A hand-made batch; other per-token fields are nested lists like ``logprobs``."""
    flat = [v for row in logprobs for v in row]
    return TokenBatch(
        logprobs_T=torch.tensor(flat, dtype=torch.float64, requires_grad=True),
        sequence_T=torch.tensor([n for n, row in enumerate(logprobs) for _ in row]),
        advantages_N=torch.tensor(advantages or [0.0] * len(logprobs), dtype=torch.float64),
        group_tokens_N=group_tokens([n for n, row in enumerate(logprobs) for _ in row], per_group),
        **{
            name: torch.tensor([v for row in values for v in row], dtype=torch.float64)
            for name, values in more.items()
        },
    )


def case_name(case: dict) -> str:
    return "-".join(str(v) for v in case["settings"].values()) + str(case.get("pairs", ""))


def assert_same_as_peer(case: dict, batch: TokenBatch, whole: Whole) -> None:
    loss, _ = LOSSES[case["settings"]["name"]](batch, whole, case["settings"])
    loss.backward()
    assert float(loss.detach()) == pytest.approx(case["loss"], rel=1e-5, abs=1e-7)
    ours, theirs = batch.logprobs_T.grad, torch.tensor(case["gradient"])
    assert float((ours - theirs).norm()) <= 1e-5 * float(theirs.norm())


@pytest.mark.parametrize("case", PEER["policy"], ids=case_name)
def test_policy_losses_and_gradients_equal_trl(case):
    batch = peer_batch([0, 1, 2, 3, 4, 5], PEER["generations"])
    assert_same_as_peer(case, batch, whole_of(batch, 2))


@pytest.mark.parametrize("case", PEER["preference"], ids=case_name)
def test_preference_losses_and_gradients_equal_trl(case):
    picked = [n for pair in case["pairs"] for n in (2 * pair, 2 * pair + 1)]
    batch = peer_batch(picked, 2)
    starts = [sum(LENGTHS[:n]) for n in range(len(LENGTHS))]
    gradient = [v for n in picked for v in case["gradient"][starts[n] : starts[n] + LENGTHS[n]]]
    assert_same_as_peer(case | {"gradient": gradient}, batch, whole_of(batch, len(case["pairs"])))


def test_sft_loss_and_gradient_equal_trl():
    batch = peer_batch([0, 1, 2, 3, 4, 5], 1)
    assert_same_as_peer(PEER["supervised"][0], batch, whole_of(batch, 6))


@pytest.mark.parametrize("name", sorted(set(LOSSES) - {"cispo"}))
@pytest.mark.parametrize("kl", ["k2", "k3"])
def test_gradients_equal_finite_differences(name, kl):
    """In fp64; CISPO and k1, whose gradients are not those of their values, have tests of their own."""
    settings = {"name": name, **POLICY, **PREFERENCE, "beta": 0.3, "kl": kl, "importance_cap": 1.5}
    batch = peer_batch([0, 1, 2, 3, 4, 5], 2, torch.float64)
    loss, _ = LOSSES[name](batch, whole_of(batch, 3), settings)
    loss.backward()
    step = 1e-6
    for t in range(len(batch.logprobs_T)):
        values = []
        for sign in (1, -1):
            moved = peer_batch([0, 1, 2, 3, 4, 5], 2, torch.float64)
            with torch.no_grad():
                moved.logprobs_T[t] += sign * step
            values.append(LOSSES[name](moved, whole_of(moved, 3), settings)[0].item())
        assert float(batch.logprobs_T.grad[t]) == pytest.approx(
            (values[0] - values[1]) / (2 * step), abs=1e-7
        )


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_micro_batches_add_up_to_the_whole_batch(name):
    settings = {"name": name, **POLICY, **PREFERENCE, "beta": 0.2, "importance_cap": 2.0}
    full = peer_batch([0, 1, 2, 3, 4, 5], 2, torch.float64)
    whole = whole_of(full, 3)
    loss, metrics = LOSSES[name](full, whole, settings)
    parts = [LOSSES[name](peer_batch(p, 2, torch.float64), whole, settings) for p in ([0, 1], [2, 3], [4, 5])]
    assert sum(part for part, _ in parts).item() == pytest.approx(loss.item(), rel=1e-12)
    assert combine(m for _, m in parts) == pytest.approx(combine([metrics]), rel=1e-12)


def test_sft_is_minus_the_mean_log_probability():
    batch = tiny([[-1.0, -0.5], [-3.0]], per_group=1)
    loss, metrics = LOSSES["sft"](batch, Whole(3, 2, 2, 8), {"name": "sft"})
    assert loss.item() == pytest.approx(1.5)
    assert combine([metrics]) == pytest.approx({"nll": 1.5, "token_recall": 1 / 3, "recalled": 0.0})


def test_sft_counts_each_token_by_its_weight_and_none_without_one_in_its_metrics():
    weights = torch.tensor([0.5, 0.0, 2.0], dtype=torch.float64)
    batch = replace(tiny([[-1.0, -0.5], [-3.0]], per_group=1), weights_T=weights)
    loss, metrics = LOSSES["sft"](batch, Whole(3, 2, 2, 8, weight=2.5), {"name": "sft"})
    assert loss.item() == pytest.approx((0.5 * 1.0 + 2.0 * 3.0) / 2.5)
    assert combine([metrics]) == pytest.approx({"nll": 2.0, "token_recall": 0.0, "recalled": 0.0})


def test_recall_counts_responses_whose_every_token_is_likelier_than_one_half():
    batch = tiny([[-0.6, -0.1], [-0.1, -0.7]], per_group=1, reference_logprobs_T=[[-0.1, -0.1], [-0.1, -0.1]])
    metrics = combine([LOSSES["probe"](batch, Whole(4, 2, 2, 8), {"name": "probe"})[1]])
    assert metrics["recalled"] == 0.5
    assert metrics["token_recall"] == 0.75
    assert metrics["start_recalled"] == 1.0
    assert metrics["nll"] - metrics["start_nll"] == pytest.approx(1.5 / 4 - 0.4 / 4)


def test_dpo_values_by_hand():
    """h(chosen) = 2, h(rejected) = -1, so d = 3; beta 0.5 gives 1.5 inside the sigmoid."""
    batch = tiny([[-1.0, -1.0], [-2.0]], reference_logprobs_T=[[-2.0, -2.0], [-1.0]])
    whole, settings = Whole(3, 2, 1, 8), PREFERENCE | {"beta": 0.5}
    sigmoid = math.log(1 + math.exp(-1.5))
    assert LOSSES["dpo_sigmoid"](batch, whole, settings)[0].item() == pytest.approx(sigmoid)
    assert LOSSES["dpo_hinge"](batch, whole, settings)[0].item() == 0.0
    # per token: 2/2 - (-1/1) = 2, target 1/(2 x 0.5) = 1
    assert LOSSES["dpo_ipo"](batch, whole, settings)[0].item() == pytest.approx(1.0)
    smoothed, term = settings | {"label_smoothing": 0.2}, settings | {"sft_term": 0.3}
    expected = 0.8 * sigmoid + 0.2 * math.log(1 + math.exp(1.5))
    assert LOSSES["dpo_sigmoid"](batch, whole, smoothed)[0].item() == pytest.approx(expected)
    assert LOSSES["dpo_hinge"](batch, whole, smoothed)[0].item() == pytest.approx(0.2 * 2.5)
    assert LOSSES["dpo_ipo"](batch, whole, smoothed)[0].item() == pytest.approx(0.8 * 1 + 0.2 * 9)
    assert LOSSES["dpo_sigmoid"](batch, whole, term)[0].item() == pytest.approx(sigmoid + 0.3 * 1.0)
    metrics = combine([LOSSES["dpo_sigmoid"](batch, whole, settings)[1]])
    assert metrics["margin"] == pytest.approx(1.5)
    assert metrics["chosen_change"] == pytest.approx(1.0)
    assert metrics["accuracy"] == metrics["prefers_chosen"] == 1.0


def test_dpo_refuses_an_odd_number_of_completions():
    batch = tiny([[-1.0]], reference_logprobs_T=[[-1.0]])
    with pytest.raises(ValueError, match="even number"):
        LOSSES["dpo_sigmoid"](batch, Whole(1, 1, 1, 8), PREFERENCE)


def test_dpo_without_a_reference_is_an_error():
    with pytest.raises(ValueError, match="reference"):
        LOSSES["dpo_sigmoid"](tiny([[-1.0], [-1.0]]), Whole(2, 2, 1, 8), PREFERENCE)


def two_answers(**more: list) -> TokenBatch:
    """A = 1 for one token whose ratio is 2 (clipped at 1.28); A = -1 for two tokens of ratio 1."""
    half = math.log(0.5)
    return tiny([[half], [half, half]], [1.0, -1.0], old_logprobs_T=[[math.log(0.25)], [half, half]], **more)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grpo", (-1.28 + 1) / 2),  # each answer's mean, then the mean of the answers
        ("dapo", (-1.28 + 2) / 3),  # all three tokens alike
        ("bnpo", (-1.28 + 2) / 3),  # one prompt: the same
        ("dr_grpo", (-1.28 + 2) / (2 * 8)),  # a constant: two answers, a limit of 8
        ("gspo", (-1.28 + 1) / 2),  # the first answer has one token, so its sequence ratio is 2 as well
        ("cispo", (-1.28 * math.log(0.5) + 2 * math.log(0.5)) / 3),
    ],
)
def test_policy_losses_by_hand(name, value):
    loss, metrics = LOSSES[name](two_answers(), Whole(3, 2, 1, 8), POLICY)
    assert loss.item() == pytest.approx(value)
    assert combine([metrics])["clip_share"] == pytest.approx(1 / 3)


def test_bnpo_weighs_prompts_alike_and_dapo_weighs_tokens_alike():
    batch = tiny([[-1.0], [-1.0, -1.0, -1.0]], [1.0, -1.0], per_group=1)
    whole = Whole(4, 2, 2, 8)
    assert LOSSES["bnpo"](batch, whole, POLICY)[0].item() == pytest.approx(0.0)
    assert LOSSES["dapo"](batch, whole, POLICY)[0].item() == pytest.approx((-1 + 3) / 4)


def test_gspo_uses_the_geometric_mean_of_a_completions_ratios():
    batch = tiny([[-1.0, -1.0]], [1.0], per_group=1, old_logprobs_T=[[-1.1, -0.98]])
    loss, _ = LOSSES["gspo"](batch, Whole(2, 1, 1, 8), POLICY)
    assert loss.item() == pytest.approx(-math.exp((0.1 - 0.02) / 2))


def test_a_clipped_token_has_no_gradient_but_for_cispo():
    for name, expected in (("dapo", 0.0), ("cispo", -1.28 / 3)):
        batch = two_answers()
        LOSSES[name](batch, Whole(3, 2, 1, 8), POLICY)[0].backward()
        assert float(batch.logprobs_T.grad[0]) == pytest.approx(expected)


def test_importance_weights_are_capped_and_the_mismatch_is_reported():
    """pi_old/pi_sampler is 4 for the first token (capped at 2) and 1 for the rest."""
    half = math.log(0.5)
    batch = tiny([[half], [half, half]], [1.0, -1.0], sampler_logprobs_T=[[math.log(0.125)], [half, half]])
    loss, metrics = LOSSES["dapo"](batch, Whole(3, 2, 1, 8), POLICY | {"importance_cap": 2.0})
    assert loss.item() == pytest.approx((-2 + 2) / 3)
    got = combine([metrics])
    assert got["max_importance_ratio"] == pytest.approx(4.0)
    assert got["mismatch_kl"] == pytest.approx((4 - 1 - math.log(4)) / 3)
    assert got["importance_capped_share"] == pytest.approx(1 / 3)
    uncorrected, metrics = LOSSES["dapo"](batch, Whole(3, 2, 1, 8), POLICY)
    assert uncorrected.item() == pytest.approx((-1 + 2) / 3)
    assert combine([metrics])["max_importance_ratio"] == pytest.approx(4.0)


@pytest.mark.parametrize(("kl", "value"), [("k1", 0.5), ("k2", 0.125), ("k3", math.exp(-0.5) - 1 + 0.5)])
def test_kl_estimators_by_hand(kl, value):
    batch = tiny([[-1.0]], [0.0], per_group=1, reference_logprobs_T=[[-1.5]])
    loss, metrics = LOSSES["dapo"](batch, Whole(1, 1, 1, 8), POLICY | {"beta": 0.1, "kl": kl})
    assert loss.item() == pytest.approx(0.1 * value)
    assert combine([metrics])["kl"] == pytest.approx(value)


def test_k1_pulls_towards_the_reference_as_k2_does():
    gradients = []
    for kl in ("k1", "k2"):
        batch = tiny([[-1.0]], [0.0], per_group=1, reference_logprobs_T=[[-1.5]])
        LOSSES["dapo"](batch, Whole(1, 1, 1, 8), POLICY | {"beta": 0.1, "kl": kl})[0].backward()
        gradients.append(float(batch.logprobs_T.grad[0]))
    assert gradients[0] == pytest.approx(gradients[1]) == pytest.approx(0.1 * 0.5)


def test_kl_is_zero_to_the_last_digit_where_the_policy_is_the_reference():
    batch = tiny([[-1.0, -2.0]], [1.0], per_group=1, reference_logprobs_T=[[-1.0, -2.0]])
    _, metrics = LOSSES["grpo"](batch, Whole(2, 1, 1, 8), POLICY | {"beta": 0.02})
    assert metrics["kl"][0] == 0.0


def test_entropy_is_logged_where_it_was_asked_for():
    batch = tiny([[-1.0, -1.0]], [1.0], per_group=1, entropy_T=[[0.5, 1.5]])
    assert combine([LOSSES["dapo"](batch, Whole(2, 1, 1, 8), POLICY)[1]])["entropy"] == 1.0
    assert "entropy" not in LOSSES["dapo"](two_answers(), Whole(3, 2, 1, 8), POLICY)[1]


def test_combine_adds_sums_takes_maxima_and_leaves_out_what_was_not_counted():
    parts = [{"a": (1.0, 2), "max_r": (3.0, 1.0), "n": (0.0, 0)}, {"a": (2.0, 1), "max_r": (2.0, 1.0)}]
    assert combine(parts) == {"a": 1.0, "max_r": 3.0}


def test_a_reference_pass_is_needed_only_where_something_reads_it():
    assert needs_reference({"name": "probe"})
    assert needs_reference({"name": "dpo_sigmoid", "beta": 0.1})
    assert needs_reference({"name": "grpo", "beta": 0.02})
    assert not needs_reference({"name": "grpo", "beta": 0.0})
    assert not needs_reference({"name": "sft"})
