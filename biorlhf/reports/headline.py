"""What stands on top of a report: four numbers, before and after, and what they say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from biorlhf.reports.run import Evaluation, RunReport, rows_of
from biorlhf.statistics.differences import Difference, Side, paired_differences
from biorlhf.statistics.intervals import Floats, Rate, bootstrap, cluster_index, share, weighted_mean
from biorlhf.statistics.paired import Answered, Row, answered, rates_of

GIVEN, DECLINED, CALIBRATION, REWARD = "given", "declined", "calibration", "reward"


@dataclass(frozen=True, slots=True)
class Tile:
    """One number of a run. ``before`` is None where there was one evaluation alone; ``mood`` is ``good``,
    ``bad``, ``noise`` or ``""`` (a change that is neither)."""

    key: str
    name: str
    before: Rate | None
    after: Rate | None
    difference: Difference | None
    verdict: str
    note: str = ""

    @property
    def mood(self) -> str:
        return {"better": "good", "worse": "bad", "inside noise": "noise", "too few questions": "noise"}.get(
            self.verdict, ""
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "name": self.name,
            "before": self.before.to_json() if self.before else None,
            "after": self.after.to_json() if self.after else None,
            "difference": self.difference.to_json() if self.difference else None,
            "verdict": self.verdict,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Known:
    """All that the words are written from. ``before`` and ``first`` are None without a second evaluation;
    ``taught`` is the first tile for the facts that were taught, where the questions say which they are."""

    run: RunReport
    last: Evaluation
    first: Evaluation | None
    tiles: Mapping[str, Tile]
    rows: tuple[Row, ...]
    before: Answered | None
    after: Answered | None
    taught: Tile | None


def part_of(evaluation: Evaluation | None, part: str) -> Answered | None:
    """The answers to one part of the questions (``taught``, ``untaught``); None without such a part."""
    reports = evaluation.reports if evaluation else {}
    return answered({name: report for name, report in reports.items() if name.endswith(f" ({part})")})


def known(run: RunReport) -> Known | None:
    """The four tiles and what stands behind them; None where nothing was evaluated."""
    if not run.evaluations:
        return None
    first, last = run.evaluations[0], run.evaluations[-1]
    several = len(run.evaluations) > 1
    after, before = answered(last.reports), answered(first.reports) if several else None
    rows = tuple(rows_of(run))
    tiles = [*_answer_tiles(before, after), _calibration(rows, last, several), _reward(rows, several)]
    start = first if several else None
    of_taught = part_of(last, "taught")
    taught = _answer_tiles(part_of(start, "taught"), of_taught)[0] if of_taught else None
    return Known(run, last, start, {tile.key: tile for tile in tiles}, rows, before, after, taught)


def asked(known: Known) -> str:
    """What the questions are, and how the numbers beside them are to be read."""
    kind = "training" if known.last.split == "train" else "held-out"
    taught = part_of(known.last, "taught")
    of_them = f", {len(taught.questions)} of them on facts that it was taught" if taught else ""
    return (
        f"{known.last.questions} {kind} questions{of_them}; brackets hold 95% intervals; "
        "inside noise: the interval of a difference holds zero"
    )


def _answer_tiles(before: Answered | None, after: Answered | None) -> list[Tile]:
    names = {GIVEN: "Right, of the answers given", DECLINED: "Questions declined"}
    if after is None:
        reason = "no evaluator of this run tells right from wrong"
        return [Tile(key, name, None, None, None, "", reason) for key, name in names.items()]
    differences: Mapping[str, Difference] = {}
    if before is not None:
        cluster_of = dict(zip(after.questions, after.clusters, strict=True))
        differences = paired_differences(_side(before), _side(after), cluster_of)
    rates = [_rates(side) if side else {} for side in (before, after)]
    notes = {GIVEN: _count_note(after, rates[1].get(GIVEN)), DECLINED: _declined_note(after)}
    return [
        Tile(
            key,
            name,
            rates[0].get(key),
            rates[1].get(key),
            differences.get(key),
            _verdict(key, differences.get(key)),
            notes[key],
        )
        for key, name in names.items()
    ]


def _side(known: Answered) -> Side:
    means = {GIVEN: weighted_mean(known.given), DECLINED: weighted_mean(known.abstained)}
    return Side(means, known.questions)


def _rates(known: Answered) -> dict[str, Rate]:
    columns = {GIVEN: known.given, DECLINED: known.abstained}
    rates = {key: _share(values_N, known.clusters) for key, values_N in columns.items()}
    return {key: rate for key, rate in rates.items() if rate is not None}


def _share(values_N: Floats, clusters: Sequence[str]) -> Rate | None:
    """A share of the answers that have a value: by Wilson where each is about something of its own, and with
    whole clusters drawn where several are about one thing."""
    kept_N = np.isfinite(values_N)
    own = [cluster for cluster, keep in zip(clusters, kept_N, strict=True) if keep]
    values_N = values_N[kept_N]
    if len(set(own)) == len(own):
        return share(int(values_N.sum()), len(own))
    return bootstrap({"": weighted_mean(values_N)}, cluster_index(own), {"": len(own)}).get("")


def _verdict(key: str, difference: Difference | None) -> str:
    # As any other row would say it; to decline more is in itself neither good nor bad.
    metric = "accuracy" if key == GIVEN else "declined"
    return Row("headline", metric, (), difference).verdict


def right(rate: Rate) -> int:
    """How many of the answers behind a share are right."""
    return round(rate.value * rate.n)


def rightly_declined(known: Answered) -> int:
    """How many of the questions that it declined cannot be answered from the data."""
    return int(((known.abstained > 0) & (known.correct > 0)).sum())


def _count_note(known: Answered, rate: Rate | None) -> str:
    if rate is None:
        return "no answer was given that can be judged"
    return f"{right(rate)} right of {rate.n} given; {len(known.questions)} asked"


def _declined_note(known: Answered) -> str:
    declined = int(known.abstained.sum())
    if not declined:
        return f"none of {len(known.questions)}"
    return f"{declined} of {len(known.questions)}; rightly {rightly_declined(known)}"


def _calibration(rows: tuple[Row, ...], last: Evaluation, several: bool) -> Tile:
    report = last.reports.get("calibration") or {}
    row = next((r for r in rows if (r.evaluator, r.metric) == ("calibration", "ece")), None)
    name = "Calibration error"
    if row is None or row.rates[-1] is None:
        stated = report.get("with_confidence", 0)
        return Tile(CALIBRATION, name, None, None, None, "", f"answers that state a confidence: {stated}")
    null = rates_of(report).get("null_ece")
    note = "gap of stated and right; less is better" + (f", chance gives {null.value:.3f}" if null else "")
    before = row.rates[0] if several else None
    return Tile(CALIBRATION, name, before, row.rates[-1], row.difference, row.verdict, note)


def _reward(rows: tuple[Row, ...], several: bool) -> Tile:
    row = next((r for r in rows if (r.evaluator, r.metric) == ("reward", "reward")), None)
    if row is None:
        return Tile(REWARD, "Reward", None, None, None, "", "no verifier scored")
    before = row.rates[0] if several else None
    return Tile(
        REWARD, "Reward", before, row.rates[-1], row.difference, row.verdict, "mean of all answers; 1 at most"
    )
