"""What a run learnt and what it did not, in plain sentences: each says no more than its interval allows."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping

import numpy as np

from biorlhf.reports.headline import (
    CALIBRATION,
    DECLINED,
    GIVEN,
    REWARD,
    Known,
    part_of,
    right,
    rightly_declined,
)
from biorlhf.reports.run import RunReport
from biorlhf.reports.stages import StageChange, by_stage
from biorlhf.statistics.intervals import Rate
from biorlhf.statistics.paired import Row, rates_of

FEW = 20  # stated confidences below which nothing is said of what they mean


def paragraph(run: RunReport, known: Known | None) -> str:
    """The sentences as one paragraph."""
    return " ".join(sentences(run, known))


def sentences(run: RunReport, known: Known | None) -> list[str]:
    """Did it learn the facts? Does it know what it knows? What changed? What does it take to say more?"""
    if known is None:
        return [
            "Whether it learnt anything cannot be said: this run holds no evaluation. "
            "Set evaluation.questions above 0, or ask now: biorlhf evaluate RUN."
        ]
    if known.first is None and known.last.when == "start":
        return _untrained(run, known)
    return [_facts(known), " ".join(_doubt(known)), " ".join(_changed(run, known)), _missing(run, known)]


def _untrained(run: RunReport, known: Known) -> list[str]:
    """Of a run that was stopped before its first evaluation after a stage: no word of what training did."""
    rate = known.tiles[GIVEN].after
    now = (
        f" {right(rate)} of the {rate.n} answers that it gives are right "
        f"({rate.value:.0%}, 95% interval {rate.low:.0%} to {rate.high:.0%})."
        if rate
        else ""
    )
    return [
        f"Only the model before training has been asked, so this is no result of training.{now}",
        "To say what training did takes an evaluation after a stage. If the run was stopped: "
        f"biorlhf run --resume {shlex.quote(str(run.folder))}",
    ]


def _facts(known: Known) -> str:
    """By the facts that were taught, where the questions say which they are: nobody learns the others."""
    tile = known.tiles[GIVEN] if known.taught is None else known.taught
    if tile.after is None:
        return f"Whether it learnt the facts cannot be said: {tile.note}."
    of_them = " on them" if known.taught else ""
    now = f"{right(tile.after)} of the {tile.after.n} answers that it gives{of_them} are right"
    then = f"; before training {right(tile.before)} of {tile.before.n}" if tile.before else ""
    what = "the facts that it was taught" if known.taught else "the facts"
    if known.first is None:
        verdict = f"Whether training taught it {what} cannot be said, for nothing was asked before it"
    elif tile.difference is None or tile.verdict == "too few questions":
        verdict = f"Whether it learnt {what} cannot be said: too few questions were answered before and after"
    elif tile.verdict == "better":
        verdict = f"It learnt {'most' if tile.after.low > 0.5 else 'some'} of {what}"
    elif tile.verdict == "worse":
        verdict = (
            f"It answers worse than before, even on {what}"
            if known.taught
            else "It answers worse than before"
        )
    else:
        verdict = f"It did not learn {what}, as far as these questions can show"
    percent = f"{tile.after.value:.0%}, 95% interval {tile.after.low:.0%} to {tile.after.high:.0%}"
    return f"{verdict}: {now} ({percent}){then}.{_untaught(known)}{_constant(known)}{_by_abstaining(known)}"


def _untaught(known: Known) -> str:
    part = part_of(known.last, "untaught")
    if part is None:
        return ""
    given = part.given[np.isfinite(part.given)]
    return (
        f" Of {len(part.questions)} questions on facts that it was never taught it declines "
        f"{_count(int(part.abstained.sum()))} and answers {_count(int(given.sum()))} rightly."
    )


def _count(number: int) -> str:
    return str(number or "none")


def _constant(known: Known) -> str:
    """What someone who knows nothing reaches, beside what the model reaches."""
    earned = known.last.constant
    if isinstance(earned.get("reward"), Mapping) and isinstance(earned.get("model_minus_constant"), Mapping):
        base, gap = earned["reward"]["value"], earned["model_minus_constant"]
        beside = "inside noise" if gap["inside_noise"] else "beyond noise"
        return (
            f" Always giving the same answer, and knowing nothing, would earn a reward of {base:.2f}; "
            f"the model earns {_two(base + gap['value'])}, a difference {beside}."
        )
    best = rates_of(known.last.reports.get("question_answering") or {}).get("overall.best_constant.accuracy")
    return f" Always giving the commonest answer would be right in {best.value:.0%} of all." if best else ""


def _two(value: float) -> str:
    """Two decimals; nothing is ever minus zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def _by_abstaining(known: Known) -> str:
    gains = [
        f"{_short(row)} {row.difference.value:+.3f}"
        for row in _headlines(known)
        if row.caveat and row.difference
    ]
    if not gains:
        return ""
    return f" What rose ({', '.join(gains)}) rose by declining to answer, not by answers that are right."


def _doubt(known: Known) -> Iterator[str]:
    """Whether it is surer of what is right, what it states of what it was taught, and what it declines."""
    report = known.last.reports.get("calibration") or {}
    stated, rates = int(report.get("with_confidence") or 0), rates_of(report)
    auroc, mean = rates.get("auroc"), rates.get("mean_confidence")
    alike = report.get("distinct_confidences") == 1
    if stated < FEW:
        yield f"Whether it knows what it knows cannot be said: {stated} answers state a confidence, too few."
    elif alike and mean:
        yield f"It does not know what it knows: it states {mean.value:.0%} with every answer, right or wrong."
    elif auroc is None:
        yield "Whether it knows what it knows cannot be told where all answers are right, or all wrong."
    else:
        yield (
            f"{_knowledge(auroc)}: of a right and a wrong answer it is surer of the right one in "
            f"{auroc.value:.0%} of all pairs (95% interval {auroc.low:.0%} to {auroc.high:.0%}; chance 50%)."
            f"{_surer_half(rates)}"
        )
    if stated >= FEW:
        yield from _held(known, auroc, alike)
    if stated >= FEW:
        yield from _stated(known, rates, alike)
    tile = known.tiles[DECLINED]
    if known.after is not None and tile.after is not None:
        declined = int(known.after.abstained.sum())
        before = ""
        if tile.before:
            before = f" (before training {_count(right(tile.before))} of {tile.before.n})"
            before = ", as before training" if not declined and not tile.before.value else before
        rightly = f", {_count(rightly_declined(known.after))} of them rightly" if declined else ""
        yield f"It declines {_count(declined)} of the {tile.after.n} questions{before}{rightly}."


def _held(known: Known, stated: Rate | None, alike: bool) -> Iterator[str]:
    """Whether how likely it found its own answers tells right from wrong, as no stated figure need do."""
    rates = rates_of(known.last.reports.get("likelihood") or {})
    auroc, wrong = rates.get("auroc"), rates.get("surest_half_wrong")
    # Where it tells nothing there is nothing to say of it.
    if auroc is None or wrong is None or auroc.low <= 0.5:
        return
    more = alike or (stated is not None and stated.high < auroc.low)
    lead = (
        "It knows more than it states"
        if more
        else "How likely it found its answers tells right from wrong too"
    )
    yield (
        f"{lead}: of a right and a wrong answer it found the right one likelier in {auroc.value:.0%} of all "
        f"pairs (95% interval {auroc.low:.0%} to {auroc.high:.0%}; chance 50%). Of the likelier half of its "
        f"answers {1 - wrong.value:.0%} are right."
    )


def _surer_half(rates: Mapping[str, Rate]) -> str:
    wrong = rates.get("surest_half_wrong")
    return f" Of the surer half of its answers {1 - wrong.value:.0%} are right." if wrong else ""


def _knowledge(auroc: Rate) -> str:
    if auroc.low > 0.5:
        return "It knows in part what it knows"
    if auroc.high < 0.5:
        return "It is surer of what is wrong than of what is right"
    return "It does not know what it knows, as far as these answers show"


def _stated(known: Known, rates: Mapping[str, Rate], alike: bool) -> Iterator[str]:
    """What it states beside what is right: of facts taught, of facts that were not, and of all."""
    of = {
        part: rates_of(known.last.reports.get(f"calibration ({part})") or {})
        for part in ("taught", "untaught")
    }
    names = ("mean_confidence", "accuracy")
    (said, held), (said_else, held_else) = [[of[part].get(name) for name in names] for part in of]
    apart = rates.get("taught_minus_untaught")
    if not alike and said and held and said_else and held_else and apart:
        # A difference whose interval holds zero is no knowledge of what it knows.
        noise = "beyond noise" if apart.low > 0 or apart.high < 0 else "inside noise"
        yield (
            f"On facts that it was taught it states {said.value:.0%} and {held.value:.0%} are right, on the "
            f"others it states {said_else.value:.0%} and {held_else.value:.0%} are right; what it states "
            f"differs {noise}."
        )
    mean, accuracy, gap = (rates.get(name) for name in ("mean_confidence", "accuracy", "confidence_gap"))
    if mean and accuracy and gap:
        word = "the gap may be chance"
        if gap.low > 0 or gap.high < 0:
            word = "it is too sure" if gap.value > 0 else "it is too unsure"
        yield f"On average it states {mean.value:.0%}, and {accuracy.value:.0%} are right: {word}."


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
        "balanced accuracy": "balanced accuracy (questions with few answers to choose from)",
        "brier": "Brier score",
        "ece": "calibration error",
    }.get(last, last)


def _changed(run: RunReport, known: Known) -> Iterator[str]:
    if known.first is None:
        yield "Nothing can be compared: there is one evaluation."
        return
    rows = [row for row in _headlines(known) if row.difference is not None]
    if not rows:
        yield "Nothing can be compared: the evaluations hold no single answers."
        return
    few = [row for row in rows if row.difference and row.difference.is_too_few]
    noise = [row for row in rows if row.difference and row.difference.is_noise and row not in few]
    said = [f"{_short(row)} {row.verdict}{_ends(row)}" for row in rows if row not in [*few, *noise]]
    yield f"From before training to its end, beyond noise: {', '.join(said) or 'none of the main numbers'}."
    if noise:
        yield f"Inside noise: {', '.join(f'{_short(row)}{_ends(row)}' for row in noise)}."
    if few:
        yield f"Too few questions to say: {', '.join(map(_short, few))}."
    if len(known.run.evaluations) > 2:
        stages = [f"{change.name}: {_of_stage(change)}" for change in by_stage(run)]
        yield f"Stage by stage, of reward, accuracy and confidence: {'; '.join(stages)}."


def _ends(row: Row) -> str:
    first, last = row.rates[0], row.rates[-1]
    return f" ({first.value:.2f} → {last.value:.2f})" if first and last else ""


def _of_stage(change: StageChange) -> str:
    moved = change.moved
    return ", ".join(
        f"{name} {moved[name]}" for name in ("reward", "accuracy", "confidence") if name in moved
    ) or ("nothing beyond noise")


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
            f"more questions ({known.last.questions} find a true change of {seen[0][0]:.2f} in {seen[0][1]} "
            f"four times out of five, and four times as many one of half that)"
        )
    if known.tiles[CALIBRATION].after is None:
        parts.append("answers that state a confidence")
    parts.append("runs with other seeds, for one run cannot say how they differ")
    return f"To say more takes {'; '.join(parts)}."
