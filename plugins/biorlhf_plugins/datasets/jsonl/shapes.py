"""The usual shapes of training data, each read into a question, an example or a preference."""

from __future__ import annotations

import re
from typing import Any

from biorlhf import DataError, Example, Preference, Question
from biorlhf.ground_truth import check, instruction
from biorlhf.ground_truth.forms import OPENING, gradable
from biorlhf.inputs.rows import parse_json
from biorlhf.types import Split

SHAPES = (
    "prompt + ground_truth (a question)",
    "prompt + completion",
    "prompt + chosen + rejected",
    "chosen + rejected (messages)",
    "messages",
    "instruction (+ input) + output",
    "question + answer (or expected)",
    "text with '### Instruction:' and '### Response:'",
)
_ALPACA = re.compile(
    r"\A.*?###\s*Instruction:\s*\n?(?P<instruction>.*?)"
    r"(?:\n\s*###\s*Input:\s*\n?(?P<input>.*?))?"
    r"\n\s*###\s*Response:[ \t]*\n?(?P<response>.*)\Z",
    re.DOTALL,
)
_OPTIONAL = ("kind", "source", "split", "split_group")
# Files of unpaired feedback say with one of these keys whether a row's answer is one to learn.
_VERDICTS = frozenset(
    (
        *("label", "kto_tag", "desirable", "accepted", "preferred", "correct", "thumbs_up", "liked", "good"),
        *("score", "reward", "rating", "feedback", "verdict", "valid", "approved", "helpful", "positive"),
    )
)
# What stands before the prompt, or beside it, and would be lost: the answer would be to another question.
_CONTEXT = ("history", "tools", "functions", "images", "image", "audio", "video", "videos")
_UNWANTED = (
    *("false", "0", "0.0", "-1", "-1.0", "no", "bad", "wrong"),
    *("incorrect", "undesirable", "unwanted", "rejected", "negative", "thumbs_down", "dislike"),
)

Item = Question | Example | Preference
ABSENT = object()
"""What a row does not have, told from a null that it has."""


def read_item(where: str, row: dict[str, Any], default_id: str, default_split: str) -> Item:
    """One row in whatever shape it has.

    Raises:
        DataError: with the place and the key: a shape that is none, an empty or wrong value, more than one
            turn, a ground truth with an unknown key.
    """
    common: dict[str, Any] = {
        "id": default_id if row.get("id") in (None, "") else str(row["id"]),
        "fact_ids": _names(where, "fact_ids", row.get("fact_ids")),
    }
    common |= {key: str(row[key]) for key in _OPTIONAL if row.get(key)}
    common.setdefault("split", default_split)
    # Other people's files have a key of this name too: there it is the prompt, or a part of it.
    if str(row.get("instruction") or "").startswith(OPENING):
        common["instruction"] = row["instruction"]
    if common["split"] not in [split.value for split in Split]:
        raise DataError(
            f"{where}: split", repr(row["split"]), choices=[s.value for s in Split], name=row["split"]
        )
    if "ground_truth" in row:
        return _question(where, row, common)
    for key in _CONTEXT:
        if row.get(key):
            raise DataError(
                f"{where}: {key}", f"{row[key]!r:.60}", "one question in text, and its answer",
                hint="what an answer builds on must stand in its prompt",
            )  # fmt: skip
    row = _paired(where, row)
    if "chosen" in row or "rejected" in row:
        return _preference(where, row, common)
    _refuse_unwanted(where, row)
    prompt, response = _pair(where, row)
    return Example(prompt=prompt, response=response, **common)


def _refuse_unwanted(where: str, row: dict[str, Any]) -> None:
    for key in row:
        asks = key.lower().removeprefix("is_").removeprefix("was_") in _VERDICTS
        if asks and str(row[key]).strip().lower() in _UNWANTED:
            raise DataError(
                f"{where}: {key}", f"{row[key]!r}: an answer that is not to be learnt",
                "texts to learn, whose verdict is true", hint="leave the row out, or make its answer "
                "the 'rejected' side of a preference pair with the same prompt",
            )  # fmt: skip


def _paired(where: str, row: dict[str, Any]) -> dict[str, Any]:
    """``rejected_response`` and the like make the row a pair; the answer beside it is the chosen side."""
    other = next((key for key in row if _is_side(key, "rejected") and row[key]), None)
    if other is None:
        return row
    chosen = next((key for key in row if _is_side(key, "chosen")), None)
    if chosen is not None:
        plain = {key: value for key, value in row.items() if key not in (chosen, other)}
        return {**plain, "chosen": row[chosen], "rejected": row[other]}
    prompt, response = _pair(where, row)
    rejected = row[other]
    if isinstance(rejected, list):
        rejected = _turns(f"{where}: {other}", rejected, need_user=False)[1]
    return {"prompt": prompt, "chosen": response, "rejected": _text_at(where, other, rejected)}


def _is_side(key: str, side: str) -> bool:
    return key != side and side in key.lower().split("_")


def _question(where: str, row: dict[str, Any], common: dict[str, Any]) -> Question:
    key = "prompt" if "prompt" in row else "question"
    truth = row["ground_truth"]
    if isinstance(truth, str):
        truth = parse_json(truth, f"{where}: ground_truth")
    truth = check(truth, where)
    answer = row.get("answer") or row.get("answer_text")
    extra: dict[str, Any] = {
        name: str(row[name]) for name in ("tissue", "difficulty", "family") if row.get(name)
    }
    return Question(
        prompt=instruction_of(_text_at(where, key, row.get(key, ABSENT))),
        ground_truth=truth,
        verifiers=_names(where, "verifiers", row.get("verifiers")),
        answer=str(answer) if answer else None,
        **extra,
        # The row's own instruction goes over the one that is made here.
        **{"instruction": instruction(truth) if gradable(truth) else "", **common},
    )


def _preference(where: str, row: dict[str, Any], common: dict[str, Any]) -> Preference:
    sides: dict[str, Any] = {}
    prompts = []
    for key in ("chosen", "rejected"):
        value = row.get(key, ABSENT)
        if isinstance(value, list):
            before, sides[key] = _turns(f"{where}: {key}", value, need_user="prompt" not in row)
            prompts.append(before)
        else:
            sides[key] = _text_at(where, key, value)
    if "prompt" in row:
        prompt = _prompt(where, row["prompt"])
    elif len(prompts) == 2 and prompts[0] == prompts[1]:
        prompt = prompts[0]
    else:
        problem = "the two sides answer different prompts" if len(prompts) == 2 else "the key is missing"
        raise DataError(f"{where}: prompt", problem, "the prompt that both sides answer")
    # The margin of two equal texts is 0 whatever the policy: nothing could be learnt.
    if sides["chosen"] == sides["rejected"]:
        raise DataError(f"{where}: rejected", "the same text as chosen", "two different answers")
    return Preference(prompt=prompt, **sides, **common)


def _pair(where: str, row: dict[str, Any]) -> tuple[str, str]:
    if "messages" in row:
        return _turns(f"{where}: messages", row["messages"], need_user=True)
    for key in ("completion", "response"):
        if key in row and "prompt" in row:
            value = row[key]
            if isinstance(value, list):
                value = _turns(f"{where}: {key}", value, need_user=False)[1]
            return _prompt(where, row["prompt"]), _text_at(where, key, value)
    if "instruction" in row and "output" in row:
        prompt = _text_at(where, "instruction", row["instruction"])
        if row.get("input"):
            prompt += "\n\n" + _text_at(where, "input", row["input"])
        return prompt, _text_at(where, "output", row["output"])
    for key in ("answer", "expected"):
        if "question" in row and key in row:
            return _text_at(where, "question", row["question"]), _text_at(where, key, row[key])
    if "text" in row:
        match = _ALPACA.match(_text_at(where, "text", row["text"]))
        if match is None:
            raise DataError(
                f"{where}: text", f"{row['text'][:60]!r}", "'### Instruction:' and '### Response:'"
            )
        return _joined(match), _text_at(where, "text, after '### Response:'", match["response"])
    raise DataError(
        where, f"the keys {', '.join(sorted(row)) or '(none)'}", " or ".join(SHAPES),
        hint="'conversations' of {from, value}: make them messages of {role, content}, one exchange a row"
        if "conversations" in row else "",
    )  # fmt: skip


def _names(where: str, key: str, value: Any) -> tuple[str, ...]:
    """A list of names; in CSV, which has no lists, written as JSON."""
    if isinstance(value, str):
        value = parse_json(value, f"{where}: {key}")
    if value is not None and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
        raise DataError(f"{where}: {key}", f"{value!r:.60}", "a list of names")
    return tuple(value or ())


def _prompt(where: str, value: Any) -> str:
    if isinstance(value, list):
        # A prompt as messages lacks the answer that ends an exchange; a stand-in lets one check serve both.
        return _turns(f"{where}: prompt", [*value, {"role": "assistant", "content": "."}], need_user=True)[0]
    return instruction_of(_text_at(where, "prompt", value))


def instruction_of(prompt: str) -> str:
    """A prompt without the Alpaca headings that some files wrap it in; the recipe's template adds its own."""
    match = _ALPACA.match(prompt)
    return _joined(match) if match is not None and not match["response"].strip() else prompt


def _joined(match: re.Match[str]) -> str:
    instruction, context = match["instruction"].strip(), (match["input"] or "").strip()
    return f"{instruction}\n\n{context}" if context else instruction


def _text_at(where: str, key: str, value: Any) -> str:
    if not isinstance(value, str):
        problem = "the key is missing" if value is ABSENT else "null" if value is None else f"{value!r:.60}"
        raise DataError(f"{where}: {key}", problem, "text")
    # Spaces of no width are no text either.
    if not any(sign.isprintable() and not sign.isspace() for sign in value):
        raise DataError(f"{where}: {key}", f"empty text {value[:20]!r}", "text")
    return value.strip()


def _turns(where: str, messages: Any, *, need_user: bool) -> tuple[str, str]:
    """(prompt, answer) of one exchange; a system message stands before the user's, apart by a blank line."""
    if not isinstance(messages, list) or not all(isinstance(m, dict) for m in messages):
        raise DataError(where, f"{messages!r:.60}", "a list of {role, content}")
    roles = [m.get("role") for m in messages]
    if any(m.get("tool_calls") or m.get("function_call") for m in messages):
        raise DataError(where, "a call of a tool", "messages of text alone", hint="take such rows out")
    allowed = (["user", "assistant"], ["system", "user", "assistant"])
    if roles not in allowed and (need_user or roles != ["assistant"]):
        raise DataError(
            where, f"the roles {', '.join(map(str, roles)) or '(none)'}",
            "one exchange: (system,) user, assistant",
            hint="split a longer conversation into one row per answer",
        )  # fmt: skip
    texts = [_text_at(where, f"{m['role']} content", m.get("content", ABSENT)) for m in messages]
    return "\n\n".join(texts[:-1]), texts[-1]
