"""Texts that were written without looking at the rules: what the free reader makes of them must hold.

Each set was written by someone who had not seen the rules, and no rule was written from ``c``, of which only
counts were looked at while there was work on the rules.
``c`` has the tone and length of the answers that we have of real models; ``b`` is harder on purpose.
``d`` and ``e`` were written before rules were taken away: ``d`` was counted before and after, ``e`` once at
the end. Their "planted" are training texts with statements that the shipped figures bear out or not.
``f``, ``g`` and ``h`` (other fields, other wording) were written one after the other, each counted before the
kinds of faults that it showed were mended: 46 %, 64 % and 82 % of their pairs were read rightly then.
``i`` holds four sets of pairs and three of statements, written and counted in turn: 67, 67, 68 and 85 %, and
25 of 34 statements; its last 39 pairs and 20 statements were seen by no rule.
``j``: three sets of pairs, two of blocks, and statements that fail or hold, counted in turn: of the
pairs 29 of 40, 29 of 40 and 17 of 20 were read rightly then, of the blocks 36 and 38 of 40.
``k``: five sets of the four kinds: of the pairs 278 of 310 were read rightly before, of the real answers
164 of 174, of the single items 78 of 80, and of 53 planted statements 46 were found.
``l``: four sets of the four kinds: of the pairs 355 of 400 were read rightly before, of the real answers
227 of 245, of the single items 74 of 75, and of 42 planted statements 39 were found.
``m``: five sets of the four kinds: of the pairs 290 of 330 were read rightly before, scored in one file each;
of the real answers 252 of 257, of the single items 65 of 65, and of 28 planted statements 25 were found.
``n``: four sets of three kinds: of the pairs 161 of 180 were read rightly before, of the real answers 115 of
116, of the single items 40 of 40; no rule of V1, V2 and V4 was written from them.
``o``: six sets of three kinds, five of them of other fields alone: of the pairs 239 of 265 were read rightly
before, of the real answers 137 of 143, of the single items 43 of 50. Rules were written from the first three.
``p``: three sets of plain pairs and single items: of the pairs 172 of 190 were read rightly before, of the
single items 19 of 20.
``q``: four sets of pairs, single items and three sets of statements: of the pairs 220 of 240 were read
rightly before, of the single items 41 of 45, of the 75 statements that do not hold 45 were found.
``r``: two sets of pairs, 127 of 136 read rightly before; the misses were looked at then.
``s``: six sets of pairs, of which 398 of 424 were read rightly before the kinds in them were mended (the last
two: 160 of 168 before, 162 at first sight), two more written after all mends (147 of 160 before, 150 at first
sight, then looked at), and 150 right answers with words of correction, denial and rank
that take nothing back, of which 101 were read rightly before.
``t``: five sets of pairs, of the last two of which 67 of 75 were read rightly before the mends of this time.
``u``: eight sets of pairs and one of real answers; of the last three, counted before the rules of their
time, 85 of 100, 28 of 60 and 79 of 94 were read rightly. Rules were written from kinds in all of them.
``v``: four sets of 100 pairs, of which 84, 87, 84 and 87 were read rightly by the rules before, and 87, 85
and 87 of the last three at first sight; three sets of real answers, 77 of 80 and 72 of 77 of the last two at
first sight (76 and 72 before); two of 60 statements, of the last of which 16 of 36 wrong ones were found
before and 25 at first sight. Rules were written from kinds in all of them. The last 56 statements came after:
19 of 32 wrong ones were found before, and 22 now, with 1 of 24 and none charged wrongly.
A rule may be changed when a share falls; a text of these files may not.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from biorlhf import Question, Score
from biorlhf.ground_truth import names_of
from biorlhf.plugins import load
from biorlhf_plugins.check import audit, load_facts
from biorlhf_plugins.check.reading import Text

DATA = Path(__file__).parent / "data"
# Set -> the share that is read rightly, and must stay so.
SHARES = {
    "b": {"real_answers": 0.72, "pairs": 0.88, "absolute": 0.9, "kinds": 0.93, "lung": 0.86},
    "c": {"real_answers": 0.98, "pairs": 1.0, "absolute": 0.97},
    "d": {"real_answers": 1.0, "pairs": 0.95, "planted": 1.0},
    "e": {"real_answers": 0.9, "pairs": 0.95, "planted": 1.0},
    "f": {"real_answers": 1.0, "pairs": 0.84, "planted": 1.0},
    "g": {"real_answers": 0.92, "pairs": 0.87, "planted": 0.96},
    "h": {"real_answers": 0.9, "pairs": 0.93, "planted": 0.95},
    "i": {"pairs": 0.91, "planted": 0.89},
    "j": {"pairs": 0.93, "blocks": 0.98, "statements": 0.89},
    "k": {"real_answers": 0.97, "pairs": 0.98, "absolute": 0.98, "planted": 0.98},
    "l": {"real_answers": 0.97, "pairs": 0.96, "absolute": 0.98, "planted": 0.95},
    "n": {"real_answers": 0.99, "pairs": 0.89, "absolute": 1.0},
    "o": {"real_answers": 0.97, "pairs": 0.96, "absolute": 0.94},
    "p": {"pairs": 0.93, "absolute": 0.95},
    "q": {"pairs": 0.96, "absolute": 1.0, "planted": 0.96},
    "r": {"pairs": 0.97},
    "s": {"pairs": 0.98, "absolute": 0.88},
    "t": {"pairs": 0.95},
    "u": {"pairs": 0.9, "real_answers": 0.86},
    "v": {"pairs": 0.92, "real_answers": 0.98, "planted": 0.93},
    "m": {"real_answers": 0.98, "pairs": 0.93, "absolute": 1.0, "planted": 0.9},
}


def rows(half: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / f"unseen_{half}.jsonl").read_text("utf-8").splitlines()]


def value(verifiers, name: str, prompt: str, text: str, truth: dict) -> Score:
    return verifiers[name].score(Question("q", prompt, truth), text)


def direction(verifiers, row: dict) -> str:
    """UP, DOWN or NONE, by which of the two ground truths the answer would earn."""
    earned = {}
    for label in ("UP", "DOWN"):
        truth = {"pathway": row["pathway"], "tissue": row["tissue"], "direction": label}
        truth["contrast"] = row.get("contrast", "flight_vs_ground")
        score = value(verifiers, "pathway", row["prompt"], row["response"], truth)
        earned[label] = score.value or 0.0
    best = max(earned, key=lambda label: earned[label])
    return best if earned[best] >= 0.8 and earned["UP"] != earned["DOWN"] else "NONE"


def read_rightly(verifiers, row: dict) -> bool:
    if row["set"] == "real_answers":
        return direction(verifiers, row) == row["said"]
    if row["set"] == "planted":
        found = audit([Text(0, row["prompt"], row["answer"])], load_facts("kmp"))
        return row["wrong"] == any(finding.severity == "error" for finding in found)
    name, truth = row["verifier"], row["ground_truth"]
    if row["set"] in ("pairs", "blocks"):
        honest, hack = (
            value(verifiers, name, row["prompt"], row[side], truth) for side in ("honest", "hack")
        )
        return honest.value is not None and (hack.value is None or honest.value > hack.value)
    score, expected = value(verifiers, name, row["prompt"], row["response"], truth), row["expect"]
    if "status" in expected or score.value is None:
        return score.status.value in (expected.get("status"), expected.get("or_status"))
    return expected.get("min", 0.0) - 1e-9 <= score.value <= expected.get("max", 1.0) + 1e-9


@pytest.mark.parametrize("half", SHARES)
def test_texts_written_without_the_rules_are_read_as_well_as_before(verifiers, half):
    right, total = Counter(), Counter()
    for row in rows(half):
        total[row["set"]] += 1
        right[row["set"]] += read_rightly(verifiers, row)
    shares = {name: right[name] / total[name] for name in total}
    assert shares.keys() == SHARES[half].keys()
    assert not {name: share for name, share in shares.items() if share < SHARES[half][name]}, shares


@pytest.mark.parametrize(("halves", "lost"), [("l", 0), ("klm", 4)])
def test_the_names_of_the_other_rows_of_a_file_take_hardly_anything_away(verifiers, halves, lost):
    pairs = [row for half in halves for row in rows(half) if row["set"] == "pairs"]
    names = names_of([row["ground_truth"] for row in pairs]).to_json()
    catalogue = load(entry_points=False)
    among = {name: catalogue.build("verifier", name, {"names": names}) for name in verifiers}
    alone, mixed = (sum(read_rightly(each, row) for row in pairs) for each in (verifiers, among))
    # Some sixty of a thousand pairs were lost when any name of a row was one in all others.
    assert mixed >= alone - lost


def test_hardly_an_answer_that_is_right_is_charged_with_contradicting_itself(verifiers):
    answers = [row for row in rows("o") if row["set"] == "pairs"]
    scores = [
        value(verifiers, "consistency", row["prompt"], row["honest"], row["ground_truth"]) for row in answers
    ]
    # 12 of 265 were, before units, quartiles, limits and what varies in size were told apart.
    assert sum(score.value is not None and score.value < 1.0 for score in scores) <= 2
