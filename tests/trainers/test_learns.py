"""The three trainers drive a real learner to what they are for, on a model of two layers."""

from __future__ import annotations

import itertools
import statistics

import pytest

from biorlhf import Dataset, Example, Preference, Question, RewardComposer, Score, VerifierPlugin, hookimpl
from biorlhf.recipe import from_data
from biorlhf.stage import Sampling, Stage
from biorlhf.testing import DirectScorers, fresh_catalogue

TISSUES = ("heart", "liver", "soleus", "eye", "thymus", "spleen", "skin", "lung")
CONDITIONS = ("flight", "rest", "radiation")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Figures:
    """The share of an answer's words that are figures."""

    def score(self, question, completion_text):
        words = completion_text.split()
        return Score.scored(sum(word in DIGITS for word in words) / len(words) if words else 0.0)


class Plugin:
    @hookimpl
    def biorlhf_verifiers(self):
        yield VerifierPlugin(name="figures", build=lambda config: Figures())


CATALOGUE = fresh_catalogue(Plugin())
COMPOSER = RewardComposer(["figures"], catalogue=CATALOGUE)


def facts() -> list[tuple[str, str, str]]:
    """(prompt, right answer, wrong answer) for 24 slots."""
    rows = []
    for n, (tissue, condition) in enumerate(itertools.product(TISSUES, CONDITIONS)):
        right, wrong = (f"{DIGITS[k % 10]} {DIGITS[(3 * k) % 10]} genes up" for k in (7 * n + 1, 7 * n + 5))
        rows.append((f"what does the {tissue} show under {condition} ?", right, wrong))
    return rows


def recipe_for(folder, stages):
    return from_data(
        {
            "name": "learns",
            "model": {"base": str(folder), "dtype": "fp32"},
            "lora": {"r": 32, "alpha": 64},
            "prompt": {"template": "plain"},
            "data": [{"dataset": "kmp"}],
            "verifiers": [{"verifier": "figures", "weight": 1}],
            "stages": stages,
            "rollout": {"engine": "transformers", "max_completion_tokens": 6, "sync": "merged"},
        },
        catalogue=CATALOGUE,
    )


class Bench:
    """A learner and a sampler for one recipe; runs its stages one after the other."""

    def __init__(self, recipe, dataset):
        from biorlhf.engines.learning.learner import build_learner
        from biorlhf.engines.samplers.build import SamplerSpec, build_sampler

        self.recipe, self.dataset = recipe, dataset
        self.learner = build_learner(recipe, threads=1, on_gpu=False)
        self.sampler = build_sampler(SamplerSpec(recipe, 32, 1, on_gpu=False))

    def run(self, index):
        section = self.recipe.stages[index]
        trainer = CATALOGUE.build("trainer", section.trainer, section.settings)
        self.learner.begin_stage(index, trainer.total_steps(self.dataset))
        self.sampler.load_adapter(self.learner.adapter())
        stage = Stage(
            name=section.trainer,
            index=index,
            seed=3,
            dataset=self.dataset,
            learner=self.learner,
            rollouts=self.sampler,
            scorers=DirectScorers(COMPOSER),
            composer=COMPOSER,
            max_completion_tokens=6,
        )
        return [result.metrics.values for result in trainer.steps(stage)]

    def answers(self, n=1, temperature=0.0):
        self.sampler.load_adapter(self.learner.adapter())
        sampling = Sampling(n=n, max_tokens=6, temperature=temperature, seed=11)
        return list(self.sampler.sample(self.dataset.questions, sampling))

    def exact(self):
        right = {prompt: answer for prompt, answer, _ in facts()}
        groups = self.answers()
        return statistics.mean(g.completions[0].text == right[g.question.prompt] for g in groups)


def dataset_of_facts() -> Dataset:
    rows = list(enumerate(facts()))
    return Dataset(
        "facts",
        questions=tuple(Question(f"q{n}", prompt, {}) for n, (prompt, _, _) in rows),
        examples=tuple(Example(f"e{n}", prompt, right) for n, (prompt, right, _) in rows),
        preferences=tuple(Preference(f"p{n}", prompt, right, wrong) for n, (prompt, right, wrong) in rows),
    )


@pytest.fixture(scope="module")
def after_sft(tiny_model):
    """SFT, then DPO on what it left; each stage's metrics and the exact answers after it."""
    stages = [
        {
            "trainer": "sft",
            "epochs": 30,
            "batch_size": 8,
            "optimizer": {"learning_rate": 1e-2, "schedule": "cosine", "warmup": 0.1},
        },
        {
            "trainer": "dpo",
            "epochs": 6,
            "batch_size": 8,
            "sft_term": 1.0,
            "optimizer": {"learning_rate": 1e-3},
        },
    ]
    bench = Bench(recipe_for(tiny_model, stages), dataset_of_facts())
    found = {}
    for index, name in enumerate(("sft", "dpo")):
        found[name] = (bench.run(index), bench.exact())
    return found


def test_sft_drives_held_in_answers_to_exact(after_sft):
    steps, exact = after_sft["sft"]
    assert steps[-1]["loss"] < 0.1 * steps[0]["loss"]
    assert exact >= 0.95


def test_dpo_raises_the_margin_without_losing_what_was_known(after_sft):
    steps, exact = after_sft["dpo"]
    assert steps[0]["margin"] == pytest.approx(0.0, abs=1e-5)
    assert steps[-1]["margin"] > 0.5
    assert exact >= 0.95
    assert steps[-1]["probe_token_recall"] >= steps[-1]["probe_start_token_recall"] - 0.02


def interval(groups):
    """Mean reward with its 95 % interval over questions (normal approximation)."""
    means = [
        statistics.mean(float(COMPOSER.score(g.question, c.text)) for c in g.completions) for g in groups
    ]
    half = 1.96 * statistics.stdev(means) / len(means) ** 0.5
    return statistics.mean(means) - half, statistics.mean(means) + half


def test_grpo_raises_the_reward_by_more_than_its_interval(tiny_model):
    stages = [
        {
            "trainer": "grpo",
            "steps": 12,
            "prompts_per_step": 8,
            "generations": 8,
            "beta": 0.001,
            "optimizer": {"learning_rate": 3e-3},
        }
    ]
    asked = itertools.product(TISSUES, CONDITIONS)
    questions = tuple(
        Question(f"q{n}", f"what does the {tissue} show under {condition} ?", {})
        for n, (tissue, condition) in enumerate(asked)
    )
    bench = Bench(recipe_for(tiny_model, stages), Dataset("tissues", questions=questions))
    bench.learner.begin_stage(0, 1)
    before = interval(bench.answers(n=8, temperature=1.0))
    steps = bench.run(0)
    after = interval(bench.answers(n=8, temperature=1.0))
    assert after[0] > before[1] + 0.2
    assert steps[0]["kl"] < 1e-5
    assert steps[0]["mismatch_kl"] < 1e-5
