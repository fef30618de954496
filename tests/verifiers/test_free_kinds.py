"""Kinds of wording that the free reader knows: each by an answer that is right and one that is wrong, and
wordings that must not pass for an answer."""

from __future__ import annotations

import pytest

from biorlhf import Question


def figure(entity: str, quantity: str, value: float | str, condition: str = "") -> dict:
    fact = {"entity": entity, "quantity": quantity, "value": value}
    return {"facts": [{**fact, "condition": condition} if condition else fact]}


KINDS = {
    "thousands behind a German label": (
        "How many leukocytes were sorted?", figure("pool", "leukocyte count", 31405),
        "Antwort: 31.405\nSicherheit: 80 %", "Antwort: 34.105\nSicherheit: 80 %",
    ),
    "a share of those that did not": (
        "Which share of the grafts survived?", figure("grafts", "survival rate", "71 %"),
        "29 % of the grafts did not survive.", "71 % of the grafts did not survive.",
    ),
    "so many of every hundred": (
        "What share of the cilia beat?", figure("cilia", "beating share", "57 %"),
        "57 of every 100 cilia beat.", "43 of every 100 cilia beat.",
    ),
    "how many of them were": (
        "How many contigs were circularised?", figure("assembly", "circularised contigs", 118),
        "We obtained 420 contigs; 118 of them were circularised.",
        "We obtained 118 contigs; 42 of them were circularised.",
    ),
    "a head before a colon": (
        "What is the Vmax of K72A?", figure("K72A", "Vmax", 9.5),
        "Vmax: native 81, K72A 9.5, D30N 0.2", "Vmax: native 9.5, K72A 81, D30N 0.2",
    ),
    "a no that ends with its name": (
        "Which cells are in cluster 3?",
        {"facts": [{"entity": "cluster 3", "quantity": "cell type", "value": "plasma cells",
                    "choices": ["plasma cells", "mast cells"]}]},
        "With SDC1, XBP1 and no CD20 these are plasma cells.", "With KIT and no SDC1 these are mast cells.",
    ),
    "a share in words": (
        "What share of the spores germinated?", figure("spores", "germinated share", 0.42),
        "Forty-two percent.", "Twenty-four percent.",
    ),
    "a unit that is cubed": (
        "How large were the spheroids on day 6?", figure("spheroids", "volume", "0.8 mm3", "day 6"),
        "On day 6 they measured 0.8 mm³, on day 2 0.1 mm³.",
        "On day 6 they measured 0.1 mm³, on day 2 0.8 mm³.",
    ),
    "a unit of its own": (
        "What insulin level did mouse 12 have?", figure("mouse 12", "insulin", "9.4 mIU/L"),
        "mouse 11 3.3 mIU/L, mouse 12 9.4 mIU/L", "mouse 11 9.4 mIU/L, mouse 12 3.3 mIU/L",
    ),
    "an arm by its name": (
        "What was the relapse rate in the ocrelizumab arm?", figure("ocrelizumab arm", "relapse rate", 0.16),
        "0.16 on ocrelizumab, 0.29 on interferon.", "0.29 on ocrelizumab, 0.16 on interferon.",
    ),
    "a time as the entity": (
        "How many genes respond at 36 h?", figure("36 h", "DEG count", 714),
        "18 h: 90 genes; 36 h: 714 genes.", "18 h: 714 genes; 36 h: 90 genes.",
    ),
    "baseline against a week": (
        "What was the mean ferritin at baseline?", figure("patients", "ferritin", "88 ng/mL", "baseline"),
        "Ferritin rose from 88 ng/mL at baseline to 140 ng/mL at week 8.",
        "Ferritin rose from 140 ng/mL at baseline to 88 ng/mL at week 8.",
    ),
    "a column's header": (
        "How many contigs has assembly A2?", figure("A2", "contigs", 310),
        "assembly | contigs | N50\nA1 | 480 | 21000\nA2 | 310 | 35000",
        "assembly | contigs | N50\nA1 | 310 | 21000\nA2 | 480 | 35000",
    ),
    "what is outdone": (
        "Which solvent extracts most lipid?", {"answer": "MTBE"},
        "MTBE (31 mg/g) beats hexane (22 mg/g) and ethanol (18 mg/g).",
        "Hexane (31 mg/g) beats ethanol (22 mg/g) and MTBE (18 mg/g).",
    ),
    "what comes next": (
        "Which phylum dominates the swabs?", {"answer": "Firmicutes"},
        "Firmicutes dominate (48 %), Bacteroidetes come next (30 %).",
        "Bacteroidetes dominate (48 %), Firmicutes come next (30 %).",
    ),
    "one of the two that are offered": (
        "Which swims faster, the parent or ΔcheZ?", {"answer": "ΔcheZ"},
        "ΔcheZ does; the parent hardly moves.", "The parent does; ΔcheZ hardly moves.",
    ),
    "yes at the end of a sentence": (
        "Does fasting lower leptin here?", {"answer": "yes"},
        "Leptin was a third of the fed level, so it does.", "Leptin was at the fed level, so it does not.",
    ),
    "a runner-up": (
        "Which subtype is sample G4?", figure("G4", "glioma subtype", "mesenchymal"),
        "G4 is mesenchymal; proneural is the next best match.",
        "G4 is proneural; mesenchymal is the next best match.",
    ),
    "two doses in one sentence": (
        "What is the log2FC of FKBP5 at 100 nM dexamethasone (vs vehicle)?",
        figure("FKBP5", "log2 fold change", 5.1, "100 nM dexamethasone vs vehicle"),
        "FKBP5 has a log2FC of 2.2 with 10 nM dexamethasone and of 5.1 with 0.1 µM.",
        "FKBP5 has a log2FC of 5.1 with 10 nM dexamethasone and of 2.2 with 0.1 µM.",
    ),
    "two times in one sentence": (
        "What is the log2FC of IFIT1 6 h after poly(I:C) (vs mock)?",
        figure("IFIT1", "log2 fold change", 7.4, "poly(I:C) 6 h vs mock"),
        "IFIT1 was at log2FC 3.3 after 2 h and at 7.4 after 6 h.",
        "IFIT1 was at log2FC 7.4 after 2 h and at 3.3 after 6 h.",
    ),
    "genotypes in a row": (
        "How many heterozygous Sox9 mice were weaned?",
        {"facts": [{"entity": "Sox9+/-", "quantity": "weaned mice", "value": 41,
                    "aliases": ["heterozygous"]}]},
        "24 wild-type, 41 heterozygous and 3 knock-out mice were weaned.",
        "41 wild-type, 24 heterozygous and 3 knock-out mice were weaned.",
    ),
    "two alleles": (
        "What is the fat mass of ob/ob mice?", figure("ob/ob mice", "fat mass", "31 g"),
        "ob/ob mice carry 31 g of fat, ob/+ mice 6 g.", "ob/ob mice carry 6 g of fat, ob/+ mice 31 g.",
    ),
    "before and after of a ratio": (
        "What was the villus/crypt ratio after refeeding?",
        figure("villus/crypt ratio", "ratio", 3.4, "after refeeding"),
        "The villus/crypt ratio was 2.1 before refeeding and 3.4 after it.",
        "The villus/crypt ratio was 3.4 before refeeding and 2.1 after it.",
    ),
    "before and after of a level": (
        "What was the mean glucose after metformin?",
        figure("patients", "mean glucose", 6.8, "after metformin"),
        "Mean glucose fell from 9.1 before metformin to 6.8 after it.",
        "Mean glucose fell from 6.8 before metformin to 9.1 after it.",
    ),
    "the parts of a share": (
        "What was the cure rate (%)?", figure("cohort", "cure rate (%)", 30),
        "The cure rate was 30% (18/60; 95% CI 19-43%).", "The cure rate was 19% (18/60; 95% CI 30-43%).",
    ),
    "an order from the bottom": (
        "Rank liver, kidney and heart by their DEGs, most first.",
        {"ranking": ["liver", "kidney", "heart"]},
        "Lowest is heart, then kidney, then liver.", "From least to most: liver, kidney, heart.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_wording_is_read(verifiers, kind):
    prompt, truth, right, wrong = KINDS[kind]
    scores = [verifiers["factual"].score(Question("q", prompt, truth), text).value for text in (right, wrong)]
    assert scores[0] >= 0.9
    assert scores[1] <= 0.1


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Ligand 3 (Kd 2 nM) is more potent than ligand 6 (Kd 75 nM).", 1.0),
        ("Ligand 6 (Kd 75 nM) is more potent than ligand 3 (Kd 2 nM).", 0.0),
        ("Strain C, with an MIC of 64 mg/L, is more resistant than strain D (MIC 1 mg/L).", 1.0),
        ("Strain D, with an MIC of 1 mg/L, is more resistant than strain C (MIC 64 mg/L).", 0.0),
    ],
)
def test_of_an_ic50_the_smaller_is_the_more_potent_and_of_an_mic_the_larger_resists(verifiers, text, verdict):
    question = Question("q", "Which of the two?", {"check": "internal_consistency"})
    assert verifiers["consistency"].score(question, text).value == verdict


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        ("I'd put that at eighty percent.", 0.8),
        ("I'd say thirty percent.", 0.3),
        ("I'd bet 3 to 1 on it.", 0.75),
        ("I'd give it seven chances in ten.", 0.7),
        ("There are 8 chances out of 10 that this is right.", 0.8),
    ],
)
def test_a_confidence_in_words_is_scored_as_its_number(verifiers, said, stated):
    question = Question("q", "Is Sox2 up?", {"answer": "yes"})
    score = verifiers["uncertainty"].score(question, f"Yes. {said}")
    assert score.value == pytest.approx((2 - (stated - 1) ** 2) / 2)


DELETED = {"pathway": "KEGG_RIBOSOME", "direction": "DOWN", "contrast": "drelA_vs_WT"}


@pytest.mark.parametrize(
    ("text", "earned"),
    [
        ("Ribosome genes are higher in WT than in ΔrelA.", 1.0),
        ("Ribosome genes are higher in ΔrelA than in WT.", 0.0),
        ("Ribosome genes are up in ΔrelA. They are down in ΔrelA.", 0.0),
        ("Up: the stringent response keeps ribosome genes down.", 0.0),
        ("Up or down.", 0.0),
    ],
)
def test_a_deletion_mutant_is_a_side_and_two_directions_are_none(verifiers, text, earned):
    question = Question("q", "How does the ribosome set change in ΔrelA versus wild type?", DELETED)
    assert verifiers["pathway"].score(question, text).value == earned


@pytest.mark.parametrize(
    ("name", "kind", "way", "text"),
    [
        ("NOS2", "gene", "UP", "NOS2 goes through the roof with LPS."),
        ("NOS2", "gene", "DOWN", "NOS2 took a nosedive with LPS."),
        ("NOS2", "gene", "UP", "In medium NOS2 stays low, with LPS it climbs."),
        ("NOS2", "gene", "DOWN", "With LPS NOS2 is barely transcribed."),
        ("NOS2", "gene", "NS", "LPS left NOS2 where it was."),
        ("NOS2", "gene", "UP", "NOS2 shoots up when LPS arrives."),
        ("NOS2", "gene", "UP", "NOS2: log2FC 3.4, padj 2e-8."),
        ("itaconate", "metabolite", "UP", "LPS cells hold five times as much itaconate as medium cells."),
        ("itaconate", "metabolite", "DOWN", "Itaconate reaches 0.4 times the level of medium cells."),
        ("itaconate", "metabolite", "DOWN", "Itaconate is a third of what medium cells make."),
        ("itaconate", "metabolite", "UP", "Itaconate is rare in medium cells."),
        ("the NOS2 promoter", "region", "UP", "The NOS2 promoter opens with LPS."),
        ("the NOS2 promoter", "region", "DOWN", "The NOS2 promoter has closed with LPS."),
    ],
)
def test_idioms_and_multiples_tell_a_direction(verifiers, name, kind, way, text):
    prompt = f"Is {name} higher or lower with LPS than in medium?"
    earned = {}
    for label in ("UP", "DOWN", "NS"):
        truth = {"feature": name, "kind": kind, "direction": label, "contrast": "LPS_vs_medium"}
        earned[label] = verifiers["pathway"].score(Question("q", prompt, truth), text).value
    assert earned == {label: float(label == way) for label in earned}


BEFORE = {"pathway": "HALLMARK_HYPOXIA", "direction": "DOWN", "contrast": "post_vs_pre"}
DRUG = {"pathway": "HALLMARK_GLYCOLYSIS", "direction": "DOWN", "contrast": "drug_vs_vehicle"}
CELLS = {"pathway": "HALLMARK_HYPOXIA", "direction": "UP", "tissue": "CD8 T cells",
         "contrast": "tumour_vs_blood"}  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "truth", "right", "wrong"),
    [
        ("How does hypoxia change after the graft relative to before?", BEFORE,
         "Before the graft, hypoxia was stronger than after it.",
         "After the graft, hypoxia was stronger than before it."),
        ("How does hypoxia change after the graft relative to before?", BEFORE,
         "Hypoxia is down, as reported before.", "Hypoxia is up, as reported before."),
        ("How does glycolysis respond to the drug vs vehicle?", DRUG,
         "The drug flips glycolysis off.", "The drug flips glycolysis on."),
        ("How does glycolysis respond to the drug vs vehicle?", DRUG,
         "The drug put the brakes on glycolysis.", "The drug sent glycolysis into overdrive."),
        ("How does glycolysis respond to the drug vs vehicle?", DRUG,
         "The drug suppresses glycolysis, and the suppression is less pronounced at night.",
         "The drug activates glycolysis, and the activation is less pronounced at night."),
        ("How does glycolysis respond to the drug vs vehicle?", DRUG,
         "Glycolysis is suppressed. Increased glycolysis would promote growth.",
         "Glycolysis is activated. Decreased glycolysis would slow growth."),
        ("How does hypoxia change in CD8 T cells, tumour vs blood?", CELLS,
         "Hypoxia rises in CD8 T cells; in monocytes it falls.",
         "Hypoxia falls in CD8 T cells; in monocytes it rises."),
        ("How does hypoxia change in CD8 T cells, tumour vs blood?", CELLS,
         "In T lymphocytes hypoxia goes up.", "In B cells hypoxia goes up."),
        ("How does hypoxia change in CD8 T cells, tumour vs blood?", CELLS,
         "Hypoxia is up, as it is in macrophages.", "Hypoxia is down, as it is in macrophages."),
        ("How does glycolysis respond to the drug vs vehicle?", DRUG,
         "The drug shuts off the glycolysis genes.", "The drug switches on the glycolysis genes."),
    ],
)  # fmt: skip
def test_sides_switches_degrees_and_other_cells_are_told_apart(verifiers, prompt, truth, right, wrong):
    scores = [verifiers["pathway"].score(Question("q", prompt, truth), text).value for text in (right, wrong)]
    assert scores == [1.0, 0.0]


@pytest.mark.parametrize(
    ("truth", "text", "low", "high"),
    [
        (DRUG, "Lactate builds up, so perhaps glycolysis rises? I am 20% confident.", 0.45, 0.5),
        (DRUG, "Does it perhaps rise? Glycolysis falls. Confidence: 90%", 0.9, 1.0),
        (DRUG, "Perhaps glycolysis rises? No, it falls. Confidence: 90%", 0.9, 1.0),
        ({"answerable": False}, "The bladder was not sampled, but HK2 has a log2FC of 2.1 there.", 0.0, 0.0),
        ({"answerable": False}, "The bladder was not sampled; nothing can be said of HK2 there.", 1.0, 1.0),
    ],
)
def test_a_guess_with_a_question_mark_and_an_effect_of_what_was_not_sampled(
    verifiers, truth, text, low, high
):
    question = Question("q", "Is glycolysis (HK2) up or down on the drug in bladder?", truth)
    assert low <= verifiers["uncertainty"].score(question, text).value <= high


def test_either_of_two_figures_shares_the_credit(verifiers):
    question = Question("q", "How many DEGs has the spleen?", figure("spleen", "DEG count", 88))
    assert verifiers["factual"].score(question, "Either 88 or 140 DEGs.").value == 0.5
