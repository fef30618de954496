"""What is shown of texts that others wrote moves no cursor, and begins no heading, cell or tag."""

from __future__ import annotations

import ast
import errno
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf.reports import card
from biorlhf.reports.run import load_run
from biorlhf.runs.watching.terminal import Terminal

ROOT = Path(__file__).resolve().parents[2]
# Clears the screen, sets the title, hides what follows, turns the direction, returns to the line's start.
ATTACK = "\x1b[2J\x1b]0;owned\x07\x1b[8mhidden\u202egnp\x9b31m\rover"
TAGS = "x\n# Heading\n| a | b |\n</td><script>alert(1)</script> ![i](http://x.invalid) ```\n---"


def _read(terminal: int) -> bytes:
    """What comes next; nothing at the end, which Linux reports of a terminal as an error of reading."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError as error:
        if error.errno != errno.EIO:
            raise
        return b""


def on_a_terminal(*args: str, folder: Path) -> str:
    """What a command writes to a terminal that understands colours."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "biorlhf", *args]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "TERM": "xterm-256color"}
    with subprocess.Popen(
        command, stdout=theirs, stderr=theirs, stdin=theirs, cwd=folder, env=env
    ) as process:
        os.close(theirs)
        shown = b""
        while block := _read(ours):
            shown += block
        process.wait()
    os.close(ours)
    return shown.decode("utf-8", "replace")


def obeyed(shown: str) -> list[str]:
    """The parts of the attack that a terminal would have obeyed."""
    return [
        part for part in ("\x1b[2J", "\x1b]0", "\x07", "\x1b[8m", "\u202e", "\x9b", "\rover") if part in shown
    ]


def run_folder(folder: Path) -> Path:
    rate = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
    names = [f"q{n}" for n in range(20)]
    reports = {ATTACK: {"reward": rate, "left_out": {ATTACK: ATTACK}, "answers": {"question": names}}}
    (folder / "evaluations").mkdir(parents=True)
    for when in ("start", "after-sft"):
        row = {"when": when, "split": ATTACK, "questions": 20, "evaluators": reports}
        (folder / f"evaluations/{when}.json").write_text(json.dumps(row))
    stage = {"trainer": "sft", "lora": {"r": 4, "alpha": 8}, "optimizer": {"learning_rate": 1e-3}}
    recipe = {"name": ATTACK, "model": {"base": TAGS}, "stages": [stage], "seed": TAGS}
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    data = {"files": [{"path": TAGS, "sha256": TAGS, "licence": TAGS, "source": TAGS}]}
    (folder / "manifest.json").write_text(
        json.dumps({"biorlhf": TAGS, "versions": {TAGS: TAGS}, "data": data})
    )
    (folder / "metrics.jsonl").write_text(json.dumps({"stage": ATTACK, "step": 1, "loss": 1.0}) + "\n")
    return folder


def commands(folder: Path) -> dict[str, list[str]]:
    answer = {"id": ATTACK, "prompt": ATTACK, "response": ATTACK, "ground_truth": {"x_note": ATTACK}}
    (folder / "answers.jsonl").write_text(json.dumps(answer) + "\n")
    rows = [{"prompt": ATTACK, "ground_truth": {"x_note": ATTACK}, "kind": ATTACK, "tissue": ATTACK, "id": ATTACK},
            {"prompt": "p" + ATTACK, "completion": ATTACK, "kind": ATTACK}]  # fmt: skip
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_folder(folder / "one")
    run_folder(folder / "two")
    return {
        "score": ["score", "answers.jsonl", "--explain", ATTACK],
        "data show": ["data", "show", "rows.jsonl"],
        "data stats": ["data", "stats", "rows.jsonl"],
        "data check": ["data", "check", "rows.jsonl"],
        "report": ["report", "one"],
        "compare": ["compare", "one", "two"],
        "an error": ["validate", f"{ATTACK}.yaml"],
    }


@pytest.mark.parametrize(
    "name", ["score", "data show", "data stats", "data check", "report", "compare", "an error"]
)
def test_no_text_moves_the_cursor_of_a_terminal(tmp_path, name):
    shown = on_a_terminal(*commands(tmp_path)[name], folder=tmp_path)
    assert "Traceback" not in shown
    assert obeyed(shown) == []
    if name not in ("data check", "compare"):
        assert r"\x1b[2J" in shown.replace("\r\n", "")


def test_a_terminal_keeps_its_own_colours():
    stream = io.StringIO()
    Terminal(file=stream, force_terminal=True).print(f"[bold]x[/bold]{ATTACK}")
    assert "\x1b[1mx\x1b[0m" in stream.getvalue()
    assert obeyed(stream.getvalue()) == []


def test_every_console_is_one_that_shows_control_characters():
    for path in (ROOT / "biorlhf").rglob("*.py"):
        called = {node.func.id for node in ast.walk(ast.parse(path.read_text()))
                  if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
        assert "Console" not in called, f"{path.name}: use biorlhf.runs.watching.terminal.Terminal"


def test_the_model_card_escapes_what_it_shows(tmp_path):
    run = load_run(run_folder(tmp_path / "run"))
    given = card.Given("adapter", TAGS, "fp32", "abc", "the final adapter", "checked")
    text = card.card(given, run, "0.1.0")
    body = text.split("\n---\n", 1)[1]
    own = ("# ", "## Results", "## Training", "## Data", "## Recipe")
    outside, fence = [], ""
    for line in body.splitlines():
        if not fence and line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
        elif fence and line.strip() == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert [line for line in outside if line.startswith("#") and not line.startswith(own)] == []
    assert not any("<script>" in line.replace("`", "") and "`" not in line for line in outside)
    assert not any("![i](" in line and "`" not in line for line in outside)
    # A row of the table of files has its four cells and no more.
    [row] = [line for line in outside if line.startswith("| x")]
    assert row.replace("\\|", "").count("|") == 5
    assert obeyed(text) == []


def test_the_page_escapes_what_it_shows(tmp_path):
    from biorlhf.reports.page import page

    folder = run_folder(tmp_path / "run")
    text = (folder / "recipe.yaml").read_text()
    recipe = {**json.loads(text), "name": TAGS}
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    (folder / "metrics.jsonl").write_text(json.dumps({"stage": TAGS, "step": 1, "loss": 1.0}) + "\n")
    assert "<script>alert" not in page(load_run(folder))
