"""The project's C files, compiled once for this machine into the cache folder: under a second each.

They hold what a CPU spends its time on and what neither torch nor vLLM has in one pass over memory. Any gcc
or clang with OpenMP builds them; where there is none, everything works without them, more slowly.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from biorlhf.engines.models.base_files import cache_dir

#: Sums may be reordered, so that they can be vectorised; infinities and NaN stay what they are.
FLAGS = ["-O3", "-march=native", "-fopenmp", "-shared", "-fPIC"]
FLAGS += [f"-f{x}" for x in ("no-math-errno", "no-trapping-math", "associative-math", "no-signed-zeros")]
#: What could not be compiled in this process, and why: an actor's log is read by nobody.
LACKING: list[str] = []
KINDS = {"p": ctypes.c_void_p, "l": ctypes.c_long, "f": ctypes.c_float}


@functools.cache
def library(name: str) -> Any:
    """``<name>.c`` beside this module as a loaded library, or None where it cannot be built.

    That it cannot is said once, as a warning. Functions are declared with :func:`declare`; they share
    OpenMP's threads with torch.
    """
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return _without(name, "there is no C compiler")
    try:
        return ctypes.CDLL(str(_built(Path(__file__).with_name(f"{name}.c"), compiler)))
    except (OSError, subprocess.SubprocessError) as error:
        return _without(name, str(getattr(error, "stderr", "") or error).strip())


def declare(loaded: Any, functions: dict[str, str]) -> Any:
    """The same library with its functions' arguments declared, a letter each (``KINDS``)."""
    for function, kinds in functions.items() if loaded is not None else ():
        getattr(loaded, function).argtypes = [KINDS[kind] for kind in kinds]
        getattr(loaded, function).restype = None
    return loaded


def _without(name: str, reason: str) -> None:
    LACKING.append(f"{name}.c was not compiled, so steps on this CPU take longer: {reason}")
    logging.getLogger(__name__).warning(LACKING[-1])


def _built(source: Path, compiler: str) -> Path:
    """The shared library for this source, compiler and processor; it appears whole or not at all."""
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    # The processor as well: machines of different kinds may share a home folder.
    made_of = [source.read_text(encoding="utf-8"), *FLAGS, version, platform.machine(), _processor()]
    key = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:16]
    folder = cache_dir() / "compiled"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    # mkdir leaves the mode of a folder that was there before.
    if folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o022:
        raise OSError(f"what lies in {folder} would be executed, and others may write there")
    path = folder / f"{source.stem}-{key}.so"
    if not path.is_file():
        with tempfile.TemporaryDirectory(prefix=f".{source.stem}-", dir=folder) as scratch:
            part = Path(scratch, path.name)
            command = [compiler, *FLAGS, str(source), "-o", str(part), "-lm"]
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
            os.replace(part, path)
    return path


def _processor() -> str:
    """What ``-march=native`` depends on."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith("flags")), platform.processor())
