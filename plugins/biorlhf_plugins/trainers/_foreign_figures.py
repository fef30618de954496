"""A text with another fact's figure in it: by these a confidence learns to look at the answer.

A policy that is taught confidences on its own answers alone can tell them by the question: which was taught,
which was not. That says nothing of questions that it has not met. The same question with a right and with a
wrong figure leaves it the figure to go by, and what it holds of its own figure (the log-probability that it
gave it) does tell right from wrong, on questions of either kind.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

_ANSWER = re.compile(r"^answer:[ \t]*(\S.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_FIGURE = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?%?")
#: Figures nearer to each other than this share of the larger may both be accepted as right.
APART = 0.1
#: The share of all figures that counts as near: of facts that share most with the text's own.
NEAR = 0.25

#: What a fact is about: the parts of its name.
About = frozenset[str]


def figure_of(text: str) -> str | None:
    """What the block of an answer states, where that is a figure and nothing else."""
    found = _ANSWER.findall(text)
    return found[-1] if found and _FIGURE.fullmatch(found[-1]) else None


def foreign(
    text: str, about: About, figures: Mapping[str, About], count: int, draw: random.Random
) -> list[str]:
    """``text`` with other figures in place of its own, wherever that stands; at most ``count`` of them.

    Taken are ``figures`` that are written alike (a count for a count) and are no reading of the same number;
    half of them, rounded down, are figures of facts that share most with what the text is ``about``, which a
    policy confuses it with.
    """
    own = figure_of(text)
    if own is None:
        return []
    others = sorted(f for f in figures if _alike(own, f) and _apart(_number(own), _number(f)))
    near = sorted(others, key=lambda f: -len(about & figures[f]))[: round(NEAR * len(others))]
    chosen = draw.sample(near, min(count // 2, len(near)))
    rest = [f for f in others if f not in chosen]
    chosen += draw.sample(rest, min(count - len(chosen), len(rest)))
    # As a whole number alone: 1.6 is no part of 11.6 or of 1.65.
    place = re.compile(rf"(?<![\w.,−-]){re.escape(own)}(?!\w|[.,]\d)")
    return [place.sub(figure, text) for figure in chosen]


def _alike(one: str, other: str) -> bool:
    return ("." in one) == ("." in other) and one.endswith("%") == other.endswith("%")


def _apart(one: float, other: float) -> bool:
    return abs(one - other) > APART * max(abs(one), abs(other))


def _number(figure: str) -> float:
    return float(figure.strip("%").replace(",", "").replace("−", "-"))
