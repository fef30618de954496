"""No change, no effect or the same, against a change that is told: "X is unchanged. X fell by 78 %"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence, content, gap
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.evidence.statements import NEUTRAL
from biorlhf_plugins.language.words.evidence import words_of

PLACES = words_of("prepositions") - {"by", "with"}
SAME, SAID = frozenset(("same", "equal", "equally", "identical", "effect")), words_of("said_of")
DENIED = frozenset(("effect", "change", "differ", "alter", "affect", "unchanged"))
ENDS = PLACES | {":", ",", "("}
CLEARLY = frozenset(("significantly", "strongly", "markedly", "sharply"))
HARDLY = words_of("otherwise_of_some") | {"slightly", "trend", "tend", "tended", "numerically", "another"}
CLEAR = 1.25
"""The ratio of two figures that are not the same."""


def unchanged(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for number, part in enumerate(found.parts):
        here = texts[part.first : part.last]
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        if not SAME.isdisjoint(here):
            yield from _same(found, number)
        at, subject = _claim(found, part.first, part.last)
        colon = next((i + 1 for i in range(at, part.last) if texts[i] == ":"), 0)
        after = number if colon else number + 1
        if subject and after < len(found.parts) and found.asserted(found.parts[after].first):
            start, end = colon or found.parts[after].first, found.parts[after].last
            ways = {label for label, i in directions(found, after) if i >= start}
            if ways in ({"UP"}, {"DOWN"}) and _of_it(found, part.first, at, subject, start, end):
                spans = (found.span(part.first, part.last), found.span(start, end))
                yield Check("what is denied and stated", False, f"no change, and {min(ways)}", spans)


def _claim(found: Evidence, first: int, last: int) -> tuple[int, frozenset[str]]:
    """Where no change is stated, and the words of what does not change."""
    texts = found.stream.texts
    for at in [i for i in range(first + 1, last) if texts[i] in DENIED]:
        no_effect = texts[at - 1 : at + 2] == ["no", "effect", "on"]
        not_changed = texts[at - 1] == "not" and texts[at] in DENIED - {"effect", "unchanged"}
        if not (no_effect or not_changed or (texts[at] == "unchanged" and texts[at - 1] in SAID)):
            continue
        stop = next((i for i in range(at + 2, last) if texts[i] in ENDS), last)
        behind = content(found.stream, at + 1 + no_effect, stop) - NEUTRAL
        of = no_effect or (not_changed and behind and texts[at] != "differ")
        return at, behind if of else content(found.stream, first, at - 1) - NEUTRAL
    return 0, frozenset()


def _of_it(found: Evidence, first: int, at: int, subject: frozenset[str], start: int, end: int) -> bool:
    """Whether a change is a clear one, in the same place, and of what is said not to change."""
    texts, told, words = found.stream.texts, found.stream.texts[start:end], content(found.stream, start, end)
    mine, said = _placed(found, at + 2, start), content(found.stream, first, start)
    elsewhere = "between" not in texts[first:start] and (mine - words or _placed(found, start, end) - said)
    it = not {"it", "they"}.isdisjoint(told[:3])
    direct = texts[at] in ("change", "alter", "affect") and not it
    by = [f for f in found.figures if start <= f.first < end and texts[f.first - 1] == "by"]
    clear = any(f.kind == "percent" and f.value >= 20 for f in by) or not CLEARLY.isdisjoint(told)
    return (subject <= words or it) and HARDLY.isdisjoint(told) and not elsewhere and (clear or direct)


def _placed(found: Evidence, first: int, last: int) -> frozenset[str]:
    """The words behind "in", "at", "after"."""
    places = [i for i in range(first, last) if found.stream.texts[i] in PLACES]
    return frozenset().union(*(content(found.stream, i + 1, min(i + 3, last)) for i in places)) - NEUTRAL


def _same(found: Evidence, number: int) -> Iterator[Check]:
    """ "The two soils have the same pH: 5.1 in the forest and 7.9 in the field"."""
    texts, part, figures = found.stream.texts, found.parts[number], found.by_part.get(number, [])
    for at in [i for i in range(part.first + 2, part.last) if texts[i] in SAME]:
        verb = at - 1 - (texts[at - 1] == "the")
        said = texts[at - 1] == "no" if texts[at] == "effect" else texts[verb] in SAID
        own = [f for f in figures if f.first > at]
        if (
            not (said or texts[at] == "equally")
            or "not" in texts[max(part.first, at - 4) : at]
            or len(own) < 2
        ):
            continue
        one, other = own[:2]
        lead, alike = texts[at : one.first], other.unit in ("", one.unit) and not (one.sign or other.sign)
        led = not {":", ","}.isdisjoint(lead) and "than" not in lead and sum(bool(f.unit) for f in own) <= 2
        if (
            led
            and alike
            and one.kind == other.kind in ("count", "percent")
            and "and" in gap(found, one, other)
        ):
            low, high = sorted((one.value, other.value))
            says = f"{texts[at]}, with {one.value:g} and {other.value:g}"
            yield Check("a comparison against its figures", high <= CLEAR * low, says, (one.span, other.span))
            return
