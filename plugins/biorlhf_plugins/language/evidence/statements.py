"""A text against itself in words: two values or directions for one thing, a yes or no against its evidence,
the answer's line and the conclusion against what comes before them. Two statements are of one thing only
where they use the same words, apart from those that name nothing.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.comparisons import prompt_tokens
from biorlhf_plugins.language.evidence.ratios import NEVER
from biorlhf_plugins.language.evidence.records import FUNCTION, LABELS, Check, Evidence, Figure, content
from biorlhf_plugins.language.evidence.signs import directions, moves, threshold
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.words.evidence import words_of

AGAINST_REASONS = "the answer against its reasons"
NEUTRAL = words_of("neutral")
CONCLUDES = words_of("concludes")
OPPOSITE = {"UP": "DOWN", "DOWN": "UP"}
TOTALLED = frozenset(("total", "altogether"))
SUMS_UP = CONCLUDES | {"short", "summary", "sum"}
CONCLUDING = SUMS_UP | {"taken", "expected"}
ANOTHER = words_of("another")
PLACED = frozenset(("entity", "condition", "mission"))
PLACING = words_of("places") | {"after", "before", "by", "during", "using", "upon", "when", "if", "once"}
PLAIN = NEUTRAL | CONCLUDES | PLACING
UNVALUED = NEVER - {"effect", "hazard"}
TESTS = frozenset((
    "adjusted", "significance", "not", "p", "q", "fdr", "log", "rank", "test", "gave", "wilcoxon", "welch",
    "fisher", "exact", "mann", "whitney", "anova", "prespecified", "level", "threshold", "above", "below",
))  # fmt: skip
"""What may stand beside a p value without naming what it is of."""

CORRECTS = frozenset(("correction", "corrected", "sorry"))


def statements(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    yield from _two_values(found)
    yield from _yes_no(found)
    yield from _answer_line(found)
    yield from _conclusion(found)


def _two_values(found: Evidence) -> Iterator[Check]:
    if len(found.figures) < 2:
        return
    slots: dict[tuple[object, ...], Figure] = {}
    named = {f.first: f.words - NEUTRAL - TOTALLED for f in found.figures}
    times = Counter([(named[f.first], f.kind) for f in found.figures])
    if len(times) == len(found.figures):
        return
    heads = _headings(found)
    for number, own in found.by_part.items():
        part = found.parts[number]
        figures = [f for f in own if times[named[f.first], f.kind] > 1]
        if not figures or not found.asserted(part.first):
            continue
        here = enumerate(found.stream[part.first : part.last], part.first)
        numbers = [(i, text) for i, (text, _, _, _, number) in here if number is not None]
        for f in figures:
            words = named[f.first]
            if f.kind in UNVALUED or f.sign or f.kind == "ratio" or not words - {f.unit}:
                continue
            whole = not TOTALLED.isdisjoint(f.words)
            sums_up = not SUMS_UP.isdisjoint(found.stream.texts[part.first : part.first + 2])
            # "412 in total, 206 in each arm": of a total its parts say nothing, all before it where it is.
            lead = content(found.stream, part.first, f.first) - NEUTRAL - TOTALLED if whole else None
            others = [
                text
                for i, text in numbers
                if not (f.first <= i < f.last or (whole and i > f.last and found.stream.texts[i - 1] in ",("))
            ]
            cell = part.chunks[0] if part.kind == "row" else None  # whole: "A and B" is not B
            told = tuple(found.stream.texts[cell.first : cell.last] if cell else sorted(others))
            measure = found.unit(f) is not None
            first = slots.setdefault((words, f.kind, f.unit if measure else "", told, heads[number], lead), f)
            if (
                first is f
                or first.part == f.part
                or ("neg" in found.parts[first.part].inside) != ("neg" in part.inside)
                or len(words - {f.unit})
                < 1 + (part.kind == "prose" and f.kind == "count" and not (whole or sums_up))
                or (whole and _elsewhere(found, first, f))
                or not CORRECTS.isdisjoint(found.stream.texts[first.last : f.first])
                or _apart(found, first.part, f.part)
                or _apart(found, f.part, first.part)
            ):
                continue
            passed = abs(first.value - f.value) <= 0.01 * max(abs(first.value), abs(f.value))
            yield Check(
                "one value per slot", passed, f"{' '.join(sorted(words))}: {first.value:g}, {f.value:g}",
                (first.span, f.span), alone=passed,
            )  # fmt: skip


def _elsewhere(found: Evidence, one: Figure, other: Figure) -> bool:
    """Whether what stands between two totals turns to another thing: "The heart followed", "Donor 2 had"."""
    texts = found.stream.texts[one.last : other.first]
    named = any(
        a in LABELS - {"table", "figure"} and len(b) < 3 and b.isalnum() and b not in FUNCTION
        for a, b in itertools.pairwise(texts)
    )
    parts = found.parts[one.part + 1 : other.part]
    return named or not ANOTHER.isdisjoint(texts) or any(not PLACED.isdisjoint(p.inside) for p in parts)


def _apart(found: Evidence, one: int, other: int) -> bool:
    """Whether a sentence opens or closes with a place or a state that the other lacks: "After MDM2 loss"."""
    part, texts = found.parts[one], found.stream.texts
    for at in range(part.first, part.last) if part.kind == "prose" else ():
        if texts[at] in PLACING and (at == part.first or texts[at - 1] in (",", "but", "(")):
            end = next((i for i in range(at, part.last) if texts[i] in (",", ")")), part.last)
            if content(found.stream, at + 1, end) - found.words(other) - PLAIN:
                return True
    return False


def _headings(found: Evidence) -> list[int]:
    """By part the number of its heading: the last part before a list, or a paragraph's short first line."""
    heads, last, paragraph, head = [], -1, -1, 0
    for number, part in enumerate(found.parts):
        if part.kind in ("prose", "heading"):
            last = number
            if part.paragraph != paragraph:
                paragraph, head = part.paragraph, number if part.last - part.first <= 8 else -1
            heads.append(head)
        else:
            heads.append(last)
    return heads


def _yes_no(found: Evidence) -> Iterator[Check]:
    """Yes or no to "is it significant?" or "is X up?" against the p value, or the sign, beside it."""
    answers = {c.label: c for c in found.said.answers}
    if len(answers) != 1:
        return
    label, claim = next(iter(answers.items()))
    prompt = found.prompt.lower()
    asked = {str(m.value) for m in prompt_mentions(found.prompt) if m.kind == "dir"}
    shown = _shown(found, claim)
    if len(asked) == 1 and asked <= set(OPPOSITE) and shown and not _turns(found):
        says = f"{label} to {min(asked)}, with {shown}"
        yield Check(
            "yes or no against the evidence", (label == "YES") == (asked == {shown}), says, (claim.span,)
        )
    chances = [f for f in found.figures if f.kind == "p" and f.sign != ">" and f.value <= 1]
    chances = chances if all(_plain(found, f, claim) for f in chances) else []
    if len(chances) == 1 and re.search(r"\bsignificant", prompt) and "not significant" not in prompt:
        below = chances[0].value < threshold(found)
        says = f"{label} to significant, with p {'below' if below else 'above'} the threshold"
        yield Check("yes or no against the evidence", (label == "YES") == below, says, (claim.span,))


def _turns(found: Evidence) -> bool:
    """Whether the text says itself which way something went."""
    return any(label in OPPOSITE for n in range(len(found.parts)) for label, _ in directions(found, n))


def _plain(found: Evidence, chance: Figure, answer: Claim) -> bool:
    """Whether a p value stands with the answer or names nothing else: not "for tail length p is"."""
    words = found.words(chance.part) - NEUTRAL - CONCLUDES - content_of(found.prompt)
    return chance.part == answer.sentence or words <= TESTS


def _shown(found: Evidence, answer: Claim) -> str:
    """The direction that a yes or no is given with, and nothing named between: "No, from 1.0 to 0.2"."""
    figures = found.by_part.get(answer.sentence, [])
    if not figures:
        return ""
    between = content(found.stream, answer.chunk + 1, figures[0].first) - NEUTRAL - content_of(found.prompt)
    shown = {"UP" if b > a else "DOWN" for a, b in moves(found)}
    shown |= {"UP" if f.value > 0 else "DOWN" for f in found.figures if f.kind == "effect" and f.value}
    return shown.pop() if len(shown) == 1 and not between else ""


def _answer_line(found: Evidence) -> Iterator[Check]:
    """ "Answer: UP" and "Answer: 198" against the text before them."""
    if "answer" not in found.stream.vocabulary:
        return
    at = next((n for n in range(len(found.parts) - 1, 0, -1) if _is_answer(found, found.parts[n])), 0)
    if not at:
        return
    block = found.parts[at]
    span = found.span(block.first, block.last)
    labels = {label for label, _ in directions(found, at)}
    if len(labels) == 1:
        before = _concluded(found, at)
        if before:
            label = labels.pop()
            yield Check(
                AGAINST_REASONS,
                before == label,
                f"{before}, and the answer {label}",
                (span,),
                2.0,
            )
    figures = [f for f in found.by_part.get(at, ()) if f.kind in ("count", "percent", "effect", "ratio")]
    if len(figures) == 1:
        mine = figures[0]
        earlier = [
            f for n in range(at) for f in found.by_part.get(n, ()) if f.kind == mine.kind and not f.sign
        ]
        values = {f.value for f in earlier}
        if values and (mine.value in values or len(values) == 1 or _computed(found, earlier)):
            close = (
                any(abs(v - mine.value) <= 0.05 * abs(v) for v in values)
                if len(values) == 1
                else mine.value in values
            )
            says = f"{', '.join(f'{v:g}' for v in list(values)[:4])}, and the answer {mine.value:g}"
            yield Check(AGAINST_REASONS, close, says, (span,), 2.0)


def _conclusion(found: Evidence) -> Iterator[Check]:
    """ "murA is unchanged under nisin … Taken together, nisin represses murA", in its own words."""
    if found.stream.vocabulary.isdisjoint(CONCLUDING):
        return
    at = next((n for n in range(len(found.parts) - 1, 0, -1) if _concludes(found, n)), 0)
    labels = {label for label, _ in directions(found, at)} if at else set()
    if len(labels) != 1 or not labels <= set(OPPOSITE):
        return
    here = found.stream.texts[found.parts[at].first : found.parts[at].last]
    if "relative" in here:
        return  # "in summary, it is higher in wild type relative to the knock-out"
    mine = found.words(at) - NEUTRAL - SUMS_UP - _ways_said(found, at)
    if not mine and "it" in here[:4]:
        mine = found.words(at - 1)  # "In summary, it is increased"
    before: set[str] = set()
    told: set[str] = set()
    for number in range(at):
        told |= found.words(number)
        if found.asserted(found.parts[number].first) and found.words(number) & mine:
            before |= {label for label, _ in directions(found, number)}
    if mine and mine <= told and len(before) == 1:
        says = f"{min(before)}, and the conclusion {min(labels)}"
        part = found.parts[at]
        span = found.span(part.first, part.last)
        yield Check(
            "the conclusion against its reasons", before == labels, says, (span,), 2.0, before == labels
        )


def _concludes(found: Evidence, number: int) -> bool:
    head = found.stream.texts[found.parts[number].first : found.parts[number].first + 3]
    asserted = found.asserted(found.parts[number].first)
    return asserted and (bool(SUMS_UP & set(head)) or head[:2] in (["taken", "together"], ["as", "expected"]))


def _ways_said(found: Evidence, number: int) -> set[str]:
    part = found.parts[number]
    inside = (i for m in part.inside.get("dir", ()) for i in range(m.first, m.last))
    return {found.stream.texts[i] for i in inside} | {"taken", "together"}


def _computed(found: Evidence, figures: Sequence[Figure]) -> bool:
    """Whether the last figure is the result of a written sum."""
    last = figures[-1]
    return last.first > 0 and found.stream.texts[last.first - 1] in ("=", "≈")


def _is_answer(found: Evidence, part: Sentence) -> bool:
    head = found.stream.texts[part.first : part.first + 3]
    return head[:2] == ["answer", ":"] or head == ["final", "answer", ":"]


def _concluded(found: Evidence, at: int) -> str:
    """The direction that the text before the answer's line comes to, "" where that is not plain."""
    asked = content_of(found.prompt)
    labels: list[tuple[str, bool]] = []
    for number in range(at):
        part = found.parts[number]
        ways = {label for label, _ in directions(found, number)}
        if len(ways) != 1 or part.kind == "row":
            labels += [("", False)] * bool(ways)
            continue
        words = found.words(number)
        if words & asked or len(words) <= 3:
            concludes = bool(CONCLUDES & set(found.stream.texts[part.first : part.first + 3]))
            labels.append((ways.pop(), concludes))
        else:
            labels.append(("", False))
    final = [label for label, concludes in labels if concludes]
    if final:
        return final[-1]
    return labels[0][0] if labels and len({label for label, _ in labels}) == 1 else ""


def content_of(text: str) -> frozenset[str]:
    stream = prompt_tokens(text)
    return content(stream, 0, len(stream)) - NEUTRAL - {"up", "down", "upregulated", "downregulated"}
