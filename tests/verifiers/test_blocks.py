"""The answer block: read in every dress, graded slot by slot, unread with a reason where it is none."""

from __future__ import annotations

import pytest

from biorlhf.ground_truth import gold_answer, instruction, slots
from biorlhf.types import Question
from biorlhf_plugins.language.block import find_block, read_confidence
from biorlhf_plugins.truth.judged import judge

DIRECTION = {
    "pathway": "HALLMARK_E2F_TARGETS", "direction": "DOWN", "tissue": "thymus",
    "contrast": "flight_vs_ground",
}  # fmt: skip
COUNT = {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]}
DOSE = {
    "facts": [{"entity": "A549", "condition": "trametinib", "quantity": "IC50", "value": 14, "unit": "nM"}]
}
TWO_COUNTS = {
    "facts": [
        {"entity": "liver", "condition": "HU", "quantity": "DEG count", "value": 4110},
        {"entity": "liver", "condition": "HU+IR", "quantity": "DEG count", "value": 6213},
    ]
}
CLASS = {
    "facts": [{"entity": "soleus", "quantity": "KMP response type", "value": "A", "choices": ["A", "B", "C"]}]
}
SMALL = {"facts": [{"entity": "EPCAM", "quantity": "adjusted p", "value": 1.2e-5}]}
FORMS = {
    "direction": (
        DIRECTION,
        ["DOWN", "down", "downregulated", "DOWN in flight relative to ground", "higher in ground controls",
         "DOWN (NES -2.1, padj 0.001)", "not UP but DOWN", "DOWN rather than UP", "B) DOWN"],
        ["UP", "not UP", "UP rather than DOWN", "UP or DOWN", "NS", "higher in flight", "not down"],
    ),
    "directions": (
        {"pathway": "HALLMARK_HYPOXIA", "tissue_directions": {"eye": "NS", "thymus": "UP"},
         "contrast": "flight_vs_ground"},
        ["eye: NS; thymus: UP", "Eye: not significant, Thymus: up", "thymus: UP; eye: n.s."],
        ["eye: UP; thymus: NS", "UP"],
    ),
    "figure": (
        COUNT,
        ["6,425", "6425", "6425 DEGs", "6,425 genes", "6 425", "6'425"],
        ["6,4250", "16,425", "642", "6,425 or 165", "6425-6500", "at least 6,425"],
    ),
    "figure with a unit": (DOSE, ["14 nM", "14", "0.014 µM"], ["14 µM", "140 nM", "14 %"]),
    "small figure": (SMALL, ["1.2e-5", "1.2 × 10^-5", "1.2 × 10⁻⁵"], ["1.2e-6", "1.2"]),
    "figures": (
        TWO_COUNTS,
        ["HU: 4,110; HU+IR: 6,213", "HU+IR: 6,213; HU: 4110", "HU = 4,110; HU+IR = 6,213"],
        ["HU: 6,213; HU+IR: 4,110", "HU: 4,110"],
    ),
    "class": (CLASS, ["A", "Type A", "type a", "A (stress-activated)"], ["B", "A or B", "A, B or C"]),
    "yes or no": (
        {"answer": "yes"}, ["yes", "Yes", "Yes, because 1,221 > 1,000"], ["no", "Yes and no", "maybe"]
    ),
    "ranking": (
        {"ranking": ["soleus", "liver", "heart"]},
        ["soleus > liver > heart", "Soleus, liver, heart", "heart < liver < soleus",
         "1) soleus 2) liver 3) heart", "soleus, liver and heart", "soleus, then liver, then heart"],
        ["heart > liver > soleus", "soleus", "soleus > liver > heart > soleus"],
    ),
    "name": ({"answer": "soleus"}, ["soleus", "Soleus", "the soleus"], ["heart", "soleus, heart"]),
    "share": ({"facts": [{"entity": "drug", "quantity": "response rate", "value": "35%"}]},
              ["35%", "35 %", "35 percent"], ["0.35%", "53%"]),
}  # fmt: skip
DRESSES = (
    "Reasoning first, as long as it likes.\nAnswer: {v}\nConfidence: {c}",
    "**Answer:** {v}\n**Confidence:** {c}",
    "**Answer: {v}**\n**Confidence: {c}**",
    "- Answer: {v}\n- Confidence: {c}",
    "* **Answer**: {v}\n* **Confidence**: {c}",
    "### Answer\n{v}\n\n### Confidence\n{c}",
    "## Answer: {v}\n## Confidence: {c}",
    "ANSWER: {v}\nCONFIDENCE: {c}",
    "answer: {v}\nconfidence: {c}",
    "**Final Answer:** {v} \n\n**Confidence Level:** {c}",
    "> Answer: {v}\n> Confidence: {c}",
    "1. Answer: {v}\n2. Confidence: {c}",
    "| Answer | Confidence |\n|---|---|\n| {v} | {c} |",
    "| Answer | {v} |\n|---|---|\n| Confidence | {c} |",
    "<answer>{v}</answer>\n<confidence>{c}</confidence>",
    "<answer>\n{v}\n</answer>\n<confidence>\n{c}\n</confidence>",
    "Thus \\boxed{{{v}}}\nConfidence: {c}",
    "Answer: \\boxed{{\\text{{{v}}}}}\nConfidence: {c}",
    '```json\n{{"answer": "{v}", "confidence": "{c}"}}\n```',
    '{{"reasoning": "so", "answer": "{v}", "confidence": "{c}"}}',
    "Answer：{v}\nConfidence：{c}",
    "Antwort: {v}\nKonfidenz: {c}",
    "**Antwort:** {v}\n**Sicherheit:** {c}",
    "Réponse : {v}\nConfiance : {c}",
    "Réponse finale : {v}\nConfiance : {c}",
    "Respuesta: {v}\nConfianza: {c}",
    "答案：{v}\n置信度：{c}",
    "Answer: {v}. Confidence: {c}.",
    "Answer: {v} (confidence: {c})",
    "Answer: {v}, confidence {c}",
    "Answer: `{v}`\nConfidence: `{c}`",
    "Confidence: {c}\nAnswer: {v}",
    "<think>Answer: nonsense</think>\nAnswer: {v}\nConfidence: {c}",
    "Answer: 999 things\nConfidence: 10%\n\nOn reflection:\nAnswer: {v}\nConfidence: {c}",
    "```\nAnswer: {v}\nConfidence: {c}\n```",
    "The answer is: {v}\nConfidence: {c}",
    "Answer:\n{v}\nConfidence:\n{c}",
    "Answer - {v}\nConfidence - {c}",
    "<p><b>Answer:</b> {v}</p>\n<p><b>Confidence:</b> {c}</p>",
    "<table><tr><th>Answer</th><th>Confidence</th></tr>\n<tr><td>{v}</td><td>{c}</td></tr></table>",
    "\\begin{{itemize}}\n\\item \\textbf{{Answer}}: {v}\n\\item Confidence: {c}\n\\end{{itemize}}",
    "Ａｎｓｗｅｒ：{v}\nＣｏｎｆｉｄｅｎｃｅ：{c}",
    "【答案】{v}\n【置信度】{c}",
    "最終回答：{v}\n確信度：{c}",
    "{{'answer': '{v}', 'confidence': '{c}'}}",
    "+---+\n| Answer | Confidence |\n+---+\n| {v} | {c} |\n+---+",
    "🧬 Answer: {v}\n🎯 Confidence: {c}",
    "Answer\n------\n{v}\n\nConfidence\n----------\n{c}",
    "[ANSWER]{v}[/ANSWER]\n[CONFIDENCE]{c}[/CONFIDENCE]",
    '<answer kind="final">{v}</answer><confidence unit="of one">{c}</confidence>',
    "&lt;answer&gt;{v}&lt;/answer&gt;\n&lt;confidence&gt;{c}&lt;/confidence&gt;",
    "<answer>Answer: {v}</answer>\n<confidence>Confidence: {c}</confidence>",
    "Answer | {v}\nConfidence | {c}",
    "Answer\t{v}\nConfidence\t{c}",
    "Set | Answer | Confidence\n--- | --- | ---\nE2F | {v} | {c}",
    "Answer: \\boxed{{{v}}}\nConfidence: \\boxed{{{c}}}",
    "Step 3: Answer: {v}\nStep 4: Confidence: {c}",
    "Final verdict: {v}\nConf.: {c}",
    "Revised answer: {v}\nMy confidence in answer: {c}",
    "Answer to the question: {v}\nLevel of certainty: {c}",
    "**Answer**\n: {v}\n\n**Confidence**\n: {c}",
    "Answer ⇒ {v}\nConfidence ⇒ {c}",
    "Answer <- {v}\nConfidence <- {c}",
    "Answer:\n```\n{v}\n```\nConfidence:\n```\n{c}\n```",
)
CONFIDENCES = (
    ("80%", 0.8),
    ("80 %", 0.8),
    ("0.8", 0.8),
    ("80", 0.8),
    ("8/10", 0.8),
    ("high", 0.9),
    ("80 percent", 0.8),
    ("I am about 80% sure.", 0.8),
    ("eighty-five percent", 0.85),
    ("eight out of ten", 0.8),
    ("$\\approx 80\\%$", 0.8),
)


def question(truth: dict) -> Question:
    return Question("q", "What does the table say?", truth, instruction=instruction(truth))


def cases():
    for form, (truth, right, wrong) in FORMS.items():
        for number, dress in enumerate(DRESSES):
            for place, (value, good) in enumerate([(v, True) for v in right] + [(v, False) for v in wrong]):
                told, sure = CONFIDENCES[(number + place) % len(CONFIDENCES)]
                yield form, truth, dress.format(v=value, c=told), good, sure


def test_every_dress_of_every_form_is_read_as_it_was_meant():
    """More than 500 blocks, none misread; what is not read says why."""
    misread, count = [], 0
    for form, truth, text, good, sure in cases():
        count += 1
        found = judge(question(truth), text)
        told = found.confidence.value == pytest.approx(sure)
        if bool(found.correct) != good or not told or (not found.answered and not found.unread):
            misread.append((form, text, found.correct, found.confidence, found.unread))
    assert count > 500
    assert misread == []


@pytest.mark.parametrize("form", FORMS)
def test_the_gold_answer_of_a_form_is_right_in_that_form(form):
    truth = FORMS[form][0]
    assert judge(question(truth), f"Answer: {gold_answer(truth)}\nConfidence: 90%").correct


@pytest.mark.parametrize(
    "value",
    [
        "cannot be determined",
        "Cannot be determined.",
        "unknown",
        "nicht bestimmbar",
        "indéterminable",
        "无法确定",
    ],
)
def test_a_block_may_decline_in_any_form(value):
    for truth, *_ in FORMS.values():
        found = judge(question(truth), f"Answer: {value}\nConfidence: 20%")
        assert found.abstained, (value, truth)
        assert not found.answered


def test_where_a_block_was_asked_for_prose_is_no_answer_and_elsewhere_it_is_read():
    text = "In flight thymus, E2F targets are down. Confidence: 90%"
    asked, free = question(DIRECTION), Question("q", "Which way do E2F targets go?", DIRECTION)
    assert judge(asked, text).reading == "no block"
    assert not judge(asked, text).answered
    assert judge(free, text).reading == "free"
    assert judge(free, text).correct


def test_an_unread_block_says_why_and_is_graded_as_no_answer():
    found = judge(question(COUNT), "Answer: a great many\nConfidence: 80%")
    assert found.reading == "unread block"
    assert found.unread == ("no figure: 'a great many'",)
    assert not found.answered


def test_an_echo_of_the_instruction_offers_every_choice_and_so_answers_nothing():
    truth = DIRECTION
    found = judge(question(truth), f"What does the table say?\n\n{instruction(truth)}")
    assert not found.correct
    assert all(not any(part.credits) for part in found.parts)


def test_instructions_do_not_tell_what_can_be_answered():
    tested = {**DIRECTION, "choices": ["UP", "DOWN", "NS"]}
    untested = {
        "answerable": False, "form": "direction", "contrast": "flight_vs_ground",
        "choices": ["UP", "DOWN", "NS"],
    }  # fmt: skip
    assert instruction(tested) == instruction(untested)
    assert instruction(COUNT) == instruction({"answerable": False, "form": "figure"})
    assert gold_answer(untested) == "cannot be determined"
    assert slots(untested) == ()


def test_two_confidences_that_disagree_are_none():
    found = judge(question(COUNT), "Answer: 6,425\nConfidence: 90%\nConfidence: 20%")
    assert found.correct
    assert found.confidence.value is None
    assert "0.9" in found.confidence.problem


@pytest.mark.parametrize("text", ["120%", "-5%", "sure", "", "7/5"])
def test_what_is_no_confidence_says_so(text):
    value, problem = read_confidence(text)
    assert value is None
    assert problem


def test_a_text_without_a_label_has_no_block():
    assert find_block("The answer lies in the table; I am 90% sure.") is None
    assert find_block("<think>Answer: UP") is None


CONTRADICTORY = {
    "direction": ("UP, but DOWN", "DOWN; no, UP", "UP (i.e. downregulated)", "DOWN, that is NS",
                  "UP, i.e. higher in ground controls"),
    "figure": ("6,425 (no, 2,000)", "6,425 = 2,000", "6,425 → 2,000"),
    "yes or no": ("yes (no)", "no, yes", "yes, or rather no"),
}  # fmt: skip


@pytest.mark.parametrize(("form", "value"), [(f, v) for f, listed in CONTRADICTORY.items() for v in listed])
def test_a_value_that_contradicts_itself_is_never_right(form, value):
    truth = FORMS[form][0]
    assert not judge(question(truth), f"Answer: {value}\nConfidence: 80%").correct


@pytest.mark.parametrize(
    "value", ["UP, i.e. lower in ground controls", "UP (not down)", "UP, because DNA repair rises"]
)
def test_a_value_that_is_said_again_in_other_words_stands(value):
    assert judge(question({**DIRECTION, "direction": "UP"}), f"Answer: {value}\nConfidence: 80%").correct


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("0.9 (90%)", 0.9),
        ("90% (0.9)", 0.9),
        ("9/10", 0.9),
        ("4/5", 0.8),
        ("HIGH (90%)", 0.9),
        ("65% (n = 4)", 0.65),
    ],
)
def test_a_confidence_may_be_said_twice(value, read):
    assert read_confidence(value)[0] == pytest.approx(read)


@pytest.mark.parametrize(
    "value",
    ["0.9 (60%)", "70-90%", "0.7–0.9", "-20%", "120%", "1.2", "NaN", "high (30%)", "95% (low)", "80%, 20%",
     ">80%", "≥ 90%", "80 ± 10%", "0.8.1"],
)  # fmt: skip
def test_a_confidence_that_is_none_or_two_is_unread_with_a_reason(value):
    stated, problem = read_confidence(value)
    assert stated is None
    assert problem
