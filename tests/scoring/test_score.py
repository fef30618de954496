"""`biorlhf score`: the contract of its rows, its order, its errors and what it shows."""

from __future__ import annotations

import json
import subprocess
import sys

import pyarrow as pa
import pytest
import typer
from pyarrow import parquet
from typer.testing import CliRunner

from biorlhf import plugins
from biorlhf.commands.score import score
from biorlhf.commands.score_view import spans
from biorlhf.errors import DataError, InputError

app = typer.Typer()
app.command()(score)

ROW = {"id": "a", "prompt": "a prompt", "response": "text", "ground_truth": {}}


@pytest.fixture(autouse=True)
def _fresh_catalogue(rogue):
    plugins.catalogue.cache_clear()
    yield
    plugins.catalogue.cache_clear()


def invoke(*arguments):
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def source(tmp_path):
    texts = ["fine", "raise", "x" * 50, "exit"]
    return write(tmp_path / "in.jsonl", [{**ROW, "id": f"r{n}", "response": t} for n, t in enumerate(texts)])


def test_rows_follow_the_contract(source, tmp_path):
    invoke(source, "--out", tmp_path / "out.jsonl", "--verifiers", "LEN,rogue")
    rows = read(tmp_path / "out.jsonl")
    assert [row["id"] for row in rows] == ["r0", "r1", "r2", "r3"]
    assert rows[0] == {
        "id": "r0",
        "reward": pytest.approx((0.04 + 1) / 2),
        "scores": {
            "length": {"status": "scored", "value": 0.04, "details": {"length": 4, "id": "r0"}},
            "rogue": {"status": "scored", "value": 1.0, "details": {}},
        },
    }
    failed = rows[3]["scores"]["rogue"]
    assert failed == {"status": "failed", "value": None, "details": {"reason": "exit code 3"}}
    assert rows[3]["reward"] == 0.04, "a failure is left out, not a zero"


def test_a_row_that_nothing_judges_has_no_reward(tmp_path):
    source = write(tmp_path / "in.jsonl", [{**ROW, "verifiers": ["rogue"]}])
    invoke(source, "--out", tmp_path / "out.jsonl", "--verifiers", "length")
    (row,) = read(tmp_path / "out.jsonl")
    assert row["reward"] is None
    assert row["scores"]["length"]["status"] == "not_applicable"


def test_order_is_kept_over_several_processes(tmp_path):
    rows = [{**ROW, "id": n, "response": "x" * (n % 90)} for n in range(1000)]
    invoke(
        write(tmp_path / "in.jsonl", rows),
        "--out",
        tmp_path / "out.jsonl",
        "--verifiers",
        "length",
        "--jobs",
        3,
    )
    found = read(tmp_path / "out.jsonl")
    assert [row["id"] for row in found] == list(range(1000))
    assert [row["scores"]["length"]["details"]["length"] for row in found] == [n % 90 for n in range(1000)]


def test_parquet_in_and_out(tmp_path):
    table = {
        "id": ["a", "b"],
        "prompt": ["p", "p"],
        "response": ["one", "three"],
        "ground_truth": ['{"answer": "yes"}', "{}"],
        "verifiers": [["LEN"], None],
    }
    parquet.write_table(pa.table(table), tmp_path / "in.parquet")
    invoke(tmp_path / "in.parquet", "--out", tmp_path / "out.parquet", "--verifiers", "length,rogue")
    found = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [row["id"] for row in found] == ["a", "b"]
    assert found[0]["reward"] == pytest.approx(0.03)
    assert json.loads(found[0]["scores"])["rogue"]["status"] == "not_applicable"
    assert json.loads(found[1]["scores"])["rogue"]["value"] == 1.0


def test_weights_come_from_the_option(source, tmp_path):
    invoke(source, "--out", tmp_path / "out.jsonl", "--weights", "length=3,rogue=1")
    assert read(tmp_path / "out.jsonl")[0]["reward"] == pytest.approx((3 * 0.04 + 1) / 4)


def test_the_summary_counts_every_status_with_intervals(source, tmp_path):
    output = invoke(source, "--out", tmp_path / "out.jsonl", "--verifiers", "length,rogue", "--json")
    summary = json.loads(output.splitlines()[-1])
    assert summary["rows"] == 4
    assert summary["restarts"] == 1
    rogue = summary["verifiers"]["rogue"]
    assert (rogue["scored"], rogue["failed"], rogue["mean"]) == (2, 2, 1.0)
    assert rogue["low"] < 0.5 < rogue["high"] <= 1.0, "two rows leave much open"
    assert set(rogue["reasons"]) == {"KeyError: 'nothing here'", "exit code 3"}
    shown = invoke(source, "--out", tmp_path / "again.jsonl", "--verifiers", "length,rogue")
    assert "95 % interval" in shown
    assert "rogue failed 1 x: exit code 3" in shown


def test_explain_shows_one_row_without_an_output_file(source):
    output = invoke(source, "--explain", "r1", "--verifiers", "length,rogue")
    assert "KeyError: 'nothing here'" in output
    assert "the weight of rogue is shared out among the others" in output


def test_spans_are_found_however_deep():
    details = {"matched": [{"where": [1, 4]}], "n": {"x": {"spans": [[5, 6], [7, 9]]}}, "no": [1, 2]}
    found = [("matched", 1, 4), ("n", 5, 6), ("n", 7, 9), ("", 3, 4)]
    assert list(spans({**details, "span": [3, 4]})) == found


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"in.jsonl:2: not JSON"),
        ("[1]", r"in.jsonl:2: a list"),
        ('{"id": "b", "prompt": "p", "response": "r"}', r"in.jsonl:2: the key 'ground_truth' is missing"),
        ('{"id": "b", "promt": "p", "response": "r", "ground_truth": {}}', "did you mean: promt"),
        ('{"id": "b", "prompt": "p", "response": null, "ground_truth": {}}', "in.jsonl:2: response: a null"),
        (
            '{"id": "b", "prompt": "p", "response": "r", "ground_truth": [1]}',
            "in.jsonl:2: ground_truth: a list",
        ),
        ('{"id": "b", "prompt": "p", "response": "r", "ground_truth": {"value": NaN}}', "NaN is no JSON"),
        (
            '{"id": "b", "prompt": "p", "response": "r", "ground_truth": {}, "verifiers": ["lenght"]}',
            r"in.jsonl:2: verifiers(.|\n)*did you mean: length",
        ),
    ],
)
def test_a_malformed_row_is_named_with_its_line(tmp_path, line, message):
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps(ROW) + "\n" + line + "\n")
    with pytest.raises(DataError, match=message):
        invoke(source, "--out", tmp_path / "out.jsonl", "--verifiers", "length")
    assert list(tmp_path.glob("*out*")) == [], "nothing half-written stays behind"


def test_wrong_paths_and_options_are_input_errors(source, tmp_path):
    out = tmp_path / "out.jsonl"
    wrong = [
        ((tmp_path / "im.jsonl", "--out", out), "did you mean: in.jsonl"),
        ((source, "--out", source), "is the input itself"),
        ((source, "--out", tmp_path / "no" / "out.jsonl"), "there is no folder"),
        ((source, "--out", tmp_path / "out.csv"), "a file of type '.csv'"),
        ((source,), "--out FILE"),
        ((source, "--out", out, "--verifiers", "lenght"), "did you mean: length"),
        ((source, "--out", out, "--weights", "length"), "NAME=NUMBER"),
        ((source, "--out", out, "--verifiers", "length", "--jobs", 0), "1 or more"),
        ((source, "--explain", "r9", "--verifiers", "length"), "no row has the id 'r9'"),
    ]
    for arguments, message in wrong:
        with pytest.raises(InputError, match=message):
            invoke(*arguments)


def test_scoring_loads_no_model_stack():
    code = (
        "import sys, biorlhf.commands.score, biorlhf.scoring.pool, biorlhf.scoring.worker\n"
        "print([m for m in ('torch', 'ray', 'vllm', 'transformers') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
