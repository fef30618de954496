"""What is said twice, once with a "not": "Cluster 4 does not express CD3E. Since CD3E is expressed in cluster
4 …"; and a bound that all keep, beside the least or the most of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import Check, Evidence, content
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.evidence.universals import EVERY, stemmed
from biorlhf_plugins.language.words.evidence import words_of

NAME = "what is denied and stated"
NEUTRAL = words_of("neutral")
LEAST, MOST = words_of("least"), words_of("most")
NOT = frozenset(("not", "no", "never", "without", "neither", "nor", "none", "nobody", "cannot"))
PASSIVE = frozenset(("is", "are", "was", "were"))
SINCE = frozenset(("since", "because", "as", "given", "although", "though", "while", "whereas"))
LIMITED = words_of("limited")
"""Words by which the two are not said of the same."""
SENTENCES = 40


def restated(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if not found.stream.vocabulary.isdisjoint(NOT):
        yield from _denied(found)
    if not found.stream.vocabulary.isdisjoint(("none", "no")):
        yield from _none_changes(found)
    if any(f.sign in (">", "<") for f in found.figures):
        yield from _bounded(found)


def _denied(found: Evidence) -> Iterator[Check]:
    """Two clauses of the same words, of which one is denied."""
    said: dict[tuple[frozenset[str], frozenset[str]], tuple[int, int, bool]] = {}
    texts = found.stream.texts
    for part in found.parts[:SENTENCES]:
        if part.kind != "prose" or not found.asserted(part.first):
            continue
        first, last = part.first, part.last
        if texts[first] in SINCE:
            first, last = first + 1, next((i for i in range(first, last) if texts[i] == ","), last)
        here = texts[first:last]
        headed = ":" in (*here, *texts[last : last + 1]) or here[:1] == ["what"]
        if headed or "," in here or not LIMITED.isdisjoint(here):
            continue
        denied = sum(word in NOT for word in here)
        words = stemmed(content(found.stream, first, last) - NEUTRAL - NOT)
        values = frozenset(t.text for t in found.stream[first:last] if t.number is not None)
        if len(words) < 2 or denied > 1:
            continue
        key = (words, values)
        if key in said and said[key][2] != bool(denied) and _same_order(texts[slice(*said[key][:2])], here):
            one = said[key]
            spans = (found.span(one[0], one[1]), found.span(first, last))
            yield Check(NAME, False, f"stated and denied: {' '.join(sorted(words))}", spans)
            return
        said.setdefault(key, (first, last, bool(denied)))


def _same_order(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two clauses have their words alike: not "A activated B" and "B did not activate A"."""
    passive = not PASSIVE.isdisjoint(one) or not PASSIVE.isdisjoint(other)
    shared = set(one) & set(other)
    return passive or [w for w in one if w in shared] == [w for w in other if w in shared]


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
        if (
            placed
            and len(ways) == 1
            and ways <= {"UP", "DOWN"}
            and (LIMITED - {"by", "at"} | NOT).isdisjoint(told)
        ):
            says = f"{'none' if none else 'no effect'}, and {min(ways)}"
            yield Check(NAME, False, says, (found.span(part.first, part.last), found.span(start, other.last)))
            return


def _bounded(found: Evidence) -> Iterator[Check]:
    """ "Every sample has at least 10,000 reads; the shallowest has 11,204"."""
    texts = found.stream.texts
    for number, figures in found.by_part.items():
        part = found.parts[number]
        bounds = [f for f in figures if f.sign in (">", "<")]
        if len(bounds) != 1 or not bounds[0].unit:
            continue
        bound = bounds[0]
        every = not EVERY.isdisjoint(texts[part.first : bound.first])
        for at in (number, number + 1):
            others = [
                f
                for f in found.by_part.get(at, ())
                if f is not bound and f.unit in ("", bound.unit) and not f.sign
            ]
            near = others[0] if len(others) == 1 else None
            ends = LEAST if bound.sign == ">" else MOST
            start = found.parts[at].first if at < len(found.parts) else 0
            if near is None or near.kind != bound.kind or near.first < bound.first:
                continue
            ends_it = every and not ends.isdisjoint(
                texts[max(start, bound.last * (at == number)) : near.first]
            )
            exact = not {"exact", "exactly"}.isdisjoint(texts[near.first - 1 : near.last + 4])
            if not ends_it and not exact:
                continue
            passed = near.value >= bound.value if bound.sign == ">" else near.value <= bound.value
            says = f"all {bound.sign} {bound.value:g}, with {near.value:g}"
            yield Check("a bound against its figures", passed, says, (bound.span, near.span))
