"""Reading claims out of prose: numbers, directions, classes, a stated confidence, an abstention."""

from biorlhf_plugins.language.extract import extract
from biorlhf_plugins.language.records import Claim, Confidence, Correctness, Extraction, Named, Slot
from biorlhf_plugins.language.words.lexicon import Additions, additions_of
from biorlhf_plugins.truth.grading import correctness, stated_confidence

__all__ = [
    "Additions",
    "Claim",
    "Confidence",
    "Correctness",
    "Extraction",
    "Named",
    "Slot",
    "additions_of",
    "correctness",
    "extract",
    "stated_confidence",
]
