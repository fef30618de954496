"""Every check of a text's amounts."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.amounts.changes import changes
from biorlhf_plugins.language.amounts.rates import rates
from biorlhf_plugins.language.amounts.read import amounts_of
from biorlhf_plugins.language.amounts.rest import rests
from biorlhf_plugins.language.amounts.shares import shares
from biorlhf_plugins.language.amounts.totals import totals
from biorlhf_plugins.language.evidence.records import Check, Evidence


def amount_checks(found: Evidence) -> Iterator[Check]:
    """Totals, rests, shares, changes and rates, in this order."""
    amounts = amounts_of(found)
    if sum(map(len, amounts.values())) < 2:
        return
    for check in (totals, rests, shares, changes, rates):
        yield from check(found, amounts)
