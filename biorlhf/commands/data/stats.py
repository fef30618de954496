"""``biorlhf data list`` and ``stats``: counts, lengths, and what a constant answer would earn."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from biorlhf.errors import InputError
from biorlhf.types import Dataset, Question

#: A word, a number, or a sign: what a tokenizer of English text splits at least. Roughly 0.8 of its tokens.
_TOKEN = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
QUANTILES = (0.0, 0.5, 0.95, 1.0)


def listing() -> list[dict[str, Any]]:
    """Every dataset plugin: name, summary, counts with its default settings, or what it needs first."""
    from biorlhf.plugins import catalogue

    rows = []
    plugins = catalogue()
    for entry in plugins.of_kind("dataset"):
        counts, needs = None, ""
        required = [name for name, field in entry.record.config.model_fields.items() if field.is_required()]
        if required:
            needs = "--set " + " --set ".join(f"{name}=..." for name in required)
        else:
            try:
                dataset = plugins.build("dataset", entry.record.name, {})
                counts = {t: len(getattr(dataset, t)) for t in ("questions", "examples", "preferences")}
            except InputError as error:
                needs = error.found
        rows.append(
            {
                "name": entry.record.name,
                "aliases": list(entry.record.aliases),
                "summary": entry.record.summary,
                "from": str(entry.provenance),
                "counts": counts,
                "needs": needs,
            }
        )
    return rows


def statistics(dataset: Dataset) -> dict[str, Any]:
    """Counts and lengths of the three tables, and the constant-answer baselines of the questions."""
    return {
        "name": dataset.name,
        "questions": {
            **_counts(dataset.questions, ("split", "family", "kind", "tissue", "difficulty")),
            "direction": dict(_sorted(Counter(_direction(q) for q in dataset.questions))),
            "direction_by_tissue_and_split": balance(dataset.questions),
            "prompt_tokens": lengths(q.asked for q in dataset.questions),
            "constant_answer": constant_answer(dataset.questions),
        },
        "examples": {
            **_counts(dataset.examples, ("split", "kind")),
            "prompt_tokens": lengths(e.asked for e in dataset.examples),
            "response_tokens": lengths(e.response for e in dataset.examples),
        },
        "preferences": {
            **_counts(dataset.preferences, ("split", "kind")),
            "prompt_tokens": lengths(p.asked for p in dataset.preferences),
            "chosen_tokens": lengths(p.chosen for p in dataset.preferences),
            "rejected_tokens": lengths(p.rejected for p in dataset.preferences),
        },
        "tokens_are": "words, numbers and signs counted by a regular expression; a model's own tokenizer "
        "splits some words further",
    }


def _counts(items: Sequence[Any], keys: Sequence[str]) -> dict[str, Any]:
    counted = {key: dict(_sorted(Counter(getattr(item, key) or "-" for item in items))) for key in keys}
    return {"total": len(items), **counted}


def _sorted(counter: Counter[str]) -> list[tuple[str, int]]:
    # Ties by name: a table that is printed twice is the same.
    return sorted(counter.items(), key=lambda pair: (-pair[1], pair[0]))


def _direction(question: Question) -> str:
    if question.ground_truth.get("answerable") is False:
        return "unanswerable"
    return str(question.ground_truth.get("direction", "-"))


def balance(questions: Iterable[Question]) -> dict[str, dict[str, int]]:
    """``"tissue / split"`` -> direction -> count, for questions about one direction."""
    counts_of: dict[str, Counter[str]] = defaultdict(Counter)
    for question in questions:
        if "direction" in question.ground_truth:
            counts_of[f"{question.tissue or '-'} / {question.split}"][_direction(question)] += 1
    return {place: dict(sorted(counts.items())) for place, counts in sorted(counts_of.items())}


def lengths(texts: Iterable[str]) -> dict[str, int]:
    """Minimum, median, 95th percentile, maximum and sum of the approximate token counts."""
    counts = sorted(len(_TOKEN.findall(text)) for text in texts)
    if not counts:
        return {}
    names = ("min", "median", "p95", "max")
    picked = [counts[round(q * (len(counts) - 1))] for q in QUANTILES]
    return {**dict(zip(names, picked, strict=True)), "total": sum(counts)}


def constant_answer(questions: Sequence[Question]) -> dict[str, dict[str, Any]]:
    """Per split and answer space: the best constant answer, its accuracy, with a 95 % Wilson interval.

    Its balanced accuracy is one over the number of answers, whatever the labels' shares.
    """
    from biorlhf.statistics.intervals import wilson

    labels: dict[str, Counter[str]] = defaultdict(Counter)
    for question in questions:
        label = _label(question)
        if label is not None:
            labels[f"{question.split} / {label[0]}"][label[1]] += 1
    best_of = {}
    for place, counts in sorted(labels.items()):
        best, hits = _sorted(counts)[0]
        n = counts.total()
        low, high = wilson(hits, n)
        best_of[place] = {
            "answer": best, "accuracy": hits / n, "low": low, "high": high, "n": n,
            "answers": len(counts), "balanced_accuracy": 1 / len(counts),
        }  # fmt: skip
    return best_of


def _label(question: Question) -> tuple[str, str] | None:
    truth = question.ground_truth
    if truth.get("answerable") is False:
        return None
    if truth.get("direction"):
        return "direction", str(truth["direction"])
    if isinstance(truth.get("is_consistent"), bool):
        return "is_consistent", "yes" if truth["is_consistent"] else "no"
    if isinstance(truth.get("answer"), str):
        answer = truth["answer"].strip().lower()
        return ("yes/no", answer) if answer in ("yes", "no") else ("answer", answer)
    return None


def print_stats(figures: dict[str, Any]) -> None:
    """The statistics as plain text, one block per table."""
    import typer

    for name in ("questions", "examples", "preferences"):
        block = figures[name]
        typer.echo(f"{name}: {block['total']:,}")
        for key, value in block.items():
            if key == "total" or not value:
                continue
            typer.echo(f"  {key.replace('_', ' ')}")
            for label, count in value.items():
                typer.echo(f"    {label}: {_cell(count)}")
    typer.echo(f"tokens are {figures['tokens_are']}")


def _cell(value: Any) -> str:
    if isinstance(value, dict) and "accuracy" in value:
        return (
            f"always {value['answer']!r}: accuracy {value['accuracy']:.3f} "
            f"[{value['low']:.3f}, {value['high']:.3f}] (n = {value['n']:,}); "
            f"balanced {value['balanced_accuracy']:.3f}"
        )
    if isinstance(value, dict):
        return ", ".join(f"{key} {count:,}" for key, count in value.items())
    return f"{value:,}"
