"""What a notebook shows of a run, an evaluation, a reward and a score; plots inline are the report's."""

from __future__ import annotations

import html
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from biorlhf.inputs.extras import need
from biorlhf.reports.headline import Tile, known
from biorlhf.reports.page import curves, reliability
from biorlhf.reports.run import Evaluation, RunReport, load_run, show, show_difference, state
from biorlhf.reports.words import paragraph
from biorlhf.runs.folder import Run
from biorlhf.types import Reward, Score


def plots(run: Run | str | Path) -> dict[str, Any]:
    """Caption -> Plotly figure, as in the report: reliability first, then every curve of the training.

    Raises:
        ResourceError: Plotly is not installed.
    """
    graphs = need("plotly.graph_objects", "plots")
    loaded = load_run(run.folder if isinstance(run, Run) else run)
    return {name: graphs.Figure(figure) for name, figure in (reliability(loaded) | curves(loaded)).items()}


def run_html(run: Run) -> str:
    """The paragraph and the four numbers."""
    loaded = load_run(run.folder)
    head = known(loaded)
    tiles = list(head.tiles.values()) if head else []
    title = f"<b>{html.escape(run.folder.name)}</b> {html.escape(state(loaded))}"
    return f"<p>{title}</p><p>{html.escape(paragraph(loaded, head))}</p>{_tiles(tiles)}"


def evaluated_html(evaluated: Any) -> str:
    """The four numbers of one evaluation."""
    report = evaluated.report
    one = Evaluation(report["when"], report["split"], report["questions"], report["evaluators"])
    head = known(RunReport(Path(), {}, {}, (), (one,), True, ()))
    title = f"<b>{html.escape(one.when)}</b>: {one.questions} questions of the split {html.escape(one.split)}"
    return f"<p>{title}</p>{_tiles(list(head.tiles.values()) if head else [])}"


def reward_html(reward: Reward) -> str:
    """The total, and each verifier's part."""
    total = "none: no verifier scored" if reward.total is None else f"{reward.total:.3f}"
    rows = [
        [name, _score(score), f"{reward.weights.get(name, 0):.2f}", str(score.details.get("reason", ""))]
        for name, score in reward.scores.items()
    ]
    return f"<p>reward <b>{total}</b></p>{_table(['verifier', 'score', 'weight', 'reason'], rows)}"


def score_html(score: Score) -> str:
    """The value, and every detail."""
    rows = [[str(name), str(value)] for name, value in score.details.items()]
    return f"<p><b>{_score(score)}</b></p>{_table(['detail', ''], rows)}"


def _score(score: Score) -> str:
    return score.status.value.replace("_", " ") if score.value is None else f"{score.value:.3f}"


def _tiles(tiles: list[Tile]) -> str:
    rows = [
        [
            tile.name,
            show(tile.before),
            show(tile.after),
            show_difference(tile.difference),
            tile.verdict,
            tile.note,
        ]
        for tile in tiles
    ]
    return _table(["", "before", "after", "difference", "verdict", ""], rows)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{html.escape(text)}</th>" for text in heads)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


SHOWN: Mapping[tuple[str, str], Callable[[Any], str]] = {
    ("biorlhf.runs.folder", "Run"): run_html,
    ("biorlhf.api", "Evaluated"): evaluated_html,
    ("biorlhf.types", "Reward"): reward_html,
    ("biorlhf.types", "Score"): score_html,
}


def register() -> None:
    """Have IPython show these as tables; nothing where IPython does not run."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is not None:
        formatter = shell.display_formatter.formatters["text/html"]
        for (module, name), shown in SHOWN.items():
            formatter.for_type_by_name(module, name, shown)
