"""Two figures in one answer, each with what it is of: the asked one is right, the two exchanged are wrong.

In the sentences that people write of two arms, genotypes, sites or times, in lists and in tables
(``data/two_figures.json``: what is asked, what it is set beside, and the forms). Of 570 pairs 484 were told
apart before rules were written from them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question

SET = json.loads((Path(__file__).with_name("data") / "two_figures.json").read_text("utf-8"))
#: What is not told apart yet, by the number of the form.
MISSED = {
    9: {"season"},
    18: {"variant"},
    27: {"case", "variety", "variant", "season"},
    29: {"dose", "drug"},
    37: {"arm", "variety"},
}


@pytest.mark.parametrize("number", range(len(SET["forms"])))
def test_the_asked_figure_is_told_from_the_one_beside_it(verifiers, number):
    missed = set()
    for name, case in SET["contexts"].items():
        words = {"q": case["quantity"], "A": case["asked"], "B": case["other"], "p": case["place"]}
        words["P"] = case["place"].capitalize()
        right, exchanged = (
            verifiers["factual"].score(
                Question("two", case["prompt"], {"facts": [case["fact"]]}), text[:1].upper() + text[1:]
            )
            for text in (
                SET["forms"][number].format(**words, a=case[one], b=case[two])
                for one, two in (("figure", "rival"), ("rival", "figure"))
            )
        )
        if (right.value or 0.0) <= (exchanged.value or 0.0):
            missed.add(name)
    assert missed <= MISSED.get(number, set())
