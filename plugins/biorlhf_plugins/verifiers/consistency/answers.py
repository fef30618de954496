"""V3's checks of answers: yes and no, "all" and "none", and whether things agree, against what is stated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction, Named
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.truth.free.directions import OPPOSITE
from biorlhf_plugins.verifiers.consistency.slots import EITHER

FIGURES = frozenset((None, "deg", "deg_up", "deg_down"))
WHOLES = frozenset((None, "deg"))
RESPONDS = re.compile(
    r"\b(?:respon[ds]\w*|react\w*|affected|sensitive|(?:show|have|has|display)\w* (?:some )?DEGs)\b", re.I
)
ACTS = re.compile(r"\b(?:changes?|alters?|affects?|regulates?|perturbs?|produces?|acts?|active)\b", re.I)
LIST_ENDS = re.compile(r"[:;.\d(—\n]|\b(?:where|which|while|but|has|have|shows?)\b", re.I)
UNSHOWN = re.compile(r"[A-Za-z]-?\d+_[A-Za-z]|\bnot in\b", re.I)
"""Parts of one mission, and "down in thymus, not in kidney": what these add up to is not read."""

WINDOW = 60
# Sentences with "all" or "none" that are looked at; each goes through all figures, so the number is bounded
# to keep the work linear.
MARKS = 40


def yes_no(said: Extraction, directions: list[Claim], prompt: str) -> Iterator[Check]:
    answers = {c.label: c for c in said.answers}
    if not answers:
        return
    spans = tuple(c.span for c in answers.values())
    says = " and ".join(str(a) for a in answers)
    # A single yes has nothing to contradict it: it counts as standing alone, so it cannot pay.
    yield Check("yes or no, not both", len(answers) == 1, says, spans, alone=len(answers) == 1)
    if len(answers) != 1:
        return
    classes = [c for c in said.classes if c.asserted]
    for kinds, claims in ((("dir",), directions), (("type", "pattern"), classes)):
        asked = {str(m.value) for m in prompt_mentions(prompt) if m.kind in kinds}
        # What is said of a part (some missions) neither bears out nor refutes a yes about the whole.
        whole = [c for c in claims if not c.partial]
        stated = {str(c.label) for c in whole}
        # With several directions asked or told, which of them the yes is about would be a guess.
        if len(asked) != 1 or len(stated) != 1 or (kinds == ("dir",) and not asked <= set(OPPOSITE)):
            continue
        label, claim = next(iter(answers.items()))
        passed = (stated == asked) == (label == "YES")
        evidence = whole[0]
        yield Check(
            "yes or no against the evidence", passed, f"{label} to {min(asked)}, with {min(stated)}",
            (claim.span, evidence.span),
        )  # fmt: skip


def agreement(
    said: Extraction, directions: list[Claim], prompt: str, consistent: bool | None
) -> Iterator[Check]:
    if not said.agreements and consistent is None:
        return
    stated = {str(c.label): c for c in said.agreements}
    asked = {str(m.value) for m in prompt_mentions(prompt) if m.kind == "agree"}
    answers = {c.label for c in said.answers}
    implied = set()
    if len(asked) == 1 and len(answers) == 1:
        other = {"SAME": "DIFF", "DIFF": "SAME"}[min(asked)]
        implied = asked if answers == {"YES"} else {other}
    shown = _shown(directions)
    shown = "" if shown and UNSHOWN.search(said.text) else shown
    every = set(stated) | implied | ({shown} if shown else set())
    if stated:
        spans = tuple(c.span for c in stated.values())
        says = " and ".join(sorted(every))
        yield Check("agreement against the evidence", len(every) == 1, says, spans, alone=not shown)
    if consistent is not None and every:
        wanted = "SAME" if consistent else "DIFF"
        spans = tuple(c.span for c in stated.values())
        # The question itself, so it weighs twice what the checks around it do.
        yield Check(
            "do the tissues agree", every == {wanted}, f"stated {' and '.join(sorted(every))}", spans, 2.0
        )


def _shown(directions: list[Claim]) -> str:
    """What the stated directions of several tissues or missions add up to: SAME, DIFF or ""."""
    for field in ("entity", "mission"):
        places = {getattr(c.slot, field): c.label for c in directions if getattr(c.slot, field)}
        if len(places) > 1:
            return "SAME" if len(set(places.values())) == 1 else "DIFF"
    return ""


def universal(said: Extraction, directions: list[Claim]) -> Iterator[Check]:
    """ "All tissues", "consistently", against a tissue or mission that the text says differs."""
    everyone = {n.sentence: n for n in said.named if n.kind == "everyone" and not n.denied and not n.aside}
    always = {n.sentence: n for n in said.named if n.kind == "univ" and not n.denied and not n.aside}
    excepted = exceptions(said) if everyone or always else {}
    placed = {n.sentence for n in said.named if n.kind in ("entity", "mission")}
    for claims, marks in ((directions, {**always, **everyone}), (list(said.classes), everyone)):
        for sentence, mark in marks.items():
            general = [c for c in claims if c.sentence == sentence and c.asserted]
            if not general or EITHER.search(said.text, mark.span[0], general[0].span[1] + 20):
                continue
            label = general[0].label
            named = {n.value for n in said.named if n.sentence == sentence and n.kind == "entity"}
            spared = excepted.get(sentence, set())
            against = [
                c for c in claims
                if c.asserted and c.chunk != general[0].chunk
                and (c.label == label) == bool(spared & {c.slot.entity, c.slot.mission})
                and {"entity", "mission"} & c.slot.stated and c.sentence in placed
                and not (mark.value == "rest" and c.slot.entity in named)
                and (_same_set(c, general[0]))
            ]  # fmt: skip
            says = f"{label} without exception" + (f", but {against[0].label}" if against else "")
            yield Check(
                "a universal against an exception", not against, says,
                tuple(s for s in (mark.span, against[0].span if against else None) if s),
            )  # fmt: skip


def _same_set(one: Claim, other: Claim) -> bool:
    mine, theirs = one.slot.pathways, other.slot.pathways
    return mine == theirs or not (mine and theirs)


def exceptions(said: Extraction) -> dict[int, set[object]]:
    """By sentence the tissues or missions that it excepts: "every tissue except liver and heart"."""
    excepted: dict[int, set[object]] = {}
    mark: Named | None = None
    for n in said.named:
        if n.kind == "except":
            mark = n
        elif mark is not None and n.kind in ("entity", "mission"):
            # Clipped before it is searched, so that a far mention costs no more than a near one.
            between = said.text[mark.span[1] : min(n.span[0], mark.span[1] + 2 * WINDOW)]
            if n.sentence != mark.sentence or len(between) > WINDOW or LIST_ENDS.search(between):
                mark = None
            else:
                excepted.setdefault(mark.sentence, set()).add(n.value)
    return excepted


def quantified(said: Extraction, figures: list[Claim], prompt: str) -> Iterator[Check]:
    """ "All tissues exceed 1,000", "none does", "every tissue except liver", against the tissues' figures."""
    marks: dict[int, Named] = {}
    for n in said.named:
        if n.kind != "everyone" or n.value not in ("all", "none") or n.aside:
            continue
        if n.denied and said.text[n.span[0] : n.span[0] + 3].lower() == "any":  # "never in any tissue"
            n = n._replace(value="none", denied=False)
        if not n.denied:
            marks[n.sentence] = n
    if not marks:
        return
    asked = [m.value for m in prompt_mentions(prompt) if m.kind == "num" and isinstance(m.value, Number)]
    limits = [n for n in asked if (n.low is None) != (n.high is None)]
    excepted = exceptions(said)
    for sentence, mark in list(marks.items())[:MARKS]:
        spared = excepted.get(sentence, set())
        own = [
            c for c in said.numbers
            if c.sentence == sentence and c.modality == "asserted" and (c.low is None) != (c.high is None)
            and c.slot.quantity in FIGURES
        ]  # fmt: skip
        if own:
            above, limit = own[0].low is not None, own[0].value or 0.0
        elif len(limits) == 1 and spared:
            above, limit = limits[0].low is not None, limits[0].value
        elif RESPONDS.search(said.text, mark.span[1], mark.span[1] + WINDOW) or _changes(said.text, mark):
            above, limit = True, 0.0
        else:
            continue
        known = _counts(figures, figures[0].slot.condition if figures else None)
        holds = {name: (value > limit) == above for name, value in known.items() if value != limit or not own}
        wrong = [n for n, held in holds.items() if held != ((mark.value == "all") != (n in spared))]
        if holds:
            says = f"{mark.value} {'above' if above else 'below'} {limit:g}" + (
                f", but {wrong[0]} has {known[wrong[0]]:g}" if wrong else ""
            )
            yield Check("all or none against the figures", not wrong, says, (mark.span,))


def _changes(text: str, mark: Named) -> bool:
    """True for the "KMP changes genes in" before "every tissue"."""
    before = re.split(r"[.;:\n]", text[max(0, mark.span[0] - WINDOW) : mark.span[0]])[-1]
    return ACTS.search(before) is not None


def _counts(figures: list[Claim], shared: str | None, role: str = "entity") -> dict[str, float]:
    """The counts of one condition by tissue, or of one tissue by condition."""
    counts: dict[str, float] = {}
    other = "condition" if role == "entity" else "entity"
    for c in figures:
        name = getattr(c.slot, role)
        if name and role in c.slot.stated and c.slot.quantity in WHOLES and getattr(c.slot, other) == shared:
            counts.setdefault(name, c.value or 0.0)
    return counts


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
