"""Marks that a word processor, LaTeX or a model that goes on puts into an answer."""

from __future__ import annotations

import pytest

from biorlhf import Question

FOLD = Question(
    "f",
    "What is the log2 fold change of CXCL8 in lung?",
    {"facts": [{"entity": "lung", "quantity": "log2 fold change", "value": -3.1}]},
)
NES = Question(
    "n",
    "What is the NES of hypoxia in liver?",
    {"facts": [{"entity": "liver", "quantity": "NES", "value": 2.02}]},
)
COUNT = Question(
    "c",
    "How many DEGs does HU cause in the soleus?",
    {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]},
)
ORDER = Question(
    "o",
    "Rank heart, hippocampus, liver and soleus by the number of DEGs, highest first.",
    {"ranking": ["soleus", "liver", "hippocampus", "heart"]},
)


def direction(gene, label):
    """A question about a gene in treated against untreated cells."""
    truth = {"pathway": gene, "tissue": "lung", "direction": label, "contrast": "treated_vs_untreated"}
    return Question(
        "d", f"In lung, is the gene {gene} up, down or not significantly changed in treated cells?", truth
    )


def value(verifiers, name, question, text):
    return verifiers[name].score(question, text).value or 0.0


@pytest.mark.parametrize(
    "text",
    [
        "The log2 fold change is –3.1.",
        "log2FC = –3.1",
        "log2FC of –3.1",
        "log2FC: – 3.1",
        "log2FC = - 3.1",
        "CXCL8 falls (log2FC –3.1).",
        "a log2 fold change of about –3.1",
        "Answer: –3.1\nConfidence: 70%",
        "log2(FC) = -3.1",
        "log2 (fold change) = −3.1",
        r"$\log_2 FC = -3.1$",
        r"$\log_2\mathrm{FC} = -3.1$",
        r"$\log_{2}(\text{fold change}) = -3.1$",
    ],
)
def test_a_minus_and_a_logarithm_are_read_as_they_are_typeset(verifiers, text):
    assert value(verifiers, "factual", FOLD, text) >= 0.9


@pytest.mark.parametrize("text", ["NES = –2.02", "The NES is –2.02.", "(NES: –2.02)", "Answer: –2.02"])
def test_the_sign_of_an_en_dash_counts(verifiers, text):
    assert value(verifiers, "factual", NES, text) <= 0.25


@pytest.mark.parametrize(
    "text",
    [
        "Soleus – 6,425 DEGs.",
        "The soleus – a slow muscle – has 6,425 DEGs.",
        "Between 6,400–6,450, that is 6,425.",
        "HU changes many genes – 6,425 in soleus.",
        "Soleus: 6,425 – the most of all.",
    ],
)
def test_a_dash_between_words_or_figures_is_no_sign(verifiers, text):
    assert value(verifiers, "factual", COUNT, text) >= 0.9


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("ZEB1", "ZEB1-AS1"),
        ("HOXA11", "HOXA11-AS"),
        ("SOX2", "SOX2-OT"),
        ("MEG3", "MEG3-DT"),
        ("FLT1", "FLT1P1"),
    ],
)
def test_a_transcript_named_after_a_gene_is_not_the_gene(verifiers, asked, told):
    assert value(verifiers, "pathway", direction(asked, "UP"), f"{told} is up in treated cells.") == 0.0
    assert value(verifiers, "pathway", direction(told, "UP"), f"{told} is up in treated cells.") == 1.0


@pytest.mark.parametrize(
    "goes_on",
    [
        "\n\nQuestion: In lung, is the gene PER1 up or down in treated cells?\nAnswer: {}\nConfidence: 90%",
        "\n\n### Instruction:\nIs PER1 up?\n\n### Response:\nAnswer: {}\nConfidence: 90%",
        "\nUser: And PER1?\nAssistant: Answer: {}",
        "\n\n**Q2:** And PER1?\nAnswer: {}",
        "\n\n### Next question\nIn liver, is the gene IL6 up or down in treated cells?\nAnswer: {}",
    ],
)
def test_what_follows_a_question_that_the_model_asked_itself_is_no_answer(verifiers, goes_on):
    asked = direction("IL6", "DOWN")
    right = "Answer: DOWN\nConfidence: 80%" + goes_on.format("UP")
    wrong = "Answer: UP\nConfidence: 80%" + goes_on.format("DOWN")
    assert value(verifiers, "pathway", asked, right) == 1.0
    assert value(verifiers, "pathway", asked, wrong) == 0.0
    assert verifiers["uncertainty"].score(asked, right).details["confidence"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    "text",
    [
        "Question: In lung, is IL6 up or down in treated cells?\nAnswer: DOWN\nConfidence: 60%",
        "Q: In lung, is IL6 up?\nA: Answer: DOWN\nConfidence: 60%",
        "Let me take it step by step.\nQuestion: is IL6 up?\nAnswer: DOWN",
        "Mouse: not measured.\nHuman: IL6 is down in treated cells.",
        "The FDR\nq\n0.03 tells the\nuser\nthat IL6 is down in treated cells.",
    ],
)
def test_a_question_that_is_repeated_before_its_answer_hides_nothing(verifiers, text):
    assert value(verifiers, "pathway", direction("IL6", "DOWN"), text) == 1.0


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("1. soleus\n2. liver\n3. hippocampus\n4. heart", True),
        ("4. heart\n3. hippocampus\n2. liver\n1. soleus", True),
        ("#4 heart, #3 hippocampus, #2 liver, #1 soleus", True),
        ("4. soleus\n3. liver\n2. hippocampus\n1. heart", False),
    ],
)
def test_a_list_is_in_the_order_of_its_numbers(verifiers, text, right):
    assert (value(verifiers, "factual", ORDER, text) >= 0.9) is right


def fact(entity, quantity, figure, **more):
    return {"facts": [{"entity": entity, "quantity": quantity, "value": figure, **more}]}


SET = fact("HALLMARK_E2F_TARGETS", "NES", -1.97)
DOSE = fact("rapamycin", "dose", 4, unit="mg/kg")


@pytest.mark.parametrize(
    ("prompt", "truth", "right", "wrong"),
    [
        (
            "What is the NES of HALLMARK_E2F_TARGETS?",
            SET,
            "E2F targets (NES (−1.97))",
            "E2F targets (NES (+1.97))",
        ),
        ("What is the NES of HALLMARK_E2F_TARGETS?", SET, "E2F targets: NES −1.97", "E2F targets: NES 1.97"),
        (
            "How many nuclei were sequenced from the cortex?",
            fact("cortex", "nuclei sequenced", 112450),
            "In total, 112 450 nuclei were sequenced.",
            "In total, 121 450 nuclei were sequenced.",
        ),
        ("At which dose was rapamycin given?", DOSE, "Rapamycin: 4 mg kg⁻¹", "Rapamycin: 4 µg kg⁻¹"),
        (
            "At what temperature was the heat shock given?",
            fact("seedlings", "heat shock temperature", 42, unit="°C"),
            "The seedlings were heat-shocked at 42 °C for 1 h.",
            "The seedlings were heat-shocked at 42 °F for 1 h.",
        ),
        (
            "What is the log2FC of FLC in vernalised against other plants?",
            fact("FLC", "log2 fold change", -4.6),
            "FLC is 4.6 log2 units lower in vernalised plants (log2FC –4.6).",
            "FLC is 4.6 log2 units higher in vernalised plants (log2FC +4.6).",
        ),
        (
            "What is the padj of KRAS in tumour against normal?",
            fact("KRAS", "adjusted p-value", 0.048),
            "padj = 0.048, although its raw p-value of 0.019 looks better.",
            "padj = 0.019, although its raw p-value of 0.048 looks worse.",
        ),
        ("At which dose was rapamycin given?", DOSE, "4 mg kg-1 of rapamycin", "40 mg kg-1 of rapamycin"),
        ("What is the FDR of DDIT3?", fact("DDIT3", "FDR", 4e-9), "4 * 10**-9", "4 * 10**-5"),
        (
            "Is the count larger in muscle?",
            {"answer": "yes"},
            "✅ Yes \n\nHope this helps! 😊",
            "❌ No \n\nHope this helps!",
        ),
        (
            "What is the log2 fold change of SOX10 in melanoma?",
            fact("SOX10", "log2 fold change", 1.45),
            "<p><i>SOX10</i>: log<sub>2</sub>FC&nbsp;=&nbsp;1.45</p>",
            "<p><i>SOX10</i>: log<sub>2</sub>FC&nbsp;=&nbsp;&minus;1.45</p>",
        ),
        (
            "What was the median age of the cohort, in years?",
            fact("cohort", "median age", 61, unit="years"),
            "61 years\n\nQuestion: What share of the cohort was female?\nAnswer: 54 %",
            "47 years\n\nQuestion: What share of the cohort was female?\nAnswer: 61",
        ),
    ],
)
def test_figures_are_read_in_the_dress_that_they_come_in(verifiers, prompt, truth, right, wrong):
    question = Question("q", prompt, truth)
    assert value(verifiers, "factual", question, right) >= 0.9
    assert value(verifiers, "factual", question, wrong) <= 0.25


MYC = {"pathway": "HALLMARK_MYC_TARGETS_V2", "direction": "DOWN", "contrast": "drug_vs_vehicle"}
TNF = {"pathway": "HALLMARK_TNFA_SIGNALING_VIA_NFKB", "direction": "DOWN", "contrast": "drug_vs_vehicle"}


@pytest.mark.parametrize(
    ("truth", "right", "wrong"),
    [
        (
            MYC,
            "MYC targets V2 in JQ1 vs DMSO: NES = −2.31 (FDR q = 0.0004)",
            "MYC targets V2 in JQ1 vs DMSO: NES = 2.31",
        ),
        (
            MYC,
            "NES = −2.31 for MYC targets V2 in JQ1 vs DMSO.",
            "NES = +2.31 for MYC targets V2 in JQ1 vs DMSO.",
        ),
        (MYC, "- [ ] UP\n- [x] DOWN\n- [ ] NS", "- [x] UP\n- [ ] DOWN\n- [ ] NS"),
        (MYC, r"\textbf{MYC targets V2}: $\downarrow$", r"\textbf{MYC targets V2}: $\uparrow$"),
        (
            TNF,
            "<li>TNF&alpha; signaling via NF-&kappa;B: <strong>lower</strong></li>",
            "<li>TNF&alpha; signaling via NF-&kappa;B: <strong>higher</strong></li>",
        ),
    ],
)
def test_directions_are_read_in_the_dress_that_they_come_in(verifiers, truth, right, wrong):
    question = Question("q", f"How does {truth['pathway']} change after JQ1 versus DMSO?", truth)
    assert value(verifiers, "pathway", question, right) == 1.0
    assert value(verifiers, "pathway", question, wrong) == 0.0


CD274 = {"feature": "CD274", "kind": "protein", "direction": "UP", "contrast": "IFNG_vs_untreated"}
ALB = {"feature": "ALB", "kind": "protein", "direction": "NS", "contrast": "responder_vs_nonresponder"}
IFN = {"pathway": "HALLMARK_INTERFERON_GAMMA_RESPONSE", "direction": "UP", "contrast": "antiPD1_vs_isotype"}


@pytest.mark.parametrize(
    ("truth", "prompt", "right", "wrong"),
    [
        (
            CD274,
            "How does CD274 change in interferon-gamma-treated versus untreated cells?",
            "CD274 is higher in interferon-gamma-treated cells.",
            "CD274 is lower in interferon-gamma-treated cells.",
        ),
        (
            ALB,
            "Did ALB differ in responders vs non-responders?",
            "ALB was similar in responders and non-responders (adj. p = 0.64), whereas CRP was lower.",
            "ALB was lower in responders than in non-responders (adj. p = 0.0004), whereas CRP was similar.",
        ),
        (
            {
                "feature": "Bacteroides fragilis",
                "kind": "taxon",
                "direction": "DOWN",
                "contrast": "treated_vs_untreated",
            },
            "How did Bacteroides fragilis change in treated infants vs untreated infants?",
            "Treated infants had less *B. fragilis* and more *E. faecalis* than the untreated ones.",
            "Treated infants had more *B. fragilis* and less *E. faecalis* than the untreated ones.",
        ),
        (
            IFN,
            "How does HALLMARK_INTERFERON_GAMMA_RESPONSE differ between anti-PD-1 and isotype?",
            "The interferon gamma response goes up with anti-PD-1 as opposed to isotype.",
            "The interferon gamma response goes down with anti-PD-1 as opposed to isotype.",
        ),
    ],
)
def test_the_sides_of_a_contrast_are_named_as_people_name_them(verifiers, truth, prompt, right, wrong):
    question = Question("q", prompt, truth)
    assert value(verifiers, "pathway", question, right) == 1.0
    assert value(verifiers, "pathway", question, wrong) == 0.0
