"""RewardComposer: one number from several verifiers, and nothing lost on the way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from biorlhf import plugins
from biorlhf.errors import InputError
from biorlhf.hookspecs import Verifier
from biorlhf.types import JSON, Question, Reward, Score, Status


class RewardComposer:
    """Scores a completion with every active verifier and takes the weighted mean of those that apply.

    ::

        composer = RewardComposer(active_verifiers=["V1", "V4"], weights={"V1": 0.6, "V4": 0.4})
        float(composer.score(question, response, ground_truth))

    Args:
        active_verifiers: names or aliases. None: all that are installed.
        weights: name or alias -> weight, finite and >= 0, at least one > 0. None: equal weights.
            Every active verifier needs one.
        configs: name or alias -> a verifier's own settings.
        catalogue: where names are looked up; this process's plugins by default.

    The weight of a verifier that does not apply to a question, or failed on a completion, is shared
    out among the others in proportion: w_i / sum of w over those that scored.

    Raises:
        InputError: an unknown name, one named twice, or weights that are negative, missing or all zero.
    """

    def __init__(
        self,
        active_verifiers: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
        *,
        configs: Mapping[str, Mapping[str, Any]] | None = None,
        catalogue: plugins.Catalogue | None = None,
    ) -> None:
        catalogue = catalogue or plugins.catalogue()
        if active_verifiers is None:
            active_verifiers = [entry.record.name for entry in catalogue.of_kind("verifier")]
        names = [catalogue.get("verifier", n, where="active_verifiers").record.name for n in active_verifiers]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated or not names:
            raise InputError("active_verifiers", f"named twice: {repeated}" if repeated else "an empty list")
        self.weights = _check_weights(names, _by_name(catalogue, weights, "weights"))
        settings = _by_name(catalogue, configs, "configs") or {}
        self.verifiers: dict[str, Verifier] = {
            name: catalogue.build("verifier", name, dict(settings.get(name, {})), where=f"configs.{name}")
            for name in names
        }

    def score(
        self,
        question: Question | str,
        response: str,
        ground_truth: JSON | None = None,
        *,
        verifiers: Sequence[str] = (),
    ) -> Reward:
        """The reward of one completion.

        Args:
            question: a Question, or a prompt's text with ``ground_truth`` beside it.
            response: the completion's text.
            ground_truth: a JSON object, in the vocabulary of docs/ground_truth.md.
            verifiers: names of those that may judge it; empty: all active ones.
        """
        if isinstance(question, str):
            question = Question("", question, dict(ground_truth or {}), verifiers=tuple(verifiers))
        return self.compose({name: self.score_one(name, question, response) for name in self.verifiers})

    def score_one(self, name: str, question: Question, response: str) -> Score:
        """One verifier's score. Whatever the verifier raises becomes a *failed* score with its reason."""
        if question.verifiers and name not in question.verifiers:
            return Score.not_applicable("the question does not ask for it")
        try:
            score = self.verifiers[name].score(question, response)
        except Exception as error:  # a failure is recorded with its reason, counted, and never a zero
            return Score.failed(f"{type(error).__name__}: {error}")
        if not isinstance(score, Score):
            return Score.failed(f"returned {type(score).__name__} where a Score was expected")
        return score

    def compose(self, scores: Mapping[str, Score]) -> Reward:
        """Weighted mean over the verifiers that scored, with their weights renormalised."""
        used = {
            name: self.weights[name]
            for name, score in scores.items()
            if score.status is Status.SCORED and self.weights[name] > 0
        }
        whole = math.fsum(used.values())
        shares = {name: weight / whole for name, weight in used.items()}
        total = math.fsum(share * (scores[name].value or 0.0) for name, share in shares.items())
        return Reward(min(1.0, total) if used else None, dict(scores), shares)


def _by_name(
    catalogue: plugins.Catalogue, table: Mapping[str, Any] | None, where: str
) -> dict[str, Any] | None:
    if table is None:
        return None
    named: dict[str, Any] = {}
    for key, value in table.items():
        name = catalogue.get("verifier", key, where=where).record.name
        if name in named:
            raise InputError(where, f"{key!r} names {name!r}, which stands there already")
        named[name] = value
    return named


def _check_weights(names: Sequence[str], weights: Mapping[str, float] | None) -> dict[str, float]:
    if weights is None:
        return {name: 1.0 / len(names) for name in names}
    for name in names:
        if name not in weights:
            raise InputError("weights", f"no weight for the active verifier {name!r}", choices=names)
    for name, weight in weights.items():
        if name not in names:
            raise InputError("weights", f"a weight for {name!r}, which is not active", choices=names)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise InputError(f"weights.{name}", f"{weight!r}", "a finite number, 0 or more")
        if weight < 0:
            raise InputError(f"weights.{name}", f"a negative weight: {weight}", "0 or more")
    if not any(weights[name] > 0 for name in names):
        raise InputError("weights", "all weights are zero", "at least one above zero")
    return {name: float(weights[name]) for name in names}
