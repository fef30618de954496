"""What is large is made and hashed once: an update's adapter, and a checkpoint's files."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import pytest

from biorlhf import recipe as recipes
from biorlhf.engines.models import adapters
from biorlhf.runs import pipeline
from biorlhf.runs.keeping import checkpoints
from biorlhf.runs.listener import Silence
from tiny_run import ANSWERS, numbers, write_tiny_run


@pytest.mark.parametrize("lag", [0, 1])
def test_each_update_is_exported_and_hashed_once_and_so_is_each_checkpoint(tmp_path, monkeypatch, lag):
    exported, kept, hashed = [], Counter(), Counter()
    export, write, sha256 = adapters.export, checkpoints.write, hashlib.sha256

    def counted_export(*args):
        exported.append(export(*args))
        return exported[-1]

    def counted_write(folder, state, files, keep):
        kept.update(files.values())
        write(folder, state, files, keep)

    def counted_sha256(data=b"", **named):
        hashed[bytes(data)] += 1
        return sha256(data, **named)

    monkeypatch.setattr(adapters, "export", counted_export)
    monkeypatch.setattr(checkpoints, "write", counted_write)
    monkeypatch.setattr(hashlib, "sha256", counted_sha256)
    path = write_tiny_run(tmp_path, steps=4)
    (tmp_path / "script.json").write_text(json.dumps({"default": ANSWERS, "logprob": -1.0}))
    also = ("stages.0.mask_truncated=false", "scorer.timeout_s=60")
    folder = pipeline.run(recipes.load(path, (f"stages.0.lag={lag}", *also)), Silence())
    updates = [row for row in numbers(folder) if "adapter_sha256" in row]
    assert len(updates) == 4
    assert sum(kept.values()) == 2 * 5  # of two checkpoints
    # The adapter of the start, and that of each update: it is what the stage leaves as well.
    assert len(exported) == 1 + len(updates)
    assert (folder / "adapter" / "adapter_model.safetensors").read_bytes() == exported[-1].tensors
    wanted = kept + Counter(adapter.tensors for adapter in exported)
    assert {content: hashed[content] for content in wanted} == wanted
