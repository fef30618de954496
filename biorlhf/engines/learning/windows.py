"""How far back a layer looks."""

from __future__ import annotations

from typing import Any


def window_of(attention: Any) -> int | None:
    """Qwen has a sliding window in some layers, Mistral in all, Llama in none (whatever its config says)."""
    if hasattr(attention, "sliding_window"):
        return attention.sliding_window
    return attention.config.sliding_window if attention.config.model_type == "mistral" else None
