"""All, and then those who did not: "in every one of the 74 isolates. The remaining 6 carried mecC"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.language.across.totals import plural
from biorlhf_plugins.language.evidence.comparisons import prompt_tokens
from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS

EVERY = frozenset(("all", "every", "each"))
REST = frozenset(("remaining", "other", "rest"))
LACKS = frozenset(("no", "not", "without", "never", "lacked", "lacking", "none"))
HEDGES = frozenset(
    ("not", "nearly", "almost", "most", "but", "except", "virtually", "at", "above", "after", "overall")
)
PROCEDURES, INSTEAD = words_of("procedures"), words_of("instead")
REACH = 3
"""Sentences after "all" in which an exception to it is looked for."""


def exceptions(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if found.stream.vocabulary.isdisjoint(EVERY) and "all" not in prompt_tokens(found.prompt).vocabulary:
        return
    for number, part in enumerate(found.parts):
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        at = _universal(found, part.first, part.last)
        if at < 0:
            continue
        own = found.by_part.get(number, ())
        counts = [f for f in own if f.kind == "count" and f.first > at + 4]
        texts = found.stream.texts
        end = next((i for i in range(at, part.last) if texts[i] in (",", ";", "but")), part.last)
        told = {w for w in texts[part.first : end] if w not in FUNCTION and w.isalpha()}
        for after in range(number + 1, min(number + 1 + REACH, len(found.parts))):
            if after == number + 1 and not counts and PROCEDURES.isdisjoint(texts[at : part.last]):
                yield from _rest(found, at, after)
            yield from _lacking(found, at, after, told)
            yield from _only(found, at, after, told)
        yield from _none(found, at, number, told)
    yield from _asked(found)


def _universal(found: Evidence, first: int, last: int) -> int:
    """Where a sentence says "every one of the", "all of the 13", "in every animal"; -1 where it does not."""
    texts = found.stream.texts
    for at in range(first, last):
        if texts[at] in EVERY and HEDGES.isdisjoint(texts[max(first, at - 2) : at]):
            return (
                -1
                if texts[at + 1 : at + 2] in (["other"], ["in"], ["but"]) or "than" in texts[first:at]
                else at
            )
    return -1


def _rest(found: Evidence, at: int, number: int) -> Iterator[Check]:
    """ "The remaining 6 carried mecC": with no part of them told before."""
    texts, part = found.stream.texts, found.parts[number]
    head = texts[part.first : part.first + 3]
    counts = head[:2] == ["the", "remaining"] and _number(found, part.first + 2)
    whole = [i for i in range(at, at + 5) if _number(found, i)]  # "every one of the 74 isolates"
    counts = counts and bool(whole) and not plural(found, part.first + 3)
    if counts and found.stream.texts[part.first + 3 : part.first + 4] and found.asserted(part.first):
        says = f"{texts[at]}, and {' '.join(texts[part.first : part.first + 4])}"
        spans = (found.span(at, at + 1), found.span(part.first, part.first + 3))
        if texts[part.first + 3] not in ("is", "are", "was", "were", "will"):
            yield Check("a universal against an exception", False, says, spans)


def _lacking(found: Evidence, at: int, number: int, told: set[str]) -> Iterator[Check]:
    """ "In the two who showed no loss": so many of them, without what all are said to have."""
    texts, part = found.stream.texts, found.parts[number]
    if part.kind != "prose" or (not found.asserted(part.first) and not found.said.marks[part.first]):
        return
    for i in range(part.first, part.last - 1):
        if texts[i] not in ("the", "these", "those") or not _number(found, i + 1):
            continue
        own = {*texts[at : at + 6], "who", "which", "that", "with", "without"}
        if own.isdisjoint(texts[i + 2 : i + 3]) or _elsewhere(found, number, own):
            continue
        lack = next((k for k in range(i + 2, min(i + 9, part.last)) if texts[k] in LACKS), -1)
        near = set(texts[lack + 1 : lack + 5]) if lack > 0 else set()
        if near & told and not {",", ";"} & set(texts[i:lack]):
            says = f"{texts[at]}, and {' '.join(texts[i : lack + 3])}"
            spans = (found.span(at, at + 1), found.span(i, lack + 1))
            yield Check("a universal against an exception", False, says, spans)
            return


def _only(found: Evidence, at: int, number: int, told: set[str]) -> Iterator[Check]:
    """ "Pond C was the only one without any", where all of a number of them are told to have it."""
    texts, part = found.stream.texts, found.parts[number]
    counted = any(_number(found, i) for i in range(at + 1, at + 5))
    for i in range(part.first, part.last - 2) if counted and part.kind == "prose" else ():
        lack = next((k for k in range(i + 2, min(i + 5, part.last)) if texts[k] in LACKS), 0)
        if texts[i : i + 2] == ["the", "only"] and lack and {*texts[lack + 1 : lack + 3]} & (told | {"any"}):
            spans = (found.span(at, at + 1), found.span(i, i + 3))
            says = f"{texts[at]}, and {' '.join(texts[i : i + 5])}"
            yield Check("a universal against an exception", False, says, spans)
            return


def _elsewhere(found: Evidence, number: int, own: set[str]) -> bool:
    """ "In the control arm the three that never recovered": of another group than all."""
    first = found.parts[number].first
    head = found.stream.texts[first : first + 3]
    return head[:2] == ["in", "the"] and not _number(found, first + 2) and own.isdisjoint(head[2:])


def _none(found: Evidence, at: int, number: int, told: set[str]) -> Iterator[Check]:
    """ "Each genus showed bleaching … but none of the 45 Porites colonies bleached"."""
    texts = found.stream.texts
    # Not the thing itself: "all 112 pups were typed; none of the 112 pups was homozygous".
    stems = {w[:6] for w in told - set(texts[at : at + 4]) if len(w) > 5}
    first = found.parts[number].first
    stems -= {word[:6] for i in range(first, at + 5) if _number(found, i) for word in texts[i + 1 : i + 2]}
    for part in found.parts[number : number + 1 + REACH]:
        for i in range(max(at + 3, part.first), part.last - 2):
            if (
                texts[i : i + 2] == ["none", "of"]
                and texts[i + 2] == "the"
                and found.parts[number].kind == "prose"
            ):
                end = next((k for k in range(i, part.last) if texts[k] in (",", ";", "(", "but")), part.last)
                noun = next((k for k in range(i + 3, end) if plural(found, k)), end)
                shared = {w for w in texts[noun + 1 : end] if w[:6] in stems}
                if shared:
                    says = f"{texts[at]}, and none of the {' '.join(texts[i + 3 : end])}"
                    spans = (found.span(at, at + 1), found.span(i, i + 2))
                    yield Check("a universal against an exception", False, says, spans)
                    return


def _asked(found: Evidence) -> Iterator[Check]:
    """ "Yes, in every one" to "was it lost in all?", with "24 … the remaining 6"."""
    answers = {c.label for c in found.said.answers}
    if answers != {"YES"} or EVERY.isdisjoint(prompt_tokens(found.prompt).vocabulary):
        return
    texts = found.stream.texts
    for before, part in itertools.pairwise(found.parts):
        for i in range(part.first, part.last - 3):
            rest = texts[i] == "the" and texts[i + 1] in REST and _number(found, i + 2)
            other = not INSTEAD.isdisjoint(texts[i + 3 : i + 6])
            if (
                rest
                and other
                and found.asserted(i)
                and any(_number(found, k) for k in range(before.first, i))
            ):
                says = f"YES to all, with {' '.join(texts[i : i + 3])}"
                yield Check("a universal against an exception", False, says, (found.span(i, i + 3),))
                return


def _number(found: Evidence, at: int) -> bool:
    token = found.stream[at] if at < len(found.stream) else None
    return token is not None and (
        token.number is not None or (token.text in WORD_NUMBERS and token.text != "one")
    )
