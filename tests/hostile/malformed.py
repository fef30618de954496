"""Malformed inputs by kind: each function writes files into a folder, drawn by a seed, and gives the command.

Every one has to end with exit code 2 and one message. ``KINDS`` names them all.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
LUNG = ROOT / "tests/data/lung"

Kind = Callable[[random.Random, Path], list[str]]
KINDS: dict[str, Kind] = {}


def kind(function: Kind) -> Kind:
    KINDS[function.__name__] = function
    return function


def several(name: str, values: list, make: Callable[[Path, object], list[str]]) -> None:
    """A kind that draws one of some values."""

    def drawn(draw: random.Random, folder: Path) -> list[str]:
        return make(folder, draw.choice(values))

    KINDS[name] = drawn


def word(draw: random.Random) -> str:
    return "".join(draw.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(draw.randrange(3, 9)))


# --- recipes -------------------------------------------------------------------------------------------------


def recipe(**changes) -> dict:
    return {
        "name": "hostile",
        "model": {"base": "nowhere/model", "dtype": "fp32"},
        "data": [{"dataset": "kmp", "split": "paraphrase"}],
        "verifiers": [{"verifier": "factual", "weight": 1.0}],
        "stages": [{"trainer": "grpo", "steps": 2, "optimizer": {"learning_rate": 1e-3}}],
        **changes,
    }


def validate(folder: Path, text: str | bytes, *options: str, name: str = "r.yaml") -> list[str]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return ["validate", str(path), *options]


def with_line(line: str) -> str:
    return yaml.safe_dump(recipe()) + line + "\n"


@kind
def yaml_alias_bomb(draw, folder):
    names = [word(draw) + str(n) for n in range(draw.randrange(9, 30))]
    rows = [f"{names[0]}: &{names[0]} [{', '.join(['x'] * 9)}]"]
    rows += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip(names, names[1:], strict=False)]
    return validate(folder, "\n".join(rows))


@kind
def yaml_alias_cycle(draw, folder):
    name = word(draw)
    return validate(folder, draw.choice([f"a: &{name} [*{name}]", f"&{name}\nx: *{name}", f"a: &{name} {{b: *{name}}}"]))


@kind
def yaml_deep(draw, folder):
    depth = draw.choice([300, 3000, 50_000])
    forms = ["[" * depth, "{a: " * depth, "a: " + "[" * depth + "]" * depth, "- " * depth + "x"]
    return validate(folder, draw.choice(forms))


@kind
def yaml_control_character(draw, folder):
    sign = draw.choice("\x00\x1b\x07\x08\x7f\x9b\ufffe")
    return validate(folder, with_line(f"seed: {sign}{draw.randrange(9)}"))


@kind
def yaml_long_number(draw, folder):
    sign, digits = draw.choice("+- ").strip(), draw.choice("123456789") * draw.choice([4301, 5000, 90_000])
    return validate(folder, with_line(f"{draw.choice(['seed', word(draw)])}: {sign}{digits}"))


several(
    "yaml_encoding",
    [b"\xff\xfe", b"\xfe\xff\x00n", b"name: \xe9t\xe9", b"\x80", "name: x\n".encode("utf-16"), b"a: \xed\xa0\x80"],
    validate,
)
several(
    "yaml_syntax",
    ["a: 'open", 'a: "\\q"', "a: [1, 2", "a: *none", "\t- a", "a: b: c", "%TAG ! x\n", "a: |3\n x", "@a: 1", "- a\nb: 1"],
    validate,
)
several("yaml_shape", ["", "- a", "5", "null", "~", "text", "[]", "--- \n...\n", "# only this", "a: 1\n---\nb: 2"], validate)
several(
    "yaml_key",
    ["? [a, b]\n: c", "5: x", "null: 1", "true: 1", "1.5: 1", "? {a: 1}\n: 2", "name: x\nname: y", "<<: 5", "<<: [1]", ".inf: 1"],
    lambda folder, text: validate(folder, with_line(str(text))),
)
several(
    "yaml_tag",
    ["!!python/object:os.system [x]", "!foo x", "!!binary '%%'", "!!timestamp 2020-99-99", "!!int abc", "!!float x", "!!set [a]", "!!omap 5", "!!pairs x"],
    lambda folder, text: validate(folder, with_line(f"note: {text}")),
)
FLOATS = [
    "model.base", "lora.alpha", "rollout.timeout_s", "rollout.temperature", "rollout.cpus", "scorer.cpus",
    "scorer.timeout_s", "learner.cpus", "learner.gpus", "cluster.start_timeout_s", "evaluation.temperature",
    "verifiers.0.weight", "stages.0.optimizer.learning_rate", "stages.0.optimizer.weight_decay",
    "stages.0.optimizer.max_grad_norm", "stages.0.beta", "rollout.kv_cache_gb", "rollout.canary_tolerance",
]  # fmt: skip


@kind
def number_not_finite(draw, folder):
    value = draw.choice([".inf", "-.inf", ".nan", "1e999", "-1e400"])
    return validate(folder, yaml.safe_dump(recipe()), "--set", f"{draw.choice(FLOATS)}={value}")


@kind
def number_out_of_range(draw, folder):
    key = draw.choice(["seed", "prompt.max_tokens", "rollout.max_completion_tokens", "stages.0.steps", "lora.r"])
    value = draw.choice(["-1", "1.5", "-9" * 30, "true", "'x'", "[1]", "1" + "0" * 400, "{a: 1}"])
    return validate(folder, yaml.safe_dump(recipe()), "--set", f"{key}={value}")


several(
    "override",
    ["...=5", ".=5", "[]=5", "stages.\u00b2=5", "stages.-1.trainer=sft", "stages.99.trainer=sft", "=5", "seed", "seed.x=5",
     "stages.0..steps=3", ".seed=5", "seed.=5", "stages.\u0661.steps=1", "seed=[", "seed=" + "9" * 5000, "a b=5",
     "stages[0=5", "model.base.x.y=1", "data.one.dataset=kmp", "verifiers.0x0.weight=1"],
    lambda folder, text: validate(folder, yaml.safe_dump(recipe()), "--set", str(text)),
)  # fmt: skip


@kind
def recipe_wrong_type(draw, folder):
    key = draw.choice(["model", "data", "verifiers", "stages", "lora", "rollout", "scorer", "evaluation", "name", "store", "prompt"])
    junk = draw.choice([5, "x", True, 1.5, [[[]]], [None], [5], {"x": {}}])
    if key == "name":
        junk = draw.choice(["a/b", "..\n", "", "x" * 400, 5, None, "\u0000", "é"])
    return validate(folder, yaml.safe_dump(recipe(**{key: junk})))


@kind
def recipe_unknown_key(draw, folder):
    data = recipe()
    place = draw.choice([data, data["model"], data["stages"][0], data["stages"][0]["optimizer"], data["data"][0], data["verifiers"][0]])
    place[word(draw) + "_" + word(draw)] = draw.choice([1, "x", None, []])
    return validate(folder, yaml.safe_dump(data))


@kind
def recipe_unknown_plugin(draw, folder):
    data, name = recipe(), draw.choice([word(draw), "", "факт", "a" * 5000, "../x", "\ud800"])
    draw.choice([lambda: data["stages"][0].update(trainer=name), lambda: data["data"][0].update(dataset=name),
                 lambda: data["verifiers"][0].update(verifier=name)])()  # fmt: skip
    return validate(folder, json.dumps(data), name="r.json")


@kind
def recipe_name(draw, folder):
    (folder / "d").mkdir()
    return ["validate", draw.choice([str(folder / "d"), str(folder / "none.yaml"), "x" * 5000, "/dev/null", "/dev/full"])]


@kind
def recipe_too_large(draw, folder):
    line = f"{word(draw)}: {'x' * 90}\n"
    return validate(folder, "".join(f"k{n}{line}" for n in range(draw.choice([100_000, 300_000]))))


@kind
def recipe_cut_off_json(draw, folder):
    text = json.dumps(recipe(), indent=1)
    return validate(folder, text[: draw.randrange(1, len(text) - 2)], name="r.json")


@kind
def scorer_environment(draw, folder):
    value = draw.choice(["[1]", "['A B']", "['A=B']", "x", "['\u00e4']", "[['A']]", "[null]"])
    return validate(folder, yaml.safe_dump(recipe()), "--set", f"scorer.environment={value}")


# --- score ---------------------------------------------------------------------------------------------------


def answer(**changes) -> dict:
    fact = {"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 4110}
    return {"id": "a", "prompt": "How many?", "response": "4,110", "ground_truth": {"facts": [fact]}, **changes}


def score(folder: Path, content: str | bytes, *options: str, name: str = "in.jsonl", out: str = "out.jsonl"):
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    (folder / name).write_bytes(data)
    return ["score", str(folder / name), "--out", str(folder / out), "--jobs", "1", "--verifiers", "factual", *options]


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
        junk = draw.choice([5, [], "x", True, {"facts": 5}, {"facts": ["x"]}, {"confidence": "x"}, {"direction": 5}])
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
several("score_bytes", [b"\xff\xfe{", b"{\"id\": \"\xe9\"}", b"\x1f\x8b\x08", b"PK\x03\x04", bytes(range(256)), b"PAR1"], score)


def parquet_bytes(rows: list[dict]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows), sink)
    return sink.getvalue().to_pybytes()


@kind
def score_parquet_damaged(draw, folder):
    rows = [answer(id=f"r{n}", response=word(draw) * 30, ground_truth=json.dumps({"facts": []})) for n in range(200)]
    data = bytearray(parquet_bytes(rows))
    if draw.random() < 0.5:
        return score(folder, bytes(data[: draw.randrange(4, len(data) - 1)]), name="in.parquet")
    start = draw.randrange(4, len(data) // 2)
    data[start : start + 200] = bytes(draw.randrange(256) for _ in range(200))
    return score(folder, bytes(data), name="in.parquet")


@kind
def score_parquet_types(draw, folder):
    row = answer(ground_truth=json.dumps({}))
    row[draw.choice(["prompt", "response", "ground_truth"])] = draw.choice([5, [1, 2], b"\xff\xfe", {"a": 1}, 1.5])
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
    ["none/out.jsonl", "in.jsonl", "out.txt", "x" * 300 + ".jsonl", "d.jsonl", "/proc/out.jsonl", "/dev/null/o.jsonl"],
    lambda folder, out: ((folder / "d.jsonl").mkdir(), score(folder, json.dumps(answer()), out=str(out)))[1],
)

# --- data ----------------------------------------------------------------------------------------------------


def rows_file(folder: Path, content: str | bytes, name: str, *command: str) -> list[str]:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
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
    return rows_file(folder, row, "rows.jsonl", *draw.choice([("build", "--out", out), ("export", "--out", out + ".jsonl", "--format", "prompt-completion"), ("show",)]))


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
    cut = draw.choice([data[: len(data) // 2], b"PAR1", b"PAR1" + bytes(100) + b"PAR1", data[:-9] + b"\xff" * 9, b""])
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
several("lab_text", ["", "5", "tables: 5", "tables: []", "tables: [5]", "name: x", "a: &a [*a]", "tables:\n - file: lab.yaml", "\x00", "[" * 5000], lab)


def table(folder: Path, content: bytes, name: str) -> list[str]:
    (folder / name).write_bytes(content)
    return lab(folder, file=name)


@kind
def table_cells(draw, folder):
    lines = (LUNG / "tumour_deseq2.csv").read_text().splitlines()
    row, column = draw.randrange(1, len(lines)), draw.choice([2, 6])
    cells = lines[row].split(",")
    cells[column] = draw.choice(["abc", "inf", "-inf", "1e999", "0x10", "1,5", "--", "1e", "\u221e", "#REF!", "2 3"])
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
    part = draw.choice(["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"])
    junk = draw.choice([b"", b"<a", b"<a/>", b"\x00" * 50, b"<worksheet><sheetData><row r='x'/></sheetData></worksheet>"])
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
    return rows_file(folder, '{"prompt": "a", "completion": "b"}\n', "t.jsonl", "check", "--facts", str(folder / "facts.csv"))


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
