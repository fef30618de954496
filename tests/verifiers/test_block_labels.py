"""What stands before a figure in an answer block: a label of the question's own, or another's name."""

from __future__ import annotations

import pytest

from biorlhf import Question

GENE = {"facts": [{"entity": "TOP2A", "quantity": "log2 fold change", "value": 3.2}]}
DOSE = {"facts": [{"entity": "gefitinib", "quantity": "IC50", "value": 14, "unit": "nM"}]}
TISSUE = {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]}
SET = {"facts": [{"entity": "Apoptosis", "quantity": "NES", "value": 1.9}]}
QUESTIONS = {
    "gene": Question("q", "What is the log2 fold change of TOP2A, tumour against normal?", GENE),
    "dose": Question("q", "What is the IC50 of gefitinib in PC9 cells?", DOSE),
    "tissue": Question("q", "How many DEGs does HU cause in the soleus?", TISSUE),
    "set": Question("q", "Give the NES of apoptosis in the TP53 knock-out.", SET),
}


def score(verifiers, about, value):
    asked = QUESTIONS[about]
    return verifiers["factual"].score(asked, f"Answer: {value}\nConfidence: 90%")


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("gene", "log2FC = 3.2"),
        ("gene", "TOP2A log2FC = 3.2"),
        ("gene", "TOP2A: 3.2"),
        ("gene", "log2FC: 3.2 (padj 1e-9)"),
        ("dose", "IC50 = 14 nM"),
        ("dose", "IC50 in PC9: 0.014 µM"),
        ("tissue", "soleus: 6,425"),
        ("tissue", "HU, soleus: 6,425 DEGs"),
        ("set", "NES = 1.9"),
        ("set", "TP53 knock-out: 1.9"),
    ],
)
def test_a_figure_is_read_behind_a_label_of_the_question(verifiers, about, value):
    found = score(verifiers, about, value)
    assert found.value == 1.0
    assert found.details["reading"] == "block"


@pytest.mark.parametrize(
    ("about", "value"),
    [
        ("gene", "KRAS log2FC = 3.2"),
        ("gene", "KRAS: 3.2"),
        ("gene", "log2FC = 2.3"),
        ("tissue", "liver: 6,425"),
        ("tissue", "heart, HU: 6,425 DEGs"),
        ("set", "Hypoxia: 1.9"),
        ("set", "KRAS signaling NES = 1.9"),
    ],
)
def test_the_right_figure_of_another_name_earns_nothing(verifiers, about, value):
    assert score(verifiers, about, value).value == 0.0


def test_a_label_of_another_name_is_named_in_the_details(verifiers):
    unread = score(verifiers, "gene", "KRAS: 3.2").details["unread"]
    assert unread == ["a figure of 'KRAS', which was not asked for"]


def test_a_bare_no_counts_nothing_and_no_genes_counts_none(verifiers):
    none = {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 0}]}
    asked = Question("q", "How many DEGs does HU cause in the soleus?", none)
    assert verifiers["factual"].score(asked, "The answer is no.").value <= 0.2
    assert verifiers["factual"].score(asked, "Answer: no DEGs").value == 1.0
