"""``biorlhf evaluate``: ask a trained (or untrained) model a recipe's evaluation questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biorlhf import recipe as recipes
from biorlhf.errors import InputError
from biorlhf.types import Split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from biorlhf.recipe import Recipe
    from biorlhf.runs.store import RunStore

RESERVED = ("start", "after-")
SEVERAL = "an adapter's folder, or 'base', as one of the models"


def evaluate(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            help="A run's folder; or several models: runs, folders, hub ids, addresses (http…/v1#name), base."
        ),
    ] = None,
    adapter: Annotated[Path | None, typer.Option(help="Another adapter than the run's last.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="Another recipe; without RUN, its model.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: --set evaluation.samples=4")
    ] = None,
    questions: Annotated[int | None, typer.Option(help="How many questions.")] = None,
    split: Annotated[Split | None, typer.Option(help="Of which split.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy.")] = None,
    base_only: Annotated[bool, typer.Option("--base-only", help="The base model, untrained.")] = False,
    name: Annotated[str | None, typer.Option(help="The evaluation's name in RUN/evaluations.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder to write to; RUN/evaluations if not.")] = None,
    address: Annotated[str | None, typer.Option(help="A Ray cluster, as for biorlhf run.")] = None,
    html: Annotated[Path | None, typer.Option(help="Of several models: one page here.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is written as JSON.")] = False,
) -> None:
    """Ask a run's model its evaluation questions again, or a recipe's model before any training; or several.

    Writes NAME.json (the reports) and NAME.parquet (every answer) into RUN/evaluations, or into --out.
    Several models are asked the questions of --recipe, or of the first run, and set side by side.
    """
    from biorlhf import api
    from biorlhf.runs.progress import listener
    from biorlhf.serving.address import is_address

    settings = {"questions": questions, "split": split, "temperature": temperature}
    chosen = [f"evaluation.{key}={json.dumps(v)}" for key, v in settings.items() if v is not None]
    changes, given = (*(overrides or ()), *chosen), models or []
    if len(given) > 1 or any(is_address(model) for model in given):
        if adapter is not None or base_only or name is not None:
            raise InputError("biorlhf evaluate", "--adapter, --base-only and --name are for one run", SEVERAL)
        _several(given, _common(given, recipe, changes), (out, html), address, as_json)
        return
    if html is not None:
        raise InputError("--html", "one model is not compared", "two or more; biorlhf report shows a run")
    run = Path(given[0]) if given else None
    policy = _trained(run, adapter, recipe, changes)
    asked = policy.untrained if base_only else policy
    store, path = _place(asked.run, out, name)
    bars = listener()
    # Which adapter was taken is not obvious where a run did not finish.
    bars.phase(f"evaluating {asked.origin} on {asked.recipe.model.base}")
    evaluated = api.evaluate_trained(asked, bars, when=path.rpartition("/")[2], address=address)
    if store is not None:
        api.write_evaluation(store, path, evaluated)
    if as_json:
        file = str(store.folder / f"{path}.json") if store else None
        typer.echo(json.dumps({"file": file, **evaluated.report}, ensure_ascii=False, allow_nan=False))
        return
    _print(evaluated.report)
    if store is not None:
        typer.echo(f"written: {store.folder / path}.json and .parquet")


def _trained(run: Path | None, adapter: Path | None, recipe: Path | None, overrides: tuple[str, ...]) -> Any:
    from biorlhf.serving import policy

    if run is not None:
        return policy.of_run(run, adapter=adapter, recipe=recipe, overrides=overrides)
    if recipe is None:
        raise InputError("biorlhf evaluate", "nothing to evaluate", "a run's folder, or --recipe")
    if adapter is not None:
        overrides = (*overrides, f"model.adapter={json.dumps(str(adapter))}")
    return policy.of_recipe(recipes.load(recipe, overrides))


def _place(run: Path | None, out: Path | None, name: str | None) -> tuple[RunStore | None, str]:
    """Where to write (None: nowhere) and the evaluation's path in it, refusing what would be overwritten.

    A run's own names are not to be taken: a run that is resumed would believe that it has evaluated.
    """
    from biorlhf.runs.store import RunStore

    if name is not None and (name != Path(name).name or name.startswith((*RESERVED, "."))):
        raise InputError("--name", repr(name), "a plain name that is neither 'start' nor 'after-…'")
    place = out or run
    if place is None:
        return None, name or "evaluation"
    store, folder = RunStore(place), "" if out is not None else "evaluations/"
    taken = {path.stem for path in (store.folder / folder).glob("*.json")}
    if name is None:
        name = next(n for n in (f"evaluation-{k}" for k in range(1, 100_000)) if n not in taken)
    elif name in taken:
        raise InputError("--name", f"{store.folder / folder / name}.json exists", "another name")
    return store, f"{folder}{name}"


def _print(report: dict[str, Any]) -> None:
    from biorlhf.commands.report import print_rows
    from biorlhf.runs.watching.terminal import Terminal
    from biorlhf.statistics.paired import compare

    console = Terminal(highlight=False)
    sampling = report["sampling"]
    answers = f"{sampling['samples']} answer" + ("s" if sampling["samples"] > 1 else "")
    text = (
        f"{report['questions']} questions of the split {report['split']}, {answers} each "
        f"at temperature {sampling['temperature']:g}; 95 % intervals in brackets"
    )
    console.print(text, markup=False, soft_wrap=True)
    print_rows(console, compare([report["evaluators"]], differences=False), [report["when"]])


def _common(models: Sequence[str], recipe: Path | None, overrides: tuple[str, ...]) -> Recipe:
    """The recipe whose questions are asked: the one named, else that of the first run."""
    own = [Path(model) / "recipe.yaml" for model in models]
    first = next((path for path in own if path.is_file()), None)
    if recipe is None and first is None:
        raise InputError("biorlhf evaluate", "none of the models is a run: whose questions?", "--recipe")
    return recipes.load(recipe or first or "", overrides, resolved=recipe is None)


def _several(
    models: Sequence[str],
    common: Recipe,
    places: tuple[Path | None, Path | None],
    address: str | None,
    as_json: bool,
) -> None:
    """Ask, compare and print; ``places`` are the folder and the page to write, where they are wanted."""
    from biorlhf.reports import models as compared_models
    from biorlhf.runs import evaluation
    from biorlhf.runs.progress import listener
    from biorlhf.runs.store import RunStore
    from biorlhf.serving.several import ask_all

    out, html = places
    if out is not None and (out / "models.json").exists():
        raise InputError("--out", f"{out / 'models.json'} exists", "another folder")
    found = ask_all(models, common, listener(), address=address)
    compared = compared_models.comparison({model: report for model, (report, _) in found.items()})
    if out is not None:
        store = RunStore(out)
        for number, (report, groups) in enumerate(found.values(), 1):
            evaluation.write(store, f"model-{number}", report, groups)
        store.write_json("models.json", compared)
    if html is not None:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(compared_models.page(compared), "utf-8")
    if as_json:
        typer.echo(json.dumps(compared, ensure_ascii=False, allow_nan=False))
        return
    for rows in (compared_models.table_rows(compared), compared_models.pair_rows(compared)):
        _print_table(list(rows))
    typer.echo(compared_models.NOTE)
    for path in (out, html):
        if path is not None:
            typer.echo(f"written: {path}")


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from biorlhf.runs.watching.terminal import Terminal

    table = Table(*(escape(cell) for cell in rows[0]), box=None, pad_edge=False)
    for row in rows[1:]:
        table.add_row(*(escape(cell) for cell in row))
    console = Terminal(highlight=False)
    # A narrow terminal or a pipe gets whole numbers on long lines, never numbers cut short.
    console.width = max(
        console.width, console.measure(table, options=console.options.update(max_width=10_000)).maximum
    )
    console.print(table)
    console.print()
