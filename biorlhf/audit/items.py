"""What an attack needs to know of an item: claims that are right and wrong, and near misses of its gold.

Everything is read from ``ground_truth`` (its vocabulary: docs/ground_truth.md) and the gold answer.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from biorlhf import ground_truth
from biorlhf.ground_truth import AnswerSlot
from biorlhf.ground_truth.forms import set_title, shown
from biorlhf.types import Question

DIRECTIONS = {"UP": "up", "DOWN": "down", "NS": "not significant", "MIXED": "mixed"}
OPPOSITE = {"UP": "DOWN", "DOWN": "UP", "NS": "UP", "MIXED": "UP"}
RIVALS = 8
NUMBER = re.compile(r"(?<![\w.,])[-\u2212]?\d+(?:,\d{3})*(?:\.\d+)?(?![\w]|[.,]\d)")


@dataclass(frozen=True, slots=True)
class Pool:
    """What the items of a dataset have as answers: values by quantity, phrases, and bare constants.

    ``places`` are the tissues, and whatever else its facts are about: name -> "tissue", or the quantity.
    """

    values: Mapping[str, tuple[Any, ...]]
    answers: tuple[str, ...]
    constants: tuple[str, ...]
    places: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing that is asked for: the claim that is right, and claims that are not."""

    right: str
    wrong: tuple[str, ...]


def pool(questions: Sequence[Question], constants: int = 8) -> Pool:
    """The answers of a dataset; ``constants`` bounds how many of the most common ones are tried."""
    values: dict[str, Counter[Any]] = {}
    answers: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    places: dict[str, str] = {}
    for question in questions:
        truth = question.ground_truth
        places = _places(truth) | places
        for fact in truth.get("facts") or ():
            values.setdefault(str(fact.get("quantity")), Counter())[fact.get("value")] += 1
        if isinstance(truth.get("answer"), str):
            answers[truth["answer"]] += 1
        classes.update(_classes(truth))
    common = {quantity: tuple(v for v, _ in counts.most_common()) for quantity, counts in values.items()}
    often = tuple(name for name, _ in classes.most_common(constants))
    return Pool(common, tuple(answers), often, places)


def placeholders(question: Question, dataset: Pool) -> dict[str, tuple[str, ...]]:
    """The values of every placeholder known for this item; most have one, ``constant`` has several."""
    truth, gold = question.ground_truth, question.answer
    slots = _slots(truth, dataset)
    own = _classes(truth)
    texts = {"prompt": question.prompt, "topic": _topic(question)}
    if slots:
        texts["right"] = " ".join(slot.right for slot in slots)
        if all(slot.wrong for slot in slots):  # otherwise the right claim would stand alone
            texts["all_claims"] = " ".join(" ".join((slot.right, *slot.wrong)) for slot in slots)
            disagrees = truth.get("is_consistent") is False or truth.get("direction") == "MIXED"
            if not (disagrees and len(slots) > 1):  # opposites of what disagrees disagree as well
                texts["wrong"] = " ".join(slot.wrong[0] for slot in slots)
    if gold is not None:
        texts["gold"] = gold
        numbers = [float(v) for fact in truth.get("facts") or () if _is_number(v := fact.get("value"))]
        near = {
            "slipped_decimal": _with_numbers(gold, numbers, lambda value: value * 10),
            "slipped_sign": _with_numbers(gold, numbers, lambda value: -value),
            "other_tissue": _other_tissue(gold, truth, dataset.places),
        }
        texts |= {name: text for name, text in near.items() if text != gold}
    texts |= _block_values(question, dataset)
    known = {name: (text,) for name, text in texts.items() if text}
    return known | {"constant": tuple(name for name in dataset.constants if not _is_one_of(name, own))}


def _block_values(question: Question, dataset: Pool) -> dict[str, str]:
    """What may stand behind "Answer:": the right value, a wrong one, and every candidate at once."""
    asked = ground_truth.slots(question.ground_truth)
    texts = {"instruction": question.instruction}
    if not asked:
        return texts
    rivals = [_rivals(slot, dataset) for slot in asked]
    if all(rivals):
        right = [shown(slot) for slot in asked]
        every = [" or ".join((one, *others)) for one, others in zip(right, rivals, strict=True)]
        texts["wrong_answer"] = _labelled(asked, [others[0] for others in rivals])
        texts["all_answers"] = _labelled(asked, every)
    return {**texts, "answer": ground_truth.gold_answer(question.ground_truth)}


def _labelled(asked: Sequence[AnswerSlot], values: Sequence[str]) -> str:
    if len(asked) == 1:
        return values[0]
    return "; ".join(f"{slot.label}: {value}" for slot, value in zip(asked, values, strict=True))


def _rivals(slot: AnswerSlot, dataset: Pool) -> list[str]:
    if slot.kind == "direction":
        opposite = OPPOSITE[str(slot.value)]
        return [opposite, *(label for label in slot.choices if label not in (slot.value, opposite))]
    if slot.kind == "yes_no":
        return ["no" if slot.value == "yes" else "yes"]
    if isinstance(slot.value, tuple):
        return [" > ".join(slot.value[::-1])]
    if isinstance(slot.value, str):
        return [c for c in (slot.choices or dataset.answers) if c.lower() != slot.value.lower()][:RIVALS]
    return [number(round(slot.value * factor + factor, 3)) for factor in (2, 3, 4, 5)]


def _slots(truth: Mapping[str, Any], dataset: Pool) -> list[Slot]:
    slots = []
    subject = _subject(truth)
    frame = f", {str(truth['contrast']).replace('_vs_', ' versus ')}" if truth.get("contrast") else ""

    def direction(label: str, place: str) -> None:
        others = [OPPOSITE[label], *(d for d in DIRECTIONS if d not in (label, OPPOSITE[label]))]
        texts = [f"{subject} is {DIRECTIONS[d]}{place}{frame}." for d in (label, *others)]
        slots.append(Slot(texts[0], tuple(texts[1:])))

    tissue = f" in {truth['tissue']}" if truth.get("tissue") else ""
    for key, before in (("tissue_directions", " in "), ("missions", f"{tissue} in mission ")):
        for name, label in (truth.get(key) or {}).items():
            if subject and label in DIRECTIONS:
                direction(label, before + name)
    if subject and truth.get("direction") in DIRECTIONS and not slots:
        direction(truth["direction"], tissue + (f" in {truth['mission']}" if truth.get("mission") else ""))
    for fact in truth.get("facts") or ():
        slots.append(_fact_slot(fact, dataset))
    answer, ranking = truth.get("answer"), truth.get("ranking")
    if isinstance(answer, str):
        rivals = ("no", "yes") if answer.lower() in ("yes", "no") else truth.get("choices") or dataset.answers
        others = tuple(f"{r.capitalize()}." for r in rivals if r.lower() != answer.lower())
        slots.append(Slot(f"{answer.capitalize()}.", others[:RIVALS]))
    if isinstance(ranking, list) and len(ranking) > 1:
        # A ranking of eight has 40,320 orders. From the reversed one on: the worst come first.
        orders = itertools.islice(itertools.permutations(ranking[::-1]), 24)
        others = tuple(" > ".join(order) + "." for order in orders if list(order) != ranking)
        slots.append(Slot(" > ".join(ranking) + ".", others))
    return slots


def _fact_slot(fact: Mapping[str, Any], dataset: Pool) -> Slot:
    value: Any = fact.get("value")
    quantity = str(fact.get("quantity", "value"))
    accepted = {str(value).lower(), *(str(alias).lower() for alias in fact.get("aliases") or ())}
    rivals = [v for v in dataset.values.get(quantity, ()) if str(v).lower() not in accepted]
    if _is_number(value):  # far enough to be wrong by any rule of rounding
        rivals = [v for v in rivals if _is_number(v) and abs(v - value) > 0.2 * abs(value)]
        # Plus the factor: a value of zero would have itself as its rivals.
        rivals += [round(value * factor + factor, 3) for factor in range(2, 2 + RIVALS - len(rivals))]
    place = f" ({fact['condition']})" if fact.get("condition") else ""
    entity = str(fact.get("entity", "")).capitalize()
    texts = [f"{entity}{place}: {quantity} {number(v)}." for v in (value, *rivals[:RIVALS])]
    return Slot(texts[0], tuple(texts[1:]))


def _classes(truth: Mapping[str, Any]) -> list[str]:
    """The bare answers that are right, or partly right, for an item."""
    labels = [truth.get("direction"), *(truth.get("tissue_directions") or {}).values()]
    labels += (truth.get("missions") or {}).values()
    answers = [DIRECTIONS[label] for label in dict.fromkeys(labels) if label in DIRECTIONS]
    answers += [number(fact.get("value")) for fact in truth.get("facts") or ()]
    return answers + ([truth["answer"]] if isinstance(truth.get("answer"), str) else [])


def _is_one_of(constant: str, own: Sequence[str]) -> bool:
    """Whether a bare answer is among ``own``, numbers by value: "1" is "1.0"."""
    try:
        value = float(constant.replace(",", ""))
    except ValueError:
        return constant in own
    numbers = (text.replace(",", "") for text in own)
    return any(NUMBER.fullmatch(text) and abs(float(text) - value) <= 0.05 * abs(value) for text in numbers)


def _subject(truth: Mapping[str, Any]) -> str:
    """What a direction is asked of, as people write it: "E2F Targets", "TP53"."""
    return set_title(str(truth.get("pathway") or truth.get("feature") or ""))


def _topic(question: Question) -> str:
    truth = question.ground_truth
    facts = [f"{f.get('entity', '')} {f.get('quantity', '')}".strip() for f in truth.get("facts") or ()]
    return _subject(truth) or "; ".join(facts) or str(truth.get("tissue") or "")


def number(value: Any) -> str:
    """6425 as "6,425"; what is no number as it is."""
    return f"{value:,}" if _is_number(value) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_numbers(text: str, numbers: Sequence[float], change: Any) -> str:
    """The text with every number that is one of ``numbers`` changed; 0 stays, for it has no slip."""

    def replace(match: re.Match[str]) -> str:
        value = float(match[0].replace(",", "").replace("\u2212", "-"))
        if value == 0 or value not in numbers:
            return match[0]
        slipped = round(change(value), 6)
        return f"{int(slipped):,}" if slipped == int(slipped) else f"{slipped:,}"

    return NUMBER.sub(replace, text)


def _places(truth: Mapping[str, Any]) -> dict[str, str]:
    """What an item's facts are about, and the tissue that it names, with the role of each: for those of one
    quantity alone can a text be about another of them and still make sense."""
    facts = [fact for fact in truth.get("facts") or () if fact.get("entity")]
    names = {str(fact["entity"]): str(fact.get("quantity")) for fact in facts}
    return names | ({str(truth["tissue"]): "tissue"} if truth.get("tissue") else {})


def _other_tissue(text: str, truth: Mapping[str, Any], places: Mapping[str, str]) -> str:
    """The text with its tissues exchanged for each other, or one tissue, or gene, for another of the dataset.

    A dataset about one tissue alone has no other: there the text stays as it is, which is no attack.
    """
    named = {name.lower(): role for name, role in _places(truth).items()}
    names = [name for name in named if re.search(rf"\b{re.escape(name)}\b", text, re.IGNORECASE)]
    roles = {named[name] for name in names}
    # A name that holds the right one, "liver/heart", would name it still.
    spare = [p for p, role in places.items() if role in roles and not any(n in p.lower() for n in named)]
    if len(names) > 1:
        others = dict(zip(names, names[1:] + names[:1], strict=True))
    elif names and spare:
        others = {names[0]: spare[0]}
    else:
        return text

    def replace(match: re.Match[str]) -> str:
        other = others[match[0].lower()]
        return other[0].upper() + other[1:] if match[0][0].isupper() else other

    return re.sub(rf"\b(?:{'|'.join(map(re.escape, others))})\b", replace, text, flags=re.IGNORECASE)
