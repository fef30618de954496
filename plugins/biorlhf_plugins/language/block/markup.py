"""Markup that dresses a block, taken off: HTML, LaTeX, full-width forms, ornaments. Every place stays where
it was, so that spans of what is left are those of the text."""

from __future__ import annotations

import functools
import re
import unicodedata

from biorlhf_plugins.language.words.text import SIGNS

LINES = "p|div|br|li|ul|ol|pre|table|thead|tbody|tr|dl|dt|dd|h[1-6]|hr|blockquote|section"
_TAG = re.compile(
    rf"</?(?:(?P<line>{LINES})|(?P<cell>td|th)|b|i|u|s|em|strong|span|code|font|small|mark|center)(?:\s[^<>\n]{{0,80}})?/?>"
    r"|\[/?(?:b|i|u|x|code|quote)\](?!\()|\[/\w{1,20}\]|<\|\w{1,20}\|>|<!--.{0,2000}?-->",
    re.IGNORECASE,
)
_LATEX = re.compile(r"(\\(?:text(?:bf|it|sf|tt|rm)?|math(?:rm|bf)|emph|underline)\s*\{)([^{}\n]{0,200})\}")
NESTED = 2
"""Of LaTeX in LaTeX, "\\textbf{\\text{UP}}", so many are taken off."""
_COMMAND = re.compile(
    r"\\(?:(?=%)|approx|sim|n(?=[A-Z*#-])|item|noindent|par|quad|"
    r"begin\{\w+\}|end\{\w+\}|\\(?=[ \t]*(?:\n|\Z)))"
)
_ENTITY = re.compile(r"&(?P<name>nbsp|gt|lt|amp|quot|#\d{2,5});")
_ENTITIES = {"gt": ">", "lt": "<", "amp": "&", "quot": '"'}
_BORDER = re.compile(r"^([ \t]*)\+(?=[-=+]{3,}[ \t]*$)", re.MULTILINE)
_FORMS = str.maketrans("【［「『〔《（】］」』〕》）“”„«»∶⇒║│", '      (::::::)""""":→||')
"""East Asian brackets stand around a label in place of a colon behind it."""


def undressed(text: str) -> str:
    """The text, as long as it was, with its markup blanked: what breaks a line becomes a line's end."""
    if not text.isascii():
        text = "".join(map(_form, text.translate(_FORMS)))
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    if "<" in text or "[" in text:
        text = _TAG.sub(_blank, text)
    if "\\" in text:
        for _ in range(NESTED):
            text = _LATEX.sub(lambda m: f"{' ' * len(m[1])}{m[2]} ", text)
        text = _COMMAND.sub(lambda m: " " * len(m[0]), text)
    return _BORDER.sub(r"\1|", text) if "+" in text else text


def _character(match: re.Match[str]) -> str:
    """What an entity stands for; "<" directly before the tag's name that it opens."""
    char, size = _ENTITIES.get(match["name"], " "), len(match[0])
    return char.rjust(size) if char == "<" else char.ljust(size)


def _blank(match: re.Match[str]) -> str:
    mark = "\n" if match["line"] else "|" if match["cell"] and match[0][1] != "/" else " "
    return mark.ljust(len(match[0]))


@functools.lru_cache(maxsize=4096)
def _form(char: str) -> str:
    """A full-width form as its plain one; a space for a picture, for what has no width, and for any space."""
    if "︐" <= char <= "～":
        return unicodedata.normalize("NFKC", char)[:1]
    category = unicodedata.category(char)
    ornament = category in ("So", "Cf", "Zs", "Mn") and char not in SIGNS and not unicodedata.combining(char)
    return " " if ornament else char
