"""The genelab dataset: orientation, balance, splits."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter

import pytest
from pydantic import ValidationError

from biorlhf import plugins
from biorlhf.errors import DataError
from biorlhf.types import Dataset
from biorlhf_plugins.datasets.genelab import GenelabConfig, build
from biorlhf_plugins.datasets.genelab.items import slots
from biorlhf_plugins.datasets.genelab.names import DIRECTIONAL_NAME, prose
from biorlhf_plugins.datasets.genelab.rows import direction, shipped_rows, unverified
from biorlhf_plugins.making.parquet import from_parquet, to_parquet
from biorlhf_plugins.making.shipped import read_shipped
from biorlhf_plugins.making.splits import leaks

MODES = ("closed_book", "open_book")
SPLITS = (
    {},
    {"seed": 7},
    {"hold_out_tissues": ("eye", "thymus")},
    {"hold_out_tissues": ("eye",)},
    {"hold_out_missions": ("RR-9",)},
    {"hold_out_missions": ("MHU-2",)},
    {"include_unverified": True},
)
VARIANTS = [{"mode": mode, **split} for mode in MODES for split in SPLITS]
DIRECTION = re.compile(
    r"\b(up|down|upregulat\w*|downregulat\w*|higher|lower|increas\w*|decreas\w*|activat\w*|suppress\w*|"
    r"induc\w*|repress\w*|rise\w*|fall\w*|elevat\w*|reduc\w*|enrich\w*|below|above|deplet\w*|dn|significantly|mixed)\b",
    re.IGNORECASE,
)


def genelab(**settings: object) -> Dataset:
    return build(GenelabConfig(**settings))


def test_the_shipped_table_is_flight_versus_ground():
    rows = read_shipped("genelab/hallmark_flight_vs_ground.csv").rows
    assert len(rows) == 1000
    assert len({(r["tissue"], r["mission"]) for r in rows}) == 20
    for r in rows:
        assert float(r["nes"]) == -float(r["nes_stored"]), "the published tables rank ground control first"
        assert r["direction"] == direction(float(r["nes"]), float(r["padj"]))
    checks = read_shipped("genelab/sign_check.csv").rows
    assert all((float(c["spearman_stored"]) < -0.4) == (c["verified"] == "true") for c in checks)
    assert unverified() == {("kidney", "RR-7")}
    e2f = [
        r.direction for r in shipped_rows() if r.pathway == "HALLMARK_E2F_TARGETS" and r.tissue == "thymus"
    ]
    assert e2f == ["DOWN", "DOWN", "DOWN"], "the thymus stops dividing in flight"


def test_the_consensus_counts_are_those_of_the_figures():
    known = slots(shipped_rows())
    counts = Counter(slot.consensus for slot in known)
    assert len(known) == 300
    assert (counts["UP"] + counts["DOWN"], counts["MIXED"], counts["NS"]) == (84, 50, 92)


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_no_question_names_a_direction(settings):
    for question in genelab(**settings).questions:
        asked = question.prompt
        assert not DIRECTION.search(asked), question.prompt
        assert not asked.endswith("(UP)")


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_nothing_crosses_a_split(settings):
    assert leaks(genelab(**settings)) == []


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_up_and_down_are_balanced_per_tissue_and_split_or_it_is_said(settings):
    data = genelab(**settings)
    counts: dict[tuple[str, str], Counter[str]] = {}
    for q in data.questions:
        if "direction" in q.ground_truth and "missions" not in q.ground_truth:
            counts.setdefault((q.split, q.tissue), Counter())[q.ground_truth["direction"]] += 1
    assert counts
    for (split, tissue), found in counts.items():
        uneven = abs(found["UP"] - found["DOWN"]) > 0.1 * (found["UP"] + found["DOWN"])
        assert uneven == any(text.startswith(f"{split}, {tissue}:") for text in data.provenance["unbalanced"])
    assert not data.provenance["unbalanced"] or settings.get("seed"), "the shipped settings are balanced"


def test_a_constant_answer_is_reported_and_earns_little():
    for settings in SPLITS:
        data = genelab(**settings)
        best = data.provenance["best_constant"]
        assert best["train"]["accuracy"] < 0.45
        assert best["test"]["accuracy"] < 0.45
        test = [q.ground_truth for q in data.questions if q.split == "test"]
        labels = Counter(g["direction"] for g in test if "direction" in g and "missions" not in g)
        assert best["test"]["n"] == labels.total()
        assert best["test"]["accuracy"] == pytest.approx(max(labels.values()) / labels.total(), abs=1e-4)


def test_held_out_tissues_appear_in_evaluation_alone():
    data = genelab(hold_out_tissues=("eye", "thymus"), mode="open_book")
    for q in data.questions:
        touched = {
            name for name in ("eye", "thymus") if re.search(rf"\b{name}\b", q.prompt + (q.answer or ""))
        }
        assert bool(touched) == (q.split == "test")
    assert "comparison" in {q.family for q in data.questions if q.split == "test"}
    for text in (*data.examples, *data.preferences):
        assert not re.search(r"\b(eye|thymus)\b", text.prompt)


def test_a_held_out_mission_tells_training_nothing():
    data = genelab(hold_out_missions=("MHU-2",), mode="open_book")
    for q in data.questions:
        assert ("MHU-2" in q.prompt.replace("outside MHU-2", "")) == (q.split == "test")
    assert {q.ground_truth["mission"] for q in data.questions if q.split == "test"} == {
        "MHU-2",
        "MHU-2_dorsal",
        "MHU-2_femoral",
    }
    liver = [r for r in shipped_rows() if r.tissue == "liver" and r.mission != "MHU-2"]
    expected = {slot.pathway: slot.consensus for slot in slots(liver)}
    asked = [
        q for q in data.questions if q.tissue == "liver" and q.family == "direction" and q.split == "train"
    ]
    assert asked
    for q in asked:
        assert q.ground_truth["direction"] == expected[q.ground_truth["pathway"]]
        assert "outside MHU-2" in q.prompt


def test_the_unverified_mission_is_left_out_unless_it_is_asked_for():
    def touches(data: Dataset) -> bool:
        return any("genelab:kidney:RR-7:" in fact for q in data.questions for fact in q.fact_ids)

    data = genelab()
    assert not touches(data)
    assert data.provenance["unverified"] == ["kidney RR-7"]
    assert touches(genelab(include_unverified=True))


def test_low_n_answers_are_less_sure():
    data = genelab()
    sure = {q.tissue: set() for q in data.questions}
    for q in data.questions:
        sure[q.tissue].add(int(q.answer.rpartition(": ")[2].rstrip("%")))
    assert max(sure["gastrocnemius"]) <= 75
    assert min(sure["liver"]) >= 85


def test_a_set_whose_name_tells_a_direction_is_not_asked_about():
    told = {r.pathway for r in shipped_rows() if DIRECTIONAL_NAME.search(r.pathway)}
    assert told == {
        f"HALLMARK_{name}"
        for name in ("KRAS_SIGNALING_DN", "KRAS_SIGNALING_UP", "UV_RESPONSE_DN", "UV_RESPONSE_UP")
    }
    assert DIRECTIONAL_NAME.search("REACTOME_ACTIVATION_OF_SMO")
    assert not DIRECTIONAL_NAME.search("KEGG_LYSINE_DEGRADATION")
    data = genelab()
    assert set(data.provenance["not_asked"]) == told
    assert not told & {q.ground_truth.get("pathway") for q in data.questions}


def test_every_family_is_there():
    families = {q.family for q in genelab(hold_out_tissues=("eye",)).questions}
    assert families == {
        "direction",
        "not_significant",
        "mission_specific",
        "uncertainty",
        "comparison",
        "conservation",
    }


def test_a_rejected_open_book_answer_mistakes_the_side_of_the_threshold_where_its_direction_says_so():
    pairs = genelab(mode="open_book", families=("mission_specific",)).preferences
    sides = Counter()
    for pair in pairs:
        for text in (pair.chosen, pair.rejected):
            assert ("above 0.05" in text) == ("Answer: NS" in text), text
        sides[tuple("above 0.05" in text for text in (pair.chosen, pair.rejected))] += 1
    assert min(sides[True, False], sides[False, True], sides[False, False]) > 10, sides


def test_open_book_shows_every_row_that_the_answer_needs():
    by_id = {r.fact_id: r for r in shipped_rows()}
    for q in genelab(mode="open_book").questions:
        table = q.prompt.rpartition("\n\n")[0].splitlines()[1:]
        assert len(table) == len(q.fact_ids)
        for fact in q.fact_ids:
            row = by_id[fact]
            wanted = f"{row.tissue} | {row.mission} | {prose(row.pathway)} | {row.nes:.2f} | "
            assert any(text.startswith(wanted) for text in table)


@pytest.mark.parametrize("mode", MODES)
def test_the_same_seed_gives_the_same_bytes(tmp_path, mode):
    first = [hashlib.sha256(p.read_bytes()).digest() for p in to_parquet(genelab(mode=mode), tmp_path / "a")]
    second = [hashlib.sha256(p.read_bytes()).digest() for p in to_parquet(genelab(mode=mode), tmp_path / "b")]
    assert first == second
    assert from_parquet(tmp_path / "a").questions == genelab(mode=mode).questions


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hold_out_tissues": ("eye",), "hold_out_missions": ("RR-9",)}, "not both"),
        ({"databases": ("kegg",)}, "belong to a folder"),
        ({"validation_fraction": 0.6, "test_fraction": 0.4}, "nothing to train on"),
        ({"hold_out": ("eye",)}, "hold_out"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, words):
    with pytest.raises(ValidationError, match=words):
        GenelabConfig(**settings)


def test_an_unknown_tissue_or_mission_names_the_nearest():
    with pytest.raises(DataError, match=r"no 'thymsu' in the data\n  did you mean: thymus"):
        genelab(hold_out_tissues=("thymsu",))
    with pytest.raises(DataError, match="no 'RR-99' in the data"):
        genelab(hold_out_missions=("RR-99",))


def test_the_plugin_builds_by_name_and_fast():
    start = time.perf_counter()
    data = plugins.load(entry_points=False).build("dataset", "genelab", {"mode": "open_book"})
    assert {file["licence"] for file in data.provenance["files"]} == {"MIT"}
    assert time.perf_counter() - start < 10
