"""An evaluation reports all answers, and by themselves those about taught facts and about the others."""

from __future__ import annotations

from biorlhf import Question
from biorlhf.runs.evaluation import parts
from biorlhf.types import Group


def pairs(**taught):
    return [(Group(Question(name, "ask", {}, taught=kind), (), ()), ()) for name, kind in taught.items()]


def ids(**taught):
    found = parts(pairs(**taught))
    return {part: "".join(group.question.id for group, _ in members) for part, members in found.items()}


def test_taught_and_untaught_stand_beside_the_mixture_and_what_is_neither_in_it_alone():
    assert ids(a=True, b=False, c=True, d=None) == {"": "abcd", " (taught)": "ac", " (untaught)": "b"}


def test_a_part_without_questions_is_left_out():
    assert ids(a=False) == {"": "a", " (untaught)": "a"}
    assert ids(a=None, b=None) == {"": "ab"}
