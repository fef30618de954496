"""The data commands as a person and as a program call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from biorlhf import DatasetPlugin, hookimpl, plugins
from biorlhf.commands.data.app import app
from biorlhf.commands.data.source import parse_settings, resolve
from biorlhf.commands.data.stats import constant_answer, lengths
from biorlhf.errors import DataError, InputError
from biorlhf.hookspecs import DatasetStream
from biorlhf.testing import fresh_catalogue
from biorlhf.types import Question

ROWS = [
    {"prompt": "Which?", "ground_truth": {"pathway": "A", "direction": d}, "split": "test", "tissue": "heart"}
    for d in ("UP", "UP", "UP", "DOWN")
]
LAB = """\
name: small
tables:
  - file: t.csv
    tool: edger
    tissue: heart
    condition: ""
    contrast: {numerator: treated, denominator: vehicle}
    thresholds: {padj: 0.05}
"""
TABLE = "gene,logFC,PValue,FDR\n" + "".join(
    f"G{n},{(-1) ** n * (1 + n / 10)},0.001,{0.01 if n < 12 else 0.5}\n" for n in range(20)
)


def run(*args: str, code: int = 0, text: str | None = None):
    result = CliRunner().invoke(app, [str(arg) for arg in args], input=text)
    if code == 0 and result.exception is not None:
        raise result.exception
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def questions(tmp_path) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(json.dumps({**row, "id": f"q{n}"}) + "\n" for n, row in enumerate(ROWS)))
    return path


@pytest.fixture
def lab(tmp_path) -> Path:
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "lab.yaml").write_text(LAB)
    return tmp_path / "lab.yaml"


def test_list_counts_what_can_be_built_and_says_what_the_others_need():
    rows = {row["name"]: row for row in json.loads(run("list", "--json").stdout)["datasets"]}
    assert rows["kmp"]["counts"]["examples"] >= 363
    assert rows["jsonl"]["counts"] is None
    assert rows["jsonl"]["needs"] == "--set file=..."
    assert "lab" in rows["tables"]["needs"]
    assert "jsonl needs: --set file=..." in run("list").stdout


def test_stats_give_the_best_constant_answer_with_its_interval(questions):
    found = json.loads(run("stats", questions, "--json").stdout)
    best = found["questions"]["constant_answer"]["test / direction"]
    assert (best["answer"], best["accuracy"], best["balanced_accuracy"]) == ("UP", 0.75, 0.5)
    assert best["low"] < 0.75 < best["high"]
    assert found["questions"]["direction_by_tissue_and_split"] == {"heart / test": {"DOWN": 1, "UP": 3}}
    assert found["questions"]["tissue"] == {"heart": 4}
    assert "regular expression" in found["tokens_are"]
    assert "always 'UP': accuracy 0.750" in run("stats", questions).stdout


def test_stats_of_a_shipped_dataset_with_settings(tmp_path):
    out = tmp_path / "stats.json"
    run("stats", "kmp", "--set", "mode=open_book", "--out", out)
    found = json.loads(out.read_text())
    assert found["questions"]["prompt_tokens"]["median"] > 20
    assert set(found["examples"]["split"]) == {"train"}


def test_lengths_count_words_numbers_and_signs():
    assert lengths(["Soleus has 6,425 DEGs."]) == {"min": 7, "median": 7, "p95": 7, "max": 7, "total": 7}


def test_unanswerable_questions_have_no_constant_answer():
    question = Question("a", "?", {"answerable": False})
    assert constant_answer([question]) == {}


def test_show_prints_question_answer_and_ground_truth(questions):
    shown = run("show", questions, "-n", "1").stdout
    assert "Which?" in shown
    assert '"direction": "UP"' in shown
    assert shown.count("Question") == 1
    items = json.loads(run("show", questions, "--id", "q3", "--json").stdout)["items"]
    assert [item["ground_truth"]["direction"] for item in items] == ["DOWN"]


def test_show_says_what_there_is(questions):
    with pytest.raises(InputError, match="available: test"):
        run("show", questions, "--split", "train")


def test_a_datasets_name_is_not_hidden_by_the_folder_of_its_package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kmp").mkdir()
    assert resolve("kmp") == ("kmp", {})
    (tmp_path / "mine").mkdir()
    assert resolve("mine") == ("jsonl", {"file": "mine"})
    (tmp_path / "kmp" / "questions.parquet").write_bytes(b"")
    assert resolve("kmp") == ("jsonl", {"file": "kmp"})


def test_unknown_dataset_and_unknown_setting_name_the_nearest():
    with pytest.raises(InputError, match="did you mean: kmp"):
        run("stats", "kpm")
    with pytest.raises(InputError, match="did you mean: mode"):
        run("stats", "kmp", "--set", "moed=open_book")
    with pytest.raises(InputError, match="key=value"):
        run("stats", "kmp", "--set", "mode")


def test_settings_are_yaml_and_nest():
    assert parse_settings(["a=1", "b.c=[x, y]", "b.d=no"]) == {"a": 1, "b": {"c": ["x", "y"], "d": "no"}}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("prompt-completion", {"prompt", "completion"}),
        ("messages", {"messages"}),
        ("preference", {"prompt", "chosen", "rejected"}),
        ("preference-messages", {"prompt", "chosen", "rejected"}),
    ],
)
def test_exports_are_read_back(tmp_path, name, keys):
    out = tmp_path / "out.jsonl"
    counted = json.loads(run("export", "kmp", "--out", out, "--format", name, "--json").stdout)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == counted["rows"] > 100
    assert all(set(row) == keys for row in rows)
    found = json.loads(run("stats", out, "--json").stdout)
    table = "preferences" if "preference" in name else "examples"
    assert found[table]["total"] == len(rows)


def test_exported_questions_are_the_same_questions(tmp_path, questions):
    out = tmp_path / "again.jsonl"
    run("export", questions, "--out", out, "--format", "questions")
    first, second = (json.loads(run("show", f, "-n", "9", "--json").stdout) for f in (questions, out))
    assert first == second


def test_an_export_without_items_says_so(tmp_path, questions):
    with pytest.raises(InputError, match="no items for the format messages"):
        run("export", questions, "--out", tmp_path / "x.jsonl", "--format", "messages")


def test_build_shows_what_up_means_and_writes_parquet(lab, tmp_path):
    shown = run("build", lab, "--yes").stdout
    assert "t.csv: UP means higher in treated (6 UP, 6 DOWN, 8 NS, 0 NOT TESTED)" in shown
    assert "highest: G10 (+2.00), G8 (+1.80), G6 (+1.60)" in shown
    assert "lowest: G11 (-2.10), G9 (-1.90), G7 (-1.70)" in shown
    folder = tmp_path / "small_data"
    assert {p.name for p in folder.iterdir()} == {
        "questions.parquet", "examples.parquet", "preferences.parquet", "splits.parquet", "provenance.json",
    }  # fmt: skip
    assert json.loads(run("stats", folder, "--json").stdout)["questions"]["total"] > 10


def test_build_asks_a_person_at_a_terminal(lab, tmp_path, monkeypatch):
    monkeypatch.setattr("biorlhf.commands.data.build._at_a_terminal", lambda: True)
    with pytest.raises(DataError, match="swap them in the contrast"):
        run("build", lab, "--out", tmp_path / "no", text="n\n")
    assert not (tmp_path / "no").exists()
    run("build", lab, "--out", tmp_path / "yes", text="y\n")
    assert (tmp_path / "yes" / "questions.parquet").is_file()


def test_build_warns_of_a_control_as_numerator(lab):
    lab.write_text(LAB.replace("treated", "x").replace("vehicle", "treated").replace("x,", "vehicle,"))
    assert "flip: true" in run("build", lab, "--yes").stderr


def test_a_shipped_dataset_builds_to_the_same_bytes(tmp_path):
    run("build", "kmp", "--out", tmp_path / "a")
    run("build", "kmp", "--out", tmp_path / "b")
    for name in ("questions.parquet", "examples.parquet", "preferences.parquet"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


class Measured:
    """A third party's dataset that writes itself."""

    def __init__(self, **more):
        self.more = more

    @hookimpl
    def biorlhf_datasets(self):
        yield DatasetPlugin(name="measured", build=lambda config: 1 / 0, stream=self.stream)

    def stream(self, config):
        def write(folder):
            folder.mkdir()
            (folder / "rows").write_text("a row")
            return {"counts": {"rows": 1}}

        return DatasetStream("measured", write, ("made on Monday",), ("no Tuesday",), **self.more)


def test_a_dataset_that_streams_is_shown_asked_and_written_by_itself(tmp_path, monkeypatch):
    refusal = DataError("measured", "not on a Monday")
    monkeypatch.setattr("biorlhf.commands.data.build._at_a_terminal", lambda: True)
    monkeypatch.setattr(
        plugins, "catalogue", lambda: fresh_catalogue(Measured(question="?", refusal=refusal))
    )
    with pytest.raises(DataError, match="not on a Monday"):
        run("build", "measured", "--out", tmp_path / "no", text="n\n")
    assert not (tmp_path / "no").exists()
    done = run("build", "measured", "--out", tmp_path / "yes", "--json", "--yes")
    assert json.loads(done.stdout) == {"folder": str(tmp_path / "yes"), "counts": {"rows": 1}}
    assert "made on Monday\nwarning: no Tuesday" in done.stderr
    assert (tmp_path / "yes" / "rows").is_file()


def test_the_command_line_exits_with_2_and_one_message_for_wrong_input(lab):
    lab.write_text(LAB.replace("{numerator: treated, denominator: vehicle}", "{numerator: treated}"))
    done = subprocess.run(
        [sys.executable, "-m", "biorlhf", "data", "build", str(lab)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "denominator is missing" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_data_command_loads_torch_or_ray(questions):
    code = (
        "import sys; from typer.testing import CliRunner; from biorlhf.commands.data.app import app;"
        f"r = CliRunner().invoke(app, ['stats', {str(questions)!r}]); assert r.exit_code == 0, r.output;"
        "print(sorted({'torch', 'ray', 'vllm', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stdout.strip() == "[]"


def test_what_was_built_is_replaced_with_force_alone(tmp_path):
    out = tmp_path / "built"
    run("build", "kmp", "--out", out)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="--force"):
        run("build", "kmp", "--out", out)
    run("build", "kmp", "--out", out, "--force")
    assert (out / "notes.txt").read_text() == "mine"
