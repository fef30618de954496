"""V3's checks of figures: values, classes, sums, ratios, comparisons, rankings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction, Span
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.truth.answers import rankings

COUNTS = frozenset((None, "deg", "deg_up", "deg_down", "nes"))

FIGURES = frozenset((None, "deg", "deg_up", "deg_down"))

MORE = re.compile(
    r"\b(?:(more|larger|higher|greater)|(fewer|smaller|lower|less))\b[^.,;\n]{0,30}\bthan\b", re.I
)

RANKS = re.compile(r"\b(?:rank|order|sort)", re.I)
NUMBERED = re.compile(r"^\s*1[.)]\s[^\n]*\n\s*2[.)]\s", re.M)

OF = re.compile(r"\s+(?:out )?of (?:the |these |those |all |its |a total of )*", re.I)

SLACK = 0.06
"""Relative error that a stated ratio of two stated figures may have."""


@dataclass(frozen=True, slots=True)
class Check:
    """``severity`` is the weight of the check; ``says`` tells what was compared."""

    name: str
    passed: bool
    says: str
    spans: tuple[Span, ...]
    severity: float = 1.0


def two_values(figures: list[Claim]) -> Iterator[Check]:
    slots: dict[tuple, list[Claim]] = {}
    for c in figures:
        s = c.slot
        named = {"entity", "condition", "pathways"} & s.stated or c.slot.quantity in ("deg", "nes")
        if s.quantity in COUNTS and named:
            quantity = "deg" if s.quantity is None else s.quantity
            slots.setdefault(
                (s.entity, s.condition, s.treatment, s.mission, quantity, s.pathways), []
            ).append(c)
    for key, claims in slots.items():
        first = claims[0]
        rival = next((c for c in claims[1:] if not _close(first, c)), None)
        place = " ".join(str(k) for k in key[:3] if k) or "one slot"
        values = ", ".join(dict.fromkeys(f"{c.value:g}" for c in claims))
        yield Check(
            "one value per slot",
            rival is None,
            f"{place}: {values}",
            tuple(c.span for c in (first, rival) if c),
        )


def _close(one: Claim, other: Claim) -> bool:
    a, b = one.value or 0.0, other.value or 0.0
    if a == b:
        return True
    slack = 0.05 if one.approximate or other.approximate or (abs(a) < 10 and abs(b) < 10) else 0.0
    return (a < 0) == (b < 0) and abs(a - b) <= slack * max(abs(a), abs(b))


def classes(said: Extraction, figures: list[Claim]) -> Iterator[Check]:
    """One class per tissue, and one that the figures bear out."""
    by_tissue: dict[tuple, list[Claim]] = {}
    for c in said.classes:
        if c.asserted:
            by_tissue.setdefault((c.slot.entity, c.slot.quantity), []).append(c)
    for (entity, quantity), claims in by_tissue.items():
        labels = list(dict.fromkeys(str(c.label) for c in claims))
        spans = tuple({c.label: c.span for c in claims}.values())
        yield Check(
            "one class per tissue", len(labels) == 1, f"{entity or 'the tissue'}: {', '.join(labels)}", spans
        )
        if len(labels) == 1:
            bad = _class_against(labels[0], [c for c in figures if c.slot.entity == entity], quantity)
            if bad is not None:
                yield Check("a class against its figures", not bad[0], bad[1], spans)


def _class_against(label: str, figures: list[Claim], quantity: str | None) -> tuple[bool, str] | None:
    if quantity == "type":
        rest = [
            c.value for c in figures if c.slot.condition == "baseline" and c.slot.quantity in (None, "deg")
        ]
        stressed = [
            c.value
            for c in figures
            if c.slot.condition in ("hu+ir", "stress") and c.slot.quantity in (None, "deg")
        ]
        if not rest or not stressed:
            return None
        low, high = rest[0] or 0.0, stressed[0] or 0.0
        wrong = high < low if label == "A" else high > low
        return wrong, f"type {label} with {low:g} at baseline and {high:g} under stress"
    nes = [c for c in figures if c.slot.quantity == "nes"]
    stress = [c.value or 0.0 for c in nes if c.slot.treatment != "kmp"]
    treated = [c.value or 0.0 for c in nes if c.slot.treatment == "kmp"]
    if not stress or not treated or label not in ("RESCUE", "SUPPRESSION"):
        return None
    want = (-1, 1) if label == "RESCUE" else (1, -1)
    wrong = stress[0] * want[0] < 0 or treated[0] * want[1] < 0
    return wrong, f"{label.lower()} with NES {stress[0]:g} under stress and {treated[0]:g} with KMP"


def sums(said: Extraction, figures: list[Claim]) -> Iterator[Check]:
    for equation, span in said.equations:
        left = f" {equation.operator} ".join(f"{t:g}" for t in equation.terms)
        value = equation.value
        says = f"{left} = {equation.result:g}" + (
            "" if equation.holds or value is None else f", but it is {value:.4g}"
        )
        yield Check("arithmetic", equation.holds, says, (span,))
    slots: dict[tuple, dict[str, Claim]] = {}
    for c in figures:
        if c.slot.quantity in ("deg", "deg_up", "deg_down", None):
            key = (c.slot.entity, c.slot.condition, c.slot.treatment)
            slots.setdefault(key, {}).setdefault(c.slot.quantity or "deg", c)
    for parts in slots.values():
        whole_claim = parts.get("deg")
        if whole_claim is not None and len(parts) == 2:
            part = next(p for k, p in parts.items() if k != "deg")
            says = f"{part.value:g} of {whole_claim.value:g}"
            passed = (part.value or 0.0) <= (whole_claim.value or 0.0)
            yield Check("parts and whole", passed, says, (part.span, whole_claim.span))
        if len(parts) == 3:
            up, down, whole = (parts[k].value or 0.0 for k in ("deg_up", "deg_down", "deg"))
            yield Check(
                "parts and whole", abs(up + down - whole) <= 0.001 * whole,
                f"{up:g} up + {down:g} down against {whole:g}", tuple(p.span for p in parts.values()),
            )  # fmt: skip
    yield from _parts(said)
    yield from _ratios(said)


def _parts(said: Extraction) -> Iterator[Check]:
    """ "3,251 of 6,425": a part is not above its whole."""
    plain = [c for c in said.numbers if c.asserted and c.low is None and c.high is None]
    for part, whole in pairwise(plain):
        gap = whole.span[0] - part.span[1]
        if (
            part.sentence == whole.sentence
            and 0 < gap < 30
            and OF.fullmatch(said.text[part.span[1] : whole.span[0]])
        ):
            says = f"{part.value:g} of {whole.value:g}"
            yield Check(
                "parts and whole", (part.value or 0.0) <= (whole.value or 0.0), says, (part.span, whole.span)
            )


def _ratios(said: Extraction) -> Iterator[Check]:
    """A ratio or a percentage beside the two figures that it is of, where its sentence has just these."""
    by_sentence: dict[int, list[Claim]] = {}
    for c in said.numbers:
        if c.asserted:
            by_sentence.setdefault(c.sentence, []).append(c)
    for claims in by_sentence.values():
        folds = [c for c in claims if c.slot.quantity in ("ratio", "percent") and c.low is None]
        if len(folds) != 1:
            continue
        shared = any(c.slot.quantity == "share" for c in claims) or _of_each_other(said.text, claims)
        plain = [
            c for c in claims if c not in folds and c.low is None and (shared or c.slot.quantity in FIGURES)
        ]
        if len(folds) != 1 or len({c.span for c in plain}) != 2 or len({c.span for c in claims}) != 3:
            continue
        a, b = sorted(abs(c.value or 0.0) for c in {c.span: c for c in plain}.values())
        stated = abs(folds[0].value or 0.0)
        if b == 0:
            continue
        if folds[0].slot.quantity == "ratio":
            if a == 0 or stated < 1:
                continue
            passed, says = (
                abs(b / a - stated) <= SLACK * b / a + 0.5,
                f"{b:g} / {a:g} = {b / a:.3g}, stated {stated:g}×",
            )
        else:
            if not shared:
                continue
            passed, says = (
                abs(100 * a / b - stated) <= 1.0,
                f"{a:g} of {b:g} = {100 * a / b:.3g} %, stated {stated:g} %",
            )
        yield Check("ratios and percentages", passed, says, tuple(c.span for c in (*plain, *folds)))


def _of_each_other(text: str, claims: list[Claim]) -> bool:
    """ "2,923 of the 5,477 …"."""
    return any(
        0 < later.span[0] - earlier.span[1] < 30 and OF.fullmatch(text[earlier.span[1] : later.span[0]])
        for earlier, later in pairwise(claims)
    )


def bounds(said: Extraction, figures: list[Claim], prompt: str) -> Iterator[Check]:
    """ "479, which is larger than 5,000", and yes or no to "is it larger than 5,000?"."""
    plain = [c for c in figures if c.slot.quantity in (None, "deg", "deg_up", "deg_down")]
    thresholds = {c.value for c in plain}
    for bound in said.numbers:
        if (bound.low is None) == (bound.high is None) or not bound.asserted or bound.slot.quantity == "padj":
            continue
        before = [c for c in plain if c.sentence == bound.sentence and c.chunk < bound.chunk]
        if before and bound.value not in thresholds:
            value, limit = before[-1].value or 0.0, bound.value or 0.0
            passed = value > limit if bound.low is not None else value < limit
            yield Check("comparisons", passed, f"{value:g} against {limit:g}", (before[-1].span, bound.span))
    asked = [m.value for m in prompt_mentions(prompt) if m.kind == "num"]
    limits = [n for n in asked if isinstance(n, Number) and (n.low is None) != (n.high is None)]
    answers = {c.label: c for c in said.answers}
    if len(limits) == 1 and len(answers) == 1 and plain:
        asked_limit = limits[0]
        value = plain[0].value or 0.0
        true = value > asked_limit.value if asked_limit.low is not None else value < asked_limit.value
        label, claim = next(iter(answers.items()))
        yield Check(
            "yes or no against the figure", (label == "YES") == true,
            f"{label} with {value:g} against {asked_limit.value:g}",
            (claim.span, plain[0].span),
        )  # fmt: skip


def ranked(said: Extraction, figures: list[Claim], prompt: str) -> Iterator[Check]:
    """A chain "a > b > c", a numbered list that ranks, or "a has more than b", against their figures."""
    figure: dict[str, float] = {}
    for c in figures:
        if c.slot.entity and c.slot.quantity in (None, "deg"):
            figure.setdefault(c.slot.entity, c.value or 0.0)
    if len(figure) > 1:
        yield from _compared(said, figure)
    linked = any(n.link for n in said.named)
    if not linked and not (NUMBERED.search(said.text) and RANKS.search(prompt)):
        return
    for order in rankings(said):
        known = [(name, figure[name]) for name in order if name in figure]
        if len(known) >= 2:
            values = [value for _, value in known]
            says = " > ".join(f"{name} ({value:g})" for name, value in known)
            spans = tuple(n.span for n in said.named if n.kind == "entity" and (n.link or not linked))
            descends = values == sorted(values, reverse=True)
            passed = descends or (not linked and values == sorted(values))
            yield Check("a ranking against its figures", passed, says, spans[:4])


def _compared(said: Extraction, figure: dict[str, float]) -> Iterator[Check]:
    """ "Soleus (6,425) has more DEGs than liver (4,110)"."""
    entities = [n for n in said.named if n.kind == "entity" and not n.aside and n.value in figure]
    for one, other in pairwise(entities):
        if not other.compared or one.compared or one.sentence != other.sentence or one.denied:
            continue
        word = MORE.search(said.text, one.span[1], other.span[0])
        if word is None or one.value == other.value:
            continue
        first, second = figure[str(one.value)], figure[str(other.value)]
        says = f"{one.value} ({first:g}) {word[0]} {other.value} ({second:g})"
        passed = first > second if word[1] else first < second
        yield Check("a comparison against its figures", passed, says, (one.span, other.span))
