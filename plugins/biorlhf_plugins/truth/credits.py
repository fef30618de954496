"""What an answer earns: every tolerance and every credit that the graders use, in one place."""

from __future__ import annotations

import math

EXACT, NEAR, APPROXIMATE = 1.0, 0.9, 0.6
"""Credit of the very figure, of one within ``NEAR_ERROR``, and of one within ``APPROXIMATE_ERROR`` that is
marked as approximate."""

NEAR_ERROR, APPROXIMATE_ERROR = 0.01, 0.05
"""Relative errors."""

RIGHT = APPROXIMATE
"""From this credit on, a slot counts as answered rightly."""

ROUNDED_DIGITS = 2
"""Significant digits from which on a rounded figure is as good as the exact one: 2.3 for 2.34."""

OPEN_GUESS = 0.2
"""What declining to answer is worth where the question is open (a figure, a name)."""

GUESSES = {"type": 1 / 3, "pattern": 1 / 2, "direction": 1 / 3}
"""The same for a class: one of three response types, of two patterns, of three directions."""

YES_NO_GUESS = 1 / 2

VAGUE = 10
"""A wide range stands for this many rival candidates."""

NARROW = 1.1
"""A range whose ends are further apart than by this factor is wide."""

MANY = 6
"""From ``FEW`` rivals on, precision counts at least this many, so that listing never beats declining."""

FEW = 3


def closeness(
    stated: float, gold: float, approximate: bool = False, decimals: int | None = None, digits: int = 0
) -> float:
    """Credit in {0, 0.6, 0.9, 1} of a stated figure; written with so many ``decimals`` and ``digits``.

    Zero and the sign must be exact. A figure with decimals is right where it is the gold rounded to as many.
    """
    if math.isclose(stated, gold, rel_tol=1e-9):
        return EXACT
    # Nothing is relatively near to zero, and another sign is another finding, however near in size.
    if gold == 0 or stated == 0 or (stated < 0) != (gold < 0):
        return 0.0
    # A whole gold is a count: it has no decimals to be rounded.
    rounded = decimals is not None and digits >= ROUNDED_DIGITS and gold != round(gold)
    # A hair over one half: what was rounded at a 5 must not fail by its binary form.
    if rounded and abs(gold - stated) <= 0.5000001 * 10.0 ** -(decimals or 0):
        return EXACT
    error = abs(stated - gold) / abs(gold)
    if error <= NEAR_ERROR:
        return NEAR
    return APPROXIMATE if approximate and error <= APPROXIMATE_ERROR else 0.0


def shared(credit: float, rivals: int, guess: float) -> float:
    """Credit of the best of so many rivals; from ``FEW`` on it is worth a guess at most."""
    credit = credit / max(1, rivals)
    return credit if rivals < FEW else min(credit, guess)
