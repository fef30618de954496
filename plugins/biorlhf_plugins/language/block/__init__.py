"""The answer block: where it stands in any dress, and what its values say. Knows no gold."""

from biorlhf_plugins.language.block.confidence import read_confidence
from biorlhf_plugins.language.block.dress import Block, find_block
from biorlhf_plugins.language.block.values import (
    Reading,
    abstains,
    read_direction,
    read_figure,
    read_names,
    read_yes_no,
)

__all__ = [
    "Block", "Reading", "abstains", "find_block", "read_confidence", "read_direction", "read_figure",
    "read_names", "read_yes_no",
]  # fmt: skip
