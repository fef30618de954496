"""Rows of fGSEA, flight versus ground: from the shipped table, or from a folder of published CSVs.

``nes`` is oriented: positive means higher in flight. The published tables rank genes ground control first, so
their NES is reversed here. Nothing guesses that: a folder's contrast is given by the user.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from biorlhf.errors import DataError
from biorlhf.inputs.rows import csv_rows
from biorlhf_plugins.making.shipped import read_shipped

TABLE, SIGN_CHECK = "genelab/hallmark_flight_vs_ground.csv", "genelab/sign_check.csv"
PADJ = 0.05
FILE_NAME = re.compile(r"(?P<mission>.+)_fgsea_(?P<db>[a-z0-9]+)\.csv")
COLUMNS = ("pathway", "pval", "padj", "ES", "NES", "size", "db", "tissue", "mission", "glds")
FLIGHT, GROUND = {"flt", "flight", "spaceflight"}, {"gc", "ground", "ground_control"}
PREFIX = re.compile(r"^(HALLMARK|KEGG(_MEDICUS(_REFERENCE)?)?|REACTOME|MITOCARTA)_")
# MSigDB's and MitoCarta's names for the same thing; the others pair up by name.
SAME_SUBJECT = {"MITOCARTA_OXPHOS_OXPHOS_SUBUNITS": "OXIDATIVE_PHOSPHORYLATION"}


@dataclass(frozen=True, slots=True)
class Row:
    """One gene set in one tissue and mission. ``nes`` and ``direction`` are flight versus ground."""

    tissue: str
    mission: str
    glds: str
    db: str
    pathway: str
    size: int
    nes: float
    padj: float
    direction: str

    @property
    def fact_id(self) -> str:
        return f"genelab:{self.tissue}:{self.mission}:{self.pathway}"

    @property
    def slot(self) -> str:
        """What stays on one side of a split: a tissue and a subject, in whatever database."""
        subject = SAME_SUBJECT.get(self.pathway) or PREFIX.sub("", self.pathway)
        return f"{self.tissue}|{subject}"


@dataclass(frozen=True, slots=True)
class Folder:
    """What was read from a folder, and what was passed over: derived tables, and sets not tested."""

    rows: tuple[Row, ...]
    files: tuple[Path, ...]
    passed_over: tuple[str, ...]
    not_tested: int


def direction(nes: float, padj: float, threshold: float = PADJ) -> str:
    """UP or DOWN in flight where padj < threshold, else NS."""
    if padj >= threshold:
        return "NS"
    return "UP" if nes > 0 else "DOWN"


def shipped_rows() -> tuple[Row, ...]:
    """The 1,000 Hallmark rows that ship: six tissues, 20 tissue-missions, 50 sets."""
    return tuple(
        Row(
            r["tissue"], r["mission"], r["glds"], "hallmark", r["pathway"],
            int(r["size"]), float(r["nes"]), float(r["padj"]), r["direction"],
        )
        for r in read_shipped(TABLE).rows
    )  # fmt: skip


def unverified() -> frozenset[tuple[str, str]]:
    """The (tissue, mission) whose orientation the sign check does not confirm."""
    rows = read_shipped(SIGN_CHECK).rows
    return frozenset((r["tissue"], r["mission"]) for r in rows if r["verified"] != "true")


def read_folder(folder: Path, numerator: str, denominator: str) -> Folder:
    """Read ``TISSUE/MISSION_fgsea_DB.csv`` under a folder; a folder ``summary`` holds derived tables.

    Args:
        folder: the folder of tissues.
        numerator, denominator: the contrast by which the files rank genes, as their authors state it:
            positive NES means higher in the numerator. One is flight (FLT), the other ground (GC).

    Raises:
        DataError: with file and row, for anything that is not a complete, consistent table.
    """
    sign = _sign(folder, numerator, denominator)
    if not folder.is_dir():
        raise DataError(str(folder), "no such folder", "a folder that holds TISSUE/MISSION_fgsea_DB.csv")
    files, passed_over = [], []
    # The order of a file system must not reach the dataset.
    for path in sorted(folder.rglob("*.csv")):
        if path.parent.name == "summary":
            passed_over.append(str(path.relative_to(folder)))
        else:
            files.append(path)
    if not files:
        raise DataError(str(folder), "holds no fGSEA table", "files named TISSUE/MISSION_fgsea_DB.csv")
    rows = []
    seen: dict[tuple[str, str, str], str] = {}
    not_tested = 0
    for path in files:
        table, missing = read_table(path, sign)
        not_tested += missing
        for line, row in table:
            key = (row.tissue, row.mission, row.pathway)
            if key in seen:
                raise DataError(
                    f"{path}:{line}", f"{row.pathway} a second time", f"once; it is in {seen[key]}"
                )
            seen[key] = f"{path}:{line}"
            rows.append(row)
    return Folder(tuple(rows), tuple(files), tuple(passed_over), not_tested)


def _sign(folder: Path, numerator: str, denominator: str) -> int:
    sides = (numerator.lower(), denominator.lower())
    if sides[0] in FLIGHT and sides[1] in GROUND:
        return 1
    if sides[0] in GROUND and sides[1] in FLIGHT:
        return -1
    raise DataError(
        str(folder),
        f"contrast: {numerator!r} over {denominator!r}",
        "flight (FLT) and ground (GC), in the order in which the files rank genes",
        hint="the published GeneLab tables are numerator: GC, denominator: FLT",
    )


def read_table(path: Path, sign: int) -> tuple[list[tuple[int, Row]], int]:
    """One published CSV as (line, row), and how many sets have no padj (not tested, which is not NS)."""
    named = FILE_NAME.fullmatch(path.name)
    if named is None:
        raise DataError(
            str(path), "no name of an fGSEA table", "TISSUE/MISSION_fgsea_DB.csv",
            hint="tables of correlations and means over missions belong into a folder named summary",
        )  # fmt: skip
    rows: list[tuple[int, Row]] = []
    not_tested = 0
    for where, cells in csv_rows(path, lambda header: _need_columns(path, header)):
        row = _parse({name: cells.get(name, "") for name in COLUMNS}, where, sign)
        if row is None:
            not_tested += 1
            continue
        _belongs(row, path, named["mission"], named["db"], where)
        rows.append((int(where.rpartition(":")[2]), row))
    content = path.read_bytes()
    # A file that is cut off within its last number still parses.
    if not content.endswith(b"\n"):
        last = content.count(b"\n") + 1
        raise DataError(
            f"{path}:{last}", "the last line has no end", "a complete file", hint="is it truncated?"
        )
    if not rows:
        raise DataError(f"{path}:1", "no tested gene set", "at least one row")
    return rows, not_tested


def _need_columns(path: Path, header: list[str]) -> None:
    lacking = [name for name in COLUMNS if name not in header]
    if lacking:
        raise DataError(f"{path}:1", f"no column {lacking[0]!r}", f"the columns {', '.join(COLUMNS)}")


def _parse(cells: dict[str, str], where: str, sign: int) -> Row | None:
    if cells["padj"].strip() in ("", "NA", "NaN", "nan"):
        return None
    numbers = {name: _number(cells[name], name, where) for name in ("padj", "ES", "NES", "size")}
    if not 0 <= numbers["padj"] <= 1:
        raise DataError(f"{where}: padj", cells["padj"], "a number from 0 to 1")
    # NES is ES over a positive mean: where the signs differ, one of the columns was negated.
    if numbers["NES"] * numbers["ES"] < 0:
        raise DataError(
            f"{where}: NES", f"NES {cells['NES']} beside ES {cells['ES']}", "the same sign in both"
        )
    nes = sign * numbers["NES"]
    mission = cells["mission"]
    if mission == "TBD":  # published under its accession alone
        mission = cells["glds"].replace("GLDS-", "OSD-")
    return Row(
        cells["tissue"], mission, cells["glds"], cells["db"], cells["pathway"],
        int(numbers["size"]), nes, numbers["padj"], direction(nes, numbers["padj"]),
    )  # fmt: skip


def _number(text: str, column: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{where}: {column}", repr(text), "a number")
    return value


def _belongs(row: Row, path: Path, mission: str, db: str, where: str) -> None:
    """A table of several tissues or missions is a summary, whatever its name."""
    named = row.mission if mission == "TBD" else mission
    for what, value, expected in (
        ("tissue", row.tissue, path.parent.name),
        ("mission", row.mission, named),
        ("db", row.db, db),
    ):
        if value != expected:
            raise DataError(
                f"{where}: {what}", repr(value), f"{expected!r}, as the file's place says",
                hint="tables over several tissues or missions belong into a folder named summary",
            )  # fmt: skip
