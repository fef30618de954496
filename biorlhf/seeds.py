"""Seeds by hash: whatever is drawn at random in a run follows from the run's seed and from what it is for.

A number that is drawn from a generator that others draw from too would depend on how many workers there are
and on where an interrupted run went on. A hash of names does not. The numbers are part of what a resumed run
repeats: a change of this rule changes every later step of it.
"""

from __future__ import annotations

import hashlib
from typing import Literal


def seed_of(*parts: int | str, bits: Literal[31, 63] = 31) -> int:
    """A seed in [0, 2^bits) that these parts fix: ``seed_of(run, stage)``, ``seed_of(step, question.id)``.

    NumPy, vLLM and Python's own generator are given 31 bits; torch takes 63.
    """
    digest = hashlib.sha256(":".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[: (bits + 1) // 8], "big") >> 1
