"""Recipes and overrides that no run could follow."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import yaml
from malformed import kind, several, word


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
    rows += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in itertools.pairwise(names)]
    return validate(folder, "\n".join(rows))


@kind
def yaml_alias_cycle(draw, folder):
    name = word(draw)
    return validate(
        folder, draw.choice([f"a: &{name} [*{name}]", f"&{name}\nx: *{name}", f"a: &{name} {{b: *{name}}}"])
    )


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
    [
        b"\xff\xfe",
        b"\xfe\xff\x00n",
        b"name: \xe9t\xe9",
        b"\x80",
        "name: x\n".encode("utf-16"),
        b"a: \xed\xa0\x80",
    ],
    validate,
)
several(
    "yaml_syntax",
    [
        "a: 'open",
        'a: "\\q"',
        "a: [1, 2",
        "a: *none",
        "\t- a",
        "a: b: c",
        "%TAG ! x\n",
        "a: |3\n x",
        "@a: 1",
        "- a\nb: 1",
    ],
    validate,
)
several(
    "yaml_shape",
    ["", "- a", "5", "null", "~", "text", "[]", "--- \n...\n", "# only this", "a: 1\n---\nb: 2"],
    validate,
)
several(
    "yaml_key",
    [
        "? [a, b]\n: c",
        "5: x",
        "null: 1",
        "true: 1",
        "1.5: 1",
        "? {a: 1}\n: 2",
        "name: x\nname: y",
        "<<: 5",
        "<<: [1]",
        ".inf: 1",
    ],
    lambda folder, text: validate(folder, with_line(str(text))),
)
several(
    "yaml_tag",
    [
        "!!python/object:os.system [x]",
        "!foo x",
        "!!binary '%%'",
        "!!timestamp 2020-99-99",
        "!!int abc",
        "!!float x",
        "!!set [a]",
        "!!omap 5",
        "!!pairs x",
    ],
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
    key = draw.choice(
        ["seed", "prompt.max_tokens", "rollout.max_completion_tokens", "stages.0.steps", "lora.r"]
    )
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
    key = draw.choice(
        [
            "model",
            "data",
            "verifiers",
            "stages",
            "lora",
            "rollout",
            "scorer",
            "evaluation",
            "name",
            "store",
            "prompt",
        ]
    )
    junk = draw.choice([5, "x", True, 1.5, [[[]]], [None], [5], {"x": {}}])
    if key == "name":
        junk = draw.choice(["a/b", "..\n", "", "x" * 400, 5, None, "\u0000", "é"])
    return validate(folder, yaml.safe_dump(recipe(**{key: junk})))


@kind
def recipe_unknown_key(draw, folder):
    data = recipe()
    place = draw.choice(
        [
            data,
            data["model"],
            data["stages"][0],
            data["stages"][0]["optimizer"],
            data["data"][0],
            data["verifiers"][0],
        ]
    )
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
    return [
        "validate",
        draw.choice([str(folder / "d"), str(folder / "none.yaml"), "x" * 5000, "/dev/null", "/dev/full"]),
    ]


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
