"""What of a text a reader sees, each character where it was: what is hidden, thought, or said in another turn
is blanked, and figures written in other ways are brought to one."""

from __future__ import annotations

import functools
import html
import re

HIDDEN = re.compile(r"</?[A-Za-z][^<>\n]{0,60}>|~~[^~\n]{1,200}~~")
OPENS_THOUGHT = re.compile(r"<think(?:ing)?>")
LABEL = re.compile(r"<(/)?(answer|final_answer|confidence|certainty|probability)>", re.I)
TURN = re.compile(
    r"\b(?:(?P<role>user|instruction)|question|q)(?: ?\d{1,2})?\b[*_ \t]{0,4}(?P<mark>:|(?=\n))",
    re.IGNORECASE,
)
"""What begins a turn that is not the answer's, at the start of a line: another question, another speaker.
Without a colon it has to be a heading."""
MARKS = ("uestion", "Q", "nstruction", "ser:")
"""One of them is in every text with such a turn: looked for first, in a fiftieth of the pattern's time."""
DRESS = re.compile(r"\n[^\w\n]{0,8}(?:(?:next|new|another) )?\Z", re.IGNORECASE)
LEADS = 18
"""Characters that stand before it on its line: "### Next ", "**"."""
ASKS = 300
"""Characters of a further question that are looked at."""
NAME = re.compile(r"\w*(?:[A-Z]\w*[A-Z\d]|\d)\w*")
STATED = re.compile(r"\b(?:answer|confidence)\b[*_ ]{0,3}[:=]", re.IGNORECASE)
"""Behind a stated answer one word that the prompt lacks makes a question another one; else two, or a name."""
ENTITY = re.compile(r"&(?:#\d{2,5}|[a-zA-Z]{2,8});")
UNTICKED = re.compile(r"^[ \t]*(?:[-*+][ \t]+)?(?:\[[ \t]?\]|☐)[^\n]*", re.MULTILINE)
TICKED = re.compile(r"(?:[-*+][ \t]+)?(?:\[[xX]\]|☑|☒)")
"""Boxes of a form: what is not ticked is not said."""
TICKS = ("[x]", "[X]", "☑", "☒")
WORD = 12
"""Characters before a dash that say whether it is a minus."""
ABBREVIATED = re.compile(r"\.(?<=\b[A-Z]\.)(?= ?[a-z]{4})")
"""The genus of "F. prausnitzii", whose point ends no sentence."""

OPEN_MARKS = frozenset('"“«')
WHOLE = re.compile(r"""\A\s*(?:"[^"]*"|“[^“”]*”|«[^«»]*»)\s*\Z""")
"""All of a text in quotation marks, which quote nobody."""
CITED = re.compile(r"\A(?:[ \t]*(?:>(?:[ \t][^\n]*)?)?(?:\n|\Z))+\Z")
"""Each line behind the mark of a citation: the answer is shown so."""
ROLE = re.compile(
    r"\A\s*[*#]{0,4} ?(?:a|response|assistant|output|reply)[*]{0,2}: ?[*]{0,2}"
    r"(?= *(?:[^\s|]+ +){5})",
    re.IGNORECASE,
)
"""A label in front of all that a text says, where that is a sentence."""
LEAD_IN = re.compile(
    r"(?:\A|(?<=[.!?]\s)|(?<=\n))(?:based on|according to|judging (?:from|by)|looking at|from|in) "
    r"(?:(?:the|these|this|our|your|my) )?(?:\w+ ){0,2}?"
    r"(?:data|dataset|table|results?|analysis|information|numbers)"
    r"(?: +(?:provided|given|above|shown))? *, (?=\w)"
    r"|\A(?:overall|in short|in summary|in brief|clearly), (?=\w)",
    re.IGNORECASE,
)
"""What leads to a sentence and adds nothing: "Based on the table, no gene …"."""
BOLD = re.compile(r"\*\*([-−+<>~]?\d[\d.,]*)\*\*( ?(?:%|[A-Za-zµ°]{1,9}\b))")
"""A figure in bold before its unit."""
REFERENCE = re.compile(
    r" ?\((?:see |cf\.? )?(?:supplementary |suppl\. )?(?:table|fig\.?|figure|ref\.?) ?S?\d{1,2}[a-z]?\)"
    r"|(?<=\btable)(?: S?\d{1,2})(?=[ ,.])|(?<=\bfigure)(?: S?\d{1,2}[a-z]?)(?=[ ,.])",
    re.IGNORECASE,
)
"""Where something is shown: "(see Table 2)", the number of "According to Table 2"."""
CODE = re.compile(
    r"^[^\n]*(?:<-(?= ?[A-Za-z])|%>%|\|>|\b(?:library|require|print|install\.packages)\()[^\n]*$"
    r"|^import \w[^\n]*$",
    re.M,
)
"""Lines of a program, which state nothing; "log2FC <-1.5" is none."""
CITES = re.compile(r"^[ \t]*>", re.MULTILINE)

# "|log2FC| > 1" is no row of a table.
ABSOLUTE = re.compile(r"^[^|\n]*(?:(?<!\w)\|\w[^|\n]{0,20}(?<=\w)\|(?!\w)[^|\n]*)+$", re.M)
CELLS = {
    mark: re.compile(
        rf"(?:\A|(?<=\n\n)|(?<=:\n)|(?<=csv\n))[a-z_]{cell}(?:{mark}[a-z_]{cell})+\n"
        rf"(?:{cell}(?:{mark}{cell})+(?:\n|\Z))+(?=\s|\Z|```)",
        re.IGNORECASE,
    )
    for mark, cell in ((",", r"[^|\s,]*"), ("\t", r"[^|\n\t]*"))
}
"""Lines by themselves with cells that such a mark parts, as many in each: the first has no figure."""
SIGNED = re.compile(r"(= )([-−+]) (?=\.?\d)")
"""A sign apart from its figure."""
TIGHT = re.compile(r"(?:\A|(?<![\d%])\s|[^\d%]\s\s|[=(\[:≈~|<>])\Z")
"""What an en dash that is a minus stands behind, its figure directly after it: "NES –2.02", not "6 –7"."""
APART = re.compile(r"[=:≈(]\s?\Z")
"""And with a space before its figure: "= – 2.5"."""
# "log2(FC)", "\\log_2 \\mathrm{FC}": the quantity's name with brackets and LaTeX about it.
LOGARITHM = re.compile(
    r"[Ll]og(?:_?\{? {0,5}(?P<base>2|₂|10)\}?)?[ \\,]{0,8}(?:[({ ]|\\(?:text|mathrm|rm|operatorname)\b){0,4}"
    r"(?P<of>(?i:FC|fold[- ]?change|ratio))\b(?: ?[)}]){0,3}"
)

COLUMN = re.compile(r"\b(?:(?P<raw>P\.Value|p_val)|p_val_adj|adj\.P\.Val|p\.adjust|FDR[. ]q[.-]val(?:ue)?)\b")
"""Headers of limma, Seurat, clusterProfiler and GSEA for a p value, raw or adjusted."""
COLUMNS = ("p_val", ".Val", "p.adj", "q-val", "q.val")


def in_plain_forms(visible: str) -> str:
    """Without marks that mean other things elsewhere: "F. prausnitzii", "|log2FC|", "log2(FC)", "= –2.5"."""
    visible = ABBREVIATED.sub(" ", visible)
    for mark, cells in CELLS.items():
        if mark in visible and "\n" in visible:
            visible = cells.sub(functools.partial(_table, mark), visible)
    if "|" in visible:
        visible = ABSOLUTE.sub(lambda line: line[0].replace("|", " "), visible)
    visible = visible.replace("TL;DR", "In: sum")
    if "log" in visible or "Log" in visible:
        visible = LOGARITHM.sub(_logarithm, visible)
    if any(mark in visible for mark in COLUMNS):
        visible = COLUMN.sub(lambda m: ("p" if m["raw"] else "padj").ljust(len(m[0])), visible)
    if "= " in visible:
        visible = SIGNED.sub(r"\1 \2", visible)
    if "arrow" in visible:
        visible = visible.replace("\\uparrow", "      ↑ ").replace("\\downarrow", "        ↓ ")
    return _minuses(visible.replace("10**", "10^ "))


def _table(mark: str, match: re.Match[str]) -> str:
    counts = {line.count(mark) for line in match[0].splitlines()}
    return match[0].replace(mark, "|") if len(counts) == 1 else match[0]


def _logarithm(match: re.Match[str]) -> str:
    plain = f"log{match['base'] or ''} {match['of']}"
    return plain.ljust(len(match[0])) if len(plain) <= len(match[0]) else match[0]


def _minuses(text: str) -> str:
    """The same with a hyphen for each en dash that is a minus, directly before its figure."""
    if "–" not in text:
        return text
    chars = [*text]
    for at in (i for i, char in enumerate(text) if char == "–"):
        sign = at + text.startswith(" ", at + 1)
        figure = text[sign + 1 : sign + 2]
        before = text[:at] if at < WORD else f"x{text[at - WORD : at]}"
        if (figure == "." or figure.isdigit()) and (TIGHT if sign == at else APART).search(before):
            chars[at], chars[sign] = " ", "-"
    return "".join(chars)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _character(match: re.Match[str]) -> str:
    """What an HTML entity stands for; a sign directly before what follows."""
    char, size = html.unescape(match[0]), len(match[0])
    if len(char) != 1:
        return match[0]
    return char.rjust(size) if char in "<>−–-+" else char.ljust(size)


def visible_text(text: str) -> str:
    """What a reader sees, at the same offsets: the hidden is blanked."""
    text = _blank_comments(without_thoughts(text))
    if "\r" in text:
        text = text.replace("\r\n", " \n")
    if ":" in text[:20]:
        text = ROLE.sub(_blank, text)
    if "**" in text:
        text = BOLD.sub(r"  \1\2  ", text)
    if "```" in text:
        text = CODE.sub(_blank, text)
    if "able" in text or "ig" in text:
        text = REFERENCE.sub(_blank, text)
    if ", " in text:
        text = LEAD_IN.sub(_blank, text)
    if text[:1] == ">" and CITED.match(text):
        text = CITES.sub(_blank, text)
    if text[:1] in OPEN_MARKS and WHOLE.match(text):
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        text = f"{text[:start]} {text[start + 1 : end - 1]} {text[end:]}"
    if "&" in text:
        text = ENTITY.sub(_character, text)
    if any(tick in text for tick in TICKS):
        text = TICKED.sub(_blank, UNTICKED.sub(_blank, text))
    return HIDDEN.sub(_blanks, text) if "<" in text or "~~" in text else text


def without_thoughts(text: str) -> str:
    """Without all up to the last </think>, and without a thought that is opened after it and never closed."""
    if "think" not in text:
        return text
    lowered = text.lower()
    closed = lowered.rfind("</think")
    done = lowered.find(">", closed) + 1 if closed >= 0 else 0
    opened = OPENS_THOUGHT.search(lowered, done)
    end = opened.start() if opened else len(text)
    return " " * done + text[done:end] + " " * (len(text) - end)


def _blank_comments(text: str) -> str:
    pieces: list[str] = []
    done, opened = 0, text.find("<!--")
    while opened >= 0:
        closed = text.find("-->", opened + 4)
        if closed < 0:
            break
        pieces += (text[done:opened], " " * (closed + 3 - opened))
        done = closed + 3
        opened = text.find("<!--", done)
    return "".join(pieces) + text[done:] if pieces else text


def _blanks(match: re.Match[str]) -> str:
    """Spaces; a tag that names what it holds, as in <confidence>0.9</confidence>, stays as a label."""
    label = LABEL.fullmatch(match[0])
    if label is None:
        return " " * len(match[0])
    mark = "\n" if label[1] else f"{label[2]}:".replace("_", " ")
    return mark.ljust(len(match[0]))


def without_turns(text: str, prompt: str) -> str:
    """Without what follows an answer that goes on as another question, or as somebody else."""
    if "\n" not in text or not any(mark in text for mark in MARKS):
        return text
    opens, stated = len(text) - len(text.lstrip()), STATED.search(text)
    for turn in TURN.finditer(text):
        start = turn.start()
        dress = DRESS.search(text, max(0, start - LEADS), start)
        if dress is None or not (turn["mark"] or "#" in dress[0]):
            continue
        if start <= opens + LEADS and not text[: dress.start()].strip():
            continue
        asked = text[turn.end() : turn.end() + ASKS].strip().partition("\n")[0]
        if turn["role"] or _another(asked, prompt, stated is not None and stated.start() < start):
            return text[:start] + " " * (len(text) - start)
    return text


def _another(asked: str, prompt: str, stated: bool) -> bool:
    """Is a question another one than the prompt?"""
    known = set(re.findall(r"\w+", prompt.lower()))
    new = [word for word in re.findall(r"\w+", asked) if word.lower() not in known]
    return len(new) > 1 or any(stated or NAME.fullmatch(word) or word[0].isupper() for word in new)
