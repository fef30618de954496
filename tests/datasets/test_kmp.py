"""The kmp dataset: its figures, its texts, its splits."""

from __future__ import annotations

import hashlib
import math
import re
import time
from collections import Counter
from statistics import mean

import pytest
from pydantic import ValidationError

from biorlhf import plugins
from biorlhf.errors import DataError
from biorlhf.types import Dataset
from biorlhf_plugins.datasets.kmp import (
    INTERACTIONS,
    KMP_EFFECTS,
    OXPHOS_PATTERNS,
    STRESSOR_EFFECTS,
    TISSUE_TYPES,
    KmpConfig,
    build,
)
from biorlhf_plugins.datasets.kmp.facts import DEG_COUNT, DEG_DOWN, DEG_UP, kmp_facts
from biorlhf_plugins.making import shipped
from biorlhf_plugins.making.parquet import from_parquet, to_parquet
from biorlhf_plugins.making.splits import answer_sentences, leaks, tokens

MODES = ("closed_book", "open_book")
VARIANTS = [
    *({"mode": mode} for mode in MODES),
    *({"mode": mode, "seed": seed} for mode in MODES for seed in (1, 7)),
    *({"mode": mode, "hold_out_tissues": (tissue,)} for mode in MODES for tissue in ("liver", "soleus")),
    *({"mode": mode, "split": "paraphrase"} for mode in MODES),
    *({"mode": mode, "split": "paraphrase", "test_set": "published"} for mode in MODES),
]


def kmp(**settings: object) -> Dataset:
    return build(KmpConfig(**settings))


def test_constants_hold_the_published_figures():
    assert STRESSOR_EFFECTS["Hippocampus"] == {"HU": 1555, "IR": 5477, "HU_IR": 5510}
    assert KMP_EFFECTS["Soleus"] == {"baseline": 0, "HU": 1, "IR": 52, "HU_IR": 491}
    assert INTERACTIONS["Soleus"]["KMP_x_HU"] == 8484
    assert {t: letter for t, (letter, _) in TISSUE_TYPES.items()} == {
        "Heart": "A",
        "Hippocampus": "B",
        "Liver": "C",
        "Soleus": "A",
    }
    assert OXPHOS_PATTERNS["Liver"] == {"stress_NES": 3.596, "KMP_NES": -1.6, "pattern": "SUPPRESSION"}
    assert OXPHOS_PATTERNS["Hippocampus"]["pattern"] is None


def test_up_and_down_add_up_to_every_count():
    facts = {(f.group, f.quantity): f.value for f in kmp_facts()}
    assert len(kmp_facts()) == 118
    parts = [group for group, quantity in facts if quantity == DEG_UP]
    assert len(parts) == 15
    for group in parts:
        assert facts[group, DEG_UP] + facts[group, DEG_DOWN] == facts[group, DEG_COUNT]


def test_a_changed_table_is_refused(tmp_path, monkeypatch):
    (tmp_path / "kmp").mkdir()
    original = shipped.shipped("data")
    (tmp_path / "MANIFEST.json").write_bytes((original / "MANIFEST.json").read_bytes())
    changed = (original / "kmp/figures.csv").read_text("utf-8").replace("6425", "6426")
    (tmp_path / "kmp/figures.csv").write_text(changed, "utf-8")
    monkeypatch.setattr(shipped, "shipped", lambda folder: tmp_path)
    with pytest.raises(DataError, match=r"data/kmp/figures\.csv: its sha256 is"):
        shipped.read_shipped.__wrapped__("kmp/figures.csv")


def test_the_default_build_has_every_family_in_number():
    data = kmp()
    families = Counter(example.kind for example in data.examples)
    assert len({(e.prompt, e.response) for e in data.examples}) == len(data.examples) >= 363
    assert families["factual"] >= 150
    assert families["chain_of_thought"] >= 50
    assert families["calibration"] >= 30
    assert families["multi_hop"] >= 30
    assert families["error_correction"] >= 20
    assert {"comparison", "ranking", "interaction", "design_critique", "false_premise"} <= families.keys()
    assert len(data.preferences) >= 120
    assert {q.split for q in data.questions} == {"train", "validation", "test"}
    assert {q.kind for q in data.questions} == {"factual", "reasoning", "calibration"}


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_nothing_crosses_a_split(settings):
    assert leaks(kmp(**settings), facts_may_cross=settings.get("split") == "paraphrase") == []


def test_the_recall_test_asks_for_trained_facts_in_no_sentence_of_training():
    data = kmp(split="paraphrase")
    test = [q for q in data.questions if q.split == "test"]
    trained = {fact for example in data.examples for fact in example.fact_ids}
    said = {s for e in data.examples for text in (e.prompt, e.response) for s in answer_sentences(text)}
    said |= {s for q in data.questions if q.split == "train" for s in answer_sentences(q.prompt)}
    assert len({q.prompt for q in test}) == len(test) >= 200
    for question in test:
        assert set(question.fact_ids) <= trained
        assert not said & {*answer_sentences(question.prompt), *answer_sentences(question.answer)}


def test_the_published_shape_is_ten_five_five():
    test = [q for q in kmp(split="paraphrase", test_set="published").questions if q.split == "test"]
    assert Counter(q.kind for q in test) == {"factual": 10, "reasoning": 5, "calibration": 5}


def test_a_held_out_tissue_is_the_whole_test_of_figures():
    data = kmp(hold_out_tissues=("liver",))
    measured = [q for q in data.questions if q.ground_truth["answerable"]]
    assert {q.tissue for q in measured if q.split == "test"} == {"liver"}
    seen = " ".join(t.prompt + t.response for t in data.examples if t.kind != "calibration").lower()
    assert "liver" not in seen
    assert "heart" in seen


def test_every_answer_states_a_confidence_and_the_levels_vary():
    data = kmp()
    for example in data.examples:
        assert re.search(r"[.]\nAnswer: [^\n]+\nConfidence: \d{1,2}%$", example.response)
    levels = Counter(e.response.rpartition(": ")[2] for e in data.examples)
    assert len(levels) >= 6
    assert max(levels.values()) < 0.5 * len(data.examples)
    spread = Counter(e.response.rpartition(": ")[2] for e in kmp(confidence="spread").examples)
    assert len(spread) == 9


def test_short_answers_stay_short():
    simple = ("factual", "calibration", "comparison", "interaction")
    lengths = [len(tokens(e.response)) for e in kmp().examples if e.kind in simple]
    assert max(lengths) <= 24


def test_a_rejected_answer_differs_in_a_fact_and_not_in_style():
    data = kmp(split="paraphrase")
    for pair in data.preferences:
        assert pair.chosen != pair.rejected
        assert pair.chosen.rpartition("\n")[2] == pair.rejected.rpartition("\n")[2], "the same confidence"
        assert abs(len(pair.chosen) - len(pair.rejected)) <= 12  # RESCUE, SUPPRESSION
    gap = mean(len(p.chosen) - len(p.rejected) for p in data.preferences)
    assert abs(gap) < 0.5


def test_yes_and_no_are_balanced():
    verdicts = Counter(
        q.ground_truth["answer"] for q in kmp(split="paraphrase").questions if q.family == "interaction"
    )
    assert math.isclose(verdicts["yes"], verdicts["no"], rel_tol=0.1)


def test_a_disputed_figure_is_in_the_table_and_in_no_question():
    data = kmp(split="paraphrase")
    disputed = [fact.id for fact in kmp_facts() if fact.note.startswith("disputed")]
    assert disputed == ["kmp:hippocampus:OXIDATIVE_PHOSPHORYLATION:pattern"]
    used = {
        fact
        for table in (data.questions, data.examples, data.preferences)
        for t in table
        for fact in t.fact_ids
    }
    assert not used & set(disputed)
    assert data.provenance["not_asked"]


def test_limits_keep_the_same_facts_in_every_table():
    data = kmp(
        split="paraphrase",
        families=("factual",),
        confidence="spread",
        max_examples=100,
        max_questions=50,
        max_preferences=20,
        max_test_questions=48,
    )
    train = [q for q in data.questions if q.split == "train"]
    assert (len(data.examples), len(train), len(data.preferences)) == (100, 50, 20)
    taught = {fact for example in data.examples for fact in example.fact_ids}
    assert {fact for question in train for fact in question.fact_ids} == taught
    test = [q for q in data.questions if q.split == "test"]
    assert len(test) == 48
    assert {fact for question in test for fact in question.fact_ids} <= taught


def test_open_book_shows_the_figures_that_are_asked_for():
    for question in kmp(mode="open_book").questions:
        if question.family == "factual":
            value = question.ground_truth["facts"][0]["value"]
            shown = f"{value:,}" if isinstance(value, int) else str(value)
            table, _, asked = question.prompt.rpartition("\n\n")
            assert shown in table
            assert len(table.splitlines()) == 5, "a heading, the row, three others"
            assert asked.endswith(("?", "."))


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_bytes(tmp_path, mode):
    first = [hashlib.sha256(p.read_bytes()).digest() for p in to_parquet(kmp(mode=mode), tmp_path / "a")]
    second = [hashlib.sha256(p.read_bytes()).digest() for p in to_parquet(kmp(mode=mode), tmp_path / "b")]
    other = [
        hashlib.sha256(p.read_bytes()).digest() for p in to_parquet(kmp(mode=mode, seed=1), tmp_path / "c")
    ]
    assert first == second
    assert not set(first) & set(other)


def test_parquet_gives_back_what_was_written(tmp_path):
    data = kmp()
    to_parquet(data, tmp_path)
    again = from_parquet(tmp_path)
    assert again.questions == data.questions
    assert again.examples == data.examples
    assert again.preferences == data.preferences
    assert again.name == "kmp"
    (tmp_path / "examples.parquet").unlink()
    with pytest.raises(DataError, match=r"examples\.parquet: no such file"):
        from_parquet(tmp_path)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"test_set": "published"}, "test_set belongs to"),
        ({"split": "paraphrase", "hold_out_tissues": ("liver",)}, "hold_out_tissues belongs to"),
        ({"validation_fraction": 0.5, "test_fraction": 0.5}, "nothing to train on"),
        ({"famillies": ("factual",)}, "famillies"),
        ({"families": ("factaul",)}, "factual"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        KmpConfig(**settings)


def test_the_plugin_builds_by_name_and_fast():
    start = time.perf_counter()
    data = plugins.load(entry_points=False).build("dataset", "kmp", {"mode": "open_book"})
    assert data.name == "kmp"
    assert data.provenance["files"][0]["licence"] == "MIT"
    assert time.perf_counter() - start < 5
