"""The dress of an answer changes nothing of what is read: bullets, bold figures, lead-ins, labels, quotes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest

from biorlhf import Question

DATA = Path(__file__).parent / "data"
EVERY = 23
"""Of the texts that no rule was written from so many are passed over for each that is dressed."""
APART = 0.25
WHOLE = re.compile(r"(?<![\w.,\-–−+/^*])(\d[\d,.]*\d|\d)(?![\w\-–^/*'’]|[.,]\d| \d{3}\b)")


def one_bullet(text: str) -> str:
    return "\n".join(f"- {part}" for part in re.split(r"(?<=[a-z)%]\.) (?=[A-Z])", text))


DRESSES: dict[str, Callable[[str], str]] = {
    "a figure in bold": lambda t: WHOLE.sub(r"**\1**", t, count=1),
    "bullets": one_bullet,
    "numbered": lambda t: f"1. {t}",
    "a thought before it": lambda t: f"<think>\nLet me look at the table.\n</think>\n{t}",
    "a code fence": lambda t: f"```\n{t}\n```",
    "cited": lambda t: "\n".join(f"> {line}" for line in t.split("\n")),
    "in quotation marks": lambda t: f'"{t}"',
    "a heading": lambda t: f"## Answer\n\n{t}",
    "a line that leads to it": lambda t: f"Here is the answer:\n\n{t}",
    "a sentence that leads to it": lambda t: f"Let me look at the table.\n{t}",
    "a role": lambda t: f"Assistant: {t}",
    "praise before it": lambda t: f"Great question! {t}",
    "an offer behind it": lambda t: f"{t}\n\nI hope this helps!",
    "where it is shown": lambda t: f"{t[:-1]} (see Table 2)." if t.endswith(".") else t,
    "line ends of another system": lambda t: t.replace("\n", "\r\n"),
}


def plain(text: str) -> bool:
    """A sentence or more: a table or a block has a dress of its own."""
    return "\n" not in text and "|" not in text and '"' not in text and "nswer" not in text and len(text) > 20


@pytest.fixture(scope="module")
def pairs():
    files = sorted(DATA.glob("unseen_*.jsonl"))
    lines = chain.from_iterable(path.read_text().splitlines() for path in files)
    rows = [row for row in map(json.loads, lines) if "hack" in row and plain(row["honest"] + row["hack"])]
    return rows[::EVERY]


def apart(verifiers, row, dress=lambda text: text) -> bool:
    question = Question("dressed", row["prompt"], row["ground_truth"])
    verifier = verifiers[row["verifier"]]
    honest, hack = (verifier.score(question, dress(row[side])).value for side in ("honest", "hack"))
    return honest is not None and (hack is None or honest - hack >= APART)


@pytest.mark.parametrize("name", DRESSES)
def test_a_dress_changes_nothing_of_what_is_read(name, pairs, verifiers):
    known = [row for row in pairs if apart(verifiers, row)]
    lost = [row for row in known if not apart(verifiers, row, DRESSES[name])]
    assert len(known) > 100
    assert len(lost) <= 0.03 * len(known), [(row["honest"], row["hack"]) for row in lost]
