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
from biorlhf_plugins.language.words.lexicon import Trie, add, longest, words
from biorlhf_plugins.language.words.text import Token, clean, stream_of
from biorlhf_plugins.language.words.units import unit_of

TABLES: Mapping[str, Any] = json.loads(Path(__file__).with_name("answers.json").read_text("utf-8"))
WORDS = {kind: frozenset(listed.split()) for kind, listed in TABLES["words"].items()}
"""Small words by what they do: "turns" take a first value back, or say it in other words; "denies" a
direction behind it, as in "rather than up"; "subjects" are what cannot be determined."""

BREAKS, JOINS, LINKS = WORDS["breaks"], WORDS["joins"], WORDS["links"]
BESIDE = LINKS.union(JOINS, *(WORDS[kind] for kind in ("against", "denies", "fillers", "instead")))
OPTION = re.compile(r"^\(?(?:[a-h]|\d)[.)]\s+(?=\S)", re.IGNORECASE)
NUMBER = re.compile(
    r"(?P<sign>[+-])?\s?(?P<digits>\d{1,3}(?:[,'\u00a0\u2009\u202f ]\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}|"
    r"\d+(?:\.\d+)?|\.\d+|\d+,\d{1,2}(?!\d))(?![\d]|[.,]\d)"
    r"(?:\s?(?:[×x*]|·|\\times|\\cdot)\s?10\s?\^?\s?\{?(?P<power>[+-]?\d{1,3})\}?|e(?P<exp>[+-]?\d{1,3}))?"
    r"\s?(?P<scale>k|million|thousand|bn|m)?(?![a-z0-9])",
    re.IGNORECASE,
)
SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9}
_RAISED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")
REASONS = re.compile(r"\s*(?:[:—]|\s[-–]\s|\.\s|,?\s+(?:because|since|with|based|weil|car)\b)")
LISTED = re.compile(r"\s*(?:[,;/|]|\bor\b|\band\b|\boder\b|\bund\b|\bou\b|\bet\b)\s*")
APPROXIMATELY = re.compile(
    r"^\s*(?:~|≈|about|around|approximately|approx\.?|roughly|circa|ca\.?|c\.|nearly|almost|some|etwa|rund|environ)\s*",
    re.IGNORECASE,
)


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
    text, unit = _plain(value), _unit(value)
    found: list[Figure] = []
    parts = re.split(r"\s*(?:;|\bor\b|\boder\b|\bou\b|/(?=\s*[+-]?\d+\s*$)|,(?!\d)|\s—\s)\s*", text)
    for number, part in enumerate(parts):
        figure, problem = _figure(part, alone=number > 0)
        if figure is not None:
            figure = figure._replace(unit=unit) if number == 0 else figure
            found += [figure] if all(figure.value != other.value for other in found) else []
        elif number == 0:
            return Reading((), problem)
    return Reading(tuple(found), "")


def _plain(value: str) -> str:
    """The value in one form: one minus, no LaTeX, no brackets behind the figure."""
    text = value.replace("\\,", "").replace("\\%", "%").replace("{,}", ",")
    text = re.sub(r"[⁺⁻⁰¹²³⁴-⁹]{2,}", lambda m: "^" + m[0].translate(_RAISED), text)
    text = clean(text.replace("$", "").replace("\\times", "×").replace("\\cdot", "×")).text
    text = re.sub(r"\^\{([^{}]*)\}", r"^\1", text)
    text = re.sub(r"(?<=\d)\s*[(\[](?!\s*(?:no|or|rather|actually)\b).*$", "", text, flags=re.DOTALL)
    return re.sub(r"[.\s]+$", "", re.sub(r"[*_]+", "", text)).strip()


def _unit(value: str) -> str:
    """The unit as it was written: case tells nM from nm."""
    found = re.search(
        r"\d[\d.,'}\s]*(?:(?:e|[×x]\s?10\s?\^?\{?)[+−⁻-]?[\d⁰¹²³⁴-⁹]+\}?\s*)?[-\s]?(%|°C|[A-Za-zµμÅ‰×]{1,12}(?:\s?/\s?[A-Za-zµμ]{1,12}){0,2})",
        value,
    )
    name = found[1] if found else ""
    if name.lower() in ("fold", "x", "×") or (name and unit_of(name)):
        return name.lower() if name.lower() in ("fold", "x") else name
    return "%" if re.match(r"per ?cent|prozent|pour", name, re.IGNORECASE) else ""


def _figure(part: str, alone: bool) -> tuple[Figure | None, str]:
    """One part; with ``alone``, only a figure that nothing but a unit follows."""
    problem = f"no figure: {part!r:.60}"
    rough = APPROXIMATELY.match(part)
    rest = part[rough.end() :] if rough else part
    first = rest.split(maxsplit=1)[0].strip(".,:") if rest.split() else ""
    if first in WORDS["nought"] or (
        first == "no" and len(rest.split()) > 1
    ):  # "no DEGs"; a bare "no" counts nothing
        return Figure(0.0, "", bool(rough)), ""
    match = NUMBER.search(rest)
    if match is None:
        return None, problem
    before, after = rest[: match.start()].strip(), rest[match.end() :].strip()
    if re.search(r"\d", before) or (alone and before) or len(before.split()) > 8:
        return None, problem
    if re.search(
        r"(?:^|\s)(?:not|less than|more than|under|over|at least|at most|below|above|[<>]=?)\s*$", before
    ):
        return None, f"a bound, no figure: {part!r:.60}"
    if re.match(r"(?:–|-|to|bis|and|à)\s*[+-]?\d", after):
        return None, f"a range, no figure: {part!r:.60}"
    # "67 of 20,000" is evidence; another bare number in the same part is not.
    if (
        re.search(r"\d", re.sub(r"^\D*\b(?:of|out of|von|sur|at|with|padj|p|fdr|q)\b.*$", "", after))
        and not alone
    ):
        after_words = re.sub(r"[a-zµμ²³]+\d+|\d+[a-z]+", "", after)
        if re.search(r"(?<![\w.])\d", after_words):
            return None, f"more than one figure: {part!r:.60}"
    if alone and len(after.split()) > 1:
        return None, problem
    digits = "" if match["scale"] else re.sub(r"\D", "", match["digits"]).lstrip("0")
    return Figure(_value(match), "", bool(rough), _decimals(match), len(digits)), ""


def _value(match: re.Match[str]) -> float:
    digits = match["digits"]
    if re.fullmatch(r"\d+,\d{1,2}", digits):
        digits = digits.replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(\.\d{3}){2,}", digits):
        digits = digits.replace(".", "")
    value = float(re.sub(r"[,'\s]", "", digits))
    power = match["power"] or match["exp"]
    value *= 10.0 ** max(-300, min(300, int(power))) if power else 1.0
    value *= SCALES.get((match["scale"] or "").lower(), 1.0) if not power else 1.0  # 2.3e-8 M is molar
    return -value if match["sign"] == "-" else value


def _decimals(match: re.Match[str]) -> int:
    """Decimals of the value as written out: six more for "e-6"."""
    digits = match["digits"].replace(",", ".")
    written = len(digits.rpartition(".")[2]) if re.search(r"[.]\d|,\d{1,2}$", match["digits"]) else 0
    return written - int(match["power"] or match["exp"] or 0)


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
