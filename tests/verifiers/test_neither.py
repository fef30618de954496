"""A denial of two things at once, and an answer in the question's own last words."""

from __future__ import annotations

import pytest

from biorlhf import Question

ASKED = "Which way does Hypoxia go in the liver of treated mice?"
HYPOXIA = {"pathway": "HALLMARK_HYPOXIA", "tissue": "liver", "contrast": "treated_vs_control"}


def earned(verifiers, asked: str, truth: dict, text: str) -> dict[str, float | None]:
    return {
        label: verifiers["pathway"].score(Question("q", asked, {**truth, "direction": label}), text).value
        for label in ("UP", "DOWN", "NS")
    }


@pytest.mark.parametrize(
    "text",
    [
        "Neither glycolysis nor hypoxia was altered in the liver of treated mice.",
        "Neither hypoxia nor glycolysis changed significantly in liver (padj 0.4 and 0.6).",
        "In liver, neither hypoxia nor glycolysis responded to the treatment.",
        "Neither hypoxia nor glycolysis reached significance in the liver.",
        "Neither the hypoxia set nor glycolysis showed a significant change in treated liver.",
        "Neither liver nor kidney showed a change in hypoxia.",
        "Hypoxia was neither up nor down in liver.",
        "It neither rises nor falls.",
    ],
)
def test_what_neither_and_nor_deny_is_not_significant(verifiers, text):
    assert earned(verifiers, ASKED, HYPOXIA, text) == {"UP": 0.0, "DOWN": 0.0, "NS": 1.0}


@pytest.mark.parametrize(("text", "label"), [("Down in RR-6 skin.", "DOWN"), ("Up in RR-6 skin.", "UP")])
def test_one_half_of_the_question_said_alone_is_an_answer(verifiers, text, label):
    truth = {
        "pathway": "HALLMARK_MTORC1_SIGNALING",
        "tissue": "skin",
        "mission": "RR-6",
        "contrast": "flight_vs_ground",
    }
    got = earned(verifiers, "Is the mTORC1 signalling set up or down in RR-6 skin?", truth, text)
    assert [name for name, value in got.items() if value == 1.0] == [label]


def test_the_whole_question_said_again_is_none(verifiers):
    got = earned(verifiers, "Is Hypoxia up or down in liver?", HYPOXIA, "Is Hypoxia up or down in liver.")
    assert not any(got.values())
