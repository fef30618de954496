"""The form of an answer: what a ground truth asks for, slot by slot, and the block that states it.

    reasoning as long as it likes
    Answer: DOWN
    Confidence: 80%

A person is told the form by :func:`instruction`; the grader reads it slot by slot. Both follow from the
ground truth alone, and say nothing of the answer: a question that the data cannot answer gives its
``form``, and is asked in the very words of those that they can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from biorlhf.ground_truth.schema import DIRECTIONS, direction_of

Kind = Literal["direction", "figure", "phrase", "yes_no", "ranking"]
CANNOT = "cannot be determined"
OPENING = "End with two lines:\n"
OVERALL = "overall"
_WORDED = {"UP": "UP", "DOWN": "DOWN", "NS": "NS (not significant)", "MIXED": "MIXED"}
_BLOCK = re.compile(r"\s*^Answer: [^\n]*\n(?P<confidence>Confidence: \d+%)\s*\Z", re.MULTILINE)
_ANSWER = re.compile(r"^Answer:[ \t]*(\S[^\n]*)$", re.MULTILINE)
_PREFIX = re.compile(r"^(HALLMARK|KEGG|REACTOME|MITOCARTA|GOBP|GOMF|GOCC|WP)_")


@dataclass(frozen=True, slots=True)
class AnswerSlot:
    """One thing that the answer must state.

    Attributes:
        label: what stands before its value where an answer has several slots: "eye", "HU+IR".
        kind: how its value is read.
        value: the gold: a direction, a number, a text, or names in order (highest first).
        names: the feature, set, entity or mission that it is about, with synonyms.
        choices: the values that are offered; empty where the answer is open.
        unit, quantity: of a figure, as the ground truth gives them; "" where there is none.
        factual: whether V1 grades it; V2 otherwise.
        detail: a part of an overall direction, beside it.
    """

    label: str
    kind: Kind
    value: str | float | tuple[str, ...]
    names: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    unit: str = ""
    quantity: str = ""
    aliases: tuple[str, ...] = ()
    factual: bool = True
    detail: bool = False

    @property
    def chance(self) -> float:
        """What a blind guess earns: 1/k of k choices, 0.2 where the answer is open."""
        if self.kind == "ranking":  # Kendall's correlation, 0 below: of three names' six orders 5/18
            return {2: 0.5, 3: 5 / 18}.get(len(self.choices), 0.2)
        return 1.0 / len(self.choices) if self.choices else 0.2


def slots(truth: Mapping[str, Any]) -> tuple[AnswerSlot, ...]:
    """What an answer must state, in order; empty where the data cannot answer or nothing can be graded."""
    if truth.get("answerable", True) is False:
        return ()
    return (*_fact_slots(truth.get("facts") or ()), *_short_slots(truth), *_direction_slots(truth))


def gradable(truth: Mapping[str, Any]) -> bool:
    """Whether a ground truth says what a right answer is: a slot to fill, or that none can be."""
    return bool(slots(truth)) or truth.get("answerable", True) is False


def instruction(truth: Mapping[str, Any]) -> str:
    """The words that ask for the answer's form. They are the same whatever the answer is."""
    asked = slots(truth)
    if len(asked) > 1:
        shapes = {_shape(slot) for slot in asked}
        parts = [f"{slot.label}: …" for slot in asked]
        shape = "; ".join(parts) + (f" (each {shapes.pop()})" if len(shapes) == 1 else "")
    elif asked:
        shape = _shape(asked[0])
    else:
        shape = _SHAPES[truth.get("form") or "phrase"]
        if truth.get("form") == "direction":
            shape = _either([_WORDED[c] for c in _offered(truth)])
    sides = str(truth.get("contrast") or "").split("_vs_")
    if len(sides) == 2 and (truth.get("form") == "direction" or any(s.kind == "direction" for s in asked)):
        shape += f", in {_words(sides[0])} relative to {_words(sides[1])}"
    return f'{OPENING}Answer: <{shape}; or "{CANNOT}">\nConfidence: <0 to 100%>'


def gold_answer(truth: Mapping[str, Any]) -> str:
    """What stands behind "Answer:" in a right answer.

    Raises:
        ValueError: nothing in the ground truth says what the answer is.
    """
    asked = slots(truth)
    if not asked:
        if truth.get("answerable", True) is False:
            return CANNOT
        raise ValueError("the ground truth states no answer")
    if len(asked) == 1:
        return shown(asked[0])
    return "; ".join(f"{slot.label}: {shown(slot)}" for slot in asked)


def block(answer: str, confidence: int) -> str:
    """The closing lines; ``confidence`` in percent."""
    return f"Answer: {answer}\nConfidence: {confidence}%"


def unblocked(text: str) -> str:
    """A text that ends with a block, without its answer line: "… DEGs. Confidence: 90%"."""
    match = _BLOCK.search(text)
    return f"{text[: match.start()]} {match['confidence']}".strip() if match else text


def last_answer(text: str) -> str:
    """What the last line "Answer: …" of a text gives; "" where there is none.

    For counting what is said. Grading reads a block in any dress: that is the verifiers' work.
    """
    found = _ANSWER.findall(text)
    return str(found[-1]).strip() if found else ""


def split_instruction(asked: str) -> tuple[str, str]:
    """(prompt, instruction) of what a model sees; the instruction is "" where there is none."""
    prompt, mark, rest = asked.rpartition(f"\n\n{OPENING}")
    return (prompt, OPENING + rest) if mark else (asked, "")


def shown(slot: AnswerSlot) -> str:
    """A slot's gold as it is written: 6425 as "6,425", an order with ">"."""
    if isinstance(slot.value, tuple):
        return " > ".join(slot.value)
    if isinstance(slot.value, str):
        return slot.value
    return f"{slot.value:,}" + (f" {slot.unit}" if slot.unit else "")


def set_title(name: str) -> str:
    """A set's name as people write it: HALLMARK_E2F_TARGETS becomes "E2F Targets"."""
    if "_" not in name:
        return name
    words = _PREFIX.sub("", name).split("_")
    return " ".join(word if any(c.isdigit() for c in word) else word.capitalize() for word in words)


_SHAPES = {
    "direction": "UP, DOWN, NS (not significant) or MIXED",
    "figure": "a figure",
    "phrase": "a name or a few words",
    "yes_no": "yes or no",
    "ranking": "names with > between them, highest first",
}


def _shape(slot: AnswerSlot) -> str:
    if slot.kind == "direction":
        return _either([_WORDED[choice] for choice in slot.choices])
    if slot.kind == "ranking":
        return f"{', '.join(sorted(slot.choices))} with > between them, highest first"
    if slot.kind == "phrase" and slot.choices:
        return _either(slot.choices)
    if slot.kind == "figure" and slot.unit:
        return f"a figure in {slot.unit}"
    return _SHAPES[slot.kind]


def _either(options: Sequence[str]) -> str:
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} or {options[-1]}"


def _words(side: str) -> str:
    return side.replace("_", " ")


def _offered(truth: Mapping[str, Any]) -> tuple[str, ...]:
    """One table gives UP, DOWN or NS; several together may be MIXED."""
    given = tuple(c for c in truth.get("choices") or () if c in DIRECTIONS)
    return given or (DIRECTIONS[:3] if truth.get("mission") else DIRECTIONS)


def _fact_slots(facts: Sequence[Mapping[str, Any]]) -> Iterator[AnswerSlot]:
    for fact, label in zip(facts, _fact_labels(facts), strict=True):
        value, quantity = fact["value"], str(fact.get("quantity", ""))
        kind: Kind = "figure" if _is_figure(value) else "phrase"
        choices = tuple(fact.get("choices") or ())
        if kind == "phrase" and (way := direction_of(fact)):
            kind, value = "direction", way
            choices = choices or DIRECTIONS
        names = (str(fact["entity"]), *map(str, fact.get("aliases") or ()))
        yield AnswerSlot(label, kind, value, names, choices, str(fact.get("unit") or ""), quantity)


def _fact_labels(facts: Sequence[Mapping[str, Any]]) -> list[str]:
    """What tells each fact from the others: of entity, condition and quantity those that differ."""
    keys = [k for k in ("entity", "condition", "quantity") if len({str(f.get(k) or "") for f in facts}) > 1]
    return [" ".join(str(f[k]) for k in keys if f.get(k)) for f in facts]


def _short_slots(truth: Mapping[str, Any]) -> Iterator[AnswerSlot]:
    answer, ranking = truth.get("answer"), tuple(map(str, truth.get("ranking") or ()))
    if isinstance(answer, bool):
        answer = "yes" if answer else "no"
    if answer is not None:
        text = str(answer).strip()
        aliases = tuple(map(str, truth.get("aliases") or ()))
        if text.lower() in ("yes", "no"):
            yield AnswerSlot("answer", "yes_no", text.lower(), choices=("yes", "no"))
        elif _is_figure(text):
            yield AnswerSlot("answer", "figure", text)
        else:
            offered = tuple(map(str, truth.get("choices") or ()))
            yield AnswerSlot("answer", "phrase", text, choices=offered, aliases=aliases)
    # Of two names, the first says the order of both: asking twice would be asking the same.
    if ranking and not (len(ranking) == 2 and answer is not None):
        yield AnswerSlot("ranking", "ranking", ranking, choices=ranking)


def _direction_slots(truth: Mapping[str, Any]) -> Iterator[AnswerSlot]:
    offered = _offered(truth)
    name = truth.get("pathway") or truth.get("feature")
    names = tuple(str(n) for n in (name, *(truth.get("aliases") or ())) if n)
    # Sorted, for a JSON object has no order that survives a file.
    parts = dict(sorted({**(truth.get("tissue_directions") or {}), **(truth.get("missions") or {})}.items()))
    if truth.get("direction"):
        yield AnswerSlot(OVERALL if parts else "", "direction", truth["direction"], names, offered,
                         factual=False)  # fmt: skip
    for each, label in parts.items():
        yield AnswerSlot(str(each), "direction", label, (str(each),), offered, factual=False,
                         detail=bool(truth.get("direction")))  # fmt: skip
    rows = [*(truth.get("pathways") or ()), *(truth.get("features") or ())]
    titles = [set_title(str(row.get("pathway") or row.get("feature"))) for row in rows]
    for row, title in zip(rows, titles, strict=True):
        given = str(row.get("pathway") or row.get("feature"))
        place = " ".join(str(row[key]) for key in ("tissue", "mission") if row.get(key))
        label = f"{title} in {place}" if place else given if titles.count(title) > 1 else title
        yield AnswerSlot(label, "direction", row["direction"], (given, *(row.get("aliases") or ())), offered,
                         factual=False)  # fmt: skip


def _is_figure(value: Any) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return True
    text = str(value).strip().replace(",", "").replace("\u2212", "-")
    return bool(re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*%?", text, re.I))
