"""A lab's own tables: directions, splits, balance, leaks, gold answers, sign audit, files on disk."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from biorlhf import DataError, RecipeError, RewardComposer
from biorlhf.plugins import catalogue
from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.jsonl import JsonlConfig
from biorlhf_plugins.datasets.jsonl import build as read_built
from biorlhf_plugins.datasets.tables.config import load_lab
from biorlhf_plugins.datasets.tables.files import write_folder
from biorlhf_plugins.datasets.tables.items import items
from biorlhf_plugins.datasets.tables.slots import arrange, load_tables
from biorlhf_plugins.making.splits import leaks

LAB = """\
name: mylab
tables:
  - file: heart.csv
    tool: fgsea
    tissue: heart
    condition: spaceflight
    contrast: {numerator: flight, denominator: ground}
    thresholds: {padj: 0.05}
  - file: soleus.csv
    tool: fgsea
    tissue: soleus
    condition: spaceflight
    contrast: {numerator: flight, denominator: ground}
    thresholds: {padj: 0.05}
"""


def fgsea_rows(count: int, seed: int) -> str:
    draw = random.Random(seed)
    lines = ["pathway,pval,padj,ES,NES,size"]
    for number in range(count):
        es, padj = draw.uniform(-0.9, 0.9), draw.random() ** 3
        shown = "NA" if number % 10 == 9 else f"{padj:.6g}"
        lines.append(f"LAB_SET_{number},{padj / 2:.6g},{shown},{es:.4f},{2.5 * es:.4f},100")
    return "\n".join(lines) + "\n"


@pytest.fixture
def lab(tmp_path) -> Path:
    (tmp_path / "heart.csv").write_text(fgsea_rows(150, 1))
    (tmp_path / "soleus.csv").write_text(fgsea_rows(150, 2))
    (tmp_path / "lab.yaml").write_text(LAB)
    return tmp_path / "lab.yaml"


def build(path: Path, **changes):
    return tables.build(load_lab(path).model_copy(update=changes))


def test_directions_follow_sign_and_threshold_and_na_is_not_tested(tmp_path):
    (tmp_path / "heart.csv").write_text(
        "pathway,pval,padj,ES,NES,size\nSET_UP,0.001,0.01,0.5,2.0,50\nSET_DOWN,0.001,0.01,-0.5,-2.0,50\n"
        "SET_NS,0.4,0.5,0.2,0.9,50\nSET_EDGE,0.05,0.05,0.3,1.2,50\nSET_NA,NA,NA,NA,NA,2\n"
    )
    (tmp_path / "lab.yaml").write_text(LAB.partition("  - file: soleus")[0])
    config = load_lab(tmp_path / "lab.yaml")
    [loaded] = load_tables(config)
    names = loaded.results.table["id"].to_pylist()
    assert dict(zip(names, [tables.DIRECTIONS[d] for d in loaded.direction], strict=True)) == {
        "SET_UP": "UP", "SET_DOWN": "DOWN", "SET_NS": "NS", "SET_EDGE": "NS", "SET_NA": "NOT TESTED",
    }  # fmt: skip


def test_an_untested_set_is_a_question_that_the_data_cannot_answer(lab):
    dataset = build(lab)
    [some, *_] = [q for q in dataset.questions if q.family == "not_tested"]
    assert some.ground_truth["answerable"] is False
    assert some.ground_truth["form"] == "direction"  # asked in the words of those that can be answered
    assert "was not tested" in some.answer


def test_up_and_down_are_balanced_per_tissue_and_split(lab):
    counts = Counter((q.tissue, q.split, q.ground_truth.get("direction")) for q in build(lab).questions)
    for tissue in ("heart", "soleus"):
        for split in ("train", "validation", "test"):
            assert counts[tissue, split, "UP"] == counts[tissue, split, "DOWN"] > 0
            assert counts[tissue, split, "NS"] <= counts[tissue, split, "UP"]


def test_nothing_leaks_between_splits(lab):
    dataset = build(lab)
    assert {q.split for q in dataset.questions} == {"train", "validation", "test"}
    assert leaks(dataset) == []
    assert all(e.split != "test" for e in (*dataset.examples, *dataset.preferences))


def test_a_held_out_tissue_is_for_testing_only(lab):
    text = lab.read_text() + "splits: {hold_out_tissues: [soleus]}\n"
    lab.write_text(text)
    assert {q.split for q in build(lab).questions if q.tissue == "soleus"} == {"test"}
    lab.write_text(text.replace("[soleus]", "[sole]"))
    with pytest.raises(DataError, match="did you mean: soleus"):
        build(lab)


def test_questions_name_both_directions_or_none(lab):
    for question in build(lab).questions:
        prompt = question.prompt.lower()
        assert (" up" in prompt) == (" down" in prompt), prompt


@pytest.mark.parametrize(
    "contrast",
    [
        ("flight", "ground"),
        ("ground controls", "flight"),
        ("KO", "WT"),
        ("sham", "injured"),
        ("vehicle", "drug X"),
    ],
)
def test_gold_answers_score_at_least_095_and_wrong_ones_low(lab, contrast):
    text = lab.read_text().replace("numerator: flight", f"numerator: {contrast[0]}")
    lab.write_text(text.replace("denominator: ground", f"denominator: {contrast[1]}"))
    dataset = build(lab)
    composer = RewardComposer(
        active_verifiers=["V1", "V2", "V3", "V4"], weights={"V1": 1, "V2": 1, "V3": 1, "V4": 1}
    )
    rejected = {pair.prompt: pair.rejected for pair in dataset.preferences}
    for question in dataset.questions[::7]:
        gold = composer.score(question.prompt, question.answer, question.ground_truth)
        scored = {name: score.value for name, score in gold.scores.items() if score.value is not None}
        assert scored, question
        assert min(scored.values()) >= 0.95, (question.prompt, question.answer, scored)
        if question.prompt in rejected:
            wrong = composer.score(question.prompt, rejected[question.prompt], question.ground_truth)
            # V3 finds no fault with a falsehood that agrees with itself.
            earned = [wrong.scores[name].value or 0.0 for name in ("factual", "pathway")]
            # Of three names, the first two turned round leave one pair of three in order.
            assert max(earned) <= 0.34, (question.prompt, rejected[question.prompt])


def test_the_wrong_group_in_plain_words_scores_low_in_any_contrast(lab):
    lab.write_text(lab.read_text().replace("flight", "KO").replace("ground", "WT"))
    composer = RewardComposer(active_verifiers=["V2"], weights={"V2": 1})
    for question in [q for q in build(lab).questions if q.family == "direction"][::9]:
        groups = ("KO", "WT") if question.ground_truth["direction"] == "UP" else ("WT", "KO")
        name = question.ground_truth["pathway"]
        right = f"{name} is higher in {groups[0]} than in {groups[1]}."
        wrong = f"{name} is higher in {groups[1]} than in {groups[0]}."
        assert float(composer.score(question.prompt, right, question.ground_truth)) == 1.0
        assert float(composer.score(question.prompt, wrong, question.ground_truth)) == 0.0


def test_preferences_differ_in_the_fact_and_not_in_length(lab):
    pairs = [p for p in build(lab).preferences if p.kind == "direction"]
    assert len(pairs) > 20
    assert all(abs(len(p.chosen) - len(p.rejected)) <= 4 for p in pairs)  # "up" and "UP" against "down"


def test_flip_turns_a_control_first_file_round(lab):
    plain = {
        q.split_group: q.ground_truth["direction"] for q in build(lab).questions if q.family == "direction"
    }
    lab.write_text(lab.read_text().replace("    tool:", "    flip: true\n    tool:"))
    flipped = build(lab)
    turned = {
        q.split_group: q.ground_truth["direction"] for q in flipped.questions if q.family == "direction"
    }
    opposite = {"UP": "DOWN", "DOWN": "UP"}
    shared = set(plain) & set(turned)
    assert len(shared) > 40
    assert all(turned[slot] == opposite[plain[slot]] for slot in shared)
    assert all(
        q.ground_truth["contrast"] == "ground_vs_flight" for q in flipped.questions if q.family == "direction"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("contrast: {numerator: flight, denominator: ground}", "sheet: x", "contrast's numerator is missing"),
        (
            "{numerator: flight, denominator: ground}",
            "{numerator: flight}",
            "contrast's denominator is missing",
        ),
        ("denominator: ground", "denominator: flight", "both 'flight'"),
        ("thresholds: {padj: 0.05}", "thresholds: {}", "padj"),
        ("tool: fgsea", "tool: fgsee", "did you mean: fgsea"),
        ("condition: spaceflight", "conditon: spaceflight", "condition"),
    ],
)
def test_what_must_be_said_is_never_guessed(lab, old, new, message):
    lab.write_text(lab.read_text().replace(old, new, 1))
    with pytest.raises((DataError, RecipeError)) as error:
        load_lab(lab)
    assert message in str(error.value)
    assert "lab.yaml:" in str(error.value)


def test_a_slot_in_two_tables_is_refused_with_file_and_row(lab):
    lab.write_text(lab.read_text().replace("tissue: soleus", "tissue: heart"))
    with pytest.raises(DataError, match=r"soleus\.csv:2: LAB_SET_0 stands in heart\.csv as well"):
        build(lab)


def test_a_tissue_that_the_file_contradicts_is_refused(lab):
    path = lab.parent / "heart.csv"
    head, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head + ",tissue", *(f"{line},liver" for line in rest)]) + "\n")
    with pytest.raises(DataError, match=r"heart\.csv:2: tissue 'liver'"):
        build(lab)


def expression(lab: Path, sign: int) -> None:
    lines = ["gene,F1,F2,G1,G2"]
    for line in (lab.parent / "heart.csv").read_text().splitlines()[1:]:
        name, _, _, es, *_ = line.split(",")
        lines.append(f"{name},{5 + sign * float(es)},{5.1 + sign * float(es)},5,5.1")
    (lab.parent / "expr.csv").write_text("\n".join(lines) + "\n")
    matrix = "expression: {file: expr.csv, numerator: [F1, F2], denominator: [G1, G2]}"
    lab.write_text(LAB.replace("    tissue: heart", f"    {matrix}\n    tissue: heart"))


def test_the_sign_audit_reports_agreement(lab):
    expression(lab, 1)
    audit = build(lab).provenance["tables"][0]["signs"]
    assert audit["agreement"] == 1.0
    assert audit["spearman"] > 0.99
    assert audit["compared"] > 20


def test_the_sign_audit_refuses_inverted_effects(lab):
    expression(lab, -1)
    with pytest.raises(DataError, match="swap numerator and denominator"):
        build(lab)
    lab.write_text(lab.read_text().replace("[F1, F2]", "[F1, F3]"))
    with pytest.raises(DataError, match="no sample 'F3'"):
        build(lab)


def written(path: Path, folder: Path) -> dict:
    config = load_lab(path)
    slots = arrange(config, load_tables(config))
    return write_folder(folder, items(config, slots), tables.provenance(config, slots))


def test_built_files_hold_the_same_items_and_the_same_bytes_each_time(lab, tmp_path):
    first = written(lab, tmp_path / "a")
    assert written(lab, tmp_path / "b")["files"] == first["files"]
    dataset, back = build(lab), read_built(JsonlConfig(file=str(tmp_path / "a")))
    assert back.questions == dataset.questions
    assert back.examples == dataset.examples
    assert back.preferences == dataset.preferences
    columns = pq.read_schema(tmp_path / "a" / "questions.parquet").names
    assert {"template_id", "condition", "contrast_numerator", "padj_threshold", "prompt_hash"} <= set(columns)
    splits = pq.read_table(tmp_path / "a" / "splits.parquet").to_pylist()
    facts = {(fact, q.split) for q in dataset.questions for fact in q.fact_ids}
    assert {(row["fact_id"], row["split"]) for row in splits} == facts


def test_another_seed_gives_another_split(lab):
    one = {q.id: q.split for q in build(lab).questions}
    other = {q.id: q.split for q in build(lab, seed=7).questions}
    assert any(one[name] != other[name] for name in set(one) & set(other))


def test_a_folder_with_other_files_is_not_overwritten(lab, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.docx").write_text("precious")
    with pytest.raises(DataError, match=r"thesis\.docx"):
        written(lab, tmp_path / "out")


def test_a_recipe_takes_the_file_or_the_same_keys(lab):
    by_file = catalogue().build("dataset", "tables", {"lab": str(lab)})
    settings = load_lab(lab).model_dump()
    settings.pop("lab")
    assert catalogue().build("dataset", "tables", settings).questions == by_file.questions
    with pytest.raises(RecipeError, match="'lab' stands alone"):
        catalogue().build("dataset", "tables", {"lab": str(lab), "seed": 3})
    with pytest.raises(RecipeError, match="give 'tables'"):
        catalogue().build("dataset", "tables", {})


def test_limit_bounds_each_split(lab):
    counts = Counter(q.split for q in build(lab, limit=10).questions)
    assert 4 <= min(counts.values()) <= max(counts.values()) <= 10


BIG = """
import sys
from pathlib import Path
from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.tables.config import load_lab
from biorlhf_plugins.datasets.tables.files import write_folder
from biorlhf_plugins.datasets.tables.items import items
from biorlhf_plugins.datasets.tables.slots import arrange, load_tables
config = load_lab(Path(sys.argv[1]))
slots = arrange(config, load_tables(config))
write_folder(Path(sys.argv[2]), items(config, slots), tables.provenance(config, slots))
# Not ru_maxrss: it begins with what the parent held when it started this process.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_a_hundred_thousand_rows_take_little_time_and_memory(lab, tmp_path):
    (lab.parent / "heart.csv").write_text(fgsea_rows(100_000, 3))
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", BIG, str(lab), str(tmp_path / "big")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert time.monotonic() - start < 60
    assert int(done.stdout) * 1024 < 1e9
    assert (
        json.loads((tmp_path / "big" / "provenance.json").read_text())["counts"]["questions.train"] > 20_000
    )


def test_the_config_refuses_splits_that_leave_nothing_to_train_on(lab):
    lab.write_text(lab.read_text() + "splits: {test: 0.6, validation: 0.4}\n")
    with pytest.raises(RecipeError, match="something to train on"):
        load_lab(lab)
