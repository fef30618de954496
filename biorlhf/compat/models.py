"""The names of BioRLHF 0.3 that ask a model or make its texts: evaluation, inference, the SFT dataset."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from biorlhf import api, plugins
from biorlhf.compat.installed import MODELS, require
from biorlhf.errors import DataError, InputError
from biorlhf.ground_truth.forms import unblocked
from biorlhf.inputs import privacy
from biorlhf.inputs.rows import read_rows

TISSUES = ("heart", "hippocampus", "liver", "soleus", "eye", "thymus", "kidney", "gastrocnemius", "skin")
KEYS = ("id", "question", "prompt", "expected_answer", "expected", "answer", "category", "type", "kind")
OTHER_KEYS = ("keywords", "ground_truth")
_NUMBER = re.compile(r"\s*(-?[\d,]*\.?\d+)\s*(DEGs?|genes?)?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Accuracies in [0, 1]; NaN for a category that no question has.

    ``report`` holds the same with 95 % intervals, balanced accuracy and the best constant answer;
    ``not_judged`` counts answers that nothing is known to judge by: they are in no accuracy.
    """

    overall_accuracy: float
    factual_accuracy: float
    reasoning_accuracy: float
    calibration_accuracy: float
    total_questions: int
    correct_answers: int
    detailed_results: list[dict[str, Any]]
    not_judged: int
    report: dict[str, Any]


def evaluate_model(
    model_path: str | None,
    test_questions_path: str,
    base_model: str | None = None,
    use_4bit: bool = True,
    max_new_tokens: int = 512,
    temperature: float = 0.1,
) -> EvaluationResult:
    """Ask a model the questions of a JSON file, and grade its answers by what they claim.

    Args:
        model_path: an adapter's or a run's folder; None: the base model alone.
        test_questions_path: a JSON list or JSONL of ``{"question", "expected_answer" (or "expected",
            "answer"), "category" (or "type")}``; a row may hold a ``ground_truth`` instead. Of a question of
            the category ``calibration`` the right answer is that the data cannot tell.
        base_model: what the adapter records, where it is not given.
        use_4bit: hold the base in NF4.

    Raises:
        DataError: a row that cannot be read; InputError: no such adapter, or one of another base.
    """
    rows = _questions(Path(test_questions_path))
    require(*MODELS)
    if base_model is None:
        if model_path is None:
            raise InputError("base_model", "neither base_model nor model_path is given")
        from biorlhf.engines.samplers.inference import base_of

        base_model = base_of(model_path)
    with tempfile.TemporaryDirectory(prefix="biorlhf-questions-") as folder:
        file = Path(folder) / "questions.jsonl"
        file.write_text("".join(json.dumps(row["question"]) + "\n" for row in rows), encoding="utf-8")
        evaluated = api.evaluate(
            {
                "name": "evaluate_model",
                "model": {
                    "base": base_model,
                    "dtype": "nf4" if use_4bit else "bf16",
                    "adapter": model_path,
                },
                "prompt": {"template": "alpaca", "answer": "free", "max_tokens": 1024},
                "data": [{"dataset": "jsonl", "file": str(file), "split": "test"}],
                "verifiers": [{"verifier": "factual", "weight": 1}],
                # A recipe must have a stage; none is run.
                "stages": [{"trainer": "sft", "optimizer": {"learning_rate": 1e-4}}],
                "rollout": {"engine": "transformers", "max_completion_tokens": max_new_tokens},
                "evaluation": {
                    "questions": len(rows),
                    "temperature": temperature,
                    "evaluators": [{"evaluator": "question_answering"}],
                },
                "cluster": {"backend": "inline"},
            },
            quiet=True,
        )
    return _result(rows, evaluated)


def _result(rows: Sequence[Mapping[str, Any]], evaluated: api.Evaluated) -> EvaluationResult:
    report = evaluated.report["evaluators"]["question_answering"]
    correct = report["answers"]["overall.accuracy"]
    details = [
        {
            "question": row["question"]["prompt"],
            "expected": row["expected"],
            "response": scored.group.completions[0].text.strip(),
            "correct": None if right is None else bool(right),
            "category": row["question"]["kind"],
        }
        for row, scored, right in zip(rows, evaluated.groups, correct, strict=True)
    ]

    def accuracy(part: Mapping[str, Any]) -> float:
        return float(part["accuracy"]["value"]) if "accuracy" in part else float("nan")

    kinds = {kind: accuracy(part) for kind, part in report["categories"].items()}
    return EvaluationResult(
        overall_accuracy=accuracy(report["overall"]),
        factual_accuracy=kinds["factual"],
        reasoning_accuracy=kinds["reasoning"],
        calibration_accuracy=kinds["calibration"],
        total_questions=len(rows),
        correct_answers=sum(row["correct"] is True for row in details),
        detailed_results=details,
        not_judged=sum(row["correct"] is None for row in details),
        report=report,
    )


def _questions(path: Path) -> list[dict[str, Any]]:
    """Each row as a question of the dataset ``jsonl``, in an order that its ids keep."""
    rows = enumerate(read_rows(path), 1)
    return [_question(where, number, row) for number, (where, row) in rows]


def _question(where: str, number: int, row: Mapping[str, Any]) -> dict[str, Any]:
    for key in row:
        if key not in KEYS + OTHER_KEYS:
            raise DataError(where, f"unknown key {key!r}", choices=KEYS + OTHER_KEYS, name=str(key))
    prompt = row.get("question") or row.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise DataError(where, "no question", '{"question": "…"}')
    expected = str(row.get("expected_answer") or row.get("expected") or row.get("answer") or "").strip()
    category = str(row.get("category") or row.get("type") or row.get("kind") or "factual").lower()
    truth = row.get("ground_truth")
    if truth is None:
        if row.get("keywords"):
            raise DataError(
                f"{where}: keywords", "answers are graded by what they claim, not by words in them",
                "expected_answer, or a ground_truth (docs/ground_truth.md), in their place",
            )  # fmt: skip
        truth = _truth(where, prompt, expected, category)
    # Filled up with zeros: evaluations sort by id, and the rows are matched by order.
    question = {"id": f"{number:06d}", "prompt": prompt, "ground_truth": truth, "kind": category}
    return {"question": question, "expected": expected}


def _truth(where: str, prompt: str, expected: str, category: str) -> dict[str, Any]:
    """What is known about a question of which only the expected answer in words is given."""
    if category == "calibration" or expected.lower().startswith(("cannot", "can't", "can not")):
        return {"answerable": False}
    if not expected:
        raise DataError(where, "no expected answer", '"expected_answer", or a "ground_truth"')
    # A number alone has a unit and an owner only by its question: with one tissue in it, it is that tissue's.
    number = _NUMBER.fullmatch(expected)
    named = [tissue for tissue in TISSUES if tissue in prompt.lower()]
    if number is not None and len(named) == 1:
        value = float(number[1].replace(",", ""))
        return {"facts": [{"entity": named[0], "quantity": "DEG count", "value": value}]}
    return {"answer": expected}


def create_sft_dataset(
    output_path: str | Path = "kmp_sft_dataset.json",
    include_calibration: bool = True,
    include_chain_of_thought: bool = True,
) -> list[dict[str, str]]:
    """SFT texts over the KMP study's figures, written as a JSON list of ``{"text": …}`` and returned.

    Without ``include_calibration`` the questions that the data cannot answer, and those with a false premise,
    are left out.
    """
    left_out = set() if include_calibration else {"calibration", "false_premise"}
    left_out |= set() if include_chain_of_thought else {"chain_of_thought"}
    dataset = plugins.catalogue().build("dataset", "kmp", {"split": "paraphrase"})
    texts = [
        {"text": f"### Instruction:\n{example.prompt}\n\n### Response:\n{unblocked(example.response)}"}
        for example in dataset.examples
        if example.kind not in left_out and example.split == "train"
    ]
    write_json(Path(output_path), texts)
    return texts


def write_json(path: Path, value: Any, *, indent: int = 1) -> None:
    """Write ``value`` as JSON, whole or not at all; ``InputError`` where ``path`` cannot be written."""
    partial = path.with_name(path.name + ".partial")
    try:
        with privacy.create(partial) as file:
            file.write(json.dumps(value, indent=indent, ensure_ascii=False) + "\n")
        privacy.publish(partial, path)
    except OSError as error:
        raise InputError("output_path", f"{path} cannot be written: {error.strerror}") from None


def load_model_for_inference(
    model_path: str,
    base_model: str | None = None,
    use_4bit: bool = True,
    device_map: str = "auto",
    merge_adapters: bool = False,
) -> tuple[Any, Any]:
    """(model, tokenizer) of an adapter's or a run's folder, as transformers and PEFT objects.

    Args:
        base_model: what the adapter records, where it is not given.
        use_4bit: hold the base in NF4, else in bf16.
        device_map: ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``.
        merge_adapters: merge into the weights; not with ``use_4bit``, which would round the adapter away.
    """
    require(*MODELS)
    from biorlhf.engines.samplers.inference import base_of, load_with_adapter
    from biorlhf.recipe import Model

    if device_map not in ("auto", "cpu", "cuda"):
        raise InputError(
            "device_map", repr(device_map), choices=("auto", "cpu", "cuda"), name=str(device_map)
        )
    if merge_adapters and use_4bit:
        raise InputError(
            "merge_adapters",
            "4-bit weights would round the adapter away",
            "use_4bit=False, or biorlhf export",
        )
    base = base_model or base_of(model_path)
    section = Model(base=base, dtype="nf4" if use_4bit else "bf16", adapter=str(model_path))
    return load_with_adapter(
        section, device=None if device_map == "auto" else device_map, merge=merge_adapters
    )


def generate_response(
    model: Any,
    tokenizer: Any,
    prompt: str,
    max_new_tokens: int = 512,
    temperature: float = 0.7,
    do_sample: bool = True,
) -> str:
    """The answer to ``prompt``, which is given to the model as it is: with its headings, if it wants any."""
    from biorlhf.engines.samplers.inference import respond

    heat = temperature if do_sample else 0.0
    return respond(model, tokenizer, prompt, max_tokens=max_new_tokens, temperature=heat)
