"""The score of a graded answer, with its details in words that a biologist reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from biorlhf import Score
from biorlhf_plugins.truth.graded import Graded, spans
from biorlhf_plugins.truth.judged import Judged

SHOWN = 40
"""Lines of each list that are kept; an attack must not make a report of a thousand lines."""


def scored(judged: Judged, graded: Graded | None, value: Callable[[Graded], float], missing: str) -> Score:
    """The score of V1 or V2 of its part of what was judged; ``missing`` says what has no truth."""
    if graded is None:
        return Score.not_applicable(missing)
    # Before declining: a loop of "I cannot tell" is no abstention.
    if judged.degenerate:
        return Score.scored(0.0, **report(judged, graded, judged.degenerate))
    # Declining beside an answer is hedging: then the answer is graded. Alone, it earns what a guess
    # would, or guessing would beat admitting that one does not know.
    if not graded.answered and judged.abstains:
        return Score.scored(graded.guess, **report(judged, graded, "declines to answer"))
    return Score.scored(value(graded), **report(judged, graded))


def report(judged: Judged, graded: Graded, note: str = "") -> dict[str, Any]:
    """What was matched, missed and wrong, with [start, end) spans in the original text.

    ``reading`` says whether an answer block or the whole text was graded, ``unread`` why a block was not.
    """
    matched, wrong = graded.matched[:SHOWN], graded.wrong[:SHOWN]
    declines = [list(span) for span in judged.abstains[:SHOWN]] if note else []
    details: dict[str, Any] = {
        "reading": judged.reading,
        "matched": matched,
        "missed": graded.missed[:SHOWN],
        "wrong": wrong,
        "spans": [*spans(matched), *spans(wrong), *declines],
        "recall": round(graded.recall, 4),
    }
    # Without a claim there is no precision; a 0.0 would read as "all wrong".
    if graded.claims:
        details["precision"] = round(graded.precision, 4)
    if judged.unread:
        details["unread"] = list(judged.unread[:SHOWN])
    return {"note": note, **details} if note else details
