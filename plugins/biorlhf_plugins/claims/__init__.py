"""Reading claims out of prose: numbers, directions, classes, a stated confidence, an abstention."""

from biorlhf_plugins.claims.extract import extract
from biorlhf_plugins.claims.lexicon import Additions, additions_of
from biorlhf_plugins.claims.records import Claim, Confidence, Correctness, Extraction, Slot

__all__ = ["Additions", "Claim", "Confidence", "Correctness", "Extraction", "Slot", "additions_of", "extract"]
