"""A local run listens on the loopback alone, and its token is its owner's alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from biorlhf.recipe import yaml12
from tiny_model import write_tiny_model

pytestmark = pytest.mark.engine
LISTENS = "0A"  # the state of a socket in /proc/net/tcp
LOOPBACK = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def listening(root: int) -> dict[int, str]:
    """Port -> address, of every socket that a process below ``root`` listens on; as ``ss -ltnp`` shows it."""
    parents, sockets = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int(
                (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[1]
            )
            for fd in (entry / "fd").iterdir():
                sockets[os.readlink(fd)] = int(entry.name)
        except OSError:
            continue

    def is_below(pid: int) -> bool:
        return pid == root or (pid in parents and is_below(parents[pid]))

    found = {}
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == LISTENS and is_below(sockets.get(f"socket:[{cells[9]}]", 0)):
                address, _, port = cells[1].partition(":")
                found[int(port, 16)] = address
    return found


def test_a_local_run_listens_on_the_loopback_alone_and_closes_its_token(tmp_path):
    (tmp_path / "tiny").mkdir()
    (tmp_path / "home/.ray").mkdir(parents=True)
    token = tmp_path / "home/.ray/auth_token"
    token.write_text("0123456789abcdef" * 4)
    token.chmod(0o644)
    recipe = {
        "name": "ports",
        "model": {"base": str(write_tiny_model(tmp_path / "tiny")), "dtype": "fp32"},
        "prompt": {"template": "plain"},
        "data": [{"dataset": "kmp", "max_questions": 4}],
        "verifiers": [{"verifier": "factual", "weight": 1}],
        "stages": [{"trainer": "grpo", "steps": 2, "prompts_per_step": 2, "generations": 2,
                    "optimizer": {"learning_rate": 1e-5}}],
        "rollout": {"engine": "transformers", "max_completion_tokens": 8},
        "evaluation": {"questions": 2},
        "scorer": {"cpus": 0},
        "store": {"folder": str(tmp_path / "runs")},
    }  # fmt: skip
    (tmp_path / "recipe.yaml").write_text(yaml12.dump(recipe))
    env = {**os.environ, "HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "biorlhf", "run", str(tmp_path / "recipe.yaml")]
    seen: dict[int, str] = {}
    with (
        (tmp_path / "log").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=env) as run,
    ):
        while run.poll() is None:
            seen |= listening(run.pid)
            time.sleep(0.5)
    assert run.returncode == 0, (tmp_path / "log").read_text()[-3000:]
    assert len(seen) >= 8, "Ray's own servers, and one of each actor"
    assert {port: address for port, address in seen.items() if address not in LOOPBACK} == {}
    assert token.stat().st_mode & 0o777 == 0o600
