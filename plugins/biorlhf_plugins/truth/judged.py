"""One completion, judged once: V1's and V2's grading, the abstention and the confidence, for everybody.

The verifiers, the evaluators and ``biorlhf score`` all ask here, so no two of them disagree on an answer.

- A text with an answer block is graded on its last block.
- Where the question asked for a block (``question.instruction``), a text without one gives no answer.
- Where it did not, a text without one, or with one that is not read, is read freely; the details say so.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from biorlhf import Question
from biorlhf.ground_truth import AnswerSlot
from biorlhf_plugins.language.block import Block, abstains, find_block, read_confidence, read_yes_no
from biorlhf_plugins.language.extract import extract
from biorlhf_plugins.language.records import Confidence, Extraction, Span
from biorlhf_plugins.language.visible import without_turns
from biorlhf_plugins.language.words.lexicon import Additions
from biorlhf_plugins.language.words.measured import quantity_named
from biorlhf_plugins.truth.blocks import grade_block, missed
from biorlhf_plugins.truth.contrast import side_names
from biorlhf_plugins.truth.free.directions import grade_directions, grade_told
from biorlhf_plugins.truth.free.facts import grade_facts
from biorlhf_plugins.truth.gold import Gold, gold_of, lab_sides, place_names
from biorlhf_plugins.truth.graded import Graded, right
from biorlhf_plugins.truth.others import kind_of_name
from biorlhf_plugins.truth.row_figures import charge

BLOCK, FREE, NONE, UNREAD = "block", "free", "no block", "unread block"
AGREE = 0.15
"""Two stated confidences that differ by more contradict each other."""


Read = Callable[[], Extraction]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """How one completion stands to its ground truth.

    Attributes:
        factual, directional: V1's and V2's grading; None where the ground truth asks nothing of it.
        read: gives what the free reader makes of the whole text; not called where a block says it all.
        reading: "block", "free", "no block" (one was asked for), or "unread block".
        unread: why a block, or a part of it, could not be read.
        abstains: spans that decline to answer.
        confidence: the stated one.
        unanswerable: the data cannot answer, or the question's premise is untrue and nothing else is asked.
        declines, contradicts: of an unanswerable question, what says so, and what answers it all the same.
    """

    factual: Graded | None
    directional: Graded | None
    read: Read
    reading: str
    unread: tuple[str, ...]
    abstains: tuple[Span, ...]
    confidence: Confidence
    unanswerable: bool = False
    declines: tuple[Span, ...] = ()
    contradicts: tuple[Span, ...] = ()

    @property
    def said(self) -> Extraction:
        return self.read()

    @property
    def parts(self) -> tuple[Graded, ...]:
        return tuple(part for part in (self.factual, self.directional) if part is not None)

    @property
    def answered(self) -> bool:
        """Whether something fills a slot of the ground truth."""
        return any(part.answered for part in self.parts)

    @property
    def correct(self) -> bool | None:
        """Whether every gold figure, class and answer, and the overall direction, is stated rightly; of an
        unanswerable question, whether the text declines. None where nothing says what is right."""
        if self.unanswerable:
            return bool(self.declines) and not self.contradicts and not self.degenerate
        if not self.parts:
            return None
        return not self.degenerate and all(right(part) for part in self.parts)

    @property
    def abstained(self) -> bool:
        """Whether the text declines, and answers nothing beside it."""
        if self.unanswerable:
            return bool(self.abstains) and not self.contradicts and not self.degenerate
        return bool(self.abstains) and not self.answered and not self.degenerate

    @property
    def degenerate(self) -> str:
        """Why the text is no answer at all; a block is one, whatever stands before it."""
        return "" if self.reading == BLOCK else self.said.degenerate


def judge(question: Question, text: str, lab: Additions | None = None) -> Judged:
    """Judge one completion. Remembered, so that the verifiers of one completion share the work.

    Args:
        question: with its ground truth; ``instruction`` is set where a block was asked for.
        text: the completion.
        lab: names beyond the built-in lexicon and the ground truth's own.
    """
    gold = gold_of(question, lab or Additions())
    return _judge(
        gold,
        question.prompt,
        without_turns(text, question.prompt),
        bool(question.instruction),
        question.tissue,
    )


POINTS = re.compile(r"(?:antwort|respuesta|risposta|resposta)\W*$", re.I)
GROUPED = re.compile(r"(?<=\d)\.(?=\d{3}(?!\d))")
"""Labels in languages that group thousands with a point, and such a point: "Antwort: 48.210"."""


VERBS = (
    "am is are was were has have had did does fell change falls rises climbs goes shows dies? leads? "
    "consists? belongs? corresponds? represents? contains? comprises? dominates? binds? marks? encodes? "
    r"drives? causes? \w+ed"
)
SENTENCE = re.compile(rf"(?:\S+\s+){{1,30}}?(?:{VERBS.replace(' ', '|')})\s+\S+\s+\S|.*[.!] [A-Z]\w*,? \w|\|")
"""What a block's grammar is not made for: "Answer: With 300 mg/kg it climbs to 4.8", and a table."""


def _counted(asked: Sequence[AnswerSlot]) -> bool:
    return all(slot.kind == "figure" and quantity_named(slot.quantity).counts for slot in asked)


# Few are enough: the verifiers take one completion right after another.
@functools.lru_cache(maxsize=64)
def _judge(gold: Gold, prompt: str, text: str, asked_for_block: bool, tissue: str | None) -> Judged:
    read = functools.partial(extract, text, prompt, gold.additions)
    block = find_block(text)
    if gold.unanswerable:
        return _unanswerable(gold, read, block, prompt, asked_for_block)
    asked = gold.asked
    if block is None:
        if not asked_for_block:
            return _freely(gold, read, prompt, ())
        # Missed slots, not None: None would make the verifier not applicable, and silence would leave the
        # reward.
        return Judged(missed(asked, True), missed(asked, False), read, NONE, (), (), Confidence())
    if POINTS.search(text, max(0, block.span[0] - 40), block.span[0]) and _counted(asked):
        block = block._replace(value=GROUPED.sub("", block.value))
    known, own = side_names(gold.contrast, prompt), lab_sides(gold)
    sides, places = (own[0] + known[0], own[1] + known[1]), place_names(gold, tissue)
    kind_of = functools.partial(kind_of_name, additions=gold.additions)
    grades = grade_block(asked, block, sides, places, kind_of, prompt)
    # Of a block that is read only its own confidence counts: a percentage in the reasoning is no forecast.
    confidence = _confidence(block)
    # One slot that is read is an answer: the unread ones beside it are then missed, not looked for
    # elsewhere.
    unread = grades.unread and not any(p.answered for p in (grades.factual, grades.directional) if p)
    # Nobody asked for a block, so one that cannot be read, or is told in a sentence, is no fault of the text.
    told = grades.factual is not None and not grades.abstains and SENTENCE.match(block.value)
    if told and not asked_for_block:
        # What stands before a block is no part of it.
        answer = " " * block.span[0] + text[block.span[0] :]
        freely = _freely(
            gold, functools.partial(extract, answer, prompt, gold.additions), prompt, grades.unread
        )
        if any(part.answered for part in freely.parts):
            return replace(freely, confidence=confidence or freely.confidence)
    if (unread or told) and not asked_for_block:
        freely = _freely(gold, read, prompt, grades.unread)
        return replace(freely, confidence=confidence or freely.confidence)
    if grades.directional is not None and gold.truth.get("figures"):
        charge(grades.directional, gold, read())
    declined = (block.span,) if grades.abstains else ()
    reading = UNREAD if unread else BLOCK
    return Judged(
        grades.factual, grades.directional, read, reading, grades.unread, declined, confidence or Confidence()
    )


def _unanswerable(gold: Gold, read: Read, block: Block | None, prompt: str, asked_for_block: bool) -> Judged:
    """Of a question that the data cannot answer, the right answer says so."""
    untrue = bool(gold.truth.get("false_premise"))
    if block is None and asked_for_block:
        return Judged(None, None, read, NONE, (), (), Confidence(), True)
    if block is not None:
        declines = abstains(block.value) or (untrue and read_yes_no(block.value).candidates == ("no",))
        confidence = _confidence(block) or (Confidence() if asked_for_block else read().confidence)
        if declines or asked_for_block:
            ways = ((block.span,), ()) if declines else ((), (block.span,))
            return Judged(None, None, read, BLOCK, (), ways[0], confidence, True, *ways)
    said = read()
    declined = list(said.abstains)
    if untrue:
        # Whoever corrects the premise has declined it, without an "I cannot tell".
        declined += said.rejects_premise
        declined += [c.span for c in said.answers if c.label == "NO"]
    against = [*said.contradicts, *(c.span for c in said.answers if c.label == "YES")]
    return Judged(
        None, None, read, FREE, (), said.abstains, said.confidence, True, tuple(declined), tuple(against)
    )


def _freely(gold: Gold, read: Read, prompt: str, unread: tuple[str, ...]) -> Judged:
    said = read()
    factual = grade_facts(gold, said, prompt) if gold.has_facts else None
    if factual is not None:
        grade_told(gold, said, prompt, factual)
    directional = grade_directions(gold, said, prompt) if gold.directions else None
    if directional is not None:
        charge(directional, gold, said)
    return Judged(factual, directional, read, FREE, unread, said.abstains, said.confidence)


def _confidence(block: Block) -> Confidence | None:
    """The block's stated confidence; None where it has no label of one."""
    if not block.confidences:
        return None
    read = [(read_confidence(text), span) for text, span in block.confidences]
    values = [(value, span) for (value, _), span in read if value is not None]
    stated = tuple((value, span, "number") for value, span in values)
    problem = next((problem for (value, problem), _ in read if value is None), "")
    if not problem and max(v for v, _ in values) - min(v for v, _ in values) > AGREE:
        problem = "two confidences: " + ", ".join(f"{value:g}" for value, _ in values)
    if problem:
        return Confidence(None, problem, read[-1][1], stated or ((0.0, read[-1][1], "number"),))
    return Confidence(values[-1][0], "", values[-1][1], stated)
