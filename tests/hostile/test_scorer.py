"""What a verifier does to its process harms its own completion's score, and nothing else."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from biorlhf.errors import InputError, RunFailure
from biorlhf.scoring import process
from biorlhf.scoring.isolated import IsolatedScorer
from biorlhf.scoring.messages import ForeignBytes, Inbox, pack
from biorlhf.scoring.spec import ScorerSpec
from biorlhf.types import Question

# The attack, and whether its completion may lose its score: a fork, a print or a daemon costs nobody one.
HARMLESS = ("fork", "cfork", "forkfork", "forkhang", "daemon", "print", "flood", "escape", "shell")
HARMFUL = ("orphan", "stray", "half", "byte", "hang", "stop", "exit", "killgroup", "close")
# One of each kind: a fork, one that leaves, output, a foreign line, part of a message, silence, an end.
QUICK = ("fork", "daemon", "print", "stray", "half", "hang", "exit")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, write_distribution):
    """The verifiers of hostile_verifiers.py, installed."""
    source = Path(__file__).with_name("hostile_verifiers.py").read_text()
    site = write_distribution(tmp_path_factory.mktemp("site"), "hostile_verifiers", source)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield site


pytestmark = pytest.mark.usefixtures("hostile")


def spec(*names: str, **changes) -> ScorerSpec:
    return ScorerSpec(**{"active": names or ("measure", "attack"), "timeout_s": 4.0, **changes})


@pytest.fixture(scope="module")
def scorer(hostile):
    """One for all that is done to it: whatever that is, the next finds it whole."""
    with IsolatedScorer(spec()) as shared:
        yield shared


def pairs(texts):
    return [(Question(f"q{n}", "a prompt", {}), text) for n, text in enumerate(texts)]


def belongs(rewards, texts) -> list[int]:
    """The numbers of completions without a score; every score that is there has to be its completion's."""
    lost = []
    for n, (reward, text) in enumerate(zip(rewards, texts, strict=True)):
        for name in ("measure", "attack"):
            score = reward.scores[name]
            if score.value is None:
                lost.append(n)
            else:
                assert score.details["id"] == f"q{n}", f"{text!r}: the score of another completion"
        if reward.scores["measure"].value is not None:
            assert reward.scores["measure"].details["length"] == len(text)
    return sorted(set(lost))


def descendants_named(word: str) -> list[int]:
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in entry.read_text(errors="replace").split("\0"):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def wait_until(condition, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize(
    "attacks", [QUICK, pytest.param(HARMLESS + HARMFUL, marks=pytest.mark.hostile)], ids=["quick", "all"]
)
def test_an_attack_costs_at_most_its_own_completions_score(scorer, attacks):
    texts = [text for attack in attacks for text in ("fine", f"{attack} now")]
    harmful = [attack for attack in attacks if attack in HARMFUL]
    before = scorer.restarts
    lost = belongs(scorer.score(pairs(texts)), texts)
    # One that sends itself a kill is asked twice: the first might have come from outside.
    assert scorer.restarts - before == len(harmful) + harmful.count("killgroup")
    assert [texts[n] for n in lost] == [f"{attack} now" for attack in harmful]


def test_a_line_from_a_thread_fails_one_completion_and_replaces_the_child(scorer):
    texts = ["thread", *["x" * n for n in range(3000)]]
    before = scorer.restarts
    lost = belongs(scorer.score(pairs(texts)), texts)
    assert scorer.restarts - before == 1
    assert len(lost) <= 1


def test_a_surplus_line_after_a_batch_replaces_the_child_and_fails_nobody(scorer):
    before = scorer.restarts
    scorer.score(pairs(["thread"]))
    time.sleep(0.3)
    assert belongs(scorer.score(pairs(["one", "two"])), ["one", "two"]) == []
    assert scorer.restarts - before == 1


def _mixed(count: int, rate: float, seed: int) -> list[str]:
    draw = random.Random(seed)
    kinds = [*HARMLESS, *HARMFUL, "thread"]
    return [
        f"{draw.choice(kinds)} {n}" if draw.random() < rate else "x" * draw.randrange(1000)
        for n in range(count)
    ]


@pytest.mark.hostile
def test_ten_thousand_scores_belong_to_their_completions_with_attacks_among_them():
    texts = _mixed(10_000, 0.015, seed=7)
    with IsolatedScorer(spec()) as scorer:
        rewards = []
        for start in range(0, len(texts), 500):
            batch = [(Question(f"q{n}", "p", {}), texts[n]) for n in range(start, start + 500)]
            rewards += scorer.score(batch)
    lost = belongs(rewards, texts)
    harmful = [n for n, text in enumerate(texts) if text.split(" ")[0] in HARMFUL]
    threads = sum(text.startswith("thread") for text in texts)
    assert set(harmful) <= set(lost)
    # A thread's line hits whichever completion is at work then.
    assert len(set(lost) - set(harmful)) <= threads
    assert descendants_named("left_behind") == []


def test_what_a_verifier_started_ends_with_its_scorer():
    with IsolatedScorer(spec()) as scorer:
        scorer.score(pairs(["daemon"]))
        assert wait_until(lambda: descendants_named("left_behind") != [])
    assert wait_until(lambda: descendants_named("left_behind") == [])


PARENT = """
    from biorlhf.scoring.isolated import IsolatedScorer, ScorerSpec
    from biorlhf.types import Question
    scorer = IsolatedScorer(ScorerSpec(active={active!r}, timeout_s=600))
    scorer.score([(Question("1", "a prompt", {{}}), {text!r})])
    print("scored", flush=True)
    import time; time.sleep(900)
"""


@pytest.mark.parametrize(
    ("active", "text", "sign"),
    [("attack", "daemon", "scored"), ("endless", "", "building"), ("attack", "hang", "")],
    ids=["a daemon", "a build that hangs", "a score that hangs"],
)
def test_nothing_outlives_a_parent_that_is_killed(active, text, sign):
    program = textwrap.dedent(PARENT.format(active=[active], text=text))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env
    )
    if sign:
        assert parent.stdout.readline().strip() == sign
    else:
        assert wait_until(lambda: len(_below(parent.pid)) >= 2)
        time.sleep(1.0)
    below = _below(parent.pid)
    assert len(below) >= 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    assert descendants_named("left_behind") == []


def _below(root: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, new = [], [root]
    while new:
        new = [pid for pid, parent in parents.items() if parent in new]
        found += new
    return found


def test_a_build_that_hangs_ends_in_its_time_and_names_the_verifier(monkeypatch):
    monkeypatch.setattr(process, "BUILD_S", 1.0)
    with pytest.raises(RunFailure, match="building the verifier 'endless'"):
        IsolatedScorer(spec("endless"))


def test_a_build_that_exits_is_an_input_error_that_names_the_verifier():
    with pytest.raises(InputError, match=r"'leaver' of hostile_verifiers .* SystemExit: not today"):
        IsolatedScorer(spec("leaver"))


def test_what_verifiers_print_is_cut_and_shown_without_control_characters(capfd):
    with IsolatedScorer(spec()) as scorer:
        scorer.score(pairs(["escape", "flood", "flood"]))
    printed = capfd.readouterr()
    assert printed.out == ""
    assert r"\x1b[2J" in printed.err
    assert "\x1b" not in printed.err
    assert len(printed.err) < 40_000
    assert "left out" in printed.err


def test_verifiers_see_no_tokens_and_what_the_recipe_names(monkeypatch):
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "LAB_TABLES"):
        monkeypatch.setenv(name, f"secret of {name}")
    with IsolatedScorer(spec("curious", environment=("LAB_TABLES",))) as scorer:
        seen = scorer.score(pairs(["x"]))[0].scores["curious"].details["seen"]
    assert [name for name, value in seen.items() if value.startswith("secret of")] == ["LAB_TABLES"]
    assert seen["PATH"] == os.environ["PATH"]


def test_a_verifier_that_gives_two_values_for_one_answer_is_found_and_named():
    with IsolatedScorer(spec("measure", "moody")) as scorer:
        rewards = scorer.score(pairs(["same"] * 300))
    reasons = [reward.failures["moody"] for reward in rewards]
    assert all(r.startswith("not a pure function: one answer, scored twice, got 0.") for r in reasons)
    assert not any("measure" in reward.failures for reward in rewards)


def test_a_message_is_believed_only_whole_in_its_place_and_with_its_key():
    key, other = b"k" * 16, b"o" * 16
    inbox = Inbox(key)
    whole = pack(key, 0, b"first") + pack(key, 1, b"second")
    for byte in whole:
        inbox.add(bytes([byte]))
        if (payload := inbox.take()) is not None:
            assert payload in (b"first", b"second")
    assert inbox.empty
    for wrong in (pack(key, 1, b"x"), pack(other, 0, b"x"), pack(key, 0, b"x")[:-1] + b"y", b"\n", b"{"):
        inbox = Inbox(key)
        inbox.add(wrong)
        with pytest.raises(ForeignBytes):
            inbox.take()
