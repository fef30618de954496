"""What an evaluation's questions would have paid to somebody who does not read them.

Such a policy knows how often each answer is right, and nothing else: to every question of one form it gives
the commonest gold answer, as sure as its share of them, or says that it cannot tell; whichever pays more. A
reward that does not exceed this was not earned by knowledge.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biorlhf.ground_truth.forms import CANNOT, block, gold_answer, gradable
from biorlhf.stage import Scorers
from biorlhf.statistics.assessment import cluster_of
from biorlhf.statistics.differences import Side, paired_differences
from biorlhf.statistics.intervals import mean, weighted_mean
from biorlhf.types import AdapterRef, Completion, Group, Question, ScoredGroup

#: Nobody's policy: what is scored here was sampled by none.
NOBODY = AdapterRef(0, "")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The best constant: form of the question -> the text given to all of that form; and the reward of each
    question under it, by id (None where no verifier scored it)."""

    answers: Mapping[str, str]
    rewards: Mapping[str, float | None]


def best_constant(questions: Sequence[Question], scorers: Scorers) -> Baseline | None:
    """Score the candidates of each form and keep the better one; None where no question asks for a block.

    A form is the wording that asks for the answer's block: questions of one form offer the same answers.
    """
    forms: dict[str, list[Question]] = defaultdict(list)
    for question in questions:
        if question.instruction and gradable(question.ground_truth):
            forms[question.instruction].append(question)
    if not forms:
        return None
    texts = {form: _candidates(members) for form, members in forms.items()}
    groups = (_asked(q, texts[form]) for form, members in forms.items() for q in members)
    scored = {one.group.question.id: one for one in scorers.score(groups)}
    answers: dict[str, str] = {}
    rewards: dict[str, float | None] = {}
    for form, members in forms.items():
        columns = [[scored[q.id].rewards[i].total for q in members] for i in range(len(texts[form]))]
        best = max(range(len(columns)), key=lambda i: sum(value or 0.0 for value in columns[i]))
        answers[form] = texts[form][best]
        rewards |= {q.id: value for q, value in zip(members, columns[best], strict=True)}
    return Baseline(answers, rewards)


def _candidates(questions: Iterable[Question]) -> tuple[str, ...]:
    gold = Counter(gold_answer(q.ground_truth) for q in questions)
    # Ties go by the answer's name, so that two evaluations name the same constant.
    answer, count = min(gold.items(), key=lambda pair: (-pair[1], pair[0]))
    return block(answer, round(100 * count / gold.total())), block(CANNOT, 0)


def _asked(question: Question, texts: Sequence[str]) -> Group:
    return Group(question, (), tuple(Completion(text, (), (), False, NOBODY) for text in texts))


def report(baseline: Baseline, groups: Sequence[ScoredGroup]) -> dict[str, Any]:
    """What an evaluation's JSON says of it: the answers, the mean reward, and by how much the model's reward
    on the same questions exceeds it, paired by question."""
    asked = {scored.group.question.id: scored.group.question for scored in groups}
    rows = [(i, value) for i, value in baseline.rewards.items() if i in asked and value is not None]
    own = list(_own(groups, {name for name, _ in rows}))
    rate = mean([value for _, value in rows], [cluster_of(asked[name]) for name, _ in rows])
    clusters = {name: cluster_of(question) for name, question in asked.items()}
    difference = paired_differences(_side(rows), _side(own), clusters).get("reward")
    return {
        "answers": [{"form": form, "answer": text} for form, text in baseline.answers.items()],
        **({"reward": rate.to_json()} if rate else {}),
        **({"model_minus_constant": difference.to_json()} if difference else {}),
    }


def _own(groups: Iterable[ScoredGroup], names: set[str]) -> Iterator[tuple[str, float]]:
    for scored in groups:
        for reward in scored.rewards:
            if scored.group.question.id in names and reward.total is not None:
                yield scored.group.question.id, reward.total


def _side(rows: Sequence[tuple[str, float]]) -> Side:
    values = np.array([value for _, value in rows], dtype=float)
    return Side({"reward": weighted_mean(values)}, [name for name, _ in rows])
