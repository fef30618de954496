"""Every check of a text against itself, for V3 and for ``data check``."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.across.converted import converted
from biorlhf_plugins.language.across.correlated import correlated
from biorlhf_plugins.language.across.durations import durations
from biorlhf_plugins.language.across.mutual import mutual
from biorlhf_plugins.language.across.portions import portions
from biorlhf_plugins.language.across.series import series
from biorlhf_plugins.language.across.spans import spans
from biorlhf_plugins.language.evidence.orders import orders
from biorlhf_plugins.language.evidence.ratios import risks
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.significance import significance
from biorlhf_plugins.language.evidence.signs import signs
from biorlhf_plugins.language.evidence.statements import AGAINST_REASONS, content_of, statements
from biorlhf_plugins.language.evidence.sums import sums
from biorlhf_plugins.language.evidence.universals import universals
from biorlhf_plugins.language.relations.additive import additive
from biorlhf_plugins.language.relations.complement import complement
from biorlhf_plugins.language.relations.denied import denied
from biorlhf_plugins.language.relations.derived import derived
from biorlhf_plugins.language.relations.labelled import labelled
from biorlhf_plugins.language.relations.plain import plain
from biorlhf_plugins.language.relations.quantified import quantified
from biorlhf_plugins.language.relations.sequence import sequence
from biorlhf_plugins.language.relations.twice import twice
from biorlhf_plugins.language.relations.unchanged import unchanged

ACROSS = (
    portions,
    spans,
    durations,
    mutual,
    series,
    converted,
    correlated,
    derived,
    labelled,
    quantified,
    sequence,
    twice,
    plain,
    complement,
    denied,
    additive,
    unchanged,
)
"""What sentences tell of one another."""


CROWD = 4
"""Figures beside those of a check, in its sentences and the two next to them, up to which it may charge.

Of 55 charges of honest texts (sets w and x of the fresh texts) 41 had more, of 256 contradictions found 2.
"""

BESIDE = 4
"""Characters between two figures that hold together by themselves."""
TOLD = frozenset((
    "arithmetic", "a course against its figures", "a mean within its values", "a bound against its figures",
    "an interval holds its estimate", "significance against the interval", AGAINST_REASONS,
))  # fmt: skip
"""Checks of what signs, brackets or a list hold together, whatever stands around them."""


def text_checks(found: Evidence) -> Iterator[Check]:
    """Sums, signs, significance, risks, orders, statements and universals, in this order.

    Which figures belong together is read from the words between them. Where many stand side by side that is
    no more than a guess, and a guess charges nobody: such a check is as if it had not been made.
    """
    for check in _every(found):
        if check.passed or not _crowded(found, check):
            yield check


def _crowded(found: Evidence, check: Check) -> bool:
    """Whether the prose around a check holds more figures than it accounts for; a table says what is what."""

    def taken(first: int, last: int) -> bool:
        return any(first < end and start < last for start, end in check.spans)

    starts, ends = (sorted(at) for at in zip(*check.spans, strict=True)) if check.spans else ([], [])
    beside = len(starts) == 2 and starts[1] - ends[0] <= BESIDE  # "62 of 60"
    own = [f.part for f in found.figures if taken(*f.span)]
    if beside or check.name in TOLD or not own or any(found.parts[number].kind == "row" for number in own):
        return False
    near = range(min(own) - 1, max(own) + 2)
    others = [f for f in found.figures if f.part in near and found.parts[f.part].kind != "row"]
    return sum(not taken(*f.span) for f in others) > CROWD


def _every(found: Evidence) -> Iterator[Check]:
    yield from sums(found)
    yield from signs(found)
    yield from significance(found)
    yield from risks(found)
    yield from orders(found)
    yield from statements(found)
    yield from universals(found)
    for across in ACROSS:
        for check in across(found):
            # What holds between figures can be written down by anybody: it must not pay.
            yield check if check.alone or not check.passed else check._replace(alone=True)


def about(found: Evidence, check: Check) -> bool:
    """Whether a check's sentence has a word of the question, or a name of its own list or table in common."""
    asked = content_of(found.prompt)
    if not asked:
        return True
    for start, end in check.spans:
        for number, part in enumerate(found.parts):
            first, last = found.span(part.first, part.last)
            if first < end and start < last and not asked.isdisjoint(found.words(number)):
                return True
    return False
