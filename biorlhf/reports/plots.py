"""The figures of a report as Plotly's plain data (``{"data", "layout"}``), for a page or a notebook.

Nothing is drawn that was not measured: no smoothing, and every point of a reliability diagram carries its
interval.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from biorlhf.statistics.intervals import Rate

# Okabe & Ito's colours, which people with any colour vision can tell apart, without black: a page may be.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SPARKS = "▁▂▃▄▅▆▇█"
NOTHING = "rgba(0,0,0,0)"

Figure = dict[str, Any]
Points = Sequence[tuple[float, float]]


def line_chart(curves: Mapping[str, Points], *, x_label: str = "step of the run") -> Figure:
    """Curves by name."""
    data = [
        {
            "type": "scatter",
            # A dot shows where a value was measured; more of them would hide the line.
            "mode": "lines+markers" if len(points) <= 40 else "lines",
            "name": name,
            "x": [x for x, _ in points],
            "y": [y for _, y in points],
            "line": {"color": COLOURS[number % len(COLOURS)], "width": 1.5},
            "marker": {"size": 4},
        }
        for number, (name, points) in enumerate(curves.items())
    ]
    return {"data": data, "layout": _layout(x_label, "", legend=len(data) > 1)}


def risk_coverage_chart(series: Mapping[str, Points]) -> Figure:
    """Share that is wrong among the surest answers, by how many of them are kept."""
    figure = line_chart(series, x_label="share of the answers kept, surest first")
    layout = figure["layout"]
    layout |= {"showlegend": True, "height": 380}
    layout["yaxis"]["title"]["text"] = "share of those that is wrong"
    layout["xaxis"]["range"] = layout["yaxis"]["range"] = [-0.02, 1.02]
    return figure


def reliability_diagram(series: Mapping[str, Sequence[tuple[float, Rate]]]) -> Figure:
    """Accuracy against stated confidence per bin, with intervals; the diagonal is perfect calibration.

    Args:
        series: name -> (stated confidence, share that is right) of each bin.
    """
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines",
            "name": "perfectly calibrated",
            "x": [0, 1],
            "y": [0, 1],
            "hoverinfo": "skip",
            "line": {"dash": "dash", "width": 1, "color": "#888888"},
        }
    ]
    for number, (name, rows) in enumerate(series.items()):
        rates = [rate for _, rate in rows]
        # Series are set beside each other by a little, so that no interval hides another.
        aside = (number - (len(series) - 1) / 2) * 0.01
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": name,
                "x": [confidence + aside for confidence, _ in rows],
                "y": [rate.value for rate in rates],
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": [rate.high - rate.value for rate in rates],
                    "arrayminus": [rate.value - rate.low for rate in rates],
                },
                "marker": {"color": COLOURS[number % len(COLOURS)], "size": 8},
                "customdata": [[confidence, rate.n] for confidence, rate in rows],
                "hovertemplate": "stated %{customdata[0]:.2f}, right %{y:.2f} of %{customdata[1]}",
            }
        )
    layout = _layout("stated confidence", "share that is right", legend=True)
    layout["xaxis"]["range"] = layout["yaxis"]["range"] = [-0.02, 1.02]
    layout["height"] = 380
    return {"data": data, "layout": layout}


def _layout(x_label: str, y_label: str, *, legend: bool) -> dict[str, Any]:
    axis = {
        "automargin": True,
        "gridcolor": "rgba(128,128,128,.25)",
        "zeroline": False,
        "exponentformat": "e",
    }
    return {
        "autosize": True,
        "height": 300,
        "margin": {"l": 48, "r": 16, "t": 24, "b": 40},
        # The page shines through, light or dark.
        "paper_bgcolor": NOTHING,
        "plot_bgcolor": NOTHING,
        "font": {"color": "#777777", "size": 12},
        "showlegend": legend,
        "legend": {"orientation": "h", "yref": "container", "y": 1, "yanchor": "top", "x": 0},
        "xaxis": {**axis, "title": {"text": x_label}},
        "yaxis": {**axis, "title": {"text": y_label}},
    }


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
