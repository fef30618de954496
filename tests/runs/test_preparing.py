"""What is refused before anything heavy is loaded, and so by ``--dry-run`` as well."""

from __future__ import annotations

import json

import pytest

from biorlhf import recipe as recipes
from biorlhf.errors import RecipeError
from biorlhf.runs.preparing import prepare
from tiny_run import ANSWERS, write_tiny_run


@pytest.fixture
def written(tmp_path):
    return write_tiny_run(tmp_path, backend="ray")


def prepared(path, *overrides):
    return prepare(recipes.load(path, overrides))


@pytest.mark.parametrize(
    ("learners", "stage", "said"),
    [
        (4, {}, r"(?s)4 learners, but stages\[0\].prompts_per_step gives 3 groups a step.*at most 3"),
        (
            7,
            {"trainer": "sft", "batch_size": 6},
            r"(?s)stages\[0\].batch_size gives 6 groups a step.*at most 6",
        ),
        # What the recipe does not say counts as well.
        (9, {"trainer": "sft"}, r"9 learners, but stages\[0\].batch_size gives 8 groups"),
    ],
)
def test_more_learners_than_a_step_has_groups_are_refused(tmp_path, learners, stage, said):
    stages = [{"optimizer": {"learning_rate": 1e-3}, **stage}] if stage else None
    path = write_tiny_run(tmp_path, backend="ray", **({"stages": stages} if stages else {}))
    with pytest.raises(RecipeError, match=said):
        prepared(path, f"learner.actors={learners}")
    assert prepared(path, f"learner.actors={learners - 1}").total_steps(0) > 0


@pytest.mark.parametrize("lag", [1, 2])
def test_a_script_without_log_probabilities_cannot_be_ahead_of_the_learner(tmp_path, written, lag):
    with pytest.raises(RecipeError, match=r"(?s)stages\[0\].lag: .*gives no log-probabilities.*logprob"):
        prepared(written, f"stages.0.lag={lag}")
    assert prepared(written).total_steps(0) == 6
    (tmp_path / "script.json").write_text(json.dumps({"default": ANSWERS, "logprob": -1.0}))
    assert prepared(written, f"stages.0.lag={lag}").total_steps(0) == 6
