"""In a notebook: tables of a run, what is shown of its records, a bar, and the docs' own notebook."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from biorlhf import Reward, Score, api
from biorlhf.errors import InputError, ResourceError
from biorlhf.reports import frames, shown
from biorlhf.runs.progress import NotebookListener, listener
from biorlhf.stage import StepResult
from biorlhf.types import StepMetrics

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


@pytest.mark.parametrize("kind", frames.KINDS)
def test_answers_metrics_and_questions_are_tables_of_any_kind(done, kind):
    if kind != "arrow":
        pytest.importorskip(kind, reason=f"{kind} is not installed")
    answers = frames.answers(done, kind)
    assert len(answers) == 4
    columns = answers.column_names if kind == "arrow" else list(answers.columns)
    assert {"question_id", "completion", "reward", "score_factual"} <= set(columns)
    assert len(frames.metrics(done, kind)) == len(done.metrics)
    assert len(frames.metrics(done.folder, kind)) == len(done.metrics)
    known = api.load_recipe(done.folder / "recipe.yaml")
    from biorlhf.runs import pipeline

    questions = frames.questions(pipeline.prepare(known, trains=False).questions, kind)
    assert len(questions) == 4
    truth = questions["ground_truth"][0]
    assert isinstance(json.loads(truth.as_py() if kind == "arrow" else truth), dict)


def test_a_table_that_cannot_be_is_refused_with_what_can(done, monkeypatch):
    with pytest.raises(InputError, match="did you mean: pandas"):
        frames.metrics(done, "panda")
    with pytest.raises(InputError, match=r"available: after-grpo, after-sft, .*start"):
        frames.answers(done, when="after-dpo")
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ResourceError, match=r"biorlhf\[frames\]"):
        frames.metrics(done, "polars")
    assert frames.table([], "arrow") == pa.table({})


def test_records_are_shown_as_tables_with_what_they_hold_escaped(done):
    assert "Right, of the answers given" in shown.run_html(done)
    score = Score.scored(0.5, found="<b>6,425</b>")
    assert "<td>&lt;b&gt;6,425&lt;/b&gt;</td>" in shown.score_html(score)
    reward = Reward(0.5, {"factual": score, "pathway": Score.not_applicable("no set")}, {"factual": 1.0})
    text = shown.reward_html(reward)
    assert "<td>not applicable</td>" in text
    assert "<td>no set</td>" in text
    assert "<b>0.500</b>" in text
    report = {"when": "again", "split": "test", "questions": 4}
    report["evaluators"] = done.evaluations["after-grpo"]["evaluators"]
    assert "4 questions of the split test" in shown.evaluated_html(api.Evaluated(report, ()))


def test_plots_are_the_reports_as_plotly_figures(done):
    pytest.importorskip("plotly", reason="plotly is not installed")
    found = shown.plots(done)
    assert "Reward" in found
    assert found["Reward"].data[0].name == "reward"


@pytest.fixture
def notebook(monkeypatch):
    """IPython with the shell of a notebook's kernel; what is displayed is kept."""
    shells = pytest.importorskip("IPython.core.interactiveshell", reason="IPython is not installed")
    shell = shells.InteractiveShell.instance()
    shell.kernel = object()
    kept: list[str] = []
    monkeypatch.setattr(shell.display_pub, "publish", lambda data, **more: kept.append(data["text/html"]))
    yield shell, kept
    shells.InteractiveShell.clear_instance()


def test_ipython_shows_them_by_itself_once_registered(notebook):
    shell, _ = notebook
    shown.register()
    formatted, _ = shell.display_formatter.format(Score.scored(0.25, found="x"))
    assert "<b>0.250</b>" in formatted["text/html"]


def test_a_run_in_a_notebook_moves_one_bar(notebook, capsys):
    _, kept = notebook
    bar = listener()
    assert isinstance(bar, NotebookListener)
    bar.phase("starting")
    bar.begin("sft <1>", 2, 0, "step")
    bar.step(StepResult(StepMetrics("sft", 1, {"loss": 0.5}), warnings=("careful",)))
    bar.step(StepResult(StepMetrics("sft", 2, {"loss": 0.25})))
    bar.end()
    assert len(kept) == 3
    assert "sft &lt;1&gt;" in kept[0]
    assert "<progress value='2' max='2'>" in kept[2]
    assert "loss 0.25" in kept[2]
    assert capsys.readouterr().out == "starting\nwarning: careful\n"


def test_the_notebook_of_the_docs_runs_from_its_first_cell_to_its_last(
    base, tmp_path, tiny_recipe, monkeypatch
):
    """Its cells as they stand, in order, with a tiny model in place of the one that it names."""
    pytest.importorskip("plotly", reason="plotly is not installed")
    pytest.importorskip("pandas", reason="pandas is not installed")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "quickstart.yaml").write_text(json.dumps(tiny_recipe(base, tmp_path / "runs")))
    names: dict = {"display": lambda *things: None}
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert len(code) >= 5
    for source in code:
        exec(compile(source, str(NOTEBOOK), "exec"), names)
    assert names["done"].finished
