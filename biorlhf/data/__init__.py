"""The KMP study's texts and figures by their names in BioRLHF 0.3.

``python -m biorlhf.data`` writes ``data/kmp_sft_final.json`` and ``data/kmp_test_set.json`` anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from biorlhf.compat.models import create_sft_dataset
from biorlhf.compat.study import TABLES, table

if TYPE_CHECKING:  # known to type checkers; read from the plugin when they are first asked for
    INTERACTIONS: dict[str, dict[str, int]]
    KMP_EFFECTS: dict[str, dict[str, int]]
    OXPHOS_PATTERNS: dict[str, dict[str, Any]]
    STRESSOR_EFFECTS: dict[str, dict[str, int]]
    TISSUE_TYPES: dict[str, tuple[str, str]]

__all__ = [
    "INTERACTIONS",
    "KMP_EFFECTS",
    "OXPHOS_PATTERNS",
    "STRESSOR_EFFECTS",
    "TISSUE_TYPES",
    "create_sft_dataset",
]


def __getattr__(name: str) -> Any:
    if name in TABLES:
        return table(name)
    raise AttributeError(f"module 'biorlhf.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *TABLES]
