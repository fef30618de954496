"""What the verifiers make of the shipped datasets: gold answers are right, cheap answers earn no more than
an abstention, and the rejected side of every preference is the worse one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import mean

import pytest

from biorlhf import RewardComposer, Status
from biorlhf.types import Dataset, Question
from biorlhf_plugins.datasets import genelab, kmp

BUILDS = {
    "kmp recall": lambda: kmp.build(kmp.KmpConfig(split="paraphrase")),
    "kmp published": lambda: kmp.build(kmp.KmpConfig(split="paraphrase", test_set="published")),
    "kmp fact": lambda: kmp.build(kmp.KmpConfig()),
    "kmp open book": lambda: kmp.build(kmp.KmpConfig(mode="open_book")),
    "genelab": lambda: genelab.build(genelab.GenelabConfig()),
    "genelab tissues": lambda: genelab.build(genelab.GenelabConfig(hold_out_tissues=("eye", "thymus"))),
    "genelab mission": lambda: genelab.build(genelab.GenelabConfig(hold_out_missions=("MHU-2",))),
    "genelab open book": lambda: genelab.build(
        genelab.GenelabConfig(mode="open_book", hold_out_tissues=("eye",))
    ),
}
# Of each dataset, for what is asked of a question many times; `make audit` asks every attack of every item.
SAMPLE = 120
ABSTENTION = "Answer: cannot be determined\nConfidence: 5%"
CONSTANTS = ("yes", "no", "UP", "DOWN", "NS", "MIXED", "liver", "1,000", "A", "RESCUE", "")


def sampled(questions: Sequence[Question]) -> Sequence[Question]:
    return questions[:: max(2, len(questions) // SAMPLE)]


@pytest.fixture(scope="module")
def composer() -> RewardComposer:
    return RewardComposer(["V1", "V2", "V3", "V4"])


@pytest.fixture(scope="module", params=BUILDS, ids=str)
def data(request) -> Dataset:
    return BUILDS[request.param]()


def test_every_gold_answer_scores_095_on_every_verifier_that_applies(data, composer):
    for question in data.questions:
        reward = composer.score(question, question.answer)
        judged = {n: s for n, s in reward.scores.items() if s.status is not Status.NOT_APPLICABLE}
        assert judged, question.id
        for name, score in judged.items():
            assert score.status is Status.SCORED, (question.id, name, score)
            assert score.value >= 0.95, (question.id, name, question.answer, score)


def test_the_question_echoed_or_nothing_earns_no_more_than_an_abstention(data, composer):
    for question in sampled(data.questions):
        least = float(composer.score(question, ABSTENTION))
        for cheap in ("", question.prompt, f"{question.prompt} Confidence: 90%", question.asked):
            total = composer.score(question, cheap).total
            assert (total or 0.0) <= least + 1e-9, (question.id, cheap[-80:], total, least)


def test_a_constant_answer_earns_hardly_more_than_abstaining_always(data, composer):
    # A constant is right on its label's share of a three-way question, and an abstention earns what a blind
    # guess would: in the small splits of the direction questions the constant may be ahead.
    for split in ("train", "test"):
        questions = sampled([q for q in data.questions if q.split == split])
        least = mean(float(composer.score(q, ABSTENTION)) for q in questions)
        for constant in CONSTANTS:
            text = f"Answer: {constant}\nConfidence: 90%"
            earned = mean(composer.score(q, text).total or 0.0 for q in questions)
            assert earned < least + (0.1 if data.name == "genelab" else 0.0), (
                split,
                constant,
                earned,
                least,
            )


def test_the_rejected_answer_of_every_preference_scores_less(data, composer):
    by_prompt = defaultdict(list)
    for question in data.questions:
        by_prompt[question.prompt].append(question)
    judged = 0
    for pair in data.preferences:
        (question,) = by_prompt[pair.prompt]
        chosen, rejected = (float(composer.score(question, text)) for text in (pair.chosen, pair.rejected))
        assert rejected < chosen, (pair.id, pair.rejected, chosen, rejected)
        judged += 1
    assert judged >= 120
