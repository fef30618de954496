"""What a number counts: genes, an NES, a fold change, mice, days."""

from __future__ import annotations

from biorlhf_plugins.language.claims.reader import Reader
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number

NOUN_UNITS = frozenset(("tissue", "mission", "mouse", "group", "time", "dose", "background", "other"))

DETERMINERS_WORDS = "the these those all its a total of"
DETERMINERS = frozenset(DETERMINERS_WORDS.split())
SURPLUS = frozenset(("more", "fewer", "additional", "extra"))
"""After a number they count a difference: "2,315 more DEGs than liver"."""

PREPOSITIONS = frozenset(("in", "at", "under", "for", "of", "on", "with", "during", "from", "after", "by"))


def quantity_of(reader: Reader, sentence: Sentence, index: int, focus: Mention) -> str | None:
    if focus.kind in ("type", "pattern"):
        return focus.kind
    if focus.kind == "dir":
        return None
    if focus.first in reader.operands:
        return "operand"
    number: Number = focus.value  # type: ignore[assignment]
    if focus.first in reader.quotients and not number.unit:
        return "ratio"
    chunk = sentence.chunks[index]
    total = _of_total(reader, focus)
    if total:
        return _share(chunk, focus, total)
    if number.unit:
        return {"percent": "percent", "ratio": "ratio"}.get(number.unit, "dose")
    named = [m for m in chunk.mentions if m.kind == "quantity"] if "quantity" in reader.kinds else []
    after = [m for m in named if 0 <= m.first - focus.last <= 3 and not _number_between(chunk, focus, m)]
    before = [m for m in named if 0 <= focus.first - m.last <= 4 and not _number_between(chunk, m, focus)]
    if before and before[-1].value in ("padj", "nes", "log2fc", "ratio", "difference"):
        return str(before[-1].value)
    if _whole(reader, focus) and after and after[0].value == "deg":
        return "deg"
    if focus.last < len(reader.stream) and reader.stream[focus.last].text in SURPLUS:
        return "difference"
    if after and after[0].first - focus.last <= 1:
        return _directed(chunk, focus, str(after[0].value))
    near = [*after, *(m for m in before if m.value not in NOUN_UNITS)]
    if near:
        return _directed(chunk, focus, str(near[0].value))
    word = reader.stream[focus.last].text if focus.last < len(reader.stream) else ""
    if reader.stream[min(focus.last, len(reader.stream) - 1)].kind == "w" and _noun(
        reader, chunk, focus, word
    ):
        return word
    if any(
        m.kind == "dir" and abs(m.first - focus.first) <= 2 and m.value in ("UP", "DOWN")
        for m in chunk.mentions
    ):
        return _directed(chunk, focus, "deg")
    if chunk.link == ":" and index and sentence.chunks[index - 1].mentions:
        label = sentence.chunks[index - 1].mentions[-1]
        if label.kind == "dir" and label.value in ("UP", "DOWN"):
            return "deg_up" if label.value == "UP" else "deg_down"
    wider = [m.value for m in named if m.value not in NOUN_UNITS]
    return str(wider[0]) if wider and wider[0] in ("nes", "log2fc", "padj") else None


def _of_total(reader: Reader, focus: Mention) -> int:
    """The token of the 6 in "4 of 6 missions" or "4 of the 6", where the number is such a 4; else 0."""
    at, stream = focus.last, reader.stream
    if at < len(stream) and stream[at].text == "out":
        at += 1
    if at >= len(stream) or stream[at].text != "of":
        return 0
    at += 1
    while at < min(focus.last + 5, len(stream)) and stream[at].text in DETERMINERS:
        at += 1
    return at if at < len(stream) and stream[at].number is not None else 0


def _share(chunk: Chunk, focus: Mention, total: int) -> str:
    """ "2,923 of the 5,477 DEGs are down" counts genes that go down; "4 of 6 missions" is a share."""
    noun = next((m for m in chunk.mentions if m.kind == "quantity" and 1 <= m.first - total <= 2), None)
    way = next((m for m in chunk.mentions if m.kind == "dir" and m.first > focus.first), None)
    if noun is None or way is None or noun.value != "deg" or way.value not in ("UP", "DOWN"):
        return str(noun.value) if noun and str(noun.value) in ("deg_up", "deg_down") else "share"
    return "deg_up" if way.value == "UP" else "deg_down"


def _whole(reader: Reader, focus: Mention) -> bool:
    """True for the 5,477 of "2,923 of the 5,477"."""
    at = focus.first - 1
    while at > max(0, focus.first - 5) and reader.stream[at].text in DETERMINERS:
        at -= 1
    after = reader.stream[at + 1].text if at >= 0 else ""
    return after == "of" and (reader.stream[at].number is not None or reader.stream[at].text == "out")


def _number_between(chunk: Chunk, left: Mention, right: Mention) -> bool:
    return any(m.kind == "num" and left.last <= m.first < right.first for m in chunk.mentions)


def _noun(reader: Reader, chunk: Chunk, focus: Mention, word: str) -> bool:
    """True where an unknown plain noun follows the number: "3 lanes". Links and verbs are no nouns."""
    if word in PREPOSITIONS or len(word) < 4 or any(m.first == focus.last for m in chunk.mentions):
        return False
    raw_end = reader.stream[focus.last].end
    return reader.clean.text[raw_end - 1 : raw_end] == "s" and word not in (
        "this",
        "thus",
        "was",
        "does",
        "whereas",
    )


def _directed(chunk: Chunk, focus: Mention, quantity: str) -> str:
    if quantity != "deg":
        return quantity
    for m in chunk.mentions:
        if (
            m.kind == "dir"
            and m.value in ("UP", "DOWN")
            and -1 <= m.first - focus.last <= 2
            and m.first > focus.first
        ):
            return "deg_up" if m.value == "UP" else "deg_down"
    return quantity
