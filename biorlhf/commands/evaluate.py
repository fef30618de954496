"""``biorlhf evaluate``: ask a trained (or untrained) model a recipe's evaluation questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biorlhf import recipe as recipes
from biorlhf.errors import InputError

if TYPE_CHECKING:
    from biorlhf.runs.store import RunStore

RESERVED = ("start", "after-")


def evaluate(
    run: Annotated[Path | None, typer.Argument(help="A run's folder.")] = None,
    adapter: Annotated[Path | None, typer.Option(help="Another adapter than the run's last.")] = None,
    recipe: Annotated[Path | None, typer.Option(help="Another recipe; without RUN, its model.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: --set evaluation.samples=4")
    ] = None,
    questions: Annotated[int | None, typer.Option(help="How many questions.")] = None,
    split: Annotated[str | None, typer.Option(help="Of which split: train, validation or test.")] = None,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy.")] = None,
    base_only: Annotated[bool, typer.Option("--base-only", help="The base model, untrained.")] = False,
    name: Annotated[str | None, typer.Option(help="The evaluation's name in RUN/evaluations.")] = None,
    out: Annotated[Path | None, typer.Option(help="A folder to write to; RUN/evaluations if not.")] = None,
    address: Annotated[str | None, typer.Option(help="A Ray cluster, as for biorlhf run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what is written as JSON.")] = False,
) -> None:
    """Ask a run's model its evaluation questions again, or a recipe's model before any training.

    Writes NAME.json (the reports) and NAME.parquet (every answer) into RUN/evaluations, or into --out.
    """
    from biorlhf import api
    from biorlhf.runs.progress import listener

    settings = {"questions": questions, "split": split, "temperature": temperature}
    chosen = [f"evaluation.{key}={json.dumps(v)}" for key, v in settings.items() if v is not None]
    policy = _trained(run, adapter, recipe, (*(overrides or ()), *chosen))
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
    from biorlhf.runs.terminal import Terminal
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
