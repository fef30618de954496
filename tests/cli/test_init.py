"""A recipe runs where it was written, `validate` says what it will take, and `init` writes both files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf.errors import InputError
from biorlhf.recipe import Recipe, load
from biorlhf.runs import expect, launch, pipeline
from biorlhf.workers.plan import Request, lacking, requests

ROOT = Path(__file__).resolve().parents[2]
LUNG = ROOT / "tests" / "data" / "lung"
SAID = [
    "--tissue",
    "lung",
    "--condition",
    "adenocarcinoma",
    "--numerator",
    "tumour",
    "--denominator",
    "normal",
]
RECIPE = """\
name: mine
model: {base: smollm2-135m-instruct, dtype: fp32}
data:
  - {dataset: tables, lab: lab.yaml}
verifiers:
  - {verifier: pathway, weight: 0.8}
  - {verifier: uncertainty, weight: 0.2}
stages:
  - {trainer: sft, epochs: 1, optimizer: {learning_rate: 1e-3}}
"""


def biorlhf(*arguments: str, cwd: Path | None = None, told: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "biorlhf", *arguments],
        capture_output=True, text=True, timeout=120, check=False, cwd=cwd, input=told,
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder with a space in its name, and two tables."""
    place = tmp_path / "my lab"
    place.mkdir()
    for path in LUNG.glob("*.csv"):
        shutil.copy(path, place)
    return place


@pytest.fixture
def recipe(folder) -> Path:
    shutil.copy(LUNG / "lab.yaml", folder)
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder / "recipe.yaml"


def test_a_recipe_s_files_lie_beside_it_wherever_it_is_called_from(recipe, tmp_path, monkeypatch):
    for place in (recipe.parent, tmp_path, ROOT):
        monkeypatch.chdir(place)
        prepared = pipeline.prepare(load(recipe))
        assert len(prepared.dataset.questions) > 100
    again = load_again(prepared.recipe, tmp_path)
    assert again.data[0].settings["lab"] == str(recipe.parent / "lab.yaml")
    assert len(pipeline.prepare(again).dataset.questions) > 100


def load_again(first: Recipe, folder: Path) -> Recipe:
    """As a run's folder keeps it, and an evaluation reads it from elsewhere."""
    from biorlhf.recipe import yaml12

    (folder / "resolved.yaml").write_text(yaml12.dump(first.to_json()))
    return load(folder / "resolved.yaml", resolved=True)


def test_tables_in_the_recipe_itself_lie_beside_it(recipe, monkeypatch):
    lab = (recipe.parent / "lab.yaml").read_text().partition("tables:")[2]
    inside = RECIPE.replace("  - {dataset: tables, lab: lab.yaml}", "  - dataset: tables\n    tables:" +
                            lab.replace("\n", "\n    "))  # fmt: skip
    recipe.write_text(inside)
    monkeypatch.chdir(ROOT)
    assert len(pipeline.prepare(load(recipe)).dataset.questions) > 100


def test_a_path_that_is_set_on_the_command_line_is_that_of_the_working_folder(recipe, tmp_path, monkeypatch):
    (tmp_path / "lab.yaml").write_text((recipe.parent / "lab.yaml").read_text().replace(
        "file: ", "file: my lab/"))  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert load(recipe).data[0].settings["lab"] == str(recipe.parent / "lab.yaml")
    assert load(recipe, ("data.0.lab=lab.yaml",)).data[0].settings["lab"] == str(tmp_path / "lab.yaml")


def test_the_defaults_start_on_one_core():
    asked = requests(Recipe.model_validate({
        "name": "a", "model": {"base": "b"}, "data": [{"dataset": "kmp"}],
        "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1}}],
    }), samples=True)  # fmt: skip
    assert lacking(asked, [{"CPU": 1, "GPU": 0}]) == ""
    problem = lacking([Request("learner", 4, 1)], [{"CPU": 2, "GPU": 0}])
    assert "4 CPUs and 1 GPU" in problem
    assert "there are 2 CPUs and 0 GPUs" in problem


def test_what_a_run_takes_grows_with_the_model_and_the_data(recipe):
    small = pipeline.prepare(load(recipe))
    large = pipeline.prepare(load(recipe, ("stages.0.epochs=4", "model.base=owner/other-1.5B")))
    _, nodes = launch.machines()
    one, two = (expect.expected(prepared, nodes) for prepared in (small, large))
    assert two["minutes"] > 4 * one["minutes"] > 0
    assert two["memory_gb"]["learner"] > one["memory_gb"]["learner"]
    assert two["disk_gb"] > one["disk_gb"]
    unknown = expect.expected(pipeline.prepare(load(recipe, ("model.base=owner/other",))), nodes)
    assert unknown["minutes"] is None
    assert "not known" in unknown["notes"][0]


def test_what_is_expected_of_knows_smol_is_within_a_factor_of_two_of_what_it_took():
    """About 45 minutes on 2 cores (the head of the recipe), most of them for texts with foreign figures."""
    prepared = pipeline.prepare(load(ROOT / "recipes" / "knows_smol.yaml"))
    minutes = expect.expected(prepared, [{"CPU": 2.0}])["minutes"]
    assert 22.5 <= minutes <= 90


def test_the_size_of_the_packaged_model_is_that_of_its_weights():
    shape = expect.shape_of("smollm2-135m-instruct")
    assert shape is not None
    assert 130e6 < shape.parameters < 140e6
    assert 16 * shape.lora_per_rank == 4_884_480  # what its learner trains at rank 16


def test_validate_reads_the_data_and_says_whether_it_can_start(recipe):
    done = biorlhf("validate", str(recipe), "--json")
    row = json.loads(done.stdout)
    assert row["ok"]
    assert row["cannot_start"] == ""
    assert row["data"]["questions"]["train"] > 50
    large = biorlhf("validate", str(recipe), "--set", "learner.cpus=4000")
    assert large.returncode == 0
    assert "this machine cannot start it" in large.stdout
    (recipe.parent / "lab.yaml").unlink()
    gone = biorlhf("validate", str(recipe))
    assert gone.returncode == 2
    assert "lab.yaml: cannot be read: no such file" in gone.stderr


def test_validate_checks_ground_truths(recipe):
    row = {
        "prompt": "Is it up?",
        "ground_truth": {"feature": "TP53", "kind": "gene", "direction": "upregulated"},
    }
    (recipe.parent / "rows.jsonl").write_text(json.dumps(row) + "\n")
    recipe.write_text(
        RECIPE.replace("{dataset: tables, lab: lab.yaml}", "{dataset: jsonl, file: rows.jsonl}")
    )
    done = biorlhf("validate", str(recipe))
    assert done.returncode == 2
    assert "rows.jsonl:1: ground_truth.direction: 'upregulated'" in done.stderr
    assert "did you mean: UP" in done.stderr


def test_init_writes_two_files_that_are_valid_as_they_are(folder):
    done = biorlhf("init", str(folder), "--table", "tumour_deseq2.csv", "--table", "tumour_fgsea.csv", *SAID,
                   "--effect", "1", "--machine", "cpu", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["cannot_start"] == ""
    assert "UP means higher in tumour" in done.stderr
    assert biorlhf("validate", str(folder / "recipe.yaml")).returncode == 0
    lab = (folder / "lab.yaml").read_text()
    assert "tool: deseq2" in lab
    assert "tool: fgsea" in lab
    again = biorlhf("init", str(folder), "--table", "tumour_deseq2.csv", *SAID)
    assert again.returncode == 2
    assert "it exists already" in again.stderr
    assert (folder / "lab.yaml").read_text() == lab


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--table", "tumor_deseq2.csv", *SAID], "did you mean: tumour_deseq2.csv"),
        (["--table", "tumour_deseq2.csv", *SAID, "--tool", "deseq"], "did you mean: deseq2"),
        (["--table", "tumour_deseq2.csv", *SAID, "--machine", "gppu"], "did you mean: gpu"),
        (["--table", "tumour_deseq2.csv", *SAID, "--test", "recal"], "did you mean: recall"),
        (["--table", "tumour_deseq2.csv", *SAID, "--model", "smollm2-135m-instuct"], "did you mean: smollm2"),
        (["--table", "tumour_deseq2.csv", *SAID[:-1], "tumour"], "numerator and denominator are both"),
        (["--table", "tumour_deseq2.csv", *SAID[:4]], "--numerator"),
        (["--table", "tumour_deseq2.csv", *SAID, "--cell-line", "A549"], "--tissue is given too"),
        (SAID, "no table is given"),
    ],
)  # fmt: skip
def test_a_wrong_answer_to_init_is_refused_and_leaves_no_file(folder, arguments, message):
    done = biorlhf("init", str(folder), *arguments)
    assert done.returncode == 2, done.stdout
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(folder.glob("*.yaml"))


def test_init_asks_at_a_terminal_for_what_no_flag_says(folder, monkeypatch):
    import typer
    from typer.testing import CliRunner

    from biorlhf.commands import init

    app = typer.Typer()
    app.command()(init.init)
    monkeypatch.setattr(init, "_at_a_terminal", lambda: True)
    told = "tumour_deseq2.csv\ncell lin\ncell line\nA549\nknock-out\nTP53 KO\nWT\n"
    done = CliRunner().invoke(app, [str(folder)], input=told)
    assert done.exit_code == 0, done.output
    lab = (folder / "lab.yaml").read_text()
    assert "cell_line: A549" in lab
    assert "numerator: TP53 KO" in lab


def test_columns_of_no_tool_are_refused_with_those_that_there_are(folder):
    from biorlhf_plugins.datasets.tables.start import tool_of

    (folder / "odd.csv").write_text("gene,ratio,q\nTP53,2,0.01\nMYC,3,0.02\n")
    with pytest.raises(InputError, match="are those of no tool that is known"):
        tool_of(folder / "odd.csv")
