"""Result tables as tools and spreadsheets write them, and what is refused."""

from __future__ import annotations

import datetime
import gzip
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers.results import read_results

CONTRAST = ("flight", "ground")
FGSEA = (
    "pathway,pval,padj,log2err,ES,NES,size\n"
    "HALLMARK_ADIPOGENESIS,0.001,0.01,0.3,0.61,2.10,180\n"
    "HALLMARK_APOPTOSIS,0.2,0.31,0.1,-0.22,-1.02,150\n"
)


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder, name, content, tool="fgsea", contrast=CONTRAST, **options):
    return read_results(written(folder, name, content), tool, contrast, **options)


def rows(results):
    return results.table.select(["id", "effect", "adjusted"]).to_pylist()


def refused(folder, name, content, tool="fgsea", contrast=CONTRAST, **options) -> str:
    with pytest.raises(DataError) as error:
        read(folder, name, content, tool, contrast, **options)
    return str(error.value).replace(str(folder) + "/", "")


def test_deseq2_with_na_decimal_commas_a_bom_and_an_unnamed_first_column(tmp_path):
    text = (
        '\ufeff"";"baseMean";"log2FoldChange";"lfcSE";"stat";"pvalue";"padj"\r\n'
        '"ENSMUSG01";1234,5;1,25;0,2;6,2;1,2e-05;0,0004\r\n'
        '"ENSMUSG02";12,5;-0,75;0,4;-1,9;0,06;NA\r\n'
    )
    results = read(tmp_path, "deseq2.csv", text, "deseq2")
    assert rows(results) == [
        {"id": "ENSMUSG01", "effect": 1.25, "adjusted": 0.0004},
        {"id": "ENSMUSG02", "effect": -0.75, "adjusted": None},
    ]
    assert results.table["p"].to_pylist() == [1.2e-05, 0.06]


def test_a_header_one_name_short_has_an_unnamed_index(tmp_path):
    text = "baseMean\tlog2FoldChange\tpvalue\tpadj\nGeneA\t10.0\t1.5\t0.01\t0.02\n"
    assert rows(read(tmp_path, "r.tsv", text, "deseq2")) == [{"id": "GeneA", "effect": 1.5, "adjusted": 0.02}]


@pytest.mark.parametrize(
    ("tool", "header"),
    [
        ("deseq2", ",baseMean,log2FoldChange,pvalue,padj"),
        ("edger", ",logCPM,logFC,PValue,FDR"),
        ("limma", ",AveExpr,logFC,P.Value,adj.P.Val"),
        ("clusterprofiler", "ID,enrichmentScore,NES,pvalue,p.adjust"),
        ("gsea", "NAME,ES,NES,NOM p-val,FDR q-val"),
        ("fgsea", "pathway,ES,NES,pval,padj"),
    ],
)
def test_each_tool_has_its_own_columns(tmp_path, tool, header):
    results = read(tmp_path, "t.csv", f"{header}\nX1,0.5,1.5,0.01,0.02\n", tool)
    assert rows(results) == [{"id": "X1", "effect": 1.5, "adjusted": 0.02}]


def test_genelab_wide_takes_the_contrast_that_is_named(tmp_path):
    text = (
        "ENSEMBL,SYMBOL,Log2fc_(FLT)v(GC),P.value_(FLT)v(GC),Adj.p.value_(FLT)v(GC),"
        "Log2fc_(GC)v(FLT),P.value_(GC)v(FLT),Adj.p.value_(GC)v(FLT)\n"
        "ENSMUSG01,Myh4,2.5,0.001,0.01,-2.5,0.001,0.01\n"
    )
    results = read(tmp_path, "wide.csv", text, "genelab", ("FLT", "GC"))
    assert results.table["effect"].to_pylist() == [2.5]
    assert results.table["label"].to_pylist() == ["Myh4"]
    assert read(tmp_path, "wide.csv", text, "genelab", ("GC", "FLT")).table["effect"].to_pylist() == [-2.5]
    message = refused(tmp_path, "wide.csv", text, "genelab", ("VIV", "GC"))
    assert "wide.csv:1" in message
    assert "(FLT)v(GC); (GC)v(FLT)" in message


def test_gsea_desktop_has_a_trailing_tab_dashes_and_the_wrong_suffix(tmp_path):
    text = (
        "NAME\tSIZE\tES\tNES\tNOM p-val\tFDR q-val\t\n"
        "SET_A\t20\t0.5\t1.5\t0.0\t0.01\t\nSET_B\t9\t0.2\t---\t0.4\t0.9\t\n"
    )
    results = read(tmp_path, "gsea_report.xls", text, "gsea")
    assert [row["effect"] for row in rows(results)] == [1.5, None]


def test_gz_parquet_xlsx_and_utf16_hold_the_same_rows(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    plain = rows(read(tmp_path, "a.csv", FGSEA))
    assert len(plain) == 2
    assert rows(read(tmp_path, "b.csv.gz", gzip.compress(FGSEA.encode()))) == plain
    assert rows(read(tmp_path, "c.csv", FGSEA.encode("utf-16"))) == plain
    table = [line.split(",") for line in FGSEA.splitlines()]
    columns = {name: [row[n] for row in table[1:]] for n, name in enumerate(table[0])}
    typed = {k: [float(v) for v in values] if k != "pathway" else values for k, values in columns.items()}
    pq.write_table(pa.table(typed), tmp_path / "d.parquet")
    assert rows(read_results(tmp_path / "d.parquet", "fgsea", CONTRAST)) == plain
    book = openpyxl.Workbook()
    for row in [table[0], *[list(values) for values in zip(*typed.values(), strict=True)]]:
        book.active.append(row)
    book.save(tmp_path / "e.xlsx")
    assert rows(read_results(tmp_path / "e.xlsx", "fgsea", CONTRAST)) == plain


def test_own_column_names(tmp_path):
    text = FGSEA.replace("pathway,", "set,").replace(",NES,", ",score,")
    results = read(tmp_path, "a.csv", text, columns={"id": "set", "effect": "score"})
    assert [row["effect"] for row in rows(results)] == [2.10, -1.02]


@pytest.mark.parametrize(
    ("change", "place", "found"),
    [
        (("0.31", "1.7"), "x.csv:3", "adjusted p of HALLMARK_APOPTOSIS: 1.7"),
        (("0.2,0.31", "-0.2,0.31"), "x.csv:3", "p of HALLMARK_APOPTOSIS: -0.2"),
        (("-1.02", "1.02"), "x.csv:3", "NES 1.02 but ES -0.22"),
        (
            ("HALLMARK_APOPTOSIS", "HALLMARK_ADIPOGENESIS"),
            "x.csv:3",
            "a second row for HALLMARK_ADIPOGENESIS",
        ),
        (("0.31", "high"), "x.csv:3", "column 'padj': 'high'"),
        (("HALLMARK_APOPTOSIS", ""), "x.csv:3", "a row without a pathway name"),
        (("padj", "q"), "x.csv:1", "no column 'padj' (adjusted)"),
        (("-0.22,-1.02,150\n", "-0.2"), "x.csv:3", "a row of 5 fields"),
    ],
)
def test_what_cannot_be_is_refused_with_file_and_row(tmp_path, change, place, found):
    message = refused(tmp_path, "x.csv", FGSEA.replace(*change))
    assert place in message
    assert found in message


def test_a_second_row_names_the_first(tmp_path):
    message = refused(tmp_path, "x.csv", FGSEA + FGSEA.splitlines()[1] + "\n")
    assert "x.csv:4: a second row" in message
    assert "x.csv:2" in message


def test_blank_lines_do_not_shift_the_row_that_is_named(tmp_path):
    text = FGSEA.replace("\nHALLMARK_APOPTOSIS", "\n\n\nHALLMARK_APOPTOSIS").replace("0.31", "3.1")
    assert "x.csv:5: adjusted p" in refused(tmp_path, "x.csv", text)


def test_cut_off_files_are_refused(tmp_path):
    packed = gzip.compress(FGSEA.encode() * 50)
    assert "cut off" in refused(tmp_path, "x.csv.gz", packed[: len(packed) // 2])
    quoted = FGSEA.replace("150\n", '"150\n') + FGSEA.splitlines()[1] + "\n"
    assert "a quote that is not closed" in refused(tmp_path, "q.csv", quoted)
    pq.write_table(pa.table({"pathway": ["A"]}), tmp_path / "p.parquet")
    content = (tmp_path / "p.parquet").read_bytes()
    assert "cut off" in refused(tmp_path, "half.parquet", content[: len(content) // 2])
    assert "cut off" in refused(tmp_path, "x.xlsx", b"PK\x03\x04 and nothing else")
    assert "empty" in refused(tmp_path, "e.csv", "")


def test_a_file_that_may_be_cut_inside_its_last_field_is_warned_about(tmp_path):
    assert read(tmp_path, "a.csv", FGSEA).warnings == ()
    [warning] = read(tmp_path, "b.csv", FGSEA[:-2]).warnings
    assert "b.csv: the last line has no line break" in warning


def test_derived_tables_are_not_results(tmp_path):
    message = refused(tmp_path, "nes_correlation.csv", ",RR-1,RR-3\nRR-1,1.0,0.4\nRR-3,0.4,1.0\n")
    assert "no column 'NES'" in message


def test_gene_names_that_a_spreadsheet_turned_into_dates_are_refused(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    text = "gene,logFC,PValue,FDR\nActb,0.1,0.5,0.9\n1-Mar,2.0,0.001,0.01\n"
    assert "x.csv:3: the gene name '1-Mar'" in refused(tmp_path, "x.csv", text, "edger")
    book = openpyxl.Workbook()
    book.active.append(["gene", "logFC", "PValue", "FDR"])
    book.active.append([datetime.datetime(2024, 3, 1), 2.0, 0.001, 0.01])
    book.save(tmp_path / "x.xlsx")
    with pytest.raises(DataError, match="row 2: a date"):
        read_results(tmp_path / "x.xlsx", "edger", CONTRAST)


def test_a_decimal_comma_among_decimal_points_is_refused(tmp_path):
    text = "gene;logFC;PValue;FDR\nA;1,5;0,1;0,2\nB;1.23,5;0,1;0,2\n"
    assert "x.csv:3: column 'logFC': '1.23,5'" in refused(tmp_path, "x.csv", text, "edger")


def test_thousands_may_be_parted_where_numbers_have_a_decimal_comma(tmp_path):
    text = "gene;baseMean;log2FoldChange;pvalue;padj\nA;12.703,41;1,5;0,1;0,2\nB;1.234.567,5;-0,3;0,1;0,2\n"
    assert read(tmp_path, "x.csv", text, "deseq2").table["mean"].to_pylist() == [12703.41, 1234567.5]


def test_a_missing_file_names_its_neighbours(tmp_path):
    written(tmp_path, "liver_fgsea.csv", FGSEA)
    with pytest.raises(DataError, match=r"did you mean: liver_fgsea\.csv"):
        read_results(tmp_path / "livr_fgsea.csv", "fgsea", CONTRAST)


def test_the_minus_signs_of_a_word_processor_are_read(tmp_path):
    text = "gene\tlogFC\tPValue\tFDR\nA\t−2.5\t1e−9\t1e–8\nB\t–0.5\t0.2\t–\nC\t1.5\t0.01\t0.02\n"
    assert rows(read(tmp_path, "x.tsv", text, "edger")) == [
        {"id": "A", "effect": -2.5, "adjusted": 1e-8},
        {"id": "B", "effect": -0.5, "adjusted": None},
        {"id": "C", "effect": 1.5, "adjusted": 0.02},
    ]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("q-value(%)", "percent"),
        ("-log10(FDR)", "a negative logarithm"),
        ("neg_log10_q", "a negative logarithm"),
    ],
)
def test_p_values_on_another_scale_are_refused_by_their_name(tmp_path, column, said):
    path = written(tmp_path, "x.csv", f"gene,logFC,PValue,{column}\nA,2.0,0.01,0.9\nB,-2.0,0.01,0.2\n")
    with pytest.raises(DataError, match=rf"x\.csv:1: column {re.escape(repr(column))} .* holds {said}"):
        read_results(path, "edger", CONTRAST, {"adjusted": column})


def test_a_bound_in_the_place_of_a_p_value_is_refused_with_what_to_write(tmp_path):
    text = "gene,logFC,PValue,FDR\nA,2.0,<0.0001,0.01\n"
    assert "a bound is no figure" in refused(tmp_path, "x.csv", text, "edger")
