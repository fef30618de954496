"""What an evaluation's file has to hold to be shown: a report that does not is named and left out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError, field_validator


class _Rate(BaseModel):
    value: FiniteFloat
    low: FiniteFloat
    high: FiniteFloat
    n: int


class _Bin(BaseModel):
    confidence: FiniteFloat
    accuracy: _Rate


class _Report(BaseModel):
    """The parts of an evaluator's report that are more than rates."""

    model_config = ConfigDict(extra="allow")

    reliability_diagram: list[_Bin] | None = None
    left_out: dict[str, str] | None = None
    answers: dict[str, list[str | FiniteFloat | None]] | None = None
    with_confidence: int | None = None

    @field_validator("answers")
    @classmethod
    def _of_one_length(cls, answers: dict[str, list[Any]] | None) -> dict[str, list[Any]] | None:
        if answers and len({len(column) for column in answers.values()}) > 1:
            raise ValueError("columns of different lengths")
        return answers


class _Stage(BaseModel):
    trainer: str
    name: str | None = None


class _Recipe(BaseModel):
    """The parts of a recipe that a report shows."""

    name: str | None = None
    stages: list[_Stage] = []


def recipe_problem(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with a run's recipe, as it was written; empty where nothing is."""
    return [f"recipe.yaml: {problem}" for problem in _wrong(_Recipe, settings)]


def whole_reports(name: str, data: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """The evaluators' reports that an evaluation's file holds, and what is wrong with the others."""
    evaluators = data.get("evaluators")
    if not isinstance(evaluators, Mapping):
        return {}, [f"{name}.json: no reports of evaluators"]
    whole, problems = {}, []
    for evaluator, report in evaluators.items():
        problem = _problem(report)
        if problem:
            problems.append(f"{name}.json: {evaluator}: {problem}")
        else:
            whole[str(evaluator)] = report
    return whole, problems


def _problem(report: Any) -> str:
    if not isinstance(report, Mapping):
        return f"a {type(report).__name__}, no report"
    if any(not math.isfinite(number) for number in _floats(report)):
        return "a number that is not finite"
    return next(iter(_wrong(_Report, report)), "")


def _wrong(model: type[BaseModel], data: Any) -> list[str]:
    try:
        model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        return [f"{'.'.join(map(str, first['loc'][:3]))}: {first['msg']}"]
    return []


def _floats(node: Any) -> Iterator[float]:
    if isinstance(node, float):
        yield node
    elif isinstance(node, Mapping | list):
        for child in node.values() if isinstance(node, Mapping) else node:
            yield from _floats(child)
