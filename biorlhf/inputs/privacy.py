"""Files that a person asked for: their owner's alone while they are written, then files like any other."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO


def create(path: Path) -> TextIO:
    """An empty text file that nobody else can read, whatever lay there before."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return open(descriptor, "w", encoding="utf-8")


def publish(part: Path, path: Path) -> None:
    """Give a private file or folder its name, and the rights that the system gives a new one."""
    # The system tells its mask only in exchange for another.
    mask = os.umask(0o077)
    os.umask(mask)
    part.chmod((0o777 if part.is_dir() else 0o666) & ~mask)
    os.replace(part, path)
