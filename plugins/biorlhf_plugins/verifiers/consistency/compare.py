"""V3's checks of words of quantity: all, none and except; most and fewest; differences; shares of a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction, Named
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.verifiers.consistency.figures import FIGURES, MORE, SLACK, Check

WHOLES = frozenset((None, "deg"))
SUPERLATIVE = re.compile(
    r"\b(?:(most|highest|largest|greatest|strongest|biggest)|(fewest|least|lowest|smallest|weakest))\b", re.I
)
OTHERWISE = re.compile(
    r"\b(?:not|never|second|third|next|at|almost|nes|fold|enrich\w*|shares?|fractions?|percent\w*|confiden\w*"
    r"|(?:most|least) (?:likely|probabl[ey]|of|recent|common\w*|important\w*|notabl[ey]))\b",
    re.I,
)
"""Beside a superlative: it is denied, or about something other than the count."""

IS_IT = re.compile(r"(?:\b(?:is|was|in|by|for)|:)\s+(?:the\s+)?[*_]*$", re.I)
RESPONDS = re.compile(
    r"\b(?:respon[ds]\w*|react\w*|affected|sensitive|(?:show|have|has|display)\w* (?:some )?DEGs)\b", re.I
)
ACTS = re.compile(r"\b(?:changes?|alters?|affects?|regulates?|perturbs?|produces?|acts?|active)\b", re.I)
LIST_ENDS = re.compile(r"[:;.\d(—\n]|\b(?:where|which|while|but|has|have|shows?)\b", re.I)
WINDOW = 60
MARKS = 40


def exceptions(said: Extraction) -> dict[int, set[object]]:
    """By sentence the tissues or missions that it excepts: "every tissue except liver and heart"."""
    found: dict[int, set[object]] = {}
    mark: Named | None = None
    for n in said.named:
        if n.kind == "except":
            mark = n
        elif mark is not None and n.kind in ("entity", "mission"):
            between = said.text[mark.span[1] : min(n.span[0], mark.span[1] + 2 * WINDOW)]
            if n.sentence != mark.sentence or len(between) > WINDOW or LIST_ENDS.search(between):
                mark = None
            else:
                found.setdefault(mark.sentence, set()).add(n.value)
    return found


def shares(said: Extraction) -> Iterator[Check]:
    """ "71 % go up and 49 % go down": the shares of one whole make at most the whole."""
    percents = [c for c in said.numbers if c.slot.quantity == "percent" and c.asserted and c.low is None]
    by_slot: dict[tuple, dict[str, Claim]] = {}
    if len(percents) < 2:
        return
    for way in said.directions:
        if not way.asserted or way.label not in ("UP", "DOWN"):
            continue
        near = [p for p in percents if p.sentence == way.sentence and 0 < way.chunk - p.chunk <= 6]
        if near:
            s = way.slot
            slot = by_slot.setdefault((s.entity, s.condition, s.treatment, s.pathways, s.mission), {})
            slot.setdefault(str(way.label), near[-1])
    for ways in by_slot.values():
        if len(ways) == 2 and ways["UP"].span != ways["DOWN"].span:
            up, down = ways["UP"].value or 0.0, ways["DOWN"].value or 0.0
            says = f"{up:g} % up + {down:g} % down = {up + down:g} %"
            yield Check("shares of a whole", up + down <= 101, says, (ways["UP"].span, ways["DOWN"].span))


def differences(said: Extraction) -> Iterator[Check]:
    """ "6,425 and 4,110, a difference of 2,315", where a sentence has just these."""
    by_sentence: dict[int, list[Claim]] = {}
    gaps = {c.sentence for c in said.numbers if c.slot.quantity == "difference"}
    for c in said.numbers:
        if c.sentence in gaps and c.asserted:
            by_sentence.setdefault(c.sentence, []).append(c)
    for claims in by_sentence.values():
        stated = list({c.span: c for c in claims if c.slot.quantity == "difference"}.values())
        plain = list({c.span: c for c in claims if c.slot.quantity in FIGURES and c.low is None}.values())
        if len(stated) != 1 or len(plain) != 2:
            continue
        high, low = sorted((c.value or 0.0 for c in plain), reverse=True)
        gap = abs(stated[0].value or 0.0)
        slack = SLACK * gap if stated[0].approximate else 1e-6
        says = f"{high:g} - {low:g} = {high - low:g}, stated {gap:g}"
        yield Check(
            "a difference of its figures", abs(high - low - gap) <= slack, says,
            tuple(c.span for c in (*plain, *stated)),
        )  # fmt: skip


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
    found: dict[str, float] = {}
    other = "condition" if role == "entity" else "entity"
    for c in figures:
        name = getattr(c.slot, role)
        if name and role in c.slot.stated and c.slot.quantity in WHOLES and getattr(c.slot, other) == shared:
            found.setdefault(name, c.value or 0.0)
    return found


def superlatives(said: Extraction, figures: list[Claim]) -> Iterator[Check]:
    """ "Liver responds most (1,273), ahead of hippocampus with 5,477"."""
    if "est" not in said.text and "most" not in said.text:
        return
    for role, other in (("entity", "condition"), ("condition", "entity")):
        names = [n for n in said.named if n.kind == role and not n.aside and not n.denied]
        counted = [c for c in figures if c.slot.quantity in WHOLES]
        places = {getattr(c.slot, role): getattr(c.slot, other) for c in reversed(counted)}
        for at, n in enumerate(names[:60]):
            if n.value not in places or n.compared:
                continue
            known = _counts(figures, places[str(n.value)], role)
            word = _superlative(said.text, n, names[at + 1] if at + 1 < len(names) else None)
            if word is None or len(known) < 2 or n.value not in known:
                continue
            value, pick = known[str(n.value)], max if word[1] else min
            best = pick(known, key=lambda name: known[name])
            says = f"{n.value} ({value:g}) has the {word[0].lower()}, {best} has {known[best]:g}"
            yield Check("a superlative against its figures", value == known[best], says, (n.span,))


def _superlative(text: str, n: Named, following: Named | None) -> re.Match[str] | None:
    """The superlative said of a name: "liver responds most", "the most responsive tissue is liver"."""
    end = min(n.span[1] + WINDOW, following.span[0] if following else len(text))
    after = re.split(r"[.;\n:(]", text[n.span[1] : end], maxsplit=1)[0]
    found = SUPERLATIVE.search(after)
    if found is not None:
        return None if OTHERWISE.search(after) else found
    before = re.split(r"[.;\n,(]", text[max(0, n.span[0] - WINDOW) : n.span[0]])[-1]
    found = SUPERLATIVE.search(before)
    if found is None or OTHERWISE.search(before) or not IS_IT.search(before):
        return None
    return found


def asked_comparison(said: Extraction, figures: list[Claim], prompt: str) -> Iterator[Check]:
    """Yes or no to "does soleus have more DEGs than liver?" against the figures of the two."""
    answers = {c.label: c for c in said.answers}
    word = MORE.search(prompt) if len(answers) == 1 else None
    if word is None:
        return
    left, right = prompt_mentions(prompt[: word.end()]), prompt_mentions(prompt[word.end() :])
    for role in ("entity", "condition"):
        first, second = ({str(m.value) for m in side if m.kind == role} for side in (left, right))
        if len(first) != 1 or len(second) != 1 or first == second:
            continue
        pair = [
            next((c for c in figures if getattr(c.slot, role) in side and c.slot.quantity in WHOLES), None)
            for side in (first, second)
        ]
        if pair[0] is not None and pair[1] is not None:
            one, other = pair[0].value or 0.0, pair[1].value or 0.0
            label, claim = next(iter(answers.items()))
            true = one > other if word[1] else one < other
            says = f"{label} to {min(first)} {word[1] or word[2]} than {min(second)}, {one:g} and {other:g}"
            yield Check("yes or no against the comparison", (label == "YES") == true, says, (claim.span,))
