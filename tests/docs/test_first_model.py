"""docs/first_model.md, carried out: from tables to a report, with few steps and few questions."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "first_model.md"
EXAMPLE = ROOT / "examples" / "lab"
FEW = " ".join(
    f"--set {key}"
    for key in (
        "data.0.lab=mylab/few.yaml", "evaluation.questions=4", "stages.0.epochs=1", "stages.1.steps=1",
        "stages.1.prompts_per_step=2", "stages.1.generations=2", "rollout.max_completion_tokens=24",
    )
)  # fmt: skip


def commands() -> list[str]:
    """The page's commands, one a line, in order."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def carried_out(line: str, folder: Path) -> str:
    shell = f'biorlhf() {{ "{sys.executable}" -m biorlhf "$@"; }}; {line}'
    done = subprocess.run(
        ["bash", "-c", shell], cwd=folder, capture_output=True, text=True, timeout=560, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-1500:]}\n{done.stderr[-3000:]}"
    return done.stdout + done.stderr


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "mylab").mkdir()
    for table in EXAMPLE.glob("*.csv"):
        shutil.copy(table, tmp_path / "mylab")
    return tmp_path


def test_the_page_has_all_its_steps_and_init_writes_the_example_s_files(folder):
    lines = commands()
    verbs = [line.split()[1] for line in lines]
    assert verbs == ["init", "data", "data", "validate", "run", "report", "evaluate"]
    said = carried_out(f"{lines[0]} --machine cpu", folder)
    shown = re.search(r"```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert shown is not None
    assert shown[1] in said
    assert (folder / "mylab/lab.yaml").read_text() == (EXAMPLE / "lab.yaml").read_text()
    written = (folder / "mylab/recipe.yaml").read_text().replace("mylab/", "")
    assert written == (EXAMPLE / "recipe.yaml").read_text()
    for line in lines[1:4]:
        carried_out(line, folder)


@pytest.mark.engine
def test_the_page_leads_from_tables_to_a_report(folder):
    init, *_, run, report, evaluate = commands()
    carried_out(f"{init} --machine cpu", folder)
    lab = (folder / "mylab/lab.yaml").read_text()
    (folder / "mylab/few.yaml").write_text(lab.replace("limit: 200", "limit: 30"))
    said = carried_out(f"{run} {FEW}", folder)
    assert "complete: sft" in said
    carried_out(report, folder)
    assert "<svg" in (folder / "mylab/report.html").read_text()
    carried_out(f"{evaluate} --questions 3", folder)
    page = (folder / "mylab/models.html").read_text()
    assert all(word in page for word in ("overall", "factual", "reasoning", "calibration", "base"))
