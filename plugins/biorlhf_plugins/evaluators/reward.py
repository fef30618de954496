"""Mean composed reward, and mean per verifier, with cluster bootstrap intervals and counts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from biorlhf import EvaluatorPlugin, Group, Reward, Status, hookimpl
from biorlhf.statistics.assessment import cluster_of
from biorlhf.statistics.intervals import Rate, bootstrap, cluster_index, share, weighted_mean


class MeanReward:
    """Means over the completions that scored; the others are counted, never taken for zero."""

    def evaluate(self, groups: Sequence[tuple[Group, Sequence[Reward]]]) -> Mapping[str, Any]:
        pairs = [(group.question, reward) for group, rewards in groups for reward in rewards]
        clusters = [cluster_of(question) for question, _ in pairs]
        names = sorted({name for _, reward in pairs for name in reward.scores})
        columns: dict[str, list[float | None]] = {"reward": [reward.total for _, reward in pairs]}
        for name in names:
            scores = [reward.scores.get(name) for _, reward in pairs]
            columns[f"verifiers.{name}"] = [score.value if score else None for score in scores]
        for kind in sorted({question.kind for question, _ in pairs if question.kind}):
            of_kind = [reward.total if question.kind == kind else None for question, reward in pairs]
            columns[f"kinds.{kind}"] = of_kind
        rates = _means(columns, clusters)
        texts = [completion for group, _ in groups for completion in group.completions]
        truncated = share(sum(completion.truncated for completion in texts), len(texts))
        return {
            "completions": len(pairs),
            "without_reward": sum(reward.total is None for _, reward in pairs),
            **({"reward": rates["reward"].to_json()} if "reward" in rates else {}),
            **({"truncated": truncated.to_json()} if truncated else {}),
            "verifiers": {name: _verifier(name, pairs, rates) for name in names},
            "kinds": {
                column.removeprefix("kinds."): rate.to_json()
                for column, rate in rates.items()
                if column.startswith("kinds.")
            },
            "left_out": {column: "no completion was scored" for column in columns if column not in rates},
            "answers": {
                "question": [question.id for question, _ in pairs],
                "cluster": clusters,
                **columns,
                "truncated": [int(completion.truncated) for completion in texts],
            },
        }


def _means(columns: Mapping[str, Sequence[float | None]], clusters: Sequence[str]) -> dict[str, Rate]:
    values = {
        # NaN, not 0: what no verifier scored takes part in no mean.
        name: np.array([math.nan if value is None else value for value in column], dtype=float)
        for name, column in columns.items()
    }
    counts = {name: int(np.isfinite(column).sum()) for name, column in values.items()}
    statistics = {name: weighted_mean(column) for name, column in values.items() if counts[name]}
    return bootstrap(statistics, cluster_index(clusters), counts)


def _verifier(name: str, pairs: Sequence[tuple[Any, Reward]], rates: Mapping[str, Rate]) -> dict[str, Any]:
    statuses = [reward.scores[name].status for _, reward in pairs if name in reward.scores]
    scored, failed = statuses.count(Status.SCORED), statuses.count(Status.FAILED)
    # Of those that it tried: where a verifier does not apply, it cannot fail.
    mean, failures = rates.get(f"verifiers.{name}"), share(failed, scored + failed)
    return {
        **(mean.to_json() if mean else {}),
        "scored": scored,
        "not_applicable": statuses.count(Status.NOT_APPLICABLE),
        "failed": failed,
        **({"failure_rate": failures.to_json()} if failures else {}),
    }


@hookimpl
def biorlhf_evaluators():
    yield EvaluatorPlugin(
        name="reward",
        summary="mean composed reward and mean per verifier, with intervals and counts",
        build=lambda config: MeanReward(),
    )
