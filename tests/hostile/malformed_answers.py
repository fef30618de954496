"""Answers that cannot be scored, and places where no scores can go."""

from __future__ import annotations

import json
from pathlib import Path

from malformed import kind, parquet_bytes, several, word


def answer(**changes) -> dict:
    fact = {"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 4110}
    return {
        "id": "a",
        "prompt": "How many?",
        "response": "4,110",
        "ground_truth": {"facts": [fact]},
        **changes,
    }


def score(folder: Path, content: str | bytes, *options: str, name: str = "in.jsonl", out: str = "out.jsonl"):
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    (folder / name).write_bytes(data)
    return [
        "score",
        str(folder / name),
        "--out",
        str(folder / out),
        "--jobs",
        "1",
        "--verifiers",
        "factual",
        *options,
    ]


@kind
def score_cut_off(draw, folder):
    text = json.dumps(answer()) + "\n" + json.dumps(answer(id="b"))
    return score(folder, text[: draw.randrange(len(text) // 2 + 2, len(text) - 1)])


@kind
def score_deep(draw, folder):
    depth = draw.choice([2000, 100_000])
    deep = draw.choice(["[" * depth + "]" * depth, '{"a": ' * depth + "1" + "}" * depth, "[" * depth])
    return score(folder, f'{{"id": "a", "prompt": "p", "response": "r", "ground_truth": {deep}}}\n')


@kind
def score_number(draw, folder):
    number = draw.choice(["NaN", "Infinity", "-Infinity", "9" * 5000, "1e999"])
    truth = {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": "@"}]}
    row = json.dumps(answer(id="@") if draw.random() < 0.5 else answer(ground_truth=truth))
    return score(folder, row.replace('"@"', number))


@kind
def score_types(draw, folder):
    key = draw.choice(["id", "prompt", "response", "kind", "verifiers", "ground_truth"])
    junk = draw.choice([True, 1.5, {}, ["x", 5], {"a": 1}])
    if key == "ground_truth":
        junk = draw.choice(
            [5, [], "x", True, {"facts": 5}, {"facts": ["x"]}, {"confidence": "x"}, {"direction": 5}]
        )
    if key == "kind" or key == "verifiers":
        junk = draw.choice([5, {}, [5], True])
    return score(folder, json.dumps(answer(**{key: junk})))


@kind
def score_missing_key(draw, folder):
    row = answer()
    del row[draw.choice(list(row))]
    return score(folder, json.dumps(answer()) + "\n" + json.dumps(row))


several(
    "score_no_rows",
    ["", "\n\n", "\ufeff", "5", "[]", "null", '"x"', "{}", "[1, 2]", "id,prompt\n1,2\n", "\x00", "not json"],
    score,
)
several(
    "score_bytes",
    [b"\xff\xfe{", b'{"id": "\xe9"}', b"\x1f\x8b\x08", b"PK\x03\x04", bytes(range(256)), b"PAR1"],
    score,
)


@kind
def score_parquet_damaged(draw, folder):
    rows = [
        answer(id=f"r{n}", response=word(draw) * 30, ground_truth=json.dumps({"facts": []}))
        for n in range(200)
    ]
    data = bytearray(parquet_bytes(rows))
    if draw.random() < 0.5:
        return score(folder, bytes(data[: draw.randrange(4, len(data) - 1)]), name="in.parquet")
    start = draw.randrange(4, len(data) // 2)
    data[start : start + 200] = bytes(draw.randrange(256) for _ in range(200))
    return score(folder, bytes(data), name="in.parquet")


@kind
def score_parquet_types(draw, folder):
    row = answer(ground_truth=json.dumps({}))
    row[draw.choice(["prompt", "response", "ground_truth"])] = draw.choice(
        [5, [1, 2], b"\xff\xfe", {"a": 1}, 1.5]
    )
    return score(folder, parquet_bytes([row]), name="in.parquet")


several(
    "score_options",
    [("--weights", "factual=nan"), ("--weights", "factual=inf"), ("--weights", "factual=-1"), ("--weights", "factual"),
     ("--weights", "=1"), ("--weights", "factual=1,factual=2"), ("--verifiers", "nobody"), ("--verifiers", ","),
     ("--jobs", "0"), ("--jobs", "-3"), ("--explain", "nobody"), ("--recipe", "none.yaml"), ("--weights", "factual=0"),
     ("--jobs", "x"), ("--jobs", "9" * 40), ("--weights", "factual=1e999"), ("--verifiers", "factual,V1")],
    lambda folder, options: score(folder, json.dumps(answer()), *options),
)  # fmt: skip
several(
    "score_output",
    [
        "none/out.jsonl",
        "in.jsonl",
        "out.txt",
        "x" * 300 + ".jsonl",
        "d.jsonl",
        "/proc/out.jsonl",
        "/dev/null/o.jsonl",
    ],
    lambda folder, out: ((folder / "d.jsonl").mkdir(), score(folder, json.dumps(answer()), out=str(out)))[1],
)
