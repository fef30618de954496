"""The command line: what it loads, how fast it starts, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "ray", "vllm", "transformers", "peft", "bitsandbytes")


def biorlhf(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "biorlhf", *args], capture_output=True, text=True, cwd=cwd, check=False
    )


def loaded_by(code: str) -> list[str]:
    """Which heavy packages a piece of code loads in a process of its own."""
    probe = f"import sys\n{code}\nimport json; print(json.dumps([n for n in {HEAVY!r} if n in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, cwd=ROOT, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "code",
    [
        "from biorlhf import plugins; plugins.load()",
        "import biorlhf.runs.pipeline, biorlhf.runs.store, biorlhf.scoring.isolated, biorlhf.reports.run",
        "from biorlhf import recipe\n"
        "from biorlhf.recipe.shipped import shipped\n"
        "for path in shipped('recipes').glob('*.yaml'): recipe.load(path)",
        "import biorlhf.commands.run, biorlhf.commands.score, biorlhf.commands.data.app, biorlhf.audit.board",
    ],
)
def test_what_needs_no_model_loads_neither_torch_nor_ray_nor_vllm(code):
    assert loaded_by(code) == []


def test_every_command_of_the_help_exists():
    from biorlhf.cli import COMMANDS

    text = biorlhf("--help").stdout
    for name in COMMANDS:
        assert name in text
        done = biorlhf(name, "--help")
        assert done.returncode == 0, done.stderr


def test_a_wrong_recipe_ends_with_2_and_one_message_without_a_traceback(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("name: a\nmodle: {}\n")
    for command in (["validate", str(path)], ["run", str(path)], ["run", str(path), "--dry-run"]):
        done = biorlhf(*command)
        assert done.returncode == 2, done.stderr
        assert f"{path}:2: modle: unknown key 'modle'" in done.stderr
        assert "Traceback" not in done.stderr


def test_validate_checks_every_file_and_says_so_in_json(tmp_path):
    (tmp_path / "bad.yaml").write_text("- 1\n")
    good = str(ROOT / "recipes/quickstart.yaml")
    done = biorlhf("validate", good, str(tmp_path / "bad.yaml"), "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["ok"] for row in rows] == [True, False]
    assert done.returncode == 2


def test_plugins_are_listed_with_their_distribution():
    rows = json.loads(biorlhf("plugins", "--json").stdout)["plugins"]
    names = {(row["kind"], row["name"]) for row in rows}
    assert {
        ("verifier", "factual"),
        ("verifier", "uncertainty"),
        ("dataset", "kmp"),
        ("trainer", "grpo"),
    } <= names
    assert all(row["distribution"] == "biorlhf" for row in rows if row["name"] == "factual")


def test_every_shipped_recipe_is_valid_and_says_what_it_is_for():
    paths = sorted((ROOT / "recipes").glob("*.yaml"))
    assert {"quickstart", "grpo_full_v2", "grpo_mve", "sft_kmp"} <= {path.stem for path in paths}
    done = biorlhf("validate", *map(str, paths))
    assert done.returncode == 0, done.stderr
    for path in paths:
        header = path.read_text().split("\n\n")[0].lower()
        for word in ("purpose", "command", "hardware", "time"):
            assert f"# {word}:" in header, f"{path.name} lacks {word!r} in its header"


def test_a_recipe_is_listed_and_copied_out_once(tmp_path):
    assert "quickstart" in biorlhf("recipes").stdout
    assert biorlhf("recipes", "quickstart", "--to", str(tmp_path)).returncode == 0
    assert (tmp_path / "quickstart.yaml").is_file()
    again = biorlhf("recipes", "quickstart", "--to", str(tmp_path))
    assert (again.returncode, "another name: --to my_quickstart.yaml" in again.stderr) == (2, True)
    assert "did you mean: quickstart" in biorlhf("recipes", "quickstrat").stderr


def test_a_score_that_is_told_to_end_leaves_no_part_of_a_file(tmp_path):
    source = tmp_path / "rows.jsonl"
    row = {"prompt": "How many DEGs?", "response": "6,425 DEGs. " * 200, "ground_truth": {"answer": "yes"}}
    source.write_text("".join(json.dumps({"id": str(n), **row}) + "\n" for n in range(20_000)))
    command = [sys.executable, "-m", "biorlhf", "score", str(source), "--out", str(tmp_path / "out.jsonl")]
    working = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    working.terminate()
    assert working.wait(timeout=30) == 143
    assert [path.name for path in tmp_path.iterdir()] == ["rows.jsonl"]


def test_the_version_is_printed():
    done = biorlhf("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("biorlhf ")


@pytest.mark.parametrize(("package", "extra"), [("torch", "train"), ("ray", "train"), ("gguf", "gguf")])
def test_a_package_that_is_not_installed_is_one_line_that_names_the_extra(
    package, extra, monkeypatch, capsys
):
    from biorlhf import cli

    monkeypatch.setitem(sys.modules, package, None)

    def command() -> None:
        __import__(package)

    with pytest.raises(SystemExit) as ended:
        cli.main(command)
    assert ended.value.code == 2
    assert (
        capsys.readouterr().err
        == f"error: the package {package} is not installed: pip install 'biorlhf[{extra}]'\n"
    )


def test_a_missing_module_that_no_extra_brings_is_no_users_error():
    from biorlhf.inputs.extras import absent

    error = ModuleNotFoundError("No module named 'nowhere'", name="nowhere")
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        absent(error)


def test_every_extra_that_is_named_exists():
    import tomllib

    from biorlhf.inputs.extras import EXTRA_OF

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(EXTRA_OF.values()) <= set(project["optional-dependencies"])


def test_the_citation_names_this_version_and_the_release_script_checks_it():
    import tomllib

    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"version: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"\n## {version}\n" in (ROOT / "CHANGELOG.md").read_text()


def test_a_release_is_refused_with_changes_that_are_not_committed(tmp_path):
    for name in ("pyproject.toml", "CHANGELOG.md", "CITATION.cff"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    script = [str(ROOT / "cluster" / "release.sh"), sys.executable]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not committed" in done.stderr
