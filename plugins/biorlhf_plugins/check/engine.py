"""All checks over one file, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from biorlhf.errors import DataError
from biorlhf.types import Example, Preference, Question
from biorlhf_plugins.check import (
    corpus,
    figures,
    inside,
    lab,
    orders,
    ratios,
    sense,
)
from biorlhf_plugins.check.findings import SEVERITIES, Finding
from biorlhf_plugins.check.reading import Reading, Text, read
from biorlhf_plugins.check.stated import classes, differences, features, ranks, universals
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language import Additions

ALONE: tuple[Callable[[Reading], Iterable[Finding]], ...] = (
    inside.check_inside,
    sense.check_placeholders,
    sense.check_design,
)
WITH_TABLE: tuple[Callable[[Reading, FactTable], Iterable[Finding]], ...] = (
    figures.check_figures,
    classes.check_classes,
    classes.check_letters,
    features.check_features,
    features.check_gene_orders,
    ratios.check_ratios,
    orders.check_orders,
    universals.check_universal,
    universals.check_named,
    universals.check_yes_no,
    ranks.check_ranks,
    features.check_directions,
    differences.check_differences,
    orders.check_combined,
    sense.check_interaction_sets,
    sense.check_interaction_sums,
    sense.check_unsigned,
    lab.check_lab,
)


def read_texts(path: Path) -> list[Text]:
    """The items of a file as texts; of a preference pair, the chosen side is what is learnt."""
    from biorlhf_plugins.datasets.jsonl import read_items

    return [text_of(number, item) for number, item in enumerate(read_items(path))]


def audit_path(path: Path, table: FactTable | None = None, against: Path | None = None) -> list[Finding]:
    """The findings of a file, or of each file of a folder that ``biorlhf data build`` wrote.

    Raises:
        DataError: no such file, a folder without built data, or rows that cannot be read.
    """
    from biorlhf_plugins.datasets.jsonl import BUILT

    files = [path / name for name in BUILT if (path / name).is_file()] if path.is_dir() else [path]
    if not files:
        raise DataError(
            str(path), "a folder without built data", f"a file, or a folder with {', '.join(BUILT)}"
        )
    others = read_texts(against) if against is not None else None
    return [
        replace(finding, file=file.name) if path.is_dir() else finding
        for file in files
        for finding in audit(read_texts(file), table, others)
    ]


def text_of(index: int, item: Question | Example | Preference) -> Text:
    if isinstance(item, Question):
        return Text(index, item.prompt, item.answer or "", "", item.ground_truth, item.fact_ids)
    if isinstance(item, Preference):
        return Text(index, item.prompt, item.chosen, item.rejected, None, item.fact_ids)
    return Text(index, item.prompt, item.response, "", None, item.fact_ids)


def audit(
    texts: Sequence[Text], table: FactTable | None = None, against: Sequence[Text] | None = None
) -> list[Finding]:
    """Everything that is wrong with the texts, by position and severity.

    Args:
        texts: one file.
        table: the facts to check figures against; without it only what needs no facts is checked.
        against: another file, with which the texts must share nothing.
    """
    additions = table.additions if table is not None else Additions()
    readings = [read(text, additions) for text in texts]
    findings = list(_of_each(readings, table))
    findings += corpus.check_duplicates(texts)
    findings += corpus.check_pairs(readings, table)
    findings += corpus.check_listed(texts)
    findings += [finding for reading in readings for finding in corpus.check_giveaway(reading)]
    findings += corpus.check_balance(readings)
    findings += corpus.check_lengths(texts)
    if against is not None:
        findings += corpus.check_overlap(texts, against)
    # By place in the file: each check went through all of the texts.
    return sorted(findings, key=lambda f: (f.index, SEVERITIES.index(f.severity), f.kind, f.quote))


def _of_each(readings: Sequence[Reading], table: FactTable | None) -> Iterator[Finding]:
    for reading in readings:
        for check in ALONE:
            yield from check(reading)
        if table is not None:
            for check_table in WITH_TABLE:
                yield from check_table(reading, table)
