"""What a lab is asked about its tables: families, places, thresholds, figures, splits, in whole sentences."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from biorlhf import DataError, RecipeError, RewardComposer, Status
from biorlhf import recipe as recipes
from biorlhf.commands import dryrun
from biorlhf.scoring.spec import ScorerSpec
from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.tables.config import FAMILIES, LabConfig, load_lab
from biorlhf_plugins.datasets.tables.phrases import effect_text, p_text
from biorlhf_plugins.making.splits import leaks

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "lab" / "lab.yaml"
GENES = "gene,log2FoldChange,pvalue,padj\n" + "".join(
    f"{name},{(1 if n % 2 else -1) * (0.4 + n / 10):.2f},1e-6,{1e-5 if n % 3 else 0.4}\n"
    for n, name in enumerate(
        "TP53 MYC EGFR SOX2 MDM2 BAX CCNB1 CDK1 IL6 TNF CA9 LDHA MX1 OAS1 VWF DES".split()  # noqa: SIM905
    )
)


def lab(folder: Path, *tables_of: str, head: str = "") -> LabConfig:
    """A lab of one DESeq2 file under each of the given descriptions."""
    text = f"name: small\n{head}tables:\n"
    for number, own in enumerate(tables_of):
        (folder / f"{number}.csv").write_text(GENES)
        text += f"  - {{file: {number}.csv, tool: deseq2, thresholds: {{padj: 0.05, effect: 1}}, {own}}}\n"
    (folder / "lab.yaml").write_text(text)
    return load_lab(folder / "lab.yaml")


def test_the_plan_of_a_recipe_with_a_lab_shows_no_default_that_the_lab_replaces():
    shown = dryrun.plan(recipes.load(EXAMPLE.with_name("recipe.yaml")))["recipe"]["data"]
    assert shown == [{"dataset": "tables", "lab": str(EXAMPLE)}]


DRUG = "condition: {c}, contrast: {{numerator: palbociclib, denominator: vehicle}}"
FIRST = "cell_line: MCF-7, " + DRUG.format(c="palbociclib 24 h")
SECOND = "cell_line: MCF-7, " + DRUG.format(c="palbociclib 72 h")


@pytest.mark.parametrize("split", ["fact", "paraphrase"])
def test_every_gold_answer_of_the_example_lab_is_right_and_every_wrong_one_is_not(split):
    dataset = tables.build(load_lab(EXAMPLE).model_copy(update={"split": split, "limit": 120}))
    spec = ScorerSpec(active=["V1", "V2", "V3", "V4"]).with_names(dataset.names)
    judge = RewardComposer(["V1", "V2", "V3", "V4"], configs=spec.configs)
    asked = {question.id: question for question in dataset.questions}
    for question in dataset.questions:
        for name, score in judge.score(question, question.answer).scores.items():
            assert score.status is Status.NOT_APPLICABLE or (score.value or 0) >= 0.95, (question, name)
    for pair in dataset.preferences:
        scores = judge.score(asked[pair.id.removesuffix(":dpo")], pair.rejected).scores
        # Of three names, the first two turned round leave one pair of three in order.
        assert max(scores[name].value or 0 for name in ("factual", "pathway")) <= 0.34, pair


def test_all_families_are_asked_and_each_has_a_category_of_its_own():
    dataset = tables.build(load_lab(EXAMPLE).model_copy(update={"limit": None, "split": "fact"}))
    families = {question.family for question in dataset.questions}
    expected = {*FAMILIES, "not_significant", "not_tested", "first", "unanswerable_gene"} - {
        "unanswerable",
        "enrichment",
    }
    assert expected <= families
    assert {q.kind for q in dataset.questions} == {"factual", "reasoning", "calibration"}
    premises = Counter(q.ground_truth["answer"] for q in dataset.questions if q.family == "false_premise")
    assert 0.35 < premises["yes"] / premises.total() < 0.65
    assert leaks(dataset) == []


def test_no_sentence_is_broken_where_names_are_inserted(tmp_path):
    sides = "{numerator: drought_stress, denominator: well_watered}"
    own = f"organism_part: root tip, condition: drought, contrast: {sides}"
    dataset = tables.build(lab(tmp_path, own, FIRST, SECOND))
    texts = [text for q in dataset.questions for text in (q.prompt, q.answer.partition("\nAnswer:")[0])]
    for text in texts:
        assert not re.search(r"[{}_]|  |\bNone\b|\bnan\b|\(\)|\b(the|an?) (the|an?)\b|\.\.", text), text
        assert re.match(r"[A-Z].*[.?]\Z", text, re.DOTALL), text
    prompts = Counter(q.prompt for q in dataset.questions)
    assert prompts.most_common(1)[0][1] == 1  # 24 h and 72 h are told apart, and drought is said once
    assert any("in the root tip" in text for text in texts)
    assert not any("(drought)" in text for text in texts)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ("tissue: lung", " in lung"),
        ("cell_line: A549", " in the cell line A549"),
        ("cell_type: CD8+ T cells", " in CD8+ T cells"),
        ("cell_type: Treg", " in cells of the type Treg"),
        ("organism_part: leaf", " in the leaf"),
        ("organoid: intestinal", " in intestinal organoids"),
        ("strain: BY4741", " in the strain BY4741"),
    ],
)
def test_a_place_is_said_as_what_it_is(tmp_path, own, said):
    dataset = tables.build(
        lab(tmp_path, f"{own}, condition: x, contrast: {{numerator: KO, denominator: WT}}")
    )
    assert all(said in q.prompt.replace("In ", " in ") for q in dataset.questions)
    assert {q.tissue for q in dataset.questions} == {own.partition(": ")[2]}


def test_two_places_are_refused_with_both_named(tmp_path):
    with pytest.raises(RecipeError, match="cell_line and strain are both given"):
        lab(tmp_path, "cell_line: A549, strain: S, condition: x, contrast: {numerator: KO, denominator: WT}")


def test_a_question_of_significance_states_the_thresholds(tmp_path):
    for question in tables.build(lab(tmp_path, FIRST)).questions:
        if question.family in ("direction", "not_significant", "false_premise", "comparison", "first"):
            assert "an adjusted p below 0.05 and an absolute log2 fold change of at least 1" in (
                question.prompt.replace("At an", "an").replace("at an", "an")
            )


def test_a_paraphrase_test_asks_what_was_taught_in_other_words(tmp_path):
    config = lab(tmp_path, FIRST, SECOND, head="split: paraphrase\n")
    dataset = tables.build(config)
    taught = {fact for example in dataset.examples for fact in example.fact_ids}
    test = [q for q in dataset.questions if q.split == "test"]
    assert test
    assert all(set(q.fact_ids) <= taught for q in test)
    assert leaks(dataset, facts_may_cross=True) == []
    assert all(pair.split == "train" for pair in (*dataset.examples, *dataset.preferences))


def test_a_paraphrase_test_holds_no_tissue_out(tmp_path):
    with pytest.raises(RecipeError, match="belongs to 'split: fact'"):
        lab(tmp_path, FIRST, head="split: paraphrase\nsplits: {hold_out_tissues: [MCF-7]}\n")


@pytest.mark.parametrize("split", ["fact", "paraphrase"])
def test_a_limit_holds_for_each_split(split):
    dataset = tables.build(load_lab(EXAMPLE).model_copy(update={"split": split, "limit": 60}))
    counts = Counter(q.split for q in dataset.questions)
    assert max(counts.values()) <= 60
    assert counts["test"] >= 6


def test_families_leave_the_others_out():
    config = load_lab(EXAMPLE).model_copy(update={"families": ("figure", "ranking")})
    assert {q.family for q in tables.build(config).questions} == {"figure", "ranking"}


@pytest.mark.parametrize(
    ("effect", "threshold", "text"),
    [
        (2.128, 1, "+2.13"),
        (0.996, 1, "+0.996"),
        (-0.9999, 1, "-0.9999"),
        (0.0031, 0, "+0.0031"),
        (0, 0, "+0.00"),
    ],
)
def test_a_rounded_effect_stays_on_its_side_of_the_threshold(effect, threshold, text):
    assert effect_text(effect, threshold) == text


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0496, "0.0496"), (0.05, "0.05"), (0.0503, "0.05"), (1.23e-12, "1.2e-12")],
)
def test_a_rounded_p_stays_on_its_side_of_the_threshold(p, text):
    assert p_text(p, 0.05) == text


def test_the_example_s_tables_are_what_its_script_writes(tmp_path):
    script = EXAMPLE.with_name("make_tables.py").read_text("utf-8")
    (tmp_path / "make_tables.py").write_text(script)
    exec(compile(script, str(tmp_path / "make_tables.py"), "exec"), {  # our own file, run in another folder
        "__name__": "__main__", "__file__": str(tmp_path / "make_tables.py"),
    })  # fmt: skip
    written = {path.name: path.read_bytes() for path in tmp_path.glob("*.csv")}
    assert len(written) == 4
    assert all(EXAMPLE.with_name(name).read_bytes() == content for name, content in written.items())


def test_a_missing_place_is_an_error(tmp_path):
    with pytest.raises(DataError, match="no tissue is given"):
        tables.build(lab(tmp_path, "condition: x, contrast: {numerator: KO, denominator: WT}"))


def test_a_knock_down_is_a_condition_and_no_direction(tmp_path):
    own = "cell_line: HeLa, condition: MYC knock-down, contrast: {numerator: siMYC, denominator: scrambled}"
    dataset = tables.build(lab(tmp_path, own))
    spec = ScorerSpec(active=["V1", "V2", "V3", "V4"]).with_names(dataset.names)
    judge = RewardComposer(["V1", "V2", "V3", "V4"], configs=spec.configs)
    for question in dataset.questions:
        values = [score.value for score in judge.score(question, question.answer).scores.values()]
        assert min(value for value in values if value is not None) >= 0.95, question


def test_two_sides_of_one_comparison_are_not_compared(tmp_path):
    first = "tissue: liver, condition: x, contrast: {numerator: KO, denominator: WT}"
    second = "tissue: kidney, condition: x, contrast: {numerator: WT, denominator: KO}"
    families = {question.family for question in tables.build(lab(tmp_path, first, second)).questions}
    assert "comparison" not in families
    alike = second.replace("numerator: WT, denominator: KO", "numerator: KO, denominator: WT")
    families = {question.family for question in tables.build(lab(tmp_path, first, alike)).questions}
    assert "comparison" in families
