"""V3's checks of answers: yes and no, "all" and "none", and whether things agree, against what is stated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import Check
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.truth.free.directions import OPPOSITE

ALL = frozenset(("all", "every", "each"))
UNSHOWN = re.compile(r"[A-Za-z]-?\d+_[A-Za-z]|\bnot in\b", re.I)
"""Parts of one mission, and "down in thymus, not in kidney": what these add up to is not read."""


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
    if not ALL.isdisjoint(prompt_words(prompt)):
        directions = []  # "Did all fall?" is denied by one that did not
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
