"""The card of an exported model: what it is made of, how it was trained, and what was measured.

It carries no path of the machine that it was written on: of a file or folder only the name remains.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from biorlhf.errors import visible
from biorlhf.inputs import yaml12
from biorlhf.reports import run as report
from biorlhf.statistics.paired import Row

_PATH = re.compile(r"(?<![\w.:/])(?:~|\.{1,2})?/(?:[^\s/'\"]+/)*([^\s/'\"]+)/?")
_SHOWN = ("accuracy", "balanced_accuracy", "brier", "ece", "auroc", "reward")


@dataclass(frozen=True, slots=True)
class Given:
    """What is given away.

    ``kind`` is ``adapter``, ``merged``, ``gguf`` or ``ollama``; ``base`` the base model's name; ``sha256``
    that of the adapter's tensors; ``check`` says in a sentence how the files were checked after they were
    written; ``evaluations`` names those of the run's evaluations that asked this very policy; ``packaged``
    says that the base model is neither a folder nor on a hub but comes with a Python package.
    """

    kind: str
    base: str
    dtype: str
    sha256: str
    origin: str
    check: str
    evaluations: tuple[str, ...] = ()
    packaged: bool = False


def plain(value: Any) -> str:
    """Text in one line of Markdown that stays text: no heading, cell, link, picture or tag begins in it."""
    line = " ".join(visible(str(value)).split())
    return escape(re.sub(r"([\\`*\[\]|~])", r"\\\1", line), quote=False)


def _code(value: Any) -> str:
    return "`" + " ".join(visible(str(value)).split()).replace("`", "'").replace("|", "\\|") + "`"


def _fenced(language: str, text: str) -> str:
    # As many as no run of the text's own, for that would end it.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{visible(text).rstrip()}\n{fence}\n"


def card(export: Given, run: report.RunReport, version: str) -> str:
    """The README.md of an export, in Markdown with the front matter that model hubs read."""
    name = str(run.recipe.get("name") or "model")
    front = {
        "base_model": export.base,
        "library_name": {"adapter": "peft", "merged": "transformers"}.get(export.kind, "gguf"),
        "tags": ["biorlhf", "lora", *(stage["trainer"] for stage in run.recipe.get("stages") or ())],
    }
    parts = [
        f"---\n{yaml12.dump(front).rstrip()}\n---\n",
        f"# {plain(name)}\n",
        _about(export, version),
        _use(export),
        "## Results\n",
        _results(export, run),
        "## Training\n",
        _training(run),
        "## Data\n",
        _data(run),
        "## Recipe\n",
        "Names of files stand without their folders.\n",
        _fenced("yaml", yaml12.dump(without_paths(run.recipe))),
    ]
    return "\n".join(parts)


def _about(export: Given, version: str) -> str:
    form = "safetensors" if export.kind == "merged" else "one GGUF file"
    what = (
        f"A LoRA adapter in PEFT's format for {_code(export.base)}"
        if export.kind == "adapter"
        else f"{_code(export.base)} with a LoRA adapter merged into its weights ({export.dtype}, {form})"
    )
    return (
        f"{what}: {export.origin} of a run of biorlhf {version}. The licence of the base model applies.\n\n"
        f"- sha256 of the adapter's tensors: `{export.sha256}`\n- {export.check}\n"
    )


def _use(export: Given) -> str:
    if export.kind == "ollama":
        return "```\nollama create my-model -f Modelfile\n```\n"
    if export.kind == "gguf":
        use = "llama-server -m model.gguf"
        return f"```\n{use}\n```\n\nPrompts are to be put in the template of the recipe below.\n"
    if export.kind == "merged":
        lines = ['model = AutoModelForCausalLM.from_pretrained("<this folder>")']
    else:
        base = json.dumps(export.base)
        name = f"resolve_base({base})" if export.packaged else base
        lines = [
            "from peft import PeftModel",
            # A packaged base has no name that transformers could load.
            *(["from biorlhf.engines.models import resolve_base"] if export.packaged else []),
            "",
            f"base = AutoModelForCausalLM.from_pretrained({name})",
            'model = PeftModel.from_pretrained(base, "<this folder>")',
        ]
    code = "\n".join(["from transformers import AutoModelForCausalLM", *lines])
    return f"```python\n{code}\n```\n\nPrompts are to be put in the template of the recipe below.\n"


def _results(export: Given, run: report.RunReport) -> str:
    if not run.evaluations:
        return "Nothing was measured on held-out questions.\n"
    heads = [plain(f"{e.when} ({e.questions} questions, {e.split})") for e in run.evaluations]
    rows = [row for row in report.rows_of(run) if _is_shown(row)]
    lines = [
        "| metric | " + " | ".join(heads) + " |",
        "|---" * (len(heads) + 1) + "|",
        *(
            f"| {plain(row.evaluator)}: {plain(row.metric)} | "
            + " | ".join(report.show(rate) for rate in row.rates)
            + " |"
            for row in rows
        ),
    ]
    # A card must not show another policy's numbers as this one's.
    own = [name for name in export.evaluations if name in {e.when for e in run.evaluations}]
    whose = (
        f"This model is the one of: {', '.join(own)}."
        if own
        else "None of these evaluations is of this very adapter: they are of other moments of its run."
    )
    return f"95 % intervals in brackets. {whose}\n\n" + "\n".join(lines) + "\n"


def _is_shown(row: Row) -> bool:
    last = row.metric.rpartition(".")[2]
    return last in _SHOWN or (row.metric.startswith("verifiers.") and not last.startswith("failure"))


def _training(run: report.RunReport) -> str:
    lines = []
    for stage in run.recipe.get("stages") or ():
        lora = stage.get("lora") or run.recipe.get("lora") or {}
        optimizer = stage.get("optimizer") or {}
        steps = sum(row["stage"] == (stage.get("name") or stage["trainer"]) for row in run.metrics)
        lines.append(
            f"- {plain(stage['trainer'])}, steps: {steps}, LoRA r {lora.get('r')} "
            f"alpha {lora.get('alpha'):g}, "
            f"learning rate {optimizer.get('learning_rate'):g} ({plain(optimizer.get('schedule'))})"
        )
    weights = [f"{plain(v['verifier'])} {v['weight']:g}" for v in run.recipe.get("verifiers") or ()]
    lines += [f"- verifiers and their weights: {', '.join(weights)}"] if weights else []
    model, versions = run.recipe.get("model") or {}, run.manifest.get("versions") or {}
    lines.append(
        f"- base weights in training: {plain(model.get('dtype'))}; seed {plain(run.recipe.get('seed'))}"
    )
    lines.append(f"- {plain(report.state(run))}")
    packages = [plain(f"{name} {version}") for name, version in versions.items()]
    lines.append(f"- biorlhf {plain(run.manifest.get('biorlhf'))}; {', '.join(packages)}")
    return "\n".join(lines) + "\n"


def _data(run: report.RunReport) -> str:
    rows = list(_files(run.manifest.get("data") or {}, ""))
    if not rows:
        return "The run's manifest names no file.\n"
    head = ["| file | sha256 | licence | source |", "|---|---|---|---|"]
    return "\n".join([*head, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _files(node: Any, licence: str) -> Iterator[tuple[str, str, str, str]]:
    """Every file that the manifest gives a sha256 of; a licence holds for what lies below it."""
    if isinstance(node, Mapping):
        licence = str(node.get("licence") or licence)
        if "sha256" in node:
            name = without_paths(str(node.get("path") or node.get("file") or ""))
            source = without_paths(str(node.get("source") or ""))
            yield plain(name), _code(node["sha256"]), plain(licence or "not stated"), plain(source)
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _files(child, licence)


def without_paths(value: Any) -> Any:
    """The same data with every path of this machine cut down to its last name."""
    if isinstance(value, Mapping):
        return {key: without_paths(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(child) for child in value]
    if not isinstance(value, str):
        return value
    # A path may hold spaces, which the pattern for paths inside a text does not allow.
    if value.startswith(("/", "~", "./", "../")) and "\n" not in value:
        return value.rstrip("/").rpartition("/")[2] or "."
    return _PATH.sub(r"\1", value)
