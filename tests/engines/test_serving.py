"""One sampler for several callers: what each gets is what it would get alone, whatever else is asked
meanwhile."""

from __future__ import annotations

import threading

import pytest

from biorlhf.engines.samplers.serving import Serving
from biorlhf.errors import RunFailure
from biorlhf.stage import Sampling
from biorlhf.testing import an_adapter
from biorlhf.types import AdapterRef, Completion, Group, Question

FIRST, SECOND = an_adapter(1).ref, an_adapter(2).ref


class Merging:
    """A sampler that serves one policy at a time, and needs three steps for an answer."""

    def __init__(self, beside=False):
        self.beside, self.served, self.running, self.thread, self.most = beside, None, {}, None, 0

    def add(self, question, sampling):
        if question.id == "bad":
            raise RunFailure("no such question")
        policy = sampling.policy
        if policy != self.served:
            assert self.beside or not self.running, "others were being answered by the policy of before"
            self.served = policy
        key = object()
        self.running[key] = [question, policy, 3]
        self.most = max(self.most, len(self.running))
        return key

    def step(self):
        self.thread = self.thread or threading.current_thread()
        assert self.thread is threading.current_thread()
        done = []
        for key, one in list(self.running.items()):
            one[2] -= 1
            if one[2] == 0:
                del self.running[key]
                done.append((key, Group(one[0], (1,), (Completion("x", (1,), (), False, one[1]),))))
        return done


def ticket(number: int, policy: AdapterRef, name: str = "") -> tuple[int, tuple[Question, Sampling]]:
    return number, (Question(name or f"question {number}", "?", {}), Sampling(1, 4, policy=policy))


def taken(serving: Serving, count: int) -> dict[int, AdapterRef]:
    found: dict[int, AdapterRef] = {}
    while len(found) < count:
        found |= {number: group.completions[0].adapter for number, group in serving.take()}
    return found


@pytest.mark.parametrize("beside", [False, True])
def test_each_ticket_is_answered_by_the_policy_that_it_names(beside):
    serving = Serving(lambda: Merging(beside))
    policies = [FIRST, FIRST, SECOND, FIRST, SECOND, SECOND]
    serving.put([ticket(number, policy) for number, policy in enumerate(policies)])
    assert taken(serving, 6) == dict(enumerate(policies))
    assert serving.sampler.most > 1


def test_what_touches_all_policies_waits_for_what_is_being_answered_where_there_is_but_one():
    serving = Serving(Merging)
    serving.put([ticket(0, FIRST)])
    assert serving.call(lambda: len(serving.sampler.running)) == 0
    assert taken(serving, 1) == {0: FIRST}


def test_what_a_sampler_raises_reaches_whoever_waits_and_it_goes_on():
    serving = Serving(Merging)
    serving.put([ticket(0, FIRST, "bad")])
    with pytest.raises(RunFailure, match="no such question"):
        serving.take()
    with pytest.raises(ZeroDivisionError):
        serving.call(lambda: 1 / 0)
    serving.put([ticket(1, FIRST)])
    assert taken(serving, 1) == {1: FIRST}


def test_a_sampler_that_cannot_be_built_says_so_at_once():
    def build():
        raise RunFailure("no model")

    with pytest.raises(RunFailure, match="no model"):
        Serving(build)
