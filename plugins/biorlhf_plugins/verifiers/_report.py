"""The details of a graded answer, in words that a biologist reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from biorlhf_plugins.truth.graded import Graded, spans

SHOWN = 40
"""Lines of each list that are kept; an attack must not make a report of a thousand lines."""


def report(graded: Graded, note: str = "", abstains: Sequence[tuple[int, int]] = ()) -> dict[str, Any]:
    """What was matched, missed and wrong, with [start, end) spans in the original text."""
    details: dict[str, Any] = {
        "matched": graded.matched[:SHOWN],
        "missed": graded.missed[:SHOWN],
        "wrong": graded.wrong[:SHOWN],
        "spans": [
            *spans(graded.matched[:SHOWN]),
            *spans(graded.wrong[:SHOWN]),
            *(list(s) for s in abstains[:SHOWN]),
        ],
        "recall": round(graded.recall, 4),
    }
    if graded.claims:
        details["precision"] = round(graded.precision, 4)
    return {"note": note, **details} if note else details
