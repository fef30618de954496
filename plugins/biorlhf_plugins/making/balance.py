"""Balanced labels, and the accuracy that a constant answer would reach."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from biorlhf.types import Question
from biorlhf_plugins.making.items import Item

TOLERANCE = 0.1


def label(ground_truth: Mapping[str, object]) -> str:
    """What a constant answer has to hit: a direction, or whether several agree; "" where neither is asked."""
    agree = ground_truth.get("is_consistent")
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
    kept: list[Item] = []
    for item in items:
        name = label(item.ground_truth)
        if not name:
            kept.append(item)
            continue
        # Wordings of one slot stay together: slots are counted, not items. The families that share a frame
        # (direction, not significant, mixed) are balanced as one.
        frame = item.family in _ONE_FRAME and not name.endswith("CONSISTENT")
        members = grouped["consensus" if frame else item.family, item.tissue or ""][name]
        members.setdefault(item.slot, []).append(item)
    for _, by_label in sorted(grouped.items()):
        limits = _limits({name: len(members) for name, members in by_label.items()})
        for name, members in by_label.items():
            order = sorted(members, key=lambda slot: hashlib.sha256(f"{seed}|{slot}".encode()).digest())
            kept += [item for slot in order[: limits[name]] for item in members[slot]]
    return kept


def uneven(questions: Iterable[Question]) -> list[str]:
    """The splits and tissues in which UP and DOWN differ by more than ten percent, with their counts."""
    counts: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for question in questions:
        if question.tissue:
            counts[question.split, question.tissue][label(question.ground_truth)] += 1
    return [
        f"{split}, {tissue}: {found['UP']} UP, {found['DOWN']} DOWN"
        for (split, tissue), found in sorted(counts.items())
        if abs(found["UP"] - found["DOWN"]) > TOLERANCE * (found["UP"] + found["DOWN"])
    ]


_ONE_FRAME = ("direction", "not_significant", "uncertainty")
_PAIRS = (("UP", "DOWN"), ("CONSISTENT", "INCONSISTENT"))


def _limits(sizes: Mapping[str, int]) -> dict[str, int]:
    limits = {}
    for (one, two), alone in zip(_PAIRS, (0, 2), strict=True):
        few = min(sizes.get(one, 0), sizes.get(two, 0))
        # many <= few (1 + t) / (1 - t) is |many - few| <= t (many + few)
        limits[one] = limits[two] = int(few * (1 + TOLERANCE) / (1 - TOLERANCE)) if few else alone
    decided = max(min(sizes.get(name, 0), limits[name]) for name in ("UP", "DOWN"))
    return limits | dict.fromkeys(("NS", "MIXED"), max(2, decided))


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
        answer, hits = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        total = sum(counts.values())
        report[split] = {
            "answer": answer,
            "accuracy": round(hits / total, 4),
            "n": total,
            "labels": dict(counts),
        }
    return report
