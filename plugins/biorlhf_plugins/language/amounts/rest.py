"""What is left of a whole: "96 swabs. Nine failed, so the remaining 87", "46 % and 38 %; the rest, 16 %"."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.amounts.read import Amount
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.words.evidence import words_of

REST = words_of("rest") | {"other"}
BACK = 3
"""Sentences before the rest's own in which its whole may stand."""
MOST = 7
"""Figures that may be the whole or a part: of more than these no reading is tried."""
EACH = frozenset(("each", "every", "per", "apiece", "another", "additional", "further", "half", "double"))


def rests(found: Evidence, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """Every rest of a text against the whole and the parts before it."""
    for _number, here in amounts.items():
        for rest in here:
            if not found.asserted(rest.first) or not _is_rest(found, rest):
                continue
            if rest.kind == "percent":
                yield from _percent(found, rest, amounts)
            elif rest.kind == "count" and not rest.rough:
                yield from _count(found, rest, amounts)


def _is_rest(found: Evidence, rest: Amount) -> bool:
    """ "the remaining 87", "the other 31", "The rest, 26 %," "The remainder (12)"."""
    texts, at = found.stream.texts, rest.first
    if rest.bound or texts[rest.last : rest.last + 1] == ["of"]:
        return False
    before = texts[max(found.parts[rest.part].first, at - 4) : at]
    if before[-1:] == ["leaving"] or _kept(found, rest):
        return True
    if before[-1:] == ["the"]:
        return False
    if before[-1:] and before[-1] in REST:
        return before[-2:-1] == ["the"] or before[-1] == "remaining"
    return (
        before[-1:] in ([","], ["("]) and before[-2:-1] != [] and before[-2] in REST - {"other", "remaining"}
    )


def _kept(found: Evidence, rest: Amount) -> bool:
    """ "3 scans were discarded, so 15 were kept", "120 were removed and 780 remained"."""
    texts, part = found.stream.texts, found.parts[rest.part]
    after = [w for w in texts[rest.last : min(rest.last + 4, part.last)] if w.isalpha()]
    stays = next((at for at, w in enumerate(after) if w in KEPT), 9)
    stays = stays <= 1 or after[1 : stays + 1] in (["were", "kept"], ["were", "left"], ["were", "retained"])
    led = texts[rest.first - 1] in ("so", "and", "which", "that", "thus")
    return stays and led and not REMOVED.isdisjoint(texts[part.first : rest.first])


KEPT = frozenset(("kept", "remained", "retained", "left", "remain"))
REMOVED = frozenset((
    "removed", "excluded", "discarded", "dropped", "lost", "failed", "died", "withdrew",
    "withdrawn", "rejected",
))  # fmt: skip


def _window(found: Evidence, rest: Amount, amounts: dict[int, list[Amount]], kind: str) -> list[Amount]:
    """The amounts before a rest that it may be left of, in its own paragraph, the nearest last."""
    paragraph = found.parts[rest.part].paragraph
    numbers = [
        n for n in range(max(0, rest.part - BACK), rest.part + 1) if found.parts[n].paragraph == paragraph
    ]
    inside = [a for n in numbers for a in amounts[n] if a.first < rest.first and a.kind == kind]
    return [a for a in inside if not a.bound]


def _count(found: Evidence, rest: Amount, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    own = [a for a in _window(found, rest, amounts, "count") if _same(a, rest)]
    wholes = [a for a in own if a.value > rest.value]
    if len(own) < 2 or not wholes or len(own) > MOST:
        return
    start = wholes[0]
    later = [a for a in amounts[rest.part] if a.first >= rest.last and a.kind == "count"]
    between = found.stream.texts[start.last : rest.first]
    shares = [a for a in _window(found, rest, amounts, "share") if a.first > start.last]
    if shares or not EACH.isdisjoint(between) or start.rough or any(a.rough for a in own):
        return
    parts = [a for a in own if a is not start and a.value < start.value]
    if _leaves(own + later, rest.value):
        yield _check(found, rest, start.value, parts, True)
        return
    named = rest.noun in ("", start.noun)
    if parts and named and len(wholes) <= 2:
        yield _check(found, rest, start.value, parts, False)


def _same(one: Amount, rest: Amount) -> bool:
    return not rest.noun or not one.noun or one.noun == rest.noun or one.value > rest.value


def _leaves(own: Sequence[Amount], rest: float, slack: float = 1e-6, fixed: float | None = None) -> bool:
    """Whether some of these figures taken from another of them, or from ``fixed``, leave the rest."""
    wholes = [fixed] if fixed is not None else [a.value for a in own if a.value > rest]
    for size in range(1, len(own) + 1):
        for parts in itertools.combinations(own, size):
            total = sum(a.value for a in parts)
            if any(abs(whole - total - rest) <= slack for whole in wholes):
                return True
    return False


def _percent(found: Evidence, rest: Amount, amounts: dict[int, list[Amount]]) -> Iterator[Check]:
    """ "46 % and 38 %. The rest, 16 %": of all, or of a share that stands before it."""
    own = [a for a in _window(found, rest, amounts, "percent") if a.part >= rest.part - 1]
    if not own or len(own) > MOST or any(a.rough for a in (*own, rest)):
        return
    slack = max(1.01, 0.51 * (len(own) + 1) * 10.0 ** -min(a.decimals for a in (*own, rest)))
    right = _leaves(own, rest.value, slack, 100.0) or _leaves(own, rest.value, slack)
    shares = _window(found, rest, amounts, "share")
    if right or (not shares and sum(a.value for a in own) < 100.0):
        yield _check(found, rest, 100.0, own, right)


def _check(found: Evidence, rest: Amount, whole: float, parts: Sequence[Amount], passed: bool) -> Check:
    left = whole - sum(a.value for a in parts)
    taken = " - ".join(f"{a.value:,g}" for a in parts)
    says = f"{whole:,g} - {taken} leaves {left:,g}, stated {rest.value:,g}"
    says = f"{rest.value:,g} is left of {whole:,g}" if passed else says
    spans = (*(a.span for a in parts), rest.span)
    return Check("parts and whole", passed, says, spans, expected=f"{left:,g}")
