"""No change, in as many wordings as there are: a negation, small words, and what it denies."""

from __future__ import annotations

import pytest

from biorlhf import Question

UNCHANGED = [
    "Hypoxia in the eye is neither significantly upregulated nor significantly downregulated.",
    "Hypoxia cannot be regarded as significant in the eye.",
    "Hypoxia in the eye cannot be considered significant (FDR 0.3).",
    "I would not call Hypoxia changed in the eye.",
    "Hypoxia has a positive NES in the eye (1.2), but with an FDR of 0.31 this cannot be "
    "regarded as significant.",
    "Hypoxia leans upward in the eye, yet the FDR of 0.4 does not support a real change.",
    "The FDR of 0.4 means that Hypoxia is not a hit in the eye.",
    "Hypoxia did not pass our significance cut-off in the eye.",
    "Hypoxia does not meet the 5 % FDR threshold in the eye.",
    "With an adjusted p of 0.62, no claim about Hypoxia in the eye can be made: it is not "
    "significantly enriched.",
    "There is no statistically significant evidence for regulation of Hypoxia in the eye.",
    "Neither an increase nor a decrease of Hypoxia could be shown in the eye.",
    "Hypoxia is not among the significant pathways of the eye.",
    "In the eye, Hypoxia was comparable between flight and ground.",
    "In the eye, flight and ground animals do not differ in Hypoxia.",
    "The eye shows no response of Hypoxia to flight.",
    "No direction can be assigned to Hypoxia in the eye, since it is not significant.",
    "Hypoxia: NES = -0.92, padj = 0.68 (not significant) in the eye.",
    "Hypoxia in the eye: not DE.",
    "The slight decrease of Hypoxia in the eye (NES -0.9) is well within noise (FDR 0.7).",
    "The small increase of Hypoxia in the eye is not statistically supported.",
    "Although Hypoxia trends down in the eye, the difference does not reach statistical significance.",
    "Hypoxia shows a nominal increase in the eye that does not survive multiple testing.",
    "Hypoxia shows no meaningful change in the eye.",
    "Hypoxia is statistically indistinguishable between flight and ground in the eye.",
    "Hypoxia in the eye: neither up nor down (FDR q = 0.5).",
    "I find no significant regulation of Hypoxia in the eye in either direction.",
    "The pathway Hypoxia is not regulated in the eye in a statistically significant way.",
    "Hypoxia is slightly positive (NES 0.8) in the eye but far from the significance threshold (FDR 0.6).",
    "Hypoxia does not appear to be affected by spaceflight in the eye.",
    "Hypoxia seems to be largely unaffected in the eye.",
    "Hypoxia was not found to be differentially regulated in the eye.",
    "Hypoxia failed to reach significance in the eye (adjusted p = 0.12).",
    "The change of Hypoxia in the eye did not pass the FDR filter.",
]
"""Of 40 such wordings 15 were read before there was a rule for the kind, and 34 after; six are still not."""

CHANGED = [
    ("UP", "There is no doubt about the significance: Hypoxia is up in the eye (FDR 0.001)."),
    (
        "UP",
        "Not only is the change of Hypoxia in the eye significant, it is the largest: NES 2.8, upregulated.",
    ),
    ("UP", "Hypoxia is up in the eye; the change cannot be explained by noise."),
    ("UP", "Hypoxia rises in the eye. This was not changed by removing one outlier."),
    ("UP", "Hypoxia is up in the eye, and batch correction did not affect this result."),
    ("UP", "Hypoxia is upregulated in the eye, which no other threshold would change."),
    ("UP", "Unlike Glycolysis, which did not change, Hypoxia is up in the eye."),
    ("UP", "Hypoxia is up in the eye, whereas Glycolysis was not significant."),
    ("UP", "Hypoxia did not fail to reach significance in the eye: it is up with an FDR of 0.001."),
    ("UP", "Hypoxia is up in the eye with an FDR well below the cut-off of 0.05."),
    (
        "UP",
        "The FDR of Hypoxia (0.002) lies far below our threshold, and its NES of 2.1 says that it "
        "is up in the eye.",
    ),
    ("UP", "Hypoxia is clearly up in the eye, and I would not call this change small."),
    ("UP", "Hypoxia is up in the eye. Its NES lies far above the other sets."),
    ("UP", "In the eye Hypoxia passes the significance threshold and is upregulated."),
    ("DOWN", "Hypoxia is down in the eye; no change was seen for Glycolysis."),
    ("DOWN", "Hypoxia is suppressed in the eye. I cannot say whether this differs between the sexes."),
    ("DOWN", "Without any significant change of Glycolysis, Hypoxia falls in the eye."),
    ("DOWN", "Hypoxia is down in the eye, although the effect did not reach the size seen in the thymus."),
    ("NS", "Hypoxia is not changed in the eye, and neither is Glycolysis."),
    ("NS", "Hypoxia is not affected in the eye, but it is up in the thymus."),
]
"""What denies something else beside a direction."""


def earned(verifiers, text: str) -> dict[str, float]:
    """The score of V2 by what the ground truth says."""
    truth = {"pathway": "HALLMARK_HYPOXIA", "tissue": "eye", "contrast": "flight_vs_ground"}
    prompt = "Does flight change Hypoxia in the eye?"
    return {
        label: verifiers["pathway"].score(Question("q", prompt, {**truth, "direction": label}), text).value
        for label in ("UP", "DOWN", "NS")
    }


@pytest.mark.parametrize("text", UNCHANGED)
def test_a_change_that_is_denied_is_no_change(verifiers, text):
    assert earned(verifiers, text) == {"UP": 0.0, "DOWN": 0.0, "NS": 1.0}


@pytest.mark.parametrize(("label", "text"), CHANGED)
def test_a_direction_stays_where_something_else_is_denied(verifiers, label, text):
    scores = earned(verifiers, text)
    assert scores.pop(label) == 1.0
    assert all(score < 0.5 for score in scores.values())
