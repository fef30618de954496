"""A draft written out: question, training text and preference pair, in the wording of its split.

With ``taught: 0.5`` half of the training groups are stated by texts and pairs, GRPO asks about all of them,
and the test asks, in its own wordings, for about as many taught facts as facts never taught.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from biorlhf.ground_truth import block, gold_answer, instruction
from biorlhf.types import Example, Preference, Question
from biorlhf_plugins.datasets.tables.config import LabConfig
from biorlhf_plugins.datasets.tables.drafts import KINDS, WORDINGS, Budget, Draft
from biorlhf_plugins.datasets.tables.phrases import capital
from biorlhf_plugins.datasets.tables.slots import SPLITS, TEST, TRAIN, Slots, limits_of
from biorlhf_plugins.making.parquet import Made

CHOICES = ("UP", "DOWN", "NS")


def bits_of(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big")


@dataclass(frozen=True, slots=True)
class Teaching:
    """What is taught where a lab asks for a part: ``share`` of the training groups, of whose drafts
    ``again`` come back in the test; ``budget`` is what of those the limits allow."""

    seed: int
    share: float
    again: float
    budget: Budget

    @classmethod
    def of(cls, config: LabConfig, slots: Slots) -> Teaching | None:
        """None where everything is taught."""
        if config.taught is None:
            return None
        train, test = (int(np.count_nonzero(slots.kept & (slots.split == part))) for part in (TRAIN, TEST))
        # As many as the test has of facts never taught.
        again = min(1.0, test / max(1.0, train * config.taught))
        return cls(config.seed, config.taught, again, Budget(limits_of(config)))

    def states(self, draft: Draft) -> bool:
        """Whether training texts may state all that the draft is about."""
        return all(_drawn(f"{self.seed}|taught|{row.group}") < self.share for row in draft.rows)

    def asks_again(self, draft: Draft) -> bool:
        """Whether the test asks for a taught draft, too; what cannot be answered was never a fact."""
        drawn = _drawn(f"{self.seed}|again|{draft.slot}") < self.again
        return drawn and not draft.unanswerable and self.budget.takes(draft.family, TEST)


def _drawn(text: str) -> float:
    """A number in [0, 1), by hash."""
    return float(bits_of(text) / 2**48)


def made(config: LabConfig, draft: Draft, teaching: Teaching | None = None) -> Iterator[Made]:
    """The draft in its split, and its training text in as many wordings as the lab asks for."""
    for item in _in_splits(config, draft, teaching):
        yield item
        if item.example is not None and item.example.split == SPLITS[TRAIN]:
            yield from _restated(config, draft, item.example)


def _restated(config: LabConfig, draft: Draft, example: Example) -> Iterator[Made]:
    """The same text under the question's other wordings."""
    for turn in range(1, min(config.wordings, len(WORDINGS[draft.wording][TRAIN]))):
        asked = replace(example, id=f"{example.id}:{turn + 1}", prompt=_prompt(draft, TRAIN, turn)[0])
        yield Made(example=asked)


def _prompt(draft: Draft, split: int, turn: int = 0) -> tuple[str, int]:
    """The question in its wording, or ``turn`` wordings after it, and which one that is."""
    wordings = WORDINGS[draft.wording][split]
    wording = (draft.bits // 1_000 + turn) % len(wordings)
    return wordings[wording].format(**{**draft.rows[0].words, **draft.words}), wording


def _in_splits(config: LabConfig, draft: Draft, teaching: Teaching | None) -> Iterator[Made]:
    """What a test asks of taught facts comes twice, again in other words."""
    own = draft.rows[0].split
    if teaching is not None:
        stated = own == TRAIN and teaching.states(draft)
        yield _written(config, draft, own, taught=stated)
        if stated and teaching.asks_again(draft):
            yield _written(config, draft, TEST, recalled=True, taught=True)
        return
    splits = dict.fromkeys((TRAIN, own)) if config.split == "paraphrase" else (own,)
    for split in splits:
        yield _written(config, draft, split, recalled=len(splits) > 1 and split != TRAIN)


def _written(
    config: LabConfig, draft: Draft, split: int, *, recalled: bool = False, taught: bool | None = None
) -> Made:
    row, bits = draft.rows[0], draft.bits
    prompt, wording = _prompt(draft, split)
    confidence = draft.levels[bits // 10_000 % len(draft.levels)]
    answered = draft.gold[0] if split == TRAIN else draft.gold[1]
    gold, asked = _asked(draft)
    answer = f"{capital(answered)}.\n{block(gold, confidence)}"
    name = f"{config.name}:{draft.slot}" + (":recall" if recalled else "")
    common: dict[str, Any] = {
        "source": row.spec.file, "split": SPLITS[split],
        "split_group": "+".join(dict.fromkeys(each.group for each in draft.rows)),
        "fact_ids": tuple(f"{config.name}:{each.key}" for each in draft.rows),
        "instruction": asked,
    }  # fmt: skip
    question = Question(
        id=name, prompt=prompt, ground_truth=draft.truth, answer=answer, tissue=row.tissue,
        kind=KINDS["not_tested" if draft.unanswerable else draft.family], difficulty=draft.difficulty,
        family=draft.shown_family, taught=taught, **common,
    )  # fmt: skip
    details = _details(config, draft, f"{draft.wording}:{SPLITS[split]}:{wording}")
    if split == TEST or recalled or taught is False:
        return Made(question, None, None, details)
    kind = draft.shown_family
    example = Example(id=f"{name}:sft", prompt=prompt, response=answer, kind=kind, **common)
    preference = None
    if draft.wrong is not None:
        said, stated = draft.wrong
        rejected = f"{capital(said[0 if split == TRAIN else 1])}.\n{block(stated, confidence)}"
        preference = Preference(
            id=f"{name}:dpo", prompt=prompt, chosen=answer, rejected=rejected, kind=kind, **common
        )
    return Made(question, example, preference, details)


def _asked(draft: Draft) -> tuple[str, str]:
    """The gold behind "Answer:", and the instruction. Of a direction and of yes or no, both are the same for
    all names of a contrast, and a lab's tables have very many."""
    truth = draft.truth
    if draft.family in ("direction", "false_premise", "enrichment") and "choices" not in truth:
        return _asked_alike(
            str(truth.get("answer")), "", truth.get("answerable", True), str(truth.get("form"))
        )
    if draft.family == "direction":
        return _asked_alike(str(truth.get("direction")), truth["contrast"], truth["answerable"], "direction")
    return gold_answer(truth), instruction(truth)


@functools.cache
def _asked_alike(value: str, contrast: str, answerable: bool, form: str) -> tuple[str, str]:
    truth: dict[str, Any] = {"answer": value}
    if contrast:
        truth = {"pathway": "a", "direction": value, "contrast": contrast, "choices": list(CHOICES)}
    if not answerable:
        truth = {"answerable": False, "form": form, **({} if not contrast else {
            "contrast": contrast, "choices": list(CHOICES)})}  # fmt: skip
    return gold_answer(truth), instruction(truth)


def _details(config: LabConfig, draft: Draft, template: str) -> dict[str, Any]:
    row = draft.rows[0]
    direction = draft.truth.get("direction")
    return {
        "template_id": template, "condition": row.condition or None, "mission": row.mission or None,
        "pathway": row.id, "db": row.db or None, "direction": direction, "expected_value": direction,
        "contrast_numerator": row.spec.contrast.numerator,
        "contrast_denominator": row.spec.contrast.denominator,
        "padj_threshold": row.spec.thresholds.padj, "source_sha256": row.at.one.sha256,
        "licence": config.licence,
    }  # fmt: skip
