"""A lab's tables as one set of slots: direction of each, its split, and which slots become questions."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from biorlhf import DataError, Split
from biorlhf_plugins.datasets.tables.config import LabConfig, LabTable, Splits
from biorlhf_plugins.datasets.tables.measured import read_table
from biorlhf_plugins.datasets.tables.readers.results import Results, slot_keys
from biorlhf_plugins.datasets.tables.readers.tools import CARRIED
from biorlhf_plugins.datasets.tables.signs import SignAudit, audit_signs
from biorlhf_plugins.making.balance import OWN_TABLES, limits
from biorlhf_plugins.making.splits import Fractions, deal

DIRECTIONS = ("UP", "DOWN", "NS", "NOT TESTED")
UP, DOWN, NS, NOT_TESTED = range(4)
OVER = " (over-representation)"
# A file with figures as small as this was not rounded: its zeros are doubles that ran out.
UNROUNDED, UNDERFLOW = 1e-10, 1e-300
SHARES = {
    "figure": 0.15, "false_premise": 0.1, "unanswerable": 0.05, "ranking": 0.1, "top": 0.1, "comparison": 0.1,
}  # fmt: skip
"""Of a limit, what families other than the directions take; the directions take the rest."""
SPLITS = tuple(split.value for split in Split)
TRAIN, VALIDATION, TEST = range(3)


@dataclass(frozen=True)
class Loaded:
    """One results file as read: ``direction`` codes index :data:`DIRECTIONS`, one per row."""

    spec: LabTable
    results: Results
    direction: np.ndarray
    sha256: str
    audit: SignAudit | None = None

    @functools.cached_property
    def smallest(self) -> float:
        """A bound on an adjusted p that the file gives as 0: the smallest double of a test that computes
        them without rounding, else the smallest that the file gives above 0, else the threshold."""
        padj = self.results.table["adjusted"].to_numpy()
        least = float(np.min(padj, where=padj > 0, initial=self.spec.thresholds.padj))
        return UNDERFLOW if least < UNROUNDED and self.results.tool.of != "pathway" else least

    def column(self, role: str) -> pa.ChunkedArray | pa.Array:
        """Tissue, condition, mission or db of each row: the file's own, else what the lab says."""
        table = self.results.table
        default = getattr(self.spec, role)
        if role in table.column_names:
            return pc.fill_null(table[role], default or "")
        return pa.array([default or ""]).take(pa.array(np.zeros(table.num_rows, np.int64)))


@dataclass(frozen=True, slots=True)
class Slots:
    """All rows of all tables, flat and in order. ``split`` indexes :data:`SPLITS`; ``kept`` says which
    rows become items; ``exceptions`` says where UP and DOWN could not be balanced."""

    loaded: tuple[Loaded, ...]
    offsets: tuple[int, ...]
    direction: np.ndarray
    split: np.ndarray
    kept: np.ndarray
    exceptions: tuple[str, ...]


def load_tables(config: LabConfig) -> tuple[Loaded, ...]:
    """Read every table, classify its rows, audit its signs.

    Raises:
        DataError: an unreadable or inconsistent file, a tissue that the file contradicts, or one slot in
            two tables.
    """
    loaded = tuple(_load(config, number, spec) for number, spec in enumerate(config.tables))
    _refuse_shared_slots(loaded)
    return loaded


def _load(config: LabConfig, number: int, spec: LabTable) -> Loaded:
    path = Path(config.folder) / spec.file
    results, significant = read_table(Path(config.folder), spec)
    _refuse_contradictions(spec, results, number)
    table = results.table
    effect, padj = table["effect"].to_numpy(), table["adjusted"].to_numpy()
    direction = np.full(len(padj), NS, np.int8)
    if results.tool.over_representation:
        # Enriched, the one thing that such a set can be.
        direction[significant] = UP
        direction[np.isnan(padj)] = NOT_TESTED
    else:
        significant &= np.abs(effect) >= spec.thresholds.effect
        direction[significant & (effect > 0)] = UP
        direction[significant & (effect < 0)] = DOWN
        # Last, over NS: every comparison with NaN is false, and not tested is not "not significant".
        direction[np.isnan(padj) | np.isnan(effect)] = NOT_TESTED
    # Such a row has no direction, and "not significant" would be untrue.
    zero = np.flatnonzero(significant & (effect == 0))
    if len(zero):
        raise DataError(
            results.source.where(int(zero[0])), "a significant row with an effect of exactly 0",
            "a sign, or an adjusted p above the threshold",
        )  # fmt: skip
    audit = None
    if spec.expression is not None:
        # Before the flip: the samples are given in the file's own contrast.
        audit = audit_signs(Path(config.folder), spec.expression, results, significant)
    if spec.flip:
        spec, results, direction = _flip(spec, results, direction)
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return Loaded(spec, results, direction, sha256, audit)


def _flip(spec: LabTable, results: Results, direction: np.ndarray) -> tuple[LabTable, Results, np.ndarray]:
    table = results.table
    for role in ("effect", "raw"):
        table = table.set_column(table.column_names.index(role), role, pc.negate(table[role]))
    turned = np.array([DOWN, UP, NS, NOT_TESTED], np.int8)[direction]
    spec = spec.model_copy(update={"contrast": spec.contrast.flipped()})
    return spec, replace(results, table=table), turned


def _refuse_contradictions(spec: LabTable, results: Results, number: int) -> None:
    for role in CARRIED:
        stated, table = getattr(spec, role), results.table
        if role not in table.column_names:
            if role == "tissue" and stated is None:
                raise DataError(f"tables[{number}]", f"{spec.file}: no tissue is given", "tissue: <name>")
            continue
        values = pc.fill_null(table[role], "")
        if role == "tissue" and stated is None and pc.any(pc.equal(values, "")).as_py():
            row = pc.index(values, "").as_py()
            raise DataError(
                results.source.where(row), "no tissue", "one in every row, or 'tissue:' in the lab file"
            )
        if stated is not None:
            other = pc.and_(pc.not_equal(pc.utf8_lower(values), stated.lower()), pc.not_equal(values, ""))
            row = pc.index(other, True).as_py()
            if row >= 0:
                raise DataError(
                    results.source.where(row), f"{role} {values[row].as_py()!r}",
                    f"{role} {stated!r}, as tables[{number}] says",
                )  # fmt: skip


def _refuse_shared_slots(loaded: Sequence[Loaded]) -> None:
    seen: dict[tuple[str, ...], list[tuple[Loaded, pa.Array]]] = {}
    for one in loaded:
        # Enrichment among the genes that are up, and among those that are down, are two facts.
        fixed = [one.spec.genes or "", *(getattr(one.spec, role) or "" for role in CARRIED)]
        keys = slot_keys(one.results.table)
        for other, its in seen.get((one.spec.contrast.name, *fixed), ()):
            shared = pc.is_in(keys, its)
            row = pc.index(shared, True).as_py()
            if row >= 0:
                raise DataError(
                    one.results.source.where(row), f"{_shown(keys[row])} stands in {other.spec.file} as well",
                    "one row per slot (tissue, condition, mission, db, contrast, name)",
                    hint="give the tables different conditions or missions",
                )  # fmt: skip
        seen.setdefault((one.spec.contrast.name, *fixed), []).append((one, keys))


def _shown(key: pa.Scalar) -> str:
    return ", ".join(part for part in key.as_py().split("\x1f") if part)


def hash64(seed: int, texts: Sequence[str]) -> np.ndarray:
    """A 64-bit number per text, the same on every machine."""
    # Hashed once and copied for each name: a lab's tables may have very many.
    prefix = hashlib.blake2b(f"{seed}|".encode(), digest_size=8)
    out = np.empty(len(texts), np.uint64)
    for place, text in enumerate(texts):
        digest = prefix.copy()
        digest.update(text.encode())
        out[place] = int.from_bytes(digest.digest(), "big")
    return out


def arrange(config: LabConfig, loaded: tuple[Loaded, ...]) -> Slots:
    """Split the slots and choose those that become items.

    A group is (tissue, name): all its missions and conditions lie in one split. Groups are drawn by hash
    within (tissue, direction), so that small tables have both directions in every split. Then UP and
    DOWN are made equal in each (tissue, split), and not-significant ones no more than each of them.
    """
    offsets = tuple(np.cumsum([0] + [len(one.direction) for one in loaded]).tolist())
    direction = np.concatenate([one.direction for one in loaded])
    tissues = pa.concat_arrays([_plain(one.column("tissue")) for one in loaded])
    names = pa.concat_arrays([_plain(one.results.table["id"]) for one in loaded])
    tissue_codes = pc.dictionary_encode(tissues)
    tissue = tissue_codes.indices.to_numpy()
    # A separator that no name holds: "a" with "bc" is not "ab" with "c".
    groups = pc.dictionary_encode(pc.binary_join_element_wise(tissues, names, "\x1f"))
    group = groups.indices.to_numpy()
    rank = hash64(config.seed, groups.dictionary.to_pylist())
    split = _split_groups(config.splits, tissue_codes.dictionary.to_pylist(), tissue, direction, group, rank)
    # Rows of one group share its rank; an odd multiplier (the golden ratio's bits) spreads neighbours.
    rows = rank[group] ^ (np.arange(len(direction), dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    # Of enriched and not, balanced for themselves: there is no UP and DOWN.
    places = pc.dictionary_encode(pa.concat_arrays([_plain(_place(one)) for one in loaded]))
    kept, exceptions = _balance(
        places.dictionary.to_pylist(), places.indices.to_numpy(), direction, split, rows
    )
    others = sum(share for name, share in SHARES.items() if name in config.families)
    for part, most in enumerate(limits_of(config)):
        if most is not None:
            _cap(kept, split == part, rows, max(1, round(most * (1 - others))))
    return Slots(loaded, offsets, direction, split, kept, tuple(exceptions))


def _place(one: Loaded) -> Any:
    mark = OVER if one.results.tool.over_representation else ""
    return pc.binary_join_element_wise(one.column("tissue"), mark, "")


def _plain(values: Any) -> pa.Array:
    return values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values


def _split_groups(
    splits: Splits,
    names: list[str],
    tissue: np.ndarray,
    direction: np.ndarray,
    group: np.ndarray,
    rank: np.ndarray,
) -> np.ndarray:
    unknown = sorted(set(splits.hold_out_tissues) - set(names))
    if unknown:
        raise DataError(
            "splits.hold_out_tissues", f"{unknown[0]!r} is in no table", choices=names, name=unknown[0]
        )
    _, first = np.unique(group, return_index=True)
    # A group's first row stands for it: its other conditions may go another way.
    stratum = tissue[first].astype(np.int64) * 4 + direction[first]
    order = np.lexsort((rank, stratum))
    of_group = np.full(len(first), TRAIN, np.int8)
    edges = np.flatnonzero(np.diff(stratum[order], prepend=-1))
    for start, stop in zip(edges, [*edges[1:], len(order)], strict=True):
        for name, members in deal(order[start:stop], Fractions(splits.validation, splits.test)).items():
            of_group[members] = SPLITS.index(name)
    held = np.isin(tissue[first], [names.index(name) for name in splits.hold_out_tissues])
    of_group[held] = TEST
    return of_group[group]


def _balance(
    names: list[str], tissue: np.ndarray, direction: np.ndarray, split: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, list[str]]:
    kept = np.zeros(len(direction), bool)
    exceptions = []
    for code, name in enumerate(names):
        for part, split_name in enumerate(SPLITS):
            cell = np.flatnonzero((tissue == code) & (split == part))
            by = [cell[direction[cell] == d] for d in range(4)]
            # Stable, so that rows of one hash keep the file's order on every machine.
            by = [members[np.argsort(rows[members], kind="stable")] for members in by]
            sizes = {label: len(members) for label, members in zip(DIRECTIONS, by, strict=True)}
            low = "NS" if name.endswith(OVER) else "DOWN"
            if min(sizes["UP"], sizes[low]) == 0 < max(sizes["UP"], sizes[low]):
                only = "UP" if sizes["UP"] else low
                exceptions.append(f"{name}, {split_name}: only {only} ({sizes[only]})")
            if name.endswith(OVER):
                most = limits({"UP": sizes["UP"], "DOWN": sizes["NS"]}, OWN_TABLES)
                most["NS"] = most["DOWN"]
            else:
                most = limits(sizes, OWN_TABLES)
            for label, members in zip(DIRECTIONS, by, strict=True):
                kept[members[: most[label]]] = True
    return kept, exceptions


def limits_of(config: LabConfig) -> list[int | None]:
    """The most items of each split. A paraphrase test teaches what it asks: both are within the limit.
    Where a part is taught, half of a test's are left to it."""
    if config.limit is None:
        return [None] * len(SPLITS)
    if config.split == "fact":
        test = config.limit if config.taught is None else max(1, config.limit // 2)
        return [config.limit, config.limit, test]
    shares = config.splits.validation, config.splits.test
    return [int(config.limit * share) for share in (1 - sum(shares), *shares)]


def _cap(kept: np.ndarray, inside: np.ndarray, rows: np.ndarray, most: int) -> None:
    members = np.flatnonzero(kept & inside)
    kept[members[np.argsort(rows[members], kind="stable")][most:]] = False


def chunks(slots: Slots, size: int = 20_000) -> Iterator[tuple[Loaded, np.ndarray, Mapping[str, list[Any]]]]:
    """The kept rows, in order and in bounded chunks: (table, row numbers in it, columns as lists)."""
    for one, start, stop in zip(slots.loaded, slots.offsets, slots.offsets[1:], strict=False):
        rows = np.flatnonzero(slots.kept[start:stop])
        columns = {role: one.column(role) for role in CARRIED}
        for begin in range(0, len(rows), size):
            part = pa.array(rows[begin : begin + size])
            table = one.results.table.take(part)
            values: dict[str, list[Any]] = {role: columns[role].take(part).to_pylist() for role in CARRIED}
            values |= {role: table[role].to_pylist() for role in ("id", "label", "effect", "adjusted", "why")}
            values["direction"] = one.direction[rows[begin : begin + size]].tolist()
            values["split"] = slots.split[start:stop][rows[begin : begin + size]].tolist()
            yield one, rows[begin : begin + size], values
