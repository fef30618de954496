"""More or less than additive, against what the parts come to: "150 DEGs against 120 + 75 = 195"."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.shares import OPPOSED
from biorlhf_plugins.language.words.evidence import meanings, words_of

WAYS, DENIES, EXPECTED = meanings("additive"), words_of("unreal"), words_of("expected")
ADDITIVE = frozenset(("additive", "additively"))


def additive(found: Evidence) -> Iterator[Check]:
    """ "Less than additive: 640 DEGs against 120 + 75 = 195", "synergistic: 230, and 640 expected"."""
    texts = found.stream.texts
    said = [i for i, word in enumerate(texts) if word in WAYS]
    said = [i for i in said if texts[i] not in ("more", "less") or {*texts[i + 2 : i + 3]} & ADDITIVE]
    # Of viability less is more.
    if (
        len(said) != 1
        or not DENIES.isdisjoint(texts[max(0, said[0] - 4) : said[0]])
        or OPPOSED & found.stream.vocabulary
    ):
        return
    figures = [f for f in found.figures if f.kind in ("count", "percent") and not f.sign and f.value > 2]
    made = {a.value + b.value for a, b in combinations(figures, 2)}
    ahead = lambda f: {*texts[max(0, f.first - 2) : f.first]} & {"=", "sum", "expected"}  # noqa: E731
    wholes = [
        f for f in figures if ahead(f) or EXPECTED & {*texts[f.last : f.last + (4 if f.value in made else 1)]}
    ]
    rest = [f for f in figures if f not in wholes]
    parts = [p for p in combinations(rest, 2) if wholes and sum(f.value for f in p) == wholes[0].value]
    rest = [f for f in rest if not parts or f not in parts[0]]
    here = next((n for n, part in enumerate(found.parts) if part.first <= said[0] < part.last), 0)
    near = all(abs(f.part - here) <= 1 for f in (*wholes, *rest))
    if near and len(wholes) == len(rest) == 1 and rest[0].kind == wholes[0].kind:
        one, whole, word = rest[0], wholes[0], texts[said[0]]
        says = f"{word}, with {one.value:g} against {whole.value:g}"
        passed = (one.value > whole.value) == WAYS[word]
        yield Check("a comparison against its figures", passed, says, (one.span, whole.span))
