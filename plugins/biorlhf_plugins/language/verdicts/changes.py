"""Changes that carry no name of an effect: "-13 % relative to baseline", "(ratio 0.6)", "expanded"."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.evidence.records import Evidence, Figure
from biorlhf_plugins.language.words.evidence import meanings, words_of

GROWN = meanings("grown")
CONTROLS, PLACES = words_of("controls"), words_of("places")
ATTRIBUTES = PLACES | {"a", "an", "the", "by", "of", "to", "without", "from", "after"}
"""Before a word of direction that belongs to the noun after it."""


def changed(found: Evidence, figure: Figure) -> Figure:
    """A per cent with a sign as an effect ("-13 % relative to baseline"), "(ratio 0.6)" as a fold."""
    texts, span = found.stream.texts, figure.span
    sign = found.said.text[span[0] : span[0] + 1]
    before = texts[figure.first - 1] if figure.first else ""
    if figure.kind == "percent" and (sign == "+" or figure.value < 0):
        bound = before in ("to", "from", "ci", "interval", "and", "–") or texts[
            figure.last : figure.last + 1
        ] == ["to"]
        return figure if bound else figure._replace(kind="effect")
    if figure.kind not in ("count", "ratio") or figure.value <= 0:
        return figure
    opens = next((i for i in range(figure.first - 1, max(figure.first - 6, 0), -1) if texts[i] in "()"), 0)
    lead = texts[opens + 1 : figure.first] if texts[opens] == "(" else texts[figure.first - 6 : figure.first]
    compared = lead[:1] in (["relative"], ["ratio"]) if texts[opens] == "(" else _control(lead)
    plain = {"log", "log2", "change", "risk", "to", "per"}.isdisjoint(lead) or _control(lead)
    ends = texts[figure.last : figure.last + 1]
    alone = not ends or not ends[0].isalpha() or ends[0] in PLACES
    if "ratio" in texts[found.parts[figure.part].first : opens]:
        return figure  # the ratio itself rose: "The LDL to HDL ratio rose (ratio 0.9)"
    return figure._replace(kind="fold") if compared and plain and alone else figure


def _control(lead: Sequence[str]) -> bool:
    """Whether words name a ratio to a control: "an exposed-to-control ratio of"."""
    at = next((i for i, word in enumerate(lead) if word in CONTROLS), 0)
    return at > 0 and lead[at - 1] in ("to", "/") and lead[at + 1 : at + 2] == ["ratio"]


def predicates(found: Evidence, number: int, ways: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Words of direction, with "expanded" and "shrank", without the "elevated" of "under elevated CO2"."""
    part, texts = found.parts[number], found.stream.texts
    negations = {i for m in part.inside.get("neg", ()) for i in range(m.first, m.last + 4)}
    known = {i for m in part.inside.get("dir", ()) for i in range(m.first, m.last)}
    grown = [
        (GROWN[texts[at]].upper(), at)
        for at in range(part.first, part.last)
        if texts[at] in GROWN and at not in known | negations and found.asserted(at)
    ]
    said = sorted((w for w in (*ways, *grown) if w[0] in ("UP", "DOWN")), key=lambda w: w[1])
    return [w for w in said if not _attribute(texts, w[1], part.first)]


def _attribute(texts: Sequence[str], at: int, first: int) -> bool:
    opens = at == first or texts[at - 1] in ATTRIBUTES
    return opens and texts[at].endswith(("ed", "er", "ing"))
