"""V3 on evidence of any field. ``consistency_cases.jsonl``: what holds, and the same with a thing that fails.

``written``: whether a case was there "before" its kind was read, or was written "after" and left as it came;
``unread`` marks those of the latter that are still not read, which must cost nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question, RewardComposer

CASES = [
    json.loads(line)
    for line in (Path(__file__).parent / "consistency_cases.jsonl").read_text("utf-8").splitlines()
]
ASKED = {"check": "internal_consistency"}
WEIGHTS = {"factual": 0.35, "pathway": 0.3, "consistency": 0.15, "uncertainty": 0.2}


def score(verifiers, question: str, text: str, truth: dict | None = None):
    return verifiers["consistency"].score(Question("q", question, truth or {}), text)


def ids(row) -> str:
    return f"{row['id']}-{row['category']}"


@pytest.mark.parametrize("row", [row for row in CASES if "unread" not in row], ids=ids)
def test_what_fails_scores_less_whether_or_not_the_ground_truth_asks(verifiers, row):
    holds, fails = (score(verifiers, row["question"], row[key], ASKED) for key in ("holds", "fails"))
    assert holds.value == 1.0, holds.details
    assert fails.value is not None
    assert fails.value < 1.0
    assert 1 <= len(fails.details["failed"]) <= fails.details["applied"]
    unasked = score(verifiers, row["question"], row["fails"])
    assert unasked.value is not None
    assert unasked.value <= 0.5


@pytest.mark.parametrize("row", CASES, ids=ids)
def test_what_holds_costs_nothing_where_the_ground_truth_does_not_ask(verifiers, row):
    assert score(verifiers, row["question"], row["holds"]).value in (None, 1.0)


def test_most_cases_written_after_the_rules_are_read():
    after = [row for row in CASES if row["written"] == "after"]
    assert len(after) >= 50
    assert sum("unread" in row for row in after) <= 0.1 * len(after)


@pytest.mark.parametrize(
    "text", ["", "  \n", "up up up up up up up up up up up up up up up up up up up up up up up up"]
)
def test_saying_nothing_scores_zero_also_where_nobody_asks(verifiers, text):
    assert score(verifiers, "Is TP53 up or down in tumours?", text).value == 0.0


PADDING = [
    "2 + 2 = 4.",
    "Note that 10 / 2 = 5 and 7 - 3 = 4.",
    "In total 9 apples were counted, 4 to the left and 5 to the right.",
    "MYC rises from 1 to 2, that is twofold.",
    "p = 0.2 is not significant.",
]
QUESTION = Question(
    "q", "Is oxidative phosphorylation up or down in flight soleus?",
    {"pathway": "HALLMARK_OXIDATIVE_PHOSPHORYLATION", "tissue": "soleus", "direction": "DOWN"},
)  # fmt: skip


@pytest.mark.parametrize("padding", PADDING)
@pytest.mark.parametrize(
    "answer",
    [
        "It is up in soleus. Confidence: 40%",
        "I cannot determine this from the data.",
        "It is down in soleus.",
    ],
)
def test_padding_that_is_trivially_true_raises_no_reward(answer, padding):
    composer = RewardComposer(list(WEIGHTS), WEIGHTS)
    plain = composer.score(QUESTION, answer).total
    for text in (f"{answer} {padding}", f"{padding} {answer}"):
        assert composer.score(QUESTION, text).total <= plain + 1e-9


def test_what_holds_does_not_make_up_for_what_fails(verifiers):
    wrong = "Soleus has 6,425 DEGs: 3,251 up and 4,174 down."
    holds = " ".join(f"Soleus has {2 * n} DEGs in batch {n}: {n} up and {n} down." for n in range(11, 40))
    alone, stuffed = (
        score(verifiers, "How many DEGs in soleus?", text) for text in (wrong, f"{wrong} {holds}")
    )
    for found in (alone, stuffed):
        assert found.value is not None
        assert found.value <= 0.5


def test_a_statement_alone_is_not_judged_where_nobody_asks(verifiers):
    for text in ("It is down.", "Answer: DOWN\nConfidence: 80%", "Soleus has 6,425 DEGs."):
        assert score(verifiers, "Is OXPHOS down in soleus?", text).value is None


NOT_ATTRIBUTED = [
    "Stress lowers OXPHOS (NES = -2.3), and the drug restores it (NES = +3.7).",
    "Baseline: 112\nStressed: 2,110\n\nLiver\nBaseline: 309\nStressed: 3",
    "Step 1: count. Step 2: compare.",
    "Expression changes from day 3 to day 7 and decreases later.",
    "Tumours measured 30 mm3 at day 7. Tumours measured 90 mm3 at day 14.",
    "The gene does not change significantly (log2 fold change +3.09, adjusted p 0.4).",
    "Of 412 screened patients 300 were randomised.",
    "HU has 6,425 DEGs and IR has 67; 484 genes belong to the interaction.",
    "p < 0.05 was considered significant.",
    "Of the tumours 60% carry TP53, 45% PIK3CA and 20% PTEN mutations, all of them somatic.",
    "T cells were 45%, B cells 20% and monocytes 15% of all cells.",
    "Exonic 30%, intronic 50% and UTR 15% of reads; the rest maps elsewhere.",
    "Men respond in 40%, women in 52%, and 46% respond in total.",
    "The liver has 320 genes and the kidney 210, 435 in total because 95 are shared.",
    "We used 12 knock-outs and 14 wild types in 3 batches, 26 animals in total.",
    "Clinic A enrolled 40 patients (22 women) and clinic B 35 (20 women), 75 in total.",
    "We collected 9 leaves from each of 4 plants, 36 leaves in total.",
    "The assay used 3 plates, 96 wells and 2 dyes, 288 wells in total.",
    "Of 60 biopsies, 22 were positive and 38 negative, 60 in total.",
    "Adding up to 100 µl of buffer and up to 10 mM of MgCl2 had no effect.",
    "Cell number dropped from 5.2 to 1.3 million, a loss of 75%.",
    "Confluence rose from 20% to 85% in the control, a gain of 65 percentage points.",
    "The titre rose from 1:20 to 1:160, an increase of 8-fold.",
    "The log2FC of COL1A1 is 1.5 in vivo; in vitro, a 6-fold increase was seen.",
    "The half-life of p53 is 20 min. After MDM2 knock-down, p53 has a half-life of 95 min.",
    "| Tissue | Genes |\n|---|---|\n| Liver | 320 |\n| Kidney | 210 |\n| Both | 95 |\n| Total | 435 |",
    "| Grade | Tumours |\n|---|---|\n| Grade 1 | 14 |\n| Grade 2 | 30 |\n| Grade 3 | n.d. |\n| Total | 61 |",
    "| Site | Traps |\n|---|---|\n| A | 12 |\n| B | 17 |\n| A and B | 29 |\n| C | 8 |\n| Total | 37 |",
    "Of the 60 mice, 24 were male and 36 female, and 50% of the females were pregnant.",
    "Of 240 cells, 60 were labelled (25%) and 15 of them divided (25%).",
    "Of 50 mice, 20 received the drug and 30 saline, and mortality was 10%.",
    "The response rate was 40% with drug A and 25% with drug B; the duration of response was shorter with A.",
    "Median time to relapse was 20 months in the rich group and 11 months in the poor group, so the relapse "
    "rate was lower in the rich group.",
    "Relapse-free survival was 70% in arm A and 55% in arm B, so relapse was lower in arm A.",
    "Blood pressure fell by 12 mmHg with the drug and by 4 mmHg with placebo, so blood pressure was lower "
    "with the drug.",
    "Survival was 12 months with surgery and 15 months with radiation. In older patients survival was longer "
    "with surgery.",
    "Samples were taken on day 14 of 28.",
    "In trial A, a total of 412 patients were enrolled, 206 in each arm. In trial B, a total of 380 patients "
    "were enrolled, 190 in each arm.",
    "The liver was processed first. A total of 1,200 cells were sequenced. The heart followed. A total of "
    "300 cells were sequenced.",
    "A total of 412 patients were enrolled in 2019, 206 in each arm. In 2020, a total of 380 patients were "
    "enrolled.",
    "All collagen genes rise. COL1A1, COL1A2 and COL3A1 increased, while the protease MMP1 decreased.",
    "Not all of the patients responded. Patients 1 to 7 improved, but patient 8 did not improve.",
    "The IC50 values were 14 nM for lapatinib, 52 nM for afatinib and 290 nM for imatinib. "
    "Selectivity was different: imatinib has the lowest off-target rate of the three.",
    "Yields were 7.1 t/ha for Akteur, 6.2 t/ha for Dekan and 5.4 t/ha for Tommi. Tommi has the "
    "highest protein content of the three.",
    "Median survival was 14 months with docetaxel, 21 months with nivolumab and 9 months with "
    "supportive care. Survival was longest with nivolumab.",
    "Most proteins decrease: 94 rise and 212 fall.",
    "Lapatinib is the most potent inhibitor (IC50 12 nM), followed by afatinib (52 nM).",
    "All glycolysis genes increased. PGK1 and LDHA increased, but genes of fatty acid oxidation decreased.",
    "All inflammatory cytokines rose. IL-6 and TNF rose, while IL-10 fell.",
    "All interferon genes increased. Isg15 and Mx1 increased, but the other genes, which are not "
    "interferon genes, decreased.",
    "All lines declined at 10 µM. At 1 µM HeLa and HCT116 declined, but A549 increased.",
    "All samples showed increased IL6. TNF and IL1B increased, but IL10 decreased.",
    "All genes of the TCA cycle fell. CS and IDH3A fell, but glycolysis rose.",
    "The hazard ratio for relapse was 0.66 with the drug, although the risk of infection was "
    "increased by 34%.",
    "The hazard ratio was 0.66 and bone density increased by 12%.",
    "The hazard ratio for relapse was 0.66; response rates rose by 15%.",
    "The hazard ratio for relapse was 0.66 in favour of the drug; in the placebo arm the risk was "
    "increased by 52%.",
    "The hazard ratio was 0.66 for the drug and 1.34 for age, i.e. the risk was increased by 34% "
    "with each decade.",
    "The hazard ratio for death was 0.66, i.e. survival was increased by 34%.",
    "The relative risk was 0.60, i.e. the risk was reduced to 60%.",
    "The hazard ratio was 0.80, i.e. the absolute risk was reduced by 4%.",
    "The hazard ratio of placebo against drug was 1.52, so the drug reduced the risk by 34%.",
    "The hazard ratio was 0.66 in favour of placebo, so the drug increased the risk by 52%.",
    "With a hazard ratio of 0.75 and a baseline risk of 8%, the absolute risk falls by 2%.",
    "The hazard ratio was 0.75, that is, the risk fell from 8% to 6%.",
    "The hazard ratio for death was 0.70, meaning that 81% of treated patients and 74% of controls "
    "were alive.",
    "The odds ratio was 0.50, so mortality was reduced from 20% to 11%.",
    "The odds ratio for smoking was 2.0, i.e. the odds were doubled; the risk rose by 60%.",
    "Most immune genes are upregulated, although of all 1,273 DEGs, 860 are down and 413 are up.",
    "Most genes do not change; 40 are up and 12 are down.",
    "The gene that is most upregulated is Fos; 120 genes are up and 450 are down.",
    "Most of the top ten genes are upregulated. Overall, 413 are up and 860 are down.",
    "In liver most are upregulated; in kidney, 860 are down and 413 are up.",
    "Most cells were viable: 40 genes went up and 90 down.",
    "Most of the upregulated genes are immune genes; in total 30 are up and 90 are down.",
    "In contrast to spleen, where most genes go up, in lung 40 genes are up and 90 are down.",
    "Most genes in the liver increased. In the kidney 30 genes rose and 80 fell.",
    "Although 300 genes fell and 200 rose, most of the strongly changed genes were induced.",
    "Most patients improved. 30 had higher and 45 lower creatinine.",
    "Of the 50 proteins, 30 increased and 20 decreased; most of those that increased are secreted.",
    "We sequenced 12,400 cells from lung, 9,800 from spleen and 15,100 from liver. After filtering, lung "
    "kept 10,900, spleen 8,200 and liver 11,700 cells.",
    "Muscle holds 480 differentially spliced exons, liver 1,120. At the gene level it is the reverse: 2,340 "
    "genes in muscle and 890 in liver. Only 61 genes in muscle and 37 in liver were spliced and changed.",
    "Both lose mass. At the level of genes the picture is mixed: 220 genes respond in the same way in spleen "
    "and thymus, and 64 in opposite directions.",
    "Interferon alpha is up in lung and spleen. It is not up in liver, and in kidney it isn't up without the "
    "adjuvant; with adjuvant it is up there too.",
    "Spleen lost 3,300 and gained 1,200 ATAC peaks. Genes near lost peaks went down in 410 cases and up in "
    "96. RNA-seq alone gave 1,870 genes.",
    "For p53 it is consistent: up in liver, lung and spleen. For E2F targets it isn't, since they go up in "
    "liver and down in spleen. MYC targets rose in liver and were unchanged in lung.",
]


ANSWERED = [
    (
        "Are knock-outs heavier than wild type at 12 weeks?",
        "No. At 12 weeks the knock-outs weighed 27.6 g and the wild type 27.4 g.",
    ),
    (
        "Are the mutants significantly heavier than wild type?",
        "No. The mutants weighed 27.6 g and the wild type 26.4 g (p = 0.4).",
    ),
    (
        "Are ob/ob mice heavier than wild type?",
        "Yes. They died after 30 weeks, wild-type mice after 110 weeks.",
    ),
    (
        "Do irradiated cells grow faster than controls?",
        "Yes. The doubling time was 19 h for irradiated cells and 26 h for controls.",
    ),
    (
        "Are mutants heavier than wild type at 12 weeks?",
        "No. At 4 weeks mutants weighed 20.1 g and wild type 18.0 g, but at 12 weeks the same.",
    ),
    (
        "Did the diet lower cholesterol and weight?",
        "Cholesterol, yes: it fell from 5.9 to 5.1 mmol/L. Weight, no: it was 84 kg before and 84 kg after.",
    ),
    (
        "Is bird abundance falling?",
        "Yes. The index of farmland birds went from 100 to 58 between 1990 and 2020. Winter temperature rose "
        "by 1.2 degrees in that time, and the pesticide load went up from 2.1 to 3.0 kg/ha.",
    ),
    (
        "Does the fertiliser increase earthworm numbers?",
        "No. Earthworms numbered 182 per m2 with and 190 without fertiliser, although plant biomass rose "
        "from 410 to 630 g/m2.",
    ),
    (
        "Did more than 50 patients respond?",
        "Yes. In arm A 40 responded and in arm B 28, so 68 altogether.",
    ),
]
"""A yes or no that two figures do not decide, or the other way round: a time, a p value, another week."""


@pytest.mark.parametrize(("question", "text"), ANSWERED)
def test_an_answer_is_held_only_against_figures_that_decide_it(verifiers, question, text):
    assert score(verifiers, question, text, ASKED).value == 1.0


@pytest.mark.parametrize("text", NOT_ATTRIBUTED)
def test_what_is_not_clearly_of_one_thing_is_not_held_against_it(verifiers, text):
    found = score(verifiers, "Describe the response.", text, ASKED)
    assert found.value in (None, 1.0), found.details
