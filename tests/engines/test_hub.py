"""Models of the hub: one set of weights, by its index; and a clear word where it cannot be had.

The hub is a folder here, and huggingface_hub's three calls copy from it what their patterns name.
"""

from __future__ import annotations

import fnmatch
import json
import shutil

import httpx
import huggingface_hub
import pytest
from huggingface_hub import errors
from safetensors.torch import load_file, save_file

from biorlhf.engines.models.base_files import resolve_base, weight_files
from biorlhf.engines.models.hub import on_hub
from biorlhf.engines.models.merging import base_tensors
from biorlhf.errors import InputError
from tiny_model import write_tiny_model


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A repository in shards, with the same model a second time in a format of its own."""
    repository, cache = tmp_path / "repository", tmp_path / "cache"
    write_tiny_model(repository)
    tensors = load_file(repository / "model.safetensors")
    (repository / "model.safetensors").unlink()
    index = {"metadata": {}, "weight_map": {}}
    for number, names in enumerate((sorted(tensors)[::2], sorted(tensors)[1::2]), 1):
        file = f"model-{number:05d}-of-00002.safetensors"
        save_file({n: tensors[n] for n in names}, repository / file, metadata={"format": "pt"})
        index["weight_map"] |= dict.fromkeys(names, file)
    (repository / "model.safetensors.index.json").write_text(json.dumps(index))
    save_file({"layers.0.wq": tensors[sorted(tensors)[0]]}, repository / "consolidated.safetensors")
    (repository / "params.json").write_text("{}")
    (repository / "pytorch_model.bin").write_bytes(b"pickle")
    cache.mkdir()

    def snapshot_download(base, *, revision, allow_patterns, ignore_patterns):
        for path in repository.iterdir():
            allowed = any(fnmatch.fnmatch(path.name, pattern) for pattern in allow_patterns)
            if allowed and not any(fnmatch.fnmatch(path.name, pattern) for pattern in ignore_patterns):
                shutil.copy(path, cache)
        return str(cache)

    def hf_hub_download(base, filename, *, revision):
        if not (repository / filename).is_file():
            raise errors.EntryNotFoundError(filename)
        return shutil.copy(repository / filename, cache)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hf_hub_download)
    return repository, cache


def test_the_weights_that_the_index_names_are_fetched_and_no_second_set(hub):
    folder = resolve_base("owner/name")
    names = sorted(path.name for path in folder.iterdir())
    assert [n for n in names if n.endswith(".safetensors")] == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]
    assert {"config.json", "tokenizer.json", "model.safetensors.index.json"} <= set(names)
    assert not {"params.json", "pytorch_model.bin"} & set(names)


def test_a_model_of_one_file_needs_no_index(hub):
    repository, _ = hub
    write_tiny_model(repository)
    for path in repository.glob("model*of*"):
        path.unlink()
    (repository / "model.safetensors.index.json").unlink()
    assert [p.name for p in weight_files(resolve_base("owner/name"))] == ["model.safetensors"]


def test_a_folder_that_holds_both_sets_is_read_by_its_index(hub):
    repository, _ = hub
    named = {name for name, _ in base_tensors(repository)}
    assert named == set(json.loads((repository / "model.safetensors.index.json").read_text())["weight_map"])


def test_pickled_weights_alone_are_refused(hub):
    repository, _ = hub
    for path in [*repository.glob("*.safetensors"), repository / "model.safetensors.index.json"]:
        path.unlink()
    with pytest.raises(InputError, match=r"(?s)no model\.safetensors.*pickled weights are not read"):
        resolve_base("owner/name")


def response(status):
    return httpx.Response(status, request=httpx.Request("GET", "http://hub"))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            errors.GatedRepoError("no", response=response(403)),
            r"(?s)is gated.*accept its terms.*hf auth login",
        ),
        (
            errors.RevisionNotFoundError("no", response=response(404)),
            r"(?s)model\.revision.*no revision 'v9'",
        ),
        (errors.RepositoryNotFoundError("no", response=response(401)), r"(?s)no model owner/name.*HF_TOKEN"),
        (ConnectionError("unreachable"), r"(?s)cannot be fetched.*unreachable"),
    ],
)
def test_what_cannot_be_fetched_says_why_and_what_to_do(hub, monkeypatch, error, message):
    def refuse(*args, **kwargs):
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", refuse)
    with pytest.raises(InputError, match=message):
        resolve_base("owner/name", "v9")


def test_offline_half_a_model_is_not_taken_for_a_whole_one(hub, monkeypatch):
    repository, _ = hub
    (repository / "model-00002-of-00002.safetensors").unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(InputError, match=r"(?s)no model-00002.*local cache.*without HF_HUB_OFFLINE"):
        resolve_base("owner/name")


def test_only_names_of_the_hub_are_asked_of_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner" / "here").mkdir(parents=True)
    asked = [
        name for name in ("owner/name", "owner/here", "./a", "a/b/c", "m/x.gguf", "smollm2") if on_hub(name)
    ]
    assert asked == ["owner/name"]
