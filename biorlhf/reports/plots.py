"""Line charts and reliability diagrams as SVG text, small enough to stand in a page. Nothing is drawn
that was not measured: no smoothing, and every point of a reliability diagram carries its interval."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

# Okabe & Ito's colours, which people with any colour vision can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
SPARKS = "▁▂▃▄▅▆▇█"

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Frame:
    """A plot's area in pixels, and the data's range that is mapped onto it."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int = 460
    height: int = 240
    left: int = 52
    top: int = 12
    bottom: int = 36

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        inner = self.height - self.top - self.bottom
        return self.left + across * (self.width - self.left - 12), self.top + (1 - up) * inner


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten) that lie within [low, high]."""
    span = high - low
    if not span > 0:
        return [low]
    raw = span / about
    power = 10 ** math.floor(math.log10(raw))
    # 1e-9: a span that is a round number must not jump to the next step by its rounding.
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def line_chart(
    curves: Mapping[str, Points], *, x_label: str = "step", marks: Sequence[tuple[float, str]] = ()
) -> str:
    """Curves by name; ``marks`` are vertical lines with a label (where a stage begins)."""
    points = [point for curve in curves.values() for point in curve]
    low, high = min(y for _, y in points), max(y for _, y in points)
    # A curve that does not vary still needs a height.
    pad = (high - low) * 0.05 or abs(high) * 0.05 or 0.5
    frame = Frame((min(x for x, _ in points), max(x for x, _ in points)), (low - pad, high + pad))
    parts = [_axes(frame, x_label, "")]
    for x, label in marks:
        if not frame.x[0] <= x <= frame.x[1]:
            continue
        left, top = frame.at(x, frame.y[1])
        _, bottom = frame.at(x, frame.y[0])
        parts.append(_line(left, top, left, bottom, "mark"))
        parts.append(_text(left + 4, top + 10, label, "small"))
    for number, curve in enumerate(curves.values()):
        colour = COLOURS[number % len(COLOURS)]
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.at(*point) for point in curve))
        parts.append(f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        # A dot shows where a value was measured; more of them would hide the line.
        if len(curve) <= 40:
            parts += [_dot(*frame.at(*point), colour) for point in curve]
    return _svg(frame, parts) + _legend(list(curves))


def reliability_diagram(series: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Accuracy against stated confidence per bin, with intervals; the diagonal is perfect calibration.

    Args:
        series: name -> rows ``{"confidence", "accuracy": {"value", "low", "high", "n"}}``.
    """
    frame = Frame((0.0, 1.0), (0.0, 1.0), width=340, height=320)
    parts = [_axes(frame, "stated confidence", "share that is right")]
    parts.append(_line(*frame.at(0, 0), *frame.at(1, 1), "diagonal"))
    for number, rows in enumerate(series.values()):
        colour = COLOURS[number % len(COLOURS)]
        for row in rows:
            accuracy = row["accuracy"]
            x, y = frame.at(row["confidence"], accuracy["value"])
            # Series are set beside each other by a few pixels, so that no interval hides another.
            x += (number - (len(series) - 1) / 2) * 5
            _, low = frame.at(row["confidence"], accuracy["low"])
            _, high = frame.at(row["confidence"], accuracy["high"])
            parts.append(
                f'<line x1="{x:.1f}" y1="{low:.1f}" x2="{x:.1f}" y2="{high:.1f}" stroke="{colour}"/>'
            )
            parts.append(_dot(x, y, colour, 3.5, f"n = {accuracy['n']}"))
    return _svg(frame, parts) + _legend(list(series))


def interval_bar(value: float, low: float, high: float, colour: str = COLOURS[0]) -> str:
    """A rate in [0, 1] as a dot on its interval, for a table's cell."""
    places = [4 + 92 * min(1.0, max(0.0, x)) for x in (low, high, value)]
    return (
        '<svg class="bar" width="100" height="12" viewBox="0 0 100 12" role="img">'
        '<line x1="4" y1="6" x2="96" y2="6" class="grid"/>'
        f'<line x1="{places[0]:.1f}" y1="6" x2="{places[1]:.1f}" y2="6" stroke="{colour}" stroke-width="3"/>'
        f"{_dot(places[2], 6, colour, 3.5)}</svg>"
    )


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """Values as a line of blocks for a terminal; more values than ``width`` are averaged in runs."""
    if not values:
        return ""
    if len(values) > width:
        edges = [round(i * len(values) / width) for i in range(width + 1)]
        values = [sum(values[a:b]) / (b - a) for a, b in itertools.pairwise(edges)]
    low, high = min(values), max(values)
    scale = (len(SPARKS) - 1) / (high - low) if high > low else 0.0
    return "".join(SPARKS[round((value - low) * scale)] for value in values)


def _axes(frame: Frame, x_label: str, y_label: str) -> str:
    parts = []
    (x0, y0), (x1, y1) = frame.at(frame.x[0], frame.y[0]), frame.at(frame.x[1], frame.y[1])
    for tick in ticks(*frame.y):
        _, y = frame.at(frame.x[0], tick)
        parts.append(_line(x0, y, x1, y, "grid"))
        parts.append(_text(x0 - 6, y + 4, f"{tick:g}", "small", "end"))
    for tick in ticks(*frame.x):
        x, _ = frame.at(tick, frame.y[0])
        parts.append(_text(x, y0 + 14, f"{tick:g}", "small", "middle"))
    parts.append(_line(x0, y0, x1, y0, "axis") + _line(x0, y0, x0, y1, "axis"))
    parts.append(_text((x0 + x1) / 2, frame.height - 4, x_label, "label", "middle"))
    if y_label:
        middle = (y0 + y1) / 2
        turned = f'transform="rotate(-90 12 {middle:.1f})"'
        parts.append(f'<text x="12" y="{middle:.1f}" class="label" text-anchor="middle" {turned}>')
        parts.append(f"{escape(y_label)}</text>")
    return "".join(parts)


def _svg(frame: Frame, parts: Sequence[str]) -> str:
    size = f'width="{frame.width}" height="{frame.height}" viewBox="0 0 {frame.width} {frame.height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{"".join(parts)}</svg>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>'


def _dot(x: float, y: float, colour: str, radius: float = 2.0, title: str = "") -> str:
    inner = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}">{inner}</circle>'


def _text(x: float, y: float, text: str, style: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}" text-anchor="{anchor}">{escape(text)}</text>'


def _legend(names: Sequence[str]) -> str:
    if not any(names):
        return ""
    keys = (
        f'<span class="key"><i style="background:{COLOURS[number % len(COLOURS)]}"></i>{escape(name)}</span>'
        for number, name in enumerate(names)
    )
    return f'<div class="legend">{"".join(keys)}</div>'
