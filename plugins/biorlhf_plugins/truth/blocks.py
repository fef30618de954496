"""Grading the answer block, slot by slot, against what the ground truth asks for.

Per slot, of k candidates that the block gives for it, a right one counts 1/k; a mismatch counts 0. What
the block's grammar does not read is *unread*: no answer in that slot, with the reason in the details.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from biorlhf.ground_truth import AnswerSlot
from biorlhf.ground_truth.forms import set_title
from biorlhf_plugins.language.block import (
    Block,
    Reading,
    abstains,
    read_direction,
    read_figure,
    read_names,
    read_yes_no,
)
from biorlhf_plugins.language.block.labels import foreign, labelled
from biorlhf_plugins.language.block.values import Figure
from biorlhf_plugins.language.words.lexicon import pathway_phrases, words
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.truth.credits import shared
from biorlhf_plugins.truth.free.answers import concordance
from biorlhf_plugins.truth.graded import Graded
from biorlhf_plugins.truth.stated import figure_credit

Names = Callable[[str], Any]
Kinds = Callable[[str], tuple[str, Any] | None]
Sides = tuple[Sequence[str], Sequence[str]]
# Around a class they tell no class from another: "Type A response" is A.
FILLERS = vocabulary("type subtype class pattern response tissue group cluster is it the like")

CLASSES = vocabulary(
    "gene protein enzyme kinase receptor cytokine chemokine hormone metabolite phylum genus species family"
    " order taxon strain isolate compound drug antibiotic antibody ligand transcription factor cell line"
    " organ variety cultivar mutant allele locus variant pathway metal ion amino acid"
)
"""Before a name they say what it is of: "the phylum Firmicutes"."""


@dataclass(frozen=True, slots=True)
class BlockGrades:
    """V1's and V2's grading of one block; None where the ground truth asks nothing of it.

    ``abstains``: the block says that the data cannot tell. ``unread`` holds the reasons of what was not read.
    """

    factual: Graded | None
    directional: Graded | None
    abstains: bool
    unread: tuple[str, ...]


def grade_block(
    asked: Sequence[AnswerSlot],
    block: Block,
    sides: Sides,
    places: Sequence[str],
    kind_of: Kinds,
    prompt: str = "",
) -> BlockGrades:
    """Grade a block.

    Args:
        asked: the slots of the ground truth.
        block: the last block of the text.
        sides: names of the contrast's numerator, and of its denominator.
        places: names of the tissue that the question is about; one may stand beside a direction.
        kind_of: a name's kind and what it stands for, with the dataset's synonyms; None for no name.
        prompt: the question; a name that it has may stand before a figure.
    """
    # Before the slots are read, so that none of them takes "cannot be determined" for a name.
    if abstains(block.value):
        return BlockGrades(missed(asked, True), missed(asked, False), True, ())

    def canonical(name: str) -> Any:
        kind = kind_of(name)
        return kind[1] if kind else None

    readings = _read(asked, block.value, sides, places, canonical)
    if len(asked) == 1 and asked[0].kind == "figure" and (label := labelled(block.value)[0]):
        # A single slot needs no label: the block's value is its answer, unless it is of another name.
        other = foreign(label, asked[0].names, prompt, kind_of)
        readings = (
            [Reading(problem=f"a figure of {other!r:.40}, which was not asked for")] if other else readings
        )
    factual, directional = Graded(), Graded()
    for slot, one in zip(asked, readings, strict=True):
        _grade(slot, one, block.span, factual if slot.factual else directional, canonical)
    directed = [slot for slot in asked if not slot.factual]
    directional.weigh([c for c, s in zip(directional.credits, directed, strict=True) if s.detail])
    unread = tuple(dict.fromkeys(one.problem for one in readings if one.problem))
    parts = [any(slot.factual for slot in asked), any(not slot.factual for slot in asked)]
    return BlockGrades(factual if parts[0] else None, directional if parts[1] else None, False, unread)


def missed(asked: Sequence[AnswerSlot], factual: bool) -> Graded | None:
    """The grading of one verifier's slots by a text that fills none of them; None where it has no slots."""
    mine = [slot for slot in asked if slot.factual == factual]
    if not mine:
        return None
    graded = Graded(credits=[0.0] * len(mine), guesses=[slot.chance for slot in mine])
    graded.missed = [{"expected": _expected(slot)} for slot in mine]
    return graded


def _read(
    asked: Sequence[AnswerSlot], value: str, sides: Sides, places: Sequence[str], canonical: Names
) -> list[Reading]:
    if not value.strip():
        return [Reading(problem="the answer is empty")] * len(asked)
    if len(asked) == 1:
        # A single slot needs no label: the block's value is its answer.
        return [_one(asked[0], value, sides, places, canonical)]
    readings = [Reading()] * len(asked)
    pieces = [piece for piece in re.split(r"\s*[;\n]\s*", value) if piece.strip()]
    if len(pieces) == 1:
        # A comma before three digits groups thousands: 1,555 is one figure.
        pieces = [p for p in re.split(r"\s*,\s*(?!\d{3}(?!\d))|\s+and\s+", value) if p.strip()]
    labelled = [match for piece in pieces if (match := _slot_of(piece, asked))]
    if not labelled and len(pieces) == len(asked):
        labelled = list(enumerate(pieces))  # bare values, as many as are asked for: in the question's order
    if not labelled:
        return [Reading(problem=f"none of the asked names in {value!r:.60}")] * len(asked)
    for index, rest in labelled:
        had, more = readings[index], _one(asked[index], rest, sides, places, canonical)
        new = [candidate for candidate in more.candidates if candidate not in had.candidates]
        readings[index] = Reading((*had.candidates, *new), had.problem or more.problem)
    return readings


def _slot_of(piece: str, asked: Sequence[AnswerSlot]) -> tuple[int, str] | None:
    """The slot that a piece names, by its longest name, and the piece without that name."""
    best: tuple[int, int, str] | None = None
    piece = re.sub(r"^\s*\d{1,2}[.)]\s+", "", piece)
    for index, slot in enumerate(asked):
        for label in _labels(slot):
            match = _pattern(label).search(piece)
            # The longest, for one asked name may lie inside another.
            if match and (best is None or len(match[0]) > best[0]):
                before, after = piece[: match.start()], piece[match.end() :]
                best = (len(match[0]), index, before if before.strip(" *_`-•(") else after)
    if best is None:
        return None
    rest = best[2].lstrip(" :=*_`)]")
    if not re.match(r"[-\u2212]\d", rest):  # directly before a figure, a dash is its sign
        rest = re.sub(r"^(?:[–—-]+|(?:is|are|was)\b)\s*", "", rest)
    return best[1], re.sub(r"\s+(?:in|for|under|of)(?:\s+the)?\s*$", "", rest).strip()


@functools.lru_cache(maxsize=4096)
def _labels(slot: AnswerSlot) -> tuple[str, ...]:
    names = [slot.label, *slot.names] if slot.kind != "figure" else [slot.label]
    titles = [set_title(name) for name in names]
    shorter = [" ".join(phrase) for name in slot.names if "_" in name for phrase in pathway_phrases(name)]
    return tuple(dict.fromkeys(n for n in (*names, *titles, *shorter) if n))


@functools.lru_cache(maxsize=4096)
def _pattern(label: str) -> re.Pattern[str]:
    # "+" belongs to names here: HU must not be found in HU+IR.
    # A dash behind a space and before digits is a sign: day -1 is not day 1.
    parts = re.findall(r"(?<!\S)-\d[^\s_-]*|[^\s_-]+", label)
    joints = ("", *(r"(?:[\s_]*|-)" if part[0].isdigit() else r"[\s_-]*" for part in parts[1:]))
    loose = "".join(joint + re.escape(part) for joint, part in zip(joints, parts, strict=False))
    return re.compile(rf"(?<![\w+]){loose}(?![\w+])", re.IGNORECASE)


def _one(slot: AnswerSlot, value: str, sides: Sides, places: Sequence[str], canonical: Names) -> Reading:
    if slot.kind == "direction":
        return read_direction(value, sides, (*slot.names, *map(set_title, slot.names), *places))
    if slot.kind == "yes_no":
        return read_yes_no(value)
    if slot.kind == "figure":
        return read_figure(value)
    known = _known(slot, canonical)
    return _order(value, known) if slot.kind == "ranking" else read_names(value, known)


def _known(slot: AnswerSlot, canonical: Names) -> Names:
    """A text's meaning among the slot's own values first, then by the names of the data."""
    values = slot.value if isinstance(slot.value, tuple) else (str(slot.value), *slot.aliases)
    own: dict[tuple[str, ...], Any] = {}
    for text in (*slot.choices, *values):
        for key in (_key(text), _without_fillers(_key(text))):  # "A" says what "Type A" says
            own.setdefault(key, canonical(text) or text.lower())
    for alias in slot.aliases:
        # Over what the lexicon takes the word for: in this question it means the answer.
        own[_key(alias)] = canonical(str(slot.value)) or str(slot.value).lower()

    def look_up(text: str) -> Any:
        key = _key(text)
        found = own.get(key, own.get(_without_fillers(key))) or canonical(text)
        while found is None and len(key) > 1 and key[0] in CLASSES:
            key = key[1:]
            # A number or a letter by itself is another class's as well: "strain 2" is no "line 2".
            found = own.get(key) if len("".join(key)) > 2 else None
        return found

    return look_up


def _key(text: str) -> tuple[str, ...]:
    """The words of a name, without an article before it; "A" by itself is a class, and stays."""
    listed = [word for word in words(text) if word not in ('"', ".")]
    while len(listed) > 1 and listed[0] in ("the", "a", "an"):
        listed.pop(0)
    return tuple(listed)


def _without_fillers(key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in key if word not in FILLERS)


def _order(value: str, known: Names) -> Reading:
    """Names in order, highest first: with ">" or "<" between them, in a list, or numbered."""
    # "soleus (6,425)": figures in brackets are evidence, and their commas separate nothing.
    text = re.sub(r"\s*[(\[][^()\[\]]*[)\]]", "", value.strip().rstrip("."))
    text = re.sub(r"[,;]?\s+(?=\d{1,2}[.)]\s)|[,;]?\s+(?:and\s+)?then\s+", "; ", text)
    # Signs before commas: where both stand, the sign gives the order.
    link = next((mark for mark in (">", "<", "→", ";", ",") if mark in text), ",")
    link = f" {link} " if f" {link} " in text else link  # or "c.35G>A > c.35G>T" would be four names
    parts = [re.sub(r"^\s*\d{1,2}[.)](?!\d)\s*|^\s*and\s+", "", p).strip("= ") for p in text.split(link)]
    parts = [p for part in parts for p in ([part] if known(part) is not None else part.split(" and ")) if p]
    names = [known(part) for part in parts]
    if len(names) < 2 or any(name is None for name in names):
        lost = next((part for part, name in zip(parts, names, strict=False) if name is None), text)
        return Reading((), f"no order of the asked names: {lost!r:.40}")
    if len(set(names)) < len(names):
        return Reading((), f"a name twice in an order: {text!r:.40}")
    return Reading((tuple(names[::-1] if link.strip() == "<" else names),))


def _grade(slot: AnswerSlot, one: Reading, span: tuple[int, int], graded: Graded, canonical: Names) -> None:
    graded.guesses.append(slot.chance)
    expected = _expected(slot)
    if not one.candidates:
        graded.credits.append(0.0)
        graded.missed.append({"expected": expected, **({"why": one.problem} if one.problem else {})})
        if not slot.detail and not slot.factual:
            graded.primary.append(0.0)
        return
    graded.answered = True
    scores = [_score(slot, candidate, canonical) for candidate in one.candidates]
    credit = shared(max(scores), len(scores), slot.chance)
    if slot.kind == "direction" and len(scores) > 1:
        credit = 0.0  # "UP or DOWN" states neither
    graded.credits.append(credit)
    graded.claims.extend(scores if len(scores) == 1 else [credit] * len(scores))
    if not slot.detail and not slot.factual:
        graded.primary.append(credit)
    for candidate, score in zip(one.candidates, scores, strict=True):
        line = {"expected": expected, "found": _shown(candidate), "where": list(span)}
        (graded.matched if score and credit else graded.wrong).append(line)


def _score(slot: AnswerSlot, candidate: Any, canonical: Names) -> float:
    if isinstance(candidate, Figure):
        return figure_credit(candidate, slot)
    if slot.kind == "ranking" and isinstance(slot.value, tuple):
        return concordance(candidate, [canonical(name) or name.lower() for name in slot.value])
    if slot.kind == "phrase":
        return float(candidate == (_known(slot, canonical)(str(slot.value)) or str(slot.value).lower()))
    return float(candidate == slot.value)


def _expected(slot: AnswerSlot) -> str:
    value = " > ".join(slot.value) if isinstance(slot.value, tuple) else str(slot.value)
    unit = f" {slot.unit}" if slot.unit else ""
    return f"{slot.label}: {value}{unit}" if slot.label else f"{value}{unit}"


def _shown(candidate: Any) -> str:
    if isinstance(candidate, Figure):
        return f"{candidate.value:g}{f' {candidate.unit}' if candidate.unit else ''}"
    return " > ".join(map(str, candidate)) if isinstance(candidate, tuple) else str(candidate)
