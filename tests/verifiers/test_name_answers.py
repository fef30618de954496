"""A name is the answer where it answers, and not where it is spoken of in another part."""

from __future__ import annotations

import pytest

from biorlhf import Question


def named(question: str, name: str) -> Question:
    return Question("n", question, {"answer": name})


TALLEST = named("Which line is the tallest?", "Kasalath")
LARGEST = named("Which gene has the largest increase in the infected lung?", "Cxcl10")
MARKER = named("Which gene marks cluster 3?", "PAX8")
DOMINANT = named("Which genus dominates the gut of the fasted mice?", "Akkermansia")


@pytest.mark.parametrize(
    ("question", "right", "wrong"),
    [
        (TALLEST, "Kasalath is the tallest and Nipponbare the shortest.",
         "Nipponbare is the tallest and Kasalath the shortest."),
        (LARGEST, "Cxcl10 has the largest increase, whereas Scgb1a1 has the largest decrease.",
         "Scgb1a1 has the largest increase, whereas Cxcl10 has the largest decrease."),
        (LARGEST, "The increase is largest for Cxcl10; the decrease is largest for Scgb1a1.",
         "The increase is largest for Scgb1a1; the decrease is largest for Cxcl10."),
        (MARKER, "Cluster 3 is marked by PAX8; LRP2 marks cluster 1.",
         "Cluster 3 is marked by LRP2; PAX8 marks cluster 1."),
        (DOMINANT, "In the fasted mice Akkermansia takes over. The fed ones are mostly Lactobacillus.",
         "In the fasted mice Lactobacillus takes over. The fed ones are mostly Akkermansia."),
        (DOMINANT, "Akkermansia dominates, with half of the reads; Lactobacillus makes up a tenth.",
         "Lactobacillus dominates, with half of the reads; Akkermansia makes up a tenth."),
        (DOMINANT, "## Answer\n\nThe fasted mice are dominated by Akkermansia.",
         "## Answer\n\nThe fasted mice are dominated by Lactobacillus."),
        (DOMINANT, "The answer is as follows.\n\nAkkermansia dominates in the fasted mice.",
         "The answer is as follows.\n\nLactobacillus dominates in the fasted mice."),
    ],
)  # fmt: skip
def test_the_name_in_the_clause_that_answers_counts(verifiers, question, right, wrong):
    assert verifiers["factual"].score(question, right).value == 1.0
    assert not verifiers["factual"].score(question, wrong).value


SET = Question(
    "s",
    "Is bile acid metabolism up or down in the ileum of patients versus controls?",
    {"pathway": "HALLMARK_BILE_ACID_METABOLISM", "direction": "DOWN", "contrast": "patients_vs_controls"},
)
GENE = Question(
    "g",
    "Is the gene IL6 up, down or not significantly changed in LPS relative to Ctrl?",
    {"feature": "IL6", "kind": "gene", "direction": "UP", "contrast": "LPS_vs_Ctrl"},
)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (SET, "It was downregulated, with SLC10A2, FABP6 and NR1H4 in the leading edge."),
        (SET, "It is downregulated, driven by SLC10A2 and FABP6."),
        (SET, "It was downregulated (SLC10A2, FABP6 and NR1H4 in the leading edge)."),
        (GENE, "| gene | direction |\n|---|---|\n| IL6R | DOWN |\n| IL6 | UP |"),
    ],
)
def test_what_bears_a_direction_out_and_a_tables_other_rows_take_nothing_away(verifiers, question, text):
    assert verifiers["pathway"].score(question, text).value == 1.0


def test_an_enrichment_that_was_calculated_goes_nowhere(verifiers):
    text = "Batch effects were removed before the enrichment was calculated."
    assert not verifiers["pathway"].score(SET, text).value
    up = Question("u", SET.prompt, {**SET.ground_truth, "direction": "UP"})
    assert not verifiers["pathway"].score(up, text).value


def fact(value: str) -> Question:
    facts = [
        {"entity": "spleen", "condition": "infected vs mock", "quantity": "most changed", "value": value}
    ]
    return Question("f", "Which changed most in the spleen?", {"facts": facts})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("CD14+ monocytes", "CD14 monocytes changed the most."),
        ("CD8 T cells", "CD8+ T cells changed the most."),
        ("HALLMARK_OXIDATIVE_PHOSPHORYLATION", "Oxidative phosphorylation changed the most."),
        ("HALLMARK_OXIDATIVE_PHOSPHORYLATION", "Answer: Oxidative phosphorylation\nConfidence: 80%"),
    ],
)
def test_a_name_may_be_written_in_more_than_one_way(verifiers, value, text):
    assert verifiers["factual"].score(fact(value), text).value == 1.0
    answer = Question("a", fact(value).prompt, {"answer": value})
    assert verifiers["factual"].score(answer, text).value == 1.0


def test_the_most_of_something_is_not_the_other_end_of_the_lowest(verifiers):
    question = Question("l", "Which compound had the lowest IC50?", {"answer": "trametinib"})
    text = "Trametinib was the most potent, with an IC50 of 1.2 nM, compared with 14 nM for selumetinib."
    assert verifiers["factual"].score(question, text).value == 1.0
