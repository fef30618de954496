"""Names that differ in a number or a letter alone are other names, in a block and read freely."""

from __future__ import annotations

import pytest

from biorlhf.ground_truth import block, instruction, names_of
from biorlhf.plugins import load
from biorlhf.types import Question
from biorlhf_plugins.truth.judged import judge

ALIKE = (
    ("MODULE_SET_4", "MODULE_SET_7"), ("cohort_12", "cohort_1"), ("IL7", "IL17"), ("miR-29a", "miR-29b"),
    ("GO:0042110", "GO:0042111"), ("volunteer 6", "volunteer 9"), ("Clade C", "Clade D"), ("Day -3", "Day 3"),
    ("Kv1.3", "Kv1.5"), ("XBB.1", "XBB.5"), ("MHC class I", "MHC class II"), ("OTU_5", "OTU_55"),
)  # fmt: skip


def graded(truth, prompt, text, asked=False):
    form = instruction(truth) if asked else ""
    return judge(Question("q", prompt, truth, instruction=form), text)


@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_the_other_of_two_names_that_are_alike_is_wrong(name, other):
    truth = {"answer": name}
    assert graded(truth, "Which changes most?", block(name, 80), asked=True).correct
    assert not graded(truth, "Which changes most?", block(other, 80), asked=True).correct
    assert graded(truth, "Which changes most?", f"{name} changes most.").correct
    assert not graded(truth, "Which changes most?", f"{other} changes most.").correct


@pytest.mark.parametrize(("name", "other"), ALIKE)
def test_the_direction_of_the_other_name_is_not_the_asked_ones(name, other):
    truth = {"feature": name, "kind": "gene", "direction": "UP", "contrast": "treated_vs_control"}
    asked = f"Which way does {name} go, treated against control?"
    assert graded(truth, asked, f"{name} is upregulated in treated samples.").correct
    assert not graded(truth, asked, f"{other} is upregulated in treated samples.").correct


@pytest.mark.parametrize(("one", "other"), [("20 µM", "200 µM"), ("day 2", "day 9"), ("siRNA-1", "siRNA-3")])
def test_figures_of_two_conditions_that_are_alike_may_not_be_exchanged(one, other):
    facts = [{"entity": "K562", "condition": c, "quantity": "viability", "value": v}
             for c, v in ((one, 31.5), (other, 88.2))]  # fmt: skip
    text = "The viability of K562 is {}% in {} and {}% in {}."
    asked = f"What is the viability of K562 in {one} and in {other}?"
    assert graded({"facts": facts}, asked, text.format(31.5, one, 88.2, other)).correct
    assert graded({"facts": facts}, asked, text.format(88.2, one, 31.5, other)).factual.f1 == 0


LISTS = (
    "Glycolysis. Hypoxia. Apoptosis. Angiogenesis.",
    "Glycolysis, hypoxia, apoptosis and angiogenesis are all candidates.",
    "The set is glycolysis. The set is hypoxia. The set is apoptosis. The set is angiogenesis.",
    "It is angiogenesis, hypoxia, apoptosis or glycolysis.",
)


@pytest.mark.parametrize("text", LISTS)
def test_every_candidate_of_one_slot_earns_no_more_than_declining(text):
    found = graded({"answer": "Glycolysis"}, "Which gene set is the most enriched?", text)
    assert found.factual.f1 <= found.factual.guess
    assert graded(
        {"answer": "Glycolysis"}, "Which gene set is the most enriched?", "It is glycolysis."
    ).correct


def test_the_tissue_of_a_question_is_no_candidate():
    truth = {"answer": "GATA6", "choices": ["BUB1", "GATA6"], "tissue": "colon"}
    asked = "Which of BUB1 and GATA6 is lower in colon?"
    assert graded(truth, asked, "The lower in colon is that of GATA6.").correct


def among(name, *truths):
    """A verifier that knows the names of other questions."""
    return load(entry_points=False).build("verifier", name, {"names": names_of(truths).to_json()})


def counted(entity, value, *aliases):
    fact = {"entity": entity, "quantity": "peak count", "value": value}
    return {"facts": [{**fact, "aliases": list(aliases)} if aliases else fact]}


@pytest.mark.parametrize(
    ("asked", "other"),
    [("JQ1", "DMSO"), ("JQ1", "PBS"), ("kidney", "kidney recipients"), ("bone", "bone muscle"),
     ("HIV", "HIV patients"), ("CD4 T", "CD4 T donor"), ("RR-6", "RR-9")],
)  # fmt: skip
def test_the_figure_of_another_questions_entity_is_not_the_asked_ones(asked, other):
    verifier = among("factual", counted(asked, 412), counted(other, 268))
    question = Question("q", f"How many peaks are there in {asked}?", counted(asked, 412))
    assert verifier.score(question, f"There are 412 peaks in {asked} and 268 in {other}.").value == 1.0
    assert verifier.score(question, f"There are 412 peaks in {other} and 268 in {asked}.").value == 0.0


def test_a_name_in_another_question_takes_nothing_from_the_asked_one():
    others = (counted("stool samples", 3), counted("phosphoproteome", 9, "phosphosites"), counted("IR", 50))
    others += (counted("homozygous knock-out", 7, "-/-"), counted("flight", 9, "flight libraries"))
    verifier = among("factual", *others)
    stool = {"facts": [{"entity": "stool", "quantity": "phosphosites", "value": 412}]}
    question = Question("q", "How many phosphosites are there in the stool?", stool)
    assert verifier.score(question, "There are 412 phosphosites in the stool samples.").value == 1.0
    marrow = {"facts": [{"entity": "liver", "condition": "IR", "quantity": "DEG count", "value": 77}]}
    question = Question("q", "How many DEGs has the liver under IR?", marrow)
    assert verifier.score(question, "IR alone gives 77 ± 3 DEGs in the liver.").value == 1.0


@pytest.mark.parametrize(
    ("truth", "text"),
    [
        ({"facts": [{"entity": "liver", "quantity": "DEG count", "value": 0}]},
         "In liver flight does not change any gene set."),
        ({"pathway": "HALLMARK_HYPOXIA", "tissue": "liver", "direction": "DOWN"},
         "Flight livers show lower levels in keratin genes."),
        ({"pathway": "HALLMARK_HYPOXIA", "tissue": "liver", "direction": "UP"},
         "Though there is no sign that in liver, hypoxia goes up."),
        ({"facts": [{"entity": "liver", "quantity": "DEG count", "value": 96},
                    {"entity": "heart", "quantity": "DEG count", "value": 30}]},
         "In 2023 liver and heart had 812 and 96 DEGs after 30 days, respectively."),
    ],
)  # fmt: skip
def test_a_wording_near_a_rule_does_not_pay(verifiers, truth, text):
    name = "factual" if "facts" in truth else "pathway"
    assert not verifiers[name].score(Question("q", "What is it?", truth), text).value


def test_a_mission_stays_one_where_another_question_speaks_of_it_as_an_entity():
    other = {"facts": [{"entity": "RR-6", "quantity": "dose rate", "value": 0.2}]}
    verifier = among("pathway", other)
    missions = {"RR-6": "UP", "MHU-1": "DOWN"}
    truth = {"pathway": "HALLMARK_HYPOXIA", "tissue": "thymus", "missions": missions}
    asked = Question("q", "Which way does hypoxia go in RR-6 and MHU-1?", truth)
    assert verifier.score(asked, "Hypoxia is up in RR-6 and down in MHU-1.").value == 1.0
    assert verifier.score(asked, "Hypoxia is down in RR-6 and up in MHU-1.").value == 0.0
