"""Balanced labels, and the accuracy that a constant answer would reach."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from biorlhf.types import Question
from biorlhf_plugins.making.items import Item

TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class Rule:
    """How UP and DOWN (or two verdicts) are balanced within one tissue and split.

    Attributes:
        tolerance: |UP - DOWN| may be this share of UP + DOWN.
        alone: how many are kept of one where the other is missing; None: all.
        others: at least so many that are not significant or mixed are kept, or as many as of UP or DOWN.
    """

    tolerance: float
    alone: int | None
    others: int


#: Where only one direction is there, a constant answer would be right: such a tissue is not asked.
GENERATED = Rule(TOLERANCE, alone=0, others=2)
#: Two verdicts of one alone stay, so that the form of the question is met at all.
VERDICTS = Rule(TOLERANCE, alone=2, others=2)
#: A lab's own tables: as many of each; what has one direction alone is kept, and named as an exception.
OWN_TABLES = Rule(0.0, alone=None, others=1)


def label(ground_truth: Mapping[str, object]) -> str:
    """What a constant answer has to hit: a direction, or whether several agree; "" where neither is asked."""
    agree = ground_truth.get("is_consistent")
    # Asked mission by mission, agreement is what a constant could guess.
    if "missions" in ground_truth:
        agree = ground_truth.get("direction") != "MIXED"
    if agree is not None:
        return "CONSISTENT" if agree else "INCONSISTENT"
    return str(ground_truth.get("direction", ""))


def balanced(items: Iterable[Item], seed: int) -> list[Item]:
    """Items with UP and DOWN within ten percent of each other, per family and tissue.

    |UP - DOWN| <= 0.1 (UP + DOWN). What is over is dropped by a hash of its slot. NS and MIXED are each kept
    up to the larger of both (at least two). Where a tissue has only one of UP and DOWN, neither is asked: a
    constant would be right. Consistent and inconsistent are balanced alike, but two stay of one alone.
    """
    grouped: dict[tuple[str, str], dict[str, dict[str, list[Item]]]] = defaultdict(lambda: defaultdict(dict))
    chosen: list[Item] = []
    for item in items:
        name = label(item.ground_truth)
        if not name:
            chosen.append(item)
            continue
        # Wordings of one slot stay together: slots are counted, not items. The families that share a frame
        # (direction, not significant, mixed) are balanced as one.
        frame = item.family in _ONE_FRAME and not name.endswith("CONSISTENT")
        members = grouped["consensus" if frame else item.family, item.tissue or ""][name]
        members.setdefault(item.slot, []).append(item)
    for _, by_label in sorted(grouped.items()):
        most = limits({name: len(members) for name, members in by_label.items()})
        for name, members in by_label.items():
            # By hash: what is dropped must not depend on the order in which items were made.
            order = sorted(members, key=lambda slot: hashlib.sha256(f"{seed}|{slot}".encode()).digest())
            chosen += [item for slot in order[: most[name]] for item in members[slot]]
    return chosen


def uneven(questions: Iterable[Question]) -> list[str]:
    """The splits and tissues in which UP and DOWN differ by more than ten percent, with their counts."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for question in questions:
        if question.tissue:
            counts[question.split, question.tissue][label(question.ground_truth)] += 1
    return [
        f"{split}, {tissue}: {labels['UP']} UP, {labels['DOWN']} DOWN"
        for (split, tissue), labels in sorted(counts.items())
        if abs(labels["UP"] - labels["DOWN"]) > TOLERANCE * (labels["UP"] + labels["DOWN"])
    ]


_ONE_FRAME = ("direction", "not_significant", "uncertainty")


def limits(sizes: Mapping[str, int], rule: Rule = GENERATED) -> dict[str, int]:
    """Label -> how many of it may be kept, where ``sizes`` are there."""
    most = _pair(sizes, "UP", "DOWN", rule) | _pair(sizes, "CONSISTENT", "INCONSISTENT", VERDICTS)
    decided = max(min(sizes.get(name, 0), most[name]) for name in ("UP", "DOWN"))
    others = max(rule.others, decided)
    return most | {"NS": others, "MIXED": others, "NOT TESTED": max(1, decided // 4)}


def _pair(sizes: Mapping[str, int], one: str, two: str, rule: Rule) -> dict[str, int]:
    few, many = sorted((sizes.get(one, 0), sizes.get(two, 0)))
    if few:
        # many <= few (1 + t) / (1 - t) is |many - few| <= t (many + few)
        most = int(few * (1 + rule.tolerance) / (1 - rule.tolerance))
    else:
        most = many if rule.alone is None else rule.alone
    return {one: most, two: most}


def best_constant(questions: Sequence[Question]) -> dict[str, dict[str, object]]:
    """Split -> the most frequent label, its share and the number of labelled questions.

    Directions and agreement are two answer spaces: ``train`` and ``train (agreement)``.
    """
    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for question in questions:
        name = label(question.ground_truth)
        if name:
            space = " (agreement)" if name.endswith("CONSISTENT") else ""
            labels[question.split + space][name] += 1
    report: dict[str, dict[str, object]] = {}
    for split, counts in sorted(labels.items()):
        # Ties go by name, so that two builds report the same constant.
        answer, hits = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        total = sum(counts.values())
        report[split] = {
            "answer": answer,
            "accuracy": round(hits / total, 4),
            "n": total,
            "labels": dict(counts),
        }
    return report
