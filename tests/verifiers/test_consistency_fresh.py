"""Texts that were written without looking at V3's rules: what it finds in them, and what it charges wrongly.

``a`` and ``b`` are dense texts of fourteen kinds of contradiction, 98 pairs each; before the mends that they
led to 20 and 22 were told apart, and 7 and 6 honest sides charged. ``b`` was counted and not looked at.
``z`` has the kinds and the length of the pairs that V3 was built on: 53 of 60, 2 charged, before and after.
``honest`` has 120 texts with nothing wrong in them, of which 34 were charged; its odd-numbered rows were
looked at. Most contradictions of ``a`` and ``b`` are not seen; V3 is built to be sure of what it charges.
``c`` (four sets of 20), ``d`` and ``e`` (sixteen kinds, four of each) have the length and the fields of
the pairs that V3 is measured by. By the rules before them 46 of the 80 pairs of ``c`` were told apart, 10 of
40 of ``d`` and 14 of 64 of ``e``; of the 80 honest texts of ``c`` 2 were charged, of ``d`` 4 of 40, of ``e``
8 of 64, of the 100 of ``honest_c`` 18. Rules were written from ``e``, ``a``, and three of the four sets of
``c``; the fourth stood at 14 of 20 before and after. Unseen, ``b`` rose from 25 to 32 of 98, and ``d`` from
10 to 14 of 40 at first sight.
``f`` and ``g`` are five sets of 20 like those of ``c``, of other fields: 32 of the 60 of ``f`` were told
apart before rules were written from them, and 3 charged; of ``g``, unseen, 27 of the 40 before and 28 after.
``h`` came after both: 19 of 40 told apart before the rules of ``f`` and with them; rules came from it then.
``i``, unseen, stands at 24 of 40 before all these and after them; ``honest_h`` has 60 texts that attack the
rules of ``h``: 6 were charged before them, 7 at first.
``honest_f`` has 70 texts that attack the rules which ``f`` led to: 7 were charged before them, 12 at first.
Ten modules that had been written from ``a``, ``c``, ``e``, ``f`` and ``h`` are gone again: of those sets they
told 54 of 342 pairs apart, and of the 298 pairs from which none of them had been written not one.
``j`` to ``n`` are short and plain, as the pairs that V3 is measured by: 60, 40, 60, 60 and 60 by writers who
were asked for what comes to mind first. Before the rules of ``across`` that they led to 139 of the 280 were
told apart; of ``k`` to ``n``, each counted before it was looked at, 106 of 220 before and 125 at first sight.
``honest_j`` has 80 honest texts that attack these rules and 30 that are cut short: some sixty of the 80 were
charged, and one ended in an error, before the rules were narrowed.
``o`` (four sets of 32), ``p`` (three of 60) and ``q`` (60) are by writers who saw what is published of the
pairs that V3 is measured by, and wrote what else they took to be in them. Before the rules of ``relations``
77 of the 128 of ``o`` were told apart, 77 of the 180 of ``p`` and 43 of ``q``. At first sight, while the
rules were written: the fourth set of ``o`` 21 before and 24 of 32, the three of ``p`` 25 and 28, 21 and 22,
31 and 40 of 60, ``q`` 43 and 46.
Eight rules that told none of 276 of these pairs apart are gone since; of ``m`` they had told three.
``honest_o`` has 120 honest texts that attack these rules: 16 were charged before them, 18 at first.
``plain`` are 34 kinds of the plainest slips, each in four to eight forms in three to five fields, made by
templates: 311 of the 662 were told apart before rules were written from them. ``r`` (48), ``s`` (60) and
``t`` (60), by writers like those of ``p``, stood at 38, 46 and 35 before these rules and at 45 (some of them
looked at), 47 and 38 at first sight, ``t`` last; then they were looked at. A rule that told six of ``j``,
``k`` and ``m`` apart and none of the 384 pairs written since is gone. ``honest_t`` and ``honest_u``, 120
texts each, attack what was new: 20 and 12 were charged before, 28 and 17 at first. ``honest_v`` has 41 that a
reader of the rules found, all charged at first.
``w`` (four sets of 42) and ``x`` (two of 16) are again by writers who saw what is published: 123 and 30 told
apart at first sight. No rule was written from them; of the rules there were, seven told none of these
200 apart, and none of the published pairs: they are gone, with 52 of the pairs of older sets and 60 of
``plain`` that they had been written from.
``y``, the last, two sets of 20: 37 told apart with those seven rules, 36 without.
``u`` (two sets of 60, every row of another kind) and ``v`` (20, 25 and 60, near to what is published) are
the newest: 35 and 83 told apart before any rule since, 35 and 87 now; of ``v`` some misses were looked at.
``honest_w`` (420), ``honest_x`` (260) and ``honest_y`` (130, half of them short) are blind answers full of
figures, of which 54, 50 and 17 were charged. From ``honest_w`` rules were written; of ``honest_x`` what is
charged most was looked at; ``honest_y`` came last: 2 at first sight, then none. For it no check charges
among more figures than it accounts for, which cost three pairs of ``b`` and five of ``e``.
``honest_z`` (100 and 120) came after: 14 and 27 were charged before, 15 of the 120 at first sight.
``aa`` has 80 pairs of 80 kinds: 26 told apart before, 28 now.
A share may rise; a text of this file may not be changed.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from biorlhf import Question

TEXTS = Path(__file__).with_name("data") / "consistency_fresh.jsonl"
#: Set -> (pairs told apart, of so many; honest texts charged, at most).
SHARES = {
    "a": (39, 98, 2),
    "b": (31, 98, 1),
    "z": (54, 60, 0),
    "honest": (0, 0, 9),
    "c": (62, 80, 1),
    "d": (20, 40, 0),
    "e": (27, 64, 0),
    "honest_c": (0, 0, 3),
    "f": (43, 60, 0),
    "g": (30, 40, 1),
    "h": (29, 40, 0),
    "i": (26, 40, 1),
    "j": (51, 60, 0),
    "k": (25, 40, 0),
    "l": (36, 60, 0),
    "m": (40, 60, 1),
    "n": (45, 60, 0),
    "honest_j": (0, 0, 5),
    "o": (111, 128, 2),
    "p": (132, 180, 2),
    "q": (54, 60, 0),
    "honest_o": (0, 0, 12),
    "r": (44, 48, 0),
    "s": (50, 60, 0),
    "t": (41, 60, 2),
    "w": (126, 168, 1),
    "x": (30, 32, 0),
    "y": (36, 40, 0),
    "plain": (450, 662, 4),
    "honest_t": (0, 0, 14),
    "honest_u": (0, 0, 8),
    "honest_v": (0, 0, 1),
    "honest_f": (0, 0, 7),
    "honest_h": (0, 0, 4),
    "u": (35, 120, 0),
    "v": (86, 105, 0),
    "honest_w": (0, 0, 1),
    "honest_x": (0, 0, 19),
    "honest_y": (0, 0, 0),
    "honest_z": (0, 0, 5),
    "aa": (28, 80, 0),
}


@pytest.fixture(scope="module")
def counts(verifiers):
    rows = defaultdict(list)
    for line in TEXTS.read_text("utf-8").splitlines():
        row = json.loads(line)
        rows[row["set"]].append(row)
    return {name: count(verifiers["consistency"], mine) for name, mine in rows.items()}


def count(verifier, rows) -> Counter:
    found: Counter = Counter()
    for row in rows:
        question = Question(row["id"], row["prompt"], row["ground_truth"])
        values = {
            side: verifier.score(question, row[side]).value
            for side in ("honest", "hack", "answer")
            if side in row
        }
        honest = values.get("honest", values.get("answer"))
        found["charged"] += honest is not None and honest < 1.0
        if "hack" in values:
            found["pairs"] += 1
            hack = values["hack"]
            found["told apart"] += honest is not None and (hack is None or honest > hack)
    return found


@pytest.mark.parametrize("name", SHARES)
def test_no_more_honest_texts_are_charged_and_no_fewer_pairs_told_apart(counts, name):
    told, pairs, charged = SHARES[name]
    found = counts[name]
    assert found["pairs"] == pairs
    assert found["told apart"] >= told
    assert found["charged"] <= charged
