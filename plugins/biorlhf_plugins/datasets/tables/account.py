"""What was read of a lab's tables and how it was understood, for a person to look at before it is used."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from biorlhf_plugins.datasets.tables.measured import OUTLIER
from biorlhf_plugins.datasets.tables.readers.names import is_accession
from biorlhf_plugins.datasets.tables.slots import DOWN, NOT_TESTED, NS, UP, Loaded

#: A table of fewer rows may well be without one of the directions.
FEW = 5


def account(one: Loaded) -> str:
    """names from `gene`, effect log2FoldChange (−6.1 … 7.3), 212 rows, 34 up, 29 down, ..."""
    results, columns = one.results, one.results.columns
    parts = [f"names from {_column(columns['id'])}"]
    if columns.get("label") and columns["label"] != columns["id"]:
        parts[0] += f" (shown as {_column(columns['label'])})"
    effect = results.table["effect"].to_numpy()
    if "effect" in columns and not np.isnan(effect).all():
        low, high = np.nanmin(effect), np.nanmax(effect)
        parts.append(f"effect {columns['effect']} ({_signed(low)} … {_signed(high)})")
    parts.append(f"{len(one.direction):,} rows")
    count = Counter(one.direction.tolist())
    if results.tool.over_representation:
        parts.append(f"{count[UP]:,} enriched")
    else:
        parts += [f"{count[UP]:,} up", f"{count[DOWN]:,} down"]
    parts.append(f"{count[NS]:,} not significant")
    if count[NOT_TESTED]:
        parts.append(f"{count[NOT_TESTED]:,} without {columns['adjusted']}{_reasons(one)}")
    return f"{one.spec.file}: {', '.join(parts)}" + "".join(f"; {note}" for note in results.notes)


def _column(name: str) -> str:
    return f"`{name}`" if name else "the first column, which has no name"


def _signed(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _reasons(one: Loaded) -> str:
    why = Counter(name for name in one.results.table["why"].to_pylist() if name)
    shown = [f"{many:,} {name}{'s' * (name == OUTLIER and many > 1)}" for name, many in why.most_common()]
    return f" ({', '.join(shown)})" if shown else ""


def doubts(loaded: Sequence[Loaded]) -> Iterator[str]:
    """What may be a mistake, and is no error: a filtered table, nothing significant, two kinds of names."""
    for one in loaded:
        yield from _of_counts(one)
        yield from _of_file_name(one)
    yield from _of_names(loaded)
    for role in ("tissue", "condition"):
        yield from _of_spelling(loaded, role)


def _of_counts(one: Loaded) -> Iterator[str]:
    count, file = Counter(one.direction.tolist()), one.spec.file
    tested = len(one.direction) - count[NOT_TESTED]
    significant = count[UP] + count[DOWN]
    limit = f"adjusted p below {one.spec.thresholds.padj:g}"
    if not tested:
        yield f"{file}: no row has an adjusted p; nothing can be asked of it"
    elif not significant:
        also = f" and an effect of {one.spec.thresholds.effect:g}" if one.spec.thresholds.effect else ""
        yield (
            f"{file}: nothing is significant: none of {tested:,} rows has {limit}{also}; no direction asked"
        )
    elif significant == tested and tested >= FEW:
        yield (
            f"{file}: all of {tested:,} rows have {limit}: a filtered table? what does not change is then "
            "never asked; give the table as the tool wrote it"
        )
    elif not one.results.tool.over_representation and significant >= FEW and not (count[UP] and count[DOWN]):
        yield f"{file}: all of {significant:,} significant rows go {'up' if count[UP] else 'down'}"


def _of_file_name(one: Loaded) -> Iterator[str]:
    """A file called a_vs_b whose contrast is said to be b against a."""
    spec = one.spec
    sides = [
        re.sub(r"[^a-z0-9]+", "_", side.lower())
        for side in (spec.contrast.numerator, spec.contrast.denominator)
    ]
    if spec.flip:
        sides.reverse()
    name = re.sub(r"[^a-z0-9]+", "_", spec.file.lower())
    if re.search(rf"(?<![a-z0-9]){sides[1]}_(vs?|versus|against|over)_{sides[0]}(?![a-z0-9])", name):
        yield (
            f"{spec.file}: its name says {sides[1]} against {sides[0]}, the contrast "
            f"{spec.contrast.numerator} against {spec.contrast.denominator}: are they swapped?"
        )


def _of_names(loaded: Sequence[Loaded]) -> Iterator[str]:
    """One gene by its accession in one table and by its symbol in another would be two genes."""
    kinds: dict[bool, str] = {}
    for one in loaded:
        if one.results.tool.of == "gene":
            names = one.results.table["id"][:200].to_pylist()
            kinds.setdefault(sum(map(is_accession, names)) * 2 > len(names), one.spec.file)
    if len(kinds) == 2:
        yield (
            f"{kinds[True]} names genes by accession, {kinds[False]} by symbol: a gene of both is taken for "
            "two; give both a 'mapping'"
        )


def _of_spelling(loaded: Sequence[Loaded], role: str) -> Iterator[str]:
    values = sorted({str(v) for one in loaded for v in one.column(role).unique().to_pylist() if v})
    for at, value in enumerate(values):
        for other in values[at + 1 :]:
            if _spelt_alike(value.lower(), other.lower()):
                yield f"{role} {value!r} beside {other!r}: one thing, spelt twice?"


def _spelt_alike(one: str, other: str) -> bool:
    """Letters missing or swapped; no other number, and no other short word: a T cell is no B cell."""
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    differ = [pair for pair in zip(one.split(), other.split(), strict=False) if pair[0] != pair[1]]
    if any(max(map(len, pair)) <= 3 for pair in differ):
        return False
    return sorted(one) == sorted(other) or difflib.SequenceMatcher(None, one, other).ratio() > 0.85
