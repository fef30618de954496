"""From the evaluators through the run store to the report, with the files that a run writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Completion, Group, Question, Reward, Score, plugins
from biorlhf.recipe import Recipe
from biorlhf.reports.answers import changes
from biorlhf.reports.page import page
from biorlhf.reports.run import load_run, rows_of
from biorlhf.reports.text import summary_lines
from biorlhf.runs.store import RunStore, rollout_rows
from biorlhf.stage import StepResult
from biorlhf.types import AdapterRef, ScoredGroup, StepMetrics

EVALUATORS = ("reward", "question_answering", "calibration", "likelihood")


def scored(number: int, right: bool) -> ScoredGroup:
    truth = {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]}
    question = Question(f"q{number}", f"How many DEGs has soleus under HU? ({number})", truth, kind="factual")
    figure = "6,425" if right else "165"
    text = f"Soleus has {figure} DEGs under HU. Confidence: 80%"
    completion = Completion(text, (1, 2), (-0.1, -0.1), False, AdapterRef(int(right), "0" * 64))
    score = Score.scored(float(right), matched=["DEG count"])
    reward = Reward(float(right), {"factual": score, "pathway": Score.not_applicable("no gold")}, {})
    return ScoredGroup(Group(question, (1,), (completion,)), (reward,))


def write(folder: Path) -> Path:
    recipe = {
        "name": "small",
        "model": {"base": "x"},
        "data": [{"dataset": "kmp"}],
        "stages": [{"trainer": "grpo", "optimizer": {"learning_rate": 1e-4}}],
        "store": {"folder": str(folder)},
    }
    store = RunStore.create(Recipe.model_validate(recipe))
    catalogue = plugins.load(entry_points=False)
    for when, share in (("start", 0.25), ("after-grpo", 0.75)):
        groups = [scored(number, number % 12 < 12 * share) for number in range(24)]
        pairs = [(one.group, one.rewards) for one in groups]
        reports = {name: catalogue.build("evaluator", name, {}).evaluate(pairs) for name in EVALUATORS}
        store.write_table(f"evaluations/{when}.parquet", [{"when": when, **r} for r in rollout_rows(groups)])
        body = {"when": when, "split": "test", "questions": 24, "evaluators": reports}
        store.write_json(f"evaluations/{when}.json", body)
    store.append_step(StepResult(StepMetrics("grpo", 1, {"reward": 0.5, "score.factual": 0.5, "kl": 0.0})))
    return store.folder


def test_what_a_run_writes_is_what_the_report_reads(tmp_path):
    run = load_run(write(tmp_path))
    assert run.problems == ()
    assert [evaluation.when for evaluation in run.evaluations] == ["start", "after-grpo"]
    rows = {(row.evaluator, row.metric): row for row in rows_of(run)}
    for key in (
        ("reward", "reward"),
        ("reward", "verifiers.factual"),
        ("question_answering", "overall.accuracy"),
    ):
        row = rows[key]
        assert [rate.value for rate in row.rates if rate] == [0.25, 0.75]
        assert row.difference is not None
        assert (row.difference.value, row.difference.questions, row.verdict) == (0.5, 24, "better")
    brier = rows["calibration", "brier"]
    assert brier.verdict == "better"
    assert [rate.value for rate in brier.rates if rate] == pytest.approx([0.49, 0.19])


def test_the_summary_the_page_and_the_changed_answers_come_from_the_same_files(tmp_path):
    folder = write(tmp_path)
    run = load_run(folder)
    assert any("before 0.250" in line and "after 0.750" in line for line in summary_lines(folder))
    found = changes(run)
    assert len(found) == 6
    assert all("165" in change.before and "6,425" in change.after for change in found)
    assert "6,425 DEGs" in page(run)
    json.dumps([row.to_json() for row in rows_of(run)], allow_nan=False)
