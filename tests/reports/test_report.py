"""``biorlhf report`` and ``compare`` on run folders: whole ones, cut short ones, and no runs at all."""

from __future__ import annotations

import dataclasses
import json
import random
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from biorlhf import cli
from biorlhf.errors import InputError
from biorlhf.reports import plots
from biorlhf.reports.answers import changes
from biorlhf.reports.run import figures, load_run, rows_of
from biorlhf.reports.stages import by_stage
from biorlhf.reports.summary import to_json
from biorlhf.reports.text import report_lines, summary_lines
from made_run import evaluation, write_answers, write_run


def command(monkeypatch, capsys, *arguments: str | Path) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["biorlhf", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def run(tmp_path) -> Path:
    return write_run(tmp_path / "demo-1")


def test_the_report_shows_before_and_after_with_intervals_and_a_paired_difference(run, monkeypatch, capsys):
    code, out, _ = command(monkeypatch, capsys, "report", run, "--all")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("  overall.accuracy"))
    assert line.count("[") == 4  # start, after-sft, after-grpo, difference
    assert "better" in line
    assert "complete: sft 5 steps, grpo 8 steps" in out
    assert re.search(r"^  reward +0\.1 ▁", out, re.MULTILINE)
    assert str(run) in out


def test_the_report_answers_first_and_fits_eighty_columns(run, monkeypatch, capsys):
    out = command(monkeypatch, capsys, "report", run)[1]
    lines = out.splitlines()
    assert lines[1].startswith("It learnt most of the facts:")
    assert out.index("It learnt") < out.index("Right, of the answers given") < out.index("training, first")
    assert [line for line in lines if len(line) > 80 and not line.startswith("run folder: ")] == []


def test_evaluations_stand_in_the_order_of_the_stages(run):
    assert [e.when for e in load_run(run).evaluations] == ["start", "after-sft", "after-grpo"]


def test_each_stage_is_held_against_the_one_before_it_and_not_against_the_start(run, monkeypatch, capsys):
    changes = by_stage(load_run(run))
    assert [(c.before, c.after) for c in changes] == [("start", "after-sft"), ("after-sft", "after-grpo")]
    for change in changes:
        row = change.rows["accuracy"]
        one, two = (rate.value for rate in row.rates)
        assert row.difference.value == pytest.approx(two - one)
    out = command(monkeypatch, capsys, "report", run)[1]
    assert "  after-grpo against after-sft\n    reward " in out
    told = json.loads(command(monkeypatch, capsys, "report", run, "--json")[1])["by_stage"]
    assert [change["after"] for change in told] == ["after-sft", "after-grpo"]


def test_the_json_report_is_whole_and_has_no_nan(run, monkeypatch, capsys):
    code, out, _ = command(monkeypatch, capsys, "report", run, "--json")
    report = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert report["complete"] is True
    accuracy = next(row for row in report["metrics"] if row["metric"] == "overall.accuracy")
    assert len(accuracy["rates"]) == 3
    assert set(accuracy["rates"][0]) == {"value", "low", "high", "n"}
    assert accuracy["difference"]["low"] > 0
    assert report["figures"]["Loss"]["loss, sft"][0] == [1, 2.0]


def test_what_is_wrong_among_the_surest_answers_stands_in_the_json_and_in_the_text(run, monkeypatch, capsys):
    last = json.loads(command(monkeypatch, capsys, "report", run, "--json")[1])["evaluations"][-1]
    assert last["distinct_confidences"] == 3
    table = json.loads((run / "evaluations/after-grpo.json").read_text())["evaluators"]["calibration"][
        "answers"
    ]
    for point in last["risk_coverage"]:
        # Whatever states the same confidence is kept together.
        kept = sorted(zip(table["confidence"], table["correct"], strict=True), reverse=True)
        kept = kept[: round(point["coverage"] * len(kept))]
        assert point["wrong"] == pytest.approx(1 - sum(correct for _, correct in kept) / len(kept))
    assert last["risk_coverage"][-1]["coverage"] == 1.0
    [line] = [line for line in report_lines(load_run(run)) if line.startswith("wrong among the surest")]
    assert line.count("% of ") == len(last["risk_coverage"]) > 1
    assert line.endswith(" of 100%")


def test_the_json_says_how_long_stages_and_evaluations_took(run, monkeypatch, capsys):
    made = json.loads(command(monkeypatch, capsys, "report", run, "--json")[1])["made_by"]
    assert not {"seconds", "seconds_a_step"} & set(made)
    seconds = {"evaluation start": 4.5, "sft": 20.0, "grpo": 12.0}
    (run / "progress.json").write_text(json.dumps({"seconds": {**seconds, "odd": "x"}}))
    (run / "summary.json").write_text(json.dumps({"finished": "2026-11-28T22:48:52+0000"}))
    made = json.loads(command(monkeypatch, capsys, "report", run, "--json")[1])["made_by"]
    assert made["finished"] == "2026-11-28T22:48:52+0000"
    assert made["seconds"] == seconds
    assert made["seconds_a_step"] == {"sft": 4.0, "grpo": 1.5}


def test_one_answer_to_everything_has_a_figure(run):
    values = {"commonest_answer_share": 0.9, "commonest_answer_truth_share": 0.3, "confidence_spread": 0.01}
    shown = figures(dataclasses.replace(load_run(run), metrics=({"stage": "grpo", "step": 1, **values},)))
    assert shown == {"One answer to everything?": {name: [(1, value)] for name, value in values.items()}}


def test_the_shares_of_read_blocks_and_of_judged_consistency_have_figures_of_their_own(run):
    rows = [
        {"stage": "grpo", "step": step, "block_read_share": 0.1 * step, "applied.consistency": 0.5}
        for step in (1, 2)
    ]
    shown = figures(dataclasses.replace(load_run(run), metrics=tuple(rows)))
    assert list(shown) == [
        "Share of the answers with a block that is read",
        "Share of the answers that consistency judges",
    ]
    assert shown["Share of the answers with a block that is read"]["block_read_share"] == [(1, 0.1), (2, 0.2)]


def test_an_evaluator_without_single_answers_is_shown_without_a_difference(run):
    row = next(row for row in rows_of(load_run(run)) if row.evaluator == "another")
    assert row.rates[0] is not None
    assert row.difference is None
    assert row.verdict == ""


class Page(HTMLParser):
    """Collects what a page would load from elsewhere, and the figures in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.figures: dict[str, dict] = {}
        self.script = False

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag in ("link", "img", "iframe") or "src" in names or names.get("href", "#")[0] != "#":
            self.loads.append(tag)
        if "data-figure" in names:
            self.figures[names["aria-label"]] = json.loads(names["data-figure"])


def test_the_page_stands_alone_and_holds_every_figure(run, tmp_path, monkeypatch, capsys):
    graph_objects = pytest.importorskip("plotly.graph_objects")
    target = tmp_path / "deep" / "page.html"
    code, _, _ = command(monkeypatch, capsys, "report", run, "--html", target)
    text = target.read_text()
    page = Page()
    page.feed(text)
    assert code == 0
    assert page.loads == []
    assert "demo &lt;1&gt;" in text
    assert "demo <1>" not in text
    assert len(page.figures) == 7
    for figure in page.figures.values():
        graph_objects.Figure(figure)  # Plotly's own check of every key and value
    shown = page.figures["Reliability, all questions"]["data"]
    assert [part["name"] for part in shown][1:] == ["start (40 answers)", "after-grpo (40 answers)"]
    assert page.figures["Reward, step by step"]["data"][0]["y"][:2] == [0.1, 0.2]


def test_without_plotly_the_page_is_refused_in_one_line_that_names_the_extra(
    run, tmp_path, monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    code, _, err = command(monkeypatch, capsys, "report", run, "--html", tmp_path / "page.html")
    assert code == 2
    assert err == "error: --html: the package plotly is not installed: pip install 'biorlhf[report]'\n"
    assert command(monkeypatch, capsys, "report", run)[0] == 0


def test_a_page_that_cannot_be_written_is_the_users_to_mend(run, monkeypatch, capsys):
    code, _, err = command(monkeypatch, capsys, "report", run, "--html", run / "recipe.yaml" / "x.html")
    assert code == 2
    assert "--html" in err


def test_a_run_cut_short_is_reported_as_far_as_it_came(run, monkeypatch, capsys):
    (run / "summary.json").unlink()
    (run / "evaluations" / "after-grpo.json").write_text('{"when": "after-gr')
    with open(run / "metrics.jsonl", "a") as file:
        file.write('{"stage": "grpo", "st')
    code, out, _ = command(monkeypatch, capsys, "report", run)
    assert code == 0
    assert "not complete" in out
    assert "unreadable: after-grpo.json" in out
    assert "unreadable: metrics.jsonl:14: not a whole row" in out
    assert "after-sft" in out


def test_a_run_that_has_only_begun_says_so(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "recipe.yaml").write_text("name: new\nstages:\n- trainer: sft\n")
    code, out, _ = command(monkeypatch, capsys, "report", folder)
    assert code == 0
    assert "no step yet" in out
    assert "no evaluation" in out
    assert command(monkeypatch, capsys, "report", folder, "--html", tmp_path / "p.html")[0] == 0
    assert summary_lines(folder)[-1].endswith(str(folder))
    assert figures(load_run(folder)) == {}


def test_reading_a_report_changes_nothing_in_the_folder(run, monkeypatch, capsys):
    (run / "metrics.jsonl.partial").write_text("still being written")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    command(monkeypatch, capsys, "report", run)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_no_run_is_an_error_that_names_the_nearest(run, monkeypatch, capsys):
    code, _, err = command(monkeypatch, capsys, "report", run.parent / "demo-2")
    assert code == 2
    assert "no run here" in err
    assert f"did you mean: {run}" in err
    assert "Traceback" not in err


def test_the_summary_gives_reward_before_and_after_and_the_path(run):
    lines = summary_lines(run)
    place = next(number for number, line in enumerate(lines) if line.startswith("  Reward: "))
    assert "before 0." in lines[place + 1]
    assert "after 0." in lines[place + 1]
    assert "difference +0." in lines[place + 2]
    assert lines[0].startswith("It learnt most of the facts")
    assert "40 held-out questions; brackets hold 95% intervals; inside noise: the interval" in lines
    assert "run folder: " in lines[-1]
    assert str(run) in lines[-1]


def test_two_runs_of_one_skill_cannot_be_told_apart(tmp_path, monkeypatch, capsys):
    first = write_run(tmp_path / "a", after=0.6, seed=1)
    second = write_run(tmp_path / "b", after=0.6, seed=2)
    code, out, _ = command(monkeypatch, capsys, "compare", first, second)
    assert code == 0
    assert "40 questions in both" in out
    assert "inside noise" in out
    assert "would show four times out of five" in out


def test_a_much_better_run_is_called_better_in_words_and_in_json(tmp_path, monkeypatch, capsys):
    first = write_run(tmp_path / "a", after=0.3, seed=1)
    second = write_run(tmp_path / "b", after=0.95, seed=2)
    code, out, _ = command(monkeypatch, capsys, "compare", first, second, "--json")
    found = json.loads(out, parse_constant=pytest.fail)
    verdicts = {(row["evaluator"], row["metric"]): row["verdict"] for row in found["metrics"]}
    assert code == 0
    assert verdicts["reward", "reward"] == "better"
    assert verdicts["question_answering", "overall.accuracy"] == "better"
    assert found["questions"] == {"both": 40, "only_first": 0, "only_second": 0, "reworded": 0}
    assert "outside noise" in found["conclusion"]
    swapped = json.loads(command(monkeypatch, capsys, "compare", second, first, "--json")[1])
    assert swapped["metrics"][0]["verdict"] == "worse"


def test_a_run_compared_with_itself_has_no_difference(run, monkeypatch, capsys):
    found = json.loads(command(monkeypatch, capsys, "compare", run, run, "--json")[1])
    differences = [row["difference"] for row in found["metrics"] if row["difference"]]
    assert differences
    assert all(d["value"] == d["low"] == d["high"] == 0 and d["inside_noise"] for d in differences)
    assert "cannot be told apart" in found["conclusion"]


def test_a_lower_brier_score_is_better():
    from biorlhf.statistics.differences import Difference
    from biorlhf.statistics.paired import Row

    lower = Difference(-0.1, -0.2, -0.05, 40, 20, 0.1)
    assert Row("calibration", "brier", (None, None), lower).verdict == "better"
    assert Row("reward", "verifiers.uncertainty", (None, None), lower).verdict == "worse"
    assert Row("mine", "words", (None, None), lower).verdict == "lower"


def test_runs_without_a_common_question_are_refused(tmp_path, monkeypatch, capsys):
    first, second = write_run(tmp_path / "a"), write_run(tmp_path / "b", offset=1000)
    code, _, err = command(monkeypatch, capsys, "compare", first, second)
    assert code == 2
    assert "no question was asked in both" in err


def test_questions_of_one_run_alone_are_counted_and_not_compared(tmp_path, monkeypatch, capsys):
    first, second = write_run(tmp_path / "a"), write_run(tmp_path / "b", offset=10)
    found = json.loads(command(monkeypatch, capsys, "compare", first, second, "--json")[1])
    assert found["questions"] == {"both": 30, "only_first": 10, "only_second": 10, "reworded": 0}
    assert found["metrics"][0]["difference"]["n"] == 30


def test_a_question_in_other_words_is_another_question(tmp_path, monkeypatch, capsys):
    first, second = write_run(tmp_path / "a"), write_run(tmp_path / "b")
    table = json.loads((second / "evaluations" / "after-grpo.json").read_text())
    answers = table["evaluators"]["reward"]["answers"]
    write_answers(second, "after-grpo", answers, prompt="What of {0:.1}? And of {0}?")
    code, _, err = command(monkeypatch, capsys, "compare", first, second)
    assert code == 2
    assert "no question was asked in both" in err
    write_answers(second, "after-grpo", {key: values[:10] for key, values in answers.items()}, prompt="{}?")
    found = json.loads(command(monkeypatch, capsys, "compare", first, second, "--json")[1])
    assert found["questions"] == {"both": 30, "only_first": 0, "only_second": 0, "reworded": 10}
    assert found["metrics"][0]["difference"]["n"] == 30


def test_a_comparison_says_how_the_recipes_differ(tmp_path, monkeypatch, capsys):
    first, second = write_run(tmp_path / "a"), write_run(tmp_path / "b")
    recipe = "name: demo <1>\nseed: 7\nstages:\n- trainer: sft\n- trainer: dpo\n"
    (second / "recipe.yaml").write_text(recipe)
    out = command(monkeypatch, capsys, "compare", first, second)[1]
    assert "recipe: seed: None in A, 7 in B" in out
    assert "recipe: stages[1].trainer: 'grpo' in A, 'dpo' in B" in out


def test_an_evaluation_made_by_hand_is_no_stage_of_the_run(run, monkeypatch, capsys):
    (run / "evaluations" / "by-hand.json").write_text(json.dumps(evaluation("by-hand", 0.1, 99)))
    assert [e.when for e in load_run(run).evaluations] == ["start", "after-sft", "after-grpo"]
    out = command(monkeypatch, capsys, "compare", run, run, "--when", "by-hand")[1]
    assert "by-hand" in out


def test_the_answers_that_changed_most_are_found(run):
    found = changes(load_run(run))
    fell = [change for change in found if change.reward_after < change.reward_before]
    rose = [change for change in found if change.reward_after > change.reward_before]
    assert 0 < len(rose) <= 6
    assert found == fell + rose
    assert rose[0].before == f"<start> of {rose[0].question}"
    assert rose[0].after == f"<after-grpo> of {rose[0].question}"
    (run / "evaluations" / "start.parquet").write_bytes(b"PAR1 cut short")
    assert changes(load_run(run)) == []


def test_an_unknown_evaluation_lists_those_there_are(run, monkeypatch, capsys):
    code, _, err = command(monkeypatch, capsys, "compare", run, run, "--when", "after-dpo")
    assert code == 2
    assert "after-grpo, after-sft, start" in err
    with pytest.raises(InputError):
        load_run(run / "evaluations")


def test_a_sparkline_has_no_more_blocks_than_asked_for():
    assert plots.sparkline([1.0, 1.0]) == "▁▁"
    assert len(plots.sparkline([float(i) for i in range(500)])) == 40
    assert plots.sparkline([]) == ""


def damaged(node, draw: random.Random, depth: int = 0) -> None:
    """Take keys away and put other things in their place, as another lab's evaluator might."""
    if isinstance(node, dict):
        for key in list(node):
            chance = draw.random()
            if chance < 0.04:
                del node[key]
            elif chance < 0.06:
                node[key] = draw.choice([None, "x", [], {}, 0, 3.0])
            else:
                damaged(node[key], draw, depth + 1)
    elif isinstance(node, list) and depth < 4:
        for item in node:
            damaged(item, draw, depth + 1)


@pytest.mark.parametrize("seed", range(12))
def test_a_report_is_shown_whatever_evaluators_left_out_or_wrote_instead(seed, run):
    draw = random.Random(seed)
    for path in (run / "evaluations").glob("*.json"):
        contents = json.loads(path.read_text())
        damaged(contents, draw)
        path.write_text(json.dumps(contents))
    loaded = load_run(run)
    assert report_lines(loaded)
    assert json.dumps(to_json(loaded), allow_nan=False)


def test_on_a_narrow_terminal_every_number_stands_on_lines_of_its_own(run):
    import io

    from rich.console import Console

    from biorlhf.commands.report import print_rows

    sink = io.StringIO()
    console = Console(file=sink, force_terminal=True, width=80, no_color=True, highlight=False)
    loaded = load_run(run)
    print_rows(console, rows_of(loaded), [evaluation.when for evaluation in loaded.evaluations])
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in sink.getvalue().splitlines()]
    place = lines.index("question_answering: overall.accuracy")
    assert [line.split()[0] for line in lines[place + 1 : place + 5]] == [
        "start",
        "after-sft",
        "after-grpo",
        "difference",
    ]
    assert max(map(len, lines)) <= 80
