"""Where the answer block stands. The last one counts, in whatever dress it comes:

    Answer: DOWN        **Final answer:** DOWN      ### Answer     | Answer | Confidence |
    Confidence: 80%     **Confidence:** 80 %        DOWN           | DOWN   | 80%        |

    <answer>DOWN</answer><confidence>0.8</confidence>   {"answer": "DOWN", "confidence": 0.8}   \\boxed{DOWN}

Labels are known in English, German, French, Spanish and Chinese. One linear pass for each dress.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from biorlhf_plugins.language.block.markup import undressed
from biorlhf_plugins.language.visible import without_thoughts

ANSWER = (
    r"answer|ans\b|verdict|antwort|réponse|reponse|respuesta|risposta|resposta|"
    r"答案|回答|答え|解答|答(?=[:：])"
)
CONFIDENCE = (
    r"confidence|certainty|probability|likelihood|conf\b\.?|konfidenz|sicherheit|zuversicht|gewissheit|"
    r"confiance|certitude|confianza|confidenza|confiança|vertrauen|certeza|置信度|信心|確信度|信頼度|自信度"
)
_MARK = r"(?:[^\w\n]|_)"
_DRESS = rf"{_MARK}{{0,24}}(?:(?:\d{{1,2}}|[a-h])[.)]{_MARK}{{0,8}})?"
_COLON = (
    r"[*_`\"'\])} \t.]{0,12}(?:[:：=]{1,2}>?|<?->|<-|→|(?<=[\])])(?=[ \t]*[\w$])|[ \t][–—-](?=[ \t])"
    r"|(?:is|are|lautet|ist|est|es|è|é)\b[ \t]?[:：]?|[为為是は][:：]?"
    rf"|[ \t]*[|\t&](?!\W*(?:{CONFIDENCE})))"
    r"[*_`\"'\[ \t]{0,40}"
)
_NAMED = re.compile(rf"(?P<answer>{ANSWER})|(?P<sure>{CONFIDENCE})", re.IGNORECASE)
_OPENINGS = tuple(dict.fromkeys(re.findall(r"(?:^|\|)(\w{1,4})", f"{ANSWER}|{CONFIDENCE}")))
"""How labels begin: looked for first, in a twentieth of the time that the pattern takes."""
_CJK = r"(?:[\u3040-\u30ff\u4e00-\u9fff,]{1,10}[ \t]*)?"
_ADJECTIVE = (
    r"final|short|overall|direct|best|revised|corrected|updated|model|endgültige|abschließende|kurze|finale|"
    r"definitive|définitive|definitiva|courte|corta|breve"
)
_BEFORE_ANSWER = re.compile(
    rf"(?:^|[.!?:;)\]。！]\s|>){_DRESS}(?:(?:assistant|model)[ \t]?:[ \t]*)?"
    r"(?:(?:my|the|your|our|here(?: i|')s|based on (?:this|that)|so|thus|therefore|hence|"
    r"meine?|die|ma|la|mi|1|2)[, \t]+){0,3}"
    rf"(?:(?:{_ADJECTIVE})[ \t]*)?{_CJK}\Z",
    re.IGNORECASE,
)
_AFTER_ANSWER = re.compile(
    rf"(?:[ \t]+(?:{_ADJECTIVE})|[ \t]?#?\d\b|[ \t]?\([^)\n]{{0,20}}\)"
    r"|[ \t]to[ \t](?:the|your|this)[ \t]question)?"
    rf"(?:{_COLON}(?P<value>[^\n]{{0,600}})|[*_`:： \t]{{0,6}}(?P<bare>$))",
    re.IGNORECASE | re.MULTILINE,
)
_BEFORE_SURE = re.compile(
    rf"(?:^|[.!?;,(\[|。！；，}}>\d]\s?|\s(?:with\s)?){_DRESS}"
    rf"(?:(?:my|the|a|overall|stated|estimated|meine|ma|mi|la|final|(?:level|degree)[ \t]of)[ \t]+){{0,2}}"
    rf"{_CJK}\Z",
    re.IGNORECASE,
)
_AFTER_SURE = re.compile(
    r"(?:[ \t]?(?:level|score|rating|estimate|value|percentage|#\d"
    r"|in (?:(?:this|that|it|the|my)(?: \w+)?|answer)|(?:that|of)\b[^\n:]{0,40}\b(?:correct|right)))?"
    r"(?:[ \t]?\([^)\n]{0,20}\))?"
    rf"(?:{_COLON}|[*_` \t]{{0,6}}\n{{1,3}}[ \t>*_`-]{{0,8}}"
    r"|[ \t]+(?:of[ \t]+)?(?=\d|(?:high|medium|low|moderate|about)\b|\$"
    r"|(?:[a-z]+[- ]){1,3}(?:per ?cent|out of)))"
    r"(?P<value>[^\n]{0,200})",
    re.IGNORECASE,
)
_BESIDE = re.compile(
    r"[\s,;(\[|./\"'–—-]*(?:\b(?:with|at|my|a|the|i|i'm|am|about|state|overall)\s+)*"
    r"(?:[(\[]?\s*(?<![\d.,])(?P<n>\d[\d.]*\s?(?:%|percent\b)|0?\.\d+|(?<=[(\[])\d+)\s+)?"
    rf"(?:(?:{CONFIDENCE})\b(?!\s+(?:interval|limit|band))|(?<=[%t\d]\s)(?:sure|certain|confident)\b)|\s*</\w",
    re.IGNORECASE,
)
"""A value's own confidence, with what leads to it: "(confidence: high)", "with 80% confidence"."""
_TAG = re.compile(
    rf"<(?P<tag>{ANSWER}|final_answer)(?:\s[^<>\n]{{0,80}})?>(?P<value>.{{0,2000}}?)</(?P=tag)>",
    re.IGNORECASE | re.DOTALL,
)
_SURE_TAG = re.compile(
    rf"<(?P<tag>{CONFIDENCE})(?:\s[^<>\n]{{0,80}})?>(?P<value>.{{0,200}}?)</(?P=tag)>",
    re.IGNORECASE | re.DOTALL,
)
_KEY = re.compile(rf"[\"'](?:final[_ ]?)?(?:{ANSWER})[\"']\s*:", re.IGNORECASE)
_LABEL = re.compile(rf"(?:final[_ ]?)?(?:{ANSWER})")
_BOX = re.compile(r"\\boxed\s*\{")
_ROW = re.compile(r"^[^\n|\t]*[|\t].*$", re.MULTILINE)
_RULE = re.compile(r"^[\s|:+-]+$")
REACH = 2000
"""Characters in which a JSON object, a boxed answer or a list below a label must close."""

PREFIX = 60
"""Characters before a label on its line that are looked at: its dress, and where a sentence ends."""

POINTS = ("", "as follows", "below", "the following", "this")
"""Behind a label these say that the answer is on the next line."""

LAST = 8
"""Of each dress so many are looked at, from the end."""

TAIL = 12_000
"""Characters at the end of a text in which the last block is looked for."""


class Block(NamedTuple):
    """The last answer block: its value as written, and every confidence that belongs to it.

    ``span`` is [start, end) of the value in the original text.
    """

    value: str
    span: tuple[int, int]
    confidences: tuple[tuple[str, tuple[int, int]], ...]


@functools.lru_cache(maxsize=64)
def find_block(text: str) -> Block | None:
    """The last answer block of a text; None where there is none. Text inside <think> is not looked at."""
    skipped = max(0, len(text) - TAIL)
    seen = undressed(without_thoughts(text)[skipped:])
    labels = [*_labels(seen)]
    objects = [*_objects(seen)]
    # A line inside an object is a part of it.
    lines = (b for b in _lines(seen, labels) if not any(o.span[0] <= b.span[0] < o.span[1] for o in objects))
    sure = [m.span("value") for kind, m in labels if kind == "sure"]
    boxed = (b for b in _boxed(seen) if not any(first <= b.span[0] < end for first, end in sure))
    found = [*lines, *_tags(seen), *boxed, *objects, *_tables(seen)]
    if not found:
        return None
    last = max(found, key=lambda block: block.span[0])
    if not last.confidences:
        before = max((b.span[1] for b in found if b.span[1] <= last.span[0]), default=0)
        last = last._replace(confidences=_confidences(seen, labels, last.span, before))
    return _moved(last, skipped) if skipped else last


def _moved(block: Block, by: int) -> Block:
    """A block of a text's end, at its place in the whole."""
    start, end = block.span
    sure = tuple((value, (first + by, last + by)) for value, (first, last) in block.confidences)
    return block._replace(span=(start + by, end + by), confidences=sure)


def _labels(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    """("answer" or "sure", what follows) of each label: a word of one, dressed as a label is."""
    lowered, places, done = text.replace("İ", "I").lower(), set(), 0
    for opening in _OPENINGS:
        at = lowered.find(opening)
        while at >= 0:
            places.add(at)
            at = lowered.find(opening, at + 1)
    for at in sorted(places):
        word = _NAMED.match(text, at) if at >= done else None
        if word is None:
            continue
        kind, done = str(word.lastgroup), word.end()
        start = word.start()
        line = text.rfind("\n", max(0, start - PREFIX), start) + 1
        before = text[max(line, start - PREFIX) : start]
        fits = (_BEFORE_ANSWER if kind == "answer" else _BEFORE_SURE).search(before)
        # A prefix that was cut begins nowhere: only a sentence's end in it can stand for a beginning.
        if fits is None or (fits.start() == 0 and fits[0][:1].isalnum() and line <= start - PREFIX):
            continue
        after = (_AFTER_ANSWER if kind == "answer" else _AFTER_SURE).match(text, word.end())
        if after is not None:
            yield kind, after


def _confidences(
    text: str, labels: Sequence[tuple[str, re.Match[str]]], span: tuple[int, int], before: int
) -> tuple[tuple[str, tuple[int, int]], ...]:
    """Those after the answer; where there are none, those between it and the block before."""
    inside = [_stated(text, m) for kind, m in labels if kind == "sure" and m.start() >= before]
    inside += [(m["value"], m.span("value")) for m in _SURE_TAG.finditer(text, before)]
    own = _BESIDE.finditer(text, span[0], (text.find("\n", span[1]) + 1 or len(text) + 1) - 1)
    inside += [(m["n"], m.span("n")) for m in own if m["n"]]
    after = [found for found in inside if found[1][0] >= span[0]]
    return tuple(after or inside)


def _stated(text: str, match: re.Match[str]) -> tuple[str, tuple[int, int]]:
    """What a label of confidence states: the rest of its line, or the next line where that is empty."""
    if match["value"].strip(" *_`-="):
        return match["value"], match.span("value")
    below = re.compile(r"\s*(?:```\w*\s+)?(\S[^\n]*)").match(text, match.end())
    return (below[1], below.span(1)) if below else ("", match.span("value"))


def _lines(text: str, labels: Sequence[tuple[str, re.Match[str]]]) -> Iterator[Block]:
    for _, match in [label for label in labels if label[0] == "answer"][-LAST:]:
        if match["bare"] is not None or match["value"].strip(" *_`|>.:") in POINTS:
            value, start, end = _below(text, match.end())
            yield Block(value, (start, end) if value else (match.end(), match.end()), ())
            continue
        start = match.start("value")
        value = _without_confidence(match["value"])
        end = start + len(value)
        if value.rstrip().endswith((";", ",")) and end == match.end("value"):
            more, _, end = _below(text, end)
            value = f"{value} {more}"
        yield Block(_bare(value), (start, end), ())


def _below(text: str, start: int) -> tuple[str, int, int]:
    """The lines under a label, up to an empty one or the confidence: (joined by ";", start, end)."""
    lines: list[str] = []
    place, first, end = start, start, start
    for line in text[start : start + REACH].split("\n")[:14]:
        stripped = _bare(re.sub(r"^[\s>]*(?:[*•·:–-]\s+)*", "", line))
        ends = lines and (not line.strip() or line.lstrip().startswith("#"))
        if ends or re.match(rf"[*_#\s>|`(-]*(?:{CONFIDENCE})\b", line, re.IGNORECASE):
            break
        if stripped.strip("-=~") and not line.strip().startswith("```"):
            if not lines:
                first = place
            lines.append(_bare(_without_confidence(stripped)))
            end = place + len(line)
        place += len(line) + 1
    return "; ".join(lines), first, min(end, len(text))


def _without_confidence(value: str) -> str:
    cut = _BESIDE.search(value)
    return value[: cut.start()] if cut and cut.start() > 0 else value


def _bare(value: str) -> str:
    """A value without the marks around it."""
    value = value.strip()
    while value and value[0] in "*_`\"'|<" and not value.startswith(("<=", "<0")):
        value = value[1:].lstrip()
    while value and (value[-1] in "*_`\"'|>$\\,;!" or _unopened(value)):
        value = value[:-1].rstrip()
    if len(value) > 1 and value[0] + value[-1] in ("()", "[]", "{}") and value.count(value[0]) == 1:
        value = value[1:-1]
    return value.strip("$ \t")


def _unopened(value: str) -> bool:
    """Does a value end with a bracket that was opened before it: "(Answer: UP)"?"""
    opening = {")": "(", "]": "[", "}": "{"}.get(value[-1], "")
    return bool(opening) and value.count(value[-1]) > value.count(opening)


def _tags(text: str) -> Iterator[Block]:
    for match in _TAG.finditer(text):
        yield Block(_bare(" ".join(match["value"].split())), match.span("value"), ())


def _boxed(text: str) -> Iterator[Block]:
    for match in [*_BOX.finditer(text)][-LAST:]:
        depth, end = 1, match.end()
        limit = min(len(text), end + REACH)
        while end < limit and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if not depth:
            yield Block(_bare(text[match.end() : end - 1]), (match.end(), end - 1), ())


def _objects(text: str) -> Iterator[Block]:
    for key in [*_KEY.finditer(text)][-LAST:] if "{" in text else ():
        start = text.rfind("{", max(0, key.start() - REACH), key.start())
        if start < 0:
            continue
        try:
            found, length = json.JSONDecoder().raw_decode(text[start : start + 2 * REACH])
        except (ValueError, RecursionError):
            continue  # broken JSON is no answer in JSON; its lines may still be one
        if isinstance(found, dict):
            fields = {str(k).lower(): v for k, v in found.items()}
            values = [_bare(_plain(v)) for k, v in fields.items() if _LABEL.fullmatch(k)]
            place = (key.start(), start + length)
            sure = tuple((_plain(v), place) for k, v in fields.items() if re.search(CONFIDENCE, k))
            if values:
                yield Block(values[0], (key.end(), start + length), sure)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{k}: {_plain(v)}" for k, v in value.items())
    if isinstance(value, list):
        return "; ".join(_plain(v) for v in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tables(text: str) -> Iterator[Block]:
    """A table with a column that is called Answer; a row that is called so is a line of its own."""
    if "|" not in text and "\t" not in text:
        return
    rows = [
        (m.start(), [cell.strip() for cell in re.split(r"[|\t]", m[0].strip().strip("|"))])
        for m in _ROW.finditer(text)
    ]
    for number, (_, cells) in enumerate(rows):
        labels = [_bare(cell).rstrip(":：").lower() for cell in cells]
        here = next((i for i, cell in enumerate(labels) if _LABEL.fullmatch(cell)), None)
        if here is None:
            continue
        below = [r for r in rows[number + 1 : number + 4] if not _RULE.match("|".join(r[1]))]
        below = [r for r in below if len(r[1]) == len(cells) and not re.match(CONFIDENCE, r[1][0], re.I)]
        ruled = number + 1 < len(rows) and _RULE.match("|".join(rows[number + 1][1]))
        if below and (ruled or any(re.fullmatch(CONFIDENCE, label) for label in labels)):
            start, row = below[0]
            place = (start, start + 1)
            sure = tuple(
                (_bare(row[i]), place) for i, label in enumerate(labels) if re.match(CONFIDENCE, label)
            )
            yield Block(_bare(row[here]), place, sure)
