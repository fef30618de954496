"""Every check of a text against itself, for V3 and for ``data check``."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.amounts.checks import amount_checks
from biorlhf_plugins.language.evidence.orders import orders
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.risks import risks
from biorlhf_plugins.language.evidence.signs import signs
from biorlhf_plugins.language.evidence.statements import content_of, statements
from biorlhf_plugins.language.evidence.sums import sums
from biorlhf_plugins.language.evidence.universals import universals
from biorlhf_plugins.language.series.columns import columns
from biorlhf_plugins.language.series.dates import times
from biorlhf_plugins.language.series.ranges import ranges
from biorlhf_plugins.language.series.schedules import schedules
from biorlhf_plugins.language.series.steps import steps
from biorlhf_plugins.language.verdicts.again import again
from biorlhf_plugins.language.verdicts.ranks import ranks
from biorlhf_plugins.language.verdicts.replies import replies
from biorlhf_plugins.language.verdicts.significance import significance


def text_checks(found: Evidence) -> Iterator[Check]:
    """Every check, the sums first and series last."""
    yield from sums(found)
    yield from amount_checks(found)
    yield from signs(found)
    yield from significance(found)
    yield from risks(found)
    yield from orders(found)
    yield from ranks(found)
    yield from replies(found)
    yield from statements(found)
    yield from universals(found)
    yield from again(found)
    yield from ranges(found)
    yield from columns(found)
    yield from steps(found)
    yield from times(found)
    yield from schedules(found)


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
