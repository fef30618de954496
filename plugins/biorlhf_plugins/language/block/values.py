"""What stands in an answer block: one small grammar for each form. What it does not read is unread.

A value may be followed by evidence, behind a comma, a dash, a full stop or in brackets: "UP (NES 1.8)",
"yes, because …". Two candidates are two ("UP or DOWN"), and the grader divides by them. Words are compared
through the one normalisation of ``words.text``, so their spelling is never a second list.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from biorlhf_plugins.language.block.labels import labelled
from biorlhf_plugins.language.words.lexicon import Lexicon, Trie, add, longest, words
from biorlhf_plugins.language.words.mentions import Mention, scan
from biorlhf_plugins.language.words.text import Stream, Token, clean, stream_of
from biorlhf_plugins.language.words.text import vocabulary as words_as_spelt
from biorlhf_plugins.language.words.units import unit_at

TABLES: Mapping[str, Any] = json.loads(Path(__file__).with_name("answers.json").read_text("utf-8"))
WORDS = {kind: frozenset(listed.split()) for kind, listed in TABLES["words"].items()}
"""Small words by what they do: "turns" take a first value back, or say it in other words; "denies" a
direction behind it, as in "rather than up"; "subjects" are what cannot be determined."""

BREAKS, JOINS, LINKS = WORDS["breaks"], WORDS["joins"], WORDS["links"]
BESIDE = LINKS.union(JOINS, *(WORDS[kind] for kind in ("against", "denies", "fillers", "instead")))
OPTION = re.compile(r"^\(?(?:[a-h]|\d)[.)]\s+(?=\S)", re.IGNORECASE)
REASONS = re.compile(r"\s*(?:[:—]|\s[-–]\s|\.\s|,?\s+(?:because|since|with|based|weil|car)\b)")
LISTED = re.compile(r"\s*(?:[,;/|]|\bor\b|\band\b|\boder\b|\bund\b|\bou\b|\bet\b)\s*")
RIVALS = re.compile(r"\s*(?:;|\bor\b|\boder\b|\bou\b|/(?=\s*[+-]?\d+\s*$)|,(?!\d)|\s—\s)\s*", re.IGNORECASE)
ASIDE = re.compile(r"(?<=\d)\s*[(\[](?!\s*(?:no|or|rather|actually)\b).*$", re.DOTALL | re.IGNORECASE)
SPELLINGS = (
    (r"\\,|\$", ""),
    (r"\{,\}", ","),
    (r"(?<![\d.,])(\d+),(?=\d{1,2}(?!\d|[.,]\d))", r"\1."),
    (r"(?i)prozent|pour ?cent", "%"),
    (r"^([+\-−])\s", r"\1"),
)
"""What figures in blocks have that numbers in sentences have not: LaTeX, "13,5", "35 Prozent", "- 2.3"."""

APPROXIMATELY = words_as_spelt(
    "~ ≈ about around approximately approx roughly circa ca c nearly almost some etwa rund environ"
)
EVIDENCE = words_as_spelt("of von sur at with padj p fdr q")
"""Before a second figure that is no rival: "67 of 20,000"."""

RANGES = frozenset(("–", "to", "bis", "and", "a"))  # the last is French
NO_WORDS = Lexicon((), {})
MOST = 8
"""Words before a figure."""


class Reading(NamedTuple):
    """What a value says: its candidates, in order. ``problem`` says why it could not be read.

    A candidate is a direction or "yes"/"no", a :class:`Figure`, or a name as written.
    """

    candidates: tuple[Any, ...] = ()
    problem: str = ""


class Figure(NamedTuple):
    """A number as stated, with so many ``decimals`` and significant ``digits``; ``unit`` as written."""

    value: float
    unit: str = ""
    approximate: bool = False
    decimals: int = 0
    digits: int = 0


@functools.cache
def vocabulary() -> Mapping[str, Any]:
    """The words of block values, by form, as tries over canonical tokens."""
    found: dict[str, Trie] = {}
    for form in ("direction", "yes_no", "confidence"):
        trie = found.setdefault(form, {})
        for label, phrases in TABLES[form].items():
            for phrase in phrases:
                add(trie, words(phrase), form, label)
    cannot = found.setdefault("cannot", {})
    for phrase in TABLES["cannot"]:
        add(cannot, words(phrase), "cannot", True)
    return found


def _stream(value: str) -> list[Token]:
    return stream_of(value)


def abstains(value: str) -> bool:
    """Whether a value says that the data cannot tell, and nothing else before a break."""
    stream = _stream(value)
    start = next((i for i, token in enumerate(stream) if token.text not in WORDS["subjects"]), 0)
    end, meanings = longest(vocabulary()["cannot"], stream, start)
    return bool(meanings) and (
        end == len(stream)
        or stream[end].text in (*BREAKS, "from", "by", "with", "in", "aus", "to", "for", "here", "on")
    )


def read_direction(
    value: str, sides: Sequence[Sequence[str]] = ((), ()), names: Sequence[str] = ()
) -> Reading:
    """A direction, in the frame of the contrast.

    Args:
        value: what stands behind the label.
        sides: names of the numerator, names of the denominator. "Higher in the denominator" is DOWN.
        names: what may be named beside it: the feature, the tissue.
    """
    stream = _stream(OPTION.sub("", value))
    known = _known((*map(tuple, sides),), tuple(names))
    labels: list[str] = []
    place, turned = 0, False
    while place < len(stream):
        end, meanings = longest(vocabulary()["direction"], stream, place)
        named, found = longest(known, stream, place)
        if found and named >= end:
            if labels and found[0][0] == "side" and found[0][1] == 1 and not turned:
                turned = _flips(stream, place)
                if turned:
                    labels[-1] = {"UP": "DOWN", "DOWN": "UP"}.get(labels[-1], labels[-1])
            turned = turned or found[0][0] == "side"
            place = named
        elif meanings:
            label = str(meanings[0][1])
            # "Not up" leaves several; "not up but down" says which.
            if label not in labels and not (place and stream[place - 1].text in WORDS["denies"]):
                labels.append(label)
            place = end
        elif stream[place].text in BREAKS and labels:
            told = read_direction(_tail(value, stream, place), sides, names)
            return Reading(tuple(dict.fromkeys((*labels, *(() if told.problem else told.candidates)))))
        elif stream[place].kind == "p" or stream[place].text in BESIDE:
            place += 1
        else:
            return Reading((), f"{stream[place].text!r} is no direction: {value!r:.60}")
    return Reading(tuple(labels), "" if labels else f"no direction in {value!r:.60}")


@functools.lru_cache(maxsize=1024)
def _known(sides: tuple[tuple[str, ...], ...], names: tuple[str, ...]) -> Trie:
    """What may be named beside a direction; the same for all answers to a question."""
    known: Trie = {}
    for role, phrases in enumerate(sides):
        for phrase in phrases:
            add(known, words(phrase), "side", role)
    for name in names:
        add(known, words(name), "name", name)
    return known


def _flips(stream: Sequence[Token], place: int) -> bool:
    """Whether the side that begins here is where it is higher, not what it is compared with."""
    before = [t.text for t in stream[max(0, place - 4) : place] if t.text not in ("the", "a", "to", "with")]
    return bool(before) and before[-1] in LINKS


def _tail(value: str, stream: Sequence[Token], place: int) -> str:
    """What follows a break, past the words that take back or explain: of "UP, i.e. lower" the "lower"."""
    texts = [*(token.text for token in stream), ""]
    while texts[place] in BREAKS | JOINS | WORDS["turns"] or (
        texts[place] == "no" and texts[place + 1] in BREAKS
    ):
        place += 1
    return clean(value).text[stream[place].start :] if place < len(stream) else ""


def read_yes_no(value: str) -> Reading:
    """Yes or no, perhaps with a reason behind it."""
    stream = _stream(value)
    labels: list[str] = []
    place = 0
    while place < len(stream):
        end, meanings = longest(vocabulary()["yes_no"], stream, place)
        if meanings:
            label = str(meanings[0][1])
            labels += [label] if label not in labels else []
            place = end
        elif stream[place].text in JOINS and not (labels and stream[place].text == ","):
            place += 1
        elif labels and (stream[place].text in BREAKS or stream[place].kind == "p"):
            # "Yes (no)" says both; of "no, no gene does" the second is a determiner.
            rest = _stream(_tail(value, stream, place))
            end, meanings = longest(vocabulary()["yes_no"], rest, 0)
            alone = bool(meanings) and (end == len(rest) or rest[end].kind == "p")
            labels += [str(m) for _, m in meanings or () if alone and m not in labels]
            break
        else:
            return Reading((), f"neither yes nor no: {value!r:.60}")
    return Reading(tuple(labels), "" if labels else f"neither yes nor no: {value!r:.60}")


def read_figure(value: str) -> Reading:
    """A figure with its unit. Parts behind a comma, "or" or a semicolon that are figures alone are rivals."""
    label, rest = labelled(value)
    value = rest if re.search(r"\d|[:=]\s*$", label) else value  # "log2FC = 3.2", "IC50: 14 nM"
    for form, plain in SPELLINGS:
        value = re.sub(form, plain, value)
    found: list[Figure] = []
    for number, part in enumerate(RIVALS.split(ASIDE.sub("", value))):
        figure, problem = _figure(part, alone=number > 0)
        if figure is not None:
            found += [figure] if all(figure.value != other.value for other in found) else []
        elif number == 0:
            return Reading((), f"{problem}: {part.strip().lower()!r:.60}")
    return Reading(tuple(found), "")


def numbers_of(stream: Stream) -> list[Mention]:
    """The numbers among tokens, in figures or in words."""
    return [m for m in scan(stream, NO_WORDS) if m.kind == "num"]


def _figure(part: str, alone: bool) -> tuple[Figure | None, str]:
    """One part; with ``alone``, only a figure that nothing but a unit follows; or what is wrong."""
    stream = stream_of(part)
    texts, rough = stream.texts, stream.texts[:1] != [] and stream.texts[0] in APPROXIMATELY
    first = texts[rough : rough + 1]
    if (first and first[0] in WORDS["nought"]) or (
        texts[:1] == ["no"] and any(token.kind == "w" for token in stream[1:])
    ):
        return Figure(0.0, "", rough), ""  # "no DEGs"; a bare "no" counts nothing
    numbers = numbers_of(stream)
    if not numbers:
        return None, "no figure"
    one, number = numbers[0], numbers[0].value
    before, after = texts[rough : one.first], texts[one.last :]
    if (alone and before) or len(before) > MOST or any(c.isdigit() for word in before for c in word):
        return None, "no figure"
    if number.low is not None or number.high is not None or before[-1:] == ["not"]:
        both = number.low is not None and number.high is not None
        return None, "a range, no figure" if both else "a bound, no figure"
    if numbers[1:]:
        if numbers[1].first == one.last + 1 and after[0] in RANGES:
            return None, "a range, no figure"
        if not alone and EVIDENCE.isdisjoint(texts[one.last : numbers[1].first]):
            return None, "more than one figure"
    if alone and sum(token.kind == "w" for token in stream[one.last :]) > 1:
        return None, "no figure"
    unit = {"percent": "%", "ratio": "fold"}.get(number.unit, "")
    told = None if unit else unit_at(part, *stream.span(one.first, one.last))
    digits = 0 if number.scaled else number.digits
    return Figure(number.value, told[0] if told else unit, rough, number.decimals, digits), ""


def read_names(value: str, known: Callable[[str], Any]) -> Reading:
    """Names as written. ``known`` turns a text into what it names, or None; a list is read part by part."""
    text = value.strip().rstrip(".")
    if known(text) is not None:
        return Reading((known(text),))
    text = OPTION.sub("", re.sub(r"\s*[(\[][^()\[\]]*[)\]]", "", text).strip())
    if known(text) is not None:
        return Reading((known(text),))
    head = REASONS.split(text, maxsplit=1)[0]
    if known(head) is not None:
        return Reading((known(head),))
    parts = [part for part in LISTED.split(head) if part]
    named = [known(part) if known(part) is not None else part.lower() for part in parts]
    return Reading(tuple(dict.fromkeys(named)), "" if named else f"no name in {value!r:.60}")
