"""Tables as tools, people and spreadsheets leave them: read as what they mean, or refused with the place.

Each kind of trouble has several inputs; none was a case when the readers were written to meet the kind.
"""

from __future__ import annotations

import datetime
import gzip
import io
import re
from pathlib import Path

import pytest
import yaml

from biorlhf import RewardComposer
from biorlhf.errors import DataError, InputError
from biorlhf.plugins import catalogue
from biorlhf_plugins.datasets.tables.config import load_lab
from biorlhf_plugins.datasets.tables.slots import DIRECTIONS, load_tables

GENES = "TP53 EGFR MYC KRAS ACTB GAPDH HMOX1 VEGFA SOX9 LCN2 HAVCR1 CLU".split()  # noqa: SIM905
IDS = [f"ENSG000001415{number:02d}" for number in range(12)]
EFFECT = [2.1, -1.7, 3.3, -0.9, 0.1, -0.2, 4.4, -2.8, 0.05, -3.1, 1.2, -0.3]
PADJ = "1e-20 2e-9 3e-30 0.004 0.8 0.6 5e-40 1e-8 0.9 2e-12 0.03 0.5".split()  # noqa: SIM905
WAYS = ["UP", "DOWN", "UP", "DOWN", "NS", "NS", "UP", "DOWN", "NS", "DOWN", "UP", "NS"]
COUNT = [str(number) for number in range(1, 13)]
MEAN = ["100.5"] * 12
DESEQ2 = "gene,log2FoldChange,pvalue,padj"
SEURAT = {"tool": "seurat", "tissue": None, "columns": {"tissue": "cluster"}}


def text(header: str, *columns, sep: str = ",", tail: str = "") -> str:
    rows = [sep.join(map(str, row)) for row in zip(*columns, strict=True)]
    return "\n".join([header.replace(",", sep), *rows]) + "\n" + tail


def plain(names=GENES, effect=EFFECT, padj=PADJ, header=DESEQ2, **how) -> str:
    return text(header, names, effect, padj, padj, **how)


def put(names: list[str], place: int, name: str) -> list[str]:
    return [*names[:place], name, *names[place + 1 :]]


def sheet(rows: list[list]) -> bytes:
    openpyxl = pytest.importorskip("openpyxl")
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def numbers() -> list[list]:
    return [[g, e, float(p), float(p)] for g, e, p in zip(GENES, EFFECT, PADJ, strict=True)]


def lab(folder: Path, content: str | bytes, name: str = "de.csv", **settings) -> Path:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = {
        "file": name, "tool": "deseq2", "tissue": "kidney", "condition": "cisplatin",
        "contrast": {"numerator": "treated", "denominator": "untreated"}, "thresholds": {"padj": 0.05},
    }  # fmt: skip
    spec = {key: value for key, value in {**spec, **settings}.items() if value is not None}
    splits = {"validation": 0, "test": 0}
    (folder / "lab.yaml").write_text(yaml.safe_dump({"name": "lab", "splits": splits, "tables": [spec]}))
    return folder / "lab.yaml"


def directions(path: Path) -> list[tuple[str, str]]:
    [loaded] = load_tables(load_lab(path))
    names = loaded.results.table["id"].to_pylist()
    return [(name, DIRECTIONS[code]) for name, code in zip(names, loaded.direction, strict=True)]


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as error:
        load_tables(load_lab(path))
    return str(error.value).replace(f"{path.parent}/", "")


DESCRIBED = "gene,description,log2FoldChange,pvalue,padj"
PROSE = ["a kinase of the cell"] * 12
FIGURES = (EFFECT, PADJ, PADJ)
READ = {
    "row numbers beside symbols": (
        text('"",mgi_symbol,log2FoldChange,pvalue,padj', COUNT, GENES, *FIGURES), {},
    ),
    "row numbers out of order": (
        text("X,Gene.symbol,log2FoldChange,pvalue,padj", COUNT[::-1], GENES, *FIGURES), {},
    ),
    "names last": (text("log2FoldChange,pvalue,padj,external_gene_name", *FIGURES, GENES), {}),
    "names last without a name": (text("log2FoldChange,pvalue,padj,", *FIGURES, GENES), {}),
    "names last that the header leaves out": (text("log2FoldChange,pvalue,padj", *FIGURES, GENES), {}),
    "names first that the header leaves out": (text("log2FoldChange,pvalue,padj", GENES, *FIGURES), {}),
    "names under a name of the lab's own": (plain(header="Target_assay,log2FoldChange,pvalue,padj"), {}),
    "row names made unique": (
        text(",log2FoldChange,pvalue,padj,gene", [f"{g}.1" for g in GENES], *FIGURES, GENES), {},
    ),
    "a # before the header": (plain(header=f"#{DESEQ2}"), {}),
    "comments above a # header": ("# by a pipeline\n##\n" + plain(header=f"# {DESEQ2}"), {}),
    "a title": ("Table S4. Kidney,,,\n" + plain(), {}),
    "several titles": ("Table S4\n\nKidney, 48 h; Wald test\n" + plain(sep="\t"), {}),
    "sep= and semicolons": ("sep=;\n" + plain(sep=";"), {}),
    "sep= in UTF-16": (("sep=\t\n" + plain(sep="\t")).encode("utf-16"), {}),
    "a delimiter at the end of each row": (plain().replace("\n", ",\n").replace(",\n", "\n", 1), {}),
    "a delimiter at the end of the header": (plain().replace("\n", ",\n", 1), {}),
    "no header, and told so": (
        plain().partition("\n")[2],
        {"header": "none", "columns": {"id": 1, "effect": 2, "adjusted": 4}},
    ),
    "a header that is told": (
        "a,b,c,d\n" + plain(header="gene,lfc,p,q"),
        {"header": 2, "columns": {"effect": "lfc", "p": "p", "adjusted": "q"}},
    ),
    "a quote inside a value": (text(DESCRIBED, GENES, put(PROSE, 2, '5"-nucleotidase'), *FIGURES), {}),
    "quotes that are told to be text": (
        text(DESCRIBED, GENES, put(PROSE, 2, '"open'), *FIGURES, sep="\t"), {"quotes": False},
    ),
    "a ratio that is told": (
        plain(effect=[2.0**e for e in EFFECT], header="gene,FC,pvalue,padj"),
        {"effect_is": "ratio", "columns": {"effect": "FC"}},
    ),
    "fold changes that are told": (
        plain(effect=[(2 ** abs(e)) * (1 if e > 0 else -1) for e in EFFECT], header="gene,FC,pvalue,padj"),
        {"effect_is": "fold_change", "columns": {"effect": "FC"}},
    ),
    "decimal commas, carriage returns, a mark": (
        ("\ufeff" + plain(sep=";").replace(".", ",").replace("\n", "\r")).encode(), {},
    ),
    "decimal commas in quotes": (re.sub(r"(-?\d+)\.(\d+)", r'"\1,\2"', plain()), {}),
    "gz of UTF-16": (gzip.compress(plain(sep="\t").encode("utf-16")), {}),
}  # fmt: skip


@pytest.mark.parametrize("kind", READ)
def test_a_table_is_read_as_what_it_means(tmp_path, kind):
    content, settings = READ[kind]
    assert directions(lab(tmp_path, content, **settings)) == list(zip(GENES, WAYS, strict=True))


def test_symbols_beside_accessions_are_shown_with_them(tmp_path):
    content = text("gene_name,gene_id,log2FoldChange,pvalue,padj", put(GENES, 3, "NA"), IDS, *FIGURES)
    [loaded] = load_tables(load_lab(lab(tmp_path, content)))
    assert loaded.results.table["id"].to_pylist() == IDS
    assert loaded.results.table["label"].to_pylist() == put(GENES, 3, IDS[3])


def test_clusters_tell_a_gene_s_rows_apart(tmp_path):
    names, clusters = [*GENES, *(f"{g}.1" for g in GENES)], ["T cell"] * 12 + ["B cell"] * 12
    content = text(
        ",p_val,avg_log2FC,p_val_adj,cluster,gene", names, PADJ * 2, EFFECT * 2, PADJ * 2, clusters, GENES * 2
    )
    assert directions(lab(tmp_path, content, **SEURAT)) == list(zip(GENES * 2, WAYS * 2, strict=True))


LINES = plain().splitlines()
REFUSED = {
    "no names": (text("baseMean,log2FoldChange,padj", MEAN, EFFECT, PADJ), ("de.csv:1", "columns: {id")),
    "row numbers alone": (plain(COUNT, header=DESEQ2[4:]), ("de.csv:1", "whole numbers")),
    "no header": (plain().partition("\n")[2], ("de.csv:1: no header", "header: none")),
    "no header, decimal commas": (
        plain(sep=";").replace(".", ",").partition("\n")[2], ("de.csv:1: no header",),
    ),
    "an open quote": (text(DESCRIBED, GENES, put(PROSE, 3, '"open'), *FIGURES), ("de.csv:5", "quote")),
    "a quote that closes rows below": (
        text(DESCRIBED, GENES, put(put(PROSE, 3, '"from'), 7, 'to"'), *FIGURES), ("de.csv:5", "quote"),
    ),
    "a short row": ("\n".join([*LINES[:5], "KRAS,1", *LINES[6:]]) + "\n", ("de.csv:6: a row of 2 fields",)),
    "a long row": ("\n".join([*LINES[:5], LINES[5] + ",x", *LINES[6:]]) + "\n", ("de.csv:6: a row of 5",)),
    "a note": (plain(tail="* Benjamini-Hochberg\n"), ("de.csv:14: a line of text", "take it out")),
    "a padded note": (plain(tail="adjusted for twelve tests,,,\n"), ("de.csv:14", "take it out")),
    "a total": (plain(put(GENES, 11, "Gesamt")), ("de.csv:13: 'Gesamt'",)),
    "a ratio": (plain(effect=[2.0**e for e in EFFECT]), ("no effect is below 0", "effect_is")),
    "absolute changes": (plain(effect=[abs(e) for e in EFFECT]), ("no effect is below 0", "effect_is")),
    "counts": (plain(effect=[120, -33, 4000, *EFFECT[3:]]), ("4000, which is no log2", "effect_is")),
    "a damaged symbol beside an id": (
        text("id,symbol,log2FoldChange,pvalue,padj", IDS, put(GENES, 4, "1-Mar"), *FIGURES), ("de.csv:6",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_told_is_refused_with_its_place(tmp_path, kind):
    content, words = REFUSED[kind]
    message = refusal(lab(tmp_path, content))
    assert [word for word in words if word not in message] == [], message


DAMAGED = (
    *(
        "1-Mar",
        "Mar-01",
        "2-sept.-07",
        "15-Sep-2003",
        "1. Dez",
        "01. Mrz",
        "1-mars",
        "01-févr",
        "1-dic",
        "4 sept",
    ),
    *(
        "02-set",
        "1-okt",
        "1 марта",
        "9月2日",
        "2006/09/02",
        "02/09/2006",
        "01.03.2024",
        "2003-03-01 00:00:00",
    ),
    *("44621", "38961.0", "2.31E+13", "2,31E+13", "1.5e+07", "#NAME?", "#REF!"),
)


@pytest.mark.parametrize("name", DAMAGED)
def test_a_name_that_a_spreadsheet_damaged_is_refused_with_its_row(tmp_path, name):
    assert f"de.csv:6: the gene name {name!r}" in refusal(lab(tmp_path, plain(put(GENES, 4, name), sep=";")))


@pytest.mark.parametrize(
    "names",
    [
        "MARCHF1 SEPTIN2 DEC1 2310009E13Rik 1700001C02Rik MARC1 OCT4 5S_rRNA MAR1 7SK Sept7 H2-K1",
        "sep-1 mai-2 set-2 lin-4 unc-5 daf-16 jun-1 gen-1 dec-11 lip-1 mei-1 let-7",
        "7157 1956 4609 3845 60 2597 3162 7422 6662 3934 26762 1191",
    ],
)
def test_names_that_only_look_damaged_are_names(tmp_path, names):
    content = plain(names.split(), header="ENTREZID,log2FoldChange,pvalue,padj")
    assert [name for name, _ in directions(lab(tmp_path, content))] == names.split()


def test_a_workbook_may_have_a_title_and_no_note(tmp_path):
    head = [["Exported", datetime.datetime(2024, 3, 1)], [], DESEQ2.split(",")]
    assert directions(lab(tmp_path, sheet(head + numbers()), "de.xlsx")) == list(
        zip(GENES, WAYS, strict=True)
    )
    noted = lab(tmp_path, sheet([*head, *numbers(), [], ["Wald test"]]), "de.xlsx")
    assert "de.xlsx: row 17: one cell alone: 'Wald test'" in refusal(noted)


def test_a_legend_before_the_table_is_told_from_it(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = "Legend"
    book.active.append(["Exported", datetime.datetime(2024, 3, 1)])
    table = book.create_sheet("DE")
    for row in [DESEQ2.split(","), *numbers()]:
        table.append(row)
    out = io.BytesIO()
    book.save(out)
    told = refusal(lab(tmp_path, out.getvalue(), "de.xlsx"))
    assert "the first sheet, 'Legend', has no such columns, and 'DE' has" in told
    assert directions(lab(tmp_path, out.getvalue(), "de.xlsx", sheet="DE")) == list(
        zip(GENES, WAYS, strict=True)
    )


def lines(path: Path) -> list[str]:
    return list(catalogue().stream("tables", {"lab": str(path)}).lines)


def test_what_was_read_is_told_before_anything_is_written(tmp_path):
    p = [*PADJ[:9], "0.1", "NA", "NA"]
    padj = [*PADJ[:9], "NA", "NA", "NA"]
    effect = [*EFFECT[:11], "NA"]
    content = text("gene,baseMean,log2FoldChange,pvalue,padj", GENES, [*MEAN[:11], "0"], effect, p, padj)
    assert lines(lab(tmp_path, content))[0] == (
        "de.csv: names from `gene`, effect log2FoldChange (−3.1 … 4.4), 12 rows, 3 up, 3 down, "
        "3 not significant, 3 without padj (1 filtered out, 1 outlier, 1 no counts)"
    )


@pytest.mark.parametrize(
    ("padj", "bound"),
    [(["0", *PADJ[1:]], "below 1e-300"), (["0.0", *(f"{float(p):.3f}" for p in PADJ[1:])], "below 0.004")],
)
def test_an_adjusted_p_of_zero_is_below_what_the_file_can_say(tmp_path, padj, bound):
    padj = ["0" if float(p) == 0 else p for p in padj]
    dataset = catalogue().build("dataset", "tables", {"lab": str(lab(tmp_path, plain(padj=padj)))})
    answers = [question.answer for question in dataset.questions]
    assert any(f"adjusted p {bound}" in answer for answer in answers)
    assert not any("adjusted p 0)" in answer for answer in answers)


def test_symbols_and_accessions_meet_in_a_mapping(tmp_path):
    (tmp_path / "map.tsv").write_text(text("gene_id,gene_name", IDS, GENES, sep="\t"))
    mapping = {"file": "map.tsv", "id": "gene_id", "label": "gene_name"}
    for names in (GENES, [f"{name}.4" for name in IDS]):
        [loaded] = load_tables(load_lab(lab(tmp_path, plain(names), mapping=mapping)))
        assert loaded.results.table["label"].to_pylist() == GENES
        assert [name.partition(".")[0] for name in loaded.results.table["id"].to_pylist()] == IDS


def test_a_set_that_was_tested_for_over_representation_is_enriched_or_not(tmp_path):
    content = text("ID,Description,pvalue,p.adjust", [f"GO:{n}" for n in COUNT], GENES, PADJ, PADJ)
    path = lab(tmp_path, content, tool="enrichgo", genes="up")
    dataset = catalogue().build("dataset", "tables", {"lab": str(path)})
    answers = [question.ground_truth["answer"] for question in dataset.questions]
    assert answers.count("yes") == answers.count("no") == 4
    assert len(dataset.preferences) == 12
    of_two = [question for question in dataset.questions if question.family == "enrichment_of_two"]
    assert len(of_two) == 4
    prompts = [question.prompt.lower() for question in dataset.questions]
    assert all(
        "among the genes that are up in treated" in p or "do the genes that are up" in p for p in prompts
    )
    judge = RewardComposer(["V1", "V2", "V3", "V4"])
    for question in dataset.questions:
        values = [score.value for score in judge.score(question, question.answer).scores.values()]
        assert min(value for value in values if value is not None) >= 0.95, question
    asked = {question.prompt: question for question in dataset.questions}
    for pair in dataset.preferences:
        assert judge.score(asked[pair.prompt], pair.rejected).scores["factual"].value == 0.0, pair
    with pytest.raises(InputError, match="'genes': up, down or changed"):
        load_lab(lab(tmp_path, content, tool="enrichgo"))


def test_an_infinite_ratio_of_msstats_was_not_tested(tmp_path):
    content = plain(effect=put(EFFECT, 0, "Inf"), header="Protein,log2FC,pvalue,adj.pvalue")
    assert directions(lab(tmp_path, content, tool="msstats"))[0] == ("TP53", "NOT TESTED")
    with pytest.raises(DataError, match=r"de\.csv:2: effect of TP53: inf"):
        load_tables(load_lab(lab(tmp_path, plain(effect=put(EFFECT, 0, "Inf")))))


def test_the_table_of_no_known_tool_is_read_as_the_page_says(tmp_path):
    page = (Path(__file__).resolve().parents[2] / "docs" / "tables.md").read_text("utf-8")
    part = page.partition("## A table of no known tool")[2]
    table, settings, told = re.findall(r"```\w+\n(.*?)```", part, re.DOTALL)
    (tmp_path / "olink.csv").write_text(table)
    (tmp_path / "lab.yaml").write_text(settings)
    assert lines(tmp_path / "lab.yaml")[:2] == told.splitlines()
