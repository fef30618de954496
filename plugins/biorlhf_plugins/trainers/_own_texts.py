"""SFT texts from the policy's own answers: how sure to be, and what was right.

G answers to one question are sampled; the share of them that is right estimates the probability of being
right, p. Each is learnt from its confidence on, with p in place of what it states: a wrong answer becomes a
text that says how little it is worth, and teaches no error. A right one is learnt up to its confidence
besides, so that what is known stays known.

Weights: the confidences of a group count 1 together, and so do its right answers where it has any, or the
two tokens of a confidence would hardly be learnt beside forty. Its right answers with foreign figures (see
``_foreign_figures``) count as much as the confidences of the right ones. Answers of a group share their
prompt's computation, and equal ones their own.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from biorlhf.errors import InputError
from biorlhf.stage import Learner
from biorlhf.types import Completion, Example, ScoredGroup, TrainCompletion, TrainGroup
from biorlhf_plugins.trainers._foreign_figures import figure_of, foreign
from biorlhf_plugins.trainers._rollout_metrics import stated_and_correct

_CONFIDENCE = re.compile(r"^confidence:[ \t]*", re.IGNORECASE | re.MULTILINE)
#: Confidences are stated in steps of five, as SFT texts do.
STEP = 5


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """A whole answer that can be judged: what it states, and whether it is right (1 or 0)."""

    completion: Completion
    confidence: float | None
    correct: int


def judged_answers(scored: ScoredGroup) -> list[JudgedAnswer]:
    """The answers of a group that are whole and can be judged; one that was cut is no example of anything."""
    return [
        JudgedAnswer(completion, pair[0], int(pair[1]))
        for completion, reward in zip(scored.group.completions, scored.rewards, strict=True)
        if (pair := stated_and_correct(reward)) and completion.token_ids and not completion.truncated
    ]


def expected(answers: Sequence[JudgedAnswer]) -> float:
    """p as so few answers allow to expect it: (k + 1/2) / (G + 1) of k right ones, the mean under Jeffreys'
    prior. Two of two make no 100 %."""
    return (math.fsum(answer.correct for answer in answers) + 0.5) / (len(answers) + 1)


@dataclass(frozen=True, slots=True)
class OwnText:
    """An answer up to its confidence, the confidence to state, the share of its group that gave it, and its
    share of the group's right answers (both 0 to 1; 0: it is wrong)."""

    answer: str
    confidence: str
    share: float
    share_of_right: float


def own_texts(scored: ScoredGroup) -> list[OwnText]:
    """The different answers of a group that have a line for the confidence."""
    answers = judged_answers(scored)
    if not answers:
        return []
    said = f"{STEP * round(100 * expected(answers) / STEP)}%"
    given: Counter[tuple[str, bool]] = Counter()
    for answer in answers:
        text = answer.completion.text
        if found := list(_CONFIDENCE.finditer(text)):
            given[text[: found[-1].end()], answer.correct == 1] += 1
    right_ones = sum(n for (_, right), n in given.items() if right)
    return [
        OwnText(text, said, n / len(answers), n / right_ones if right else 0.0)
        for (text, right), n in given.items()
    ]


def with_foreign(groups: Sequence[list[OwnText]], count: int, draw: random.Random) -> Iterator[list[OwnText]]:
    """Each group's texts, and for each right one up to ``count`` with figures of the other groups."""
    figures = {f for texts in groups for text in texts if (f := figure_of(text.answer))}
    for texts in groups:
        yield [
            *texts,
            *(
                wrong
                for text in texts
                if text.share_of_right
                for wrong in _foreign(text, figures, count, draw)
            ),
        ]


def _foreign(text: OwnText, figures: Iterable[str], count: int, draw: random.Random) -> list[OwnText]:
    answers = foreign(text.answer, figures, count, draw)
    return [OwnText(answer, f"{STEP}%", text.share / len(answers), 0.0) for answer in answers]


def train_groups(
    learner: Learner, groups: Iterable[ScoredGroup], *, foreign_figures: int, seed: int
) -> list[TrainGroup]:
    """The answers of each group as the learner trains on them; a group without any is left out."""
    own = [(scored.group.prompt_ids, made) for scored in groups if (made := own_texts(scored))]
    widened = with_foreign([made for _, made in own], foreign_figures, random.Random(seed))
    texts = [(prompt_ids, made) for (prompt_ids, _), made in zip(own, widened, strict=True)]
    flat = [text for _, made in texts for text in made]
    whole = _tokens(learner, [text.answer + text.confidence for text in flat])
    ends = _ends(learner, [text.answer for text in flat], whole)
    completions = iter(
        TrainCompletion(ids, weights=_weights(text, end, len(ids)))
        for text, ids, end in zip(flat, whole, ends, strict=True)
    )
    return [TrainGroup(prompt_ids, tuple(islice(completions, len(made)))) for prompt_ids, made in texts]


def _weights(text: OwnText, end: int, tokens: int) -> list[float]:
    return [text.share_of_right / end] * end + [text.share / (tokens - end)] * (tokens - end)


def rehearsed(learner: Learner, examples: Sequence[Example]) -> list[TrainGroup]:
    """Examples up to the confidence that they state: what is true, and not how sure the text is of it.

    Raises:
        InputError: none states one, so that nothing would be rehearsed.
    """
    cut = [(e, found[-1].end()) for e in examples if (found := list(_CONFIDENCE.finditer(e.response)))]
    if not cut:
        raise InputError("rehearse", "no training text of the data states a confidence", "rehearse: 0")
    groups = learner.tokenize([(e.asked, e.response) for e, _ in cut])
    whole = [group.completions[0].token_ids for group in groups]
    ends = _ends(learner, [e.response[:end] for e, end in cut], whole)
    return [
        TrainGroup(group.prompt_ids, (TrainCompletion(ids[:end], weights=[1 / end] * end),))
        for group, ids, end in zip(groups, whole, ends, strict=True)
    ]


def _ends(learner: Learner, before: Sequence[str], whole: Sequence[Sequence[int]]) -> list[int]:
    """How many tokens of each text come before its figure."""
    # Tokens may reach over the place where the figure begins: what another ending shares is before it.
    other = _tokens(learner, [text + "x" for text in before])
    return [
        next(n for n, (a, b) in enumerate(zip(ids, others, strict=False)) if a != b)
        for ids, others in zip(whole, other, strict=True)
    ]


def _tokens(learner: Learner, responses: Sequence[str]) -> list[Sequence[int]]:
    return [group.completions[0].token_ids for group in learner.tokenize([("", text) for text in responses])]
