"""The answers behind a report: which questions changed most, and two runs' prompts and recipes compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from biorlhf.reports.run import RunReport

COLUMNS = ("question_id", "prompt", "completion", "reward")


@dataclass(frozen=True, slots=True)
class Change:
    """One question: its prompt, an answer before and after, and the mean reward of each."""

    question: str
    prompt: str
    before: str
    after: str
    reward_before: float
    reward_after: float


def answers_of(run: RunReport, when: str) -> dict[str, list[dict[str, Any]]]:
    """Question -> its answers in one evaluation; empty where the file is not there or not whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.read_table(
            run.folder / "evaluations" / f"{when}.parquet", columns=list(COLUMNS)
        ).to_pylist()
    except (OSError, pa.ArrowException):  # a run that is still going, or was cut short
        return {}
    answers: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        answers.setdefault(row["question_id"], []).append(row)
    return answers


def changes(run: RunReport, most: int = 6) -> list[Change]:
    """The questions whose mean reward fell most and rose most between the first and the last evaluation,
    at most ``most`` of each, worst first."""
    if len(run.evaluations) < 2:
        return []
    before, after = (answers_of(run, run.evaluations[place].when) for place in (0, -1))
    changed = []
    for question in before:
        first, last = _mean(before[question]), _mean(after.get(question, ()))
        if first is not None and last is not None and first != last:
            # One answer each, the first: chosen by reward, it would show the best or the worst.
            old, new = before[question][0], after[question][0]
            changed.append(Change(question, old["prompt"], old["completion"], new["completion"], first, last))
    # Ties by id: the same run gives the same page.
    changed.sort(key=lambda change: (change.reward_after - change.reward_before, change.question))
    fell = [change for change in changed if change.reward_after < change.reward_before][:most]
    rose = [change for change in changed if change.reward_after > change.reward_before][-most:]
    return fell + rose


def _mean(rows: Sequence[Mapping[str, Any]]) -> float | None:
    rewards = [row["reward"] for row in rows if row["reward"] is not None]
    return sum(rewards) / len(rewards) if rewards else None


def other_prompts(first: RunReport, second: RunReport, whens: Sequence[str]) -> list[str]:
    """Questions of one id that were put in different words in the two runs' evaluations."""
    asked = [
        {question: rows[0]["prompt"] for question, rows in answers_of(run, when).items()}
        for run, when in zip((first, second), whens, strict=True)
    ]
    # The prompt as it was asked is stored with each answer; a dataset may have been reworded since.
    return sorted(q for q, prompt in asked[0].items() if q in asked[1] and asked[1][q] != prompt)


def recipe_differences(first: RunReport, second: RunReport) -> list[tuple[str, Any, Any]]:
    """(dotted path, value in the first, value in the second) of every key that differs; None: not there."""
    flat = [dict(_flat(run.recipe, "")) for run in (first, second)]
    paths = dict.fromkeys((*flat[0], *flat[1]))
    return [(p, flat[0].get(p), flat[1].get(p)) for p in paths if flat[0].get(p) != flat[1].get(p)]


def _flat(node: Any, path: str) -> list[tuple[str, Any]]:
    if isinstance(node, Mapping):
        children = [(f"{path}.{key}" if path else str(key), child) for key, child in node.items()]
    elif isinstance(node, list):
        children = [(f"{path}[{index}]", child) for index, child in enumerate(node)]
    else:
        return [(path, node)]
    return [leaf for inner, child in children for leaf in _flat(child, inner)]
