"""``--json`` of the commands that need a model, held against the schemas in docs/schemas/commands.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "commands.json").read_text("utf-8"))

CALLS = {
    "run": ["--resume", "{run}"],
    "evaluate": ["{run}", "--out", "{place}/evaluated"],
    "evaluate MODEL MODEL": ["{run}", "base"],
    "generate": ["{run}", "How many?", "--n", "2", "--temperature", "1"],
    "export": ["{run}", "--to", "{place}/adapter"],
}


@pytest.mark.parametrize("name", CALLS)
def test_what_a_command_prints_is_what_its_schema_says(biorlhf, done, tmp_path, name):
    words = [word.format(run=done.folder, place=tmp_path) for word in CALLS[name]]
    lines = biorlhf(name.split()[0], *words, "--json").stdout.splitlines()
    assert len(lines) == (2 if name == "generate" else 1)
    schema = {"$defs": DOCUMENT["$defs"], **DOCUMENT["commands"][name]}
    for line in lines:
        Draft202012Validator(schema).validate(json.loads(line))
        # What a program may read is written down: keys come into the schema before they come out here.
        assert set(json.loads(line)) <= set(schema["properties"])
