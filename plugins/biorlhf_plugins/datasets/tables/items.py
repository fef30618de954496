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
    """One item per kept slot, in the order of the tables and their rows. Nothing is held in memory."""
    for one, _, columns in chunks(slots):
        keys = tuple(columns)
        for values in zip(*(columns[key] for key in keys), strict=True):
            row = dict(zip(keys, values, strict=True))
            yield _item(config, one, row)


def _item(config: LabConfig, one: Loaded, row: dict[str, Any]) -> Made:
    spec, about, sha256 = one.spec, one.results.tool.of, one.sha256
    key = "|".join(
        (row["tissue"], row["condition"], row["mission"], row["db"], spec.contrast.name, row["id"])
    )
    pick = int.from_bytes(hashlib.blake2b(key.encode(), digest_size=4).digest(), "big")
    code, split = row["direction"], row["split"]
    words = {
        "subject": _subject(about, row), "where": _where(row),
        "num": spec.contrast.numerator, "den": spec.contrast.denominator,
    }  # fmt: skip
    wording = pick % len(WORDINGS[split])
    prompt = WORDINGS[split][wording].format(**words)
    # Other bits than those that chose the wording, so that the two do not go together.
    confidence = CONFIDENCE[code][(pick >> 8) % 3]
    truth = _ground_truth(spec, about, row)
    prose = _answer(words, one, code, row["effect"], row["adjusted"], row["why"])
    answer = f"{prose}\n{block(gold_answer(truth), confidence)}"
    common = {
        "kind": FAMILIES[code], "source": spec.file, "split": SPLITS[split],
        "split_group": f"{row['tissue']}|{row['id']}", "fact_ids": (f"{config.name}:{key}",),
        "instruction": instruction(truth),
    }  # fmt: skip
    question = Question(
        id=f"{config.name}:{key}", prompt=prompt, ground_truth=truth, answer=answer,
        tissue=row["tissue"], difficulty=_difficulty(spec, row), family=FAMILIES[code], **common,
    )  # fmt: skip
    details = {
        "template_id": f"{FAMILIES[code]}:{SPLITS[split]}:{wording}", "condition": row["condition"] or None,
        "mission": row["mission"] or None, "pathway": row["id"], "db": row["db"] or None,
        "direction": LABELS.get(code),
        "contrast_numerator": spec.contrast.numerator, "contrast_denominator": spec.contrast.denominator,
        "padj_threshold": spec.thresholds.padj, "source_sha256": sha256, "licence": config.licence,
        "expected_value": LABELS.get(code),
    }  # fmt: skip
    if split == TEST:
        return Made(question, None, None, details)
    example = Example(id=f"{question.id}:sft", prompt=prompt, response=answer, **common)
    preference = None
    if code != NOT_TESTED:
        changed = _perturb(code, row["effect"], row["adjusted"], spec)
        wrong, other = _answer(words, one, *changed), LABELS[changed[0]]
        preference = Preference(
            id=f"{question.id}:dpo", prompt=prompt, chosen=answer,
            rejected=f"{wrong}\n{block(other, confidence)}", **common,
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


def _answer(
    words: dict[str, str], one: Loaded, code: int, effect: float, padj: float, why: str = ""
) -> str:
    subject = words["subject"][0].upper() + words["subject"][1:]
    num, den, where = words["num"], words["den"], words["where"]
    if code == NOT_TESTED:
        reason = f" ({UNTESTED[why]})" if why else ""
        text = f"The data cannot say: {words['subject']} was not tested for {num} against {den} in {where}"
        return f"{text}{reason}."
    # A p of 0 is one that is smaller than the file can say.
    figures = f"adjusted p {padj:.2g}" if padj else f"adjusted p below {one.smallest:.2g}"
    # A sign is read in the frame treated minus control; with a control in front it would mislead. A score
    # has a direction, and no size that means anything elsewhere.
    if not is_control(num) and one.spec.effect_is != "score":
        figures = f"{EFFECT_NAMES[one.results.tool.of]} {effect:+.2f}, {figures}"
    if code == NS:
        return f"{subject} does not change significantly between {num} and {den} in {where} ({figures})."
    turn = "up" if code == UP else "down"
    return f"{subject} is {turn} in {num} relative to {den} in {where} ({figures})."


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
