"""What is said twice, once with a "not": "Cluster 4 does not express CD3E. Since CD3E is expressed in cluster
4 …"; and a bound that all keep, beside the least or the most of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, Evidence, content
from biorlhf_plugins.language.evidence.universals import EVERY, stemmed
from biorlhf_plugins.language.words.evidence import words_of

NAME = "what is denied and stated"
NEUTRAL = words_of("neutral")
LEAST, MOST = words_of("least"), words_of("most")
NOT = frozenset(("not", "no", "never", "without", "neither", "nor", "none", "nobody", "n't", "cannot"))
SINCE = frozenset(("since", "because", "as", "given", "although", "though", "while", "wherea"))
LIMITED = words_of("limited")
"""Words by which the two are not said of the same."""
SENTENCES = 40


def restated(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    if not found.stream.vocabulary.isdisjoint(NOT):
        yield from _denied(found)
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
        if "," in here or not LIMITED.isdisjoint(here):
            continue
        denied = sum(word in NOT for word in here)
        words = stemmed(content(found.stream, first, last) - NEUTRAL - NOT)
        values = frozenset(t.text for t in found.stream[first:last] if t.number is not None)
        if len(words) < 2 or denied > 1:
            continue
        key = (words, values)
        if key in said and said[key][2] != bool(denied):
            one = said[key]
            spans = (found.span(one[0], one[1]), found.span(first, last))
            yield Check(NAME, False, f"stated and denied: {' '.join(sorted(words))}", spans)
            return
        said.setdefault(key, (first, last, bool(denied)))


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
