"""The learner on a GPU: is it right, and how fast. For a bare machine with one card and a quarter of an hour.

It needs torch, transformers, peft, bitsandbytes and pydantic, and neither vLLM nor Ray nor a network:

    PYTHONPATH=.:plugins:tests/doubles python tests/gpu/check.py --out "$OUT"

Each result is one line of ``results.jsonl``, written when it is there. A part begins only where its time is
left; with ``--previous results.jsonl`` a rerun goes on where the first one stopped. ``--quick`` takes the
smallest sizes, which a CPU does as well; ``--record`` writes what a CPU computes to ``recorded.json``, with
which a GPU is compared. A real model is taken from ``--model`` (a GGUF file, or its pieces in order).
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RECORDED = ("tiny models", "a real model")  # the parts that a CPU's values are written of
os.environ.setdefault("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True")


@dataclass
class Check:
    """What every part is given: where it runs, how large, and where its rows go."""

    out: Path
    device: str
    quick: bool
    record: bool
    models: list[Path]
    until: float
    done: set[str] = field(default_factory=set)
    recorded: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def write(self, part: str, **row: Any) -> None:
        line = json.dumps({"part": part, **row}, default=str)
        with (self.out / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)

    def keep(self, name: str, **values: Any) -> None:
        """With ``--record``: what this device computed, for others to be compared with."""
        if self.record:
            self.recorded[name] = values
            text = json.dumps(self.recorded, indent=0, sort_keys=True) + "\n"
            (HERE / "recorded.json").write_text(text, encoding="utf-8")

    @property
    def left_s(self) -> float:
        return self.until - time.monotonic()


@dataclass(frozen=True)
class Part:
    """``needs_s``: what it takes at most on one H100, by estimate; it is not begun with less."""

    name: str
    needs_s: float
    run: Callable[[Check], Iterator[dict[str, Any]]]


# The same again, each with one thing otherwise: layers, checkpointing, tokens a pass, weights.
SHAPES: dict[str, dict[str, Any]] = {
    "nothing computed again": {"checkpointing": False},
    "4,096 tokens a pass, nothing computed again": {"budget": 4096, "checkpointing": False},
    "2,048 tokens a pass": {"budget": 2048},
    "layers as transformers has them": {"fused": False},
    "bf16": {"dtype": "bf16"},
    "bf16, nothing computed again": {"dtype": "bf16", "checkpointing": False},
}


def _shape(settings: dict[str, Any], check: Check) -> Iterator[dict[str, Any]]:
    import speed

    return speed.large_shape(check, **{"dtype": "nf4", "kinds": ("sft", "grpo"), **settings})


def parts() -> list[Part]:
    # Imported when they are needed: where one cannot be, the versions are written all the same.
    import correctness
    import peer
    import speed

    return [
        Part("tiny models", 90, correctness.tiny_models),
        Part("nf4 by two ways", 40, correctness.nf4_two_ways),
        Part("steps", 60, correctness.steps),
        Part("memory after a merge stage", 20, correctness.merge_memory),
        Part("matrix rate", 20, speed.matrix_rate),
        Part("micro-benchmarks", 40, speed.micro),
        Part("mistral-7b shape, nf4", 40, lambda check: speed.large_shape(check, "nf4")),
        Part("mistral-7b shape, by trl", 120, peer.trl),
        *(
            Part(f"mistral-7b shape, {name}", 30, functools.partial(_shape, settings))
            for name, settings in SHAPES.items()
        ),
        Part("a real model", 120, correctness.real_model),
    ]


def versions(check: Check) -> None:
    from importlib import metadata

    row: dict[str, Any] = {"python": sys.version.split()[0]}
    for name in ("torch", "transformers", "peft", "bitsandbytes", "triton", "trl", "liger-kernel"):
        try:
            row[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            row[name] = None
    import torch

    row["device"] = torch.cuda.get_device_name() if check.device == "cuda" else "cpu"
    if check.device == "cuda":
        row["memory_gb"] = round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1)
    check.write("versions", **row)


def run(check: Check) -> int:
    """Every part that is not done and has its time; gives how many failed."""
    failed = 0
    try:
        versions(check)
        chosen = parts()
    except Exception:
        check.write("imports", ok=False, error=traceback.format_exc(limit=-3))
        return 1
    for part in chosen:
        if part.name in check.done or (check.record and part.name not in RECORDED):
            continue
        if check.left_s < part.needs_s and not check.quick:
            check.write(part.name, skipped=f"{check.left_s:.0f} s left; it may take {part.needs_s:g}")
            continue
        start, ok = time.monotonic(), True
        try:
            for row in part.run(check):
                ok = ok and row.get("ok", True)
                check.write(part.name, **row)
        except Exception:
            # The next part may work, and what this one wrote stays.
            ok = False
            check.write(part.name, ok=False, error=traceback.format_exc(limit=-4))
        failed += not ok
        check.write(part.name, finished=ok, seconds=round(time.monotonic() - start, 1))
    return failed


def finished(path: Path) -> set[str]:
    """The parts that an earlier call finished well."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {row["part"] for row in rows if row.get("finished")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(os.environ.get("OUT") or "gpu-check"))
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--previous", type=Path)
    parser.add_argument("--model", type=Path, nargs="*", default=[])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--record", action="store_true")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("BIORLHF_CACHE", str(given.out.resolve() / "cache"))
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    recorded = HERE / "recorded.json"
    check = Check(
        out=given.out,
        device=device,
        quick=given.quick or given.record or device == "cpu",
        record=given.record,
        models=list(given.model),
        until=time.monotonic() + 60 * given.minutes,
        done=finished(given.previous) if given.previous else set(),
        recorded=json.loads(recorded.read_text(encoding="utf-8")) if recorded.is_file() else {},
    )
    return 1 if run(check) else 0


if __name__ == "__main__":
    sys.path.insert(0, str(HERE))
    sys.exit(main())
