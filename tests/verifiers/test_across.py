"""What V3 holds between sentences: ordinary text that it must not charge, and what may not pay."""

from __future__ import annotations

import pytest

from biorlhf import Question, Status

HONEST = [
    "Glucose rises after a meal. The decline in glucose that follows depends on insulin.",
    "Calcium increased within a second of the stimulus. The drop in calcium that followed took a minute.",
    "p53 was increased by the drug. The loss of p53 blocked this effect.",
    "Myc was unchanged in liver. In kidney, the reduction of Myc was strong.",
    "We called 4,510 open peaks in liver. The 2,110 open peaks of the kidney were mostly intergenic.",
    "We caught 120 adult frogs. The 45 adult frogs caught in May were mostly male.",
    "300 of 900 samples were positive. The 25 positive samples from zoos were typed further.",
    "The difference was 3.5 kg after adjustment for baseline. Those on the drug had lost 6.2 kg, those on "
    "placebo 2.5 kg.",
    "The sex ratio was 2:1 among 60 adults in 8 colonies.",
    "DNA was mixed 1:1 with beads, and 40 samples from 8 sites were eluted.",
    "The sex ratio at hatching was 1:1, but we saw 60 males and 30 females as adults.",
    "There were 420 CD4 and 840 CD8 cells per µl at baseline. After therapy the CD4:CD8 ratio was 1.1.",
    "All the heterozygous embryos were viable. The other 25 pups died at birth.",
    "Every mouse was genotyped at weaning. The remaining 14 mice entered the trial.",
    "All treated mice lost weight. The six controls did not lose weight.",
    "All mutants showed altered expression of stress genes. However, none of the stress genes was silenced.",
    "All Chd7 embryos died in utero, and none of the 112 pups was homozygous.",
    "We counted 412 birds at the reserve. There were 210 waders, 120 ducks and 40 gulls.",
    "The trial enrolled 120 patients. There were 40 deaths, 35 relapses and 30 withdrawals.",
    "In spring 40 males and 55 females were seen. In all, 110 deer live in the park.",
    "We sowed 400 seeds and 120 of them germinated. That is about 12% more than last year.",
    "We sowed 400 seeds and 120 of them germinated. This represents a 50% improvement.",
    "120 of 400 cells divided. That means 70% of them were at rest.",
    "Oak made up 46% of trees in plot A and 38% in plot B. The rest, 20%, were dead.",
    "Two amino acids carry sulphur: methionine, the start of most proteins, and cysteine.",
    "The fluke has two hosts: a snail, usually Lymnaea, and a sheep.",
    "Samples came from 12 donors (blood, liver and spleen).",
    "The crew lost bone in the six-month stay: FE-1 -4.1%, FE-2 -2.6%, FE-3 -0.8% and the commander -3.3%.",
    "Firmicutes made up 55%, Bacteroidetes 30% and Proteobacteria 10%. After antibiotics, Proteobacteria "
    "were the most abundant.",
    "Ages ranged from 21 to 58 years. The mean follow-up was 6 years.",
    "Controls were between 21 and 58 years old, whereas the mean of the patients was 63 years.",
    "Short answer: about 20 days. Eggs are laid 2 days apart.",
    "With a 120-min gradient we found 4,000 proteins. The 90-min gradient gave 3,200.",
    "412 patients were screened and 300 randomised. The 40 excluded for anaemia were offered care.",
    "Chlorophyll rose from 1.1 to 9.6 µg/l between 2 and 18 April and dropped to 3.0 by 10 May.",
    "The starting dose was 10 mg twice daily for 8 weeks.",
    "Electrofishing at 30 sites gave 2,914 fish of 16 species.",
    "Spleens of flight mice were 12 mg lighter on average (95% CI for the difference -21 to -3 mg).",
]


@pytest.mark.parametrize("text", HONEST)
def test_what_sentences_tell_of_one_another_is_charged_only_where_it_cannot_be(verifiers, text):
    score = verifiers["consistency"].score(
        Question("q", "What was found?", {"check": "internal_consistency"}), text
    )
    assert score.value is None or score.value == 1.0, score.details["failed"]


def test_sums_and_lists_that_hold_buy_nothing_back(verifiers):
    truth = {"check": "internal_consistency"}
    wrong = "Of 300 dogs, 60 were infected (40%)."
    padding = " Dogs come in three sizes (small, medium and large). The mean age was 4 years (range 2-6)."
    plain, padded = (
        verifiers["consistency"].score(Question("q", "How many dogs were infected?", truth), text).value
        for text in (wrong, wrong + padding)
    )
    assert padded <= plain < 1.0


@pytest.mark.parametrize(
    "text",
    ["The sex ratio was 0:2 with 3 males and 4 females.", "A 1, b 2, c 3. The highest", ":", "12", "|"],
)
def test_odd_ends_are_read_without_an_error(verifiers, text):
    score = verifiers["consistency"].score(Question("q", "Which?", {"check": "internal_consistency"}), text)
    assert score.status is not Status.FAILED


def test_a_text_that_is_cut_anywhere_is_read_without_an_error(verifiers):
    question = Question("q", "Did all recover?", {"check": "internal_consistency"})
    for text in (
        *HONEST,
        "All of the 60 dogs recovered. In the two that did not, the remaining 6 were the most",
    ):
        words = text.split()
        for end in range(1, len(words)):
            score = verifiers["consistency"].score(question, " ".join(words[:end]))
            assert score.status is not Status.FAILED


@pytest.mark.parametrize(
    ("text", "direction"),
    [
        ("Hypoxia rose from 6.1 TPM in ground controls to 15.3 TPM in flight hearts.", "UP"),
        ("Hypoxia fell from 20 in ground controls to 15 in flight mice.", "DOWN"),
        ("Hypoxia fell from 20 in flight to 15 in ground controls.", "UP"),
    ],
)
def test_a_change_from_the_one_side_to_the_other_is_read_as_it_goes(verifiers, text, direction):
    truth = {"pathway": "HALLMARK_HYPOXIA", "tissue": "heart", "contrast": "flight_vs_ground"}
    asked = "Which way does Hypoxia go in the heart of flight mice?"
    earned = {
        label: verifiers["pathway"].score(Question("q", asked, {**truth, "direction": label}), text).value
        for label in ("UP", "DOWN")
    }
    assert max(earned, key=earned.__getitem__) == direction
    assert earned["UP"] != earned["DOWN"]
