"""Run folders that somebody's editor, disk or script has been at."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from malformed import kind, parquet_bytes, several, word

RATE = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 40}
JUNK = [
    5,
    "x",
    [],
    [5],
    [[]],
    {"a": 5},
    True,
    None,
    1e999,
    -1,
    {"accuracy": "x"},
    [{}],
    {"value": "x"},
    "\x1b[2J",
]


def evaluation(when: str) -> dict:
    names = [f"q{n}" for n in range(20)]
    answers = {"question": names, "cluster": names, "reward": [n % 2 for n in range(20)]}
    bins = [{"confidence": 0.5, "accuracy": RATE, "low": 0.4, "high": 0.6}]
    reports = {
        "reward": {"reward": RATE, "answers": answers, "left_out": {"x": "no such answer"}},
        "calibration": {"ece": RATE, "with_confidence": 20, "reliability_diagram": bins, "answers": answers},
    }
    return {"when": when, "split": "test", "questions": 20, "evaluators": reports}


def run(folder: Path, name: str = "run") -> dict[str, object]:
    """The files of a run, before they are written."""
    settings = {
        "name": "hostile",
        "model": {"base": "nowhere/model", "dtype": "fp32"},
        "data": [{"dataset": "kmp"}],
        "verifiers": [{"verifier": "factual", "weight": 1.0}],
        "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-3}}],
    }
    return {
        "recipe.yaml": yaml.safe_dump(settings),
        "metrics.jsonl": "".join(
            json.dumps({"stage": "sft", "step": n, "loss": 1.0 / n}) + "\n" for n in (1, 2)
        ),
        "evaluations/start.json": evaluation("start"),
        "evaluations/after-sft.json": evaluation("after-sft"),
        "manifest.json": {"biorlhf": "0.1.0", "versions": {"torch": "2"}, "data": {}},
        "summary.json": {"steps": 2},
    }


def write(folder: Path, files: dict[str, object], name: str = "run") -> Path:
    for file, content in files.items():
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, bytes | str) else json.dumps(content)
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return folder / name


def shown(draw, folder: Path, files: dict[str, object]) -> list[str]:
    path = str(write(folder, files))
    page = ["report", path, "--html", str(folder / "page.html")]
    other = str(write(folder, run(folder), "other"))
    return draw.choice([["report", path], page, ["report", path, "--json"], ["compare", path, other]])


def places(node, path=()):
    """Every place inside plain data."""
    yield path
    if isinstance(node, dict | list):
        for key, child in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(child, (*path, key))


def replaced(draw, data, junk):
    path = draw.choice([p for p in places(data) if p and p[-1] not in ("when", "split", "n")])
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = junk
    return data


@kind
def run_evaluation_junk(draw, folder):
    files = run(folder)
    files["evaluations/after-sft.json"] = draw.choice(
        [*JUNK[:8], {"evaluators": 5}, {"evaluators": {"reward": 5}}]
    )
    return shown(draw, folder, files)


@kind
def run_evaluation_part(draw, folder):
    files = run(folder)
    bins = draw.choice(
        [
            5,
            "x",
            [5],
            [{}],
            [{"confidence": "x", "accuracy": RATE}],
            [{"confidence": 1, "accuracy": 5}],
            {"a": 1},
        ]
    )
    files["evaluations/start.json"]["evaluators"]["calibration"]["reliability_diagram"] = bins
    files["evaluations/after-sft.json"]["evaluators"]["calibration"]["reliability_diagram"] = bins
    return shown(draw, folder, files)


@kind
def run_evaluation_answers(draw, folder):
    files = run(folder)
    column = draw.choice([[{}] * 20, [[]] * 20, [10**400] * 20, 5, {"a": 1}, [None] * 3])
    files["evaluations/start.json"]["evaluators"]["reward"]["answers"][
        draw.choice(["question", "cluster", "reward"])
    ] = column
    return shown(draw, folder, files)


@kind
def run_evaluation_text(draw, folder):
    files = run(folder)
    text = json.dumps(evaluation("start"))
    files["evaluations/start.json"] = draw.choice(
        [
            text[: len(text) // 2],
            "",
            "[" * 90_000,
            b"\xff\xfe",
            "NaN",
            '{"a": ' + "9" * 5000 + "}",
            "\x00" * 99,
        ]
    )
    return shown(draw, folder, files)


@kind
def run_metrics(draw, folder):
    files = run(folder)
    row = draw.choice(["5", "[]", "{", "[" * 50_000, '{"stage": [], "step": {}}', '{"stage": "sft", "step": 1e999}', "null", "\x00\x00",
                       '{"stage": "sft", "step": "x"}', '{"step": 1}', '{"stage": "sft", "step": ' + "9" * 5000 + "}"])  # fmt: skip
    files["metrics.jsonl"] = files["metrics.jsonl"] + row + "\n"
    return shown(draw, folder, files)


several("run_metrics_bytes", [b"\xff\xfe{}", b"\x80\n", b"\x1f\x8b\x08\x00"],
        lambda folder, data: ["report", str(write(folder, {**run(folder), "metrics.jsonl": data}))])  # fmt: skip


@kind
def run_recipe(draw, folder):
    files = run(folder)
    files["recipe.yaml"] = draw.choice(["stages: 5", "stages: [x]", "stages: {a: 1}", "5", "a: &a [*a]", "[" * 900, "\x00", "name: [1]\nstages: [5]", b"\xff",
                                        "stages: [{trainer: [x]}]", "stages: [[]]", "name: {a: 1}\nstages: x"])  # fmt: skip
    return shown(draw, folder, files)


@kind
def run_manifest(draw, folder):
    files = run(folder)
    files["manifest.json"] = draw.choice(["[", "[" * 90_000, b"\xff\xfe", "", "\x00"])
    return shown(draw, folder, files)


@kind
def run_rows(draw, folder):
    files = run(folder)
    rows = [{"question_id": word(draw), "prompt": "p", "completion": "c", "reward": 0.5} for _ in range(20)]
    data = parquet_bytes(rows)
    start = draw.randrange(4, 60)
    files["evaluations/start.parquet"] = draw.choice(
        [data[: len(data) // 2], b"PAR1", data[:start] + bytes(40) + data[start + 40 :]]
    )
    files["evaluations/after-sft.json"] = "{"
    return shown(draw, folder, files)


@kind
def run_missing(draw, folder):
    files = run(folder)
    path = write(
        folder,
        {name: files[name] for name in draw.choice([["summary.json"], ["manifest.json"], []])} or {"x": "y"},
    )
    return draw.choice([["report", str(path)], ["compare", str(path), str(path)], ["evaluate", str(path)], ["run", "--resume", str(path)],
                        ["generate", str(path), "x"], ["export", str(path), "--to", str(folder / "to")]])  # fmt: skip


several(
    "report_output",
    [("report", "--html", "/proc/x.html"), ("report", "--html", "."), ("report", "--html", "/dev/null/x.html"), ("compare", "--when", "nowhere"),
     ("report", "--html", "x" * 300 + ".html"), ("compare", "--when", "../x")],
    lambda folder, options: [options[0], *[str(write(folder, run(folder)))] * (2 if options[0] == "compare" else 1), *options[1:]],
)  # fmt: skip
