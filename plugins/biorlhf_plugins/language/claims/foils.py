"""Foils: names of the kind of the asked one, so that their figures are not taken for its own.

Of "cluster 3" it is every other cluster, of TP53 whatever is written like a gene, of "F. prausnitzii" any
binomial, of "arm B" the other arms, of "20 µM" the other doses. A foil becomes a mention of the asked name's
role, and attribution treats it like any known name. No word that the question itself contains is one.
"""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Iterable

from biorlhf_plugins.language.claims.shapes import (
    LABEL,
    SYMBOL,
    TITLE,
    YEAR,
    Mould,
    Shapes,
    asked_names,
    contrasts,
    dosed,
    measured,
    mould,
    moulds,
    of_another,
    shapes,
)
from biorlhf_plugins.language.words.lexicon import Additions, grammar, table
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.names import DRUG
from biorlhf_plugins.language.words.numbers import counted
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS
from biorlhf_plugins.language.words.text import Stream, stream_of
from biorlhf_plugins.language.words.units import unit_at
from biorlhf_plugins.language.words.vocabulary import (
    CAPITALISED,
    GENOTYPES,
    LABELLED,
    METHODS,
    POPULATIONS,
    SPELT,
    STOP_WORDS,
)  # fmt: skip

ACCESSION = re.compile(r"^[A-Za-z]{2,5}\d{5,}$")
"""GSE135893, rs12345: where data and variants are kept."""

POTENCY = re.compile(r"(?:ic|ec|ed|gi|tgi|cc|lc|ld|md|mic|mbc|pd|tcid|id)\d{1,2}")
"""IC50, MIC90: quantities, and no names."""

GENUS = re.compile(r"[A-Z](?:|[a-z]{2,}(?:us|a|um|as|es|is|er|on|ix|or|io|ops))")
EPITHET = re.compile(r"[a-z]{3,}(?:us|a|um|is|ii|i|ens|ans|ae|es|or|ix|on|e)")
PLACING = frozenset(("in", "from", "by", "via", "using"))
OTHER_THAN = frozenset(("non", "never", "ex", "former"))
JOINS = frozenset((",", "and", "or", "&", "/", "–"))
INTRODUCED = frozenset((":", "=", "(", "|", "at", "is", "was", "by", "fell", "rose", "had", "ha"))
OPEN = frozenset(("path", "num", "quantity", "treatment", "frame"))
"""Mentions that may be names as well: MYC is a set's alias, a "sample" is counted elsewhere."""

LISTED = 8
BY_PLACE = operator.attrgetter("first")


def with_foils(stream: Stream, mentions: list[Mention], prompt: str, additions: Additions) -> list[Mention]:
    """The mentions with the foils among them; a number that is a label ("figure 2") is no figure."""
    mentions = _with_alike(stream, mentions, moulds(additions))
    mentions = _with_pairs(stream, mentions, contrasts(additions))
    asked = shapes(additions)
    labels = LABELLED | asked.heads.keys() if asked.heads else LABELLED
    shaped = asked.any
    if not shaped and stream.vocabulary.isdisjoint(labels):
        return mentions
    if shaped and not asked.places:  # where a gene is measured is no rival of the gene
        places = table("lexicon")["entity"]
        mentions = [m for m in mentions if m.kind != "entity" or m.value not in places]
    known = {i: m for m in mentions for i in range(m.first, m.last)}
    found: list[Mention] = []
    gone: set[int] = set()
    units: set[int] = set()
    names, question = asked_names(additions), _words(prompt)
    named = any(m.kind == "entity" and m.value in names for m in mentions)
    for index, token in enumerate(stream):
        if index in known and known[index].kind == "entity" and _negated(stream, index):
            found.append(Mention("entity", f"non {token.text}", index - 1, index + 1))
            gone.add(index)
        asks = token.text in labels and f"hich {token.text}" in prompt.lower()  # "On which day …?"
        if token.text in labels and stream.texts[index - 1] != "wild" and not asks:
            found += _labelled(stream, index, asked, known, gone)
        if not shaped or (index in known and known[index].kind not in OPEN):
            continue
        if token.kind == "n":
            doses = _dose(stream, index, asked, known)
            found += doses
            units |= {m.last for m in doses}
        elif token.kind == "w" and not (
            index - 1 in known and known[index - 1].value == "dose"
        ):  # "5 mM NaCl"
            found += _name(stream, index, asked, question, named)
    if not found and not gone:
        return mentions
    taken = gone | {i for m in found for i in range(m.first, m.last)}
    kept = [
        m
        for m in mentions
        if not (m.kind in ("num", "path", "neg") and m.first in taken)
        and not (m.kind == "entity" and m.first in gone)
        and not (m.kind == "quantity" and m.first in units and m.value in ("time", "dose"))
    ]
    return dosed(sorted((*kept, *found), key=lambda m: (m.first, m.last)), units, asked)


def _with_alike(stream: Stream, mentions: list[Mention], cast: dict[str, dict[Mould, str]]) -> list[Mention]:
    """The mentions with the look-alikes of the asked names, over what was read in their words."""
    shaped = [mould(word) for word in stream.texts] if cast else []
    if not cast or cast.keys().isdisjoint(shaped):
        return mentions
    known = {i: m for m in mentions for i in range(m.first, m.last)}
    found: list[Mention] = []
    done = 0
    for index, first in enumerate(shaped):
        for each, role in cast.get(first, {}).items() if index >= done else ():
            last = index + len(each)
            over = (known[i] for i in range(index, last) if i in known)
            if tuple(shaped[index:last]) != each or any(m.last - m.first >= len(each) for m in over):
                continue
            text = " ".join(stream.texts[index:last])
            found.append(Mention(role, (f"?{text}",) if role == "path" else text, index, last))
            done = last
            break
    taken = {i for m in found for i in range(m.first, m.last)}
    return sorted((*(m for m in mentions if m.first not in taken), *found), key=lambda m: m.first)


def _with_pairs(
    stream: Stream, mentions: list[Mention], asked: tuple[tuple[str, Mould, Mould], ...]
) -> list[Mention]:
    """The mentions with every "between A and B", where two such sides are what is asked about: the asked
    pair, in either order, by its name, and any other as a foil."""
    found: list[Mention] = []
    for at in [i for i, word in enumerate(stream.texts) if word == "between"] if asked else ():
        texts = stream.texts[at + 1 : at + 2 + LISTED]
        if "and" not in texts[1:-1]:
            continue
        middle = texts.index("and")
        left = tuple(word for word in texts[:middle] if word not in STOP_WORDS)
        end = middle + 1
        while end < len(texts) and texts[end] not in STOP_WORDS and stream[at + 1 + end].kind != "p":
            end += 1
        right = tuple(texts[middle + 1 : end])
        name = next(
            (name for name, *sides in asked if _is_pair(left, right, *sides)), " ".join((*left, *right))
        )
        found.append(Mention("entity", name, at, at + 1 + max(end, middle + 1)))
    taken = {i for m in found for i in range(m.first, m.last)}
    kept = [m for m in mentions if m.first not in taken] if taken else mentions
    return sorted((*kept, *found), key=BY_PLACE)


def _is_pair(left: Mould, right: Mould, one: Mould, other: Mould) -> bool:
    """Are two stretches of text two sides? Of "isolates 4 and 9", the second lacks what both have."""
    return any(
        left == first
        and (right[: len(last)] == last or right[:1] == tuple(w for w in last if w not in first))
        for first, last in ((one, other), (other, one))
    )


@functools.lru_cache(maxsize=256)
def _words(prompt: str) -> frozenset[str]:
    """Its words, and what may stand for two or three of them: SA for salicylic acid."""
    words = stream_of(prompt).texts
    initials = ("".join(w[0] for w in words[i : i + n]) for n in (2, 3) for i in range(len(words)))
    return frozenset((*words, *initials))


def _labelled(
    stream: Stream, index: int, asked: Shapes, known: dict[int, Mention], gone: set[int]
) -> list[Mention]:
    """ "cluster 4", "clusters 3 and 4": names of the role of the asked cluster, else no figures at all."""
    role, names = asked.heads.get(stream.texts[index], ("", {}))
    found: list[Mention] = []
    # "clusters 3 and 4", but "week 4 and 18 %"
    several = stream.clean.text[stream[index].end - 1] != stream.texts[index][-1]
    at, last = index + 1, min(index + 2 * LISTED, len(stream))
    while at < last:
        label = stream.texts[at]
        number = stream[at].number
        figure = number is not None and (number.unit or counted(stream.texts, at) or _measured(stream, at))
        if not LABEL.fullmatch(label) or figure or (label == "a" and not names):
            break
        if role and not (at in known and known[at].kind == role):
            first = index if at == index + 1 else at
            found.append(Mention(role, names.get(label, f"{stream.texts[index]} {label}"), first, at + 1))
        gone.add(at)
        if not (at + 2 < last and stream.texts[at + 1] in JOINS and several):
            break
        at += 3 if stream.texts[at + 2] in JOINS or stream.texts[at + 2] == stream.texts[index] else 2
    return found


def _measured(stream: Stream, at: int) -> bool:
    """True for the 210 of "in the mutant line 210 mg", and not for that of "clone 5 cells"."""
    unit = unit_at(stream.source, *stream.span(at, at + 1))
    return unit is not None and not unit[1].dimension.startswith("count")


def _negated(stream: Stream, index: int) -> bool:
    """True for the smokers of "never-smokers" and "non-smokers"."""
    before = stream[index - 1] if index else None
    return (
        before is not None
        and before.text in OTHER_THAN
        and stream.clean.text[before.end : stream[index].start] == "-"
    )


def _dose(stream: Stream, index: int, asked: Shapes, known: dict[int, Mention]) -> tuple[Mention, ...]:
    """A measure of the asked condition's dimension, or a year beside an asked one, is one of its kind."""
    token = stream[index]
    if asked.years and YEAR.fullmatch(token.text) and token.end - token.start == 4:
        return (Mention(asked.years, token.text, index, index + 1),)
    if not asked.measures or token.number is None or index not in known:
        return ()
    unit = unit_at(stream.source, *stream.span(index, index + 1))
    found = measured(asked, token.number.value, unit[0]) if unit else None
    return (Mention(*found, index, index + 1),) if found else ()


def _name(
    stream: Stream, index: int, asked: Shapes, prompt: frozenset[str], named: bool
) -> Iterable[Mention]:
    token = stream[index]
    if token.text in asked.groups:
        return _group(stream, index, asked, prompt)
    spelt = SPELT.get(" ".join(stream.texts[index : index + 2]))
    genotype = spelt or token.text
    if genotype in asked.own and genotype in GENOTYPES:
        # "Twelve knock-out mice" are those of the gene that is asked about.
        before = of_another(stream, index, asked, prompt)
        return (Mention("entity", f"{before} {genotype}", index - 1, index + 1),) if before else ()
    if spelt and (asked.kinds & POPULATIONS or not asked.own.isdisjoint(GENOTYPES)):
        return (Mention("entity", spelt, index, index + 2),)
    other = index > 0 and stream.texts[index - 1] in OTHER_THAN and token.text in POPULATIONS
    if (other and asked.kinds & POPULATIONS) or token.text in asked.kinds:
        first = index - other
        return (Mention("entity", " ".join(t.text for t in stream[first : index + 1]), first, index + 1),)
    if asked.drugs and token.text.endswith(DRUG) and token.text not in asked.own:
        return (Mention(asked.drugs, token.text, index, index + 1),)
    if token.text in prompt:
        return ()
    written = stream.written(index, index + 1)
    if not written[:1].isalpha() or written.islower():
        return ()
    after = stream[index + 1] if index + 1 < len(stream) else None
    if asked.binomials and GENUS.fullmatch(written) and after is not None and after.kind == "n":
        return (Mention("entity", token.text, index, index + 1),)
    if asked.binomials and after is not None and after.kind == "w" and GENUS.fullmatch(written):
        epithet = stream.written(index + 1, index + 2)
        end = stream.span(index, index + 1)[1]
        short = stream.source[end : end + 1] == "."
        if (short or EPITHET.fullmatch(epithet)) and after.text not in prompt:
            return (Mention("entity", f"{token.text} {after.text}", index, index + 2),)
    if token.text in METHODS or POTENCY.fullmatch(token.text):
        return ()
    before = stream.texts[index - 1] if index else ""
    placing = before in PLACING and after is not None and after.kind == "w" and after.text not in STOP_WORDS
    placing = placing or (before == "in" and stream.texts[index + 1 : index + 2] == ["("])
    if placing and named:  # "SPP1 is up in IPF lungs"; "in H1975 cells" is a rival where PC9 is asked for
        return ()
    if asked.symbols and SYMBOL.fullmatch(written) and not ACCESSION.search(written):
        return (Mention("entity", token.text, index, index + 1),)
    if asked.titles and TITLE.fullmatch(written) and token.text not in CAPITALISED:
        numbered = written[-1].isdigit() or written[-2:-1].isdigit()
        follows = after is not None and (after.kind == "n" or after.text in INTRODUCED)
        if numbered or follows or before == "of":  # "the log2FC of Alb" is no other gene's
            return (Mention("entity", token.text, index, index + 1),)
    return ()


def _group(stream: Stream, index: int, asked: Shapes, prompt: frozenset[str]) -> Iterable[Mention]:
    """ "the placebo arm" where the verum arm is asked for: a head with other words before it."""
    first = index
    while (
        first > max(0, index - 2)
        and stream[first - 1].kind == "w"
        and stream.texts[first - 1] not in STOP_WORDS
        and stream.texts[first - 1] not in WORD_NUMBERS  # "twelve knock-out embryos"
        and stream.texts[first - 1] not in grammar()["preposition"]  # "the rate among residents"
    ):
        first -= 1
    words = set(stream.texts[first:index])
    if not words - asked.own - prompt or asked.groups[stream.texts[index]] <= words:
        return ()
    return (Mention("entity", " ".join(t.text for t in stream[first : index + 1]), first, index + 1),)
