"""What a learner gives out stays in Ray's object store until somebody wants its bytes.

The driver owns it, so that it outlives the learner; rollout actors read it there, each node once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import ray

from biorlhf.stage import Adapter
from biorlhf.types import AdapterRef


class HeldAdapter(Adapter):
    """An adapter of which this process has the name alone; its two files come, together and once, when one of
    them is read."""

    __slots__ = ("come", "fetch", "held")
    come: Adapter | None
    fetch: Callable[[Any], Adapter]
    held: Any

    def __init__(
        self, ref: AdapterRef, held: Any, fetch: Callable[[Any], Adapter], canary: tuple[float, ...] = ()
    ) -> None:
        values = {"ref": ref, "held": held, "fetch": fetch, "canary": canary, "come": None}
        for name, value in values.items():
            # Past the guard of a frozen record, as its own constructor does it.
            object.__setattr__(self, name, value)

    def _files(self) -> Adapter:
        come = self.come or self.fetch(self.held)
        object.__setattr__(self, "come", come)
        return come

    @property
    def tensors(self) -> bytes:
        return self._files().tensors

    @property
    def config(self) -> bytes:
        return self._files().config


def reference(adapter: Adapter) -> Any:
    """Where in the object store an adapter lies; one that lies in this process is put there."""
    return adapter.held if isinstance(adapter, HeldAdapter) else ray.put(adapter)


class HeldFiles(Mapping[str, bytes]):
    """Files that are being made elsewhere: whoever reads the first of them waits for them all."""

    def __init__(self, fetch: Callable[[], Mapping[str, bytes]]) -> None:
        self._fetch = fetch

    @cached_property
    def _files(self) -> Mapping[str, bytes]:
        return self._fetch()

    def __getitem__(self, name: str) -> bytes:
        return self._files[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)
