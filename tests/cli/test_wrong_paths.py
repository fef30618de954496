"""A path that names another kind of thing: exit 2, and a message that says what it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from biorlhf import cli
from biorlhf.errors import MOST, InputError
from made_run import write_run

RECIPE = Path(__file__).resolve().parents[2] / "recipes" / "quickstart.yaml"
ROW = {"id": "a", "prompt": "How many?", "response": "Six.", "ground_truth": {"answer": "yes"}}


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    """Runs a command in a folder with a folder, a text, a table and a run; gives its code and message."""
    (tmp_path / "folder.jsonl").mkdir()
    (tmp_path / "text.txt").write_text("words\n")
    (tmp_path / "rows.jsonl").write_text(json.dumps(ROW) + "\n")
    (tmp_path / "table.csv").write_text("gene,log2FoldChange,padj\nA,1,0.01\n")
    write_run(tmp_path / "runs" / "a")
    monkeypatch.chdir(tmp_path)

    def ran(words: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["biorlhf", *words.split()])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return ran


@pytest.mark.parametrize(
    "words",
    [
        "score folder.jsonl --out s.jsonl",
        "score runs/a --out s.jsonl",
        "data check folder.jsonl",
        "audit --questions folder.jsonl",
        "init . --table folder.jsonl",
    ],
)
def test_a_folder_for_a_file_is_called_a_folder(told, words):
    code, message = told(words)
    assert code == 2
    assert "a folder" in message
    assert "no such file" not in message
    assert "did you mean" not in message


@pytest.mark.parametrize("words", ["show", "stats", "export --out x.jsonl", "build --out x"])
def test_a_file_of_another_kind_is_no_misspelt_dataset(told, words):
    name, _, rest = words.partition(" ")
    code, message = told(f"data {name} text.txt {rest}")
    assert code == 2
    assert "a file of type '.txt'" in message
    assert "kmp" not in message


def test_a_file_for_the_folder_of_init_is_called_a_file(told):
    code, message = told("init text.txt --table table.csv")
    assert (code, "text.txt: a file" in message) == (2, True)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("init . --table table.csv --genes sideways", "changed, down, up"),
        ("generate runs/a hi --serve --port 99999", "65535"),
    ],
)
def test_an_option_out_of_range_says_its_range(told, words, named):
    code, message = told(words)
    assert (code, named in message) == (2, True)


@pytest.mark.parametrize("command", ["validate", "run --dry-run", "run"])
def test_a_folder_of_runs_that_cannot_be_made_is_refused_before_anything_starts(told, command):
    code, message = told(f"{command} {RECIPE} --set store.folder=text.txt/runs")
    assert code == 2
    assert "store.folder: text.txt/runs: " in message
    assert "text.txt is no folder" in message
    assert "starting the workers" not in message


def test_the_name_of_a_shipped_recipe_is_told_how_to_become_a_file(told):
    code, message = told("run quickstart")
    assert (code, "biorlhf recipes quickstart --to quickstart.yaml" in message) == (2, True)


def test_a_table_that_lacks_one_column_of_a_tool_is_told_which(told, tmp_path):
    (tmp_path / "table.csv").write_text("gene,baseMean,log2FoldChange,pvalue\nA,9,1,0.01\n")
    code, message = told("init . --table table.csv")
    assert (code, "nearest: deseq2 (without padj)" in message) == (2, True)


def test_a_message_lists_no_more_names_than_can_be_read():
    error = InputError("--id", "no item has 'x'", choices=[f"item-{n:03d}" for n in range(300)], name="x")
    assert str(error).count("item-") == MOST
    assert f"and {300 - MOST} more" in str(error)


def test_one_damaged_evaluation_does_not_hide_the_other_runs(told, tmp_path):
    folder = write_run(tmp_path / "runs" / "b")
    odd = {"evaluators": {"reward": {"reward": {"value": "high"}}, "calibration": [1]}}
    (folder / "evaluations" / "after-grpo.json").write_text(json.dumps(odd))
    assert told("runs --folder runs")[0] == 0


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("data export rows.jsonl --out rows.jsonl --format questions", "rows.jsonl"),
        ("data stats rows.jsonl --out rows.jsonl", "rows.jsonl"),
        ("data check rows.jsonl --json rows.jsonl", "rows.jsonl"),
        ("report runs/a --html runs/a/metrics.jsonl", "runs/a/metrics.jsonl"),
    ],
)
def test_nothing_is_written_over_the_input_or_a_file_of_another_type(told, tmp_path, words, kept):
    before = (tmp_path / kept).read_bytes()
    assert told(words)[0] == 2
    assert (tmp_path / kept).read_bytes() == before
