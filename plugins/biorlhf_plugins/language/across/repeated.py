"""What one sentence denies or reserves and another says in the same words: "no patient had an event. One
patient had an event"; "only A does. B does as well"; "both do: A does, B does not".
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.comparisons import prompt_tokens
from biorlhf_plugins.language.evidence.parts import TIMES
from biorlhf_plugins.language.evidence.records import Check, Evidence, Figure
from biorlhf_plugins.language.evidence.shares import is_of
from biorlhf_plugins.language.evidence.signs import directions
from biorlhf_plugins.language.evidence.statements import NEUTRAL, content_of
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import vocabulary

NAME = "what is denied and stated"
NOT = frozenset(("not", "no", "never", "without", "neither", "nor", "none", "nobody", "absent", "undetected"))
SOME = frozenset(("some", "several", "one", "two", "few"))
NOBODY = frozenset(("nobody", "none"))
ANY = frozenset(("any", "not"))
OPENING = frozenset(("after", "before", "during", "until", "later", "then", "once"))
PLACES = frozenset(("in", "at", "under", "with", "on", "after"))
ALSO = frozenset(("also", "too", "well", "likewise"))
BOTH = frozenset(("both", "all"))
FOUND = frozenset(("detected", "detectable", "found", "present", "observed", "seen", "recovered", "isolated"))
SENTENCES = 60
"""Of an answer, that are held against each other."""
LIMITED = vocabulary("only most all every some almost nearly hardly rarely both if")
"""Words by which "not detected" is not of all."""


def repeated(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    words = found.stream.vocabulary
    if not words.isdisjoint(("no", "any", *NOBODY)):
        yield from _none(found)
    if "only" in words and not words.isdisjoint(ALSO):
        yield from _only(found)
        yield from _also(found)
    if not words.isdisjoint(BOTH):
        yield from _both(found)
    if not words.isdisjoint(FOUND):
        yield from _detected(found)
    yield from _turned(found)
    yield from _echoed(found)


def _read(found: Evidence) -> range:
    """The sentences that are held against each other: those of an answer, not of a book."""
    return range(min(len(found.parts), SENTENCES))


def _texts(found: Evidence, number: int) -> list[str]:
    part = found.parts[number]
    return found.stream.texts[part.first : part.last] if part.kind == "prose" else []


def _spans(found: Evidence, *numbers: int) -> tuple[tuple[int, int], ...]:
    parts = [found.parts[n] for n in numbers]
    return tuple(found.span(p.first, p.last) for p in parts)


def _numbers(found: Evidence, first: int, last: int) -> set[float]:
    """The values of the numbers in [first, last), and of one alone."""
    values = [t.number for t in found.stream[first:last]]
    return {n.value for n in values if isinstance(n, Number)}


def _denied(found: Evidence, number: int) -> frozenset[str]:
    """What a sentence says of none: "no patient had an event", "not detected in any sample"."""
    texts, words = _texts(found, number), found.words(number) - NEUTRAL
    if "," in texts:
        return frozenset()
    if texts[:1] == ["no"]:
        return words if len(words) > 1 else frozenset()
    if texts[:1] and texts[0] in NOBODY:
        return words - NOBODY
    if "not" in texts and "any" in texts[texts.index("not") :]:
        after = set(texts[texts.index("not") :])
        return frozenset(w for w in words if w in after) - ANY
    return frozenset()


def _none(found: Evidence) -> Iterator[Check]:
    """ "No N did V" and "one N did V", with no other time or place between them."""
    for one in _read(found):
        denied, texts = _denied(found, one), _texts(found, one)
        for other in _read(found) if denied else ():
            told, start = _texts(found, other), found.parts[other].first
            stop = told.index(",") if "," in told else len(told)
            figures = [f for f in found.by_part.get(other, ()) if f.kind == "count" and f.value]
            of = texts[0] not in ("no", *NOBODY)
            counts = bool(told) and (told[0] in SOME or any(of or f.first == start for f in figures))
            if other == one or not counts or not NOT.isdisjoint(told):
                continue
            own = {w for w in found.words(other) if w in told[:stop]} - NEUTRAL - SOME
            numbers = _numbers(found, found.parts[one].first + 1, found.parts[one].last)
            placed = not PLACES.isdisjoint(told[1:])
            free = own == denied or ((of or texts[0] in NOBODY) and not (placed and not of))
            free = free and told[0] not in PLACES and OPENING.isdisjoint(told)
            late = own - denied <= TIMES and not placed
            said = (denied <= own and (free or late)) or _of_same(texts, denied, own)
            if said and numbers <= _numbers(found, start + 1, start + stop):
                says = f"none: {' '.join(sorted(denied))}; and {' '.join(told[:2])}"
                yield Check(NAME, False, says, _spans(found, one, other))
                return


def _of_same(texts: list[str], denied: frozenset[str], own: set[str]) -> bool:
    """ "None of the 54 isolates was resistant; 6 of the 54 were resistant": the noun is said once."""
    noun = texts[4:5] if texts[1:3] == ["of", "the"] and texts[3:4] and texts[3].isdigit() else []
    return bool(noun) and denied - own == set(noun) and own == denied - set(noun)


def _only(found: Evidence) -> Iterator[Check]:
    """ "Only cluster 6 expresses it. Cluster 2 expresses it as well"; "only in females; in males too"."""
    for one in _read(found):
        texts = _texts(found, one)
        if "only" not in texts or "," in texts or "not" in texts:
            continue
        placed = texts[texts.index("only") + 1 :][:1]
        for other in _read(found)[one + 1 :]:
            told = _texts(found, other)
            ends = [word for word in told if word.isalnum()][-1:]
            also = ("also" in told or (bool(ends) and ends[0] in ALSO)) and NOT.isdisjoint(told)
            shared = (found.words(one) & found.words(other)) - NEUTRAL - ALSO
            more = len(found.words(other) - ALSO - shared - NEUTRAL)
            again = (
                (len(shared) >= 2 or (shared and len(told) <= 4)) and more <= 1
                if texts[0] == "only"
                else (placed == told[:1] and bool(shared) and more <= 2 and other == one + 1)
            )
            subject = told[1:2] if placed == told[:1] else told[:2]
            object_same = texts[0] != "only" or _last(found, one) == _last(found, other)
            again = again and object_same and not set(subject) - {"the"} <= set(texts)
            if also and again and (texts[0] == "only" or placed[0] in PLACES):
                says = f"only one, and {' '.join(told[:3])} as well"
                yield Check(NAME, False, says, _spans(found, one, other))
                return


def _also(found: Evidence) -> Iterator[Check]:
    """ "Detected only in ciliated cells. It is also detected in secretory cells"."""
    for one in _read(found)[:-1]:
        texts, told = _texts(found, one), _texts(found, one + 1)
        at = texts.index("only") if "only" in texts else 0
        if not at or "not" in texts or ("also" not in told and told[-2:-1] != ["well"]):
            continue
        if not NOT.isdisjoint(told) or not at + 1 < len(texts):
            continue
        shared = (found.words(one) & found.words(one + 1)) - NEUTRAL - ALSO
        placed = texts[at + 1]
        subject = [w for w in texts if w in found.words(one)][:1]
        of_it = told[:1] in (["it"], ["they"]) or set(subject) <= set(told[:3])
        place = told[told.index(placed) + 1 :] if placed in PLACES and placed in told else []
        new = {w for w in place if w in found.words(one + 1)} - found.words(one)
        alone = texts[at - 1] == "the" and texts[at + 1] in found.words(one)
        if (new and of_it and len(shared) >= 2) or (alone and shared and len(told) <= 7):
            says = f"only {' '.join(texts[at + 1 : at + 4])}, and another as well"
            yield Check(NAME, False, says, _spans(found, one, one + 1))


def _last(found: Evidence, number: int) -> str:
    """The last word of a sentence that names something."""
    words = [word for word in _texts(found, number) if word in found.words(number) - ALSO]
    return words[-1] if words else ""


def _both(found: Evidence) -> Iterator[Check]:
    """ "Both do: A responds, B does not respond"."""
    for number in _read(found):
        texts = _texts(found, number)
        colon = texts.index(":") if ":" in texts else 0
        head, rest = texts[:colon], texts[colon + 1 :]
        if not colon or colon > 4 or BOTH.isdisjoint(head[:2]) or not NOT.isdisjoint(head):
            continue
        denies = [i for i, word in enumerate(rest) if word == "not"]
        asked = content_of(found.prompt)
        if len(denies) == 1 and (
            set(rest[denies[0] + 1 : denies[0] + 2]) & asked or rest[denies[0] + 1 :] == ["."]
        ):
            says = f"{' '.join(head)}, and {' '.join(rest[max(0, denies[0] - 2) : denies[0] + 2])}"
            yield Check(NAME, False, says, _spans(found, number))


def _part_of(found: Evidence, number: int) -> tuple[Figure, Figure] | None:
    """The one "k of n" of a sentence that has no other figures."""
    figures = [f for f in found.by_part.get(number, ()) if f.kind == "count" and not f.sign]
    pair = len(figures) == 2 and is_of(found, *figures) and figures[0].value <= figures[1].value > 0
    return (figures[0], figures[1]) if pair else None


def _tail(found: Evidence, number: int, figure: Figure) -> list[str]:
    """The words after a figure, up to a bracket."""
    words = found.stream.texts[figure.last : found.parts[number].last]
    return [w for w in words[: words.index("(") if "(" in words else None] if w.isalnum()]


def _detected(found: Evidence) -> Iterator[Check]:
    """ "It was still detected: 0 of 26 samples"."""
    for number in _read(found):
        texts, pair = _texts(found, number), _part_of(found, number)
        head = texts[: texts.index(":")] if ":" in texts else []
        tail = _tail(found, number, pair[1]) if pair else []
        told = len(tail) < 3 or "positive" in tail
        if pair is None or not told or FOUND.isdisjoint(head) or not LIMITED.isdisjoint(head):
            continue
        denied = not NOT.isdisjoint(head) or "longer" in head
        says = f"{'not found' if denied else 'found'}, with {pair[0].value:g} of {pair[1].value:g}"
        yield Check(NAME, denied == (pair[0].value == 0), says, (pair[0].span, pair[1].span))


def _turned(found: Evidence) -> Iterator[Check]:
    """ "IFIT1 is upregulated by it. IFIT1 is downregulated by it"; "mecA was detected. mecA is absent"."""
    said: dict[frozenset[str], tuple[int, str]] = {}
    for number in _read(found):
        texts = _texts(found, number)
        if "," in texts or not OPENING.isdisjoint(texts):
            continue  # "Then it falls"
        ways = directions(found, number)
        states = ["found"] * (not FOUND.isdisjoint(texts)) + ["absent"] * ("absent" in texts)
        labels = [label for label, _ in ways if label in ("UP", "DOWN")] or states
        if len(labels) != 1 or not NOT.isdisjoint(set(texts) - {"absent"}):
            continue
        start = found.parts[number].first
        words = (
            found.words(number) - NEUTRAL - FOUND - {"absent"} - {found.stream.texts[at] for _, at in ways}
        )
        numbers = _numbers(found, start, found.parts[number].last)
        for own, (other, label) in said.items() if not numbers else ():
            alike = own == words or (labels[0] in states and own - words <= _after_by(found, other))
            if alike and words and {label, labels[0]} in ({"UP", "DOWN"}, {"found", "absent"}):
                says = f"{label.lower()} and {labels[0].lower()}: {' '.join(sorted(words))}"
                yield Check(NAME, False, says, _spans(found, other, number))
                return
        said.setdefault(words, (number, labels[0]))


def _after_by(found: Evidence, number: int) -> frozenset[str]:
    """The PCR of "was detected by PCR": how, and not where."""
    texts = _texts(found, number)
    return found.words(number) & set(texts[texts.index("by") :] if "by" in texts else ())


AUXILIARIES = frozenset(("does", "did", "do"))
UNLESS = frozenset(("or", "unless", "without", "if", "only", "until"))


def _echoed(found: Evidence) -> Iterator[Check]:
    """ "Does it grow in iron-poor medium?" "Yes. It does not grow in iron-poor medium"."""
    answers = {c.label: c for c in found.said.answers}
    asked = content_of(found.prompt) - AUXILIARIES
    if len(answers) != 1 or len(asked) < 2 or not NOT.isdisjoint(prompt_tokens(found.prompt).vocabulary):
        return
    label, claim = next(iter(answers.items()))
    for number in range(claim.sentence, min(claim.sentence + 2, len(found.parts))):
        texts = _texts(found, number)
        words = found.words(number) - NEUTRAL - AUXILIARIES
        if number == claim.sentence:
            words -= frozenset(("yes", "no"))
            texts = texts[1:]
        if not asked <= words or words - asked or {",", ":"} & set(texts[2:]) or found.by_part.get(number):
            continue
        if not UNLESS.isdisjoint(texts):
            continue
        denies = sum(word in NOT for word in texts)
        if denies <= 1:
            says = f"{label}, and {' '.join(texts[:8])}"
            passed = (label == "YES") == (denies == 0)
            yield Check("yes or no against the evidence", passed, says, _spans(found, number))
