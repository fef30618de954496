"""Base models and adapters: reading, quantising, merging, exporting."""

from biorlhf.engines.models.load import resolve_base

__all__ = ["resolve_base"]
