"""An installed distribution of verifiers that misbehave in every way."""

from __future__ import annotations

from pathlib import Path

import pytest

ROGUE = """
import ctypes, os, re, sys, time
from biorlhf import Score, VerifierPlugin, hookimpl

LEAK = []

class Length:
    def score(self, question, text):
        return Score.scored(min(len(text), 100) / 100, length=len(text), id=question.id)

class Rogue:
    def score(self, question, text):
        if text == "loop":
            while True:
                pass
        if text == "sleep":
            time.sleep(1000)
        if text == "regex":
            re.match(r"(a+)+$", "a" * 60 + "b")
        if text == "exit":
            os._exit(3)
        if text == "killed" or (text.startswith("killed unless ") and not os.path.exists(text[14:])):
            open(text[14:] or os.devnull, "w").close()
            os.kill(os.getpid(), 9)
        if text == "sys.exit":
            sys.exit("out")
        if text == "segfault":
            ctypes.string_at(0)
        if text == "raise":
            raise KeyError("nothing here")
        if text == "memory":
            return Score.scored(float(len(bytearray(3 * 10**9)) > 0))
        if text == "leak":
            LEAK.append(bytearray(150 * 2**20))
        if text == "nan":
            return Score.scored(float("nan"))
        if text == "high":
            return Score.scored(1.5)
        if text == "forged":
            score = object.__new__(Score)
            for key, value in (("status", "scored"), ("value", 7.0), ("details", {})):
                object.__setattr__(score, key, value)
            return score
        if text == "float":
            return 0.5
        if text == "huge":
            return Score.scored(1.0, blob="x" * 5_000_000)
        if text == "odd details":
            return Score.scored(1.0, found={3, 4}, worst=float("inf"), odd=object)
        if text == "print":
            print('{"scores": {}}', flush=True)
            os.write(1, b'{"scores": {}}\\n')
            sys.stdin.read()
        return Score.scored(1.0)

@hookimpl
def biorlhf_verifiers():
    yield VerifierPlugin(name="length", aliases=("LEN",), summary="", build=lambda config: Length())
    yield VerifierPlugin(name="rogue", summary="", build=lambda config: Rogue())
    yield VerifierPlugin(name="unbuildable", summary="", build=lambda config: 1 / 0)
"""


@pytest.fixture(scope="session")
def write_distribution():
    """A function that writes a distribution with one module, an entry point of biorlhf, into a folder."""

    def written(site: Path, name: str, source: str) -> Path:
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[biorlhf]\n{name} = {name}\n")
        return site

    return written


@pytest.fixture
def install(tmp_path, monkeypatch, write_distribution):
    """A function that installs a distribution with one module, as an entry point of biorlhf."""

    def installed(name: str, source: str) -> Path:
        site = write_distribution(tmp_path / "site", name, source)
        monkeypatch.syspath_prepend(str(site))
        return site

    return installed


@pytest.fixture
def rogue(install):
    """An installed distribution that offers the verifiers above."""
    return install("rogue", ROGUE)
