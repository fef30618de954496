"""Two comparisons of one pair: "Knock-outs are heavier than wild type … wild types weigh more than they"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.comparisons import FAST, INVERSE, POTENT, TIMES, stated
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.words.text import canonical

AGAIN = (["in", "other", "words"], ["put", "differently"], ["accordingly"], ["conversely"], ["in", "turn"])
AGAIN_OF = tuple([canonical(word) for word in words] for words in AGAIN)
UNLIKE = INVERSE | POTENT | FAST | TIMES | {"better", "worse", "time", "ct", "cq"}
"""Of these more of the one may be less of the other: a lower IC50 and a higher potency."""


AGREES = frozenset(("agree", "concordant", "consistent"))
DENIES = frozenset(("not", "no", "neither", "hardly"))


def mutual(found: Evidence) -> Iterator[Check]:
    """ "Knock-outs are heavier than wild type … wild-type mice weigh more than knock-outs"."""
    if not AGREES.isdisjoint(found.stream.vocabulary):
        yield from _agreeing(found)
    said = stated(found)
    if len(said) < 2:
        return
    plain = UNLIKE.isdisjoint(found.stream.vocabulary)
    restates = {c.at for c in said if plain and _restates(found, c.at)}
    for at, one in enumerate(said):
        for other in said[at + 1 :]:
            if one.sort != other.sort and other.at not in restates:
                continue
            mine, theirs = one.subjects[-1] - one.other, one.other
            second, last = other.subjects[-1] - other.other, other.other
            # "The northern meadow … the southern meadow": by what tells them apart.
            here = [(s - one.other - second) & last for s in (one.subjects[-1], one.subjects[0])]
            swapped = any(here) and theirs & (second - mine)
            crossed = mine & last or theirs & second
            same = one.sort == other.sort and mine & second and theirs & last and not crossed
            if not swapped and not same:
                continue
            passed = (one.more != other.more) if swapped else (one.more == other.more)
            spans = tuple(found.span(c.at, c.at + 1) for c in (one, other))
            says = "one order" if passed else "both orders"
            yield Check("two orders of one pair", passed, says, spans, alone=passed)


def _agreeing(found: Evidence) -> Iterator[Check]:
    """ "The missions agree: the NES is 1.62 in RR-1 and -1.94 in RR-9"."""
    for number, figures in found.by_part.items():
        part, texts = found.parts[number], found.stream.texts
        effects = [f for f in figures if f.kind == "effect" and not f.sign and f.value]
        said = [i for i in range(part.first, part.last) if texts[i] in AGREES]
        if len(effects) != 2 or len(said) != 1 or effects[0].first < said[0] or not found.asserted(said[0]):
            continue
        if DENIES.isdisjoint(texts[max(part.first, said[0] - 4) : said[0]]):
            one, other = effects
            says = f"{texts[said[0]]}, with {one.value:g} and {other.value:g}"
            passed = (one.value > 0) == (other.value > 0)
            yield Check("agreement against the evidence", passed, says, (one.span, other.span), alone=passed)


def _restates(found: Evidence, at: int) -> bool:
    """Whether a comparison says what was said before: "In other words, …"."""
    part = next(p for p in found.parts if p.first <= at < p.last)
    texts = found.stream.texts
    heads = (part.first, *(i + 1 for i in range(part.first, at) if texts[i] == ","))
    return any(texts[i : i + len(words)] == words for i in heads for words in AGAIN_OF)
