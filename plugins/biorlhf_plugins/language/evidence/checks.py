"""Every check of a text against itself, for V3 and for ``data check``."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.across.converted import converted
from biorlhf_plugins.language.across.correlated import correlated
from biorlhf_plugins.language.across.mutual import mutual
from biorlhf_plugins.language.across.portions import portions
from biorlhf_plugins.language.across.series import series
from biorlhf_plugins.language.across.spans import spans
from biorlhf_plugins.language.evidence.orders import orders
from biorlhf_plugins.language.evidence.ratios import risks
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.significance import significance
from biorlhf_plugins.language.evidence.signs import signs
from biorlhf_plugins.language.evidence.statements import content_of, statements
from biorlhf_plugins.language.evidence.sums import sums
from biorlhf_plugins.language.evidence.universals import universals
from biorlhf_plugins.language.relations.derived import derived
from biorlhf_plugins.language.relations.labelled import labelled
from biorlhf_plugins.language.relations.made import made
from biorlhf_plugins.language.relations.plain import plain
from biorlhf_plugins.language.relations.quantified import quantified
from biorlhf_plugins.language.relations.restated import restated
from biorlhf_plugins.language.relations.sequence import sequence
from biorlhf_plugins.language.relations.twice import twice

ACROSS = (
    portions,
    spans,
    mutual,
    series,
    converted,
    correlated,
    derived,
    labelled,
    restated,
    quantified,
    sequence,
    twice,
    plain,
    made,
)
"""What sentences tell of one another."""


def text_checks(found: Evidence) -> Iterator[Check]:
    """Sums, signs, significance, risks, orders, statements and universals, in this order."""
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
