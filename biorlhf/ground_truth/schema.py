"""What may stand in a ground truth: one schema with closed vocabularies, wherever one is read.

The meaning of each key is in docs/ground_truth.md. A key or a value that is not known is an error where
the ground truth is read, not when a model is already training.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from biorlhf.errors import DataError
from biorlhf.inputs.rows import kind_of

DIRECTIONS = ("UP", "DOWN", "NS", "MIXED")
DIRECTION_QUANTITIES = frozenset(("direction", "regulation", "change", "direction of change"))
WAYS = {
    word: label
    for label, words in {
        "UP": "up, upregulated, up-regulated, increase, increased, higher, induced",
        "DOWN": "down, downregulated, down-regulated, decrease, decreased, lower, reduced, repressed",
        "NS": "ns, unchanged, no change, not significant",
        "MIXED": "mixed",
    }.items()
    for word in words.split(", ")
}
"""What a fact whose quantity is a direction may have as its value, in words."""
FEATURE_KINDS = ("gene", "transcript", "protein", "site", "metabolite", "taxon", "region", "set")
FORMS = ("direction", "figure", "phrase", "yes_no", "ranking")
OWN = "x_"
"""What keys of other people's verifiers begin with: they are handed on as they are."""

_BEGINS = {"up": "UP", "down": "DOWN", "incr": "UP", "decr": "DOWN", "not": "NS", "unch": "NS", "n.s": "NS"}
"""How values begin that people write for a direction, for the message that names the right one."""

_MEANT = {**dict.fromkeys(FEATURE_KINDS, "feature"), "set": "pathway", "gene_set": "pathway"}
"""Keys that people write for the one that holds a name of any kind."""

Direction = Literal["UP", "DOWN", "NS", "MIXED"]
Kind = Literal["gene", "transcript", "protein", "site", "metabolite", "taxon", "region", "set"]
Name = Annotated[str, Field(min_length=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


def _no_truth_value(value: Any) -> Any:
    """``true`` is a number to Python, and never one in a table."""
    if isinstance(value, bool):
        raise ValueError("true and false are no figure")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a figure is a finite number")
    return value


Value = Annotated[int | float | str, BeforeValidator(_no_truth_value)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Figures(_Part):
    """Figures of the table's row: an answer that states one has it compared."""

    log2fc: Number | None = None
    nes: Number | None = None
    fold_change: Number | None = None
    padj: Annotated[Number, Field(ge=0, le=1)] | None = None
    p: Annotated[Number, Field(ge=0, le=1)] | None = None


class Fact(_Part):
    """One figure or class to be stated."""

    entity: Name
    quantity: Name
    value: Value
    condition: str | None = None
    unit: str | None = None
    aliases: tuple[Name, ...] = ()
    choices: tuple[Name, ...] = ()


class FeatureDirection(_Part):
    """One of several directions: of a feature of any kind, or of a set (``pathway``)."""

    pathway: Name | None = None
    feature: Name | None = None
    kind: Kind | None = None
    aliases: tuple[Name, ...] = ()
    direction: Direction
    tissue: str | None = None
    mission: str | None = None
    figures: Figures | None = None

    @model_validator(mode="after")
    def _one_name(self) -> FeatureDirection:
        if (self.pathway is None) == (self.feature is None):
            raise ValueError("give either 'pathway' or 'feature'")
        return self


class GroundTruth(_Part):
    """The whole object. Every key is optional; what none of them says cannot be judged."""

    facts: tuple[Fact, ...] = ()
    answer: str | StrictBool | None = None
    aliases: tuple[Name, ...] = ()
    ranking: tuple[Name, ...] = ()
    pathway: Name | None = None
    feature: Name | None = None
    kind: Kind | None = None
    direction: Direction | None = None
    tissue: str | None = None
    mission: str | None = None
    db: str | None = None
    contrast: Annotated[str, Field(pattern=r"^.+_vs_.+$")] | None = None
    pathways: tuple[FeatureDirection, ...] = ()
    features: tuple[FeatureDirection, ...] = ()
    tissue_directions: dict[str, Direction] = Field(default_factory=dict)
    missions: dict[str, Direction] = Field(default_factory=dict)
    figures: Figures | None = None
    choices: tuple[Name, ...] = ()
    form: Literal["direction", "figure", "phrase", "yes_no", "ranking"] | None = None
    answerable: StrictBool = True
    false_premise: StrictBool = False
    check: Literal["internal_consistency"] | None = None
    is_consistent: StrictBool | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> GroundTruth:
        if self.pathway is not None and self.feature is not None:
            raise ValueError("'pathway' is the short form of 'feature' with kind 'set': give one of them")
        if self.feature is not None and self.kind is None:
            raise ValueError(f"'feature' needs its 'kind': {', '.join(FEATURE_KINDS)}")
        return self


def check(truth: Any, where: str) -> dict[str, Any]:
    """The ground truth as it was given, checked against the schema.

    Args:
        truth: a JSON object.
        where: the file and line, for the message.

    Raises:
        DataError: with the dotted path of the key, what was found, what is allowed, and the nearest match.
    """
    if not isinstance(truth, Mapping):
        raise DataError(f"{where}: ground_truth", f"a {kind_of(truth)}", "a JSON object")
    # A table's empty cells become nulls on their way through Parquet: the key is then not given.
    given = {key: value for key, value in truth.items() if value is not None}
    known = {key: value for key, value in given.items() if not str(key).startswith(OWN)}
    try:
        GroundTruth.model_validate(known)
    except ValidationError as error:
        raise _explained(error.errors()[0], where) from None
    return dict(given)


def _explained(problem: Any, where: str) -> DataError:
    path = [part for part in problem["loc"] if part not in ("function-before[_no_truth_value()]", "str")]
    place = f"{where}: ground_truth" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)
    if problem["type"] == "extra_forbidden":
        holder = {"facts": Fact, "pathways": FeatureDirection, "features": FeatureDirection}
        inside = holder.get(str(path[0])) if len(path) > 1 else GroundTruth
        model: Any = Figures if len(path) > 1 and path[-2] == "figures" else inside or GroundTruth
        key = str(path[-1])
        near = _MEANT.get(key, key)
        return DataError(place, f"unknown key {key!r}", choices=tuple(model.model_fields), name=near)
    found = f"{problem['input']!r:.80}"
    if problem["type"] == "missing":
        return DataError(place, "the key is missing")
    if problem["type"] == "literal_error":
        allowed = [word.strip("' ") for word in problem["ctx"]["expected"].replace(" or ", ",").split(",")]
        word = str(problem["input"]).lower()
        near = next(
            (a for start, a in _BEGINS.items() if word.startswith(start) and a in allowed), word.upper()
        )
        return DataError(place, found, choices=allowed, name=near)
    if problem["type"] == "string_pattern_mismatch":  # the contrast alone has a pattern
        return DataError(place, found, "numerator_vs_denominator, as in tumour_vs_normal")
    message = problem["msg"].removeprefix("Value error, ")
    return DataError(place, found if path else message, message if path else "")


def direction_of(fact: Mapping[str, Any]) -> str:
    """UP, DOWN, NS or MIXED of a fact that is a direction ("regulation: down"); "" of any other."""
    if str(fact.get("quantity") or "").strip().lower() not in DIRECTION_QUANTITIES:
        return ""
    return WAYS.get(str(fact.get("value", "")).strip().lower(), "")
