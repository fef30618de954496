"""Sentences, chunks and table rows: which words belong together.

A sentence ends at . ! ? ; or at a line that begins an item, a heading or a row. It is cut at commas,
brackets, dashes and conjunctions; a piece that says nothing (no number, direction or class) is joined
to the neighbour that it introduces ("In soleus, 6,425") or completes ("down in RR-6, RR-8"). What is
left are chunks, each with something said in it.
"""

from __future__ import annotations

import functools
from itertools import takewhile
from typing import NamedTuple

from biorlhf_plugins.language.words.mentions import Mention, grouped
from biorlhf_plugins.language.words.text import Stream, vocabulary

SENTENCE = 5
"""Tokens before a full stop that make of an item a sentence."""
FEWEST = 3
"""Items of a list."""
STRONG = frozenset(".!?;")
WEAK = frozenset(
    (
        ",", ":", "(", ")", "[", "]", "—", "→", "\n", "and", "but", "while", "whereas", "although", "though",
        "however",
        "yet", "or", "nor", "so", "because", "which", "&", ">", "<", "then",
        "meaning", "ie", "unlike", "despite", "where",
    )
)  # fmt: skip
CLAUSES = vocabulary("but while whereas although though however yet so because then where >")
"""Cuts that begin a clause of its own: a negation before them does not reach past them."""

BACK = frozenset(("that", "this", "it", "those", "these", "they", "not", "in"))

BEFORE_CLAUSE = ("neg", "hyp", "part")
BEFORE_COLON = ("neg",)
"""What does not reach past a cut: "Not all: hippocampus has 4,110" denies nothing of hippocampus."""

CONCEDES = frozenset(("while", "although", "though", "whereas"))
"""What such a clause denies is its own: "Although not all reports agree, the set rises"."""

LONGEST = 200
"""Tokens of a sentence; what runs on without an end is cut here, which keeps the work linear."""

FOCI = frozenset(("num", "dir", "type", "pattern"))
ROLES = frozenset(("entity", "mission", "path", "condition", "treatment", "everyone"))


class Chunk(NamedTuple):
    """Tokens [first, last); ``link`` is the cut before it; ``mentions`` are those inside."""

    first: int
    last: int
    link: str
    mentions: list[Mention]


new_chunk = functools.partial(tuple.__new__, Chunk)
"""A chunk of a tuple of its fields: see ``new_mention``."""


class Sentence(NamedTuple):
    """``kind`` is "prose", "item", "heading" or "row". ``paragraph`` counts blank lines; ``inside`` holds the
    mentions by kind."""

    first: int
    last: int
    kind: str
    paragraph: int
    chunks: list[Chunk]
    mentions: list[Mention]
    inside: dict[str, list[Mention]]


def sentences(stream: Stream, mentions: list[Mention]) -> list[Sentence]:
    """Cut a token stream. Enumerators ("1.", "2)") at the start of a line are no content."""
    found: list[Sentence] = []
    cursor = 0
    for first, last, kind, paragraph in _bounds(stream):
        while first < last and stream.texts[first] == "\n":
            first += 1  # what a sentence opens with is its first word, on whatever line
        inside: list[Mention] = []
        while cursor < len(mentions) and mentions[cursor].first < last:
            if mentions[cursor].first >= first:
                inside.append(mentions[cursor])
            cursor += 1
        if first < last:
            chunks = (
                rows(stream, first, last, inside) if kind == "row" else _chunks(stream, first, last, inside)
            )
            found.append(Sentence(first, last, kind, paragraph, chunks, inside, grouped(inside)))
    return found


def _bounds(stream: Stream) -> list[tuple[int, int, str, int]]:
    bounds: list[tuple[int, int, str, int]] = []
    first, kind, paragraph, listed = 0, "prose", 0, 0.0
    skip, total, items = 0, len(stream), 0
    barred = "|" in stream.vocabulary
    starts_line = True
    for index, text in enumerate(stream.texts):
        if index < skip:
            continue
        if starts_line:
            starts_line = False
            skip, new_kind, listed = _line_start(stream, index, listed, barred)
            items += new_kind == "item"
            if new_kind:
                if first < index:
                    bounds.append((first, index, kind, paragraph))
                kind, first = new_kind, skip
                if skip > index:
                    continue
        if text == "\n":
            blank = index + 1 < total and stream.texts[index + 1] == "\n"
            if blank or kind == "row":
                bounds.append((first, index, kind, paragraph))
                first, kind = index + 1, "prose"
            paragraph += blank
            starts_line = True
        elif (text in STRONG and kind != "row") or index - first >= LONGEST:
            told = kind == "item" and text in ".;" and index - first >= SENTENCE
            bounds.append((first, index, "told" if told else kind, paragraph))
            first, kind = index + 1, "prose" if kind == "row" else kind
    bounds.append((first, total, kind, paragraph))
    # A sentence or two behind a bullet or a number are prose; more of them are a list.
    kinds = {"told": "item" if items >= FEWEST else "prose"}
    return [(a, b, kinds.get(kind, kind), n) for a, b, kind, n in bounds]


def _line_start(stream: Stream, index: int, listed: float, barred: bool) -> tuple[int, str, float]:
    """Where the content of a line starts, the kind it begins (or ""), and the last enumerator."""
    token = stream[index]
    if token.text in ("•", "*"):
        return index + 1, "item", listed
    if barred and "|" in takewhile("\n".__ne__, stream.texts[index : index + LONGEST]):
        return index, "row", listed  # of a table, with or without its outer bars
    after = stream[index + 1] if index + 1 < len(stream) else None
    if token.number and after and after.text in (".", ")") and index + 2 < len(stream):
        value = token.number.value
        if value == listed + 1 or value == 1:
            return index + 2, "item", value
    if token.text in ("answer", "confidence", "final"):
        return index, "prose", listed
    return index, "", listed


def rows(stream: Stream, first: int, last: int, mentions: list[Mention]) -> list[Chunk]:
    """The cells of a table's row, as chunks; an empty cell keeps its place."""
    chunks: list[Chunk] = []
    start = first
    for index in range(first, last + 1):
        if index == last or stream.texts[index] == "|":
            if index > first and (index > start or index < last):
                chunks.append(Chunk(start, index, "|", [m for m in mentions if start <= m.first < index]))
            start = index + 1
    return chunks


def _chunks(stream: Stream, first: int, last: int, mentions: list[Mention]) -> list[Chunk]:
    return _merge(stream, _atoms(stream, first, last, mentions))


def _atoms(stream: Stream, first: int, last: int, mentions: list[Mention]) -> list[Chunk]:
    start, link, cursor, texts = first, "", 0, stream.texts
    # "Between tumour and normal" is one phrase.
    cuts = [i for i, text in enumerate(texts[first:last], first) if text in WEAK]
    if "between" in stream.vocabulary:
        cuts = [i for i in cuts if "between" not in texts[max(0, i - 3) : i]]
    if not cuts:
        return [Chunk(first, last, "", mentions[:])]
    inside_name = {i for m in mentions if m.last - m.first > 1 for i in range(m.first, m.last)}
    atoms: list[Chunk] = []
    for index in (*(i for i in cuts if i not in inside_name), last):
        taken: list[Mention] = []
        while cursor < len(mentions) and mentions[cursor].first < index:
            taken.append(mentions[cursor])
            cursor += 1
        if index > start or link in ("(", ")"):
            atoms.append(new_chunk((start, index, link, taken)))
        cut = texts[index] if index < last else ""
        link = cut if index > start or cut in ("(", ")") or cut in CLAUSES or not link else link
        start = index + 1
    return atoms


def _trails(atom: Chunk) -> bool:
    """True where a role follows what is said: "down in RR-6", "Rescue: heart"."""
    said = -1
    for m in atom.mentions:
        if m.kind in ROLES:
            return -1 < said < m.first
        if said < 0 and m.kind in FOCI:
            said = m.first
    return False


def _merge(stream: Stream, atoms: list[Chunk]) -> list[Chunk]:
    if len(atoms) == 1:
        return atoms
    kinds = [{m.kind for m in atom.mentions} for atom in atoms]
    says = [not FOCI.isdisjoint(kind) for kind in kinds]
    if False not in says:
        return atoms
    merged: list[Chunk] = []
    pending: Chunk | None = None
    trailing = False
    for position, atom in enumerate(atoms):
        roles = not ROLES.isdisjoint(kinds[position])
        if says[position]:
            if pending is not None:
                carried = pending.mentions
                ended = BEFORE_CLAUSE if atom.link in CLAUSES else BEFORE_COLON if atom.link == ":" else ()
                denies = "that" in stream.texts[pending.first : pending.last]  # "there is no sign that …"
                if pending.link in CONCEDES and atom.link == "," and not denies:
                    ended = BEFORE_COLON
                if ended:
                    carried = [m for m in carried if m.kind not in ended]
                atom = Chunk(pending.first, atom.last, pending.link, carried + atom.mentions)
                roles = bool(roles_of(atom))
                pending = None
            merged.append(atom)
            trailing = _trails(atom) or (trailing and not roles)
            continue
        bare = bool(merged) and not roles_of(merged[-1])
        later = True in says[position + 1 : position + 13]
        closes = atom.link in ("(", ")", "[", "]")
        leftward = (
            merged
            and pending is None
            and not (closes and _labels(atoms, position, says))
            and (not later or closes or (roles and (trailing or (bare and atom.link == ":"))))
        )
        if leftward and (roles or not later) and not (roles and _own_clause(stream, atom)):
            before = merged[-1]
            merged[-1] = new_chunk((before.first, atom.last, before.link, before.mentions + atom.mentions))
            trailing = trailing or (roles and bare)
        elif pending is not None:
            pending = new_chunk((pending.first, atom.last, pending.link, pending.mentions + atom.mentions))
        else:
            pending = atom
    if pending is not None:
        merged.append(pending)
    return merged


def _labels(atoms: list[Chunk], position: int, says: list[bool]) -> bool:
    """True for the "thymus" of "liver (thymus: up)", which names what follows it."""
    after = position + 1
    return after < len(atoms) and says[after] and atoms[after].link == ":"


def _own_clause(stream: Stream, atom: Chunk) -> bool:
    """True for "but brain regions differ"; "but that is the liver" is about what stands before it."""
    return atom.link in CLAUSES and stream.texts[atom.first] not in BACK


def roles_of(chunk: Chunk) -> list[Mention]:
    return [m for m in chunk.mentions if m.kind in ROLES]
