"""Words of direction against the figures beside them: log2FC, NES, a fold change, "from 12 to 24". Where a
sentence does not say which word is of which figure, nothing is checked.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator, Sequence

from biorlhf_plugins.language.evidence.records import TIMES, Check, Evidence, Figure, gap, is_level, once
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.mentions import Mention

SIGNED = frozenset(("effect", "fold", "hazard"))
NOT_WAYS = words_of("not_directions")
"""Parts of names of methods and scores ("enrichment score", "positive NES"), which say nothing of a way."""

PATTERNS = ("pattern", "kmp", "kaempferol", "rescue", "class", "classified")
LIKELIER = frozenset(("likely", "often", "abundant", "prevalent"))
SUPPOSING = frozenset(("to", "can", "may", "might", "could", "would"))
BREAKS = words_of("breaks")
CLAUSES = (BREAKS | {"while"}) - {","}
DECIDES = words_of("decides")
LEVEL = re.compile(
    r"(?:alpha|α|threshold|cut-?off|significance level|(?:padj|fdr|p|q)(?:-value)?\s*(?:<|≤))"
    r"\s*(?:of|=|:|is)?\s*(0?\.\d+|\d+\s?%)|at the (\d+(?:\.\d+)?)\s?% level|(\d+)\s?% fdr",
    re.I,
)
OPERATORS = frozenset(("/", "×", "÷", "+", "x"))
GIVEN = frozenset(("at", "after", "of", "by", "with", "on", "under", "in", "within", "for", "first", "the"))
"""Before a figure: it is when, on what or at which dose something changed."""
MEASURES = SIGNED | {"count", "percent"}
COMMON = 0.05
CONTROLS = words_of("controls")
NAMED_STABLE = [[word] for word in ("patient", "disease", "angina", "isotope", "line", "transfectant")]

Word = tuple[str, int]
"""A label and the token that it stands at."""


def signs(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    moving = not found.stream.vocabulary.isdisjoint(("to", "→"))
    for number, figures in found.by_part.items():
        if not found.asserted(found.parts[number].first):
            continue
        ways = directions(found, number)
        signed = [
            f for f in figures if f.kind in SIGNED and not f.sign and _way_of(f) and not _operand(found, f)
        ]
        signed = [f for f in signed if not _turned(found, f)]
        signed = [f for f in signed if f.kind != "hazard" or _single(found, figures)]
        sided = [w for w in ways if w[0] in ("UP", "DOWN")] if signed else []
        if any(f.kind == "hazard" for f in signed):
            sided = [w for w in sided if not found.stream.texts[w[1]].startswith("favo")]
        sided += _likelier(found, number) if signed and not sided else ()
        for figure, label in paired(found, signed, sided):
            says = f"{label} with {figure.kind} {figure.value:g}"
            yield Check("a direction against its figure", _way_of(figure) == label, says, (figure.span,))
        if moving:
            yield from _moves(found, number, figures, ways)
        if found.parts[number].kind == "row":
            for f in figures:
                if (
                    f.kind == "p"
                    and not f.sign
                    and not 0 <= f.value <= 1
                    and not any("log" in w for w in f.right)
                ):  # a column under another's head
                    yield Check("a probability between 0 and 1", False, f"p = {f.value:g}", (f.span,))


def _likelier(found: Evidence, number: int) -> Iterator[Word]:
    """ "More likely to be robbed (odds ratio 1.9)", "more abundant (log2FC 1.7)"."""
    part, texts = found.parts[number], found.stream.texts
    for at in range(part.first, part.last - 1):
        if texts[at] in ("more", "less") and texts[at + 1] in LIKELIER and found.asserted(at):
            yield ("UP" if texts[at] == "more" else "DOWN"), at


def _single(found: Evidence, figures: Sequence[Figure]) -> bool:
    """Whether a ratio of risks is the one figure of its sentence, beside its interval and p value."""
    texts = found.stream.texts
    own = [f for f in figures if f.kind in MEASURES and not is_level(found, f)]
    # "Raised the risk by 32 % (hazard ratio 0.68)": the percentage is of the ratio.
    own = [f for f in own if f.kind != "percent" or texts[f.last : f.last + 1] != ["("]]
    return sum(texts[f.first - 1] not in ("(", "to", "-") or f.kind == "hazard" for f in own) == 1


def _turned(found: Evidence, figure: Figure) -> bool:
    """Whether a contrast ends with the side that is spoken of: "higher in B: log2FC A vs B = -2.7"."""
    texts, first = found.stream.texts, found.parts[figure.part].first
    at = next((i for i in range(figure.first - 1, max(first, figure.first - 4), -1) if texts[i] == "vs"), 0)
    return at > 0 and texts[at + 1] in texts[first : at - 1]


def _operand(found: Evidence, figure: Figure) -> bool:
    """Whether a figure is part of a written sum: "fold change: 140 / 4,110 = 0.034"."""
    texts = found.stream.texts
    around = [*texts[figure.first - 1 : figure.first], *texts[figure.last : figure.last + 1]]
    return not OPERATORS.isdisjoint(around)


@functools.lru_cache(maxsize=256)
def _level(text: str) -> float:
    match = LEVEL.search(text)
    if match is None:
        return COMMON
    word = next(g for g in match.groups() if g)
    value = float(word.rstrip("% ")) / (100 if "%" in match[0] else 1)
    return value if 0 < value <= 0.25 else COMMON


def threshold(found: Evidence) -> float:
    """What counts as significant: what the text or the prompt states, else 0.05."""
    for figures in (
        found.by_part.values() if not found.stream.vocabulary.isdisjoint(DECIDES | {"level", "fdr"}) else ()
    ):
        for f in sorted(figures, key=lambda f: f.kind != "alpha"):
            part = found.parts[f.part]
            words = set(found.stream.texts[part.first : part.last])
            if f.kind == "alpha" or (f.kind == "p" and words & DECIDES):
                return f.value if 0 < f.value <= 0.25 else COMMON
    return _level(found.prompt)


@once
def directions(found: Evidence, number: int) -> list[Word]:
    """The words of direction of a sentence that it states as its own, as the extraction turned them."""
    part = found.parts[number]
    words = []
    turned, texts = found.turned, found.stream.texts
    marks = part.inside.get("dir", ())
    negations = part.inside.get("neg", ())
    patterns = part.inside.get("pattern", ())
    if patterns and not _speaks_of_patterns(found):
        patterns = ()
    for m in marks:
        if m.first and texts[m.first - 1] in SUPPOSING:
            continue  # a purpose or a possibility
        if not found.asserted(m.first) or texts[m.first] in NOT_WAYS:
            continue
        named = patterns and any(n.first == m.first for n in patterns)  # "SUPPRESSION"
        if named or denied(negations, m):
            continue
        led = found.said.text[found.span(m.first, m.last)[0] - 1 :][:1]
        if m.value == "NS" and (led in ("-", "‑") or texts[m.last : m.last + 1] in NAMED_STABLE):
            continue  # "microsatellite-stable", "in stable patients"
        turns = turned if not _to_share(texts, m.last) else {}
        words.append((turns.get(found.span(m.first, m.last), str(m.value)), m.first))
    return words


def _to_share(texts: Sequence[str], last: int) -> bool:
    """Whether something falls or rises to a share of a control: "lowers it to 25 % of the control"."""
    after = texts[last : last + 8]
    end = next((i for i, word in enumerate(after) if word in CONTROLS), 0)
    return ("to" in after[:end] and after[max(0, end - 2) : end][:1] == ["of"]) or after[end - 1 : end] == [
        "of"
    ]


def _speaks_of_patterns(found: Evidence) -> bool:
    """Whether "SUPPRESSION" may be a treatment's pattern: the text or its question speaks of those."""
    asked = set(found.prompt.lower().replace("?", " ").split())
    return not asked.isdisjoint(PATTERNS) or not found.stream.vocabulary.isdisjoint(PATTERNS)


def denied(negations: Sequence[Mention], m: Mention) -> bool:
    return bool(negations) and any(0 < m.first - n.first <= 4 for n in negations)


def _way_of(figure: Figure) -> str:
    middle = 0.0 if figure.kind == "effect" or figure.value < 0 else 1.0
    return "" if figure.value == middle else "UP" if figure.value > middle else "DOWN"


def paired(found: Evidence, figures: Sequence[Figure], words: Sequence[Word]) -> list[tuple[Figure, str]]:
    """Figures with the word said of each: the one beside it, one word each in turn, or one in each clause."""
    if not figures or not words:
        return []
    if len({label for label, _ in words}) == 1:
        label, at = words[0]
        if len(figures) == 1 or (len(words) == 1 and found.parts[figures[0].part].kind == "row"):
            return [(f, label) for f in figures]
        run = _run(found, figures, at) if len(words) == 1 else []
        if run:
            return [(f, label) for f in run]
    cuts = [
        i
        for i in range(min(words[0][1], figures[0].first), max(f.last for f in figures))
        if found.stream.texts[i] in CLAUSES
    ]
    clause = lambda at: sum(cut < at for cut in cuts)  # noqa: E731
    pairs = []
    for f in figures:
        here = {label for label, at in words if clause(at) == clause(f.first)}
        if len(here) == 1:
            pairs.append((f, here.pop()))
    return pairs


def _run(found: Evidence, figures: Sequence[Figure], at: int) -> list[Figure]:
    """The figures next to a word, as far as little stands between them, or where each was seen: "down (-1.8
    and -0.9)", "down: -3.4 in RR-1, -3.0 in RR-3"."""
    after = [f for f in figures if f.first > at]
    run = after[:1]
    for f in after[1:]:
        between = gap(found, run[-1], f)
        listed = 2 < len(between) <= 5 and between[0] in ("in", "for") and between[-1] in (",", "and")
        listed = listed or ("so" in between and len(between) <= 9)  # "is higher (2.2), and so is IL1R2 (3.0)"
        if len(between) > 2 and not listed:
            break
        run.append(f)
    return run if run and len(after) == len(figures) else []


def moves(found: Evidence) -> Iterator[tuple[float, float]]:
    """ "from 1.0 to 0.2", "85 before and 640 after it", in whatever sentence: (before, after)."""
    for figures in found.by_part.values():
        for one, other in itertools.pairwise(figures):
            start = found.stream.texts[max(0, one.first - 1) : one.first]
            between = gap(found, one, other)
            after = found.stream.texts[other.last : other.last + 2]
            turns = "before" in between[:2] and "and" in between and "after" in after
            moves_on = (turns or (start == ["from"] and between[-1:] == ["to"])) and one.value != other.value
            if moves_on and one.kind == other.kind == "count" and not {one.unit, other.unit} & TIMES:
                yield one.value, other.value


def _of_two_sorts(found: Evidence, one: Figure, other: Figure) -> bool:
    """Whether the first figure is counted or measured in what the other is not: "1.2 kb", "six patients"."""
    own = one.unit or found.said.text[one.span[1] :][:1].isalpha() or one.kind != other.kind
    return bool(own) and one.unit != other.unit


def _ends_of_moves(found: Evidence, figures: Sequence[Figure]) -> Sequence[Figure]:
    """The figures without the doses and times of "from 98 % at 10 nM to 31 % at 1 µM"."""
    texts = found.stream.texts
    ends = [f for f in figures if texts[f.first - 1] not in ("at", "on", "after")]
    started = any(texts[f.first - 1] == "from" for f in ends)
    return ends if started and len({(f.kind, f.unit) for f in ends}) == 1 else figures


def _moves(found: Evidence, number: int, figures: Sequence[Figure], ways: Sequence[Word]) -> Iterator[Check]:
    """ "rose from 12.0 to 24.0 TPM", "112 falls to 17", "from 9.1 down to 3.3"."""
    part = found.parts[number]
    for one, other in itertools.pairwise(_ends_of_moves(found, figures)):
        between = gap(found, one, other)
        linked = (
            bool(between)
            and (between[-1] in ("to", "→") or between[-2:] == ["to", "about"])
            and len(between) <= 9
        )
        kinds = {one.kind, other.kind}
        if not linked or not kinds <= {"count", "percent"} or one.value == other.value:
            continue
        if one.last - one.first != other.last - other.first:
            continue  # "from 5.2 to 1.3 million"
        start = found.stream.texts[max(part.first, one.first - 2) : one.first]
        if {one.unit, other.unit} & TIMES or not TIMES.isdisjoint(start) or one.sign or other.sign:
            continue
        if "from" not in start and (not GIVEN.isdisjoint(start[-1:]) or _of_two_sorts(found, one, other)):
            continue  # "at 10 µM it fell to 60", "2D sorting cut it to 486": a dose or a name is no start
        low, high = one.first, other.last
        near = [w for w in ways if low - 10 <= w[1] <= high + 8 and w[0] in ("UP", "DOWN")]
        inside = [w for w in near if one.last <= w[1] < other.first]
        near = [w for w in near if w[1] < low or "," not in found.stream.texts[high : w[1]]]
        near = inside or [w for w in near if w[1] < low][-1:] or near[:1]
        if not near or not ("from" in start or inside):
            continue
        # As it is written: what a control does is turned for the contrast, but not for its own figures.
        label = next((str(m.value) for m in part.inside["dir"] if m.first == near[0][1]), near[0][0])
        says = f"{label} from {one.value:g} to {other.value:g}"
        passed = (other.value > one.value) == (label == "UP")
        yield Check("a direction against its figure", passed, says, (one.span, other.span))
