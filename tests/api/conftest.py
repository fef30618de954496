"""A finished run of a tiny model, made once: SFT and GRPO in this process, without Ray."""

from __future__ import annotations

import pytest


def recipe_data(base, folder, **changes):
    """A recipe that trains in seconds; ``changes`` replace whole sections."""
    return {
        "name": "tiny",
        "model": {"base": str(base), "dtype": "fp32"},
        "lora": {"r": 4, "alpha": 8},
        "prompt": {"template": "alpaca", "max_tokens": 400},
        "data": [{"dataset": "kmp", "split": "paraphrase", "max_examples": 6, "max_test_questions": 4}],
        "verifiers": [{"verifier": "factual", "weight": 0.7}, {"verifier": "uncertainty", "weight": 0.3}],
        "stages": [
            {"trainer": "sft", "epochs": 1, "batch_size": 3, "optimizer": {"learning_rate": 0.01}},
            {
                "trainer": "grpo",
                "prompts_per_step": 2,
                "generations": 2,
                "steps": 1,
                "optimizer": {"learning_rate": 0.01},
            },
        ],
        "rollout": {"engine": "transformers", "max_completion_tokens": 6},
        "evaluation": {"questions": 4},
        "store": {"folder": str(folder)},
        "cluster": {"backend": "inline"},
        **changes,
    }


@pytest.fixture(scope="session")
def base(tmp_path_factory):
    from tiny_model import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny-llama")


@pytest.fixture(scope="session")
def done(base, tmp_path_factory):
    """The run; tests read it and may add evaluations of their own names."""
    from biorlhf import api

    return api.run(recipe_data(base, tmp_path_factory.mktemp("runs")), quiet=True)


@pytest.fixture(scope="session")
def tiny_recipe():
    return recipe_data


@pytest.fixture
def biorlhf():
    """The command line in this process: errors are raised, and the result has ``stdout``."""
    from click.testing import CliRunner

    from biorlhf.cli import COMMANDS, _load

    def call(name, *args, stdin=None):
        command = _load(name, COMMANDS[name][0])
        result = CliRunner().invoke(command, list(args), input=stdin, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result

    return call
