"""Which of the names in a sentence is a claim's: the nearest, and what stands in the way of nearness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from biorlhf_plugins.language.claims.general import NEUTRAL
from biorlhf_plugins.language.claims.quantities import PREPOSITIONS
from biorlhf_plugins.language.claims.reader import Reader, values
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.words.mentions import Mention

OTHERS = ("other tissues",)
APART = frozenset(("than", "versus", "vs", "compared", "and", ",", "but", "while", "whereas", "ahead"))
PARTS = frozenset(("member", "part", "edge", "component", "constituent"))
SPAN = 16  # tokens from a "from" to what it leads to
BORNE_BY = frozenset(("driven", "led", "carried"))
EXAMPLES = 12  # tokens before a gene in which the bracket begins that it stands in


def pick(reader: Reader, index: int, focus: Mention, role: str) -> tuple[Any, ...]:
    """The mention, or the list of mentions, of a role that stands nearest to the focus."""
    inside = reader.inside[index]
    candidates = inside.get(role, [])
    if focus.kind == "num":
        near = [m for m in candidates if not _past_bracket(reader, focus, m)]
        candidates = near if near or any(role in before for before in reader.inside[:index]) else candidates
    if role == "path" and focus.kind == "dir":
        if borne_out(reader, focus):
            candidates = [m for m in candidates if m.first < focus.last]
        named = any(m.last <= focus.first and not unknown(m) for m in candidates)
        candidates = [m for m in candidates if m.first < focus.last or not _behind(reader, m, focus, named)]
        candidates = [m for m in candidates if not (named and _example(reader, m, focus))]
        candidates = [m for m in candidates if m is candidates[0] or not _whole(reader, m)]
    if len(candidates) < 2:
        return (candidates[0].value,) if candidates else ()
    compared = [r.first for r in inside.get("cmp", ())]
    if compared:
        free = [
            m for m in candidates
            if not any(0 < m.first - at <= 3 and not at < focus.first < m.first for at in compared)
        ]  # fmt: skip
        candidates = free or candidates
        cut = max((at for at in compared if at < focus.first), default=-1)
        if any(m.first >= focus.last for m in candidates):  # "11.2 in arm A versus 6.9 in arm B"
            candidates = [m for m in candidates if m.first > cut]
    if focus.kind == "num" and _reached(reader, focus):
        candidates = [m for m in candidates if m.first >= focus.last] or candidates
    if len({m.value for m in candidates}) == 1:
        return values(candidates, role)
    rivals = [m for m in inside[focus.kind] if m is not focus]
    nearest = min(candidates, key=lambda m: _distance(reader, m, focus))
    group = [nearest]
    for step in (-1, 1):
        at = candidates.index(nearest) + step
        while 0 <= at < len(candidates):
            inner = group[-1] if step > 0 else group[0]
            gap = candidates[at].first - inner.last if step > 0 else inner.first - candidates[at].last
            low, high = sorted((candidates[at].first, inner.first))
            if gap > 4 or any(low < r.first < high for r in (*rivals, focus)):
                break
            group.insert(len(group) if step > 0 else 0, candidates[at])
            at += step
    return values(group, role)


def _past_bracket(reader: Reader, focus: Mention, m: Mention) -> bool:
    """The DDA of "DIA had a lower CV (7.9 %) than DDA (18.3 %)", of which the first bracket is not."""
    between = reader.stream.texts[focus.last : m.first]
    closed = between.index(")") if ")" in between and "(" not in between else -1
    return closed >= 0 and not APART.isdisjoint(between[closed:])


def borne_out(reader: Reader, focus: Mention) -> bool:
    """Is what follows the genes that bear a direction out: "It is down, with FABP6 and NR1H4 in the lead"?"""
    tail = reader.stream.texts[focus.last : focus.last + 3]
    return tail[:2] == [",", "with"] or tail[:1] == ["("] or not BORNE_BY.isdisjoint(tail)


def _reached(reader: Reader, focus: Mention) -> bool:
    """The 9.6 of "from 41.2 ng/mL at baseline to 9.6 ng/mL at week 12", of which the first name is not."""
    texts, stream = reader.stream.texts, reader.stream
    started = range(max(0, focus.first - SPAN), focus.first - 2)
    return texts[focus.first - 1] == "to" and any(
        texts[i] == "from" and stream[i + 1].number is not None for i in started
    )


def told_behind(reader: Reader, sentence: Sentence, focus: Mention) -> tuple[Any, ...]:
    """The arm of "6.8 months (95 % CI, 5.5 to 8.0) in the control arm"; of "41.2 (28-60) in MSI-high and 3.7
    (2-5) in MSS" the second is of what no lexicon knows; () where the words behind do not tell."""
    at, words = _place_after(reader, focus.last), reader.stream.texts
    if not at:
        return ()
    named = {m.first: m for m in sentence.mentions}
    if "than" in words[focus.last : at]:
        return ()  # "(7.9 %) than with DDA"
    if ")" in words[focus.last : at] and at in named and named[at].kind == "entity":
        return (named[at].value,)
    inside = {i for m in sentence.mentions for i in range(m.first, m.last)}
    if at in inside or reader.stream[at].kind != "w" or words[at] in NEUTRAL:
        return ()
    ahead = (_place_after(reader, m.last) for m in sentence.inside["num"] if m.last < focus.first)
    return OTHERS if any(i in named and named[i].kind == "entity" for i in ahead if i) else ()


def _place_after(reader: Reader, at: int) -> int:
    """The token of what a figure is said of behind it, past its unit and a bracket: "in (the) MSS"; or 0."""
    texts, unit = reader.stream.texts, at + 3
    while at < min(unit, len(texts)) and texts[at] not in ("(", "in", "with", "for", ",", "and"):
        at += 1
    if texts[at : at + 1] == ["("]:
        at = next((i + 1 for i in range(at, min(at + EXAMPLES, len(texts))) if texts[i] == ")"), at)
    if texts[at : at + 1] not in (["in"], ["with"], ["for"]):
        return 0
    at += 1 + (texts[at + 1 : at + 2] == ["the"])
    return at if at < len(texts) else 0


def unknown(m: Mention) -> bool:
    return m.kind == "path" and str(m.value[0])[:1] == "?"


def _behind(reader: Reader, m: Mention, focus: Mention, named: bool) -> bool:
    """Does an unknown name behind a direction only explain it: "the UPR is induced (Hspa5, Ddit3)"?"""
    if not unknown(m):
        return False
    if "(" in reader.stream.texts[focus.last : m.first - (not named)]:
        return True  # "Turned on under UV-B (most enzymes, CHS first)"
    return reader.stream.texts[m.first - 1] not in (":", "(", "—", "•", "→", "in", "of", "for", ",", "and")


def _whole(reader: Reader, m: Mention) -> bool:
    """The set of "Mcm2, a member of the E2F targets, is reduced", of which something else is a part."""
    at, texts = m.first - 1, reader.stream.texts
    at -= texts[at] in ("the", "our", "this")
    return texts[at] == "of" and texts[at - 1] in PARTS


def _example(reader: Reader, m: Mention, focus: Mention) -> bool:
    """A gene in a bracket that is closed before the direction: "the set (Col1a1, Fbn1) shows decreased …"."""
    if not unknown(m) or m.last > focus.first:
        return False
    texts, first = reader.stream.texts, max(0, m.first - EXAMPLES)
    opened = next((at for at in range(m.first - 1, first, -1) if texts[at] in ("(", ")")), first)
    return texts[opened] == "(" and ")" in texts[m.last : focus.first]


def _distance(reader: Reader, m: Mention, focus: Mention) -> float:
    if m.first >= focus.last:
        gap = m.first - focus.last - _in_brackets(reader, focus.last, m.first)
        linked = m.first > 0 and reader.stream.texts[m.first - 1] in PREPOSITIONS
        return gap - 2.5 if linked else gap
    return float(focus.first - m.last)


def _in_brackets(reader: Reader, first: int, last: int) -> int:
    """Tokens of a bracket between two places: an interval that is no part of the way."""
    texts = reader.stream.texts[first:last]
    if "(" not in texts or ")" not in texts[texts.index("(") :]:
        return 0
    return len(texts) - 1 - texts[::-1].index(")") - texts.index("(") + 1


def last_values(mentions: Sequence[Mention], role: str) -> tuple[Any, ...]:
    """What the last mentions of a role that stand together say."""
    first = len(mentions) - 1
    if not first:
        return (mentions[0].value,)
    while first > 0 and mentions[first].first - mentions[first - 1].last <= 4:
        first -= 1
    return values(mentions[first:], role)
