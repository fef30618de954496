"""Packages that come with an extra of biorlhf: imported where they are needed, named where absent."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from biorlhf.errors import ResourceError

#: A package as it is imported -> the extra of biorlhf that brings it.
EXTRA_OF = {
    **dict.fromkeys(("torch", "transformers", "peft", "safetensors", "ray", "bitsandbytes"), "train"),
    "vllm": "cpu",
    "openpyxl": "xlsx",
    **dict.fromkeys(("plotly", "jinja2"), "report"),
    "tensorboard": "tensorboard",
    "wandb": "wandb",
    "mlflow": "mlflow",
    "gguf": "gguf",
    "huggingface_hub": "hub",
    **dict.fromkeys(("starlette", "uvicorn"), "serve"),
    **dict.fromkeys(("pandas", "polars"), "frames"),
}


def need(module: str, what: str) -> Any:
    """The module, imported.

    Args:
        module: ``plotly.offline``.
        what: what cannot be done without it: ``--html``.

    Raises:
        ResourceError: it is not installed; one line that names the package and the extra that brings it.
    """
    try:
        found: ModuleType = importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise absent(error, what) from None
    return found


def absent(error: ModuleNotFoundError, what: str = "") -> ResourceError:
    """The message for a package that is not installed; raises ``error`` itself where no extra brings it."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRA_OF:
        raise error
    extra = EXTRA_OF[package]
    return ResourceError(what, f"the package {package} is not installed: pip install 'biorlhf[{extra}]'")
