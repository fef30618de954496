"""Random input, by hypothesis: reading a file, whatever stands in it, ends in data or in an InputError."""

from __future__ import annotations

import json
import os

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from biorlhf.errors import InputError
from biorlhf.inputs import yaml12
from biorlhf.inputs.rows import read_rows
from biorlhf.recipe import from_data
from biorlhf.reports.page import page
from biorlhf.reports.run import load_run
from biorlhf.scoring.rows import read_rows as read_answers

# `make test-hostile` looks longer.
EXAMPLES = int(os.environ.get("BIORLHF_FUZZ", "40"))
LOOK = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
KEYS = ("prompt", "response", "completion", "ground_truth", "id", "messages", "chosen", "rejected", "kind",
        "verifiers", "split", "facts", "direction", "confidence")  # fmt: skip
ROWS = st.lists(st.dictionaries(st.sampled_from(KEYS), DATA, max_size=8), min_size=1, max_size=4)
RECIPE = {
    "name": "fuzz",
    "model": {"base": "x"},
    "data": [{"dataset": "kmp"}],
    "verifiers": [{"verifier": "factual", "weight": 1}],
    "stages": [{"trainer": "grpo", "optimizer": {"learning_rate": 1e-5}}],
}


@LOOK
@given(st.text() | st.text("abc&*[]{}:-,!|>'\"#% \n\t01.e"))
def test_any_text_is_a_document_or_an_input_error(text):
    try:
        data, lines = yaml12.load(text, "r.yaml")
    except InputError as error:
        assert str(error).startswith("r.yaml")
    else:
        assert data is None or lines


@LOOK
@given(st.data(), DATA)
def test_any_value_at_any_place_of_a_recipe_is_taken_or_refused_with_the_place(data, junk):
    recipe = json.loads(json.dumps(RECIPE))
    at = recipe
    while True:
        keys = sorted(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
            break
        at = at[key]
    at[key] = junk
    try:
        from_data(recipe)
    except InputError as error:
        assert error.found


@LOOK
@given(st.binary(max_size=300) | ROWS.map(lambda rows: "\n".join(map(json.dumps, rows)).encode()))
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.csv", "a.parquet"])
def test_any_file_is_rows_or_an_input_error(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    for read in (read_rows, lambda path: read_answers(path, str)):
        try:
            list(read(path))
        except InputError as error:
            assert name in str(error)


@LOOK
@given(st.binary(max_size=300) | ROWS.map(lambda rows: "\n".join(map(json.dumps, rows)).encode()))
def test_any_file_is_a_dataset_or_an_input_error(tmp_path, content):
    from biorlhf.plugins import catalogue

    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    try:
        catalogue().build("dataset", "jsonl", {"file": str(path)})
    except InputError as error:
        assert "a.jsonl" in str(error)


@LOOK
@given(DATA, DATA, st.dictionaries(st.sampled_from(("reward", "calibration")), DATA))
def test_any_run_folder_is_shown_or_refused(tmp_path, settings_, row, reports):
    folder = tmp_path / "run"
    (folder / "evaluations").mkdir(parents=True, exist_ok=True)
    (folder / "recipe.yaml").write_text(yaml.safe_dump(settings_))
    (folder / "metrics.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "evaluations/start.json").write_text(json.dumps({"evaluators": reports}))
    try:
        page(load_run(folder))
    except InputError as error:
        assert "run" in str(error)


@pytest.mark.engine
@LOOK
@given(DATA, st.binary(max_size=200))
def test_any_adapter_is_read_or_refused(tmp_path, config, weights):
    from biorlhf.engines.models.adapters import read_adapter

    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    (tmp_path / "adapter_model.safetensors").write_bytes(weights)
    with pytest.raises(InputError):
        read_adapter(str(tmp_path), "x")
