"""From raw text to tokens that know where they came from. Linear in the text, never raises.

What a reader would not see (HTML comments, tags, struck-out words, a closed <think> block) is blanked;
the rest is brought to one form: NFKC, one minus sign, one kind of space, Greek letters by name,
Latin look-alikes inside Latin words, lower case. Every token keeps its span in the original text.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from biorlhf_plugins.language.visible import in_plain_forms, visible_text
from biorlhf_plugins.language.words.numbers import NUMBER, Number, parse_number

LIMIT = 12_000
"""Characters that are read: the first and the last half of this many of a longer text."""

GREEK = {
    "α": " alpha ", "β": " beta ", "γ": " gamma ", "δ": " delta ", "ε": " epsilon ", "κ": " kappa ",
    "λ": " lambda ", "μ": " mu ", "µ": " mu ", "σ": " sigma ", "τ": " tau ", "ω": " omega ", "Δ": " delta ",
}  # fmt: skip
SIGNS = {
    "−": "-", "‐": "-", "‑": "-", "⁃": "-", "﹣": "-", "－": "-", "–": "–", "—": "—", "―": "—",
    "×": "×", "✕": "×", "✖": "×", "⨯": "×", "·": " ", "•": "\n• ", "‣": "\n• ", "▪": "\n• ", "◦": "\n• ",
    "’": "'", "‘": "'", "ʼ": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "″": '"',
    "→": " → ", "⇒": " → ", "➜": " → ", "⟶": " → ", "↑": " ↑ ", "⬆": " ↑ ", "⇑": " ↑ ", "▲": " ↑ ",
    "↗": " ↑ ",
    "↓": " ↓ ", "⬇": " ↓ ", "⇓": " ↓ ", "▼": " ↓ ", "↘": " ↓ ", "≈": " ≈ ", "≃": " ≈ ", "∼": "~", "≅": " ≈ ",
    "≤": " <= ", "≥": " >= ", "≠": " != ", "÷": "/", "⁄": "/", "∕": "/", "…": "...", "。": ". ", "，": ", ",
    "、": ", ", "；": "; ", "：": ": ", "！": "! ", "？": "? ", "\u2028": "\n", "\u2029": "\n\n", "\r": "\n",
    "\x0b": "\n", "\x0c": "\n", "\x85": "\n",
}  # fmt: skip
LOOK_ALIKES = dict(
    zip(
        "аеорсухіјѕԁһԛԝкмтнвАВЕКМНОРСТХІЈЅУӏɡοαεινρτυχκ",
        "aeopcyxijsdhqwkmthbABEKMHOPCTXIJSYlgoaeivptuxk",
        strict=True,
    )
)
SPELLINGS = {
    "signalling": "signaling", "programme": "program", "programmes": "program", "oestrogen": "estrogen",
    "haem": "heme", "tumour": "tumor", "tumours": "tumor", "nontumour": "nontumor",
    "leukaemia": "leukemia", "anaemia": "anemia",
    "oedema": "edema", "oesophagus": "esophagus", "oesophageal": "esophageal", "foetal": "fetal",
    "haematopoiesis": "hematopoiesis", "haematopoietic": "hematopoietic", "ischaemia": "ischemia",
    "ischaemic": "ischemic", "hypoxaemia": "hypoxemia", "sulphate": "sulfate", "sulphur": "sulfur",
    "diarrhoea": "diarrhea", "coeliac": "celiac", "neutralised": "neutralized", "normalised": "normalized",
    "ageing": "aging", "grey": "gray", "fibre": "fiber", "fibres": "fiber", "centre": "center",
}  # fmt: skip
WHOLE_WORDS = (
    "does whereas perhaps always besides towards afterwards sometimes anyways its his hers ours yours"
)
WHOLE = frozenset(WHOLE_WORDS.split())
"""Words whose s is no ending. With them every word of a vocabulary is written as a reader writes it."""
PICTURES = "\u2600"
"""From here on symbols are pictures, which say nothing: "✅ Yes"."""
NON_ASCII = re.compile(r"[^\x09\x0a\x20-\x5f\x61-\x7e]")
# Last among the words come digits that are no figure: the 2 of "SET_2". Dropped, they would make it SET_8.
# First the commonest token, a word that a space or a plain mark follows: the rest reads it the same, later.
# The spaces behind a token are taken with it, or every alternative would be tried at each of them.
TOKEN = re.compile(
    r"(?:(?P<plain>[a-z]+(?=[ ,;:)!?\n]))"
    r"|(?=[iencavfr])(?:i\.e\.|e\.g\.|n\.s\.|a\.u\.|vs\.|adj\.|approx\.|avg\.|incl\.|resp\.|al\.|ca\.|cf\.|etc\.|fig\."
    r"|no\.(?=\s?\d))"
    rf"|(?=[\d.+\-])(?P<n>{NUMBER})"
    r"|(?P<w>(?:[a-z]+\d[a-z\d]*-(?:as|ot|dt|it)\d{0,2}|[a-z]{2,}-as\d)(?![\w-])"  # GATA3-AS1 is not GATA3
    r"|[a-z]{1,3}\d{0,2}(?:\.\d{1,2}(?!\d))+[a-z]?(?![a-z])"  # Nav1.7, BA.2
    r"|[^\W\d_]+(?:'[a-z]+)?(?:(?<=[a-z])(?:-(?=\d{1,3}(?![\d,.]\d|\d)))?\d+[a-z\d]*)?|\d+[a-z\d]*)"
    r"|\n|->|=>|<=|>=|!=|--+|\.\.\.|[^\s\w]) *"
)


PLAIN = frozenset(".,;:!?()[]\n")
"""Marks that are tokens as they stand, whatever is beside them."""


class Token(NamedTuple):
    """``text`` is the canonical form; ``kind`` is "w" word, "n" number, "p" punctuation."""

    text: str
    kind: str
    start: int
    end: int
    number: Number | None = None


class Clean(NamedTuple):
    """The lower-case text and, unless it is the identity, the original offset of each character."""

    text: str
    offsets: list[int] | None
    length: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A span of this text, in the original."""
        if self.offsets is None:
            return start, end
        if start >= len(self.offsets):
            return self.length, self.length
        return self.offsets[start], max(self.offsets[start], self.offsets[max(start, end - 1)]) + 1


NOTHING = Clean("", None, 0)


class Stream(list[Token]):
    """A text's tokens, once and for all; ``texts`` are theirs by place, ``vocabulary`` all that occur.

    ``naming`` holds the texts of those that name something, "" in the place of the others, once it is read.
    ``clean`` and ``source`` are the text that they stand in and the original, where they were kept.
    """

    __slots__ = ("clean", "naming", "source", "texts", "vocabulary")

    def __init__(self, found: Iterable[Token] = (), clean: Clean = NOTHING, source: str = "") -> None:
        super().__init__(found)
        self.texts = [token.text for token in self]
        self.vocabulary = frozenset(self.texts)
        self.naming: list[str] = []
        self.clean, self.source = clean, source

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Where tokens [first, last) stand in the original."""
        start, end = self[first].start, self[last - 1].end
        return (start, end) if self.clean.offsets is None else self.clean.span(start, end)

    def written(self, first: int, last: int) -> str:
        """Tokens [first, last) as the original has them."""
        return self.source[slice(*self.span(first, last))]


def clean(text: str) -> Clean:
    """Bring a text to one form. Characters that become several keep one origin."""
    visible = in_plain_forms(visible_text(text))
    if len(visible) <= LIMIT and not NON_ASCII.search(visible):
        return Clean(visible.lower(), None, len(text))
    pieces: list[str] = []
    offsets: list[int] = []
    for start, part in _head_and_tail(visible):
        latin = _latin_words(part)
        for index, char in enumerate(part):
            form = (
                char.lower() if char < "\x7f" and char >= " " and char != "`" else _form(char, index in latin)
            )
            if (
                char == "，"
                and part[index - 1 : index].isdecimal()
                and part[index + 1 : index + 2].isdecimal()
            ):
                form = ","
            pieces.append(form)
            offsets.extend([start + index] * len(form))
    return Clean("".join(pieces), offsets, len(text))


def _head_and_tail(text: str) -> list[tuple[int, str]]:
    if len(text) <= LIMIT:
        return [(0, text)]
    head_end = max(text.rfind(" ", LIMIT // 2 - 200, LIMIT // 2), LIMIT // 2 - 200)
    tail = text.find(" ", len(text) - LIMIT // 2, len(text) - LIMIT // 2 + 200)
    tail = tail if tail >= 0 else len(text) - LIMIT // 2
    return [(0, text[:head_end] + "\n"), (tail, text[tail:])]


def _latin_words(text: str) -> set[int]:
    """Positions of look-alike letters that stand inside a word with a Latin letter."""
    found: set[int] = set()
    if not any(char in LOOK_ALIKES for char in text):
        return found
    for word in re.finditer(r"[^\W_]+", text):
        alike = [i for i in range(word.start(), word.end()) if text[i] in LOOK_ALIKES]
        letters = word.end() - word.start()
        if alike and (letters - len(alike) > 0) and any("a" <= c.lower() <= "z" for c in word[0]):
            single_greek = len(alike) == 1 and text[alike[0]] in GREEK and word.end() - 1 == alike[0]
            found.update(() if single_greek else alike)
    return found


def _form(char: str, alike: bool) -> str:
    if alike:
        return LOOK_ALIKES[char].lower()
    return _plain(char)


@functools.lru_cache(maxsize=8192)
def _plain(char: str) -> str:
    if char in SIGNS:
        return SIGNS[char]
    if char in "\n\t":
        return char
    if char in GREEK:
        return GREEK[char]
    category = unicodedata.category(char)
    if category == "Cf":
        return ""
    if category[0] in "CZ" or (category == "So" and char >= PICTURES):
        return " "
    if "SUPER" in unicodedata.name(char, "") and unicodedata.digit(char, None) is not None:
        return f"^{unicodedata.digit(char)}"
    digit = unicodedata.decimal(char, None)
    if digit is not None:
        return str(digit)
    form = unicodedata.normalize("NFKC", char).lower()
    if form in GREEK:
        return GREEK[form]
    plain = "".join(c for c in unicodedata.normalize("NFD", form) if unicodedata.category(c) != "Mn")
    return "".join(SIGNS.get(c, c) for c in plain)


@functools.lru_cache(maxsize=65536)
def canonical(word: str) -> str:
    """One form for a word: no plural or third-person s, no hyphen, n't as "not", American spelling."""
    if "'" in word:
        if word.endswith("n't"):
            return "cannot" if word == "can't" else "not"
        word = word.split("'")[0]
    word = word.replace("-", "")
    word = SPELLINGS.get(word, word)
    if word in WHOLE:
        return word
    if word.endswith("ies") and len(word) > 5:
        return word[:-3] + "y"
    if len(word) > 5 and word.endswith(("shes", "ches", "sses", "xes", "zzes")):
        return word[:-2]
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "sui":
        return word[:-1]
    return word


def vocabulary(listed: str) -> frozenset[str]:
    """Words as a text's tokens spell them, for comparing with those."""
    return frozenset(canonical(word) for word in listed.lower().split())


def spoken(text: str) -> tuple[str, ...]:
    """The words and numbers of a text, without its marks."""
    return tuple(token.text for token in stream_of(text) if token.kind != "p")


def stream_of(text: str) -> Stream:
    """The tokens of a text as it was written, which they keep."""
    cleaned = clean(text)
    stream = tokens(cleaned.text)
    stream.clean, stream.source = cleaned, text
    return stream


def tokens(text: str) -> Stream:
    """Tokens of a clean text. Hyphens and underscores inside words only join and are dropped."""
    found: list[Token] = []
    add, new = found.append, tuple.__new__  # a NamedTuple's own constructor takes three times as long
    for match in TOKEN.finditer(text):
        group, start = match.lastgroup, match.start()
        if group == "plain" or group == "w":
            word = match[group]
            add(new(Token, (canonical(word), "w", start, start + len(word), None)))
            continue
        if group is not None:
            number = parse_number(match)
            add(new(Token, (number.word, "n", start, match.end(group), number)))
            continue
        mark = match[0].rstrip(" ")
        end = start + len(mark)
        if mark in PLAIN:
            add(new(Token, (mark, "p", start, end, None)))
        else:
            if mark in "-–" and text[start - 1 : start].isdigit() and text[end : end + 1].isdigit():
                found.append(Token("–", "p", start, end))
                continue
            if mark == "–" and text[start - 1 : start].isalpha() and text[end : end + 1].isalpha():
                continue  # "epithelial–mesenchymal"
            if mark in "-*_#\\^'{}$":
                spaced = text[start - 1 : start] in ("", " ", "\n") and text[end : end + 1] in ("", " ")
                if not (spaced and mark in "-*"):
                    continue
                mark = "×" if mark == "*" else "—"
                if mark == "—" and (not found or found[-1].text == "\n"):
                    mark = "•"
            elif mark.startswith("--") or mark == "–":
                mark = "—"
            elif mark in ("->", "=>"):
                mark = "→"
            elif mark == "..." or (len(mark) > 2 and mark[-1] == "."):
                mark = mark.replace(".", "") or "…"
            found.append(Token(mark, "w" if mark[0].isalpha() else "p", start, end))
    return Stream(found)
