"""Ways and orders: before and after, none that changes and one that does, A over B over C."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, takewhile

from biorlhf_plugins.language.evidence.comparisons import INVERSE, Comparison, stated
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.words.evidence import words_of

BEFORE = frozenset(("before", "baseline", "pre", "beforehand"))
AFTER = frozenset(("after", "post", "afterwards"))
GAINS = words_of("gain_words") - {"change", "gain", "improvement"}
LOSSES = words_of("change_words") - words_of("gain_words")
ITS_EFFECT = [["its", name] for name in ("nes", "log2", "log2fc", "logfc")]
FEW = 6
NOT = frozenset(("not", "no", "never", "without", "neither", "nor", "none", "nobody", "cannot"))
LIMITED = words_of("limited") - {"by", "at"} | NOT
"""Words by which two sentences are not of the same."""
SENTENCES = 40


def sequence(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    words = found.stream.vocabulary
    if not words.isdisjoint(BEFORE):
        yield from _before_after(found)
    yield from _transitive(found)
    if not words.isdisjoint(("none", "no")):
        yield from _none_changes(found)
    for number, figures in found.by_part.items():
        if len(figures) == 1 and figures[0].kind == "effect" and number:
            yield from _its_effect(found, number, figures[0])
    if "ratio" in words:
        yield from _ratio(found)


def _before_after(found: Evidence) -> Iterator[Check]:
    """ "Diversity rose: 4.1 before and 2.6 after treatment"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        plain = [f for f in figures if f.kind in ("count", "percent") and not f.sign]
        part = found.parts[number]
        if len(plain) != 2 or len(figures) != 2 or not found.asserted(part.first):
            continue
        places = []
        for n, figure in enumerate(plain):
            end = plain[n + 1].first if n + 1 < len(plain) else part.last
            own = set(takewhile(lambda w: w != ",", texts[figure.last : min(end, figure.last + 3)]))
            if own.isdisjoint(BEFORE | AFTER):  # "before it was 4.1, afterwards 2.6"
                own = set(texts[plain[n - 1].last if n else part.first : figure.first][:2])
            places.append((not BEFORE.isdisjoint(own), not AFTER.isdisjoint(own)))
        if places not in ([(True, False), (False, True)], [(False, True), (True, False)]):
            continue
        start, end_value = (f.value for f in (plain if places[0][0] else plain[::-1]))
        here = {label for label, at in directions(found, number) if at < plain[0].first}
        tail = texts[plain[1].last : part.last]
        if not here and "," in tail and tail[-2:-1] in (["a"], ["an"]):
            here = {"UP"} if tail[-1] in GAINS else {"DOWN"} if tail[-1] in LOSSES else set()
        elif not here and ":" in tail:
            here = {label for label, at in directions(found, number) if at > plain[1].last}
        if not here and number:
            here = {label for label, _ in directions(found, number - 1)}
            here = here if not found.by_part.get(number - 1) else set()
        if len(here) == 1 and here <= {"UP", "DOWN"} and INVERSE.isdisjoint(found.stream.vocabulary):
            way = min(here)
            says = f"{way} from {start:g} to {end_value:g}"
            passed = (end_value > start) == (way == "UP") and end_value != start
            yield Check("a direction against its figure", passed, says, (plain[0].span, plain[1].span))


def _transitive(found: Evidence) -> Iterator[Check]:
    """ "A is faster than B, and B is faster than C. So C is faster than A"."""
    said = stated(found)
    if not 3 <= len(said) <= FEW:
        return
    for one, two, three in permutations(said, 3):
        ends = [end for x in (one, two, three) for end in _ends(x)]
        words = [word for end in ends for word in end]
        # The verb is in all of them: "soleus responds more than liver, liver responds more than heart".
        a, b, c, d, high, low = (frozenset(w for w in end if words.count(w) < 3) for end in ends)
        linked = bool(b & c) and not (a & c) and not (b & d) and one.sort == two.sort
        if linked and three.sort == one.sort and a & low and d & high and not a & high and not d & low:
            spans = tuple(found.span(x.at, x.at + 1) for x in (one, two, three))
            yield Check("two orders of one pair", False, "an order against the two before it", spans)
            return


def _ends(said: Comparison) -> tuple[frozenset[str], frozenset[str]]:
    """The words of the greater and those of the smaller."""
    mine = said.subjects[-1] - said.other or said.subjects[0]
    return (mine, said.other - mine) if said.more else (said.other - mine, mine)


def _ratio(found: Evidence) -> Iterator[Check]:
    """ "Lower in treated plasma: the ratio treated/control is 0.4"."""
    for number, figures in found.by_part.items():
        part, one = found.parts[number], figures[0]
        words = found.stream.texts[part.first : part.last]
        plain = (
            len(figures) == 1 and one.kind in ("count", "ratio") and not one.sign and one.value not in (0, 1)
        )
        if not plain or not {"ratio", "/"} <= {*words} or not found.asserted(part.first):
            continue
        over, under = words[words.index("/") - 1], "".join(words[words.index("/") + 1 :][:1])
        placed = any(w in ("in", "on", "with") and over in words[i + 1 : i + 3] for i, w in enumerate(words))
        ways = {label for label, _ in directions(found, number)}
        if placed and words.count(under) == 1 and len(ways) == 1 and ways <= {"UP", "DOWN"}:
            says = f"{min(ways)}, with {over}/{under} = {one.value:g}"
            passed = (one.value > 1) == (ways == {"UP"})
            yield Check("a direction against its figure", passed, says, (one.span,))


def _none_changes(found: Evidence) -> Iterator[Check]:
    """ "None of the missions changes it. In RR-10 it is significantly up"; "no effect: it fell by 85 %"."""
    texts = found.stream.texts
    for number, part in enumerate(found.parts[:SENTENCES]):
        here = texts[part.first : part.last]
        none = "none" in here and here[here.index("none") + 1 : here.index("none") + 3] == ["of", "the"]
        colon = here.index(":") if ":" in here else 0
        no_effect = colon and here[:colon].count("no") == 1 and "effect" in here[here.index("no") :][:2]
        if part.kind != "prose" or not found.asserted(part.first) or not (none or no_effect):
            continue
        after = number if no_effect else number + 1
        if after >= len(found.parts):
            continue
        other = found.parts[after]
        start = other.first + (colon if no_effect else 0)
        told = texts[start : other.last]
        ways = {label for label, at in directions(found, after) if at > start}
        placed = told[:1] == ["in"] if none and not no_effect else told[1:2] == ["it"] and "by" in told
        if placed and len(ways) == 1 and ways <= {"UP", "DOWN"} and LIMITED.isdisjoint(told):
            says = f"{'none' if none else 'no effect'}, and {min(ways)}"
            yield Check(
                "what is denied and stated",
                False,
                says,
                (found.span(part.first, part.last), found.span(start, other.last)),
            )
            return


def _its_effect(found: Evidence, number: int, one: Figure) -> Iterator[Check]:
    """ "Alb is induced; its log2 fold change is -2.1": the figure of the clause before."""
    part, before = found.parts[number], found.parts[number - 1]
    told = [(label, at) for label, at in directions(found, number - 1) if label in ("UP", "DOWN")]
    alone = len(told) == 1 and found.asserted(told[0][1]) and not found.by_part.get(number - 1)
    goes_on = part.last - one.last > 1  # "because the table gives ground over flight"
    effect = found.stream.texts[part.first : part.first + 2] in ITS_EFFECT and one.value and not one.sign
    if not effect or goes_on or not alone or directions(found, number) or before.kind != "prose":
        return
    label, at = told[0]
    passed = (one.value > 0) == (label == "UP")
    spans = (found.span(at, at + 1), one.span)
    yield Check("a direction against its figure", passed, f"{label} with effect {one.value:g}", spans)
