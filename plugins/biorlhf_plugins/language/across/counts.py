"""The things that a sentence counts."""

from __future__ import annotations

from biorlhf_plugins.language.evidence.parts import TIMES
from biorlhf_plugins.language.evidence.records import Evidence, Figure, is_year, once
from biorlhf_plugins.language.evidence.shares import plain_of


@once
def counted(found: Evidence, number: int) -> list[Figure]:
    """The things that a sentence counts, outside brackets: no times, no measured values."""
    plain = [f for f in plain_of(found.by_part.get(number, ())) if not f.decimals and f.value >= 2]
    plain = [f for f in plain if f.unit not in TIMES and not found.unit(f)]
    plain = [f for f in plain if f.unit or not _in_ratio(found, f)]
    return [f for f in plain if not _enclosed(found, f) and not is_year(found, f)]


def _in_ratio(found: Evidence, figure: Figure) -> bool:
    """The 1 and the 2 of "1:2"."""
    stream, first, last = found.stream, figure.first, figure.last
    behind = stream.texts[last : last + 1] == [":"] and last + 1 < len(stream)
    ahead = first > 1 and stream.texts[first - 1] == ":" and stream[first - 2].number is not None
    return ahead or (behind and stream[last + 1].number is not None)


def plural(found: Evidence, at: int) -> bool:
    """Whether a token is written as a plural."""
    if at >= len(found.stream):
        return False
    token = found.stream[at]
    start, end = found.said.clean.span(token.start, token.end)
    return token.kind == "w" and found.said.text[start:end].endswith("s")


def _enclosed(found: Evidence, figure: Figure) -> bool:
    before = found.stream.texts[found.parts[figure.part].first : figure.first]
    return before.count("(") > before.count(")")
