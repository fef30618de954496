"""A verifier that misbehaves fails its own score; everything else is scored."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from biorlhf.errors import FailureBudgetExceeded, InputError, RunFailure
from biorlhf.scoring.isolated import FailureBudget, IsolatedScorer, ScorerSpec
from biorlhf.types import Question, Reward, Score, Status


def spec(**changes):
    fields = {"active": ["length", "rogue"], "weights": {"length": 1, "rogue": 3}, "timeout_s": 1.0}
    return ScorerSpec(**{**fields, "memory_mb": 512, **changes})


def pairs(*texts):
    return [(Question(str(n), "a prompt", {}), text) for n, text in enumerate(texts)]


def test_scores_are_those_of_the_composer_and_in_order(rogue):
    with IsolatedScorer(spec()) as scorer:
        rewards = scorer.score(pairs(*("x" * n for n in range(700))))
    assert [r.scores["length"].details["length"] for r in rewards] == list(range(700))
    assert [r.scores["length"].details["id"] for r in rewards] == [str(n) for n in range(700)]
    assert rewards[50].total == pytest.approx((0.5 + 3 * 1.0) / 4)
    assert scorer.restarts == 0


@pytest.mark.parametrize(
    ("text", "reason", "restarts"),
    [
        ("loop", "no answer within 1 s", 1),
        ("sleep", "no answer within 1 s", 1),
        ("regex", "no answer within 1 s", 1),
        ("exit", "exit code 3", 1),
        ("segfault", "SIGSEGV", 1),
        ("killed", "SIGKILL", 2),
        ("memory", "more than 512 MiB", 2),
        ("raise", "KeyError: 'nothing here'", 0),
        ("sys.exit", "SystemExit: out", 0),
        ("nan", "nan", 0),
        ("high", "1.5", 0),
        ("forged", "7.0", 0),
        ("float", "returned float", 0),
        ("huge", "bytes of details", 0),
    ],
)
def test_a_rogue_verifier_fails_only_its_own_completion(rogue, text, reason, restarts):
    with IsolatedScorer(spec()) as scorer:
        rewards = scorer.score(pairs("fine", text, "fine"))
        assert scorer.restarts == restarts
    assert [r.scores["length"].status for r in rewards] == [Status.SCORED] * 3
    assert [r.scores["rogue"].status for r in rewards] == [Status.SCORED, Status.FAILED, Status.SCORED]
    assert reason in rewards[1].failures["rogue"]
    assert rewards[1].total == len(text) / 100, "the failed verifier's weight goes to the other one"


def test_a_process_that_is_killed_from_outside_costs_no_score(rogue, tmp_path):
    text = f"killed unless {tmp_path / 'mark'}"
    with IsolatedScorer(spec()) as scorer:
        rewards = scorer.score(pairs("fine", text, "fine"))
        assert scorer.restarts == 1
    assert [reward.failures for reward in rewards] == [{}] * 3
    assert rewards[1].scores["length"].details["length"] == len(text)


def test_memory_that_one_verifier_keeps_fails_nobody_whose_own_use_fits(rogue):
    with IsolatedScorer(spec(timeout_s=30)) as scorer:
        rewards = scorer.score(pairs(*["leak"] * 8))
        assert scorer.restarts >= 2
    assert [reward.failures for reward in rewards] == [{}] * 8


def test_printing_and_reading_do_not_touch_the_protocol(rogue):
    with IsolatedScorer(spec()) as scorer:
        rewards = scorer.score(pairs("print", "fine"))
    assert [r.scores["rogue"].value for r in rewards] == [1.0, 1.0]


def test_details_that_are_no_json_are_made_plain(rogue):
    with IsolatedScorer(spec()) as scorer:
        details = scorer.score(pairs("odd details"))[0].scores["rogue"].details
    assert details == {"found": [3, 4], "worst": "inf", "odd": "<class 'object'>"}


def test_odd_text_crosses_unchanged(rogue):
    texts = ["\ud800 lone", "\x00\x1b", "soleus \u2212 6,425", "line\nbreak", ""]
    with IsolatedScorer(spec()) as scorer:
        rewards = scorer.score(pairs(*texts))
    assert [r.scores["length"].details["length"] for r in rewards] == [len(t) for t in texts]


def test_several_threads_share_one_scorer(rogue):
    results = {}
    with IsolatedScorer(spec()) as scorer:

        def work(n):
            results[n] = scorer.score(pairs("x" * n, "exit" if n == 2 else "fine"))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 5)]
        [t.start() for t in threads]
        [t.join() for t in threads]
    assert [results[n][0].scores["length"].details["length"] for n in range(1, 5)] == [1, 2, 3, 4]
    assert [n for n in results if results[n][1].failures] == [2]


def test_wrong_specs_are_input_errors_with_the_choices(rogue):
    with pytest.raises(InputError, match="length"):
        IsolatedScorer(spec(active=["lenght"], weights=None))
    with pytest.raises(InputError, match="ZeroDivisionError"):
        IsolatedScorer(spec(active=["unbuildable"], weights=None))


def test_an_unknown_verifier_in_a_question_is_an_input_error_and_the_scorer_lives_on(rogue):
    with IsolatedScorer(spec()) as scorer:
        with pytest.raises(InputError, match="nobody"):
            scorer.score([(Question("1", "p", {}, verifiers=("nobody",)), "text")])
        (reward,) = scorer.score([(Question("1", "p", {}, verifiers=("LEN",)), "text")])
    assert [s.status for s in reward.scores.values()] == [Status.SCORED, Status.NOT_APPLICABLE]


def test_a_closed_scorer_says_so(rogue):
    scorer = IsolatedScorer(spec())
    scorer.close()
    with pytest.raises(RunFailure, match="closed"):
        scorer.score(pairs("x"))


@pytest.mark.parametrize("text", ["", "regex"], ids=["idle", "hung in C"])
def test_no_child_outlives_a_parent_that_is_killed(rogue, text):
    program = textwrap.dedent(f"""
        import time
        from biorlhf.scoring.isolated import IsolatedScorer, ScorerSpec
        from biorlhf.types import Question
        scorer = IsolatedScorer(ScorerSpec(active=["rogue"], timeout_s=1.5))
        print(scorer._process._process.pid, flush=True)
        scorer.score([(Question("1", "a prompt", {{}}), {text!r})])
        time.sleep(100)
    """)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as parent:
        child = int(parent.stdout.readline())
        time.sleep(0.7)
        parent.kill()
    deadline = time.monotonic() + 20
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(child)


def _alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_spec_survives_json():
    before = spec(configs={"length": {"unit": "characters"}})
    assert ScorerSpec.from_json(before.to_json()) == before


def _reward(failed):
    score = Score.failed("no answer within 5 s") if failed else Score.scored(1.0)
    return Reward(None, {"factual": score}, {})


def test_the_budget_stops_a_run_with_counts_and_reasons():
    budget = FailureBudget(0.05, minimum=20)
    budget.add([_reward(failed=True)] + [_reward(failed=False)] * 18)
    with pytest.raises(FailureBudgetExceeded, match=r"'factual' failed on 2 of 20 .*\n.*within 5 s"):
        budget.add([_reward(failed=True)])
    assert budget.summary()["factual"]["failed"] == 2


def test_a_budget_of_zero_stops_at_the_first_failure_and_of_one_never():
    with pytest.raises(FailureBudgetExceeded):
        FailureBudget(0.0).add([_reward(failed=True)])
    FailureBudget(1.0).add([_reward(failed=True)] * 500)


def test_a_budget_does_not_wait_for_its_minimum_when_everything_fails():
    with pytest.raises(FailureBudgetExceeded):
        FailureBudget(0.05, minimum=100).add([_reward(failed=True)] * 6)
