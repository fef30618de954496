"""What a number counts: genes, an NES, a fold change, mice, days."""

from __future__ import annotations

from biorlhf_plugins.language.claims.qualifiers import PART, QUALIFIER, asked_of, qualifies
from biorlhf_plugins.language.claims.reader import Reader
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.measured import GENERIC, STATISTICS
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.language.words.vocabulary import STOP_WORDS

NOUN_UNITS = frozenset(("tissue", "mission", "mouse", "group", "time", "dose", "background", "other"))

DETERMINERS = vocabulary("the these those all every each its a total of")
SURPLUS = frozenset(("more", "fewer", "additional", "extra"))
"""After a number they count a difference: "2,315 more DEGs than liver"."""

PREPOSITIONS = frozenset(("in", "at", "under", "for", "of", "on", "with", "during", "from", "after", "by"))


LABEL_MARKS = frozenset((":", "="))
AVERAGES = frozenset(("mean", "median", "minimum", "maximum", "mode"))
NAMED_BY = frozenset(("of", "was", "is", "were"))
"""Between a quantity that only its own word names and its figure: "a Vmax of 81"."""

NO_PLURALS = frozenset(("this", "thus", "was", "does", "whereas"))
UNNAMING = GENERIC | STOP_WORDS
LABEL_LENGTH = 2


BEING = frozenset(("is", "are", "was", "were"))
COMPARED = frozenset(("<", ">", "≤", "≥", "="))


def quantity_of(reader: Reader, sentence: Sentence, index: int, focus: Mention) -> str | None:
    if focus.kind in ("type", "pattern"):
        return focus.kind
    if focus.kind == "dir":
        return None
    if focus.first in reader.operands:
        return "operand"
    number: Number = focus.value
    if focus.first in reader.quotients and not number.unit:
        return "ratio"
    if qualifies(reader, focus):
        return QUALIFIER
    chunk, inside = sentence.chunks[index], reader.inside[index]
    named, figures = inside.get("quantity", []), inside["num"]
    if _sample(reader, named, chunk, focus):
        return "sample"
    named = [m for m in named if m.first < focus.last or not _compared(reader, m)]
    total = _of_total(reader, focus)
    if total:
        return _share(reader, chunk, focus, total)
    after = before = named
    if named:
        after = [m for m in named if 0 <= m.first - focus.last <= 3 and not _between(figures, focus, m)]
        before = [m for m in named if 0 <= focus.first - m.last <= 4 and not _between(figures, m, focus)]
        before = [m for m in before if m.value in STATISTICS or not _counts(figures, m)]
    scalar = next((str(m.value) for m in before[::-1] if m.value not in COUNTED), None) if before else None
    if after and _noun(
        reader, chunk, focus, _text(reader, focus.last)
    ):  # "the 840 patients had a mean age of"
        after = [m for m in after if str(m.value) in COUNTED]
    if scalar is not None:
        return _in_unit(scalar, number)
    if number.unit:
        own = next((str(m.value) for m in after if m.value not in COUNTED and " " in str(m.value)), None)
        return own or {"percent": "percent", "ratio": "ratio"}.get(number.unit, "dose")
    if _whole(reader, focus):
        return "deg" if after and after[0].value == "deg" else QUALIFIER
    if focus.last < len(reader.stream) and reader.stream.texts[focus.last] in SURPLUS:
        return "difference"
    if after and after[0].first - focus.last <= 1:
        leads = {m.value for m in before if reader.stream.texts[m.last : focus.first] in ([], ["for"])}
        if "background" in leads:
            return "background"  # "was tested for 14,206 genes"
        return _directed(reader, sentence, inside, focus, str(after[0].value))
    near = [*after, *(m for m in before if m.value not in NOUN_UNITS)]
    if near:
        return _directed(reader, sentence, inside, focus, str(near[0].value))
    if _text(reader, focus.last) in ("and", "or"):
        following = next((m for m in sentence.inside["num"] if m.first == focus.last + 1), None)
        every = sentence.inside.get("quantity", ()) if following is not None else ()
        name = next((m for m in every if m.first == following.last), None)  # type: ignore[union-attr]
        if name is not None and str(name.value) in STATISTICS:
            return str(name.value)  # "by 1.9 and 3.3 log2 units"
    return _unnamed(reader, sentence, index, focus, named)


COUNTED = frozenset(("deg", "deg_up", "deg_down", "background", *NOUN_UNITS))
MULTIPLES = frozenset(("log2fc", "fc", "ratio"))


def _compared(reader: Reader, name: Mention) -> bool:
    """Has a statistic a figure of its own behind it: "27 genera passed FDR < 0.05"?"""
    return name.value in STATISTICS and not COMPARED.isdisjoint(
        reader.stream.texts[name.last : name.last + 1]
    )


def _text(reader: Reader, at: int) -> str:
    return reader.stream.texts[at] if at < len(reader.stream) and reader.stream[at].kind == "w" else ""


def _in_unit(name: str, number: Number) -> str:
    """ "log2 fold change: 4.3-fold": what is written behind the figure tells its scale."""
    return "ratio" if number.unit == "ratio" and name in MULTIPLES else name


def _unnamed(
    reader: Reader, sentence: Sentence, index: int, focus: Mention, named: list[Mention]
) -> str | None:
    """The quantity of a figure beside which none of the lexicon's stands: a noun, a direction, a label."""
    chunk, inside = sentence.chunks[index], reader.inside[index]
    word = _text(reader, focus.last)
    if _noun(reader, chunk, focus, word):
        return word
    if not reader.own and any(
        abs(m.first - focus.first) <= 2 and m.value in ("UP", "DOWN") for m in inside.get("dir", ())
    ):
        return _directed(reader, sentence, inside, focus, "deg")
    if not reader.own and reader.stream.texts[focus.first - 1] == "(":
        label = next((m for m in sentence.inside.get("dir", ()) if m.last == focus.first - 1), None)
        if label is not None and label.value in ("UP", "DOWN"):  # "more go up (844) than down (711)"
            return "deg_up" if label.value == "UP" else "deg_down"
    if chunk.link == ":" and index and sentence.chunks[index - 1].mentions:
        label = sentence.chunks[index - 1].mentions[-1]
        if label.kind == "dir" and label.value in ("UP", "DOWN") and label.last == chunk.first - 1:
            return "deg_up" if label.value == "UP" else "deg_down"
    wider = [m.value for m in named if m.value not in NOUN_UNITS]
    if wider and wider[0] in ("nes", "log2fc", "padj"):
        return str(wider[0])
    if chunk.link == "and" and len(chunk.mentions) == 1 and _text(reader, focus.last) in PREPOSITIONS:
        told = sentence.chunks[index - 1].mentions
        if any(m.kind == "quantity" and m.value == "ratio" for m in told):
            return "ratio"  # "a ratio of 2.1 at dawn and 3.4 at dusk"
    return _label(reader, sentence, focus) if reader.own else None


def _label(reader: Reader, sentence: Sentence, focus: Mention) -> str | None:
    """The words of "gained: 2,915" where they are no known name: a quantity by its own words."""
    at = focus.first - 1
    mark = reader.stream.texts[at] if at >= sentence.first else ""
    known = {i for m in sentence.mentions for i in range(m.first, m.last)}
    if mark in AVERAGES:
        return mark
    if mark in NAMED_BY:
        word = reader.stream[max(at - 1, 0)]
        return word.text if word.kind == "w" and at - 1 not in known and word.text not in UNNAMING else None
    if mark not in LABEL_MARKS:
        return None
    words: list[str] = []
    while at > sentence.first and reader.stream[at - 1].kind == "w" and at - 1 not in known:
        at -= 1
        words.insert(0, reader.stream.texts[at])
        if len(words) > LABEL_LENGTH:
            return None
    return " ".join(w for w in words if w not in GENERIC) or None


def _of_total(reader: Reader, focus: Mention) -> int:
    """The token of the 6 in "4 of 6 missions" or "4 of the 6", where the number is such a 4; else 0."""
    at, stream = focus.last, reader.stream
    if at < len(stream) and stream.texts[at] == "out":
        at += 1
    if at >= len(stream) or stream.texts[at] != "of":
        return 0
    at += 1
    while at < min(focus.last + 5, len(stream)) and stream.texts[at] in DETERMINERS:
        at += 1
    return at if at < len(stream) and stream[at].number is not None else 0


def _share(reader: Reader, chunk: Chunk, focus: Mention, total: int) -> str:
    """ "2,923 of the 5,477 DEGs are down" counts genes that go down; "4 of 6 missions" is a share."""
    noun = next((m for m in chunk.mentions if m.kind == "quantity" and 1 <= m.first - total <= 2), None)
    way = next((m for m in chunk.mentions if m.kind == "dir" and m.first > focus.first), None)
    bare = noun is None and way is not None and not reader.own and way.first - total <= BARE
    if (not bare and (noun is None or noun.value != "deg")) or way is None or way.value not in ("UP", "DOWN"):
        return str(noun.value) if noun and str(noun.value) in ("deg_up", "deg_down") else "share"
    return "deg_up" if way.value == "UP" else "deg_down"


BARE = 3
"""Tokens from the whole to the direction of "1,336 of the 2,110 are up", whose noun is left out."""
OPENS_WHOLE = frozenset(("none", "out", ".", ";", "\n", ",", "(", ":", "—"))


def _whole(reader: Reader, focus: Mention) -> bool:
    """True for the 5,477 of "2,923 of the 5,477" and of "Of 5,477 genes, …", the 88 of "14 among the 88"."""
    at = focus.first - 1
    while at >= max(0, focus.first - 5) and reader.stream.texts[at] in DETERMINERS:
        at -= 1
    after = reader.stream.texts[at + 1] if at + 1 < len(reader.stream) else ""
    if reader.stream.texts[at] == "among" and reader.stream.texts[focus.first - 1] == "the":
        return any(reader.stream[i].number is not None for i in range(max(0, at - 3), at))
    if after != "of":
        return False
    word = reader.stream.texts[at]
    return at < 0 or reader.stream[at].number is not None or word in OPENS_WHOLE or word in WORD_NUMBERS


def _counts(figures: list[Mention], noun: Mention) -> bool:
    """True for a noun that has its number already: the peaks of "18,344 peaks from 41 million reads"."""
    return any(0 <= noun.first - m.last <= 1 for m in figures)


def _sample(reader: Reader, named: list[Mention], chunk: Chunk, focus: Mention) -> bool:
    """True for the 9 of "n = 9" and of "of which 9 lie here", unless a noun says what it counts."""
    before = reader.stream.texts[max(0, focus.first - 2) : focus.first]
    if before != ["n", "="] and not reader.own:
        return False
    if any(0 <= m.first - focus.last <= 1 for m in named):
        return False
    part = reader.own and before[:1] == ["of"] and before[-1] in PART and not asked_of(reader, focus.last)
    return before == ["n", "="] or (part and not _noun(reader, chunk, focus, _text(reader, focus.last)))


def _between(figures: list[Mention], left: Mention, right: Mention) -> bool:
    return len(figures) > 1 and any(left.last <= m.first < right.first for m in figures)


def _noun(reader: Reader, chunk: Chunk, focus: Mention, word: str) -> bool:
    """True where an unknown plain noun follows the number: "3 lanes". Links and verbs are no nouns."""
    if word in PREPOSITIONS or len(word) < 4 or word in NO_PLURALS:
        return False
    plural = reader.stream.clean.text[reader.stream[focus.last].end - 1] == "s"
    return plural and not any(m.first == focus.last for m in chunk.mentions)


def _directed(
    reader: Reader, sentence: Sentence, inside: dict[str, list[Mention]], focus: Mention, quantity: str
) -> str:
    if quantity != "deg" or "dir" not in sentence.inside:
        return quantity
    texts = reader.stream.texts
    named = (q for q in inside.get("quantity", ()) if 0 <= q.first - focus.last <= 4)
    nouns = [q.last for q in named if q.value == "deg"]
    aside = any(texts[end : end + 1] == [","] for end in nouns)
    for m in sentence.inside["dir"]:
        if m.first <= focus.first or m.value not in ("UP", "DOWN"):
            continue
        near = -1 <= m.first - focus.last <= 2 or any(0 <= m.first - end <= 1 for end in nouns)
        # "2,318 genes that are down"
        near = near or any(
            texts[end : end + 1] in (["that"], ["which"]) and m.first - end <= 2 for end in nouns
        )
        near = near and m in inside.get("dir", ())  # "3,251 of the soleus DEGs go up"
        near = near or (aside and texts[m.first - 2] == "," and texts[m.first - 1] in BEING)
        either = texts[m.last : m.last + 1] == ["or"]  # "DEGs up or down"
        if near and not either:
            return "deg_up" if m.value == "UP" else "deg_down"
    return quantity
