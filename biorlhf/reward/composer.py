"""RewardComposer: one number from several verifiers, and nothing lost on the way."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from biorlhf import plugins
from biorlhf.errors import BiorlhfError, FailureBudgetExceeded, InputError, PluginError
from biorlhf.hookspecs import Verifier
from biorlhf.reward.explanation import Explanation, explain
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
        on_build: called with a verifier's name before it is built.

    The weight of a verifier that does not apply to a question, or failed on a completion, is shared
    out among the others in proportion: w_i / sum of w over those that scored.

    Raises:
        InputError: an unknown name, one named twice, weights that are negative, missing or all zero, or
            weights under which a deliberately wrong answer pays (see ``_refuse_paid_wrong_answers``).
    """

    def __init__(
        self,
        active_verifiers: Sequence[str] | None = None,
        weights: Mapping[str, float] | None = None,
        *,
        configs: Mapping[str, Mapping[str, Any]] | None = None,
        catalogue: plugins.Catalogue | None = None,
        on_build: Callable[[str], None] = lambda name: None,
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
        self.verifiers: dict[str, Verifier] = {}
        for name in names:
            on_build(name)
            self.verifiers[name] = _build(catalogue, name, dict(settings.get(name, {})))
        self._catalogue = catalogue
        self._asked_cache: dict[tuple[str, ...], frozenset[str]] = {}
        # Only a built verifier says which confidence rule it follows: its settings decide.
        _refuse_paid_wrong_answers(self.verifiers, self.weights)

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
        if question.verifiers and name not in self._asked(question.verifiers):
            return Score.not_applicable("the question does not ask for it")
        try:
            score = self.verifiers[name].score(question, response)
            if isinstance(score, Score):
                Score.__post_init__(score)  # one that was made around the constructor is checked as well
        except (Exception, SystemExit) as error:  # recorded with its reason, counted, and never a zero
            return Score.failed(f"{type(error).__name__}: {error}")
        if not isinstance(score, Score):
            return Score.failed(f"returned {type(score).__name__} where a Score was expected")
        return score

    def compose(self, scores: Mapping[str, Score]) -> Reward:
        """Weighted mean over the verifiers that scored, with their weights renormalised."""
        return compose(scores, self.weights)

    def explain(
        self,
        question: Question | str,
        response: str,
        ground_truth: JSON | None = None,
        *,
        verifiers: Sequence[str] = (),
    ) -> Explanation:
        """How the reward of one completion comes about; print it, or read its parts."""
        return explain(self.score(question, response, ground_truth, verifiers=verifiers), self.weights)

    def _asked(self, names: tuple[str, ...]) -> frozenset[str]:
        """A question's own list of verifiers, by name; ``InputError`` where one does not exist."""
        verifiers = self._asked_cache.get(names)
        if verifiers is None:
            entries = (self._catalogue.get("verifier", name, where="question.verifiers") for name in names)
            verifiers = self._asked_cache[names] = frozenset(entry.record.name for entry in entries)
        return verifiers


def compose(scores: Mapping[str, Score], weights: Mapping[str, float]) -> Reward:
    """Weighted mean over the verifiers that scored: sum of w_i s_i / sum of w_i over those."""
    # A verifier of weight 0 is scored and reported, and must not make an answer count as rewarded.
    used = {
        name: weights[name]
        for name, score in scores.items()
        if score.status is Status.SCORED and weights[name] > 0
    }
    # fsum: the order of the verifiers must not change the last digit.
    whole = math.fsum(used.values())
    shares = {name: weight / whole for name, weight in used.items()}
    total = math.fsum(share * (scores[name].value or 0.0) for name, share in shares.items())
    # Rounded shares can add up to a little more than one.
    return Reward(min(1.0, total) if used else None, dict(scores), shares)


class FailureBudget:
    """Counts failed scores over a run, and stops it where a verifier fails too often.

    A verifier may fail on at most ``share`` of the completions that it judges (scored + failed). The
    first ``minimum`` completions count as that many, so that one failure among the first few stops
    nothing: up to ``share * minimum`` failures are always allowed. With a share of 0 the first stops.
    """

    REASONS = 3

    def __init__(self, share: float, minimum: int = 100) -> None:
        self.share, self.minimum = share, minimum
        self._counts: dict[str, Counter[str]] = {}
        self._reasons: dict[str, list[str]] = {}

    def resume(self, counts: Mapping[str, Mapping[str, int]]) -> None:
        """Go on from what was counted before: verifier -> status -> completions."""
        self._counts = {name: Counter(statuses) for name, statuses in counts.items()}

    def add(self, rewards: Iterable[Reward]) -> None:
        """Count these; raises ``FailureBudgetExceeded`` where the budget of a verifier is spent."""
        for reward in rewards:
            for name, score in reward.scores.items():
                self._counts.setdefault(name, Counter())[score.status.value] += 1
            for name, reason in reward.failures.items():
                reasons = self._reasons.setdefault(name, [])
                if len(reasons) < self.REASONS and reason not in reasons:
                    reasons.append(reason)
        for name, counts in self._counts.items():
            # Not applicable is no judgement: a verifier for rare questions would otherwise never use up its
            # budget.
            failed, judged = counts["failed"], counts["failed"] + counts["scored"]
            if failed > self.share * max(judged, self.minimum):
                raise FailureBudgetExceeded(
                    f"the verifier {name!r} failed on {failed} of {judged} completions; "
                    f"the budget is {self.share:.1%} (scorer.failure_budget)\n"
                    + "\n".join(
                        f"  {reason}"
                        for reason in self._reasons.get(name, ["the reasons are those of before"])
                    )
                )

    def summary(self) -> dict[str, dict[str, Any]]:
        """Verifier -> counts by status, and the first distinct reasons of its failures."""
        return {
            name: {
                **{status.value: counts[status.value] for status in Status},
                "reasons": list(self._reasons.get(name, [])),
            }
            for name, counts in self._counts.items()
        }


def _build(catalogue: plugins.Catalogue, name: str, settings: dict[str, Any]) -> Verifier:
    where = f"configs.{name}"
    try:
        verifier: Verifier = catalogue.build("verifier", name, settings, where=where)
        return verifier
    except BiorlhfError:
        raise
    except (Exception, SystemExit) as error:  # a third party's build() may raise anything: say whose it was
        origin = catalogue.get("verifier", name).provenance
        reason = f"the verifier {name!r} of {origin} could not be built: {type(error).__name__}: {error}"
        raise PluginError(where, reason) from error


def _by_name(
    catalogue: plugins.Catalogue, values: Mapping[str, Any] | None, where: str
) -> dict[str, Any] | None:
    if values is None:
        return None
    named: dict[str, Any] = {}
    for key, value in values.items():
        # Aliases first become names: "V1" and "factual" are one verifier, and two weights for it contradict
        # each other.
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
        # YAML's "true" is an int to Python.
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not math.isfinite(weight):
            raise InputError(f"weights.{name}", f"{weight!r}", "a finite number, 0 or more")
        if weight < 0:
            raise InputError(f"weights.{name}", f"a negative weight: {weight}", "0 or more")
    if not any(weights[name] > 0 for name in names):
        raise InputError("weights", "all weights are zero", "at least one above zero")
    return {name: float(weights[name]) for name in names}


def _refuse_paid_wrong_answers(verifiers: Mapping[str, Verifier], weights: Mapping[str, float]) -> None:
    """Refuse weights under which a wrong answer, given on purpose, pays.

    A verifier of stated confidence may declare two attributes: ``correctness_from``, the names of the
    verifiers that say what is correct, and ``needs_correctness_weight``, r: each of those must weigh at
    least r times as much as it does. r is 1 for a Brier score 1 - (q - c)^2, where "wrong, and I know it"
    (c = 0, q = 0) earns all of its weight b: an honest answer that is right with probability p earns
    a p + b (1 - p (1 - p)) at best, which is b or more for every p if and only if a >= b. r is 0 for
    (1 + c - (q - c)^2) / 2, whose honest optimum b (1 + p^2) / 2 never falls below the b / 2 of that answer.
    Each verifier is checked by itself, for on some questions only one of them applies; renormalising the
    weights does not change their ratio.
    """
    for name, verifier in verifiers.items():
        ratio = float(getattr(verifier, "needs_correctness_weight", 0.0))
        if ratio <= 0 or weights[name] == 0:
            continue
        judges = [judge for judge in getattr(verifier, "correctness_from", ()) if judge in verifiers]
        if not judges:
            raise InputError(
                "weights",
                f"{name!r} pays {weights[name]:g} for a wrong answer given with a confidence of 0, "
                "and no verifier of correctness is active",
                hint=_BOUNDED_HINT,
            )
        for judge in judges:
            a, b = weights[judge], weights[name]
            if a < ratio * b:
                share, pays = a / (a + b), b / (a + b)
                raise InputError(
                    f"weights.{judge}",
                    f"{a:g} for {judge!r} and {b:g} for {name!r}. On a question that only these judge\n"
                    f"  they become {share:.3f} and {pays:.3f}: a wrong answer given on purpose, with a\n"
                    f"  confidence of 0, earns {pays:.3f}, more than an honest answer that is right\n"
                    f"  with a probability below {1 - a / (ratio * b):.3f}",
                    f"a weight of at least {ratio * b:g} for {judge!r}",
                    hint=_BOUNDED_HINT,
                )


_BOUNDED_HINT = "or use the bounded rule, (1 + c - (q - c)^2) / 2, under which a wrong answer never pays"
