"""``biorlhf init``: a lab.yaml and a recipe.yaml for tables of one's own, which run as they are."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from biorlhf.errors import InputError
from biorlhf.inputs.validation import PLAIN

PACKAGED = "smollm2-135m-instruct"
TESTS = {"recall": "paraphrase", "unseen": "fact"}
GENES = ("up", "down", "changed")
MACHINES = ("cpu", "gpu")
Many = list[str] | None
LAB = """\
# What each table is, and how it is asked about. Every key: docs/datasets.md
# split: paraphrase asks in other words for what was taught; split: fact asks for what never was
"""
RECIPE = """\
# Purpose: learn what the tables of {lab} say (SFT), practise on judged answers (GRPO), and be tested on it
# Command: biorlhf run {path}
# Hardware: {hardware}
# Time: biorlhf validate {path} says what to expect here

name: {name}
seed: 42

model:
  base: {model}
  dtype: {dtype}

lora: {{r: 16, alpha: 32}}

prompt:
  template: {template}
  answer: block # two closing lines: the answer in the form that is asked for, and how sure it is
  max_tokens: 256

data:
  - {{dataset: tables, lab: {lab}}}

verifiers:
  - {{verifier: factual, weight: 0.35}}
  - {{verifier: pathway, weight: 0.30}}
  - {{verifier: consistency, weight: 0.15}}
  - {{verifier: uncertainty, weight: 0.20}}

stages:
  - trainer: sft
    epochs: {epochs}
    batch_size: 16
    optimizer: {{learning_rate: {sft_rate}, schedule: cosine, warmup: 0.05}}
  - trainer: grpo # in small steps: at 5e-5 it cost figures that SFT had taught (docs/results.md)
    prompts_per_step: 4
    generations: 8
    steps: {steps}
    beta: 0.01
    optimizer: {{learning_rate: 1e-5, warmup: 0.1}}

rollout: {{engine: vllm, {rollout}max_completion_tokens: 96}}
learner: {{{learner}}}

evaluation: {{split: test, questions: 48, temperature: 0}}
store: {{checkpoint_every: 10}}
"""
HARDWARE: dict[str, dict[str, Any]] = {
    "cpu": {
        "hardware": "2 CPU cores and 12 GB of memory; no GPU", "dtype": "fp32", "epochs": 4, "steps": 8,
        "sft_rate": "1e-3", "rollout": "canary_tolerance: 0.01, ", "learner": "token_budget: 2048",
    },
    "gpu": {
        "hardware": "1 NVIDIA GPU", "dtype": "bf16", "epochs": 3, "steps": 50, "sft_rate": "2e-4",
        "rollout": "gpus: 0.5, memory_fraction: 0.4, ",
        "learner": "gpus: 0.5, token_budget: 4096, gradient_checkpointing: true",
    },
}  # fmt: skip


def init(
    folder: Annotated[Path, typer.Argument(help="Where lab.yaml and recipe.yaml go.")] = Path(),
    table: Annotated[Many, typer.Option(help="A results file; again for each.")] = None,
    tool: Annotated[Many, typer.Option(help="What wrote it; found by its columns if not given.")] = None,
    tissue: Annotated[Many, typer.Option(help="Once for all tables, or once for each.")] = None,
    cell_line: Annotated[Many, typer.Option(help="In place of --tissue.")] = None,
    cell_type: Annotated[Many, typer.Option(help="In place of --tissue.")] = None,
    organism_part: Annotated[Many, typer.Option(help="In place of --tissue.")] = None,
    condition: Annotated[
        Many, typer.Option(help="What was studied: adenocarcinoma, HU, drug X 24 h.")
    ] = None,
    numerator: Annotated[Many, typer.Option(help="The group in which UP is higher.")] = None,
    denominator: Annotated[Many, typer.Option(help="The group that it is compared with.")] = None,
    genes: Annotated[Many, typer.Option(help="Of over-representation: up, down or changed.")] = None,
    padj: Annotated[float, typer.Option(min=0, max=1, help="Significant: adjusted p below this.")] = 0.05,
    effect: Annotated[float, typer.Option(min=0, help="And for genes |log2 fold change| of this.")] = 0.0,
    model: Annotated[
        str, typer.Option(help="A hub id, a folder, or the small one that is packaged.")
    ] = PACKAGED,
    machine: Annotated[str, typer.Option(help="cpu or gpu; what this machine has if not given.")] = "",
    test: Annotated[
        str, typer.Option(help="recall: of what was taught; unseen: of what was not.")
    ] = "recall",
    name: Annotated[str, typer.Option(help="Of lab and run.")] = "mylab",
    force: Annotated[bool, typer.Option("--force", help="Overwrite lab.yaml and recipe.yaml.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write lab.yaml and recipe.yaml for your tables; asks at a terminal for what no flag says."""
    start = _start()
    chosen = _one_of("--test", test, tuple(TESTS))
    genes = [_one_of("--genes", one, GENES) for one in genes or ()]
    kind = _one_of("--machine", machine, MACHINES) if machine else _machine()
    _check_name(name)
    targets = [folder / "lab.yaml", folder / "recipe.yaml"]
    if there := [str(path) for path in targets if path.exists() and not force]:
        raise InputError(there[0], "it exists already", "another folder, or --force to overwrite it")
    paths = _files(folder, table or [])
    kinds = ("tissue", "cell_line", "cell_type", "organism_part")
    places = dict(zip(kinds, (tissue, cell_line, cell_type, organism_part), strict=True))
    answers = _Answers(len(paths), {
        "condition": condition, "numerator": numerator, "denominator": denominator, "genes": genes, **places,
    })  # fmt: skip
    tables = [
        start.TableAnswers(
            path, tools, answers.place(number, path, start.PLACE_KINDS),
            answers.of("condition", number, f"{path.name}: which condition was studied"),
            answers.of("numerator", number, f"{path.name}: in which group is UP higher (the numerator)"),
            answers.of("denominator", number, f"{path.name}: which group is it compared with"),
            padj, effect if start.TOOLS[tools].of != "pathway" else 0.0,
            answers.of("genes", number, f"{path.name}: which list was tested (up, down or changed)")
            if start.TOOLS[tools].over_representation else "",
        )
        for number, (path, tools) in enumerate(zip(paths, _tools(paths, tool or [], start), strict=True))
    ]  # fmt: skip
    # A small model on a CPU learns some hundred texts in minutes, not thousands.
    settings = {"split": TESTS[chosen], **({"limit": 200} if kind == "cpu" else {})}
    lab = start.lab_data(name, tables, settings, folder)
    _write(targets, lab, _recipe(name, model, kind, targets[1]), as_json)


def _start() -> Any:
    from biorlhf.plugins import builtin_part

    return builtin_part("datasets.tables.start")


def _one_of(option: str, value: str, allowed: Sequence[str]) -> str:
    if value.lower() not in allowed:
        raise InputError(option, repr(value), choices=allowed, name=value)
    return value.lower()


def _check_name(name: str) -> None:
    if not re.fullmatch(PLAIN, name):
        raise InputError("--name", repr(name), "letters, digits, dots, dashes and underscores")


def _machine() -> str:
    from biorlhf.workers.plan import this_machine

    return "gpu" if this_machine()["GPU"] else "cpu"


def _files(folder: Path, given: Sequence[str]) -> list[Path]:
    start = _start()
    if not folder.is_dir():
        found = "a file" if folder.exists() else "no such folder"
        raise InputError(str(folder), found, "a folder that exists", hint="its tables may lie elsewhere")
    near = [path.name for path in start.tables_in(folder)]
    asked = list(given) or _ask_files(folder, near)
    return [_file(folder, one, near) for one in asked]


def _file(folder: Path, one: str, near: Sequence[str]) -> Path:
    for path in (Path(one), folder / one):
        if path.is_file():
            return path
    found = f"{one!r} is a folder" if Path(one).is_dir() else f"no file {one!r}"
    raise InputError("--table", found, "a results file", choices=near, name=Path(one).name)


def _ask_files(folder: Path, near: Sequence[str]) -> list[str]:
    if not _at_a_terminal():
        raise InputError("biorlhf init", "no table is given", "--table FILE, once for each", choices=near)
    typer.echo(f"tables in {folder}: {', '.join(near) or 'none'}")
    return str(typer.prompt("which of them (names with spaces between)", default=" ".join(near))).split()


def _tools(paths: Sequence[Path], given: Sequence[str], start: Any) -> list[str]:
    if given and len(given) not in (1, len(paths)):
        raise InputError(
            "--tool", f"given {len(given)} times for {len(paths)} tables", "once, or once for each"
        )
    named = [start.check_tool(one, "--tool") for one in given]
    if named:
        return named * len(paths) if len(named) == 1 else named
    return [start.tool_of(path) for path in paths]


class _Answers:
    """Flags that hold for all tables or for each, and questions for what they do not say."""

    def __init__(self, tables: int, given: dict[str, Many]) -> None:
        self.given = {key: values for key, values in given.items() if values}
        self.last: dict[str, str] = {}
        for key, values in self.given.items():
            if len(values) not in (1, tables):
                option = f"--{key.replace('_', '-')}"
                raise InputError(
                    option, f"given {len(values)} times for {tables} tables", "once, or for each"
                )

    def of(self, key: str, number: int, question: str) -> str:
        values = self.given.get(key)
        if values:
            return values[number if len(values) > 1 else 0]
        if not _at_a_terminal():
            option = f"--{key.replace('_', '-')}"
            raise InputError("biorlhf init", f"{question}?", f"{option} (once for all tables, or for each)")
        self.last[key] = str(typer.prompt(question, default=self.last.get(key))).strip()
        return self.last[key]

    def place(self, number: int, path: Path, kinds: Sequence[str]) -> tuple[str, str]:
        given = [kind for kind in kinds if kind in self.given]
        if len(given) > 1:
            raise InputError(
                f"--{given[1].replace('_', '-')}", f"--{given[0].replace('_', '-')} is given too"
            )
        kind = given[0] if given else "tissue"
        if not given and _at_a_terminal():
            kind = _ask("measured in a tissue, cell_line, cell_type or organism_part", kinds, "tissue")
        return kind, self.of(kind, number, f"{path.name}: which {kind.replace('_', ' ')} is it")


def _ask(question: str, allowed: Sequence[str], default: str) -> str:
    while True:
        value = str(typer.prompt(question, default=default)).strip().lower().replace(" ", "_")
        if value in allowed:
            return value
        typer.echo(str(InputError(question, repr(value), choices=allowed, name=value)), err=True)


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _recipe(name: str, model: str, kind: str, path: Path) -> str:
    _check_model(model)
    template = "alpaca" if model == PACKAGED else "chat"
    known = {"name": name, "model": model, "template": template, "lab": "lab.yaml", "path": path}
    return RECIPE.format(**known, **HARDWARE[kind])


def _check_model(model: str) -> None:
    """Refuse what can be no model before a run does, an hour later on another machine."""
    if model == PACKAGED or Path(model).exists() or (model.count("/") == 1 and model[0] not in "./~"):
        return
    near = [PACKAGED, *(p.name for p in Path(model).parent.glob("*") if p.is_dir())]
    raise InputError("--model", repr(model), "a folder, a hub id (owner/name), or the packaged name",
                     choices=near[:20], name=Path(model).name)  # fmt: skip


def _write(targets: Sequence[Path], lab: dict[str, Any], recipe: str, as_json: bool) -> None:
    """Both files, or none: what cannot be read as it would be run is taken away again."""
    from biorlhf.inputs import yaml12

    before: list[tuple[Path, str | None]] = [
        (path, path.read_text("utf-8") if path.exists() else None) for path in targets
    ]
    targets[0].write_text(LAB + yaml12.dump(lab), "utf-8")
    targets[1].write_text(recipe, "utf-8")
    try:
        seen = _look(targets, note=lambda line: typer.echo(line, err=as_json))
    except BaseException:
        for path, text in before:
            path.unlink() if text is None else path.write_text(text, "utf-8")
        raise
    if as_json:
        typer.echo(
            json.dumps({"lab": str(targets[0]), "recipe": str(targets[1]), **seen}, ensure_ascii=False)
        )
        return
    typer.echo(f"written: {targets[0]}, {targets[1]}")
    typer.echo(f"look:  biorlhf data show {targets[0]} -n 3")
    typer.echo(f"train: biorlhf run {targets[1]}")


def _look(targets: Sequence[Path], note: Callable[[str], None]) -> dict[str, Any]:
    """What UP means, how many questions there are, and what a run will take."""
    from biorlhf import recipe as recipes
    from biorlhf.commands.dryrun import outlook, outlook_lines
    from biorlhf.runs import data, pipeline

    for line in _start().lines(targets[0]):
        note(line)
    prepared = pipeline.prepare(recipes.load(targets[1]))
    seen = {"data": data.counts(prepared.dataset), **outlook(prepared, None)}
    for kind, splits in seen["data"].items():
        note(f"{kind}: " + ", ".join(f"{count} {split}" for split, count in splits.items()))
    for line in outlook_lines(seen):
        note(line)
    return seen
