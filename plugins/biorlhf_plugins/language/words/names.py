"""Names that no lexicon knows but that look like names: gene symbols, cell lines, Latin binomials, drugs.

A direction or a figure that stands by such a name is said of it, not of what the question asks for. A name
that the question itself uses is none of these: it is the question's context.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Sequence

from biorlhf_plugins.language.words.lexicon import grammar, table
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream

SYMBOL = re.compile(
    r"[A-Z][A-Z0-9]{1,7}-?\d{0,3}[A-Z]?|[A-Z]\d{1,2}[A-Z][a-z]?|[A-Z][a-z]{1,5}\d{1,3}[a-z]?\d?|[A-Z][a-z]{2,4}[a-z]?\d?"
)
"""A human or mouse gene's symbol: KRT8, NKX2-1, EPCAM, Cdkn1a, Ldlr."""

CAPITALISED = re.compile(r"[A-Z][a-z]{2,6}")
BINOMIAL = re.compile(r"[A-Z][a-z]{4,}(?:us|um|a|is|ia|er|ella|ium|coccus|bacter|myces|ces|as|es|ix|ax)")
LINE = re.compile(r"(?:[A-Z]{1,5}-?\d{1,4}[A-Z]?|HeLa|Jurkat|Caco2?|HepG2|HEK293T?|HUVECs?|Calu-?\d|iPSCs?)")
"""A cell line's name."""

TABLE = {kind: listed.split() for kind, listed in table("names").items()}
DRUG = tuple(TABLE["drug_endings"])
"""Endings of drugs' names."""

ACRONYMS = frozenset(TABLE["acronyms"])
"""What looks like a gene's symbol and is none, as it is written."""

CONTEXTS = frozenset(TABLE["contexts"])
"""Prepositions before the names of where, with what and against what something was seen."""

CARRIERS = frozenset(TABLE["carriers"])
"""What carries a name without being it: "NOTCH1 inhibitor", "Ifnar1 mice"."""

CELLS, CELL_ENDINGS = frozenset(TABLE["cells"]), tuple(TABLE["cell_endings"])
OF_MANY_TYPES = frozenset(TABLE["cells_of_many_types"])
KINDS = frozenset(TABLE["cell_kinds"])
"""What tells the cells of one type from others: T cells, beta cells."""
WITHIN = frozenset(("in", "within", "among"))
ENDS_PLACE = frozenset(("of", "is", "are", "and", "or", "that", "as", "for", "absence", "presence"))
"""Between a preposition and a name these say that it governs another word: "in its absence SREBP2"."""
LIKENED = frozenset(("as", "like", "unlike", "than"))

LATIN = tuple(TABLE["latin_endings"])
PREFIX = "?"


def foreign(stream: Stream, mentions: Sequence[Mention], known: frozenset[str]) -> list[Mention]:
    """Mentions with those of unknown names among them, in order. ``known`` are the question's words."""
    taken = {i for m in mentions for i in range(m.first, m.last)}
    found: list[Mention] = []
    clean, text = stream.clean, stream.source
    plain = clean.offsets is None
    typed = _of_cells(known)
    for index, (word, kind, start, end, _) in enumerate(stream):
        if kind != "w" or index in taken:
            continue
        if not plain:
            start, end = clean.span(start, end)
        if typed and (last := _cell(stream, index, known)):
            found.append(Mention("entity", PREFIX + " ".join(stream.texts[index:last]), index, last))
            continue
        if not text[start].isupper() and (len(word) < 7 or not _drug(word)):
            continue
        token = stream[index]
        if word in known or "_" in clean.text[max(0, token.start - 1) : token.end + 1]:
            continue
        kind = _kind(stream, index, text[start:end])
        if kind:
            name = PREFIX + word
            found.append(Mention(kind, (name,) if kind == "path" else name, index, index + 1))
    if not found:
        return list(mentions)
    return sorted([*mentions, *found], key=lambda m: m.first)


@functools.lru_cache(maxsize=256)
def _of_cells(question: frozenset[str]) -> bool:
    """Does a question ask of one type of cells?"""
    return any(map(_is_cell, question)) or ("cell" in question and not KINDS.isdisjoint(question))


def _is_cell(word: str) -> bool:
    return word in CELLS or (len(word) > 7 and word.endswith(CELL_ENDINGS) and word not in OF_MANY_TYPES)


def _cell(stream: Stream, index: int, known: Collection[str]) -> int:
    """Where the name of another type of cells ends that begins here, "in astrocytes", "in alpha cells"; 0."""
    word = stream.texts[index]
    two = word in KINDS and stream.texts[index + 1 : index + 2] == ["cell"]
    if word in known or not (two or _is_cell(word)) or _before(stream, index) not in WITHIN:
        return 0
    # "Up, as it is in neutrophils" is told of what is asked about.
    alike = not LIKENED.isdisjoint(stream.texts[max(0, index - 5) : index])
    return 0 if alike else index + 1 + two


@functools.lru_cache(maxsize=65536)
def _drug(word: str) -> bool:
    return len(word) > 6 and word.endswith(DRUG)


def _kind(stream: Stream, index: int, raw: str) -> str:
    """ "path" for what may have a direction of its own, "entity" for where it was seen, or ""."""
    before = _before(stream, index)
    after = stream.texts[index + 1] if index + 1 < len(stream) else ""
    if raw[0].islower():
        return "condition" if before in CONTEXTS else ""
    if raw.upper() in ACRONYMS or stream.texts[index] in grammar()["generic"]:
        return ""
    if before in CONTEXTS:
        line = LINE.fullmatch(raw) and not raw.startswith("CD") and (len(raw) > 3 or after == "cell")
        return (
            "entity"
            if line and before in ("in", "within") and after not in ("mutant", "mouse", "mice")
            else ""
        )
    if after in CARRIERS:
        return ""
    shaped = SYMBOL.fullmatch(raw) and (any(c.isdigit() for c in raw) or raw.isupper())
    return (
        "path"
        if shaped or (BINOMIAL.fullmatch(raw) and _latin(stream, index)) or _listed(stream, index, raw)
        else ""
    )


def _before(stream: Stream, index: int) -> str:
    """The preposition that governs a name: over adjectives, articles and the names listed before it."""
    for at in range(index - 1, max(-1, index - 4), -1):
        word = stream.texts[at]
        if word in CONTEXTS:
            return word
        if stream[at].kind != "w" or word in ENDS_PLACE:
            return ""
    return ""


def _latin(stream: Stream, index: int) -> bool:
    after = stream[index + 1] if index + 1 < len(stream) else None
    return after is not None and after.kind == "w" and after.text.endswith(LATIN)


def _listed(stream: Stream, index: int, raw: str) -> bool:
    """A capitalised word inside a sentence: "such as Myog and Ldlr"."""
    if not CAPITALISED.fullmatch(raw) or index == 0:
        return False
    before = stream.texts[index - 1]
    return before in ("as", "and", "of", ",", "(", "gene", "*") and before not in ".!?\n:"
