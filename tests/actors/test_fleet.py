"""The fleet over engines that sleep: who is asked, and what is done where one dies, hangs or joins."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import Future
from queue import SimpleQueue

import pytest

from biorlhf.actors.members import Slot, deal
from biorlhf.actors.tickets import Ticket
from biorlhf.errors import LearnerLost, PolicyMismatch, RunFailure
from biorlhf.testing import Pace
from simulated_fleet import SleepingEngine, a_fleet, serve, works_of

FAST = Pace(((1, 1e-4), (64, 1.5e-4)))  # an answer takes a few hundredths of a second
QUESTIONS = [f"question {n}" for n in range(24)]


class Yard:
    """Starts engines, and remembers all that it started."""

    def __init__(self, **options):
        self.started, self.log, self.options = [], [], options

    def __call__(self, **options):
        engine = SleepingEngine(f"engine {len(self.started)}", FAST, self.log, **{**self.options, **options})
        self.started.append(engine)
        return engine


def answered(fleet, questions=QUESTIONS, **options):
    answers = list(fleet.answers(works_of(questions, **options), options.get("policy", "first")))
    assert Counter(answer["question"] for answer in answers) == Counter(questions), "each exactly once"
    return {answer["question"]: answer for answer in answers}


def after(seconds, do):
    threading.Timer(seconds, do).start()


def until(true, timeout_s=30):
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.01)


@pytest.fixture
def closing():
    fleets = []
    yield fleets.append
    for fleet in fleets:
        fleet.close()


def test_one_engine_and_four_with_delays_a_kill_and_a_join_give_the_same_answers(closing):
    yard = Yard()
    alone = a_fleet([yard])
    closing(alone)
    expected = answered(alone)
    several = Yard()
    draw = random.Random(5)
    starts = [lambda: several(speed=draw.uniform(0.3, 1), delay_s=draw.random() / 10) for _ in range(5)]
    fleet = a_fleet(starts, expected=4, room=8)
    closing(fleet)
    after(0.03, lambda: several.started[1].die())
    assert answered(fleet) == expected
    # The fifth place joined, and the one that died was filled again.
    until(lambda: len(several.started) == 6)
    assert fleet.slots[1].deaths == 1
    until(lambda: "engine 5 has joined" in fleet.news)


def test_an_engine_at_a_quarter_speed_is_asked_for_less(closing):
    yard = Yard()
    fleet = a_fleet([yard, lambda: yard(speed=0.25)], room=8)
    closing(fleet)
    answered(fleet, [f"question {n}" for n in range(60)])
    asked = Counter(name for name, _, _ in yard.log)
    assert asked["engine 0"] > 2 * asked["engine 1"] > 0


def test_a_question_with_more_answers_than_there_is_room_goes_to_an_idle_engine(closing):
    fleet = a_fleet([Yard()], room=2)
    closing(fleet)
    assert len(answered(fleet, QUESTIONS[:3], sequences=5)) == 3


def test_an_engine_that_answers_is_given_its_next_questions_in_the_call_for_its_next_answers(closing):
    puts = []

    class Counting(SleepingEngine):
        def put(self, tickets):
            puts.append(len(tickets))
            super().put(tickets)

        def take(self, tickets):
            future = super().take(tickets)
            puts.pop()
            return future

    fleet = a_fleet([lambda: Counting("engine", FAST, [])], room=16)
    closing(fleet)
    answered(fleet)
    # What was asked first met a call that waited for answers already; of the others none had one of its own.
    assert puts == [4]


def test_no_engine_is_asked_before_its_policy_was_proved_there(closing):
    yard = Yard(delay_s=0.2)
    fleet = a_fleet([yard, yard])
    closing(fleet)
    proved = []

    def prove(number, proof):
        assert not [row for row in yard.log if row[0] == f"engine {number}" and row[2] == "second"]
        proved.append((number, proof))

    serve(fleet, "second", prove)
    answered(fleet, policy="second")
    assert sorted(proved) == [(0, "second"), (1, "second")]


def test_an_engine_that_does_not_serve_the_policy_ends_the_run_before_it_answers(closing):
    yard = Yard()
    fleet = a_fleet([yard])
    closing(fleet)

    def prove(number, proof):
        raise PolicyMismatch("it serves the policy of before")

    serve(fleet, "second", prove)
    with pytest.raises(PolicyMismatch):
        answered(fleet, policy="second")
    assert [row for row in yard.log if row[2] == "second"] == []
    with pytest.raises(PolicyMismatch):
        answered(fleet)


def test_one_that_hangs_counts_as_dead_and_what_it_says_later_is_ignored(closing):
    yard = Yard()
    fleet = a_fleet([lambda: yard(speed=1e-6 if not yard.started else 1.0)], timeout_s=0.3)
    closing(fleet)
    assert len(answered(fleet, QUESTIONS[:4])) == 4
    assert fleet.slots[0].deaths == 1


def test_a_place_whose_engines_die_three_times_is_given_up_and_the_others_go_on(closing):
    yard, ill = Yard(), Yard()

    def dies():
        engine = ill()
        after(0.05, engine.die)
        return engine

    fleet = a_fleet([yard, dies], room=8)
    closing(fleet)
    answers = [answered(fleet, seed=seed) for seed in range(4)]
    until(lambda: len(ill.started) == 3 and fleet.slots[1].engine is None)
    assert [len(each) for each in answers] == [len(QUESTIONS)] * 4
    assert (fleet.slots[0].deaths, fleet.error) == (0, None)


def test_the_last_place_that_is_given_up_ends_the_run_with_the_reason(closing):
    yard = Yard()

    def dies():
        engine = yard(speed=0.001)
        after(0.05, engine.die)
        return engine

    fleet = a_fleet([dies])
    closing(fleet)
    with pytest.raises(RunFailure, match="engine 1 died 3 times: engine 2 died"):
        answered(fleet)


def test_fewer_engines_than_the_recipe_goes_on_with_are_waited_for_and_no_longer_than_it_says(closing):
    yard = Yard()
    # Whatever is started after the first two never comes.
    fleet = a_fleet([lambda: yard(delay_s=600 if len(yard.started) > 1 else 0)] * 2, fewest=2, start_s=1.0)
    closing(fleet)
    yard.started[1].die()

    def ask_on():
        while True:
            answered(fleet)
            time.sleep(0.05)

    with pytest.raises(RunFailure, match=r"1 engines are left, fewer than rollout\.fewest \(2\)"):
        ask_on()


def test_a_policy_that_was_lost_fails_those_that_ask_for_it_and_another_is_served(closing):
    class Losing(SleepingEngine):
        def hold(self, policy):
            future = super().hold(policy)
            if policy == "lost":
                future = Future()
                future.set_exception(LearnerLost("it lay on the learner's node"))
            return future

    started = []

    def start():
        started.append(Losing(f"engine {len(started)}", FAST, []))
        return started[-1]

    fleet = a_fleet([start, start])
    closing(fleet)
    serve(fleet, "lost")
    for _ in range(2):
        with pytest.raises(LearnerLost):
            list(fleet.answers(works_of(QUESTIONS, policy="lost"), "lost"))
    serve(fleet, "third")
    answered(fleet, policy="third")
    assert (len(started), fleet.error) == (2, None)


def asked(fleet, questions, policy="first"):
    """What comes for questions that nobody waits for yet."""
    answers = SimpleQueue()
    fleet.ask(works_of(questions, policy=policy), policy, answers)
    return answers


def test_what_is_withdrawn_fails_for_who_waits_and_is_asked_of_nobody_any_more(closing):
    yard = Yard()
    # The first would answer in hours.
    fleet = a_fleet([lambda: yard(speed=1e-6 if not yard.started else 1.0)], room=4)
    closing(fleet)
    old = asked(fleet, QUESTIONS[:6])
    until(lambda: yard.log)
    fleet.withdraw()
    for _ in range(6):
        with pytest.raises(RunFailure, match="the question was withdrawn"):
            raise old.get(timeout=30)
    new = asked(fleet, ["new"])
    yard.started[0].die()
    assert new.get(timeout=30)["question"] == "new"
    assert [question for _, question, _ in yard.log] == [QUESTIONS[0], "new"]


def test_an_engine_takes_no_policy_before_it_has_finished_what_was_withdrawn(closing):
    yard = Yard(speed=0.1)
    fleet = a_fleet([yard], room=4)
    closing(fleet)
    asked(fleet, ["old"])
    until(lambda: yard.log)
    fleet.withdraw()
    serve(fleet, "second")
    [engine] = yard.started
    finished = []

    def prove(number, proof):
        finished.append(dict(engine.works))

    serve(fleet, "third", prove)
    assert asked(fleet, ["new"], "third").get(timeout=30)["question"] == "new"
    assert finished == [{}]


@pytest.mark.parametrize("begun", [True, False], ids=["its engine dies", "it waits"])
def test_what_is_asked_of_a_policy_that_went_fails_and_waits_for_nothing(closing, begun):
    yard = Yard(speed=1e-6)
    fleet = a_fleet([yard], room=4)
    closing(fleet)
    answers = asked(fleet, QUESTIONS[:2])
    until(lambda: yard.log)
    serve(fleet, "second")
    if begun:
        answers.get(timeout=30)
        yard.started[0].die()
    with pytest.raises(RunFailure, match="policy first is asked, and is not served any more"):
        raise answers.get(timeout=30)
    assert isinstance(asked(fleet, ["late"]).get(timeout=30), RunFailure)


def test_what_is_asked_behind_something_large_has_the_time_of_both():
    slot = Slot(0, Future, True)
    slot.ask(Ticket(0, "large", 1, "p", None, takes_s=100.0), now=0.0)
    slot.ask(Ticket(1, "small", 1, "p", None, takes_s=1.0), now=0.0)
    assert (slot.overdue(109.0, 10.0), slot.overdue(110.5, 10.0)) == (0.0, 110.0)
    slot.done(0)
    assert (slot.overdue(110.5, 10.0), slot.overdue(111.5, 10.0)) == (0.0, 111.0)


@pytest.mark.parametrize(
    ("left", "overdue", "given"),
    [(6, False, 0), (100, False, 2), (6, True, 2)],
    ids=["the last ones", "many", "the others hang"],
)
def test_a_slow_engine_is_given_none_of_the_last_questions_which_others_finish_sooner(left, overdue, given):
    began = time.monotonic() - (2.5 if overdue else 0.5)
    slots = [Slot(n, Future, True, alive=True, trusted={"p"}, took_s=[8.0, 1.0, 1.0][n]) for n in range(3)]
    tickets = [Ticket(n, "?", 1, "p", None) for n in range(left + 4)]
    for number, slot in enumerate([1, 1, 2, 2]):
        slots[slot].ask(tickets[number], began)
    waiting = tickets[4:]
    assert len(deal(waiting, slots, 2).get(0, [])) == given
    assert len(waiting) == left - given
