"""Twenty and more mistakes that people make with their tables: each is an error, or a warning before anything
is written, that names file, row or column and what to do. docs/mistakes.md shows their messages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from biorlhf.errors import InputError
from biorlhf.plugins import catalogue

GENES = ("TP53", "EGFR", "MYC", "KRAS", "ACTB", "GAPDH", "HMOX1", "VEGFA", "SOX9", "LCN2", "HAVCR1", "CLU")
ENSEMBL = tuple(f"ENSG000001415{number:02d}" for number in range(12))
EFFECTS = ("2.1", "-1.7", "3.3", "-0.9", "0.1", "-0.2", "4.4", "-2.8", "0.05", "-3.1", "1.2", "-0.3")
PADJ = ("1e-20", "2e-9", "3e-30", "0.004", "0.8", "0.6", "5e-40", "1e-8", "0.9", "2e-12", "0.03", "0.5")
HEADER = "gene,log2FoldChange,pvalue,padj"


def table(names=GENES, effects=EFFECTS, padj=PADJ, header=HEADER) -> str:
    rows = [f"{n},{e},{p},{p}" for n, e, p in zip(names, effects, padj, strict=True)]
    return "\n".join([header, *rows]) + "\n"


def spec(file: str = "de.csv", **settings) -> dict:
    return {
        "file": file, "tool": "deseq2", "tissue": "kidney", "condition": "cisplatin",
        "contrast": {"numerator": "treated", "denominator": "untreated"}, "thresholds": {"padj": 0.05},
        **settings,
    }  # fmt: skip


def outcome(folder: Path, files: dict[str, str], tables: list[dict], **lab) -> tuple[str, list[str]]:
    """(the error or "", the warnings) of a build up to where it would write."""
    for name, content in files.items():
        (folder / name).write_text(content)
    (folder / "lab.yaml").write_text(yaml.safe_dump({"name": "lab", "tables": tables, **lab}))
    try:
        ready = catalogue().stream("tables", {"lab": str(folder / "lab.yaml")})
    except InputError as error:
        return str(error).replace(f"{folder}/", ""), []
    return "", [warning.replace(f"{folder}/", "") for warning in ready.warnings]


def swapped(place: int, name: str) -> tuple[str, ...]:
    return (*GENES[:place], name, *GENES[place + 1 :])


def in_liver(text: str) -> str:
    header, *rows = text.splitlines()
    return "\n".join([f"{header},tissue", *(f"{row},liver" for row in rows)]) + "\n"


DE = {"de.csv": table()}
RATIOS = tuple(f"{2 ** float(effect):.3f}" for effect in EFFECTS)
CHANGED = tuple(number for number, p in enumerate(PADJ) if float(p) < 0.05)


def only_changed(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(values[number] for number in CHANGED)


ERRORS = {
    "wrong column": (DE, [spec(columns={"adjusted": "FDR"})], ("de.csv:1: no column 'FDR'", "columns: {adj")),
    "wrong tool": (DE, [spec(tool="edger")], ("de.csv:1: no column 'logFC'", "tool: deseq2")),
    "a role that is none": (DE, [spec(columns={"padj": "padj"})], ("unknown role 'padj'", "adjusted")),
    "no contrast": (DE, [{**spec(), "contrast": {}}], ("lab.yaml:", "contrast's numerator is missing")),
    "one group twice": (
        DE, [spec(contrast={"numerator": "WT", "denominator": "wt"})], ("lab.yaml:", "both 'WT'"),
    ),
    "a threshold in percent": (DE, [spec(thresholds={"padj": 5})], ("lab.yaml:", "padj: 5", "less than 1")),
    "a mistyped file": (DE, [spec("d.csv")], ("d.csv: no such file", "did you mean: de.csv")),
    "a tissue that is not held": (
        DE, [spec()], ("hold_out_tissues", "'kidny' is in no table", "did you mean: kidney"),
        {"splits": {"hold_out_tissues": ["kidny"]}},
    ),
    "another tissue in the file": (
        {"de.csv": in_liver(table())},
        [spec()], ("de.csv:2: tissue 'liver'", "tissue 'kidney'"),
    ),
    "a file cut off": (
        {"de.csv": table()[:-8]}, [spec()], ("de.csv:13: a row of 3 fields", "cut off"),
    ),
    "duplicate rows": (
        {"de.csv": table(swapped(3, "EGFR"))}, [spec()],
        ("de.csv:5: a second row for EGFR", "the first is de.csv:3"),
    ),
    "a date": ({"de.csv": table(swapped(4, "1-Mar"))}, [spec()], ("de.csv:6", "'1-Mar': a date", "export")),
    "a serial number": ({"de.csv": table(swapped(4, "44621"))}, [spec()], ("de.csv:6", "'44621'", "export")),
    "an exponent": ({"de.csv": table(swapped(4, "2.31E+13"))}, [spec()], ("de.csv:6", "exponent", "export")),
    "a fold change that is no logarithm": (
        {"de.csv": table(effects=RATIOS, header="gene,FoldChange,pvalue,padj")},
        [spec(columns={"effect": "FoldChange"})],
        ("de.csv: column 'FoldChange': no effect is below 0", "effect_is"),
    ),
    "a statistic for a fold change": (
        {"de.csv": table(header="gene,stat,pvalue,padj")}, [spec(columns={"effect": "stat"})],
        ("column 'stat' holds a test's statistic", "effect_is"),
    ),
    "a ratio the other way round": (
        {"de.csv": table(header="gene,log2(untreated / treated),pvalue,padj")},
        [spec(columns={"effect": "log2(untreated / treated)"})],
        ("de.csv:1", "is of untreated over treated", "flip: true"),
    ),
    "a probability for a p": (
        {"de.csv": table(padj=tuple(f"{1 - float(p):g}" for p in PADJ))}, [spec()],
        ("de.csv:1: column 'padj' grows with the size of 'log2FoldChange'", "1 - p"),
    ),
    "no header": (
        {"de.csv": table().partition("\n")[2]}, [spec()], ("de.csv:1: no header", "header: none"),
    ),
    "row numbers for names": (
        {"de.csv": table(tuple(str(n) for n in range(1, 13)), header=",log2FoldChange,pvalue,padj")},
        [spec()], ("de.csv:1", "only a first column of whole numbers", "columns: {id: ...}"),
    ),
    "an unclosed quote": (
        {"de.csv": table(swapped(2, '"MYC'))}, [spec()], ("de.csv:4: a quote that is not closed", "quotes:"),
    ),
    "a note under the table": (
        {"de.csv": table() + "* Wald test\n"}, [spec()], ("de.csv:14", "a line of text", "take it out"),
    ),
    "a total": (
        {"de.csv": table(swapped(11, "Total"))}, [spec()], ("de.csv:13: 'Total'", "take it out"),
    ),
    "an adjusted p above 1": (
        {"de.csv": table(padj=("9", *PADJ[1:]))}, [spec()], ("de.csv:2: p of TP53: 9", "[0, 1]"),
    ),
    "the same genes in two tables": (
        {**DE, "b.csv": table()}, [spec(), spec("b.csv")],
        ("b.csv:2: TP53 stands in de.csv as well", "different conditions"),
    ),
    "symbols against a mapping of another species": (
        {**DE, "map.tsv": "id\tname\nENSMUSG1\tTrp53\nENSMUSG2\tEgfr\n"},
        [spec(mapping={"file": "map.tsv", "id": "id", "label": "name"})],
        ("de.csv: only 0 of 12 names are in map.tsv", "'ENSMUSG1' as 'Trp53'"),
    ),
    "the samples the other way round": (
        {**DE, "vst.csv": "gene,T1,C1\n" + "".join(
            f"{g},{5 - float(e)},5\n" for g, e in zip(GENES, EFFECTS, strict=True))},
        [spec(expression={"file": "vst.csv", "numerator": ["T1"], "denominator": ["C1"]})],
        ("de.csv: only 0% of 8 effects", "swap numerator and denominator"),
    ),
    "an unfinished custom table": (
        DE, [spec(tool="custom", columns={"id": "gene"})], ("lab.yaml:", "tool: custom needs 'of'"),
    ),
    "over-representation of an unknown list": (
        {"de.csv": "Term,Adjusted P-value\nA,0.01\n"}, [spec(tool="enrichr")],
        ("lab.yaml:", "tool enrichr needs 'genes': up, down or changed"),
    ),
}  # fmt: skip

WARNINGS = {
    "the contrast against the file's name": (
        {"untreated_vs_treated.csv": table()}, [spec("untreated_vs_treated.csv")],
        "untreated_vs_treated.csv: its name says untreated against treated",
    ),
    "a control for the numerator": (
        DE, [spec(contrast={"numerator": "vehicle", "denominator": "drug"})],
        "de.csv: the numerator, 'vehicle'",
    ),
    "nothing significant": (
        {"de.csv": table(padj=("0.7",) * 12)}, [spec()], "de.csv: nothing is significant: none of 12 rows",
    ),
    "a filtered table": (
        {"de.csv": table(*map(only_changed, (GENES, EFFECTS, PADJ)))}, [spec()],
        "de.csv: all of 8 rows have adjusted p below 0.05: a filtered table?",
    ),
    "ids against symbols": (
        {**DE, "b.csv": table(ENSEMBL)}, [spec(), spec("b.csv", tissue="liver")],
        "b.csv names genes by accession, de.csv by symbol",
    ),
    "a typo in the tissue": (
        {**DE, "b.csv": table(ENSEMBL)}, [spec(), spec("b.csv", tissue="kidnye")],
        "tissue 'kidney' beside 'kidnye': one thing, spelt twice?",
    ),
    "a last line without its end": (
        {"de.csv": table().rstrip("\n")}, [spec()], "de.csv: the last line has no line break",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_a_mistake_is_an_error_that_says_where_and_what_to_do(tmp_path, name):
    files, tables, words, *lab = ERRORS[name]
    message, _ = outcome(tmp_path, files, tables, **(lab[0] if lab else {}))
    assert [word for word in words if word not in message] == [], message


@pytest.mark.parametrize("name", WARNINGS)
def test_a_doubt_is_a_warning_before_anything_is_written(tmp_path, name):
    files, tables, words = WARNINGS[name]
    message, warnings = outcome(tmp_path, files, tables)
    assert message == ""
    assert [warning for warning in warnings if warning.startswith(words)], warnings


def test_a_table_without_a_mistake_has_neither_even_in_a_folder_with_spaces(tmp_path):
    folder = tmp_path / "my tables, 2024"
    folder.mkdir()
    assert outcome(folder, {"kidney de.csv": table()}, [spec("kidney de.csv")]) == ("", [])


PAGE = Path(__file__).resolve().parents[2] / "docs" / "mistakes.md"


def test_the_page_of_mistakes_has_each_with_what_is_said():
    page = PAGE.read_text("utf-8")
    for name, case in ERRORS.items():
        assert f"| {name} |" in page
        assert [word for word in case[2] if word not in page] == [], name
    for name, case in WARNINGS.items():
        assert f"| {name} |" in page
        assert case[2] in page, name
