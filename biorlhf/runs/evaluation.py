"""One evaluation: ask the questions, let the evaluators judge, write what came out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from biorlhf.errors import InputError, RunFailure
from biorlhf.hookspecs import Evaluator
from biorlhf.recipe import Recipe
from biorlhf.runs import baseline
from biorlhf.runs.listener import Listener
from biorlhf.runs.store import RunStore, rollout_rows
from biorlhf.stage import Sampling
from biorlhf.types import Group, Question, Reward, ScoredGroup
from biorlhf.workers.crew import Workers

Judged = tuple[Group, Sequence[Reward]]


def sampling_of(recipe: Recipe) -> Sampling:
    """How the recipe's evaluations sample."""
    section = recipe.evaluation
    return Sampling(
        n=section.samples,
        max_tokens=recipe.rollout.max_completion_tokens,
        temperature=section.temperature,
        top_p=recipe.rollout.top_p,
        seed=recipe.seed,
    )


def ask(
    recipe: Recipe, questions: Sequence[Question], crew: Workers, listener: Listener, when: str
) -> list[ScoredGroup]:
    """Sample and score ``questions`` under the policy that is served, in the order of their ids."""
    if crew.rollouts is None or crew.scorers is None:
        raise RunFailure("an evaluation needs rollout and scorer actors")
    listener.begin(f"evaluation {when}", len(questions), 0, "question")
    groups = []
    for scored in crew.scorers.score(crew.rollouts.sample(questions, sampling_of(recipe))):
        groups.append(scored)
        listener.advance(1)
    listener.end()
    # Groups come as they finish, which is another order in every run; the files must not differ by it.
    return sorted(groups, key=lambda scored: scored.group.question.id)


def report(
    recipe: Recipe,
    evaluators: Mapping[str, Evaluator],
    groups: Sequence[ScoredGroup],
    when: str,
    constant: baseline.Baseline | None = None,
) -> dict[str, Any]:
    """What an evaluation's JSON file holds: which policy, how it was asked, each evaluator's report, and what
    the best constant answer would have earned."""
    pairs: list[Judged] = [(scored.group, scored.rewards) for scored in groups]
    first, sampling = groups[0].group.completions[0].adapter, sampling_of(recipe)
    return {
        "when": when,
        "split": recipe.evaluation.split,
        "questions": len(groups),
        "sampling": {
            "samples": sampling.n,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
        },
        "adapter": {"version": first.version, "sha256": first.sha256},
        "evaluators": {
            f"{name}{part}": evaluator.evaluate(members)
            for part, members in parts(pairs).items()
            for name, evaluator in evaluators.items()
        },
        **({"best_constant": baseline.report(constant, groups)} if constant else {}),
    }


def parts(pairs: Sequence[Judged]) -> dict[str, Sequence[Judged]]:
    """All answers, and where the questions say whether they were taught, each kind by itself.

    The key is what follows an evaluator's name in the report: a mixture of both says how well the model
    tells them apart, and each by itself how well it does there.
    """
    every: dict[str, Sequence[Judged]] = {"": pairs}
    for part, taught in ((" (taught)", True), (" (untaught)", False)):
        members = [pair for pair in pairs if pair[0].question.taught is taught]
        if members:
            every[part] = members
    return every


def write(store: RunStore, name: str, contents: Mapping[str, Any], groups: Iterable[ScoredGroup]) -> None:
    """``<name>.parquet`` with every completion, then ``<name>.json``; ``name`` is relative to the store."""
    rows = list(rollout_rows(groups))
    # The JSON comes last: where it stands, a resumed run takes the evaluation for made.
    store.write_table(f"{name}.parquet", [{"when": contents["when"], **row} for row in rows])
    store.write_json(f"{name}.json", contents)


def is_whole(store: RunStore, name: str) -> bool:
    """Whether an evaluation was made, and its report can be read."""
    if not (store.folder / f"{name}.json").exists():
        return False
    try:
        return bool(store.read_json(f"{name}.json"))
    except InputError:
        return False
