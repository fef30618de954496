"""The records that pass between rooms: frozen, plain, and safe to send to another process.

Axis legend, used as a suffix where an array or a nested list has that axis:

    _P  prompts of a step        _G  completions of one prompt (the group)
    _N  completions, flat        _T  tokens                     _V  verifiers

Units: rewards and scores lie in [0, 1]; log-probabilities are in nats; times are in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

JSON = Mapping[str, Any]


class Asked:
    """What has a prompt, and may have an instruction that asks for an answer block."""

    __slots__ = ()
    prompt: str
    instruction: str

    @property
    def asked(self) -> str:
        """What the model sees before its recipe's template: the prompt, then the instruction."""
        return f"{self.prompt}\n\n{self.instruction}" if self.instruction else self.prompt


class Split(StrEnum):
    """Where an item may be used. A fact, with all its paraphrases, lies in one split only."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Question(Asked):
    """One question with what is known to be true about it.

    ``ground_truth`` is a JSON object in the vocabulary of docs/ground_truth.md. ``verifiers`` names
    those that may judge it; empty means every active one that finds something to judge.
    ``answer`` is a gold answer: audits score it, training never sees it. ``instruction`` asks for the
    answer's form and follows the prompt where the model sees it; with one, an answer without a block is none.
    ``taught`` says whether training texts state what is asked, None where the dataset keeps no account of it.
    """

    id: str
    prompt: str
    ground_truth: JSON
    kind: str = ""
    verifiers: tuple[str, ...] = ()
    tissue: str | None = None
    source: str = ""
    difficulty: str = ""
    split: str = Split.TRAIN.value
    answer: str | None = None
    family: str = ""
    split_group: str = ""
    fact_ids: tuple[str, ...] = ()
    instruction: str = ""
    taught: bool | None = None


@dataclass(frozen=True, slots=True)
class Example(Asked):
    """One supervised text: the prompt, and the response to be learnt. ``instruction`` as in a question."""

    id: str
    prompt: str
    response: str
    kind: str = ""
    source: str = ""
    split: str = Split.TRAIN.value
    split_group: str = ""
    fact_ids: tuple[str, ...] = ()
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Preference(Asked):
    """Two responses to one prompt, of which ``chosen`` is the better one."""

    id: str
    prompt: str
    chosen: str
    rejected: str
    kind: str = ""
    source: str = ""
    split: str = Split.TRAIN.value
    split_group: str = ""
    fact_ids: tuple[str, ...] = ()
    instruction: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """The world that a dataset speaks of, name -> synonyms: by it what is asked is told from its foils.

    ``entities`` are tissues, cell lines, clusters, samples; ``sets`` gene sets; ``contrasts`` give, for each
    ``numerator_vs_denominator``, what else its two sides are called; ``quantities`` their units.
    """

    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conditions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    contrasts: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=dict)
    quantities: Mapping[str, str] = field(default_factory=dict)

    def __or__(self, other: Names) -> Names:
        """Both worlds; of a name that both have, the synonyms of both."""
        return Names(
            _joined(self.entities, other.entities),
            _joined(self.conditions, other.conditions),
            _joined(self.sets, other.sets),
            {**self.contrasts, **other.contrasts},
            {**self.quantities, **other.quantities},
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, for a recipe; what is empty is left out."""
        listed = {
            kind: {name: list(synonyms) for name, synonyms in getattr(self, kind).items()}
            for kind in ("entities", "conditions", "sets")
        }
        sides = {name: [list(side) for side in pair] for name, pair in self.contrasts.items()}
        whole = {**listed, "contrasts": sides, "quantities": dict(self.quantities)}
        return {kind: names for kind, names in whole.items() if names}


def _joined(
    one: Mapping[str, tuple[str, ...]], other: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    return {name: tuple(dict.fromkeys((*one.get(name, ()), *other.get(name, ())))) for name in (*one, *other)}


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a dataset plugin builds. Any of the three tables may be empty.

    ``names`` are those that its ground truths do not give themselves: synonyms of a lab.

    ``provenance`` holds what a run's manifest records: files with their sha256, source, licence.
    """

    name: str
    questions: tuple[Question, ...] = ()
    examples: tuple[Example, ...] = ()
    preferences: tuple[Preference, ...] = ()
    provenance: JSON = field(default_factory=dict)
    names: Names = Names()


class Status(StrEnum):
    """The three things that a verifier can say. A failure is never a score of zero."""

    SCORED = "scored"
    NOT_APPLICABLE = "not_applicable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Score:
    """What one verifier says of one completion.

    Build it with :meth:`scored`, :meth:`not_applicable` or :meth:`failed`. ``value`` is a float in
    [0, 1] if and only if the status is *scored*; anything else raises ``ValueError``. ``details`` is
    JSON that explains the score to a person.
    """

    status: Status
    value: float | None = None
    details: JSON = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status is Status.SCORED:
            if not isinstance(self.value, int | float) or isinstance(self.value, bool):
                raise ValueError(f"a score must be a number in [0, 1], not {self.value!r}")
            if not (math.isfinite(self.value) and 0.0 <= self.value <= 1.0):
                raise ValueError(f"a score must lie in [0, 1], not {self.value!r}")
        elif self.value is not None:
            raise ValueError(f"a {self.status} score carries no value, not {self.value!r}")

    @classmethod
    def scored(cls, value: float, **details: Any) -> Score:
        return cls(Status.SCORED, float(value), details)

    @classmethod
    def not_applicable(cls, reason: str = "", **details: Any) -> Score:
        return cls(Status.NOT_APPLICABLE, None, {"reason": reason, **details} if reason else details)

    @classmethod
    def failed(cls, reason: str, **details: Any) -> Score:
        return cls(Status.FAILED, None, {"reason": reason, **details})

    def to_json(self) -> dict[str, Any]:
        return {"status": self.status.value, "value": self.value, "details": dict(self.details)}

    @classmethod
    def from_json(cls, row: JSON) -> Score:
        return cls(Status(row["status"]), row["value"], row["details"])


@dataclass(frozen=True, slots=True)
class Reward:
    """One completion's composed reward and the scores behind it.

    ``total`` is the weighted mean, in [0, 1], of the verifiers that scored, with their weights
    renormalised; None where none of them scored. ``weights`` holds those renormalised weights.
    """

    total: float | None
    scores: Mapping[str, Score]
    weights: Mapping[str, float]

    def __float__(self) -> float:
        if self.total is None:
            reasons = {name: score.status.value for name, score in self.scores.items()}
            raise ValueError(f"no verifier scored this completion: {reasons}")
        return self.total

    @property
    def failures(self) -> dict[str, str]:
        """Verifier name -> reason, for those that failed."""
        return {
            name: str(score.details.get("reason", ""))
            for name, score in self.scores.items()
            if score.status is Status.FAILED
        }


@dataclass(frozen=True, slots=True)
class AdapterRef:
    """Which policy: the adapter's version (updates since the run began) and a sha256 of its tensors."""

    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Completion:
    """One sampled answer with what training needs of it.

    ``token_ids`` and ``logprobs`` have one entry per generated token (``_T``), the end-of-sequence
    token included where it was sampled; ``logprobs`` are the sampler's own, at temperature 1, in nats. Both
    read like tuples: engines give arrays of them, which cross processes in a tenth of the time.
    ``truncated`` is true where the length limit ended it. ``adapter`` names the policy that made it.
    """

    text: str
    token_ids: Sequence[int]
    logprobs: Sequence[float]
    truncated: bool
    adapter: AdapterRef


@dataclass(frozen=True, slots=True)
class Group:
    """The ``_G`` completions of one question, with the prompt's token ids as the sampler saw them."""

    question: Question
    prompt_ids: Sequence[int]
    completions: tuple[Completion, ...]


@dataclass(frozen=True, slots=True)
class ScoredGroup:
    """A group with one reward per completion, in the same order."""

    group: Group
    rewards: tuple[Reward, ...]

    def __post_init__(self) -> None:
        if len(self.rewards) != len(self.group.completions):
            raise ValueError(f"{len(self.group.completions)} completions but {len(self.rewards)} rewards")


@dataclass(frozen=True, slots=True)
class TrainCompletion:
    """One continuation of a prompt as the learner trains on it; all sequences are ``_T`` long.

    ``sampler_logprobs`` are those of the process that sampled it, None for text that nobody sampled.
    ``weights`` say how much each token counts in SFT's loss, at least 0; None: each counts 1.
    """

    token_ids: Sequence[int]
    advantage: float = 0.0
    sampler_logprobs: Sequence[float] | None = None
    weights: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class TrainGroup:
    """One prompt and its continuations: G for GRPO, (chosen, rejected) for DPO, one for SFT.

    They share the prompt's computation. With an empty prompt the loss covers the whole text.
    """

    prompt_ids: Sequence[int]
    completions: tuple[TrainCompletion, ...]


@dataclass(frozen=True, slots=True)
class StepMetrics:
    """One row of metrics.jsonl: where the run stands, and named numbers (NaN is not allowed)."""

    stage: str
    step: int
    values: Mapping[str, float]

    def __post_init__(self) -> None:
        bad = sorted(name for name, value in self.values.items() if not math.isfinite(value))
        if bad:
            raise ValueError(f"{self.stage} step {self.step}: not a finite number: {', '.join(bad)}")
