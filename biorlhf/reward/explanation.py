"""How one reward came about, for a person and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from biorlhf.types import Reward, Score, Status


@dataclass(frozen=True, slots=True)
class Part:
    """One verifier's part in a reward: ``share`` is its weight after renormalisation, 0 where it has none."""

    verifier: str
    weight: float
    share: float
    score: Score

    @property
    def contribution(self) -> float:
        return self.share * (self.score.value or 0.0)

    def to_json(self) -> dict[str, Any]:
        own = {"verifier": self.verifier, "weight": self.weight, "share": self.share}
        return {**own, "contribution": self.contribution, **self.score.to_json()}


@dataclass(frozen=True, slots=True)
class Explanation:
    """How one reward came about; ``str()`` of it is a table for a person."""

    total: float | None
    parts: tuple[Part, ...]

    def to_json(self) -> dict[str, Any]:
        return {"total": self.total, "parts": [part.to_json() for part in self.parts]}

    def __str__(self) -> str:
        width = max(len("verifier"), *(len(part.verifier) for part in self.parts))
        lines = [f"{'verifier':<{width}}  weight  share  value  share x value"]
        for part in self.parts:
            head = f"{part.verifier:<{width}}  {part.weight:6.3f}"
            reason = str(part.score.details.get("reason", ""))
            if part.score.status is Status.SCORED:
                line = f"{head}  {part.share:5.3f}  {part.score.value:5.3f}  {part.contribution:13.3f}"
                line += "  (its weight is 0)" if part.share == 0 else ""
            else:
                line = f"{head}      -      -              -  {part.score.status.value.replace('_', ' ')}"
            lines.append(f"{line}: {reason}" if reason else line)
        total = "none: no verifier scored" if self.total is None else f"{self.total:.3f}"
        lines.append(f"reward {total}")
        left_out = [part.verifier for part in self.parts if part.score.status is not Status.SCORED]
        if left_out and self.total is not None:
            lines.append(f"the weight of {', '.join(left_out)} is shared out among the others")
        return "\n".join(lines)


def explain(reward: Reward, weights: Mapping[str, float]) -> Explanation:
    """A reward's parts, in the order of ``weights`` (verifier -> weight before renormalisation)."""
    parts = (
        Part(name, weight, reward.weights.get(name, 0.0), reward.scores[name])
        for name, weight in weights.items()
        if name in reward.scores
    )
    return Explanation(reward.total, tuple(parts))


def spans(details: Any, label: str = "") -> Iterator[tuple[str, int, int]]:
    """Every ``span`` or ``where: [start, end]``, and ``spans: [[start, end], ..]``, in a score's details,
    however deep, with the outermost key that it stands under ("" for one that stands by itself)."""
    if isinstance(details, Mapping):
        for key, value in details.items():
            if key in ("span", "where") and _is_span(value):
                yield label, *value
            elif key == "spans" and isinstance(value, list | tuple):
                yield from ((label, *item) for item in value if _is_span(item))
            else:
                yield from spans(value, label or key)
    elif isinstance(details, list | tuple):
        for item in details:
            yield from spans(item, label)


def _is_span(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) == 2 and all(type(edge) is int for edge in value)
