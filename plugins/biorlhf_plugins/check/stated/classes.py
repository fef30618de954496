"""Classes against the table: a response type or the pattern of a pathway that is another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language import Claim

UNLIKE = frozenset(("unlike", "contrary", "differ", "opposed"))
SHORT = 6
"""Tokens of an answer that is no more than a class: "Type A", "A rescue pattern"."""
WRONG_ON_PURPOSE = frozenset(("incorrect", "wrong", "false", "misconception", "myth", "error"))


def check_classes(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """A response type or a pathway's pattern that is another one in the table."""
    seen: set[tuple[str, str]] = set()
    for claim in reading.asserted("class"):
        slot, label = claim.slot, str(claim.label)
        line = reading.line_of(claim)
        if slot.entity is None or not _class_is_plain(reading, line, claim):
            continue
        right = [
            f
            for f in table.find(entity=slot.entity, quantity=slot.quantity)
            if slot.quantity == "type" or f.pathway in slot.pathways
        ]
        known = {name for f in table.find(quantity=slot.quantity) for name in f.accepted}
        if not right or label not in known or any(label in f.accepted for f in right):
            continue
        # "Blocked by stress" describes type B as well; only the letter is then wrong.
        if _words(reading, claim).startswith("stress") and label == "C" and right[0].label == "B":
            continue
        if (slot.entity, label) not in seen:
            seen.add((slot.entity, label))
            expected = "; ".join(dict.fromkeys(f"{f.entity} {f.quantity}: {f.label}" for f in right))
            called = f"{slot.entity} is called {_words(reading, claim)}"
            yield reading.finding(line, "wrong_class", expected, called)


def _words(reading: Reading, claim: Claim) -> str:
    return reading.text.answer[claim.span[0] : claim.span[1]].lower()


def _class_is_plain(reading: Reading, line: Line, claim: Claim) -> bool:
    """One tissue and one class in the sentence, said of each other and not held up as a mistake."""
    kind = claim.slot.quantity
    if kind not in ("type", "pattern") or line.values("everyone"):
        return False
    # "Heart is Type A and liver Type C", "Type A: heart and soleus": classes and tissues in turn.
    each = [m.kind for m in line.mentions if m.kind in ("entity", kind)]
    shape = "".join("e" if name == "entity" else "k" for name in each)
    paired = re.fullmatch(r"(?:e+k)+|(?:ke+)+", shape) is not None and claim.slot.entity in line.values(
        "entity"
    )
    if len(line.values(kind)) > 1 and not paired:
        return False
    if line.words & (WRONG_ON_PURPOSE | UNLIKE):
        return False
    if kind == "pattern" and not (claim.slot.pathways and _pattern_is_named(reading, line, claim)):
        return False
    # In quotation marks a class is spoken about, not claimed.
    around = reading.text.answer[max(0, claim.span[0] - 1) : claim.span[1] + 1]
    if around[0] in "\"“'‘" and around[-1] in "\"”'’":
        return False
    named = line.values("entity")
    if named:
        return paired or named == (claim.slot.entity,)
    # "... in hippocampus. This indicates ...": the pronoun stands for the sentence before, or the question's.
    before = next((other for other in reading.lines if other.number == line.number - 1), None)
    pointing = line.texts[:1] in (["this"], ["thi"], ["it"], ["these"])
    if line is reading.lines[0] and reading.asked("entity") == (claim.slot.entity,):
        return pointing or len(line.tokens) < SHORT
    return pointing and before is not None and before.values("entity") == (claim.slot.entity,)


def _pattern_is_named(reading: Reading, line: Line, claim: Claim) -> bool:
    """A pattern as a name, not as a word of the sentence: "SUPPRESSION", "a suppression pattern"."""
    raw = reading.text.answer[claim.span[0] : claim.span[1]]
    asked = any("pattern" in other.words for other in reading.prompt_lines)
    return raw.isupper() or bool(line.words & {"pattern", "show", "rescue"}) or asked
