"""What a run learnt and what it did not, in plain sentences: each says no more than its interval allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from biorlhf.reports.headline import (
    CALIBRATION,
    DECLINED,
    GIVEN,
    REWARD,
    Known,
    Tile,
    right,
    rightly_declined,
)
from biorlhf.reports.run import RunReport, show
from biorlhf.statistics.paired import Row, answered, rates_of

FEW = 20  # stated confidences below which nothing is said of what they mean


def paragraph(run: RunReport, known: Known | None) -> str:
    """Did it learn the facts? Does it know what it does not know? What changed, and what is missing?"""
    if known is None:
        return (
            "Whether it learnt anything cannot be said: this run holds no evaluation. "
            "Set evaluation.questions above 0, or ask now: biorlhf evaluate RUN."
        )
    return " ".join([_facts(known), _limits(known), _changed(known), _missing(run, known)])


def _facts(known: Known) -> str:
    tile = known.tiles[GIVEN]
    if tile.after is None:
        return f"Whether it learnt the facts cannot be said: {tile.note}."
    now = f"{right(tile.after)} of the {tile.after.n} answers that it gives are right ({_percent(tile)})"
    then = f"; before training {right(tile.before)} of {tile.before.n}" if tile.before else ""
    difference = tile.difference
    if known.first is None:
        verdict = "Whether training did that cannot be said, for nothing was asked before it"
    elif difference is None or tile.verdict == "too few questions":
        verdict = (
            "Whether it learnt the facts cannot be said: too few questions were answered before and after"
        )
    elif tile.verdict == "better":
        amount = "most of the facts" if tile.after.low > 0.5 else "some of the facts"
        verdict = f"It learnt {amount}"
    elif tile.verdict == "worse":
        verdict = "It answers worse than before"
    else:
        verdict = "It did not learn the facts, as far as these questions can show"
    return f"{verdict}: {now}{then}.{_constant(known)}{_by_abstaining(known)}"


def _percent(tile: Tile) -> str:
    assert tile.after is not None
    return f"{tile.after.value:.0%}, 95 % interval {tile.after.low:.0%} to {tile.after.high:.0%}"


def _constant(known: Known) -> str:
    """What someone who knows nothing reaches, beside what the model reaches."""
    earned = known.last.constant
    if isinstance(earned.get("reward"), Mapping) and isinstance(earned.get("model_minus_constant"), Mapping):
        gap = earned["model_minus_constant"]
        more = "more" if gap["value"] > 0 else "less"
        noise = ", inside noise" if gap["inside_noise"] else ""
        return (
            f" The best constant answer would earn a reward of {earned['reward']['value']:.2f}; "
            f"the model earns {abs(gap['value']):.2f} {more}{noise}."
        )
    best = rates_of(known.last.reports.get("question_answering") or {}).get("overall.best_constant.accuracy")
    return f" Always giving the commonest answer would be right in {best.value:.0%} of all." if best else ""


def _taught(known: Known) -> str:
    """Taught and untaught facts apart, where the questions say which they are."""
    sides = {
        part: answered({k: v for k, v in known.last.reports.items() if k.endswith(f" ({part})")})
        for part in ("taught", "untaught")
    }
    parts = []
    if (taught := sides["taught"]) is not None:
        given = taught.given[np.isfinite(taught.given)]
        parts.append(
            f"of the facts that it was taught, {int(given.sum())} of {len(given)} answers are right and "
            f"{taught.abstained.mean():.0%} are declined"
        )
    if (untaught := sides["untaught"]) is not None:
        parts.append(f"of those that it was not taught, it declines {untaught.abstained.mean():.0%}")
    return "; ".join([*parts, *_stated_apart(known)])


def _stated_apart(known: Known) -> Iterator[str]:
    """How sure it says it is of what it was taught and of what not, and what its surer half is worth."""
    reports = known.last.reports
    of = {part: rates_of(reports.get(f"calibration ({part})") or {}) for part in ("taught", "untaught")}
    whole = rates_of(reports.get("calibration") or {})
    stated = [of[part].get("mean_confidence") for part in ("taught", "untaught")]
    gap, half = whole.get("taught_minus_untaught"), whole.get("surest_half_wrong")
    if stated[0] is None or stated[1] is None or gap is None:
        return
    # A difference whose interval holds zero is no knowledge of what it knows.
    noise = "" if gap.low > 0 or gap.high < 0 else ", inside noise"
    yield (
        f"it states {stated[0].value:.0%} on what it was taught and {stated[1].value:.0%} on what it was not "
        f"(difference {show(gap)}{noise})"
    )
    if half is not None:
        yield f"of the surer half of its answers, {1 - half.value:.0%} are right"


def _by_abstaining(known: Known) -> str:
    gains = [
        f"{_short(row)} {row.difference.value:+.3f}"
        for row in _headlines(known)
        if row.caveat and row.difference
    ]
    if not gains:
        return ""
    return f" What rose ({', '.join(gains)}) rose by declining to answer, not by answers that are right."


def _limits(known: Known) -> str:
    tile = known.tiles[DECLINED]
    parts = [text] if (text := _taught(known)) else []
    if known.after is not None and tile.after is not None:
        before = f" (before {tile.before.value:.0%})" if tile.before else ""
        amount = f"{tile.after.value:.0%}" if tile.after.value else "none"
        parts.append(f"it declines {amount} of the questions{before}")
        if declined := int(known.after.abstained.sum()):
            parts[-1] += (
                f", and {rightly_declined(known.after)} of those {declined} cannot be answered indeed"
            )
    report = known.last.reports.get("calibration") or {}
    stated, rates = int(report.get("with_confidence") or 0), rates_of(report)
    auroc, gap = rates.get("auroc"), rates.get("confidence_gap")
    if stated < FEW:
        parts.append(f"{stated} answers state a confidence: too few to say whether it means anything")
    elif auroc is None:
        parts.append(
            "whether its confidence means anything cannot be told where all answers are right, or all wrong"
        )
    elif auroc.low > 0.5:
        parts.append(f"the surer it says it is, the more often it is right (AUROC {show(auroc)})")
    else:
        parts.append(f"its confidence does not tell right answers from wrong ones (AUROC {show(auroc)})")
    if stated >= FEW and gap is not None and (gap.low > 0 or gap.high < 0):
        word = "sure" if gap.value > 0 else "unsure"
        parts.append(f"on average it is too {word} by {abs(gap.value):.0%}")
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _headlines(known: Known) -> list[Row]:
    wanted = {
        ("reward", "reward"),
        ("question_answering", "overall.accuracy"),
        ("question_answering", "overall.balanced_accuracy"),
        ("calibration", "brier"),
        ("calibration", "ece"),
    }
    return [row for row in known.rows if (row.evaluator, row.metric) in wanted]


def _short(row: Row) -> str:
    last = row.metric.rpartition(".")[2].replace("_", " ")
    return {
        "accuracy": "accuracy over all questions",
        "brier": "Brier score",
        "ece": "calibration error",
    }.get(last, last)


def _changed(known: Known) -> str:
    compared = [row for row in known.rows if row.difference is not None]
    if known.first is None:
        return "Nothing can be compared: there is one evaluation."
    if not compared:
        return "Nothing can be compared: the evaluations hold no single answers."
    outside = [row for row in _headlines(known) if row.difference is not None and not row.difference.is_noise]
    noise = [row for row in _headlines(known) if row.difference is not None and row.difference.is_noise]
    said = [f"{_short(row)} {row.verdict}" for row in outside]
    beyond = sum(row.difference is not None and not row.difference.is_noise for row in compared)
    parts = [
        f"beyond noise changed: {', '.join(said)}"
        if said
        else "none of the main numbers changed beyond noise"
    ]
    if noise:
        parts.append(f"inside noise: {', '.join(_short(row) for row in noise)}")
    chance = max(1, round(len(compared) / 20))
    parts.append(f"of all {len(compared)} numbers {beyond} did, where about {chance} would by chance")
    sentence = "; ".join(parts)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _missing(run: RunReport, known: Known) -> str:
    parts = []
    if not run.finished:
        parts.append("the rest of the run, which is not complete")
    if known.first is None:
        parts.append("an evaluation before training")
    named = ((known.tiles[GIVEN].difference, "right answers"), (known.tiles[REWARD].difference, "reward"))
    # Where every answer came out alike, resampling says nothing of what could be seen.
    seen = [(d.detectable, name) for d, name in named if d is not None and d.detectable >= 0.005]
    if seen:
        parts.append(
            f"questions: these {known.last.questions} show a change of {seen[0][0]:.2f} or more in "
            f"{seen[0][1]} four times out of five, and to halve that takes four times as many"
        )
    if known.tiles[CALIBRATION].after is None:
        parts.append("answers that state a confidence")
    parts.append("another seed, of which one run says nothing")
    return f"To say more takes {'; '.join(parts)}."
