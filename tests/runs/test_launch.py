"""Starting the workers: a slow start says that it goes on, a quick one says nothing."""

from __future__ import annotations

import time

from biorlhf.runs.launch import saying


def test_a_slow_start_says_what_it_waits_for_until_it_is_over():
    said: list[str] = []
    with saying(said.append, every_s=0.01) as waits:
        waits("Ray")
        while not said:
            time.sleep(0.01)
        waits("the learner")
        while "the learner" not in said[-1]:
            time.sleep(0.01)
    count = len(said)
    assert said[0] == "starting the workers: waiting for Ray, 0 s"
    time.sleep(0.05)
    assert len(said) == count


def test_a_quick_start_says_nothing_more():
    said: list[str] = []
    with saying(said.append) as waits:
        waits("Ray")
    assert said == []
