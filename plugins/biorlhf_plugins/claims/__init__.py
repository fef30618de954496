"""Reading claims out of prose: numbers, directions, classes, a stated confidence, an abstention."""

from biorlhf_plugins.claims.extract import extract
from biorlhf_plugins.claims.grading import correctness, stated_confidence
from biorlhf_plugins.claims.lexicon import Additions, additions_of
from biorlhf_plugins.claims.records import Claim, Confidence, Correctness, Extraction, Named, Slot

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
