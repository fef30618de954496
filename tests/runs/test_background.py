"""Writing behind the steps: in order, nothing after a failure, and everything before the end."""

from __future__ import annotations

import threading

import pytest

from biorlhf.errors import RunFailure
from biorlhf.runs.keeping.background import Background


def full(*_):
    raise RunFailure("the disk is full")


def test_what_is_handed_over_is_written_in_order_while_the_run_goes_on():
    gate, written = threading.Event(), []
    with Background() as writing:
        writing.put(gate.wait)
        for number in range(5):
            writing.put(written.append, number)
        assert written == []  # handing over did not wait
        gate.set()
        writing.wait()
        assert written == [0, 1, 2, 3, 4]


def test_leaving_waits_for_what_is_still_to_be_written():
    gate, written = threading.Event(), []
    with Background() as writing:
        writing.put(gate.wait)
        writing.put(written.append, 1)
        gate.set()
    assert written == [1]


def test_a_full_disk_ends_the_run_at_its_next_step_and_nothing_is_written_after_it():
    gate, written = threading.Event(), []
    writing = Background()
    writing.put(gate.wait)
    writing.put(full)
    writing.put(written.append, "a checkpoint whose row is lost")
    gate.set()
    with pytest.raises(RunFailure, match="the disk is full"):
        writing.wait()
    with pytest.raises(RunFailure, match="the disk is full"):
        writing.put(written.append, "a later row")
    assert written == []


def test_a_disk_that_fills_up_at_the_very_end_is_not_missed():
    with pytest.raises(RunFailure, match="the disk is full"), Background() as writing:
        writing.put(full)


def test_another_error_keeps_its_place_and_names_what_is_not_written():
    def fails():
        with Background() as writing:
            writing.put(full)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fails()
    assert "the disk is full" in caught.value.__notes__[0]
