"""Writes the tables of docs/recipes.md from the models themselves: ``python docs/recipe_tables.py``.

What stands between the two marks in that file comes from here; the text around them is written by hand.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from biorlhf import plugins
from biorlhf.recipe import Recipe, planning, schema

PAGE = Path(__file__).with_name("recipes.md")
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
SECTIONS: dict[str, type[BaseModel]] = {
    "": Recipe,
    "model": schema.Model,
    "lora": schema.Lora,
    "prompt": schema.Prompt,
    "data": schema.Data,
    "verifiers": schema.Verifier,
    "stages": schema.Stage,
    "stages[].optimizer": schema.Optimizer,
    "rollout": schema.Rollout,
    "rollout.simulated": planning.Simulation,
    "scorer": schema.Scorer,
    "learner": schema.Learner,
    "evaluation": schema.Evaluation,
    "evaluation.evaluators": schema.Evaluator,
    "store": schema.Store,
    "cluster": schema.Cluster,
    "trackers": schema.Tracker,
    "forecast": planning.Forecast,
}
LISTS = ("data", "verifiers", "stages", "evaluation.evaluators", "trackers")
KINDS = {
    "dataset": "data",
    "verifier": "verifiers",
    "trainer": "stages",
    "evaluator": "evaluation.evaluators",
    "tracker": "trackers",
}

WORDS: dict[str, dict[str, str]] = {
    "": {
        "name": "the run's name; its folder is called after it",
        "seed": "every random draw of the run derives from it",
        "model": "the base model; [`model`](#model)",
        "lora": "the adapter; [`lora`](#lora)",
        "prompt": "how a question becomes the model's input; [`prompt`](#prompt)",
        "data": "datasets, joined in order; [`data`](#data)",
        "verifiers": "who judges, with which weight; [`verifiers`](#verifiers)",
        "stages": "the stages of training, in order; [`stages`](#stages)",
        "rollout": "the actors that sample; [`rollout`](#rollout)",
        "scorer": "the actors that judge; [`scorer`](#scorer)",
        "learner": "the actors that train; [`learner`](#learner)",
        "evaluation": "what is measured, before and after each stage; [`evaluation`](#evaluation)",
        "store": "where the run is written; [`store`](#store)",
        "cluster": "where the actors run; [`cluster`](#cluster)",
        "trackers": "where the run's numbers are shown as well; [`trackers`](#trackers)",
        "forecast": "what `--dry-run` assumes of GPUs; changes no run; [`forecast`](#forecast)",
    },
    "model": {
        "base": "a folder, a GGUF file, a hub id, or `smollm2-135m-instruct` (from its package)",
        "revision": "the hub revision: a tag, branch or commit",
        "dtype": "of the learner's base weights; `nf4` is QLoRA",
        "adapter": "start from this adapter: a PEFT folder or a run's folder",
        "adapter_use": "`merge` it into the base and train a fresh LoRA on top, or `train` it on",
        "trust_remote_code": "run code that comes with the model. Only for a model whose code you have read",
    },
    "lora": {
        "r": "rank",
        "alpha": "scale: the update counts alpha / r (alpha / √r with `rslora`)",
        "dropout": "on the adapter's input while training",
        "rslora": "rank-stabilised scale",
        "targets": "which layers: all linear ones, or those with these names",
    },
    "prompt": {
        "template": "`chat`: the model's own; `alpaca`: `### Instruction:`, `### Response:`; `plain`: none",
        "system": "a system message, where the template has a place for one",
        "instruction": "added to every question",
        "answer": "`block`: the answer and its confidence on two closing lines, in the form that the ground "
        "truth fixes, and only these are graded; `free`: the whole text is read; "
        "[the answer block](ground_truth.md#the-answer-block)",
        "max_tokens": "longest prompt, in tokens",
        "truncate": "the side from which a longer one is cut",
    },
    "data": {"dataset": "a dataset's name or alias; the other keys are its own settings"},
    "verifiers": {
        "verifier": "a verifier's name or alias; the other keys are its own settings",
        "weight": "renormalised over the verifiers that apply to a question; all zero is an error",
    },
    "stages": {
        "trainer": "a trainer's name; the other keys are its own settings",
        "name": "the stage's name, where two have one trainer",
        "optimizer": "AdamW; [`stages[].optimizer`](#stagesoptimizer)",
        "lora": "another adapter for this stage",
        "adapter": "`continue`: go on with the LoRA of the stage before; `merge`: a fresh one over it",
    },
    "stages[].optimizer": {
        "learning_rate": "after the warm-up",
        "schedule": "after the warm-up",
        "warmup": "share of the stage's updates over which the rate rises from 0",
        "weight_decay": "decoupled, as in AdamW",
        "max_grad_norm": "gradients are clipped to this norm",
        "eight_bit": "the optimizer's moments in 8 bits",
    },
    "rollout": {
        "engine": "`vllm`; `transformers` where there is no vLLM; `scripted` answers from a file, for tests",
        "actors": "how many at the start",
        "fewest": "where actors are lost, the run goes on with so many; below that it waits for others",
        "most": "those beyond `actors`, up to so many, join when the cluster has room; by default none",
        "concurrency": "sequences that one actor answers side by side; the rest waits for who is free first",
        "cpus": "each asks Ray for so many CPUs",
        "gpus": "each asks Ray for so many GPUs and sees no other; a fraction shares one, 2 and more "
        "serve one model",
        "labels": "only on nodes with these labels: label → value, or several of which one is enough "
        "([unlike GPUs](cluster.md#unlike-gpus))",
        "sleep": "`1`: engines that share a GPU with a learner give it their memory while it computes; "
        "`lag: 0` alone ([clusters](cluster.md))",
        "sync": "`adapter`: the LoRA is served beside the base; `merged`: it is merged where it "
        "arrives; `auto`: merged on a CPU and in fp32, adapter on a GPU",
        "dtype": "of the sampler's base weights; by default the learner's (of `nf4` the 16-bit weights that "
        "it stands for; `nf4` here serves it quantised, on a small card, by the package vllm-bnb-plugin)",
        "max_completion_tokens": "longest answer, in tokens",
        "temperature": "of sampling while training",
        "top_p": "nucleus sampling",
        "memory_fraction": "of a GPU's memory that the engine may take",
        "kv_cache_gb": "the engine's cache on a CPU, in GB",
        "canary_tolerance": "largest mean difference, in nats a token, of learner and sampler on a fixed "
        "text after each sync; beyond it the run stops, as where one side changes and the other does not",
        "timeout_s": "an actor that gave no answer to a question for so many seconds is taken for dead",
        "script": "the file of the engine `scripted`",
        "simulated": "a pace for the engine `scripted`; [`rollout.simulated`](#rolloutsimulated)",
    },
    "rollout.simulated": {
        "token_s": "pairs: sequences that run side by side, seconds of one more token of each",
        "mean_tokens": "mean length of an answer",
        "spread": "deviation of the logarithm of the length; 0: all are as long as the mean",
    },
    "scorer": {
        "actors": "how many",
        "cpus": "each asks Ray for so many CPUs",
        "timeout_s": "one verifier on one answer may take so long; then its score is *failed*",
        "memory_mb": "one verifier may take so much memory",
        "failure_budget": "share of a verifier's scores that may fail before the run stops",
        "environment": "variables of the environment that verifiers see, beyond `PATH`, `HOME` and the like",
    },
    "learner": {
        "actors": "so many learners share a step's groups; at most as many as a step has groups",
        "shard": "each learner holds a part of every frozen layer, for a base that does not fit one GPU "
        "(bf16, fp32)",
        "cpus": "each asks Ray for so many CPUs",
        "gpus": "each asks Ray for so many GPUs and sees no other; a fraction shares one",
        "labels": "as of `rollout`",
        "token_budget": "most tokens in one forward and backward pass; a larger group is computed in "
        "parts; a GPU likes more",
        "packing": "several texts in one sequence, each blind to the others",
        "gradient_checkpointing": "less memory for more time; by default on with a GPU, off without",
        "timeout_s": "longest that one step, or anything else it is asked, may take",
    },
    "evaluation": {
        "split": "where the questions come from",
        "questions": "how many, the same every time, drawn with the run's seed; 0 turns evaluation off",
        "samples": "answers to each question",
        "temperature": "0 is greedy, and needs one sample",
        "evaluators": "what is made of the answers; [`evaluation.evaluators`](#evaluationevaluators)",
    },
    "evaluation.evaluators": {"evaluator": "an evaluator's name; the other keys are its own settings"},
    "trackers": {"tracker": "a tracker's name; the other keys are its own settings"},
    "store": {
        "folder": "runs are folders in it",
        "checkpoint_every": "steps; a stage's last step is always one",
        "keep_checkpoints": "how many are kept, the newest",
    },
    "cluster": {
        "backend": "`ray`, or `inline`: all in one process, for debugging",
        "start_timeout_s": "longest wait for free resources and for an actor to load its model",
        "restarts": "how often learners that died are started again within a run, from its last checkpoint",
    },
    "forecast": {
        "gpus": "numbers of GPUs to work it out for",
        "sampled_tokens_s": "tokens that a GPU samples in a second, of a model of 7 billion weights",
        "learnt_tokens_s": "tokens that a GPU learns from in a second, of such a model",
        "answer_share": "mean length of an answer, as a share of `rollout.max_completion_tokens`",
        "token_s": "seconds of one token where few sequences are left",
        "fixed_s": "seconds of a step beside sampling and learning; with `lag: 0` the engines' loading of "
        "the adapter as well",
    },
}


def tables() -> str:
    """Everything between the marks."""
    parts = []
    for place, model in SECTIONS.items():
        heading = f"### `{place}`" if place else "### The top"
        what = "A list; each item has:\n\n" if place in LISTS else ""
        parts.append(f"{heading}\n\n{what}{_table(model, WORDS[place])}")
    parts.append("## Settings of the built-in plugins")
    for kind, place in KINDS.items():
        for entry in plugins.load(entry_points=False).of_kind(kind):
            parts.append(_plugin(entry.record, kind, place))
    return "\n\n".join(parts)


def _plugin(record: Any, kind: str, place: str) -> str:
    aliases = f" ({', '.join(record.aliases)})" if record.aliases else ""
    head = f"### {kind} `{record.name}`{aliases}\n\nIn `{place}`: {record.summary}."
    if not record.config.model_fields:
        return f"{head} It has no settings."
    parts = [head]
    for model in _nested(record.config):
        prose, words = _read_docstring(model)
        if model is not record.config:
            parts.append(f"Keys of *{model.__name__}*:")
        parts += [prose] if prose else []
        parts.append(_table(model, words))
    return "\n\n".join(parts)


def _nested(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model, and those that its fields are made of, each once."""
    found = [model]
    for one in found:
        for field in one.model_fields.values():
            found += [inner for inner in _models_in(field.annotation) if inner not in found]
    yield from found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [inner for part in getattr(annotation, "__args__", ()) for inner in _models_in(part)]


def _read_docstring(model: type[BaseModel]) -> tuple[str, dict[str, str]]:
    """The prose of a settings class, and its words for single keys (the section ``Attributes``)."""
    text = _markdown(inspect.getdoc(model) or "")
    prose, _, attributes = text.partition("Attributes:\n")
    words = {}
    entries = re.findall(r"^    (\w[\w, `]*?): (.*(?:\n     +.*)*)", attributes, re.MULTILINE)
    for names, what in entries:
        for name in names.split(", "):
            words[name.strip("` ")] = re.sub(r"\s+", " ", what).strip()
    kept = re.sub(r"^Settings of [^.]*\.\s*", "", prose).strip()
    return kept, words


def _markdown(text: str) -> str:
    text = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", text)
    return text.replace("``", "`")


def _table(model: type[BaseModel], words: dict[str, str]) -> str:
    schema = model.model_json_schema()
    rows = ["| key | allowed | default | |" if words else "| key | allowed | default |"]
    rows.append("|---|---|---|---|" if words else "|---|---|---|")
    for name, about in schema["properties"].items():
        default = "required" if name in schema.get("required", ()) else _default(model, name)
        what = f" {words.get(name, '')} |" if words else ""
        rows.append(f"| `{name}` | {_allowed(about)} | {default} |{what}")
    return "\n".join(rows)


def _default(model: type[BaseModel], name: str) -> str:
    value = model.model_fields[name].get_default(call_default_factory=True)
    if value is None:
        return "–"
    if isinstance(value, BaseModel):
        return "its defaults"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | list):
        shown = [getattr(item, "evaluator", item) for item in value]
        return "[" + ", ".join(f"`{item}`" for item in shown) + "]"
    if isinstance(value, dict):
        return "none" if not value else f"`{value}`"
    return f"`{value}`" if value != "" else "empty"


def _allowed(about: dict[str, Any]) -> str:
    """What a JSON schema allows, in words."""
    if "anyOf" in about:
        options = [_allowed(option) for option in about["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(options))
    if "$ref" in about or "allOf" in about:
        ref = about.get("$ref") or about["allOf"][0]["$ref"]
        return f"*{ref.rpartition('/')[2]}*"
    if "const" in about:
        return f"`{about['const']}`"
    if "enum" in about:
        return " · ".join(f"`{item}`" for item in about["enum"])
    kind = about.get("type")
    if kind == "array":
        return f"list of {_allowed(about.get('items', {}))}"
    if kind == "object":
        return "mapping"
    if kind in ("integer", "number"):
        return _number(kind, about)
    return {"string": "text", "boolean": "true or false"}.get(str(kind), "any value")


def _number(kind: str, about: dict[str, Any]) -> str:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {about[key]:g}" for key, sign in signs.items() if key in about]
    return " ".join(["whole number" if kind == "integer" else "number", ", ".join(bounds)]).strip()


def page(text: str) -> str:
    """The page with fresh tables between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
    print(f"written: {PAGE}")
