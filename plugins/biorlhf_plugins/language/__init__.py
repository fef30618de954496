"""Reading claims out of prose: numbers, directions, classes, a stated confidence, an abstention."""

from biorlhf_plugins.language.extract import extract
from biorlhf_plugins.language.records import Claim, Confidence, Extraction, Named, Slot
from biorlhf_plugins.language.words.lexicon import Additions, additions_of
from biorlhf_plugins.language.words.shared import additions_of_names

__all__ = [
    "Additions", "Claim", "Confidence", "Extraction", "Named", "Slot", "additions_of",
    "additions_of_names", "extract",
]  # fmt: skip
