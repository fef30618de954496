"""One reader for every file of rows: what it takes, and how it says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from biorlhf.errors import DataError
from biorlhf.inputs.rows import read_rows

ROWS = [{"prompt": "A", "n": 1}, {"prompt": "B\u2028C", "n": 2}]


def fields(path: Path, **options) -> list[dict]:
    return [row for _, row in read_rows(path, **options)]


def test_the_same_rows_come_from_every_kind_of_file(tmp_path):
    lines = "\n\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    (tmp_path / "a.jsonl").write_text("\ufeff" + lines, "utf-8")
    (tmp_path / "b.json").write_text(json.dumps(ROWS, indent=1))
    (tmp_path / "c.json").write_text(json.dumps({"version": 1, "items": ROWS}))
    parquet.write_table(pa.Table.from_pylist(ROWS), tmp_path / "d.bin")
    assert fields(tmp_path / "a.jsonl") == ROWS
    assert fields(tmp_path / "b.json") == ROWS
    assert fields(tmp_path / "c.json", array_key="items") == ROWS
    assert fields(tmp_path / "d.bin") == ROWS
    assert fields(tmp_path / "d.bin", columns=["n"]) == [{"n": 1}, {"n": 2}]


def test_cells_of_csv_and_tsv_are_text_and_an_empty_one_is_no_field(tmp_path):
    (tmp_path / "a.csv").write_text('prompt,answer\n"A, or\nB?",\nC,D\n')
    (tmp_path / "a.tsv").write_text("prompt\tanswer\nA, B\t1\n")
    assert list(read_rows(tmp_path / "a.csv")) == [
        (f"{tmp_path / 'a.csv'}:3", {"prompt": "A, or\nB?"}),
        (f"{tmp_path / 'a.csv'}:4", {"prompt": "C", "answer": "D"}),
    ]
    assert fields(tmp_path / "a.tsv") == [{"prompt": "A, B", "answer": "1"}]


def test_null_in_parquet_is_no_field_and_rows_are_counted(tmp_path):
    parquet.write_table(pa.table({"a": [1, None], "b": ["x", "y"]}), tmp_path / "a.parquet")
    assert list(read_rows(tmp_path / "a.parquet")) == [
        (f"{tmp_path / 'a.parquet'}: row 1", {"a": 1, "b": "x"}),
        (f"{tmp_path / 'a.parquet'}: row 2", {"b": "y"}),
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", b'{"a": 1}\n{"a": }\n', r"a\.jsonl:2: not JSON: Expecting value at column 7"),
        ("a.jsonl", b'{"a": 1}\n\n{"a": NaN}\n', r"a\.jsonl:3: not JSON: NaN is no JSON"),
        ("a.jsonl", b'{"a": 1}\n{"a": "\xff"}\n', r"a\.jsonl:2: not UTF-8"),
        ("a.jsonl", b'{"a": 1}\n"a"\n', r"a\.jsonl:2: a string"),
        ("a.jsonl", b"\n \n", r"a\.jsonl: no rows"),
        ("a.json", b'[{"a": 1},\n {"a": NaN}]', r"a\.json:2: not JSON: NaN"),
        ("a.json", b'[{"a": 1},\n 2]', r"a\.json:2: a number"),
        ("a.json", b'[{"a": 1},\n {"a"', r"a\.json:2: the array is cut off"),
        ("a.csv", b"a,b\n1,2\n3\n", r"a\.csv:3: 1 cells"),
        ("a.csv", b"a,a\n1,2\n", r"a\.csv:1: the column 'a' stands twice"),
        ("a.csv", b'a,b\n1,"2\n', r"a\.csv:\d: .*\n(.|\n)*truncated"),
        ("a.csv", b"a,b\n", r"a\.csv: no rows"),
        ("a.parquet", b"PAR1 and no more", r"a\.parquet: the Parquet file is cut off or damaged"),
        ("a.parquet", b"a,b\n", r"a\.parquet: the Parquet file is cut off or damaged"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_rows(tmp_path / name))


def test_a_missing_file_names_what_lies_beside_it(tmp_path):
    (tmp_path / "rows.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"did you mean: rows\.csv"):
        list(read_rows(tmp_path / "row.csv"))
