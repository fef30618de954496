"""Every command's ``--json``, held against its written schema in docs/schemas/commands.json."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from biorlhf.cli import COMMANDS, _load
from made_run import write_run

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "schemas" / "commands.json").read_text("utf-8"))
SCHEMAS = DOCUMENT["commands"]
#: What they print can be seen with a model alone: tests/api/test_json_of_models.py runs these.
WITH_A_MODEL = {"run", "evaluate", "evaluate MODEL MODEL", "generate", "export"}
ROW = {"id": "a", "prompt": "How many DEGs?", "response": "6,425 DEGs.", "ground_truth": {"answer": "yes"}}


def check(name: str, line: str) -> None:
    name, found = name.partition(":")[0], json.loads(line)
    schema = {"$defs": DOCUMENT["$defs"], **SCHEMAS[name]}
    Draft202012Validator(schema).validate(found)
    # What a program may read is written down: keys come into the schema before they come out here.
    described = {key for part in (schema, *schema.get("allOf", ())) for key in part.get("properties", ())}
    if "allOf" in schema:
        described |= set(DOCUMENT["$defs"]["run_row"]["properties"])
    assert set(found) <= described


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("json")
    write_run(folder / "runs" / "a")
    write_run(folder / "runs" / "b", seed=3)
    (folder / "in.jsonl").write_text(json.dumps(ROW) + "\n")
    text = {"prompt": "How many?", "response": "6,425 DEGs in the soleus."}
    (folder / "texts.jsonl").write_text(json.dumps(text) + "\n")
    return folder


CALLS = {
    "run --dry-run": ["run", f"{ROOT}/recipes/quickstart.yaml", "--dry-run"],
    "validate": ["validate", f"{ROOT}/recipes/quickstart.yaml"],
    "validate: any": ["validate", f"{ROOT}/recipes/quickstart.yaml", "--set", "model.base=lab/new"],
    "validate: on a GPU": ["validate", f"{ROOT}/recipes/quickstart.yaml", "--set", "learner.gpus=1"],
    "init": [
        "init",
        "{place}",
        "--table",
        f"{ROOT}/examples/lab/lung_deseq2.csv",
        "--tissue",
        "lung",
        "--condition",
        "tumour",
        "--numerator",
        "tumour",
        "--denominator",
        "normal",
    ],
    "plugins": ["plugins"],
    "plugins new": ["plugins", "new", "tracker", "lab_numbers", "--folder", "{place}"],
    "recipes": ["recipes"],
    "recipes NAME": ["recipes", "quickstart", "--to", "{place}"],
    "score": ["score", "{place}/in.jsonl", "--out", "{place}/out.jsonl", "--verifiers", "V1,V4"],
    "audit": ["audit", "--questions", "{place}/questions.jsonl"],
    "data list": ["data", "list"],
    "data show": ["data", "show", "kmp"],
    "data stats": ["data", "stats", "kmp"],
    "data build": ["data", "build", "kmp", "--out", "{place}/built"],
    "data export": ["data", "export", "kmp", "--out", "{place}/questions.jsonl", "--format", "questions"],
    "report": ["report", "{place}/runs/a"],
    "compare": ["compare", "{place}/runs/a", "{place}/runs/b"],
    "runs": ["runs", "--folder", "{place}/runs"],
    "runs show": ["runs", "show", "{place}/runs/a"],
    "runs clean": ["runs", "clean", "{place}/runs/a", "--yes"],
}


def printed(words: list[str], place: Path) -> str:
    from click.testing import CliRunner

    name, *rest = [word.format(place=place) for word in words]
    result = CliRunner().invoke(_load(name, COMMANDS[name][0]), [*rest, "--json"])
    assert result.exit_code in (0, 1), result.output
    return result.stdout


@pytest.mark.parametrize("name", [name for name in CALLS if name != "audit"])
def test_what_a_command_prints_is_what_its_schema_says(name, place):
    lines = printed(CALLS[name], place).splitlines()
    assert lines
    for line in lines:
        check(name, line)


def test_an_audit_prints_what_its_schema_says(place):
    question = {"id": "q", "prompt": "Is it up?", "ground_truth": {"answer": "yes"}, "answer": "Yes."}
    (place / "questions.jsonl").write_text(json.dumps(question) + "\n")
    check("audit", printed(CALLS["audit"], place))


def test_findings_are_written_as_the_schema_says(place):
    from click.testing import CliRunner

    out = place / "findings.json"
    command = _load("data", COMMANDS["data"][0])
    CliRunner().invoke(command, ["check", str(place / "texts.jsonl"), "--facts", "kmp", "--json", str(out)])
    check("data check", out.read_text("utf-8"))


def test_every_schema_is_sound_and_every_command_has_one():
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema({"$defs": DOCUMENT["$defs"], **schema})
        assert name in CALLS or name in WITH_A_MODEL or name == "data check", name
    assert {name.split()[0] for name in SCHEMAS} == set(COMMANDS)


def test_a_schema_refuses_what_lacks_a_key(place):
    found = json.loads(printed(CALLS["report"], place))
    del found["tiles"]
    with pytest.raises(Exception, match="'tiles' is a required property"):
        check("report", json.dumps(found))


def test_every_command_takes_json():
    """``runs watch`` is looked at; all others can be read by a program."""
    import typer

    def leaves(name: str, command) -> list[tuple[str, object]]:
        inner = getattr(command, "commands", None) or {}
        own = [] if inner and not command.invoke_without_command else [(name, command)]
        return own + [leaf for key, one in inner.items() for leaf in leaves(f"{name} {key}", one)]

    assert inspect.isclass(typer.Typer)
    for name, (target, _) in COMMANDS.items():
        for full, command in leaves(name, _load(name, target)):
            if full != "runs watch":
                assert any("--json" in parameter.opts for parameter in command.params), full
