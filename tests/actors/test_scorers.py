"""The fleet of scorers over actors that judge in threads: who judges what, and for how long it may."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest

from biorlhf.actors import scorer
from judges import Judge, groups_of, scorers_of
from raylets import until

QUESTIONS = [f"question {n}" for n in range(24)]


@pytest.fixture
def scorers(monkeypatch):
    """Starts scorers over these actors, one for each place; more stand in for those that die."""
    all_made = []

    def started(actors, places):
        all_made.append(scorers_of(monkeypatch, actors, places))
        return all_made[-1]

    yield started
    for made in all_made:
        made.close()


def ids(scored):
    return Counter(one.group.question.id for one in scored)


def test_a_slow_scorer_of_four_does_not_hold_what_the_others_can_judge(scorers):
    held = threading.Event()
    judges = [Judge(held), Judge(), Judge(), Judge()]
    scored = scorers(judges, 4).score(groups_of(QUESTIONS))
    before = [next(scored) for _ in QUESTIONS[scorer.ROOM :]]
    assert judges[0].judged == [], "all but what it has in hand went to the others"
    held.set()
    assert ids([*before, *scored]) == Counter(QUESTIONS)
    assert len(judges[0].judged) == scorer.ROOM


def test_scorers_go_on_while_whoever_asks_waits_for_the_next_group(scorers):
    judge = Judge()
    made = scorers([judge], 1)

    def arriving():
        yield from groups_of(QUESTIONS[:6])
        until(lambda: len(judge.judged) == 6, 30)
        yield from groups_of(QUESTIONS[6:8])

    assert ids(made.score(arriving())) == Counter(QUESTIONS[:8])
    assert made.kills == [8]


def test_what_a_dead_scorer_had_is_judged_first_by_others_and_one_is_started_in_its_place(scorers):
    held = threading.Event()
    judges = [Judge(held), Judge(held), Judge()]
    made = scorers(judges, 2)
    scored = made.score(groups_of(QUESTIONS))
    threading.Timer(0.1, judges[0].die).start()
    first = next(scored)
    assert first.group.question.id in judges[2].judged
    assert judges[2].judged[0] == QUESTIONS[0]
    held.set()
    assert ids([first, *scored]) == Counter(QUESTIONS)
    assert [slot.deaths for slot in made.fleet.slots] == [1, 0]


def test_a_large_group_leaves_those_after_it_their_own_time(scorers):
    held = threading.Event()
    held.set()
    made = scorers([Judge(held), Judge()], 1)
    made.fleet.limits = replace(made.fleet.limits, timeout_s=0.3)
    made._takes_s = lambda group: 600.0 * (group.question.id == "large")
    assert ids(made.score(groups_of(["large"]))) == Counter(["large"])
    held.clear()
    assert ids(made.score(groups_of(["small"]))) == Counter(["small"])
    assert made.fleet.slots[0].deaths == 1


@pytest.mark.parametrize("timeout_s", [0.05, 30])
def test_answers_that_all_hang_leave_time_to_start_their_judge_after_each(scorers, timeout_s):
    made = scorers([Judge()], 1)
    made.recipe.scorer.timeout_s = timeout_s
    [group] = groups_of(["many"])
    group = replace(group, completions=group.completions * 8)
    # However short their time, a process that imports every plugin takes seconds.
    assert made._takes_s(group) >= 16 * (timeout_s + 10)
