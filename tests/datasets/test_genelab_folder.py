"""The loader of published fGSEA tables: the shipped figures, or one clear error with file and row."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from biorlhf.errors import DataError
from biorlhf.types import Dataset
from biorlhf_plugins.datasets.genelab import GenelabConfig, build
from biorlhf_plugins.datasets.genelab.rows import read_folder, shipped_rows
from biorlhf_plugins.making.shipped import read_shipped
from biorlhf_plugins.making.splits import leaks

PUBLISHED = Path(__file__).parents[3] / "shared/data/genelab/fgsea"
HEADER = (
    "pathway", "pval", "padj", "log2err", "ES", "NES", "size", "db", "leadingEdge_str",
    "tissue", "mission", "glds",
)  # fmt: skip


def genelab(**settings: object) -> Dataset:
    return build(GenelabConfig(**settings))


def line(pathway: str = "HALLMARK_HYPOXIA", **changes: object) -> dict[str, object]:
    row = dict(
        zip(HEADER, (pathway, 0.001, 0.01, 0.5, -0.4, -1.5, 150, "hallmark", "Vegfa; Ldha"), strict=False)
    )
    return {**row, "tissue": "liver", "mission": "RR-1", "glds": "GLDS-48", **changes}


def write(folder: Path, rows: list[dict[str, object]], name: str = "liver/RR-1_fgsea_hallmark.csv") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_published(folder: Path) -> None:
    """The shipped table back in the published form: control first, one file a mission, TBD for OSD-397."""
    grouped: dict[str, list[dict[str, object]]] = {}
    for r in read_shipped("genelab/hallmark_flight_vs_ground.csv").rows:
        mission = "TBD" if r["mission"] == "OSD-397" else r["mission"]
        stored = float(r["nes_stored"])
        changed = {"padj": float(r["padj"]), "NES": stored, "ES": stored / 4, "size": int(r["size"])}
        row = line(r["pathway"], **changed, tissue=r["tissue"], mission=mission, glds=r["glds"])
        grouped.setdefault(f"{r['tissue']}/{mission}_fgsea_hallmark.csv", []).append(row)
    for name, rows in grouped.items():
        write(folder, rows, name)


def test_a_folder_of_published_tables_gives_the_shipped_figures(tmp_path):
    as_published(tmp_path)
    read = read_folder(tmp_path, "GC", "FLT")
    key = ("tissue", "mission", "pathway")
    by_slot = sorted(read.rows, key=lambda r: [getattr(r, k) for k in key])
    assert by_slot == sorted(shipped_rows(), key=lambda r: [getattr(r, k) for k in key])
    flipped = read_folder(tmp_path, "flight", "ground")
    assert [r.nes for r in flipped.rows] == [-r.nes for r in read.rows]
    data = genelab(folder=str(tmp_path), contrast={"numerator": "GC", "denominator": "FLT"})
    assert [q.ground_truth for q in data.questions] == [q.ground_truth for q in genelab().questions]


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published tables are not here")
def test_the_published_tables_load_to_the_shipped_figures():
    read = read_folder(PUBLISHED, "GC", "FLT")
    assert set(read.rows) == set(shipped_rows())
    assert len(read.rows) == 1000
    assert any("all_fgsea_hallmark" in name for name in read.passed_over)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([line(), line("HALLMARK_APOPTOSIS", padj=1.7)], r"hallmark\.csv:3: padj: 1\.7"),
        ([line(NES=1.5)], r"hallmark\.csv:2: NES: NES 1\.5 beside ES -0\.4"),
        ([line(), line()], r"hallmark\.csv:3: HALLMARK_HYPOXIA a second time"),
        ([line(), line(mission="RR-3")], r"hallmark\.csv:3: mission: 'RR-3'"),
        ([line(tissue="eye")], r"hallmark\.csv:2: tissue: 'eye'"),
        ([line(NES="fast")], r"hallmark\.csv:2: NES: 'fast'"),
        ([{"": "RR-1", "RR-1": 1.0, "RR-3": 0.28}], r"hallmark\.csv:1: no column 'pathway'"),
        ([line(padj="NA")], r"hallmark\.csv:1: no tested gene set"),
    ],
)
def test_a_bad_row_is_named_with_its_file(tmp_path, rows, message):
    write(tmp_path, rows)
    with pytest.raises(DataError, match=message):
        read_folder(tmp_path, "GC", "FLT")


@pytest.mark.parametrize("cut", [1, 5, 30, 60])
def test_a_truncated_file_is_named_with_its_row(tmp_path, cut):
    path = write(tmp_path, [line(), line("HALLMARK_APOPTOSIS")])
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(DataError, match=r"hallmark\.csv:3: .*\n(.*\n)*.*truncated"):
        read_folder(tmp_path, "GC", "FLT")


def test_a_padj_of_na_is_not_tested_and_not_ns(tmp_path):
    write(tmp_path, [line(), line("HALLMARK_APOPTOSIS", padj="NA")])
    read = read_folder(tmp_path, "GC", "FLT")
    assert [r.pathway for r in read.rows] == ["HALLMARK_HYPOXIA"]
    assert read.not_tested == 1


def test_a_summary_is_passed_over_in_its_folder_and_refused_elsewhere(tmp_path):
    write(tmp_path, [line()])
    write(tmp_path, [{"": "RR-1", "RR-1": 1.0}], "summary/nes_correlation_liver_hallmark.csv")
    assert read_folder(tmp_path, "GC", "FLT").passed_over == ("summary/nes_correlation_liver_hallmark.csv",)
    write(tmp_path, [{"": "RR-1", "RR-1": 1.0}], "liver/nes_correlation_liver_hallmark.csv")
    with pytest.raises(DataError, match=r"nes_correlation_liver_hallmark\.csv: no name of an fGSEA table"):
        read_folder(tmp_path, "GC", "FLT")


def test_a_folder_needs_its_contrast(tmp_path):
    write(tmp_path, [line()])
    with pytest.raises(DataError, match="its contrast is not given"):
        genelab(folder=str(tmp_path))
    with pytest.raises(DataError, match="'treated' over 'FLT'"):
        genelab(folder=str(tmp_path), contrast={"numerator": "treated", "denominator": "FLT"})
    with pytest.raises(DataError, match="no such folder"):
        read_folder(tmp_path / "none", "GC", "FLT")


def test_two_databases_give_cross_database_questions(tmp_path):
    as_published(tmp_path)
    for tissue, mission, glds in {(r.tissue, r.mission, r.glds) for r in shipped_rows()}:
        stored = "TBD" if mission == "OSD-397" else mission
        rows = [
            line(f"REACTOME_{name}", db="reactome", tissue=tissue, mission=stored, glds=glds)
            for name in ("APOPTOSIS", "DNA_REPAIR", "MYOGENESIS", "SIGNALING_BY_NOTCH")
        ]
        write(tmp_path, rows, f"{tissue}/{stored}_fgsea_reactome.csv")
    settings = {"folder": str(tmp_path), "contrast": {"numerator": "GC", "denominator": "FLT"}}
    data = genelab(**settings, databases=("hallmark", "reactome"))
    cross = [q for q in data.questions if q.family == "cross_database"]
    assert {q.split for q in cross} >= {"train"}
    for q in cross:
        names = [slot["pathway"] for slot in q.ground_truth["pathways"]]
        assert names[0].partition("_")[2] == names[1].partition("_")[2]
    assert leaks(data) == []
    with pytest.raises(DataError, match="no tables of the database 'kegg'"):
        genelab(**settings, databases=("kegg",))
