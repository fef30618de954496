"""The messages between a scorer and its child: numbered, with a length and a check.

A verifier shares its process with the pipes: it may fork, or write to every descriptor that it finds. So each
message says which one it is, and carries a checksum over a key that only the two sides know: what is lost,
stands twice or comes from elsewhere is noticed before anything in it is believed.
"""

from __future__ import annotations

import struct
import zlib

from biorlhf.errors import BiorlhfError

KEY_BYTES = 16
#: Far above what a child may report of one completion, far below what a wrong length could ask for.
MAX_BYTES = 2**28
_HEADER = struct.Struct("=4sQII")  # mark, number, length, check
_MARK = b"\xb1sc\x01"


class ForeignBytes(BiorlhfError):
    """What arrived is not the next message: it was lost, altered, or somebody else wrote into the pipe."""


def pack(key: bytes, number: int, payload: bytes) -> bytes:
    """One message, ready to be written."""
    return _HEADER.pack(_MARK, number, len(payload), _check(key, number, payload)) + payload


def _check(key: bytes, number: int, payload: bytes) -> int:
    return zlib.crc32(payload, zlib.crc32(key + number.to_bytes(8, "little")))


class Inbox:
    """Turns bytes as they arrive into the messages of one sender, in their order."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._bytes = bytearray()
        self._next = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is left over of what came."""
        return not self._bytes

    def add(self, chunk: bytes) -> None:
        self._bytes += chunk

    def take(self) -> bytes | None:
        """The next message; None where more bytes have to come first.

        Raises:
            ForeignBytes: it is not the next message of this sender.
        """
        if not self._bytes.startswith(_MARK[: len(self._bytes)]):
            raise ForeignBytes(f"{bytes(self._bytes[:40])!r}")
        if len(self._bytes) < _HEADER.size:
            return None
        _, number, length, check = _HEADER.unpack_from(self._bytes)
        if number != self._next or length > MAX_BYTES:
            raise ForeignBytes(f"message {number} of {length} bytes where {self._next} comes next")
        if len(self._bytes) < _HEADER.size + length:
            return None
        payload = bytes(self._bytes[_HEADER.size : _HEADER.size + length])
        if check != _check(self._key, number, payload):
            raise ForeignBytes(f"message {number} does not match its check")
        del self._bytes[: _HEADER.size + length]
        self._next += 1
        return payload
