"""What a learner gives out is fetched by who reads it, and by nobody else."""

from __future__ import annotations

import pytest

from biorlhf.actors import held
from biorlhf.actors.held import HeldAdapter, HeldFiles
from biorlhf.testing import an_adapter


def test_an_adapter_in_the_store_is_passed_on_unread(monkeypatch):
    fetched = []

    def fetch(reference):
        fetched.append(reference)
        return an_adapter(3)

    adapter = HeldAdapter(an_adapter(3).ref, "a reference", fetch)
    monkeypatch.setattr(held.ray, "put", lambda _: pytest.fail("its bytes went through this process"))
    assert held.reference(adapter) == "a reference"
    assert adapter.ref == an_adapter(3).ref
    assert fetched == []
    assert (adapter.tensors, adapter.config) == (an_adapter(3).tensors, b"{}")
    assert fetched == ["a reference"], "both files at once"


def test_an_adapter_of_this_process_is_put_into_the_store(monkeypatch):
    monkeypatch.setattr(held.ray, "put", lambda adapter: ("stored", adapter))
    assert held.reference(an_adapter(1)) == ("stored", an_adapter(1))


def test_a_checkpoint_is_waited_for_once_by_who_writes_it():
    asked = []

    def fetch():
        asked.append(1)
        return {"learner.json": b"{}"}

    files = HeldFiles(fetch)
    assert asked == []
    assert dict(files) == {"learner.json": b"{}"}
    assert (len(files), files["learner.json"], asked) == (1, b"{}", [1])
