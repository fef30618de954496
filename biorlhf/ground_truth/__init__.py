"""Ground truth: what may stand in it, which form of answer it asks for, and the answer block."""

from biorlhf.ground_truth.forms import AnswerSlot, block, gold_answer, instruction, slots
from biorlhf.ground_truth.names import names_from_json, names_of
from biorlhf.ground_truth.schema import DIRECTIONS, FEATURE_KINDS, FORMS, check, direction_of

__all__ = [
    "DIRECTIONS",
    "FEATURE_KINDS",
    "FORMS",
    "AnswerSlot",
    "block",
    "check",
    "direction_of",
    "gold_answer",
    "instruction",
    "names_from_json",
    "names_of",
    "slots",
]
