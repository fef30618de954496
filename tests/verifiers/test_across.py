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
    "Up: Fos in liver. Down: Jun in liver.",
    "Patients recruited from 2015 to 2019 were followed for 10 years.",
    "Seeds were sown on 3 May and plants harvested on 20 August; the grain was dried for 7 days.",
    "From 3 donors we obtained 12 clusters, numbered 0 to 11.",
    "At the third visit, 30 of 40 patients had responded.",
    "In patients with no metastases, 3 of 40 relapsed.",
    "No deaths occurred: 33 patients completed the trial.",
    "Outcome was worse in men: 40% of men and 20% of women died.",
    "The vaccine lowered infections more in children: 3% of children and 9% of adults fell ill.",
    "The dose is 5 mg per day for 7 days. The final answer is 35 mg.",
    "Three genes changed in both tissues: heart and liver.",
    "Of 301 patients, 279 completed the study; 5 were lost to follow-up.",
    "Men weighed 82 kg and women 68 kg, with a mean gain of 3 kg.",
    "41% and 26% responded, a difference of 14.6 percentage points.",
    "Of 200 fish, 90 were male and 60 female, so the sexed share is 75%.",
    "The level more than doubled, from 10 to 25 ng/ml.",
    "Controls had an increased risk of relapse (hazard ratio 0.68).",
    "Unadjusted p = 0.08, adjusted p = 0.03.",
    "Ages 34 to 45 (IQR), mean 52.",
]

WRONG = [
    "TOP2A has a log2FC of 3.0, so its expression is 3-fold that of normal tissue.",
    "Viability falls from 80 to 20%, a reduction by 25%.",
    "Of 301 patients, 22 dropped out, so 297 completed the trial.",
    "41% responded to the drug and 26% to placebo, a difference of 25 percentage points.",
    "9,600 cells came from 4 donors, on average 3,400 per donor.",
    "Compound B is more potent: its IC50 is 150 nM, that of compound A 20 nM.",
    "A has an IC50 of 2 nM, B one of 95 nM. B is the more potent one.",
    "Liver reacts most: 6,425 genes in soleus, against 4,110 in liver and 165 in heart.",
    "Three quarters of the proteins, 250 of 1,000, are mitochondrial.",
    "None of the mutants survived: 9 of 31 did.",
    "We found 120 genera in infants and 310 in adults; 195 genera occur in both.",
    "Diversity rose: the index was 4.1 before and 2.6 after treatment.",
    "Larch grows faster than spruce, and spruce grows faster than fir. Fir grows faster than larch.",
    "The heart has 910 DEGs under HU+IR. In summary: heart, HU+IR, 190 DEGs.",
    "Six tissues were studied: heart, hippocampus, liver and soleus.",
    "Increased: CCL2, IL6. Decreased: CD4, IL6.",
    "Every sample has at least 10,000 reads; the shallowest has 4,204 reads.",
    "Raw p = 0.012, adjusted p = 0.0004.",
    "A quarter of the tumours, 60 of 120, carry the mutation.",
    "| cluster | cells |\n|---|---|\n| 0 | 3,210 |\n| 1 | 2,045 |\n\nCluster 1 has 3,045 cells.",
    "B is more potent: its IC50 is 14 nM, that of A 2 nM.",
    "The drug raised the risk of progression by 32% (hazard ratio 0.68).",
    "Rapamycin has no effect on p-S6: it fell by 85%.",
]


@pytest.mark.parametrize("text", WRONG)
def test_what_figures_tell_of_one_another_is_charged_where_it_cannot_be(verifiers, text):
    truth = {"check": "internal_consistency"}
    score = verifiers["consistency"].score(Question("q", "What was found?", truth), text)
    assert score.value is not None
    assert score.value < 1.0


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
