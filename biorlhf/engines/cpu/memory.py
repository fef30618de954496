"""Memory that a process on a CPU has once been given stays its own."""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
LARGEST = 2**30


def keep_freed_memory() -> None:
    """Have malloc use freed tensors' memory again instead of handing it back to the system.

    Every step allocates what the one before it freed. Handed back, it comes page by page and zeroed: with
    texts of changing lengths that took a tenth of a step. The peak stays what it was. Only glibc can be
    told; elsewhere nothing happens.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST)
        mallopt(M_TRIM_THRESHOLD, -1)
