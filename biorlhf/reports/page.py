"""A run's report as one HTML file that needs nothing else: style and plots stand inside it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from biorlhf.reports import plots
from biorlhf.reports.answers import changes
from biorlhf.reports.run import (
    Evaluation,
    RunReport,
    figures,
    rows_of,
    show,
    show_difference,
    stage_starts,
    state,
)
from biorlhf.statistics.intervals import Rate
from biorlhf.statistics.paired import Row

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 1080px;
  margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin: 1.8em 0 .5em; }
table { border-collapse: collapse; font-size: 13px; } th, td { padding: 3px 10px 3px 0; text-align: left; }
th { border-bottom: 1px solid #999; } td { border-bottom: 1px solid #eee; white-space: nowrap; }
td.group { font-weight: 600; padding-top: 12px; } td.noise { color: #777; }
figure { display: inline-block; margin: 0 24px 18px 0; vertical-align: top; }
figcaption { font-weight: 600; font-size: 13px; margin-bottom: 4px; }
svg text { font-family: inherit; fill: #444; } .small { font-size: 10px; } .label { font-size: 12px; }
.axis { stroke: #444; } .grid { stroke: #e4e4e4; } .mark { stroke: #bbb; stroke-dasharray: 2 3; }
.diagonal { stroke: #888; stroke-dasharray: 5 4; } .bar { vertical-align: middle; margin-left: 6px; }
.legend { font-size: 12px; max-width: 460px; } .key { margin-right: 14px; white-space: nowrap; }
.key i { display: inline-block; width: 10px; height: 10px; margin-right: 5px; }
pre { background: #f6f6f6; padding: 8px; font-size: 12px; white-space: pre-wrap; margin: 4px 0; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
summary { cursor: pointer; font-size: 13px; }
.note { color: #666; font-size: 13px; max-width: 70em; }
"""

NOTE = (
    "Brackets hold 95 % intervals: Wilson's for shares, otherwise a bootstrap over clusters of questions "
    "about one (tissue, pathway). Small figures count answers. The difference is last minus first, paired "
    "by question; it is called noise where its interval holds zero. Of twenty metrics that did not change, "
    "about one leaves its interval by chance. One run says nothing about another seed."
)


def page(run: RunReport) -> str:
    """The whole report."""
    title = escape(str(run.recipe.get("name") or run.folder.name))
    parts = [
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>",
        f"<title>{title}</title><style>{STYLE}</style></head><body>",
        f"<h1>{title}</h1><p>{escape(state(run))}<br><span class='note'>{escape(str(run.folder))}</span></p>",
        *(f"<p class='note'>unreadable: {escape(problem)}</p>" for problem in run.problems),
        "<h2>Held-out questions</h2>",
        _table(run),
        "<h2>Calibration</h2>",
        _diagram(run),
        "<h2>Training</h2>",
        _curves(run),
        _changes(run),
        _left_out(run),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def _table(run: RunReport) -> str:
    if not run.evaluations:
        return "<p>This run holds no evaluation.</p>"
    whens = [evaluation.when for evaluation in run.evaluations]
    several = len(whens) > 1
    heads = ["metric", *whens, *(["difference", ""] if several else [])]
    lines = ["<table><tr>", *(f"<th>{escape(head)}</th>" for head in heads), "</tr>"]
    group = ""
    for row in rows_of(run):
        if row.evaluator != group:
            group = row.evaluator
            lines.append(f"<tr><td class='group' colspan='{len(heads)}'>{escape(group)}</td></tr>")
        lines.append(_row(row, several))
    lines.append(f"</table><p class='note'>{NOTE}</p>")
    return "".join(lines)


def _row(row: Row, several: bool) -> str:
    cells = [f"<td>{escape(row.metric)}</td>", *(f"<td>{_rate(rate)}</td>" for rate in row.rates)]
    if several:
        quiet = " class='noise'" if row.difference is None or row.difference.is_noise else ""
        cells.append(f"<td{quiet}>{escape(show_difference(row.difference))}</td>")
        cells.append(f"<td{quiet}>{escape(row.verdict)}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _rate(rate: Rate | None) -> str:
    if rate is None:
        return "–"
    # The bar's axis is [0, 1]; a skill or a gap may lie outside.
    bar = plots.interval_bar(rate.value, rate.low, rate.high) if rate.low >= 0 and rate.high <= 1 else ""
    return f"<span title='n = {rate.n}'>{escape(show(rate))}</span>{bar} <small>{rate.n}</small>"


def _diagram(run: RunReport) -> str:
    drawn = []
    for evaluator in dict.fromkeys(name for e in run.evaluations for name in e.reports):
        series = {
            f"{e.when} ({report.get('with_confidence', '?')} answers)": rows
            for e in _first_and_last(run)
            if (report := e.reports.get(evaluator) or {}) and (rows := report.get("reliability_diagram"))
        }
        if series:
            caption = f"Reliability ({evaluator})"
            drawn.append(_figure(caption, plots.reliability_diagram(series)))
    return "".join(drawn) or "<p>No evaluation holds stated confidences that can be binned.</p>"


def _first_and_last(run: RunReport) -> Sequence[Evaluation]:
    return run.evaluations[:1] + run.evaluations[1:][-1:]


def _curves(run: RunReport) -> str:
    marks = [(float(place), stage) for place, stage in stage_starts(run)]
    drawn = [
        _figure(name, plots.line_chart(curves, marks=marks if len(marks) > 1 else ()))
        for name, curves in figures(run).items()
    ]
    return "".join(drawn) or "<p>No step has been recorded.</p>"


def _changes(run: RunReport) -> str:
    rows = [
        f"<details><summary>{change.reward_before:.2f} → {change.reward_after:.2f} "
        f"&nbsp;{escape(change.prompt[:150])}</summary>"
        f"<pre>{escape(change.prompt)}</pre><div class='pair'><pre>{escape(change.before)}</pre>"
        f"<pre>{escape(change.after)}</pre></div></details>"
        for change in changes(run)
    ]
    note = "The questions whose mean reward fell and rose most, with one answer before and one after."
    return f"<h2>Answers that changed most</h2><p class='note'>{note}</p>{''.join(rows)}" if rows else ""


def _figure(caption: str, content: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{content}</figure>"


def _left_out(run: RunReport) -> str:
    if not run.evaluations:
        return ""
    last = run.evaluations[-1]
    items = [
        f"<li>{escape(f'{name}, {metric}: {reason}')}</li>"
        for name, report in last.reports.items()
        for metric, reason in (report.get("left_out") or {}).items()
    ]
    head = f"<h2>Left out of {escape(last.when)}, and why</h2>"
    return f"{head}<ul class='note'>{''.join(items)}</ul>" if items else ""
