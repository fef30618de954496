"""V3's checks of answers: yes and no, "all" and "none", and whether things agree, against what is stated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check, content
from biorlhf_plugins.language.evidence.statements import content_of
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import OPPOSITE, Claim, Extraction
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.evidence import words_of
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.verifiers.consistency.slots import EITHER

LEADS = words_of("neutral") | words_of("concludes") | words_of("restating") | {"answer", "final", "verdict"}
UNCOUNTED = frozenset(("nes", "padj", "log2fc", "tissue", "mission"))
BUT_ONE = frozenset(("only", "except", "sole", "exception"))
"""Of what else is alike: "smoking is the only thing that differs"."""
ALL = frozenset(("all", "every", "each"))
PLACED = re.compile(r"(?:-?regulated)? (?:in|at|among) ", re.I)
NAMED = re.compile(r"^[A-Z][A-Za-z]*\d|^[A-Z]{2,}")
PLACING = frozenset(("for", "in", "at", "with", "on", "under", "among"))
SOME = re.compile(r"\b(?!all\b)\w+ of (?:the )?$", re.I)
"""Before "the four tissues": two of them."""
TURNS = re.compile(r"\b(?:while|whereas|but)\b")
UNSHOWN = re.compile(r"[A-Za-z]-?\d+_[A-Za-z]|\bnot in\b", re.I)
"""Parts of one mission, and "down in thymus, not in kidney": what these add up to is not read."""


def yes_no(said: Extraction, directions: list[Claim], prompt: str) -> Iterator[Check]:
    answers = {c.label: c for c in said.answers if not _led(said, c)}
    partial = all(_partial(said, c) for c in answers.values())  # "Yes, for some proteins. No, for the total."
    if not answers or (len(answers) > 1 and (partial or "and" in prompt_words(prompt))):
        return  # "Did X and Y fall?" has two answers
    spans = tuple(c.span for c in answers.values())
    says = " and ".join(str(a) for a in answers)
    # A single yes has nothing to contradict it: it counts as standing alone, so it cannot pay.
    yield Check("yes or no, not both", len(answers) == 1, says, spans, alone=len(answers) == 1)
    if len(answers) != 1:
        return
    classes = [c for c in said.classes if c.asserted]
    if not ALL.isdisjoint(prompt_words(prompt)):
        directions = []  # "Did all fall?" is denied by one that did not
    label, claim = next(iter(answers.items()))
    directions = [c for c in directions if _answers(said, c, claim, prompt)]
    for kinds, claims in ((("dir",), directions), (("type", "pattern"), classes)):
        asked = {str(m.value) for m in prompt_mentions(prompt) if m.kind in kinds}
        # What is said of a part (some missions) neither bears out nor refutes a yes about the whole.
        whole = [c for c in claims if not c.partial]
        stated = {str(c.label) for c in whole}
        # With several directions asked or told, which of them the yes is about would be a guess.
        if len(asked) != 1 or len(stated) != 1 or (kinds == ("dir",) and not asked <= set(OPPOSITE)):
            continue
        passed = (stated == asked) == (label == "YES")
        evidence = whole[0]
        yield Check(
            "yes or no against the evidence", passed, f"{label} to {min(asked)}, with {min(stated)}",
            (claim.span, evidence.span),
        )  # fmt: skip


def _partial(said: Extraction, answer: Claim) -> bool:
    """Is a yes or no said of a part: "Yes, for some"?"""
    after = said.stream.texts[answer.chunk + 1 : answer.chunk + 3]
    return after[:1] == [","] and after[1:2] != [] and after[1] in PLACING


def _led(said: Extraction, answer: Claim) -> bool:
    """Whether a yes or no is of what stands before it: "Cholesterol, yes; weight, no"."""
    part = said.parts[answer.sentence]
    return bool(content(said.stream, part.first, answer.chunk) - LEADS)


def _answers(said: Extraction, direction: Claim, answer: Claim, prompt: str) -> bool:
    """Whether a direction is of what is asked: of the set that the question names, else beside the yes or no
    with nothing named between ("Yes, it falls") or of the question's own words."""
    asked = {key for m in prompt_mentions(prompt) if m.kind == "path" for key in m.value}
    if asked:
        return bool(asked & set(direction.slot.pathways))
    part = said.parts[direction.sentence]
    at = next(i for i in range(part.first, part.last) if _start(said, i + 1) > direction.span[0])
    first = max(part.first, answer.chunk + 1) if direction.sentence == answer.sentence else part.first
    named = content(said.stream, first, at) - LEADS
    after = said.text[direction.span[1] :].split(maxsplit=1)[:1]
    if after and NAMED.search(after[0]) and after[0].strip(".,;:()") not in prompt:
        return False  # "Yes, it inhibits CYP3A4": of another thing
    near = direction.sentence <= answer.sentence + 1
    return first <= at and near and named <= content_of(prompt)


def _start(said: Extraction, at: int) -> int:
    return said.clean.span(said.stream[at].start, 0)[0] if at < len(said.stream) else len(said.text) + 1


def agreement(
    said: Extraction, directions: list[Claim], prompt: str, consistent: bool | None
) -> Iterator[Check]:
    asked = {str(m.value) for m in prompt_mentions(prompt) if m.kind == "agree"}
    if not (said.agreements or asked) and consistent is None:
        return
    partly = {c.sentence for c in said.numbers if c.slot.quantity not in UNCOUNTED}
    texts = said.stream.texts
    partly |= {n for n, p in enumerate(said.parts) if not BUT_ONE.isdisjoint(texts[p.first : p.last])}
    whole = [c for c in said.agreements if c.sentence not in partly]
    # "183 of 210 agree, 27 disagree": what is counted says nothing of the whole, nor "for p53 they agree".
    loose = [c for c in whole if not _of_all(said, c)]
    stated = {str(c.label): c for c in (whole if not loose or consistent is not None else ())}
    answers = {c.label for c in said.answers}
    implied = set()
    if len(asked) == 1 and len(answers) == 1:
        other = {"SAME": "DIFF", "DIFF": "SAME"}[min(asked)]
        implied = asked if answers == {"YES"} else {other}
    shown = _shown(directions) or _both_ways(said, directions)
    shown = "" if shown and UNSHOWN.search(said.text) else shown
    every = set(stated) | implied | ({shown} if shown else set())
    apart = len(stated) == 2 and not asked and _of_two(said, *stated.values())
    if (stated and not apart) or (implied and shown):
        # "Yes, they agree" is held against the directions, whatever else is said of agreement.
        spans = tuple(c.span for c in (*stated.values(), *(() if stated else said.answers)))
        says = " and ".join(sorted(every))
        yield Check("agreement against the evidence", len(every) == 1, says, spans, alone=not shown)
    if consistent is not None and every:
        wanted = "SAME" if consistent else "DIFF"
        spans = tuple(c.span for c in stated.values())
        # The question itself, so it weighs twice what the checks around it do.
        yield Check(
            "do the tissues agree", every == {wanted}, f"stated {' and '.join(sorted(every))}", spans, 2.0
        )


def _of_two(said: Extraction, one: Claim, other: Claim) -> bool:
    """ "A differs from B, while B and C do not differ": in two clauses of one sentence, of two pairs."""
    between = said.text[slice(*sorted((one.span[1], other.span[0])))].lower()
    return one.sentence == other.sentence and TURNS.search(between) is not None


def _of_all(said: Extraction, agreement: Claim) -> bool:
    """Not "For E2F targets they differ" beside "for p53 they agree": of one thing among several."""
    part = said.parts[agreement.sentence]
    return said.stream.texts[part.first] not in ("for", "at", "in") or "path" not in part.inside


def _shown(directions: list[Claim]) -> str:
    """What the stated directions of one set in several tissues or missions add up to: SAME, DIFF or ""."""
    if len({c.slot.pathways for c in directions}) > 1:
        return ""
    for field in ("entity", "mission"):
        places: dict[str, set[str | None]] = {}
        for c in directions:
            if getattr(c.slot, field):
                places.setdefault(getattr(c.slot, field), set()).add(c.label)
        if len(places) > 1:
            labels = set().union(*places.values())
            return "SAME" if len(labels) == 1 else "DIFF" if all(len(s) == 1 for s in places.values()) else ""
    return ""


def _both_ways(said: Extraction, directions: list[Claim]) -> str:
    """DIFF for "they agree: up in TCGA and down in the in-house cohort": in one sentence, each at a place."""
    verdicts = {c.sentence: c.span[0] for c in (*said.agreements, *said.answers)}
    pair = [
        c for c in directions if c.label in OPPOSITE and c.span[0] > verdicts.get(c.sentence, len(said.text))
    ]
    if len(pair) != 2 or pair[0].label == pair[1].label or pair[0].sentence != pair[1].sentence:
        return ""
    placed = all(PLACED.match(said.text[c.span[1] :]) for c in pair)
    return "DIFF" if placed and pair[0].slot.pathways == pair[1].slot.pathways else ""


def universal(said: Extraction, directions: list[Claim]) -> Iterator[Check]:
    """ "All tissues", "consistently", against a tissue or mission that the text says differs."""
    excepts = {n.sentence for n in said.named if n.kind == "except"}
    plain = [n for n in said.named if not (n.denied or n.aside or n.sentence in excepts)]
    everyone = {
        n.sentence: n for n in plain if n.kind == "everyone" and not SOME.search(said.text[: n.span[0]])
    }
    always = {n.sentence: n for n in plain if n.kind == "univ"}
    placed = {n.sentence for n in said.named if n.kind in ("entity", "mission")}
    for claims, marks in ((directions, {**always, **everyone}), (list(said.classes), everyone)):
        for sentence, mark in marks.items():
            general = [c for c in claims if c.sentence == sentence and c.asserted]
            if not general or EITHER.search(said.text, mark.span[0], general[0].span[1] + 20):
                continue
            label = general[0].label
            named = {n.value for n in said.named if n.sentence == sentence and n.kind == "entity"}
            against = [
                c for c in claims
                if c.asserted and c.chunk != general[0].chunk
                and c.label != label
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


def bounds(said: Extraction, figures: list[Claim], prompt: str) -> Iterator[Check]:
    """Yes or no to "is it larger than 5,000?"."""
    asked = [m.value for m in prompt_mentions(prompt) if m.kind == "num"]
    limits = [n for n in asked if isinstance(n, Number) and (n.low is None) != (n.high is None)]
    answers = {c.label: c for c in said.answers if limits and not _led(said, c)}
    if len(limits) != 1 or len(answers) != 1:
        return
    plain = [c for c in figures if c.slot.quantity in (None, "deg", "deg_up", "deg_down")]
    asked_limit = limits[0]
    told = {c.value for c in said.numbers} - {asked_limit.value}
    # With two figures it is open which of them is held against the limit.
    if plain and told == {plain[0].value}:
        value = plain[0].value or 0.0
        true = value > asked_limit.value if asked_limit.low is not None else value < asked_limit.value
        label, claim = next(iter(answers.items()))
        yield Check(
            "yes or no against the figure", (label == "YES") == true,
            f"{label} with {value:g} against {asked_limit.value:g}",
            (claim.span, plain[0].span),
        )  # fmt: skip
