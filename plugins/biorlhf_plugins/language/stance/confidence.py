"""The stated confidence, read in this order: a number, a category, words. It is never imputed."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.records import Confidence
from biorlhf_plugins.language.stance.page import Found, Page, heads, hedges, statistical
from biorlhf_plugins.language.stance.stakes import (
    SPREAD,
    bare,
    fraction,
    ratio_of,
    restated,
    scale,
    staked,
)
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Stream, vocabulary

LINKS = vocabulary(
    "is are of at about around roughly approximately level score was be by my to would the a estimated "
    "stand remain therefore overall in estimate set stated given quantified probability percentage value "
    "rating final sit lie hover rest land stay amount equal come somewhere near mere just only merely "
    "maybe perhaps currently now closer nearer under over well say put between circa approx no more than "
    "better at most best"
) | frozenset(':=~≈([—→|>,"\n')
OBJECT_STARTS = frozenset(("that", "of", "in", "about", "on", "for", "whether", "regarding", "concerning"))
COPULAS = frozenset(("is", "was", "be", "stand", "=", ":"))
"""After an object, what leads to the amount: "my confidence in this call is about 20 %"."""

STOPS = frozenset((".", "…", ";", "!", "?", "\n", "("))
NUMBER_BEFORE_GAP = 2
LONG_HEADING = 20
WRONG = frozenset(("wrong", "incorrect", "false", "mistaken", "error"))

ALTERNATIVES = vocabulary("( , . — or rather maybe perhaps possibly even make it actually no wait just about")


def read_confidence(
    stream: Stream, content: Sequence[Mention], stance: Sequence[Mention], asked: bool = False
) -> Confidence:
    """The confidence that a text states about its answer; ``asked`` says that the prompt wants one.

    The last explicit one wins; several that differ by more than 0.15, one out of range, or certainty
    in words against a low number are invalid.
    """
    triggers = [m for m in stance if m.kind in ("trigger", "sureness", "stake")]
    if not triggers and not asked:
        return Confidence()
    page = Page(stream, content, stance)
    for trigger in triggers:
        _read_trigger(page, trigger)
    restated(page)
    if asked and not page.found:
        bare(page)
    return _decide(page.found, [m.first for m in content if m.kind == "corr"])


def _read_trigger(page: Page, trigger: Mention) -> None:
    first, last = trigger.first, trigger.last
    if trigger.kind == "stake":
        staked(page, trigger)
        return
    if statistical(page, trigger):
        return
    got = _number_near(page, trigger)
    if got is not None and trigger.kind == "sureness" and got[0] is None:
        got = None  # "the 214 is probably an artefact"
    if got is not None:
        value, start, end = got
        relevant, inverted = _about_answer(page, trigger, end)
        if relevant and not any(how == "number" and at == start for _, _, how, at in page.found):
            value = 1.0 - value if inverted and value is not None else value
            page.state("number", value, min(first, start), max(last, end), start)
            _alternatives(page, max(last, end))
            level = _level_near(page, trigger)
            if level is not None:
                page.state("category", float(level.value), level.first, level.last, start)
        return
    if trigger.kind == "sureness":
        if not hedges(page, trigger) and not any(i in page.negations for i in range(first - 2, first)):
            relevant, inverted = _about_answer(page, trigger, last)
            if relevant and not inverted:
                page.state("words", float(trigger.value), first, last, first)
        return
    level = _level_near(page, trigger)
    if level is not None:
        relevant, _ = _about_answer(page, trigger, last)
        if relevant:
            start, end = min(first, level.first), max(last, level.last)
            page.state("category", float(level.value), start, end, start)
            hit = page.numbers.get(level.last + 1) if page.text(level.last) in ("(", ",", "=") else None
            if hit is not None and hit.value.unit == "percent":  # "high (90 %)"
                page.state("number", scale(hit.value), start, hit.last, hit.first)


def _alternatives(page: Page, at: int) -> None:
    """ "75 % (or rather 20 %, or 99 %)": the percentages that are offered instead."""
    for _ in range(4):
        first, other = at, False
        while page.text(at) in ALTERNATIVES and at < first + 6:
            other = other or page.text(at) in ("or", "perhaps", "maybe", "possibly")
            at += 1
        hit = page.numbers.get(at)
        if not other or hit is None or hit.value.unit != "percent":
            return
        page.state("number", scale(hit.value), hit.first, hit.last, hit.first)
        at = hit.last


def _number_near(page: Page, trigger: Mention) -> tuple[float | None, int, int] | None:
    """The number that belongs to a trigger: (value or None where invalid, first token, last token)."""
    labels = page.text(trigger.last) in (":", "=") and trigger.last + 1 in page.numbers
    felt = page.text(trigger.last - 1) in ("sure", "certain", "confident", "convinced")
    # "90 % sure: 736 were removed", "with 90 % confidence: 455 genes"
    before = page.number_ends.get(trigger.first)
    labels = labels and not (before is not None and (felt or before.value.unit == "percent"))
    for gap in range(0 if labels else NUMBER_BEFORE_GAP + 1):
        at = trigger.first - gap
        if gap and page.text(at) in (*STOPS, ",", ":", ")", "and", "but", "confidence", "certainty"):
            break
        hit = page.number_ends.get(at)
        if hit is not None:
            return _before(page, hit)
    if trigger.kind == "sureness" and page.text(trigger.last) in ("at", "("):
        return _at_level(page, trigger.last + 1)
    if trigger.kind == "sureness" or trigger.value == "likely" or page.text(trigger.first) == "likely":
        return None
    at, linked, heading = trigger.last, True, heads(page, trigger)
    named = page.text(at) in OBJECT_STARTS
    limit = at + (LONG_HEADING if heading else 16 if named else 7)
    while at < min(limit, len(page.stream)):
        hit = page.numbers.get(at)
        if hit is not None and _is_scale(page, hit):
            at = hit.last + 1
            continue
        if hit is not None:
            joined = linked or page.text(at - 1) in (":", "=", "is", "(", "at", "—", "of")
            return _after(page, hit) if joined else None
        if page.text(at) in (".", ";", "!", "?"):
            return None
        below_it = heading or at == trigger.last + 1 or page.text(at - 1) in (":", "\n")
        if page.text(at) == "\n" and not below_it:
            return None
        linked = heading or (linked and (page.text(at) in LINKS or at in page.levels))
        linked = linked or (named and page.text(at) in COPULAS)
        if not linked and not named:
            return None
        at += 1
    return None


def _at_level(page: Page, at: int) -> tuple[float | None, int, int] | None:
    """ "I am confident at the 90 % level", "certain (90 %)"."""
    while page.text(at) in ("the", "a", "about", "~"):
        at += 1
    hit = page.numbers.get(at)
    if hit is None or hit.value.unit != "percent" or page.text(hit.last) not in (")", "level"):
        return None
    return scale(hit.value), hit.first, hit.last


def _is_scale(page: Page, hit: Mention) -> bool:
    """True for the "(0-100)" that only says on which scale the confidence is given."""
    return page.text(hit.last) == ")" and hit.value.low in (0, 1) and hit.value.high in (1, 100)


def _before(page: Page, hit: Mention) -> tuple[float | None, int, int] | None:
    number: Number = hit.value
    first = hit.first
    share = fraction(page, hit) if page.text(hit.last) == "chance" else None
    if share is not None:  # "9 chances out of 10"
        return share[0], first, share[1]
    top = page.number_ends.get(first - (2 if page.text(first - 2) == "out" else 1))
    if top is not None and page.text(first - 1) in ("/", "of", "in"):
        ratio = ratio_of(top.value, number)
        if ratio is not None or page.text(first - 1) != "in":
            return ratio, top.first, hit.last
    if first - 1 in page.negations:
        return None
    if not number.unit and number.decimals == 0 and number.value > 1:
        unclear = page.text(hit.last) != "%" and number.value < 50
        return None if unclear else (scale(number), first, hit.last)
    return scale(number), first, hit.last


def _after(page: Page, hit: Mention) -> tuple[float | None, int, int] | None:
    number: Number = hit.value
    ratio = fraction(page, hit)
    if ratio is not None:
        return ratio[0], hit.first, ratio[1]
    if number.unit not in ("", "percent") or page.text(hit.last) in ("deg", "gene", "mission", "tissue"):
        return None
    again = page.numbers.get(hit.last + 1 + (page.text(hit.last + 1) in ("ie", "i.e.", "or", "=")))
    if page.text(hit.last) == "(" and again is not None and page.text(again.last) == ")":
        apart = abs((scale(again.value) or 0.0) - (scale(number) or 0.0)) > SPREAD
        if again.value.unit == "percent" and apart:
            return None, hit.first, again.last  # "0.9 (i.e. 30 %)"
    return scale(number), hit.first, hit.last


def _level_near(page: Page, trigger: Mention) -> Mention | None:
    word = page.text(trigger.last - 1)
    if word in ("sure", "certain", "confident", "convinced", "likely"):
        return page.level_ends.get(trigger.first) if word == "confident" else None
    before = page.level_ends.get(trigger.first)
    if before is not None and word in ("confidence", "certainty", "conviction"):
        return before
    at, linked, heading = trigger.last, True, heads(page, trigger)
    named = page.text(at) in OBJECT_STARTS
    while at < min(trigger.last + (LONG_HEADING if heading else 10 if named else 5), len(page.stream)):
        word = page.text(at)
        if at in page.levels and linked:
            return page.levels[at]
        linked = heading or (linked and word in LINKS) or (named and word in COPULAS)
        stops = word in STOPS and not (heading and word == "\n")
        if stops or word == "," or not (linked or named):
            return None
        at += 1
    return None


def _about_answer(page: Page, trigger: Mention, end: int) -> tuple[bool, bool]:
    """(is it about the answer?, is it about the answer being wrong?)"""
    start = trigger.last - (page.text(trigger.last - 1) in OBJECT_STARTS)
    if page.text(start) not in OBJECT_STARTS or _amount(page, start + 1):
        start = max(trigger.last, end)
        if page.text(start) not in OBJECT_STARTS:
            if page.text(trigger.last - 1) not in ("sure", "certain", "confident") or end > trigger.last:
                return True, False
            start = trigger.last - 1
    known, aside, wrong, size = False, False, False, 0
    for index in range(start + 1, min(start + 13, len(page.stream))):
        word = page.text(index)
        if (
            word in STOPS
            or word in (",", ":", ")", "]", "and", "but", "because", "based", "given")
            or (index in page.numbers and index > start + 1)
        ):
            break
        size += 1
        known = known or index in page.about
        aside = aside or index in page.asides
        wrong = wrong or word in WRONG
    if aside:
        return False, False
    return known or size == 0, wrong


def _amount(page: Page, at: int) -> bool:
    """True for the "about 90 %" of "a confidence of about 90 %", which is no object of the confidence."""
    while page.text(at) in LINKS and at not in page.about:
        at += 1
    return at in page.numbers


def _decide(everything: Sequence[Found], corrections: Sequence[int]) -> Confidence:
    """What several statements come to; a number after the last correction replaces those before it."""
    numbers, categories, said = (
        [f for f in everything if f[2] == how] for how in ("number", "category", "words")
    )
    if corrections and numbers and numbers[-1][3] > corrections[-1]:
        numbers = [n for n in numbers if n[3] > corrections[-1]]
    everything = (*numbers, *categories, *said)
    found = tuple((-1.0 if v is None else v, span, how) for v, span, how, _ in everything)
    if any(value is None for value, *_ in numbers):
        return Confidence(None, "a confidence out of range or without a clear scale", numbers[-1][1], found)
    for group, spread in ((numbers, SPREAD), (categories, SPREAD), (said, 2 * SPREAD)):
        if not group:
            continue
        stated = [value for value, *_ in group if value is not None]
        if max(stated) - min(stated) > spread + 1e-9:
            return Confidence(None, "stated confidences that contradict each other", group[-1][1], found)
        value = stated[-1]
        others = [v for v, *_ in (*categories, *said) if v is not None]
        if group is not said and any(o >= 0.9 for o in others) and value < 0.5:
            return Confidence(None, "certainty in words against a low stated confidence", group[-1][1], found)
        low = any(v is not None and v <= 0.3 for v, *_ in categories) and group is numbers
        if (low or any(o <= 0.1 for o in others)) and value >= 0.8:
            return Confidence(
                None, "low or no confidence in words against a high stated confidence", group[-1][1], found
            )
        return Confidence(value, "", group[-1][1], found)
    return Confidence()
