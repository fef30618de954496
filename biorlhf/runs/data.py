"""From a recipe's data section to one dataset, checked: ids unique, splits known, nothing empty."""

from __future__ import annotations

import dataclasses
import functools
import operator
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from biorlhf.errors import DataError
from biorlhf.ground_truth import check, names_of
from biorlhf.ground_truth.forms import gradable, instruction, unblocked
from biorlhf.plugins import Catalogue
from biorlhf.recipe import Recipe
from biorlhf.types import Dataset, Example, Names, Preference, Question, Split

Item = Question | Example | Preference


def build(recipe: Recipe, catalogue: Catalogue) -> Dataset:
    """Build every dataset of the recipe and join them.

    Raises:
        DataError: an empty dataset, an id that stands twice, or a split that is none.
    """
    parts: list[Dataset] = []
    for index, section in enumerate(recipe.data):
        where = f"data[{index}]: {section.dataset}"
        part: Dataset = catalogue.build("dataset", section.dataset, section.settings, where=where)
        if not (part.questions or part.examples or part.preferences):
            raise DataError(
                where, "the dataset is empty", "at least one question, example or preference pair"
            )
        # Before joining: a dataset may ask for blocks by itself, whatever the recipe wants.
        parts.append(in_form(part, recipe.prompt.answer))
    joined = Dataset(
        name="+".join(part.name for part in parts),
        questions=tuple(q for part in parts for q in part.questions),
        examples=tuple(e for part in parts for e in part.examples),
        preferences=tuple(p for part in parts for p in part.preferences),
        provenance={part.name: dict(part.provenance) for part in parts},
        names=functools.reduce(operator.or_, (part.names for part in parts), Names()),
    )
    for items in (joined.questions, joined.examples, joined.preferences):
        _check(items)
    for question in joined.questions:
        check(question.ground_truth, f"data: question {question.id}")
    return dataclasses.replace(
        joined, names=names_of(q.ground_truth for q in joined.questions) | joined.names
    )


def in_form(dataset: Dataset, answer: str) -> Dataset:
    """The dataset as a recipe's ``prompt.answer`` asks it; ``free``: its texts state no block either."""
    questions = tuple(asked_in_form(question, answer) for question in dataset.questions)
    if answer == "block":
        return dataclasses.replace(dataset, questions=questions)
    return dataclasses.replace(
        dataset,
        questions=questions,
        examples=tuple(
            dataclasses.replace(e, instruction="", response=unblocked(e.response)) for e in dataset.examples
        ),
        preferences=tuple(
            dataclasses.replace(p, instruction="", chosen=unblocked(p.chosen), rejected=unblocked(p.rejected))
            for p in dataset.preferences
        ),
    )


def asked_in_form(question: Question, answer: str) -> Question:
    """The question as a recipe's ``prompt.answer`` asks it.

    ``block``: one whose ground truth says what a right answer is asks for it in a block, those of other
    people's datasets included. ``free``: none does.
    """
    if answer == "free":
        return dataclasses.replace(
            question, instruction="", answer=question.answer and unblocked(question.answer)
        )
    if question.instruction or not gradable(question.ground_truth):
        return question
    return dataclasses.replace(question, instruction=instruction(question.ground_truth))


def _check(items: Sequence[Item]) -> None:
    splits = {split.value for split in Split}
    # Rollouts, evaluations and paired differences find an answer's question by its id.
    for name, count in Counter(item.id for item in items).items():
        if count > 1:
            raise DataError("data", f"{count} items have the id {name!r}", "every id once")
    for item in items:
        if item.split not in splits:
            raise DataError(f"data: item {item.id}", f"split {item.split!r}", choices=splits, name=item.split)


def in_split(dataset: Dataset, split: str) -> Dataset:
    """The part of a dataset that lies in one split."""
    return dataclasses.replace(
        dataset,
        questions=tuple(q for q in dataset.questions if q.split == split),
        examples=tuple(e for e in dataset.examples if e.split == split),
        preferences=tuple(p for p in dataset.preferences if p.split == split),
    )


def evaluation_questions(recipe: Recipe, dataset: Dataset) -> tuple[Question, ...]:
    """The questions that every evaluation of a run asks: drawn once, with the run's seed.

    Raises:
        DataError: the split that the recipe names holds no question.
    """
    if recipe.evaluation.questions == 0:
        return ()
    questions = in_split(dataset, recipe.evaluation.split).questions
    if not questions:
        counts = Counter(q.split for q in dataset.questions)
        raise DataError(
            "evaluation.split",
            f"no question lies in the split {recipe.evaluation.split!r}",
            f"one of those with questions: {dict(counts)}, or evaluation.questions: 0",
        )
    drawn = random.Random(recipe.seed).sample(questions, min(recipe.evaluation.questions, len(questions)))
    return tuple(sorted(drawn, key=lambda question: question.id))


def counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """How many questions, examples and preference pairs lie in each split."""
    tables: dict[str, Sequence[Any]] = {
        "questions": dataset.questions,
        "examples": dataset.examples,
        "preferences": dataset.preferences,
    }
    return {name: dict(sorted(Counter(i.split for i in items).items())) for name, items in tables.items()}
