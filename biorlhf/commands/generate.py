"""``biorlhf generate``: one prompt, a file of prompts, or a chat in the terminal, with a run's model."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from biorlhf.errors import InputError
from biorlhf.inputs import privacy
from biorlhf.inputs.rows import refuse_existing
from biorlhf.runs.progress import working

if TYPE_CHECKING:
    from biorlhf.serving.answering import Answerer, Prompt
    from biorlhf.serving.policy import Trained
    from biorlhf.stage import Sampling

ENGINES = ("vllm", "transformers", "scripted")


def generate(
    run: Annotated[Path, typer.Argument(help="A run's folder.")],
    prompt: Annotated[str | None, typer.Argument(help="One prompt; none: a chat in the terminal.")] = None,
    file: Annotated[Path | None, typer.Option(help="Prompts: .txt (one a line) or .jsonl.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where to write a file's answers: .jsonl.")] = None,
    n: Annotated[int, typer.Option("--n", help="Answers to each prompt.")] = 1,
    temperature: Annotated[float | None, typer.Option(help="0 is greedy; the recipe's if not given.")] = None,
    top_p: Annotated[float | None, typer.Option(help="The recipe's if not given.")] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Longest answer, in tokens.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The run's if not given.")] = None,
    engine: Annotated[
        str | None, typer.Option(help="vllm or transformers; for a file, the recipe's.")
    ] = None,
    adapter: Annotated[Path | None, typer.Option(help="Another adapter than the run's last.")] = None,
    base_only: Annotated[bool, typer.Option("--base-only", help="The base model, untrained.")] = False,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Override a recipe's key.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print answers as JSON, one a line.")] = False,
    serve: Annotated[
        bool, typer.Option("--serve", help="A page in the browser, on this machine alone.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of --serve; 0: one that is free.")] = 8765,
) -> None:
    """Ask a run's model one prompt, a file of prompts, or chat with it.

    The prompt is put in the run's template, as in training. Works in this process, without Ray.
    """
    from biorlhf.serving.answering import sampling

    _check(prompt, file, out, engine, force)
    chosen = _policy(run, adapter, tuple(overrides or ()), base_only)
    # Before the model is loaded: nobody should wait for it to learn of a wrong number.
    sampling(chosen.recipe, n=n, temperature=temperature, top_p=top_p)
    if serve:
        from biorlhf.serving.web import serve as serve_page

        serve_page(chosen, _load(chosen, engine or "transformers", max_tokens), port)
        return
    # A pipe brings the prompt; at a terminal, nothing said means a chat.
    if file is None and prompt is None and not sys.stdin.isatty():
        prompt = sys.stdin.read()
    prompts = _prompts(prompt, file)
    # A recipe's vLLM takes long to start: worth it for many prompts, not for one.
    usual = None if file is not None or chosen.recipe.rollout.engine == "scripted" else "transformers"
    answerer = _load(chosen, engine or usual, max_tokens)
    drawn = answerer.sampling(
        n=n, temperature=temperature, top_p=top_p, seed=chosen.recipe.seed if seed is None else seed
    )
    if prompts is None:
        _chat(answerer, drawn)
    elif out is not None:
        _write(answerer, prompts, drawn, out)
    else:
        with working("answering"):
            answers = list(_answers(answerer, prompts, drawn)) if len(prompts) == 1 else None
        for rows in answers or _answers(answerer, prompts, drawn):
            for row in rows:
                text = json.dumps(row, ensure_ascii=False) if as_json else row["response"]
                typer.echo(text if n == 1 or as_json else f"[{row['sample']}] {text}")


def _policy(run: Path, adapter: Path | None, overrides: tuple[str, ...], base_only: bool) -> Trained:
    from biorlhf.serving import policy

    chosen = policy.of_run(run, adapter=adapter, overrides=overrides)
    return chosen.untrained if base_only else chosen


def _check(prompt: str | None, file: Path | None, out: Path | None, engine: str | None, force: bool) -> None:
    if prompt is not None and file is not None:
        raise InputError("biorlhf generate", "a prompt and --file", "one or the other")
    if engine is not None and engine not in ENGINES:
        raise InputError("--engine", f"{engine!r}", choices=ENGINES, name=engine)
    if out is None:
        return
    if file is None:
        raise InputError("--out", "given without --file", "--file with the prompts")
    if out.suffix not in (".jsonl", ".ndjson"):
        raise InputError("--out", f"a file of type {out.suffix!r}", "a .jsonl file")
    refuse_existing("--out", out, force)
    if not out.parent.is_dir():
        raise InputError("--out", f"no such folder: {out.parent}")


def _prompts(prompt: str | None, file: Path | None) -> list[Prompt] | None:
    from biorlhf.serving.answering import one, read_prompts

    if file is not None:
        return read_prompts(file)
    return None if prompt is None else [one(prompt)]


def hush() -> None:
    """An engine's log of its own start is no answer; who wants it says so in these variables."""
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def _load(chosen: Trained, engine: str | None, max_tokens: int | None) -> Answerer:
    from biorlhf.serving.answering import Answerer

    # On stderr: what is piped on holds answers alone.
    print(f"{chosen.origin} on {chosen.recipe.model.base}", file=sys.stderr)
    hush()
    with working("loading the model"):
        return Answerer(chosen, engine=engine, max_tokens=max_tokens)


def _answers(answerer: Answerer, prompts: list[Prompt], sampling: Sampling) -> Iterator[list[dict[str, Any]]]:
    """The rows of each prompt, in the order of the prompts, as early as that order allows."""
    from biorlhf.serving.answering import rows_of

    # A sampler gives groups as they finish; a file's answers stand beside its prompts.
    ready = {}
    waiting = list(reversed(prompts))
    for group in answerer.answer(prompts, sampling):
        ready[group.question.id] = group
        while waiting and waiting[-1].id in ready:
            first = waiting.pop()
            yield rows_of(first, ready.pop(first.id))


def _write(answerer: Answerer, prompts: list[Prompt], sampling: Sampling, out: Path) -> None:
    from biorlhf.runs.progress import listener

    bars = listener()
    bars.begin("answers", len(prompts), 0, "prompt")
    # An hour of answers that was cut short must not look like all of them.
    partial = out.with_name(out.name + ".partial")
    written = 0
    with privacy.create(partial) as sink:
        for rows in _answers(answerer, prompts, sampling):
            sink.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            written += len(rows)
            bars.advance(1)
    bars.end()
    privacy.publish(partial, out)
    typer.echo(f"{written} answers: {out}")


def _chat(answerer: Answerer, sampling: Sampling) -> None:
    """Lines in, answers out, until an empty line or the end of input."""
    from biorlhf.serving.answering import one

    print("Each question is asked on its own, as in training. An empty line ends.", file=sys.stderr)
    for number in range(1_000_000):
        try:
            line = input("> ")
        except EOFError:
            return
        if not line.strip():
            return
        for rows in _answers(answerer, [one(line, number)], sampling):
            for row in rows:
                typer.echo(row["response"])
