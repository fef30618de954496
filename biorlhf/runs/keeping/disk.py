"""Writing to a run's folder: a file is there whole, under its name, or not at all; a disk that does not take
it is reported as what it is.

What is being written is called ``.<name>.<pid>.partial`` until it is whole and on the disk. A process that
was killed leaves such a file behind; :func:`clear` takes those away whose process is gone, and no others.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from biorlhf.errors import RunFailure, disk_failure

_PARTIAL = re.compile(r"\..+\.(\d+)\.partial")


@contextmanager
def reported(path: Path) -> Iterator[None]:
    """What the system says about a write, as a ``RunFailure`` that names the file and the reason."""
    try:
        yield
    except OSError as error:
        reason = disk_failure(error) or f"{path} cannot be written: {error.strerror or error}"
        raise RunFailure(str(reason)) from error


def write_file(path: Path, content: bytes) -> None:
    """One file, whole or not at all, on the disk when this returns.

    Raises:
        RunFailure: the disk is full, read-only or broken; what stood under the name before still does.
    """
    partial = _partial(path)
    with reported(path), _removed(partial):
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(partial, content)
        os.replace(partial, path)
        _sync_folder(path.parent)


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """A folder of files that appears as a whole, in the place of an earlier one; raises as `write_file`."""
    partial, old = _partial(path), _partial(path.with_name(f"{path.name}-old"))
    with reported(path), _removed(partial), _removed(old):
        partial.mkdir(parents=True)
        for name, content in files.items():
            _write_new(partial / name, content)
        _sync_folder(partial)
        if path.exists():  # a folder cannot replace one that is not empty
            os.rename(path, old)
        os.rename(partial, path)
        _sync_folder(path.parent)


def append(path: Path, line: bytes) -> None:
    """A line at a file's end, whole or not at all; raises as `write_file`."""
    with reported(path):
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            size = os.fstat(descriptor).st_size
            try:
                _write(descriptor, line)
                os.fsync(descriptor)
            except OSError:
                # Half a row would be taken for damage when the run goes on.
                os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)


def clear(folder: Path) -> None:
    """Remove what processes that are gone had begun to write; call it as the one who holds the folder."""
    with reported(folder):
        for path in list(folder.rglob(".*.partial")):
            match = _PARTIAL.fullmatch(path.name)
            if match and not _lives(int(match[1])) and path.exists():
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def _partial(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.partial")


@contextmanager
def _removed(path: Path) -> Iterator[None]:
    """Nothing lies at this path before and after."""
    _remove(path)
    try:
        yield
    finally:
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        _write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write(descriptor: int, content: bytes) -> None:
    """All of it: a disk that is nearly full takes a part and says so in the count alone."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _sync_folder(path: Path) -> None:
    # A name is on the disk when its folder is; some network file systems cannot say so.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lives(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
