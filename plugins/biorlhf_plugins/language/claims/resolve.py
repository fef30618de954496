"""From chunks to claims: for every number, direction and class, what it is about.

A slot's field is looked for in the claim's own chunk, then in the chunks before it in the sentence,
then in a heading or a table's header, then in the sentences before, and at last in the prompt.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from biorlhf_plugins.language.claims.attribution import begin, elsewhere, slots, treatment
from biorlhf_plugins.language.claims.general import ADVERBS, BEING, DETERMINERS, general_words
from biorlhf_plugins.language.claims.nearest import OTHERS, last_values
from biorlhf_plugins.language.claims.quantities import NOUN_UNITS, quantity_of
from biorlhf_plugins.language.claims.reader import ROLES, Reader, values
from biorlhf_plugins.language.claims.subjects import NOMINAL, OTHER, REACH, Aim, aim
from biorlhf_plugins.language.records import Claim, Slot, new_claim
from biorlhf_plugins.language.sentences.clauses import FOCI, Chunk, Sentence
from biorlhf_plugins.language.sentences.polarity import flipped, negated
from biorlhf_plugins.language.words.degrees import SETTING_OFF
from biorlhf_plugins.language.words.lexicon import grammar
from biorlhf_plugins.language.words.mentions import Mention, grouped
from biorlhf_plugins.language.words.numbers import Number

CLAIMS = {"num": "number", "dir": "direction", "type": "class", "pattern": "class"}
NO_FIGURE: tuple[Any, ...] = (None, None, None, False, False, None, 0)
APPROXIMATE_GAP = 3
COUNTED_GAP = 5
BESIDE = frozenset(("and", "as", "well", "at", "in", "on", "under", "the"))
WEAK_WORDS = frozenset(("enriched", "enrichment", "overrepresented", "represented"))
"""Said of a gene set by many to mean that its test is significant, whichever way it goes."""


LISTING = frozenset((",", "and"))
STRENGTHS = frozenset(("more", "less", "weaker", "stronger", "greater", "higher", "lower"))
MAYBE = frozenset(("may", "might", "could"))
SETS_OFF = SETTING_OFF | grammar()["transitive"]
"""Behind "inhibition of the proteasome" these tell what a treatment does, and not what was found."""


def read_sentence(reader: Reader, sentence: Sentence, number: int) -> None:
    """Add the claims of one sentence and remember what it was about."""
    if sentence.kind == "row":
        _read_row(reader, sentence, number)
        return
    first, last, inside = sentence.first, sentence.last, sentence.inside
    if not inside and reader.stream.texts[first:last].count("\n") == last - first:
        return
    reader.columns = []
    if number in reader.fresh:
        reader.carried, reader.heading = {}, {}
    heads = _is_heading(reader, sentence)
    if heads and inside.keys().isdisjoint(("num", "entity", "mission")):
        _remember(reader, sentence, heads)
        return
    paired = _respectively(reader, inside)
    begin(reader, sentence)
    reader.elsewhere = False
    if "dir" in inside:
        reader.starts = {m.first: m for m in sentence.mentions}
        reader.ends = {m.last: m for m in sentence.mentions}
        reader.general = general_words(reader, sentence)
    for index, chunk in enumerate(sentence.chunks):
        for focus in _foci(reader, chunk, reader.inside[index]):
            aimed = aim(reader, sentence, index, focus) if focus.kind == "dir" else None
            reader.elsewhere = aimed is not None and aimed.kind == "other"
            for slot in slots(reader, sentence, index, focus, paired, aimed):
                reader.claims.append(_claim(reader, sentence, index, focus, slot, number, aimed))
    _remember(reader, sentence, heads)


def _foci(reader: Reader, chunk: Chunk, inside: dict[str, list[Mention]]) -> list[Mention]:
    """Numbers, directions and classes that say something; "not significantly up" is NS, not UP."""
    if FOCI.isdisjoint(inside):
        return []
    return [
        m for m in chunk.mentions
        if m.kind in FOCI
        and not (m.kind == "dir" and m.value in ("UP", "DOWN") and (_up_to(reader, m) or _degree(reader, m)))
    ]  # fmt: skip


def _degree(reader: Reader, m: Mention) -> bool:
    """The "less" of "the activation is less pronounced in the young": how much of a change it is."""
    texts, at = reader.stream.texts, m.first
    if texts[m.first] not in STRENGTHS:
        return False
    while at and (texts[at - 1] in BEING or texts[at - 1] in ADVERBS or texts[at - 1].endswith("ly")):
        at -= 1
    told = reader.ends.get(at)
    led = at < m.first and told is not None and told.kind == "dir" and texts[at - 1] in NOMINAL
    return led and texts[told.first - 1] in DETERMINERS  # type: ignore[union-attr]


def _up_to(reader: Reader, m: Mention) -> bool:
    stream = reader.stream
    if stream.texts[m.first] not in ("up", "down") or m.last + 1 >= len(stream):
        return False
    return stream.texts[m.last] == "to" and stream[m.last + 1].number is not None


def _listed(reader: Reader, figures: list[Mention], count: int) -> list[Mention]:
    """The one run of so many figures with commas and "and" between: "812 and 96" at a cut-off of 5 %."""
    texts, runs = reader.stream.texts, []
    for first in range(len(figures) - count + 1):
        run = figures[first : first + count]
        alike = len({getattr(m.value, "unit", "") for m in run}) == 1
        if alike and all(LISTING.issuperset(texts[a.last : b.first]) for a, b in pairwise(run)):
            runs.append(run)
    return runs[0] if len(runs) == 1 else []


def _respectively(reader: Reader, inside: dict[str, list[Mention]]) -> dict[int, tuple[str, Any]]:
    """Pairs a list of entities, sets or conditions with as many figures or directions, by token."""
    word = "respectively" in inside
    if not word and "num" not in inside:
        return {}
    roles = ("entity", "path", "condition") if word else ("entity", "condition")
    role = next((r for r in roles if len(inside.get(r, ())) > 1), "entity")
    entities, said = inside.get(role, []), inside.get("num") or inside.get("dir", [])
    if word and len(said) > len(entities) > 1:
        said = _listed(reader, said, len(entities))
    if len(entities) < 2 or len(entities) != len(said):
        return {}
    listed = entities[-1].first < said[0].first or said[-1].first < entities[0].first
    if listed and (word or said[0].kind == "num"):
        return {m.first: (role, e.value) for m, e in zip(said, entities, strict=True)}
    return {}


def _claim(
    reader: Reader, sentence: Sentence, index: int, focus: Mention, slot: Slot, number: int,
    aimed: Aim | None = None,
) -> Claim:  # fmt: skip
    chunk, kinds, inside = sentence.chunks[index], reader.kinds, reader.inside[index]
    span = reader.stream.span(focus.first, focus.last)
    before = sentence.chunks[index - 1] if index else None
    denied = "neg" in kinds and ("neg" in inside or chunk.link in ("or", "nor"))
    denied = denied and negated(reader.stream, chunk, focus, before)
    partial, about, weak, figure = "part" in inside, "", False, NO_FIGURE
    label = None if focus.kind == "num" else str(focus.value)
    if focus.kind == "num":
        figure = _figure(reader, inside, focus, slot, denied)
    elif focus.kind == "dir":
        about = aimed.kind if aimed else ""
        partial = partial or _partly(reader, chunk, index, focus, slot)
        if label in ("UP", "DOWN") and "frame" in kinds and flipped(reader.stream, chunk, before, focus):
            label = "DOWN" if label == "UP" else "UP"
        sides = inside.get("frame", [])
        alike = len(sides) > 1 and label in ("UP", "DOWN") and _alike(reader.stream.texts, sides)
        if alike or (len(sides) > 1 and "cmp" in inside and _within_one_side(inside["cmp"], sides)):
            slot = slot._replace(pathways=(OTHER,), stated=slot.stated | {"pathways"})
        weak = label == "UP" and reader.stream.texts[focus.last - 1] in WEAK_WORDS
        said = reader.stream.texts[focus.first : min(chunk.last, focus.last + REACH)]
        acting = said[1:2] == ["of"] or (aimed is not None and _acts(reader, focus))
        weak = weak or (acting and not SETS_OFF.isdisjoint(said))
        first = before.first if before is not None and chunk.link in ("or", "and") else chunk.first
        lead = reader.stream.texts[first : focus.first]
        if not MAYBE.isdisjoint(lead):
            lead = lead[len(lead) - lead[::-1].index(",") :] if "," in lead else lead
            weak = weak or not MAYBE.isdisjoint(lead)
    value, low, high, approximate, signed, decimals, digits = figure
    return new_claim((
        CLAIMS[focus.kind], slot, span, value, label, low, high, approximate, denied,
        reader.marks[focus.first] or "asserted", partial, False, number, focus.first, about, weak, signed,
        decimals, digits,
    ))  # fmt: skip


def _acts(reader: Reader, focus: Mention) -> bool:
    """Whether a noun of direction is a cause: "its activation leads to …", "TGF-β activation promotes …"."""
    named = reader.ends.get(focus.first)
    owned = not {"its", "their"}.isdisjoint(reader.stream.texts[max(0, focus.first - 2) : focus.first])
    owned = owned or (named is not None and named.kind == "path")
    return owned and reader.stream.texts[focus.first] in NOMINAL and "frame" not in reader.kinds


def _partly(reader: Reader, chunk: Chunk, index: int, focus: Mention, slot: Slot) -> bool:
    """Whether a direction is told of a part alone: "everywhere else", "71 % go up"."""
    inside = reader.inside[index]
    if slot.entity not in OTHERS:
        joined = index and chunk.link in ("and", "but") and inside.keys().isdisjoint(ROLES)
        if elsewhere(inside) or (joined and elsewhere(reader.inside[index - 1])):
            return True
    figures = inside.get("num", [])
    if figures and slot.pathways:
        if "path" in inside or focus.value not in ("UP", "DOWN"):
            return False
        # "71 of its 88 proteins were higher, 4 were lower"
        figures = [m for m in figures if m.value.word.isdigit() and not m.value.unit]
    return _counted(figures, focus)


def _alike(texts: list[str], frames: list[Mention]) -> bool:
    """ "Peaks at dusk and at dawn", "high in treated as in sham rats", which tells neither from the other."""
    return any(
        one.value != other.value
        and not {"and", "as"}.isdisjoint(between := texts[one.last : other.first])
        and set(between) <= BESIDE
        and texts[one.first - 1 : one.first] != ["between"]
        for one, other in pairwise(frames)
    )


def _within_one_side(compared: list[Mention], frames: list[Mention]) -> bool:
    """ "Up in adenocarcinoma relative to squamous carcinoma", which compares one side with itself."""
    second = [f for f in frames if any(0 < f.first - c.first <= COUNTED_GAP for c in compared)]
    first = [f for f in frames if f not in second]
    told = {f.value for f in first} | {f.value for f in second}
    return bool(first) and bool(second) and len(told) == 1


def _counted(figures: list[Mention], focus: Mention) -> bool:
    """ "71 % go up" and "425 rise", which say of no set that it does."""
    return any(0 <= focus.first - m.last <= COUNTED_GAP for m in figures)


def _figure(
    reader: Reader, inside: dict[str, list[Mention]], focus: Mention, slot: Slot, denied: bool
) -> tuple[Any, ...]:
    """A claim's value, low, high, approximate, signed, decimals and digits."""
    number: Number = focus.value
    if number.word == "0" and not denied and slot.quantity in NOUN_UNITS:
        return (0.0, *NO_FIGURE[1:])
    approximate = number.scaled or reader.stream.texts[max(0, focus.first - 1)] in ("~", "≈")
    if not approximate and "approx" in inside:
        approximate = any(0 <= focus.first - m.last < APPROXIMATE_GAP for m in inside["approx"])
    decimals = None if number.scaled else number.decimals
    return number.value, number.low, number.high, approximate, number.signed, decimals, number.digits


def _read_row(reader: Reader, sentence: Sentence, number: int) -> None:
    """A row of a table: the column's header and the row's first cells say what a cell is about."""
    cells = sentence.chunks
    reader.kinds = sentence.inside.keys()
    reader.inside = [grouped(cell.mentions) for cell in cells]
    foci = [(i, m) for i, cell in enumerate(cells) for m in _foci(reader, cell, reader.inside[i])]
    if not foci or (not reader.columns and all(m.kind != "num" for _, m in foci)):
        if any(cell.mentions for cell in cells):
            reader.columns = [cell.mentions for cell in cells]
        if not foci:
            return
    row = [m for cell in cells for m in cell.mentions]
    for i, focus in foci:
        header = reader.columns[i] if i < len(reader.columns) else []
        if focus in header:
            continue
        found = {}
        for role in ROLES:
            own = values(cells[i].mentions, role) or values(header, role)
            wide = own or values(row, role)[:1] or reader.heading.get(role) or reader.carried.get(role)
            found[role] = wide or reader.defaults[role]
        over = next((str(m.value) for m in header if m.kind == "quantity"), None)
        quantity = quantity_of(reader, sentence, i, focus) or (over if focus.kind == "num" else None)
        ups = [m.value for m in (*header, *cells[0].mentions) if m.kind == "dir"]
        if focus.kind == "num" and ups and quantity in (None, "deg"):
            quantity = "deg_up" if ups[0] == "UP" else "deg_down"
        for entity in found["entity"] or (None,):
            slot = Slot(
                entity, (found["condition"] or (None,))[0], treatment(found["treatment"], None), quantity,
                tuple(k for keys in found["path"] for k in keys), None, (found["mission"] or (None,))[0],
                frozenset("pathways" if r == "path" else r for r in ROLES if found[r]),
            )  # fmt: skip
            reader.claims.append(_claim(reader, sentence, i, focus, slot, number))


def _is_heading(reader: Reader, sentence: Sentence) -> bool:
    last = sentence.last - 1
    while last > sentence.first and reader.stream.texts[last] == "\n":
        last -= 1
    return reader.stream.texts[last] == ":"


def _remember(reader: Reader, sentence: Sentence, heads: bool) -> None:
    if heads:
        reader.heading = {role: values(sentence.mentions, role) for role in ROLES}
    elif sentence.kind == "prose":
        reader.heading = {}
    spoken = sentence.inside
    if "corr" in spoken or "whose" in spoken:
        spoken = grouped(_topics(sentence))
    for role in ROLES:
        if role not in spoken:
            continue
        topic = _topic(reader, sentence, spoken[role]) if role == "path" else None
        if topic is None:
            topic = last_values(spoken[role], role)
        if topic or role != "path":
            reader.carried[role] = topic


def _topic(reader: Reader, sentence: Sentence, named: list[Mention]) -> tuple[Any, ...] | None:
    """The set that a sentence leaves for the next to speak of: the asked one where it is named, else what
    stands first; () leaves what was spoken of before. None where the last names do, as they always did."""
    asked = reader.defaults["path"]
    if asked and asked[0] in [m.value for m in named]:
        return asked
    if asked and any(m.value[0].startswith("?") for m in named):
        first = named[0]
        leads = first.first - sentence.first <= 3
        return (first.value,) if leads else ()
    return None


def _topics(sentence: Sentence) -> list[Mention]:
    """What may be a topic for what follows: not the owner of a figure in "wait, that is the liver"."""
    turn = next((m.first for m in sentence.mentions if m.kind in ("corr", "whose")), None)
    if turn is None or any(m.kind in FOCI and m.first > turn for m in sentence.mentions):
        return sentence.mentions
    return [m for m in sentence.mentions if m.first < turn]
