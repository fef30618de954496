"""A plain install stays light: what trains or asks a model says at once where its packages are missing."""

from __future__ import annotations

import importlib.util

from biorlhf.errors import ResourceError

MODELS = ("torch", "transformers", "peft", "safetensors")


def require(*packages: str) -> None:
    """Raises ``ResourceError`` naming those of ``packages`` that are not installed."""
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ResourceError(
            "biorlhf",
            f"not installed: {', '.join(missing)}",
            hint='pip install -e ".[cpu]", or ".[gpu]" with an NVIDIA GPU: biorlhf alone trains nothing',
        )
