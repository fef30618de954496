"""Two recordings of GRPO, to be held against what was recorded before rollouts could run ahead.

One is of the trainer between doubles: every call of its learner and of its sampler, and every step that it
gave; the same on any machine. The other is of real runs of a tiny model, whose bits are those of one kind of
machine.
``python tests/doubles/recorded_grpo.py`` writes ``tests/data/grpo_recorded.json`` anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from biorlhf import Dataset, Question, RewardComposer, Score, VerifierPlugin, hookimpl
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, fresh_catalogue
from biorlhf.types import TrainGroup

RECORDED = Path(__file__).parents[1] / "data" / "grpo_recorded.json"
ANSWERS = {"a": ["same 0.5"], "*": ["so 0.1", "well it is 0.4", "surely 0.9", "it must be about 1.0"]}
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "resampled": {"resample_tries": 3, "epochs": 3},
    "dropped": {"silent_groups": "drop", "normalisation": "group", "epochs": 2},
    "kept": {"silent_groups": "keep", "normalisation": "batch", "loss": "grpo", "beta": 0.1, "steps": 5},
    "in parts": {"minibatches": 2, "iterations": 2, "overlong_tokens": 4, "mask_truncated": False},
}
ENGINES = ("scripted", "transformers")


class Number:
    """Scores the number that a text ends with."""

    def score(self, question: Question, completion_text: str) -> Score:
        value = float(completion_text.split()[-1])
        return Score.scored(value, confidence=0.8, correct=int(value > 0.5))


class Plugin:
    @hookimpl
    def biorlhf_verifiers(self) -> Iterable[VerifierPlugin]:
        yield VerifierPlugin(name="number", build=lambda config: Number())


CATALOGUE = fresh_catalogue(Plugin())
COMPOSER = RewardComposer(["number"], {"number": 1.0}, catalogue=CATALOGUE)
QUESTIONS = Dataset("d", questions=tuple(Question(name, f"ask {name}", {}) for name in "abcdefg"))


def trainer_of(settings: dict[str, Any]) -> Any:
    return CATALOGUE.build("trainer", "grpo", {"prompts_per_step": 3, "generations": 4, **settings})


def _learnt(group: TrainGroup) -> dict[str, Any]:
    """As it was recorded: before a token could have a weight, which in GRPO none has."""
    row = asdict(group)
    assert [completion.pop("weights") for completion in row["completions"]] == [None] * len(group.completions)
    return row


def steps_between_doubles(settings: dict[str, Any]) -> list[dict[str, Any]]:
    """What a stage of GRPO asks of its workers and gives, step by step, as plain data without times."""
    learner, rollouts = RecordingLearner({"mismatch_kl": 0.2}), ScriptedRollouts(ANSWERS)
    rows: list[dict[str, Any]] = []
    for result in trainer_of(settings).steps(a_stage(learner, QUESTIONS, rollouts, COMPOSER)):
        # Of all that there is by now; one that is not as it was shows in its own step and in those after it.
        asked = [[ids, s.n, s.max_tokens, s.temperature, s.top_p, s.seed] for ids, s in rollouts.asked]
        rows.append(
            {
                "asked": asked,
                "loaded": [adapter.ref.sha256 for adapter in rollouts.loaded],
                "learnt": [[list(map(_learnt, groups)), loss, seed] for groups, loss, seed in learner.steps],
                "values": {k: v for k, v in result.metrics.values.items() if not k.endswith("_s")},
                "groups": list(map(asdict, result.groups)),
                "advantages": result.advantages,
                "adapter": asdict(result.adapter) if result.adapter else None,
                "warnings": result.warnings,
            }
        )
    return rows


def digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


def machine() -> str:
    """The kind of machine that the bits of a run are the same on."""
    import torch

    # A name may be that of several kinds ("AMD EPYC"), whose sums are rounded in other orders.
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    told = dict(reversed([[side.strip() for side in line.split(":", 1)] for line in lines if ":" in line]))
    kind = ", ".join(
        told.get(key, "?") for key in ("model name", "cpu family", "model", "stepping", "cache size")
    )
    return f"{kind}, torch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}"


def real_run(folder: Path, engine: str) -> dict[str, Any]:
    """What a run of a tiny model gives: sums of its files, and the losses for a person to compare."""
    from tiny_run import outcome, run, write_tiny_run, write_vowels

    samples = engine == "transformers"
    recipe = write_tiny_run(
        folder,
        lora={"dropout": 0.1},
        rollout={"engine": engine},
        **({"verifiers": [{"verifier": "vowels", "weight": 1.0}]} if samples else {}),
        stages=[
            {
                "trainer": "grpo",
                "prompts_per_step": 3,
                "generations": 4,
                "steps": 6,
                "iterations": 2,
                # An untrained model's answers end at the limit.
                "mask_truncated": not samples,
                "beta": 0.01,
                "optimizer": {"learning_rate": 1e-2, "schedule": "cosine", "warmup": 0.2},
            }
        ],
    )
    # On one core: how many threads there are may change how a sum is rounded.
    core = {min(os.sched_getaffinity(0))}
    environment = write_vowels(folder) if samples else {}
    code, said = run(
        str(recipe), timeout_s=900, env=environment, preexec_fn=lambda: os.sched_setaffinity(0, core)
    )
    assert code == 0, said
    [made] = (folder / "runs").iterdir()
    found = outcome(made)
    # Its reports grow with every evaluator; the policy is held by the adapter.
    del found["evaluation"]
    # Why a verifier scored as it did is worded anew as its reader is; the scores are held.
    for rows in found["completions"]:
        for row in rows:
            for name in [name for name in row if name.startswith("details_")]:
                del row[name]
    found["adapter"] = hashlib.sha256(found["adapter"]).hexdigest()
    return {
        "losses": [row["loss"] for row in found["numbers"]],
        "sums": {name: digest(value) for name, value in found.items()},
    }


def record() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        real = {engine: real_run(Path(place, engine), engine) for engine in ENGINES}
    between = {name: [digest(row) for row in steps_between_doubles(each)] for name, each in SETTINGS.items()}
    return {"between_doubles": between, "machine": machine(), "real": real}


if __name__ == "__main__":
    RECORDED.write_text(json.dumps(record(), indent=1) + "\n")
