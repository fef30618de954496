"""What stands on top of a report: no gain is called better that comes from giving no answer."""

from __future__ import annotations

import dataclasses
import random

import pytest

from biorlhf.reports.headline import DECLINED, GIVEN, known
from biorlhf.reports.run import Evaluation, RunReport
from biorlhf.reports.words import paragraph
from biorlhf.statistics.assessment import assess
from biorlhf.statistics.intervals import Rate, mean, share
from biorlhf.statistics.paired import EARNED, compare

#: An answer: (right, declined, confidence or None).
Answer = tuple[int, int, float | None]


def evaluation(when: str, answers: list[Answer], rewards: list[float], each: int = 1) -> Evaluation:
    """``each``: how many of the answers, one after the other, are about one thing."""
    names = [f"q{number}" for number in range(len(answers))]
    correct, declined = [a[0] for a in answers], [a[1] for a in answers]
    stated = [(c, r, n) for (r, d, c), n in zip(answers, names, strict=True) if not d and c is not None]
    found = assess([s[0] for s in stated], [float(s[1]) for s in stated], [s[2] for s in stated])
    table = {"question": names, "cluster": [f"c{number // each}" for number in range(len(answers))]}
    reward, accuracy = mean(rewards, names), share(sum(correct), len(correct))
    assert isinstance(reward, Rate)
    assert isinstance(accuracy, Rate)
    reports = {
        "reward": {"reward": reward.to_json(), "answers": {**table, "reward": rewards}},
        "question_answering": {
            "overall": {"accuracy": accuracy.to_json()},
            "answers": {**table, "overall.accuracy": correct, "overall.abstained": declined},
        },
        "calibration": {
            "with_confidence": len(stated),
            **{name: rate.to_json() for name, rate in found.rates.items()},
            "answers": {
                **table,
                "confidence": [None if d else c for _, d, c in answers],
                "correct": correct,
                "abstained": declined,
            },
        },
    }
    return Evaluation(when, "test", len(answers), reports)


def run_of(tmp_path, *evaluations: Evaluation) -> RunReport:
    return RunReport(tmp_path, {"name": "x"}, {}, (), evaluations, True, ("grpo",))


def abstainer(tmp_path, right_after: int = 0) -> RunReport:
    """64 questions, of which 14 cannot be answered: before, all are answered, and wrongly; after, 42 are
    declined, the 14 among them, and of the 22 answers given ``right_after`` are right."""
    before: list[Answer] = [(0, 0, 0.9)] * 64
    after: list[Answer] = [(1, 1, None)] * 14 + [(0, 1, None)] * 28
    after += [(int(n < right_after), 0, 0.5) for n in range(22)]
    earned = [0.6] * 42 + [1.0 if n < right_after else 0.1 for n in range(22)]
    return run_of(tmp_path, evaluation("start", before, [0.1] * 64), evaluation("after-grpo", after, earned))


def test_a_gain_that_comes_from_declining_is_never_called_better(tmp_path):
    run = abstainer(tmp_path)
    head = known(run)
    assert head is not None
    rows = {(row.evaluator, row.metric): row for row in head.rows}
    accuracy = rows["question_answering", "overall.accuracy"]
    assert accuracy.difference is not None
    assert round(accuracy.difference.value, 3) == 0.219
    assert accuracy.verdict == "higher by abstaining"
    assert rows["reward", "reward"].verdict == "higher by abstaining"
    assert head.tiles["reward"].mood == ""


def test_the_words_say_that_nothing_was_learnt_and_what_rose_by_declining(tmp_path):
    run = abstainer(tmp_path)
    words = paragraph(run, known(run))
    assert words.startswith(
        "It did not learn the facts, as far as these questions can show: 0 of the 22 answers"
    )
    assert "rose by declining to answer, not by answers that are right" in words
    assert "accuracy over all questions +0.219" in words
    assert "a true change of 0.00" not in words
    assert "in reward four times out of five, and four times as many one of half that" in words
    assert "It declines 42 of the 64 questions (before training none of 64), 14 of them rightly" in words


def test_the_tiles_hold_counts_and_wilsons_intervals(tmp_path):
    head = known(abstainer(tmp_path, right_after=20))
    assert head is not None
    given, declined = head.tiles[GIVEN], head.tiles[DECLINED]
    assert given.after == share(20, 22)
    assert given.before == share(0, 64)
    assert (given.verdict, given.mood, given.note) == ("better", "good", "20 right of 22 given; 64 asked")
    assert (declined.verdict, declined.mood) == ("higher", "")
    assert declined.note == "42 of 64; rightly 14"


def test_answers_about_one_thing_are_drawn_together_for_the_words_and_the_tiles(tmp_path):
    # 60 of 80 right, in clusters of four that are right or wrong as a whole: no more is known than of 20.
    answers: list[Answer] = [(int(number % 16 < 12), 0, 0.5) for number in range(80)]
    run = run_of(tmp_path, evaluation("after-grpo", answers, [0.5] * 80, each=4))
    head = known(run)
    assert head is not None
    rate, wilson = head.tiles[GIVEN].after, share(60, 80)
    assert rate is not None
    assert wilson is not None
    assert (rate.value, rate.n) == (wilson.value, wilson.n)
    assert rate.high - rate.low > 1.6 * (wilson.high - wilson.low)
    assert f"95% interval {rate.low:.0%} to {rate.high:.0%}" in paragraph(run, head)


@pytest.mark.parametrize("seed", range(8))
def test_where_no_given_answer_is_right_nothing_earned_is_better(seed, tmp_path):
    """Runs drawn at random: other shares of declined and unanswerable questions, other partial rewards."""
    draw = random.Random(seed)
    size, unanswerable, declines = draw.randrange(20, 90), draw.random() * 0.5, draw.random()
    sides = []
    for place in range(2):
        share_declined = declines if place else draw.random() * 0.2
        answers: list[Answer] = []
        for _ in range(size):
            declined = draw.random() < share_declined
            answers.append((int(declined and draw.random() < unanswerable), int(declined), draw.random()))
        rewards = [draw.uniform(0.2, 0.9) if a[1] or place else draw.uniform(0, 0.2) for a in answers]
        sides.append(evaluation(("start", "after")[place], answers, rewards))
    for row in compare([side.reports for side in sides]):
        if row.metric.rpartition(".")[2] in EARNED:
            assert row.verdict != "better", row


def test_a_gain_by_right_answers_is_better_though_some_are_declined(tmp_path):
    before: list[Answer] = [(0, 0, 0.5)] * 60
    after: list[Answer] = [(1, 0, 0.9)] * 40 + [(1, 1, None)] * 10 + [(0, 0, 0.2)] * 10
    run = run_of(
        tmp_path,
        evaluation("start", before, [0.0] * 60),
        evaluation("after", after, [float(a[0]) for a in after]),
    )
    head = known(run)
    assert head is not None
    assert [row.verdict for row in head.rows if row.metric in ("overall.accuracy", "reward")] == [
        "better"
    ] * 2
    assert "It learnt most of the facts" in paragraph(run, head)


def test_one_evaluation_says_that_nothing_can_be_compared(tmp_path):
    run = run_of(tmp_path, evaluation("after-grpo", [(1, 0, 0.8)] * 30, [1.0] * 30))
    words = paragraph(run, known(run))
    assert "nothing was asked before it" in words
    assert "an evaluation before training" in words
    assert known(run_of(tmp_path)) is None


def test_a_run_that_was_stopped_before_a_stage_was_evaluated_shows_no_result_of_training(tmp_path):
    asked = evaluation("start", [(int(n < 11), 0, 0.8) for n in range(29)], [0.0] * 29)
    gap = {"value": -0.3, "inside_noise": False}
    asked = dataclasses.replace(asked, constant={"reward": {"value": 0.3}, "model_minus_constant": gap})
    run = dataclasses.replace(run_of(tmp_path, asked), finished=False)
    words = paragraph(run, known(run))
    assert words.startswith("Only the model before training has been asked, so this is no result of training")
    assert "11 of the 29 answers that it gives are right" in words
    assert "takes an evaluation after a stage" in words
    assert words.endswith(f"biorlhf run --resume {tmp_path}")
    assert "beyond noise" not in words
    assert "nothing was asked before" not in words


def test_no_reward_is_minus_zero(tmp_path):
    gap = {"value": -0.4001, "inside_noise": False}
    after = evaluation("after-grpo", [(0, 0, 0.8)] * 30, [0.0] * 30)
    after = dataclasses.replace(after, constant={"reward": {"value": 0.4}, "model_minus_constant": gap})
    run = run_of(tmp_path, after)
    assert "the model earns 0.00, a difference" in paragraph(run, known(run))


def test_few_confidences_are_not_interpreted(tmp_path):
    answers: list[Answer] = [(n % 2, 0, 0.8 if n < 7 else None) for n in range(30)]
    run = run_of(tmp_path, evaluation("after-grpo", answers, [0.5] * 30))
    assert "7 answers state a confidence, too few" in paragraph(run, known(run))


def test_taught_and_untaught_facts_and_the_best_constant_are_told_apart(tmp_path):
    answers: list[Answer] = [(1, 0, 0.9)] * 30 + [(0, 0, 0.9)] * 10 + [(1, 1, None)] * 20
    after = evaluation("after", answers, [float(a[0]) for a in answers])
    parts = {"taught": answers[:40], "untaught": answers[40:]}
    for part, members in parts.items():
        reports = evaluation("x", members, [float(a[0]) for a in members]).reports
        after.reports.update({f"{name} ({part})": report for name, report in reports.items()})
    gap = {"value": 0.42, "inside_noise": False}
    after = dataclasses.replace(after, constant={"reward": {"value": 0.41}, "model_minus_constant": gap})
    words = paragraph(run := run_of(tmp_path, after), known(run))
    assert "30 of the 40 answers that it gives on them are right" in words
    assert "on facts that it was never taught it declines 20 and answers none rightly" in words
    assert "would earn a reward of 0.41; the model earns 0.83, a difference beyond noise" in words


def with_parts(when: str, taught: list[Answer], untaught: list[Answer]) -> Evaluation:
    """One evaluation of both kinds of questions, as the pipeline writes it."""
    sides = {"": [*taught, *untaught], " (taught)": taught, " (untaught)": untaught}
    reports = {}
    for suffix, members in sides.items():
        part = evaluation(when, members, [float(a[0]) for a in members]).reports
        part["calibration"]["distinct_confidences"] = len({a[2] for a in members})  # type: ignore[index]
        reports.update({f"{name}{suffix}": report for name, report in part.items()})
    return Evaluation(when, "test", len(sides[""]), reports)


def test_what_was_learnt_is_told_by_the_facts_that_were_taught(tmp_path):
    wrong: list[Answer] = [(0, 0, 0.4)] * 30
    run = run_of(tmp_path, with_parts("start", wrong, wrong), with_parts("after", [(1, 0, 0.4)] * 30, wrong))
    words = paragraph(run, known(run))
    assert words.startswith("It learnt most of the facts that it was taught: 30 of the 30 answers")
    assert "it declines none and answers none rightly" in words


def test_one_confidence_for_every_answer_is_no_knowledge_and_has_no_surer_half(tmp_path):
    answers: list[Answer] = [(n % 2, 0, 0.9) for n in range(40)]
    run = run_of(tmp_path, with_parts("after", answers, answers))
    words = paragraph(run, known(run))
    assert "It does not know what it knows: it states 90% with every answer, right or wrong." in words
    assert "On average it states 90%, and 50% are right: it is too sure." in words
    assert "of all pairs" not in words
    assert "what it states differs" not in words


@pytest.mark.parametrize(("low", "said"), [(0.71, True), (0.48, False)])
def test_it_knows_more_than_it_states_where_its_likelihoods_tell_right_from_wrong(tmp_path, low, said):
    answers: list[Answer] = [(n % 2, 0, 0.9) for n in range(40)]
    after = with_parts("after", answers, answers)
    after.reports["likelihood"] = {  # type: ignore[index]
        "auroc": {"value": 0.83, "low": low, "high": 0.9, "n": 80},
        "surest_half_wrong": {"value": 0.3, "low": 0.2, "high": 0.4, "n": 80},
    }
    words = paragraph(run_of(tmp_path, after), known(run_of(tmp_path, after)))
    sentence = (
        "It knows more than it states: of a right and a wrong answer it found the right one likelier in 83%"
    )
    assert (sentence in words) is said
    assert ("Of the likelier half of its answers 70% are right." in words) is said


def test_what_it_states_of_taught_and_untaught_facts_stands_beside_what_is_right(tmp_path):
    taught: list[Answer] = [(1, 0, 0.9)] * 27 + [(0, 0, 0.6)] * 3
    untaught: list[Answer] = [(0, 0, 0.2)] * 29 + [(0, 0, 0.7)]
    run = run_of(tmp_path, with_parts("start", [(0, 0, 0.5)] * 30, [(0, 0, 0.5)] * 30))
    run = dataclasses.replace(run, evaluations=(*run.evaluations, with_parts("after", taught, untaught)))
    gap = {"value": 0.65, "low": 0.5, "high": 0.75, "n": 60}
    run.evaluations[-1].reports["calibration"]["taught_minus_untaught"] = gap  # type: ignore[index]
    words = paragraph(run, known(run))
    assert "It knows in part what it knows: of a right and a wrong answer it is surer of the right" in words
    assert "taught it states 87% and 90% are right, on the others it states 22% and 0% are right" in words
    assert "what it states differs beyond noise" in words


def test_the_words_name_what_each_stage_moved_and_what_has_too_few_questions(tmp_path):
    wrong: list[Answer] = [(0, 0, 0.5)] * 40
    right: list[Answer] = [(1, 0, 0.5)] * 40
    course = [("start", wrong), ("after-sft", right), ("after-grpo", right)]
    run = run_of(tmp_path, *(evaluation(when, a, [float(x[0]) for x in a]) for when, a in course))
    few = [{**answers_of_few(value)} for value in (0.0, 1.0, 1.0)]
    for side, extra in zip(run.evaluations, few, strict=True):
        overall = side.reports["question_answering"]
        overall["overall"]["balanced_accuracy"] = extra["rate"]
        overall["answers"]["overall.balanced_accuracy"] = extra["column"]
    words = paragraph(run, known(run))
    assert "sft: reward better, accuracy better; grpo: nothing beyond noise" in words
    assert "Too few questions to say: balanced accuracy (" in words
    assert "Inside noise: balanced" not in words


def answers_of_few(value: float) -> dict:
    """Four of forty answers that a number is known of."""
    return {"rate": {"value": value, "low": 0.0, "high": 1.0, "n": 4}, "column": [value] * 4 + [None] * 36}
