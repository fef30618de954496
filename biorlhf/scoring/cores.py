"""How many cores a process may use, which in a container are fewer than the machine has."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


def cores(cgroups: Path = CGROUPS) -> int:
    """The cores that this process may use: those it is bound to, or its container's share if that is less."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = _limit(cgroups)
    # A share of half a core is still one thread.
    return bound if limit is None else max(1, min(bound, math.floor(limit)))


def _limit(cgroups: Path) -> float | None:
    """A container's limit in cores, by cgroups v2 or v1; None where there is none."""
    try:
        if (cgroups / "cpu.max").is_file():
            quota, period = (cgroups / "cpu.max").read_text().split()
        else:
            quota, period = (
                (cgroups / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period")
            )
        return float(quota) / float(period) if quota.strip() not in ("max", "-1") else None
    except (OSError, ValueError):
        # No such files, or none that can be read: then nothing is known of a limit.
        return None
