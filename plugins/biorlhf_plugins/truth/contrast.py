"""The two sides of a contrast as frames: the words that stand for its numerator and for its denominator.

"Higher in the denominator" is DOWN, whatever the sides are called: KO_vs_WT, drug_vs_vehicle, T2D_vs_control.
A side is known by its name, by the generic words of its class ("wild type" for WT, "placebo" for a control),
by an abbreviation's full form, and by what the question calls it ("palbociclib" for drug).
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from biorlhf_plugins.language.words.lexicon import base, frame_words, grammar, words
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import clean, tokens, vocabulary

REFERENCES = frozenset(("control", "normal", "wildtype"))
"""Classes of which a contrast's denominator usually is; as a numerator they turn it round."""

CONTROLS = re.compile("ground|control|vehicle|sham")
TIMES = ("before", "after")

LOSSES = frozenset((
    "ko", "knockout", "knock", "knockdown", "morphant", "crispant", "null", "deficient", "mutant",
    "deletion", "deleted", "loss", "cko", "-",
))  # fmt: skip
SHARED = vocabulary("positive negative high low cell tissue group arm up down 1 2 3 4")
"""Last words that tell no side from the other: "ER positive", "stage 2"."""

COMPARES = frozenset(("versus", "vs", "vs.", "relative", "compared", "than", "against"))
ENDS = frozenset((".", ",", ";", ":", "?", "!", "(", ")", "and", "or", "\n"))
FORMS = (("ia$", "ic"), ("sis$", "tic"), ("sis$", "ses"), (r"^non[ -]?(?=\w{3})", "non "))
"""Hypoxia and hypoxic, sepsis and septic, metastasis and metastases, nonresponders and non-responders."""

NAMED = 4
"""Letters by which a side's name is known in the question's words."""

DELETED = re.compile(r"(?:[Δ∆δ]|delta[ -]?|d(?=[A-Z]|[a-z]{3}[A-Z]))([A-Za-z]\w*)")
Entry = tuple[str, str, tuple[str, ...]]


@functools.cache
def tables() -> dict[str, dict[str, list[str]]]:
    return json.loads((Path(__file__).parent / "sides.json").read_text("utf-8"))  # type: ignore[no-any-return]


@functools.cache
def _classes() -> dict[tuple[str, ...], list[str]]:
    by_phrase: dict[tuple[str, ...], list[str]] = {}
    for name, phrases in tables()["classes"].items():
        for phrase in phrases:
            by_phrase.setdefault(words(phrase), []).append(name)
    return by_phrase


def class_of(side: str) -> str | None:
    """ "wildtype" for WT, "control" for vehicle_8h; None for a name of no class."""
    listed = words(side.replace("_", " "))
    if listed in _classes():
        return _classes()[listed][0]
    opening = _classes().get(listed[:1], [""])[0]
    if opening in TIMES:
        return opening  # "post treatment", "before surgery": of one treatment, which tells neither
    # From the end: in English the head of a name stands last.
    parts = (_classes().get((word,)) for word in reversed(listed))
    return next((part[0] for part in parts if part), None)


def is_reference(side: str) -> bool:
    """Is a side a control, whatever it is called?"""
    # Also inside a code such as GroundCtrl or sham2, where no word of its own stands.
    kind = class_of(side)
    return kind in REFERENCES or kind == TIMES[0] or CONTROLS.search(side.lower()) is not None


def sides(contrast: str) -> tuple[str, str] | None:
    """(numerator, denominator) of "KO_vs_WT", with spaces for underscores."""
    numerator, link, denominator = contrast.partition("_vs_")
    if not link:
        return None
    return numerator.replace("_", " "), denominator.replace("_", " ")


@functools.lru_cache(maxsize=256)
def turned(contrast: str) -> bool:
    """True where the denominator stands first: such a contrast is read from its other side."""
    named = sides(contrast)
    return named is not None and is_reference(named[0]) and not is_reference(named[1])


def frames(contrast: str, prompt: str = "") -> Iterator[Entry]:
    """Entries of the lexicon for the two sides; none for a contrast whose groups the lexicon has."""
    named = sides(contrast)
    if named is None or _known(named[0], "condition"):
        return
    if all(_known(side, "frame") for side in named):
        return
    # Prose is read in one frame, treated against control. A control-first contrast is turned here, and its
    # labels are turned with it where the gold is made.
    case, reference = reversed(named) if turned(contrast) else named
    phrases = {
        "FLIGHT": list(_phrases(case)),
        "GROUND": list(_phrases(reference)),
    }
    if class_of(reference) in REFERENCES:
        phrases["GROUND"] += [p for name in REFERENCES for p in tables()["classes"][name]]
        # Of a knock-out, "the treated group" would be another group.
        if class_of(case) is None or class_of(case) in ("treated", "disease"):
            phrases["FLIGHT"] += tables()["classes"]["treated"]
    if class_of(reference) == TIMES[0]:
        phrases["FLIGHT"] += tables()["classes"][TIMES[1]]
    for frame, name in zip(phrases, _asked_names(case, prompt), strict=False):
        phrases[frame] += [name, *re.findall(r"\bat (.+)", name)]  # "kept at 22 °C": "seedlings at 22 °C"
    lost = list(_lost(case, prompt))
    phrases["FLIGHT"] += lost
    taken = {words(case): "FLIGHT", words(reference): "GROUND"}  # a name that both have is the first one's
    for frame, listed in phrases.items():
        names = [p for p in listed if words(p) and taken.setdefault(words(p), frame) == frame]
        if names:
            yield "frame", frame, tuple(dict.fromkeys(names))
    if lost:
        # "X needs Ifnar1" says that X is lower without it.
        forms = tables()["knockout"]
        needs = (form.format(gene) for gene in _knocked(case, prompt) for form in forms["needs"])
        yield "dir", "DOWN", (*forms["needed"], *needs)


@functools.lru_cache(maxsize=1024)
def side_names(contrast: str, prompt: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the numerator is called, and what the denominator; a name that both have is neither's."""
    named = sides(contrast)
    if named is None:
        return (), ()
    listed = {value: phrases for kind, value, phrases in frames(contrast, prompt) if kind == "frame"}
    listed = listed or {frame: tuple(names) for frame, names in frame_words().items()}
    case, reference = (listed.get(frame, ()) for frame in ("FLIGHT", "GROUND"))
    pair = (reference, case) if turned(contrast) else (case, reference)
    one, two = ({side, *names} for side, names in zip(named, pair, strict=True))
    return tuple(sorted(one - two)), tuple(sorted(two - one))


def _known(name: str, kind: str) -> bool:
    mentions = scan(tokens(clean(name).text), base())
    return any(m.kind == kind for m in mentions)


def _phrases(side: str) -> Iterator[str]:
    yield side
    kind = class_of(side)
    if kind:
        yield from tables()["classes"][kind]
    listed = words(side)
    if len(listed) > 1:
        told = kind in (None, TIMES[1]) and listed[-1] not in SHARED and len(listed[-1]) > 1
        yield listed[-1] if told else side
    yield from tables()["names"].get("".join(listed), ())
    yield from deletions(side)
    yield from (
        re.sub(written, other, side, flags=re.I) for written, other in FORMS if re.search(written, side, re.I)
    )
    yield f"{side} treated"
    yield f"{side} treatment"


def deletions(name: str) -> Iterator[str]:
    """What a deletion mutant written as ΔNS1, dNS1 or delta-NS1 is called."""
    match = DELETED.fullmatch(name)
    if match is not None:
        yield from (form.format(match[1]) for form in tables()["knockout"]["deleted"])


def _asked_names(case: str, prompt: str) -> tuple[str, ...]:
    """What the question itself calls the sides: "in C-section infants compared with vaginally born infants",
    "in heat-treated seedlings than in seedlings kept at 22 °C"; () where it compares nothing in words."""
    texts = tokens(clean(prompt).text).texts
    at = next((i for i, word in enumerate(texts) if word in COMPARES), 0)
    small = grammar()["preposition"] | grammar()["determiner"] | grammar()["auxiliary"]
    first, last = at, at + 1
    while first > 0 and texts[first - 1] not in small and texts[first - 1].isalnum():
        first -= 1
    while last < len(texts) and texts[last] in small:
        last += 1
    end = last
    while end < len(texts) and texts[end] not in ENDS:
        end += 1
    one, two = texts[first:at], texts[last:end]
    if not one or not two:
        return ()
    if one[-1] in two:
        # A noun that both have tells neither: "infants" and "infants"; of "smokers" and "never-smokers" the
        # longer name is found first.
        if len(one) > 1:
            one, two = one[:-1], [w for w in two if w != one[-1]]
    else:
        two = two[:1]  # "septic versus healthy monocytes"
    numerator = "".join(words(case))[:NAMED]
    if numerator in "".join(two) and numerator not in "".join(one):
        one, two = two, one
    # Only beside the numerator's own name: "What does it do to the set vs vehicle?" names no side.
    return (" ".join(one), " ".join(two)) if one and two and numerator in "".join(one) else ()


def _lost(case: str, prompt: str) -> Iterator[str]:
    """Ways to speak of a knock-out by the gene that the question names: "without Ifnar1"."""
    if class_of(case) not in ("knockout", "mutant"):
        return
    for name in _knocked(case, prompt):
        for form in tables()["knockout"]["lost"]:
            yield form.format(name)


def _knocked(case: str, prompt: str) -> Iterator[str]:
    """The gene of a knock-out: the word before "knock-out" or "null", or after "loss of"."""
    small = grammar()["preposition"] | grammar()["determiner"]
    listed = [*words(case), "|", *(t.text for t in tokens(clean(prompt).text))]
    for index, word in enumerate(listed):
        if word in LOSSES:
            after = listed[index + 2 : index + 3] if listed[index + 1 : index + 2] == ["of"] else []
            for name in (*listed[max(0, index - 1) : index], *after):
                if len(name) > 2 and name not in small and name not in LOSSES:
                    yield name
