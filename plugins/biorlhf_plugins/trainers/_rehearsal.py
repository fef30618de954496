"""Texts of the dataset that are learnt again beside the policy's own answers, so that no fact is lost.

They are learnt up to their confidence: what is true, and not how sure the text is of it. With foreign figures
(see ``_foreign_figures``) a text that states one is learnt as sure, and with each of them as hardly right.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from biorlhf.errors import InputError
from biorlhf.stage import Learner
from biorlhf.types import Example, TrainGroup
from biorlhf_plugins.trainers._foreign_figures import About, figure_of, foreign
from biorlhf_plugins.trainers._stated import (
    EMPHASIS,
    SURE,
    UNSURE,
    StatedText,
    before_confidence,
    completions,
)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A training text up to its confidence, after its prompt; what it is about, and the figure it states."""

    prompt_ids: Sequence[int]
    text: str
    about: About
    figure: str | None


def rehearsals(learner: Learner, examples: Iterable[Example]) -> list[Rehearsal]:
    """The examples that state a confidence.

    Raises:
        InputError: none states one, so that nothing would be rehearsed.
    """
    cut = [(e, text) for e in examples if (text := before_confidence(e.response))]
    if not cut:
        raise InputError("rehearse", "no training text of the data states a confidence", "rehearse: 0")
    prompts = learner.tokenize([(e.asked, "") for e, _ in cut])
    return [
        Rehearsal(group.prompt_ids, text, _about(e), figure_of(text))
        for group, (e, text) in zip(prompts, cut, strict=True)
    ]


def _about(example: Example) -> About:
    return frozenset(part for fact in example.fact_ids for part in fact.split(":"))


def figures_of(texts: Iterable[Rehearsal]) -> dict[str, About]:
    """Every figure that a text states, with what its facts are about."""
    found: dict[str, About] = {}
    for text in texts:
        if text.figure is not None:
            found[text.figure] = found.get(text.figure, frozenset()) | text.about
    return found


def rehearsed(
    learner: Learner,
    texts: Sequence[Rehearsal],
    figures: Mapping[str, About],
    count: int,
    seed: int,
) -> list[TrainGroup]:
    """A group for each text: the text, and up to ``count`` foreign ``figures`` in it.

    The words of a text count 1, its confidence and those of its foreign figures together ``EMPHASIS`` each.
    """
    draw = random.Random(seed)
    made = [_with_foreign(text, figures, count, draw) for text in texts]
    learnt = iter(completions(learner, [one for group in made for one in group]))
    return [
        TrainGroup(text.prompt_ids, tuple(next(learnt) for _ in group))
        for text, group in zip(texts, made, strict=True)
    ]


def _with_foreign(
    text: Rehearsal, figures: Mapping[str, About], count: int, draw: random.Random
) -> list[StatedText]:
    wrong = foreign(text.text, text.about, figures, count, draw) if count else []
    if not wrong:
        return [StatedText(text.text, None, words=1.0)]
    right = StatedText(text.text, SURE, words=1.0, sure=EMPHASIS)
    return [right, *(StatedText(one, UNSURE, sure=EMPHASIS / len(wrong)) for one in wrong)]
