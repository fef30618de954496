"""Token ids and log-probabilities as they travel: one array each, which reads like a tuple.

A tuple of Python numbers is pickled number by number, on the way to the driver and on the way from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self, overload

import numpy as np


class Packed(Sequence[Any]):
    """Immutable numbers in an array; equal to the tuple of the same numbers, and hashed alike."""

    __slots__ = ("values",)

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    @overload
    def __getitem__(self, place: int) -> Any: ...
    @overload
    def __getitem__(self, place: slice) -> Self: ...
    def __getitem__(self, place: int | slice) -> Any:
        if isinstance(place, slice):
            return type(self)(self.values[place])
        return self.values[place].item()

    def __iter__(self) -> Iterator[Any]:
        # As Python's own numbers: numpy's are slow one at a time.
        return iter(self.values.tolist())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Packed):
            return bool(np.array_equal(self.values, other.values))
        return tuple(self) == other if isinstance(other, tuple) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return repr(tuple(self))

    def __reduce__(self) -> tuple[Callable[..., Packed], tuple[str, bytes]]:
        # Bytes within the message: for a few kB a buffer of its own costs more than it saves.
        return _restored, (self.values.dtype.str, self.values.tobytes())


def _restored(kind: str, data: bytes) -> Packed:
    return Packed(np.frombuffer(data, kind))


def token_ids(values: Sequence[int]) -> Packed:
    """Of a text, in 32 bits."""
    return Packed(np.array(values, np.int32))


def logprobs(values: Sequence[float]) -> Packed:
    """In nats, in fp32: what samplers give has no more digits."""
    return Packed(np.array(values, np.float32))
