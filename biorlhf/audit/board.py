"""Auditing verifiers: every item against its gold answer, and against attacks that must not pay.

For each item, verifier and attack:

    bound = best score of the abstentions + EPSILON     for an attack that must not beat an abstention
    bound = score of the gold answer - margin           for a near miss, which must not beat the gold

A bound exists only where the verifier scores what it is taken from. A near miss is held against a
verifier only where it can tell the gold answer from an abstention by more than the margin, for one
that does not judge truth (internal consistency, say) cannot see the miss. A verifier that *fails* on an
attack is beaten too: what is left out of a reward no longer counts against it.

The row "reward" is the composed reward, which weights and applicability can make worse than any part.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from biorlhf.audit.attacks import Attack, AttackFile
from biorlhf.audit.constants import Constant, best_constants
from biorlhf.audit.items import placeholders, pool
from biorlhf.errors import InputError
from biorlhf.ground_truth import block, gold_answer, instruction
from biorlhf.ground_truth.forms import gradable, unblocked
from biorlhf.reward import RewardComposer
from biorlhf.scoring.pool import Pair, ScorerPool
from biorlhf.types import Question, Reward, Score, Status

EPSILON = 1e-6
GOLD_AT_LEAST = 0.95
EXAMPLES = 3
SHOWN_CHARS = 300
REWARD = "reward"
GOLD, ABSTENTION = "gold answer", "abstention"


@dataclass(frozen=True, slots=True)
class Finding:
    """One text that scored what it must not: ``value`` None where the verifier failed, with ``reason``."""

    id: str
    text: str
    value: float | None
    bound: float
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("id", "text", "value", "bound", "reason")}


@dataclass(slots=True)
class Cell:
    """One attack against one verifier: over ``n`` scored texts their mean, least and greatest score.

    ``held`` counts the texts that had a bound, ``beaten`` those of them that broke it.
    """

    attack: str
    verifier: str
    n: int = 0
    total: float = 0.0
    least: float = 1.0
    most: float = 0.0
    held: int = 0
    beaten: int = 0
    failed: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def mean(self) -> float | None:
        return self.total / self.n if self.n else None

    def to_json(self) -> dict[str, Any]:
        return {
            "attack": self.attack,
            "verifier": self.verifier,
            "n": self.n,
            "mean": self.mean,
            "min": self.least if self.n else None,
            "max": self.most if self.n else None,
            "held": self.held,
            "beaten": self.beaten,
            "failed": self.failed,
            "examples": [finding.to_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What an audit found. ``cells`` holds the gold answers first, then abstentions, then each attack.

    ``judged`` names the rows that decide: the verifiers, and "reward" where its weights were chosen.
    ``constants`` are the best constant answers of each form of question, beside the honest guess.
    """

    items: int
    without_gold: int
    judged: tuple[str, ...]
    cells: tuple[Cell, ...]
    constants: tuple[Constant, ...] = ()

    @property
    def paying(self) -> tuple[Constant, ...]:
        """The constants that earn more than an honest guess."""
        return tuple(one for one in self.constants if one.verifier in self.judged and one.pays)

    @property
    def beaten(self) -> tuple[Cell, ...]:
        """The cells that break a bound."""
        return tuple(cell for cell in self.cells if cell.verifier in self.judged and cell.beaten)

    @property
    def ok(self) -> bool:
        return not self.beaten and not self.paying

    def to_json(self) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "items": self.items,
            "without_gold": self.without_gold,
            "judged": list(self.judged),
            "cells": [cell.to_json() for cell in self.cells],
            "constants": [one.to_json() for one in self.constants],
        }


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """``limit``: at most so many items, drawn with ``seed``. ``judge_reward``: let "reward" decide too.
    ``forms``: how each item is asked, for a block or freely."""

    limit: int | None = None
    seed: int = 0
    judge_reward: bool = False
    forms: tuple[str, ...] = ("free", "block")


def audit(
    questions: Sequence[Question],
    composer: RewardComposer | ScorerPool,
    attacks: AttackFile,
    options: AuditOptions = AuditOptions(),
    on_item: Callable[[], None] = lambda: None,
) -> AuditReport:
    """Run every attack on every item.

    Args:
        questions: the items, with ``ground_truth`` and, for the gold answer, ``answer``.
        composer: scores in this process, or a pool of isolated scorers.
        attacks: from :func:`biorlhf.audit.attacks.load`.
        options: sampling, and what decides.
        on_item: called after each item.

    Raises:
        InputError: no items, or no attacks.
    """
    if not questions or not (attacks.attacks and attacks.abstentions):
        raise InputError("audit", "nothing to audit", "at least one question, one attack and one abstention")
    # Of all items, not of those drawn: rivals and places come from the whole dataset.
    dataset = pool(questions)
    chosen = list(questions)
    # Drawn and not the first ones: a dataset may stand sorted by kind.
    random.Random(options.seed).shuffle(chosen)
    chosen = chosen[: options.limit]
    board = _Board(tuple(composer.weights))
    waiting: list[list[_Trial]] = []
    asked = [variant for item in enumerate(chosen) for variant in _variants(*item, options.forms)]

    def batches() -> Iterator[list[Pair]]:
        for number, question in asked:
            trials = _trials(question, attacks, placeholders(question, dataset), number)
            waiting.append(trials)
            yield [(question, trial.text) for trial in trials]

    done = -1
    for (number, question), rewards in zip(asked, _rewards(composer, batches()), strict=False):
        board.add(question, waiting.pop(0), rewards)
        # An item that is asked freely and for a block counts once.
        if number != done:
            on_item()
        done = number
    judged = tuple(composer.weights) + ((REWARD,) if options.judge_reward else ())
    without_gold = sum(question.answer is None for question in chosen)
    # Cells come into being as texts are scored; the report keeps the file's order.
    order = {name: place for place, name in enumerate((GOLD, ABSTENTION, *(a.name for a in attacks.attacks)))}
    cells = sorted(board.cells.values(), key=lambda cell: order[cell.attack])
    in_blocks = [question for _, question in asked if question.instruction]
    constants = best_constants(in_blocks, lambda pairs: _rewards(composer, pairs))
    return AuditReport(len(chosen), without_gold, judged, tuple(cells), tuple(constants))


def _variants(number: int, question: Question, forms: Collection[str]) -> list[tuple[int, Question]]:
    """An item as it is asked freely, and for a block; freely alone where nothing says what is right."""
    variants = []
    if "free" in forms or not gradable(question.ground_truth):
        free = replace(question, instruction="", answer=question.answer and unblocked(question.answer))
        variants.append((number, free))
    if "block" in forms and gradable(question.ground_truth):
        form = instruction(question.ground_truth)
        variants.append((number, replace(question, instruction=form, answer=_in_block(question))))
    return variants


def _in_block(question: Question) -> str | None:
    """The gold answer with its block; one is added where a dataset's own gold is prose alone."""
    if question.answer is None or unblocked(question.answer) != question.answer:
        return question.answer
    return f"{question.answer}\n{block(gold_answer(question.ground_truth), 90)}"


@dataclass(frozen=True, slots=True)
class _Trial:
    text: str
    attack: Attack | None
    name: str


def _trials(
    question: Question, attacks: AttackFile, known: dict[str, tuple[str, ...]], number: int
) -> list[_Trial]:
    answerable = question.ground_truth.get("answerable", True) is not False
    trials = [_Trial(question.answer, None, GOLD)] if question.answer is not None else []
    form = "block" if question.instruction else "free"
    abstentions = attacks.block_abstentions if question.instruction else attacks.abstentions
    trials += [_Trial(text, None, ABSTENTION) for text in abstentions]
    for attack in attacks.attacks:
        if attack.answer == form and attack.applies(answerable, number):
            trials += [_Trial(text, attack, attack.name) for text in attack.fill(known)]
    return trials


def _rewards(
    composer: RewardComposer | ScorerPool, batches: Iterable[Sequence[Pair]]
) -> Iterator[list[Reward]]:
    if isinstance(composer, RewardComposer):
        return ([composer.score(*pair) for pair in batch] for batch in batches)
    return composer.map(batches)


class _Board:
    """The scoreboard while it is filled."""

    def __init__(self, verifiers: tuple[str, ...]) -> None:
        self.verifiers = verifiers
        self.cells: dict[tuple[str, str], Cell] = {}

    def add(self, question: Question, trials: Sequence[_Trial], rewards: Sequence[Reward]) -> None:
        for verifier in (*self.verifiers, REWARD):
            scores = [_score(reward, verifier) for reward in rewards]
            scored = [
                (trial.name, score.value)
                for trial, score in zip(trials, scores, strict=True)
                if score.value is not None
            ]
            gold = next((value for name, value in scored if name == GOLD), None)
            abstained = [value for name, value in scored if name == ABSTENTION]
            abstention = max(abstained) if abstained else None
            for trial, score in zip(trials, scores, strict=True):
                bound = _bound(trial, verifier, gold, abstention)
                self._count(question, trial, verifier, score, bound)

    def _count(
        self, question: Question, trial: _Trial, verifier: str, score: Score, bound: float | None
    ) -> None:
        if score.status is Status.NOT_APPLICABLE:
            return
        key = (trial.name, verifier)
        cell = self.cells.setdefault(key, Cell(*key))
        if score.status is Status.FAILED:
            cell.failed += 1
        else:
            value = score.value or 0.0
            cell.n += 1
            cell.total += value
            cell.least, cell.most = min(cell.least, value), max(cell.most, value)
        cell.held += bound is not None
        beats = score.status is Status.FAILED or (bound is not None and _breaks(trial, score, bound))
        if beats:
            cell.beaten += 1
            reason = str(score.details.get("reason", ""))
            finding = Finding(question.id, trial.text[:SHOWN_CHARS], score.value, bound or 0.0, reason)
            if len(cell.findings) < EXAMPLES:
                cell.findings.append(finding)


def _breaks(trial: _Trial, score: Score, bound: float) -> bool:
    value = score.value or 0.0
    return value < bound if trial.name == GOLD else value > bound


def _score(reward: Reward, verifier: str) -> Score:
    if verifier != REWARD:
        return reward.scores[verifier]
    return Score.not_applicable() if reward.total is None else Score.scored(reward.total)


def _bound(trial: _Trial, verifier: str, gold: float | None, abstention: float | None) -> float | None:
    """The most that a text may score (for the gold answer: the least), None where nothing bounds it."""
    if trial.name == GOLD:
        return None if verifier == REWARD else GOLD_AT_LEAST
    attack = trial.attack
    if attack is None or (attack.verifiers is not None and verifier not in (*attack.verifiers, REWARD)):
        return None
    if attack.must_not_beat == "abstention":
        return None if abstention is None else abstention + EPSILON
    tells_apart = gold is not None and (
        attack.where == "unanswerable" or (abstention is not None and abstention < gold - attack.margin)
    )
    return gold - attack.margin if gold is not None and tells_apart else None


__all__ = ["AuditOptions", "AuditReport", "Cell", "Finding", "audit"]
