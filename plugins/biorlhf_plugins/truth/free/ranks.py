"""Which of several names a text puts first, where the question asks for the most, the top or the highest."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.records import Extraction, Named
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.truth.free.beside import stems

TOPS = vocabulary(
    "most top first highest largest biggest greatest strongest commonest best dominant dominate predominant "
    "main leading lead longest fastest richest chief principal major prevail least lowest smallest"
)
"""What a question for the first of several holds; and the clause that names it."""

LEAST = vocabulary("least lowest smallest fewest weakest slowest shortest rarest")
PLACED = vocabulary(
    "is was are were come came rank ranked finish finished place placed be been in only as a the"
)
LATER = vocabulary("second third fourth fifth last 2nd 3rd next")
REACH = 4
"""Tokens between "second" and the name that is before it: "second, well behind MYH7"."""

ALIKE = 2
"""Tokens by which two sentences of one form may differ in length."""

PAST = vocabulary("to after behind")
CONCEDES = frozenset(("although", "though", "while", "whereas", "despite"))
ORDERS = frozenset(("order", "ranking", "ranked", "rank"))


GREATER = vocabulary(
    "faster higher more larger longer later stronger better heavier greater taller older warmer bigger "
    "quicker quickly outgrew outgrow"
)
LESSER = vocabulary(
    "slower lower fewer less smaller shorter earlier sooner weaker worse lighter younger colder slowly "
    "poorly lag lagged lagging trailed trail"
)
DISMISSED = vocabulary(
    "considered ruled excluded suspected rejected dismissed dispensable irrelevant redundant unlikely "
    "discounted"
)
PRONOUNS = frozenset(("it", "this", "that", "they", "these", "those"))
SETS_ASIDE = CONCEDES | {"unlike", "besides", "contrary"}


def asks_first(prompt: str) -> bool:
    return not TOPS.isdisjoint(prompt_words(prompt))


def leads(said: Extraction, first: int) -> bool:
    """Is the name at token ``first`` that which another is second to: "ACTA1 came second, behind MYH7"?"""
    before = said.stream.texts[max(0, first - REACH) : first]
    at = max((i for i, word in enumerate(before) if word in LATER), default=-1)
    return at >= 0 and not PAST.isdisjoint(before[at + 1 :])


def trails(said: Extraction, name: Named, tokens: tuple[int, int], prompt: str) -> bool:
    """Is a name told as one behind another: placed second, after ">" or "before", later in a list of ranks,
    granted in an "although" beside the one that is first?"""
    texts, part, (first, last) = said.stream.texts, said.parts[name.sentence], tokens
    if _of_another_place(said, name, prompt):
        return True
    if _set_aside(said, part.first, part.last, first) or _dismissed(texts, last, part.last, prompt):
        return True
    if not asks_first(prompt) or not LEAST.isdisjoint(prompt_words(prompt)):
        return False  # of "A > B > C" the last is the least
    behind = last
    while behind < part.last and texts[behind] in PLACED:
        behind += 1
    placed = behind < part.last and texts[behind] in LATER
    if placed and (behind > last or texts[behind + 1 : behind + 2] in ([], ["."], [","], [";"])):
        return True  # "with liver second"
    if first > part.first + 1 and (texts[first - 1] == "before" or name.link == ">"):
        return True
    return _listed_later(said, first, part.first) or _granted(texts, part.first, part.last, first)


def _listed_later(said: Extraction, first: int, start: int) -> bool:
    """ "2. Fatigue" below "1. Nausea"; the second of "in descending order: nausea, fatigue"."""
    texts = said.stream.texts
    if texts[max(0, first - 2) : first] in (["2", "."], ["3", "."], ["2", ")"], ["3", ")"]):
        return "1" in texts[: first - 2]
    colon = next((i for i in range(first - 1, start, -1) if texts[i] == ":"), None)
    ordered = colon is not None and not ORDERS.isdisjoint(texts[start:colon])
    return ordered and colon is not None and not {",", ">", "then"}.isdisjoint(texts[colon:first])


def turned(prompt: str, texts: Sequence[str], first: int, last: int) -> int | None:
    """Where a sentence compares the other way round: the "slowly" of "Col-0 grew more slowly", asked for
    what grew faster."""
    asked = prompt_words(prompt)
    for wanted, other in ((GREATER, LESSER), (LESSER, GREATER)):
        if wanted.isdisjoint(asked) or not other.isdisjoint(asked):
            continue
        told = {t for t in texts[first:last] if t in wanted}
        if told <= {"more", "less"}:
            return next((i for i in range(first, last) if texts[i] in other - {"more", "less"}), None)
    return None


def _set_aside(said: Extraction, start: int, end: int, first: int) -> bool:
    """ "Unlike STAT3, STAT1 drives it"; "although STAT3 is expressed, STAT1 does"."""
    texts = said.stream.texts
    comma = next((i for i in range(first, end) if texts[i] == ","), None)
    if texts[start] not in SETS_ASIDE or comma is None or comma + 1 >= end or "," in texts[start:first]:
        return False
    token = said.stream[comma + 1]
    raw = said.text[slice(*said.clean.span(token.start, token.end))]
    return any(c.isupper() for c in raw) and texts[comma + 1] not in PRONOUNS


def _of_another_place(said: Extraction, name: Named, prompt: str) -> bool:
    """ "Prevotella leads in the vegans; Bacteroides leads in the omnivores": of the vegans the first."""
    texts, asked = said.stream.texts, stems(prompt_words(prompt))
    part = said.parts[name.sentence]
    own = stems(texts[part.first : part.last])
    for beside in said.parts[max(0, name.sentence - 1) : name.sentence + 2]:
        other = stems(texts[beside.first : beside.last])
        alike = abs((beside.last - beside.first) - (part.last - part.first)) <= ALIKE and own & other - asked
        if alike and not asked & (own - other) and asked & (other - own):
            return True
    return False


def _dismissed(texts: Sequence[str], last: int, end: int, prompt: str) -> bool:
    """ "STAT3 was ruled out, which leaves STAT1"."""
    asked, at = prompt_words(prompt), last
    while at < end and texts[at] in PLACED:
        at += 1
    return (
        at > last
        and texts[at : at + 1] != []
        and texts[at] in DISMISSED
        and texts[at][:4] not in {w[:4] for w in asked}
    )


def _granted(texts: Sequence[str], start: int, end: int, first: int) -> bool:
    """ "Although Fatigue is common, Nausea is the top event"."""
    if texts[start] not in CONCEDES:
        return False
    comma = next((i for i in range(first, end) if texts[i] == ","), None)
    if comma is None or "," in texts[start:first]:
        return False
    return TOPS.isdisjoint(texts[start:comma]) and not TOPS.isdisjoint(texts[comma:end])
