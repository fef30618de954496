"""A lab's own result tables as questions with ground truth, training text and preference pairs.

Reads DESeq2, edgeR, limma, GeneLab's wide files, fgsea, clusterProfiler and GSEA desktop output (CSV, TSV,
xlsx, Parquet, gz). The same settings work in a recipe and in the file that ``biorlhf data build`` takes::

    data:
      - dataset: tables
        tables:
          - file: soleus_fgsea.csv
            tool: fgsea
            tissue: soleus
            condition: spaceflight
            contrast: {numerator: flight, denominator: ground}
            thresholds: {padj: 0.05}

UP means a positive effect, higher in the numerator. An adjusted p of NA is "not tested": such a slot becomes
a question that the data cannot answer, not one whose answer is "not significant".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from biorlhf import DataError, Dataset, DatasetPlugin, hookimpl
from biorlhf.hookspecs import DatasetStream
from biorlhf.types import Names
from biorlhf_plugins.datasets.tables.account import account, doubts
from biorlhf_plugins.datasets.tables.config import LabConfig, resolve
from biorlhf_plugins.datasets.tables.files import write_folder
from biorlhf_plugins.datasets.tables.items import items
from biorlhf_plugins.datasets.tables.phrases import is_control
from biorlhf_plugins.datasets.tables.slots import (
    DIRECTIONS,
    DOWN,
    NS,
    UP,
    Loaded,
    Slots,
    arrange,
    load_tables,
)


def build(config: LabConfig) -> Dataset:
    """Every kept slot of every table as items in memory; :func:`stream` writes them to files instead."""
    config = resolve(config)
    slots = arrange(config, load_tables(config))
    made = list(items(config, slots))
    return Dataset(
        name=config.name,
        questions=tuple(item.question for item in made if item.question),
        examples=tuple(item.example for item in made if item.example),
        preferences=tuple(item.preference for item in made if item.preference),
        provenance=provenance(config, slots),
        names=names(config, slots),
    )


def stream(config: LabConfig) -> DatasetStream:
    """The same items, written as they are made. What UP means is shown and asked before."""
    config = resolve(config)
    loaded = load_tables(config)
    slots = arrange(config, loaded)

    def write(folder: Path) -> dict[str, Any]:
        record = {"name": config.name, **provenance(config, slots)}
        return write_folder(folder, items(config, slots), record, names(config, slots))

    return DatasetStream(
        name=config.name,
        write=write,
        lines=tuple(_about(loaded)),
        warnings=tuple(_warnings(loaded, slots)),
        question="Is that what UP should mean?",
        refusal=DataError(
            f"dataset {config.name}",
            "UP does not mean what it should",
            "numerator and denominator the other way round",
            hint="swap them in the contrast, and build again",
        ),
    )


def _about(loaded: Sequence[Loaded]) -> Iterator[str]:
    """What was read, what UP means in each table, its strongest rows, and how far a matrix agrees."""
    for one in loaded:
        yield account(one)
    for headline, up, down in orientation(loaded):
        yield headline
        for label, top in (("highest", up), ("lowest", down)):
            shown = ", ".join(f"{name} ({effect:+.2f})" for name, effect in top) or "none is significant"
            yield f"  {label}: {shown}"
    for one in loaded:
        if one.audit:
            yield (
                f"{one.spec.file}: {one.audit.agreement:.1%} of {one.audit.compared:,} signs agree with "
                f"{one.audit.file} (rank correlation {one.audit.spearman:+.2f})"
            )


def _warnings(loaded: Sequence[Loaded], slots: Slots) -> Iterator[str]:
    for one in loaded:
        if is_control(one.spec.contrast.numerator):
            yield (
                f"{one.spec.file}: the numerator, {one.spec.contrast.numerator!r}, is a control; "
                "flip: true asks the questions the other way round"
            )
        yield from one.results.warnings
    yield from doubts(loaded)
    for exception in slots.exceptions:
        yield f"not balanced: {exception}"


def names(config: LabConfig, slots: Slots) -> Names:
    """The synonyms that the lab gives, those of the two sides under each contrast's name."""
    asked = [one.spec.contrast for one in slots.loaded]  # as asked: a flipped table's sides have changed
    sides: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for contrast in asked:
        above, below = sides.get(contrast.name, ((), ()))
        sides[contrast.name] = (
            tuple(dict.fromkeys((*above, *contrast.numerator_synonyms))),
            tuple(dict.fromkeys((*below, *contrast.denominator_synonyms))),
        )
    synonyms = config.names
    return Names(
        entities=dict(synonyms.entities),
        # A knock-down is a condition, and no direction.
        conditions={**{c: () for one in slots.loaded if (c := one.spec.condition)}, **synonyms.conditions},
        sets=dict(synonyms.sets),
        contrasts={name: pair for name, pair in sides.items() if any(pair)},
    )


def provenance(config: LabConfig, slots: Slots) -> dict[str, Any]:
    """What a run's manifest records: files, contrasts, thresholds, counts, exceptions, sign audits."""
    return {
        "seed": config.seed,
        "licence": config.licence,
        "unbalanced": list(slots.exceptions),
        "tables": [_describe(one) for one in slots.loaded],
    }


def _describe(one: Loaded) -> dict[str, Any]:
    spec = one.spec
    return {
        "file": spec.file,
        "sha256": one.sha256,
        "tool": spec.tool,
        "columns": dict(one.results.columns),
        "read": account(one),
        "flipped": spec.flip,
        "up_means": f"higher in {spec.contrast.numerator}",
        "contrast": spec.contrast.model_dump(),
        "thresholds": spec.thresholds.model_dump(),
        "rows": {name: int((one.direction == code).sum()) for code, name in enumerate(DIRECTIONS)},
        "signs": one.audit.to_json() if one.audit else None,
    }


Top = list[tuple[str, float]]


def orientation(loaded: Sequence[Loaded]) -> Iterator[tuple[str, Top, Top]]:
    """For a person to confirm: per table, a headline, and the three strongest UP and DOWN rows."""
    for one in loaded:
        if one.results.tool.over_representation:
            continue
        spec, effect = one.spec, one.results.table["effect"].to_numpy()
        labels = one.results.table["label"]
        tops: list[Top] = []
        for code, sign in ((UP, -1), (DOWN, 1)):
            rows = [row for row in (sign * effect).argsort(kind="stable") if one.direction[row] == code][:3]
            tops.append([(labels[int(row)].as_py(), float(effect[row])) for row in rows])
        counts = ", ".join(
            f"{(one.direction == code).sum():,} {DIRECTIONS[code]}" for code in (UP, DOWN, NS, 3)
        )
        yield f"{spec.file}: UP means higher in {spec.contrast.numerator} ({counts})", tops[0], tops[1]


@hookimpl
def biorlhf_datasets():
    yield DatasetPlugin(
        name="tables",
        summary="a lab's own DESeq2, edgeR, limma, GeneLab, fgsea, clusterProfiler or GSEA tables",
        config=LabConfig,
        build=build,
        stream=stream,
    )
