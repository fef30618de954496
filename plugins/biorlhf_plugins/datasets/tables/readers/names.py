"""Which column names the genes (proteins, sets), and names that a spreadsheet has damaged."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers.header import MISSING, is_number
from biorlhf_plugins.datasets.tables.readers.source import Source
from biorlhf_plugins.datasets.tables.readers.tools import Tool

#: Compared in lower case without anything but letters and digits.
INDEX = ("", "unnamed0", "1", "x", "index", "indexlevel0", "rownames", "rowname", "row")
ACCESSIONS = (
    *("ensembl", "ensemblid", "ensemblgeneid", "ensemblgene", "geneid", "geneids", "genes", "gene", "entrez"),
    *("entrezid", "entrezgene", "entrezgeneid", "ncbigeneid", "featureid", "probeid", "proteingroup"),
    *("proteinid", "proteinids", "proteinaccession", "uniprot", "uniprotid", "accession", "transcriptid"),
    *("locustag", "id", "feature", "tair", "flybase", "wormbase", "ensembltranscriptid", "transcript"),
)
SYMBOLS = (
    *("symbol", "symbols", "genesymbol", "genesymbols", "hgncsymbol", "mgisymbol", "rgdsymbol", "hgnc"),
    *("genename", "genenames", "externalgenename", "name", "gene", "genes", "protein", "proteinname"),
)
_COUNTED = re.compile(r"(?:row[ _.]?)?\d+\Z")


def choose(source: Source, tool: Tool, own: dict[str, str], taken: Sequence[str]) -> tuple[str, str]:
    """The columns of the id and of the label ("" where there is none), by the settings, the tool's own
    names, and what the columns hold.

    Raises:
        DataError: no column names the rows, or several might.
    """
    label = own.get("label") or next((n for n in tool.label if n in source.columns), "")
    if "id" in own:
        return own["id"], label or _symbols(source, own["id"])
    fixed = next((n for n in tool.id if n in source.columns), "")
    if tool.id and (fixed or tool.of == "pathway"):
        return fixed or tool.id[0], label
    name = _index(source)
    if name is None:
        name = _named(source) or _only_text(source, taken)
    return name, label or _symbols(source, name)


def _index(source: Source) -> str | None:
    """The first column, where it has no name of its own, holds names, and is not a copy of a named one."""
    first = source.columns[0]
    if _key(first) not in INDEX and first not in ("__index_level_0__", "...1"):
        return None
    values = _filled(source, first)
    if not values or all(_COUNTED.match(value) for value in values):
        return None
    for other in source.columns[1:]:
        if _key(other) in ACCESSIONS + SYMBOLS and _made_unique(source.values(first), source.values(other)):
            return other
    return first


def _made_unique(names: Sequence[str], plain: Sequence[str]) -> bool:
    """R makes row names unique with a number at the end; the names themselves stand in another column."""
    return all(
        name == value or (value not in MISSING and re.fullmatch(r"[._-]?\d+", name.removeprefix(value)))
        for name, value in zip(names, plain, strict=True)
    )


def _named(source: Source) -> str:
    """The column whose name says that it holds accessions, else symbols: complete and without repeats, if
    there is one."""
    found = [
        name for keys in (ACCESSIONS, SYMBOLS) for key in keys for name in source.columns if _key(name) == key
    ]
    found = [name for name in dict.fromkeys(found) if _names_things(_filled(source, name))]
    # A tag or number of a database, by its form or its column's name, tells more rows apart than a symbol.
    found.sort(key=lambda n: (not all(map(is_accession, _filled(source, n))), _key(n) in SYMBOLS))
    whole = [name for name in found if len(set(source.values(name))) == len(source.sample)]
    return (whole or found or [""])[0]


def is_accession(value: str) -> bool:
    """Whether a name is one of a database's: Ensembl, FlyBase, WormBase, TAIR, RefSeq, Entrez."""
    return bool(re.match(r"(ENS|FBgn|WBGene|AT\dG|[NXY][MR]_|\d+\Z)", value, re.IGNORECASE))


def _names_things(values: Sequence[str]) -> bool:
    """Text, or whole numbers as Entrez gives them; no running number and no figures."""
    if not values:
        return False
    if all(_COUNTED.match(value) for value in values):
        return not _consecutive(values)
    return sum(is_number(value) for value in values) * 2 < len(values)


def _consecutive(values: Sequence[str]) -> bool:
    whole = [int(re.sub(r"\D", "", value)) for value in values]
    return len(whole) > 1 and whole == list(range(whole[0], whole[0] + len(whole)))


def _symbols(source: Source, name: str) -> str:
    """A column of symbols beside the ids."""
    for key in SYMBOLS:
        for other in source.columns:
            if _key(other) == key and other != name:
                values = _filled(source, other)
                if values and not any(map(is_number, values[:3])) and not all(map(is_accession, values)):
                    return other
    return ""


def _only_text(source: Source, taken: Sequence[str]) -> str:
    """The one column that could be names: text in every row, no value twice, no sentences."""
    found = []
    for name in source.columns:
        values = source.values(name)
        text = [v for v in values if v not in MISSING and not is_number(v)]
        # A damaged name or two among them are refused where all names are looked at.
        mostly = len(text) * 2 > len(values)
        if name not in taken and mostly and len(set(values)) == len(values) and not _sentences(text):
            found.append(name)
    if len(found) == 1:
        return found[0]
    first = source.columns[0]
    counted = _key(first) in INDEX and all(map(_COUNTED.match, _filled(source, first)))
    found_shown = f"{len(found)} columns that could be names" if found else "no column of gene names"
    raise DataError(
        source.header_place,
        found_shown + (", only a first column of whole numbers" if counted and not found else ""),
        "one column of names", choices=found or [name or "(unnamed)" for name in source.columns[:60]],
        hint="name it with 'columns: {id: ...}'; 'id: \"\"' is a first column without a name",
    )  # fmt: skip


def _sentences(text: Sequence[str]) -> bool:
    return sum(" " in value for value in text) * 2 > len(text)


def _filled(source: Source, name: str) -> list[str]:
    return [value for value in source.values(name) if value not in MISSING]


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


# What spreadsheets do to names. Months as they abbreviate them, in the languages of their users.
_MONTH_WORDS = """
jan feb mar apr may jun jul aug sep sept oct nov dec january february march april june july august september
october november december jän jänner januar februar märz mrz mär mai juni juli okt oktober dez dezember
janv janvier févr fév février mars avr avril juin juil juillet août aout septembre octobre novembre
déc décembre ene enero febrero marzo abr abril mayo junio julio ago agosto septiembre octubre noviembre dic
diciembre gen gennaio febbraio aprile mag maggio giu giugno lug luglio set settembre ott ottobre dicembre
fev janeiro fevereiro março maio setembro outubro out dezembro mrt maart mei augustus januari februari maj
augusti sty lut kwi cze lip sie wrz paź lis gru oca şub nis haz tem ağu eyl eki kas ara tammi helmi maalis
huhti touko kesä heinä elo syys loka marras joulu янв фев мар апр май июн июл авг сен сент окт ноя дек
января февраля марта апреля мая июня июля августа сентября октября ноября декабря
ιαν φεβ μαρ απρ μαι ιουν ιουλ αυγ σεπ οκτ νοε δεκ led úno bře dub kvě čvn čvc srp zář říj pro márc szept
"""
_MONTHS = frozenset(_MONTH_WORDS.split())
_SUSPECT = r"^\d|^#[A-Z]|^\pL{3,12}\.?[-./, ]+\d"
_ISO_DATE = re.compile(r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{2}|\d{4}))([ T]\d.*)?\Z")
_ASIAN_DATE = re.compile(r"(\d{2,4}[年년] ?)?\d{1,2}[月월] ?(\d{1,2}[日일])?\Z")
_EXPONENT = re.compile(r"[-+]?(\d+[.,]\d+[eE][-+]?|\d+[eE][-+])\d+\Z")
_SHEET_ERROR = re.compile(r"#(NAME|VALUE|REF|DIV/0|NUM|NULL|N/A)[?!]?", re.IGNORECASE)
_WORM = re.compile(r"[a-z]{3,4}-\d+\Z")


def damage(names: pa.ChunkedArray | pa.Array) -> tuple[int, str] | None:
    """The first name that a spreadsheet has made of another one: its row, and what it became.

    A date in any of the languages above, its serial number, a number with an exponent (2310009E13), an
    error of a formula. Whole numbers are damage only among names that are not.
    """
    suspects = [(row, names[row].as_py()) for row in _matching(names, _SUSPECT)]
    numbers = [(row, name) for row, name in suspects if is_number(name) and not _EXPONENT.match(name)]
    rare = len(numbers) * 2 < len(names) - names.null_count
    worms = sum(bool(_WORM.match(name)) for _, name in suspects) * 10 > len(names)
    for row, name in suspects:
        if _SHEET_ERROR.match(name):
            return row, "an error of a spreadsheet's formula"
        if _EXPONENT.match(name):
            return row, "a number with an exponent"
        if is_number(name):
            if rare:
                return row, "a number among names, as a spreadsheet keeps a date"
            if not name.isdigit():
                return row, "a whole number with decimals"
        elif _is_date(name) and not (worms and _WORM.match(name)):
            return row, "a date"
    return None


def _matching(names: pa.ChunkedArray | pa.Array, pattern: str) -> list[int]:
    """The rows whose name an RE2 pattern finds: fast enough for millions."""
    found: list[int] = pc.indices_nonzero(
        pc.fill_null(pc.match_substring_regex(names, pattern), False)
    ).to_pylist()
    return found


def _is_date(name: str) -> bool:
    if _ISO_DATE.match(name) or _ASIAN_DATE.match(name):
        return True
    words = [word for word in re.split(r"[-./,\s]+", name.lower()) if word]
    return 2 <= len(words) <= 4 and sorted(map(_part, words))[-1:] == ["month"] and _parts(words)


def _part(word: str) -> str:
    return "month" if word in _MONTHS else "day" if re.fullmatch(r"\d{1,2}|\d{4}|\d{1,2}:.*", word) else "?"


def _parts(words: Sequence[str]) -> bool:
    """One month, and days or years."""
    return sorted(map(_part, words)) == ["day"] * (len(words) - 1) + ["month"]


_NO_ROW = re.compile(
    r"[*†‡§]|(grand )?(total|sum|mean|average|median|summary|overall|notes?|source|legend|footnote"
    r"|abbreviations?|gesamt|summe|mittelwert|somme|moyenne|suma|promedio|totale|media)\b[:. ]?(?![-\d])",
    re.IGNORECASE,
)


def no_rows(names: pa.ChunkedArray | pa.Array, bare: np.ndarray | None = None) -> Iterator[tuple[int, str]]:
    """Names that are a note under the table, or the head of a total: by how they begin, or several words in
    a row that is ``bare`` of figures."""
    if bare is not None:
        for row in np.flatnonzero(bare).tolist():
            if len(str(names[row].as_py()).split()) > 1:
                yield row, names[row].as_py()
    for row in _matching(names, r"(?i)^([*†‡§]|grand|[tsmanlfgop][a-z]{2,12}\b)"):
        name = names[row].as_py()
        if _NO_ROW.match(name):
            yield row, name
