"""Data, tables and commands that say nothing, or the wrong thing."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import zipfile
from pathlib import Path

import yaml
from malformed import ROOT, kind, parquet_bytes, several, word

LUNG = ROOT / "tests/data/lung"


def rows_file(folder: Path, content: str | bytes, name: str, *command: str) -> list[str]:
    (folder / name).write_bytes(
        content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    )
    first, *rest = command or ("show",)
    return ["data", first, str(folder / name), *rest]


@kind
def rows_jsonl(draw, folder):
    good = json.dumps({"prompt": "a", "completion": "b"})
    bad = draw.choice(["{", "[1]", "5", '{"prompt": 5, "completion": 6}', '{"x": 1}', '{"prompt": "a"}', "{'a': 1}", '{"a": NaN}',
                       "[" * 9000, '{"n": ' + "9" * 5000 + "}", '{"messages": 5}', '{"messages": [5]}', '{"messages": [{"role": "x"}]}',
                       '{"prompt": "a", "chosen": 5, "rejected": null}', '{"prompt": "a", "completion": {"b": []}}'])  # fmt: skip
    return rows_file(folder, f"{good}\n{bad}\n", "rows.jsonl", draw.choice(["show", "stats", "check"]))


@kind
def rows_surrogate(draw, folder):
    half = draw.choice(["\\ud800", "\\udfff", "\\ud83d x"])
    row = f'{{"prompt": "q {half}", "completion": "a{half}"}}\n'
    out = str(folder / "out")
    return rows_file(
        folder,
        row,
        "rows.jsonl",
        *draw.choice(
            [
                ("build", "--out", out),
                ("export", "--out", out + ".jsonl", "--format", "prompt-completion"),
                ("show",),
            ]
        ),
    )


@kind
def rows_csv(draw, folder):
    text = draw.choice(['prompt,completion\n"a,b\n', "a,a\n1,2\n", "prompt,completion\na\n", "prompt,completion\na,b,c\n", "", "prompt\n",
                        "x,y\n1,2\n", "prompt,completion\n\x00,\n", 'prompt,completion\na"b"c",d\n"x"y,z\n', "prompt;completion\na;b\n"])  # fmt: skip
    return rows_file(folder, text, draw.choice(["rows.csv", "rows.tsv"]))


@kind
def rows_array(draw, folder):
    text = draw.choice(["[", "[{}", "[1]", '[{"prompt": "a"}, ]x', "[[]]", '{"a": [', "[" * 100_000, '[{"prompt": NaN}]', "[nul]", '["' ])  # fmt: skip
    return rows_file(folder, text, "rows.json", draw.choice(["show", "stats"]))


@kind
def rows_parquet(draw, folder):
    data = parquet_bytes([{"prompt": word(draw), "completion": word(draw) * 40} for _ in range(100)])
    cut = draw.choice(
        [data[: len(data) // 2], b"PAR1", b"PAR1" + bytes(100) + b"PAR1", data[:-9] + b"\xff" * 9, b""]
    )
    return rows_file(folder, cut, "rows.parquet", draw.choice(["show", "stats", "check"]))


@kind
def dataset_setting(draw, folder):
    setting = draw.choice(["split=nowhere", "max_questions=-1", "max_questions=.inf", "nothing=1", "...=5", "families=5", "families=[x]",
                           "max_questions=1.5", "confidence=5", "=", "split=[", "max_examples=" + "9" * 5000, "split"])  # fmt: skip
    return ["data", "show", "kmp", "--set", setting]


several(
    "dataset_name",
    ["nobody", "", ".", "/", "none.jsonl", "none.yaml", "x" * 5000, "none/none", "kmp,genelab"],
    lambda folder, name: ["data", "stats", str(name)],
)


def lab(folder: Path, text: str | None = None, **changes) -> list[str]:
    for file in LUNG.iterdir():
        shutil.copy(file, folder)
    data = yaml.safe_load((LUNG / "lab.yaml").read_text())
    data["tables"] = [{**data["tables"][0], **changes}]
    (folder / "lab.yaml").write_text(text if text is not None else yaml.safe_dump(data))
    return ["data", "stats", str(folder / "lab.yaml")]


several(
    "lab_setting",
    [{"tool": "excel"}, {"file": "none.csv"}, {"contrast": {}}, {"thresholds": {"padj": 2}}, {"thresholds": {"padj": float("nan")}},
     {"tissue": 5}, {"columns": {"id": "nothing"}}, {"file": "."}, {"file": ""}, {"condition": []}, {"contrast": "a vs b"},
     {"thresholds": {"effect": float("inf")}}, {"sheet": 5}, {"file": "/dev/null"}, {"thresholds": {"padj": -1}}],
    lambda folder, changes: lab(folder, **changes),
)  # fmt: skip
several(
    "lab_text",
    [
        "",
        "5",
        "tables: 5",
        "tables: []",
        "tables: [5]",
        "name: x",
        "a: &a [*a]",
        "tables:\n - file: lab.yaml",
        "\x00",
        "[" * 5000,
    ],
    lab,
)


def table(folder: Path, content: bytes, name: str) -> list[str]:
    (folder / name).write_bytes(content)
    return lab(folder, file=name)


@kind
def table_cells(draw, folder):
    lines = (LUNG / "tumour_deseq2.csv").read_text().splitlines()
    row, column = draw.randrange(1, len(lines)), draw.choice([2, 6])
    cells = lines[row].split(",")
    cells[column] = draw.choice(
        ["abc", "inf", "-inf", "1e999", "0x10", "1,5", "--", "1e", "\u221e", "#REF!", "2 3"]
    )
    lines[row] = ",".join(cells)
    return table(folder, ("\n".join(lines) + "\n").encode(), "t.csv")


@kind
def table_damaged(draw, folder):
    text = (LUNG / "tumour_deseq2.csv").read_bytes()
    packed = gzip.compress(text)
    return table(folder, draw.choice([
        packed[: len(packed) // 2], packed[:30], b"", b"\x00" * 500, text[:300] + b"\x00\x00" + text[300:], b"a\n", b"#\n#\n",
        text[: text.rfind(b",")], text.replace(b"padj", b"p"), text.replace(b'"ACTB",', b'"ACTB,', 1), packed[:-8] + b"\x00" * 8,
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x89PNG\r\n\x1a\n" + bytes(300),
    ]), draw.choice(["t.csv", "t.csv.gz", "t.txt"]))  # fmt: skip


def workbook(draw: random.Random, folder: Path) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for line in (LUNG / "tumour_deseq2.csv").read_text().splitlines()[:40]:
        book.active.append([cell.strip('"') for cell in line.split(",")])
    book.save(folder / "whole.xlsx")
    return (folder / "whole.xlsx").read_bytes()


@kind
def workbook_damaged(draw, folder):
    data = bytearray(workbook(draw, folder))
    if draw.random() < 0.4:
        return table(folder, bytes(data[: draw.randrange(10, len(data) - 10)]), "t.xlsx")
    start = draw.randrange(40, len(data) - 900)
    data[start : start + 500] = bytes(draw.randrange(256) for _ in range(500))
    return table(folder, bytes(data), "t.xlsx")


@kind
def workbook_parts(draw, folder):
    workbook(draw, folder)
    part = draw.choice(
        ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"]
    )
    junk = draw.choice(
        [b"", b"<a", b"<a/>", b"\x00" * 50, b"<worksheet><sheetData><row r='x'/></sheetData></worksheet>"]
    )
    with zipfile.ZipFile(folder / "whole.xlsx") as old, zipfile.ZipFile(folder / "t.xlsx", "w") as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
            elif draw.random() < 0.7:
                new.writestr(name, junk)
    return lab(folder, file="t.xlsx")


@kind
def facts_table(draw, folder):
    head = "entity,condition,quantity,value\n"
    text = draw.choice([head + f"soleus,HU,DEG count,{draw.choice(['abc', 'inf', 'nan', '1e999', '--', '', '5 or 6', '0x1F', '5x'])}\n", "",
                        "entity,value\nsoleus,5\n", head + "soleus,HU\n", head + ",HU,DEG count,5\n", head + '"soleus,HU,DEG count,5\n',
                        head + "soleus,HU,DEG count,5\nsoleus,HU,DEG count,6\n", head, head + "soleus,HU,DEG count,5,6,7\n", head + "soleus,\x00,x,5\n"])  # fmt: skip
    (folder / "facts.csv").write_text(text)
    return rows_file(
        folder,
        '{"prompt": "a", "completion": "b"}\n',
        "t.jsonl",
        "check",
        "--facts",
        str(folder / "facts.csv"),
    )


several(
    "check_options",
    [("--facts", "none.csv"), ("--facts", "."), ("--facts", "x" * 300), ("--against", "none.jsonl"), ("--json", "none/x.json"), ("--json", "/proc/x"),
     ("--against", "."), ("--json", "."), ("--facts", "/dev/null")],
    lambda folder, options: rows_file(folder, '{"prompt": "a", "completion": "b"}\n', "t.jsonl", "check", *options),
)  # fmt: skip
several(
    "data_output",
    [("export", "--format", "prompt-completion", "--out", "/proc/x.jsonl"), ("export", "--format", "prompt-completion", "--out", "none/x.jsonl"),
     ("build", "--out", "/proc/x"), ("build", "--out", "/dev/null"), ("export", "--format", "nothing", "--out", "x"), ("export", "--format", "messages", "--out", "/"),
     ("stats", "--out", "/proc/x.json"), ("build", "--out", "x" * 300), ("show", "--split", "nowhere"), ("show", "--id", "\x1b[2J"), ("stats", "--out", "none/s.json")],
    lambda folder, command: ["data", command[0], "kmp", *command[1:]],
)  # fmt: skip
several(
    "commands",
    [["recipes", "nowhere"], ["audit", "--dataset", "nowhere"], ["audit", "--verifier", "nobody"], ["run"], ["run", "none.yaml"], ["run", "--resume", "."],
     ["plugins", "new", "verifier", "a b"], ["plugins", "new", "nothing", "x"], ["report", "."], ["compare", ".", "."], ["export", ".", "--to", "x"],
     ["generate", ".", "--prompt", "x"], ["evaluate", "."], ["nothing"], ["score"], ["plugins", "new", "verifier", "../x"], ["recipes", "copy"]],
    lambda folder, command: list(command),
)  # fmt: skip


@kind
def built_folder(draw, folder):
    place = folder / "built"
    place.mkdir()
    data = parquet_bytes(
        [{"id": word(draw), "prompt": "p", "ground_truth": "{}", "split": "train"} for _ in range(50)]
    )
    name = draw.choice(["questions.parquet", "examples.parquet", "preferences.parquet"])
    (place / name).write_bytes(
        draw.choice([data[:100], b"PAR1", bytes(300), parquet_bytes([{"x": 1}]), data[:-3]])
    )
    return ["data", draw.choice(["show", "stats", "check"]), str(place)]


@kind
def names_of_data(draw, folder):
    place = folder / "built"
    place.mkdir()
    row = {"id": "a", "prompt": "p", "ground_truth": "{}", "split": "train"}
    (place / "questions.parquet").write_bytes(parquet_bytes([row]))
    (place / "names.json").write_text(
        draw.choice(
            ["{", "[]", "5", '{"entities": 5}', "[" * 90_000, '{"x": {}}', "", '{"entities": {"a": 5}}']
        )
    )
    return ["data", draw.choice(["show", "stats"]), str(place)]
