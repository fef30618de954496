"""Installed plugins that misbehave are reported and left out, and are fatal only where they are asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

HEAD = "from biorlhf import Score, VerifierPlugin, hookimpl\n"
HOOK = "@hookimpl\ndef biorlhf_verifiers():\n    "
RECORD = "VerifierPlugin(name='theirs', build=lambda config: None)"
# What the module does, and what is said of it.
MISBEHAVIOUR = {
    "exits when imported": ("import sys; sys.exit(0)", "SystemExit: 0"),
    "raises when imported": ("1 / 0", "ZeroDivisionError"),
    "is no Python": ("def (", "SyntaxError"),
    "has a hook that raises": (f"{HEAD}{HOOK}raise KeyError('x')", "KeyError: 'x'"),
    "has a hook that raises later": (f"{HEAD}{HOOK}yield {RECORD}\n    1 / 0", "ZeroDivisionError"),
    "has a hook that exits": (f"{HEAD}{HOOK}raise SystemExit(3)", "SystemExit: 3"),
    "has a hook that gives None": (f"{HEAD}{HOOK}return None", "biorlhf_verifiers gave NoneType"),
    "yields text": (f"{HEAD}{HOOK}yield 'theirs'", "biorlhf_verifiers yielded str"),
    "yields one without a name": (f"{HEAD}{HOOK}yield VerifierPlugin(name=None, build=print)", "no text"),
    "yields an alias for a tuple": (
        f"{HEAD}{HOOK}yield VerifierPlugin(name='theirs', build=print, aliases='abc')",
        "no text",
    ),
    "yields no config": (
        f"{HEAD}{HOOK}yield VerifierPlugin(name='theirs', build=print, config=dict)",
        "config is <class 'dict'>",
    ),
    "misspells a hook": (
        f"{HEAD}@hookimpl\ndef biorlhf_verifers():\n    yield {RECORD}",
        "did you mean: biorlhf_verifiers",
    ),
    "forgets to mark a hook": (
        f"{HEAD}def biorlhf_verifiers():\n    yield {RECORD}",
        "theirs.py:2: biorlhf_verifiers is not marked as a hook",
    ),
    "asks for arguments": (f"{HEAD}@hookimpl\ndef biorlhf_verifiers(x):\n    return []", "biorlhf_verifiers"),
}


def biorlhf(*args: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-m", "biorlhf", *args]
    return subprocess.run(command, capture_output=True, text=True, env=env, check=False)


@pytest.mark.parametrize("does", MISBEHAVIOUR)
def test_a_plugin_that_misbehaves_is_reported_and_left_out(install, does):
    from biorlhf import plugins
    from biorlhf.errors import PluginError

    source, reason = MISBEHAVIOUR[does]
    install("theirs", source + "\n")
    try:
        catalogue = plugins.load()
    finally:
        sys.modules.pop("theirs", None)
    [broken] = [b for b in catalogue.broken if b.entry_point == "theirs"]
    assert reason in broken.reason
    assert str(broken.provenance) == "theirs 1.0"
    assert catalogue.get("verifier", "factual").record.name == "factual"
    with pytest.raises(PluginError, match=r"theirs 1\.0"):
        catalogue.get("verifier", "theirs")


def test_a_plugin_that_exits_changes_no_commands_exit_code(install, tmp_path):
    install("theirs", "import sys\nsys.exit(0)\n")
    (tmp_path / "r.yaml").write_text("name: x\n")
    done = biorlhf("validate", str(tmp_path / "r.yaml"))
    assert done.returncode == 2
    assert "the key 'model' is missing" in done.stderr


def test_what_a_plugin_prints_is_not_in_the_json(install):
    noisy = f"print('hello')\n{HEAD}{HOOK}print('and here')\n    yield {RECORD}\n"
    install("theirs", noisy)
    done = biorlhf("plugins", "--json")
    assert "theirs" in [row["name"] for row in json.loads(done.stdout)["plugins"]]
    assert "hello" in done.stderr
