"""Questions, training texts and preference pairs from a lab's slots, one at a time.

Each split has wordings of its own, so that no test question is a training question with another name in it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator
from typing import Any

from biorlhf.ground_truth import block, gold_answer, instruction
from biorlhf.types import Example, Preference, Question
from biorlhf_plugins.datasets.tables import enrichment
from biorlhf_plugins.datasets.tables.config import LabConfig, LabTable
from biorlhf_plugins.datasets.tables.measured import FILTERED, NO_COUNTS, OUTLIER
from biorlhf_plugins.datasets.tables.slots import (
    DOWN,
    NOT_TESTED,
    NS,
    SPLITS,
    TEST,
    UP,
    Loaded,
    Slots,
    chunks,
)
from biorlhf_plugins.language import Additions
from biorlhf_plugins.language.words.lexicon import with_additions
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import clean, tokens
from biorlhf_plugins.making.parquet import Made

WORDINGS = (
    (
        "In {where}, is {subject} up, down or not significantly changed in {num} relative to {den}?",
        "Relative to {den}, how does {subject} stand in {num} in {where}: up, down, or neither?",
        "When {num} is set against {den}, which way does {subject} go in {where}, if it changes at all?",
        "Is there a significant change of {subject} in {where} for {num} against {den}: is it up or down?",
    ),
    ("Does {subject} differ between {num} and {den} in {where}, and if so, is it up or down in {num}?",),
    ("What does comparing {num} with {den} say of {subject} in {where}: up, down or not significant?",),
)
EFFECT_NAMES = {"gene": "log2 fold change", "protein": "log2 fold change", "pathway": "NES"}
SUBJECTS = {"gene": "gene", "protein": "protein", "pathway": "gene set"}
UNTESTED = {
    FILTERED: "its counts were too low, and it was filtered out",
    OUTLIER: "one sample was an outlier, and no p was computed",
    NO_COUNTS: "it had no counts",
}
FAMILIES = {UP: "direction", DOWN: "direction", NS: "not_significant", NOT_TESTED: "not_tested"}
CHOICES = ("UP", "DOWN", "NS")
LABELS = {UP: "UP", DOWN: "DOWN", NS: "NS"}
CONFIDENCE = {UP: (85, 90, 95), DOWN: (85, 90, 95), NS: (80, 85, 90), NOT_TESTED: (5, 10, 15)}


def items(config: LabConfig, slots: Slots) -> Iterator[Made]:
    """One item per kept slot, in the order of the tables and their rows; of sets that were tested for
    over-representation also pairs. Nothing but a chunk of rows is held in memory."""
    for one, _, columns in chunks(slots):
        keys = tuple(columns)
        rows = [dict(zip(keys, values, strict=True)) for values in zip(*columns.values(), strict=True)]
        for row in rows:
            yield _item(config, one, row)
        if one.results.tool.over_representation:
            for enriched, other in enrichment.pairs(rows):
                yield _of_two(config, one, enriched, other)


def _key(spec: LabTable, row: dict[str, Any]) -> tuple[str, int]:
    """What a slot is called, and a number that chooses its wording."""
    of = f"over_representation_{spec.genes}" if spec.genes else spec.contrast.name
    parts = (row["tissue"], row["condition"], row["mission"], row["db"], of, row["id"])
    key = "|".join(parts)
    return key, int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big")


def _item(config: LabConfig, one: Loaded, row: dict[str, Any]) -> Made:
    spec, about, code = one.spec, one.results.tool.of, row["direction"]
    key, pick = _key(spec, row)
    words = {
        "subject": _subject(about, row), "where": _where(row),
        "num": spec.contrast.numerator, "den": spec.contrast.denominator,
    }  # fmt: skip
    family, wrong = FAMILIES[code], None
    wordings: tuple[tuple[str, ...], ...] = WORDINGS
    if one.results.tool.over_representation:
        words["list"], wordings = enrichment.tested_list(spec), enrichment.WORDINGS
        family = FAMILIES[code] if code == NOT_TESTED else "enrichment"
        truth = enrichment.truth(code, row)
        prose = enrichment.answer(words, code, _p(one, row["adjusted"]))
        if code != NOT_TESTED:
            turned = NS if code == UP else UP
            padj = spec.thresholds.padj * (0.02 + 0.9 * row["adjusted"] ** 2)
            figures = _p(one, padj) if turned == UP else "adjusted p 0.6"
            wrong = enrichment.answer(words, turned, figures), enrichment.ANSWERS[turned]
    else:
        truth = _ground_truth(spec, about, row)
        prose = _answer(words, one, code, row["effect"], row["adjusted"], row["why"])
        if code != NOT_TESTED:
            changed = _perturb(code, row["effect"], row["adjusted"], spec)
            wrong = _answer(words, one, *changed), LABELS[changed[0]]
    texts = wordings[row["split"]]
    wording = pick % len(texts)
    return _made(
        config, one, row, (key,), family, wording, texts[wording].format(**words), truth, prose, wrong,
        # Other bits than those that chose the wording, so that the two do not go together.
        CONFIDENCE[code][(pick >> 8) % 3],
    )  # fmt: skip


def _of_two(config: LabConfig, one: Loaded, enriched: dict[str, Any], other: dict[str, Any]) -> Made:
    """Which of an enriched set and one that is not: neither yes nor the first one is always right."""
    (key, pick), (key_other, _) = _key(one.spec, enriched), _key(one.spec, other)
    names = [enriched["label"], other["label"]]
    first, second = names if pick & 1 else reversed(names)
    words = {"list": enrichment.tested_list(one.spec), "where": _where(enriched)}
    prompt = enrichment.OF_TWO[enriched["split"]].format(first=first, second=second, **words)
    truth = {"answer": names[0], "choices": [first, second], "tissue": enriched["tissue"]}
    if enriched["label"] != enriched["id"]:
        truth["aliases"] = [enriched["id"]]
    texts = [
        f"The set that is enriched among the genes {words['list']} in {words['where']} is {n}." for n in names
    ]
    return _made(
        config, one, enriched, (key, key_other), "enrichment_of_two", 0, prompt, truth, texts[0],
        (texts[1], names[1]), CONFIDENCE[UP][(pick >> 8) % 3],
    )  # fmt: skip


def _asked(truth: dict[str, Any]) -> tuple[str, str]:
    """The gold behind "Answer:", and the instruction. Of a direction, both are the same for all genes of a
    contrast, and a lab's tables have very many."""
    if "direction" in truth:
        return _asked_direction(truth["direction"], truth["contrast"])
    return gold_answer(truth), instruction(truth)


@functools.cache
def _asked_direction(direction: str, contrast: str) -> tuple[str, str]:
    truth = {"pathway": "a", "direction": direction, "contrast": contrast, "choices": list(CHOICES)}
    return gold_answer(truth), instruction(truth)


def _made(
    config: LabConfig, one: Loaded, row: dict[str, Any], keys: tuple[str, ...], family: str, wording: int,
    prompt: str, truth: dict[str, Any], prose: str, wrong: tuple[str, str] | None, confidence: int,
) -> Made:  # fmt: skip
    """The question, and where its split may be learnt from the text and the pair of it."""
    spec, split, name = one.spec, row["split"], "||".join(keys)
    gold, asked = _asked(truth)
    answer = f"{prose}\n{block(gold, confidence)}"
    common = {
        "kind": family, "source": spec.file, "split": SPLITS[split],
        "split_group": f"{row['tissue']}|{row['id']}", "instruction": asked,
        "fact_ids": tuple(f"{config.name}:{key}" for key in keys),
    }  # fmt: skip
    question = Question(
        id=f"{config.name}:{name}", prompt=prompt, ground_truth=truth, answer=answer,
        tissue=row["tissue"], difficulty=_difficulty(spec, row), family=family, **common,
    )  # fmt: skip
    label = LABELS.get(row["direction"]) if family in FAMILIES.values() else truth.get("answer")
    details = {
        "template_id": f"{family}:{SPLITS[split]}:{wording}", "condition": row["condition"] or None,
        "mission": row["mission"] or None, "pathway": row["id"], "db": row["db"] or None,
        "direction": truth.get("direction"), "expected_value": label,
        "contrast_numerator": spec.contrast.numerator, "contrast_denominator": spec.contrast.denominator,
        "padj_threshold": spec.thresholds.padj, "source_sha256": one.sha256, "licence": config.licence,
    }  # fmt: skip
    if split == TEST:
        return Made(question, None, None, details)
    example = Example(id=f"{question.id}:sft", prompt=prompt, response=answer, **common)
    preference = None
    if wrong is not None:
        preference = Preference(
            id=f"{question.id}:dpo", prompt=prompt, chosen=answer,
            rejected=f"{wrong[0]}\n{block(wrong[1], confidence)}", **common,
        )  # fmt: skip
    return Made(question, example, preference, details)


def _subject(about: str, row: dict[str, Any]) -> str:
    name = row["id"] if row["label"] == row["id"] else f"{row['label']} ({row['id']})"
    return f"the {SUBJECTS[about]} {name}"


def _where(row: dict[str, Any]) -> str:
    place = row["tissue"] + (f" ({row['mission']})" if row["mission"] else "")
    # "Under spaceflight" beside "flight against ground" would say one side of the contrast twice.
    tells_more = row["condition"] and not any(kind == "frame" for kind, _ in _roles(row["condition"]))
    return f"{place} under {row['condition']}" if tells_more else place


def _answer(words: dict[str, str], one: Loaded, code: int, effect: float, padj: float, why: str = "") -> str:
    subject = words["subject"][0].upper() + words["subject"][1:]
    num, den, where = words["num"], words["den"], words["where"]
    if code == NOT_TESTED:
        reason = f" ({UNTESTED[why]})" if why else ""
        text = f"The data cannot say: {words['subject']} was not tested for {num} against {den} in {where}"
        return f"{text}{reason}."
    figures = _p(one, padj)
    # A sign is read in the frame treated minus control; with a control in front it would mislead. A score
    # has a direction, and no size that means anything elsewhere.
    if not is_control(num) and one.spec.effect_is != "score":
        figures = f"{EFFECT_NAMES[one.results.tool.of]} {effect:+.2f}, {figures}"
    if code == NS:
        return f"{subject} does not change significantly between {num} and {den} in {where} ({figures})."
    turn = "up" if code == UP else "down"
    return f"{subject} is {turn} in {num} relative to {den} in {where} ({figures})."


def _p(one: Loaded, padj: float) -> str:
    # A p of 0 is one that is smaller than the file can say.
    return f"adjusted p {padj:.2g}" if padj else f"adjusted p below {one.smallest:.2g}"


@functools.cache
def is_control(group: str) -> bool:
    """Whether a group's name is one of a control: ground, vehicle, sham, untreated."""
    named = any(role in (("frame", "GROUND"), ("treatment", "vehicle")) for role in _roles(group))
    return named or "sham" in group.lower()


@functools.cache
def _roles(name: str) -> tuple[tuple[str, object], ...]:
    mentions = scan(tokens(clean(name).text), with_additions(Additions()))
    return tuple((mention.kind, mention.value) for mention in mentions)


def _perturb(code: int, effect: float, padj: float, spec: LabTable) -> tuple[int, float, float]:
    """A wrong answer that agrees with itself: the opposite direction with its sign; for not significant,
    the direction of its sign with an adjusted p below the threshold."""
    if code == NS:
        return (UP if effect > 0 else DOWN), effect, spec.thresholds.padj * (0.02 + 0.9 * padj**2)
    return (DOWN if code == UP else UP), -effect, padj


def _ground_truth(spec: LabTable, about: str, row: dict[str, Any]) -> dict[str, Any]:
    tested = row["direction"] != NOT_TESTED
    truth: dict[str, Any] = {"answerable": tested, "contrast": spec.contrast.name, "choices": list(CHOICES)}
    if not tested:
        return {**truth, "form": "direction"}
    if about == "pathway":
        truth |= {"pathway": row["id"]}
    else:
        truth |= {"feature": row["label"], "kind": about}
        if row["label"] != row["id"]:
            # An answer may give the accession in place of the symbol.
            truth["aliases"] = [row["id"]]
    truth |= {key: row[key] for key in ("tissue", "mission", "db") if row[key]}
    # No answer has to state them; one that does is held to them.
    figures = {"padj": row["adjusted"]}
    if spec.effect_is != "score":
        figures["nes" if about == "pathway" else "log2fc"] = row["effect"]
    return {**truth, "direction": LABELS[row["direction"]], "figures": figures}


def _difficulty(spec: LabTable, row: dict[str, Any]) -> str:
    """Near the threshold is hard; far from it is easy."""
    if row["direction"] == NOT_TESTED:
        return "medium"
    ratio = row["adjusted"] / spec.thresholds.padj
    if 0.5 <= ratio <= 2:
        return "hard"
    return "easy" if ratio < 0.02 or ratio > 10 else "medium"
