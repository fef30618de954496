"""Figures, quantities, units, foils and stated confidences in answers of many fields."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from biorlhf import Question
from biorlhf_plugins.language import extract
from biorlhf_plugins.language.words.measured import quantity_named
from biorlhf_plugins.language.words.text import clean, tokens, visible_text
from biorlhf_plugins.language.words.units import unit_at, unit_of
from biorlhf_plugins.truth.credits import closeness, shared

DATA = Path(__file__).parent / "data"
REAL = Path(__file__).parents[3] / "shared" / "data" / "dev" / "real_answers.jsonl"
PUBLIC = REAL.parent / "public_cases"
RIGHT_BY_CASE = {
    "50": (1, 1, 1, 1, 1, 1, 1, 1),
    "52": (0, None, 1, 1, 0, 1),
    "53": (0, 0, 0, 1),
    "54": (1,) * 6,
    "57": (1,) * 4,
    "63": (1,) * 4,
    "65": (1,) * 3,
    "67": (1,) * 10,
    "68": (0, 1, 0),
}
"""What each answer of a reported case should earn; None where both are right."""

CONFIDENCES = {"63": (0.9,) * 4, "65": (0.6, None, 0.6)}
CATEGORIES = {"HIGH": 0.9, "MEDIUM": 0.6, "LOW": 0.3}
FULL, LOW = 0.9, 0.25


def rows(name):
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def graded_rightly(verifiers, row):
    score = verifiers["factual"].score(
        Question(row["id"], row["question"], row["ground_truth"]), row["response"]
    )
    return (score.value or 0.0) >= FULL if row["right"] else (score.value or 0.0) <= LOW


def test_own_answers_are_graded_as_labelled(verifiers):
    own = rows("figures.jsonl")
    missed = [row["id"] for row in own if not graded_rightly(verifiers, row)]
    assert len(missed) <= 0.03 * len(own), missed


@pytest.mark.parametrize(
    "row", rows("figures_confidence.jsonl"), ids=lambda row: f"{row['id']}-{row['kind']}"
)
def test_a_stated_confidence_is_read_as_labelled(row):
    assert extract(row["response"], row["question"]).confidence.value == (
        None if row["confidence"] is None else pytest.approx(row["confidence"])
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [("6’425", 6425), ("６４２５", 6425), ("共有6425個", 6425), ("3×10⁻³", 0.003), ("10⁶", 1e6),
     (r"$3 \times 10^{-3}$", 0.003),
     ("3*10^(-3)", 0.003), ("1.555,3", 1555.3), ("35,5 %", 35.5), ("2E-4", 2e-4)],
)  # fmt: skip
def test_a_number_is_read_in_its_forms(text, value):
    found = [t.number.value for t in tokens(clean(text).text) if t.number is not None]
    assert found == [pytest.approx(value)]


@pytest.mark.parametrize("text", ["6,4250", "1.2.3", "12,34,5", "1,2,3", "6'42"])
def test_digits_that_are_grouped_as_no_number_are_none(text):
    assert [t.number.unit for t in tokens(clean(text).text) if t.number is not None] == ["name"]


@pytest.mark.parametrize(
    ("text", "seen"),
    [("<think>5</think>6", "6"), ("<think>5", ""), ("5</think>6", "6"), ("<think>4</think>5<think>6", "5"),
     ("<thinking>5</thinking>6", "6"), ("<think>4</think>5</think>6", "6")],
)  # fmt: skip
def test_reasoning_in_think_tags_is_no_answer(text, seen):
    assert visible_text(text).strip() == seen
    assert len(visible_text(text)) == len(text)


@pytest.mark.parametrize(
    ("one", "other", "factor"),
    [("µM", "nM", 1e3), ("uM", "nM", 1e3), ("mmol/L", "µM", 1e3), ("g/kg", "mg/kg", 1e3), ("days", "h", 24),
     ("kb", "bp", 1e3), ("Mb", "kb", 1e3), ("ng/mL", "µg/L", 1), ("cm", "mm", 10)],
)  # fmt: skip
def test_units_convert_by_their_prefixes(one, other, factor):
    left, right = unit_of(one), unit_of(other)
    assert left.dimension == right.dimension
    assert left.size / right.size == pytest.approx(factor)


def test_the_case_of_a_unit_counts():
    assert unit_of("nM").dimension == "concentration"
    assert unit_of("nm").dimension == "length"
    assert unit_of("genes") is None
    assert unit_at("14 in all", 0, 2) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("DEG count", "deg"), ("number of genes", "deg"), ("differentially expressed genes", "deg"),
     ("NES of glycolysis", "nes"), ("mean |log2FC|", "log2fc"), ("fold change", "fc"),
     ("percent upregulated", "percent"),
     ("upregulated DEGs", "deg_up"), ("ratio", "ratio"), ("concentration", "concentration"),
     ("gene expression", "gene expression"), ("cell count", "cell count"), ("adjusted p", "padj")],
)  # fmt: skip
def test_a_quantity_is_named_by_words(text, name):
    assert quantity_named(text).name == name


@pytest.mark.parametrize(
    ("stated", "gold", "approximate", "decimals", "digits", "credit"),
    [(2.3, 2.34, False, 1, 2, 1.0), (2.0, 2.34, False, 0, 1, 0.0), (2.32, 2.34, False, 2, 3, 0.9),
     (6400.0, 6425.0, False, 0, 4, 0.9), (6200.0, 6425.0, True, 0, 4, 0.6), (-2.34, 2.34, False, 2, 3, 0.0),
     (0.0, 0.004, False, 2, 1, 0.0), (0.0, 0.0, False, 0, 1, 1.0)],
)  # fmt: skip
def test_closeness_of_a_figure(stated, gold, approximate, decimals, digits, credit):
    assert closeness(stated, gold, approximate, decimals, digits) == credit


def test_many_rivals_are_worth_a_guess_at_most():
    assert shared(1.0, 1, 0.2) == 1.0
    assert shared(1.0, 2, 0.2) == 0.5
    assert shared(1.0, 3, 0.2) == 0.2


def as_expected(verifiers, row):
    def score(text):
        question = Question(row["id"], row["question"], row["ground_truth"])
        return verifiers[row["verifier"]].score(question, text)

    if "honest" in row:
        honest, hack = score(row["honest"]).value, score(row["hack"]).value
        return honest is not None and honest > (hack or 0.0)
    found, expect = score(row["response"]), row["expect"]
    if found.value is None:
        return str(found.status.value) in (expect.get("status"), expect.get("or_status"))
    return expect.get("min", 0.0) - 1e-9 <= found.value <= expect.get("max", 1.0) + 1e-9


def test_answers_that_others_wrote_are_graded_at_the_share_reached(verifiers):
    foreign = rows("figures_foreign.jsonl")
    missed = [row["id"] for row in foreign if not as_expected(verifiers, row)]
    assert len(missed) <= 0.03 * len(foreign), missed


@pytest.mark.skipif(not REAL.exists(), reason="the shared answers are not part of the repository")
def test_the_confidence_of_real_answers_is_read_as_a_person_reads_it():
    answers = [json.loads(line) for line in REAL.read_text("utf-8").splitlines()]
    missed = []
    for row in answers:
        told = row["confidence_number"]
        wanted = CATEGORIES.get(row["confidence"]) if told is None else told / 100 if told > 1 else told
        found = extract(row["response"], row["prompt"]).confidence.value
        if (found is None) != (wanted is None) or abs((found or 0.0) - (wanted or 0.0)) > 0.05:
            missed.append(row["id"])
    assert len(missed) <= 0.03 * len(answers), missed


@pytest.mark.skipif(not PUBLIC.exists(), reason="the reported cases are not part of the repository")
@pytest.mark.parametrize("case", RIGHT_BY_CASE)
def test_reported_cases_earn_what_they_should(verifiers, case):
    file = next(PUBLIC.glob(f"{case}-*")) / "answers.jsonl"
    answers = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for row, wanted in zip(answers, RIGHT_BY_CASE[case], strict=True):
        question = Question(row["id"], row["prompt"], row["ground_truth"])
        assert wanted in (None, verifiers["factual"].score(question, row["response"]).value), row["id"]
    if case in CONFIDENCES:
        read = [extract(row["response"], row["prompt"]).confidence.value for row in answers]
        assert read == list(CONFIDENCES[case])
