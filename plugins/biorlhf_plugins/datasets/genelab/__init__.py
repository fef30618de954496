"""GeneLab: gene-set enrichment of mouse tissues, spaceflight versus ground controls.

Six tissues, 20 tissue-missions, 50 Hallmark sets ship in ``data/genelab``; KEGG, Reactome and MitoCarta are
read from a folder of the published fGSEA tables (``folder``). UP means higher in flight: the published
tables rank ground control first and are re-oriented.

A *fact* is one set in one tissue and mission. All missions of a set in a tissue lie in one split (random
splits and ``hold_out_tissues``); with ``hold_out_missions`` the test is every fact of those missions,
and nothing that training sees is computed from them. Questions over several tissues are made
within one split only.

A held-out tissue cannot be known from memory: ``closed_book``, the honest target is chance with a low
confidence; ``open_book``, with the table's rows before the question, is where skill generalises.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from biorlhf import Dataset, DatasetPlugin, InputPath, PluginConfig, hookimpl
from biorlhf.errors import DataError
from biorlhf.types import Split
from biorlhf_plugins.datasets.genelab import rows as tables
from biorlhf_plugins.datasets.genelab.items import LOW_N, items
from biorlhf_plugins.datasets.genelab.names import DIRECTIONAL_NAME, title
from biorlhf_plugins.datasets.genelab.recall import recall
from biorlhf_plugins.datasets.genelab.rows import PADJ, Row
from biorlhf_plugins.making import items as _items
from biorlhf_plugins.making.balance import balanced, best_constant, uneven
from biorlhf_plugins.making.items import Item
from biorlhf_plugins.making.shipped import read_shipped
from biorlhf_plugins.making.splits import Fractions, assign_groups, stable_order, without_near_duplicates
from biorlhf_plugins.making.taught import Taught, mixed_test, taught_groups

Family = Literal[
    "direction",
    "not_significant",
    "mission_specific",
    "uncertainty",
    "comparison",
    "conservation",
    "cross_database",
]
Share = Annotated[float, Field(ge=0, lt=1)]
# Pairs and triples of tissues grow combinatorially, and would crowd out the plain questions.
CAPS = {"comparison": 100, "conservation": 60, "mission_specific": 2000, "cross_database": 200}
# With the needed rows alone in the prompt, copying would pass for reading.
DISTRACTORS = 3


class Contrast(PluginConfig):
    """By which contrast a folder's tables rank genes: positive NES means higher in ``numerator``."""

    numerator: str
    denominator: str


class GenelabConfig(PluginConfig):
    """Settings of the dataset ``genelab``.

    Attributes:
        mode: ``open_book`` puts the table's rows, among others, before each question.
        families: only these; None: all. ``cross_database`` needs a ``folder`` with two databases.
        hold_out_tissues, hold_out_missions: all their facts are the test; ``MHU-2`` holds out
            ``MHU-2_dorsal`` as well. Neither: whole (tissue, set) slots are drawn by seed.
        validation_fraction: share of the slots that are not held out. test_fraction: the same, where
            nothing is held out.
        folder, contrast: published fGSEA tables ``TISSUE/MISSION_fgsea_DB.csv`` instead of the shipped
            Hallmark table, and the contrast that they were made with.
        databases: which of the folder's databases to ask about.
        include_unverified: ask also about tissue-missions whose orientation the sign check does not
            confirm.
        taught, confidence: as in the dataset ``kmp``.
        max_examples, max_preferences, max_questions, max_test_questions: upper bounds; families in
            proportion.
    """

    mode: Literal["closed_book", "open_book"] = "closed_book"
    families: tuple[Family, ...] | None = None
    hold_out_tissues: tuple[str, ...] = ()
    hold_out_missions: tuple[str, ...] = ()
    validation_fraction: Share = 0.1
    test_fraction: Share = 0.2
    seed: int = 42
    folder: InputPath | None = None
    contrast: Contrast | None = None
    databases: tuple[str, ...] = ("hallmark",)
    include_unverified: bool = False
    taught: Taught | None = None
    confidence: Literal["high", "spread"] = "high"
    max_examples: PositiveInt | None = None
    max_preferences: PositiveInt | None = None
    max_questions: PositiveInt | None = None
    max_test_questions: PositiveInt | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> GenelabConfig:
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train on")
        if self.hold_out_tissues and self.hold_out_missions:
            raise ValueError("hold out tissues or missions, not both: a question would belong to two tests")
        if self.taught is not None and self.mode == "open_book":
            raise ValueError("taught belongs to closed_book: in an open book every fact stands in the prompt")
        if self.folder is None and (self.contrast is not None or self.databases != ("hallmark",)):
            raise ValueError(
                "contrast and databases belong to a folder; the shipped table is Hallmark, re-oriented"
            )
        return self


def build(config: GenelabConfig) -> Dataset:
    """Build the dataset: SFT examples, preferences and questions, all with their split."""
    rows, files = _read(config)
    # Where the sign check does not confirm the orientation, a direction might be taught the wrong way
    # round.
    used = [r for r in rows if config.include_unverified or (r.tissue, r.mission) not in tables.unverified()]
    pools = _pools(used, config)
    taught = None if config.taught is None else taught_groups(pools["train"], config.taught, config.seed)
    source = files[0]["path"] if config.folder is None else str(config.folder)
    questions, examples, preferences = [], [], []
    for split, pool in pools.items():
        train = split == Split.TRAIN.value
        limit = config.max_questions if train else config.max_test_questions
        if taught is not None and split == Split.TEST.value:
            again = recall(used, _scope(config))
            chosen = mixed_test(pools["train"], pool, again, taught, limit=limit, seed=config.seed)
        else:
            chosen = _items.limited([item for item in pool if item.first], limit, config.seed)
        questions += [_items.to_question(i, "genelab", split, source, taught) for i in chosen]
        if not train:
            continue
        stated = [i for i in pool if taught is None or taught.issuperset(i.groups)]
        spread = config.confidence == "spread"
        chosen = _items.limited(stated, config.max_examples, config.seed)
        examples += [_items.to_example(i, "genelab", split, source, spread) for i in chosen]
        pairs = [i for i in stated if i.first and i.wrong]
        chosen = _items.limited(pairs, config.max_preferences, config.seed)
        preferences += [_items.to_preference(i, "genelab", split, source) for i in chosen]
    if not examples or not questions:
        raise DataError(
            "dataset genelab", "these settings leave no training text or no question", hint=str(config)
        )
    counts = Counter(f"questions.{q.split}" for q in questions)
    provenance: dict[str, Any] = {
        "files": files,
        "settings": config.model_dump(mode="json"),
        "orientation": "UP means higher in flight than in ground control",
        "padj_threshold": PADJ,
        "unverified": [" ".join(pair) for pair in sorted(tables.unverified())],
        "unverified_used": config.include_unverified,
        "low_n": sorted(LOW_N),
        "not_asked": sorted({r.pathway for r in rows if DIRECTIONAL_NAME.search(r.pathway)}),
        "counts": {**counts, "examples": len(examples), "preferences": len(preferences)},
        "best_constant": best_constant(questions),
        "unbalanced": uneven(questions),
    }
    return Dataset("genelab", tuple(questions), tuple(examples), tuple(preferences), provenance)


def _read(config: GenelabConfig) -> tuple[tuple[Row, ...], list[dict[str, Any]]]:
    if config.folder is None:
        shipped = [read_shipped(tables.TABLE), read_shipped(tables.SIGN_CHECK)]
        return tables.shipped_rows(), [table.provenance() for table in shipped]
    if config.contrast is None:
        raise DataError(
            config.folder,
            "its contrast is not given",
            "contrast: {numerator: ..., denominator: ...}, as the tables' authors state it",
            hint="the published GeneLab tables are numerator: GC, denominator: FLT",
        )
    folder = tables.read_folder(Path(config.folder), config.contrast.numerator, config.contrast.denominator)
    present = {row.db for row in folder.rows}
    for name in config.databases:
        if name not in present:
            raise DataError(
                config.folder, f"no tables of the database {name!r}", choices=sorted(present), name=name
            )
    rows = tuple(row for row in folder.rows if row.db in config.databases)
    root = Path(config.folder)
    files: list[dict[str, Any]] = [
        {
            "path": str(path.relative_to(root)),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "source": "the user's folder",
            "licence": "as stated by its authors",
        }
        for path in folder.files
    ]
    if folder.passed_over or folder.not_tested:
        files.append({"passed_over": list(folder.passed_over), "sets_not_tested": folder.not_tested})
    return rows, files


def _pools(rows: Sequence[Row], config: GenelabConfig) -> dict[str, list[Item]]:
    split_of = _split_of(rows, config)
    scope = _scope(config)
    pools: dict[str, list[Item]] = {}
    for split in Split:
        mine = [row for row in rows if split_of[row.fact_id] == split.value]
        of_missions = bool(config.hold_out_missions) and split is Split.TEST
        pool = items(mine, scope, over_missions=not of_missions)
        pool = [i for i in pool if config.families is None or i.family in config.families]
        # The cap first: it drops by hash, and would upset a balance that was made before.
        pool = balanced(_items.capped(_items.unique(pool), CAPS, config.seed), config.seed)
        pools[split.value] = list(_open_book(pool, mine)) if config.mode == "open_book" else pool
    return without_near_duplicates(pools, lambda item: item.prompt)


def _scope(config: GenelabConfig) -> str:
    return f" outside {' and '.join(config.hold_out_missions)}" if config.hold_out_missions else ""


def _split_of(rows: Iterable[Row], config: GenelabConfig) -> dict[str, str]:
    """Fact id -> split."""
    rows = list(rows)
    _known("hold_out_tissues", config.hold_out_tissues, {r.tissue for r in rows})
    _known("hold_out_missions", config.hold_out_missions, {_flight(r.mission) for r in rows})
    held = {
        r.fact_id
        for r in rows
        if r.tissue in config.hold_out_tissues or _flight(r.mission) in config.hold_out_missions
    }
    # What is held out is the whole test: facts of trained tissues in it would hide the harder question.
    fractions = Fractions(config.validation_fraction, 0.0 if held else config.test_fraction)
    groups = assign_groups((r.slot for r in rows if r.fact_id not in held), fractions, config.seed)
    return {r.fact_id: Split.TEST.value if r.fact_id in held else groups[r.slot] for r in rows}


def _flight(mission: str) -> str:
    """MHU-2_dorsal -> MHU-2"""
    return mission.partition("_")[0]


def _known(setting: str, names: Iterable[str], known: set[str]) -> None:
    for name in names:
        if name not in known:
            raise DataError(
                f"dataset genelab: {setting}", f"no {name!r} in the data", choices=sorted(known), name=name
            )


def _open_book(pool: Iterable[Item], rows: Sequence[Row]) -> Iterator[Item]:
    """The rows that an item needs, among others of its own split, before the question.

    An answer reads its rows out before it says what they come to: a small model copies a figure that stands
    in the prompt, and compares it with the threshold once it is there. What came of it, and of texts
    without: docs/results.md.
    """
    by_id = {row.fact_id: row for row in rows if not DIRECTIONAL_NAME.search(row.pathway)}
    order = stable_order(by_id, 0)
    for item in pool:
        # Another window of the same order for each item: distractors differ, and stay the same in every
        # build.
        start = _items.pick(range(len(order)), item.slot)
        others = [name for name in order[start:] + order[:start] if name not in item.facts][:DISTRACTORS]
        # Shuffled, or the rows that are needed would always stand first.
        shown = [by_id[name] for name in stable_order([*item.facts, *others], 0)]
        lines = [f"{r.tissue} | {r.mission} | {title(r)} | {r.nes:.2f} | {_padj(r)}" for r in shown]
        heading = "tissue | mission | set | NES of flight relative to ground | padj (threshold 0.05)"
        prompt = "\n".join([heading, *lines, "", item.prompt])
        # A row that is shown is touched like one that is asked about: the leak check has to see it.
        facts = tuple(dict.fromkeys([*item.facts, *others]))
        groups = tuple(dict.fromkeys([*item.groups, *(row.slot for row in shown)]))
        read = [by_id[name] for name in item.facts]
        answer = f"{'; '.join(_read_out(row, row.padj < PADJ) for row in read)}. {item.answer}"
        wrong = item.wrong and f"{_misread(item, read)}. {item.wrong}"
        yield replace(item, prompt=prompt, answer=answer, wrong=wrong, facts=facts, groups=groups)


def _misread(item: Item, read: Sequence[Row]) -> str:
    """The rows as a wrong answer reads them out. One row is put on the wrong side of the threshold where that
    gives the wrong direction: so a policy errs, and not in the conclusion."""
    below = [row.padj < PADJ for row in read]
    if len(read) == 1 and item.wrong_truth:
        below = [item.wrong_truth["direction"] != "NS"]
    return "; ".join(_read_out(row, side) for row, side in zip(read, below, strict=True))


def _read_out(row: Row, below: bool) -> str:
    side = "below" if below else "above"
    place = f"{title(row)} in {row.tissue} in mission {row.mission}"
    return f"{place}: NES {row.nes:.2f}, padj {_padj(row)}, {side} {PADJ}"


def _padj(row: Row) -> str:
    """Three digits, and more where they would put it on the other side of the threshold."""
    short = f"{row.padj:.3g}"
    return short if (float(short) < PADJ) == (row.padj < PADJ) else f"{row.padj:.6g}"


@hookimpl
def biorlhf_datasets() -> Iterator[DatasetPlugin]:
    yield DatasetPlugin(
        name="genelab",
        build=build,
        summary="Hallmark sets of six mouse tissues, spaceflight versus ground, 20 tissue-missions",
        config=GenelabConfig,
    )
