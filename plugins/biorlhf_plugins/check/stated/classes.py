"""Classes against the table: a response type or the pattern of a pathway that is another one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.statements import turned
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language import Claim

CLASSED = frozenset(("type", "class", "group", "letter", "category", "scheme", "classify"))
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


def check_letters(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """The bare letters of an answer to a question after classes: "Heart: A", a row "B | hippocampus"."""
    own = {f.entity: f for f in table.find(quantity="type")}
    letters = {name for f in own.values() for name in f.accepted if len(name) == 1}
    for line in reading.lines if any(CLASSED & asked.words for asked in reading.prompt_lines) else ():
        bare = [(i, str(letter)) for i, letter in _bare(reading, line) if letter in letters]
        names = [(m.first, str(m.value)) for m in line.mentions if m.kind == "entity"]
        if not bare or line.values("type") or turned(line) or line.words & (WRONG_ON_PURPOSE | UNLIKE):
            continue
        if not names and line is reading.lines[0] and len(reading.asked("entity")) == 1:
            names = [(bare[0][0] + 1, str(reading.asked("entity")[0]))]
        # Letters and tissues in turn: each tissue is of the letter behind it, or each of the one before.
        shape = "".join("k" if mark in bare else "e" for mark in sorted([*bare, *names]))
        behind = re.fullmatch(r"(?:e+k)+", shape) is not None
        if not behind and not re.fullmatch(r"(?:ke+)+", shape):
            continue
        for at, name in names:
            label = min(k for k in bare if k[0] > at)[1] if behind else max(k for k in bare if k[0] < at)[1]
            if name in own and label not in own[name].accepted:
                yield reading.finding(line, "wrong_class", str(own[name]), f"{name} is called {label}")


def _bare(reading: Reading, line: Line) -> Iterator[tuple[int, str]]:
    """The single capitals of a line that are no article: an end, a mark or "and" stands behind them."""
    for i, (start, end) in enumerate(line.spans):
        raw, after = reading.text.answer[start:end], line.texts[i + 1 : i + 2]
        if (
            len(raw) == 1
            and raw.isupper()
            and (not after or not after[0].isalnum() or after[0] in ("and", "a"))
        ):
            yield i, raw


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
    said = [m for m in line.mentions if m.kind == kind]
    for m in line.mentions:
        denied = [n for n in line.mentions if n.kind == "neg" and said and said[0].last <= n.first < m.first]
        if m.kind == "entity" and m.value == claim.slot.entity and denied:
            return False  # "rescue in heart and soleus, but not in liver"
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
    if {e for other in reading.all_lines() for e in other.values("entity")} == {claim.slot.entity}:
        return pointing or len(line.tokens) < SHORT or not line.values("neg")
    return pointing and before is not None and before.values("entity") == (claim.slot.entity,)


def _pattern_is_named(reading: Reading, line: Line, claim: Claim) -> bool:
    """A pattern as a name, not as a word of the sentence: "SUPPRESSION", "a suppression pattern"."""
    raw = reading.text.answer[claim.span[0] : claim.span[1]]
    asked = any("pattern" in other.words for other in reading.prompt_lines)
    return raw.isupper() or bool(line.words & {"pattern", "show", "rescue"}) or asked
