"""V1 on short answers (yes, no, a name) and on rankings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction, Named, Slot
from biorlhf_plugins.truth.credits import OPEN_GUESS, YES_NO_GUESS
from biorlhf_plugins.truth.free.ranks import turned
from biorlhf_plugins.truth.free.restated import displaced, second, verdict
from biorlhf_plugins.truth.free.rivals import rivals
from biorlhf_plugins.truth.gold import Gold, canonical_name
from biorlhf_plugins.truth.graded import Graded

CUTS = frozenset((",", ";", ":", "(", "and", "but"))
SEVERAL = 8
"""Mentions of one name that are looked at."""

FENCE = re.compile(
    r"\b(?:yes and no|no and yes|both yes and no|neither yes nor no)\b"
    r"|\byes\b[^.!?]*\bno\b(?=\s*(?:[.,;!?)]|$))",
    re.I,
)
LOW = "lowest|least|fewest|smallest|weakest|slowest|shortest|lightest|rarest|poorest|bottom"
HIGH = "highest|most|largest|strongest|fastest|longest|heaviest|commonest|richest|top|greatest"
NUMBERED = re.compile(r"(?:^|[,;:])\W*?(\d{1,2})[.) ](?!\d)", re.MULTILINE)
"""The numbers of a list."""
ASCENDS = re.compile(
    rf"\b(?:(?:{LOW})(?: \w+)?(?: to |[-–]to[-–]| up to )(?:the )?(?:{HIGH})|(?:{LOW})(?: \w+)? first"
    r"|(?:ascending|increasing|rising) order|ascending|from the bottom up(?:ward)?s?)\b"
    rf"|^\W*(?:the )?(?:{LOW})\b[^.;]*\bthen\b", re.I,
)  # fmt: skip


def grade_answer(gold: Gold, said: Extraction, prompt: str, graded: Graded) -> None:
    assert gold.answer is not None
    if gold.answer_kind is None:
        graded.guesses.append(YES_NO_GUESS)
        labels = {c.label: c for c in said.answers if c.label in ("YES", "NO")}
        if not labels and (label := verdict(said, prompt)):
            labels = {label: Claim("answer", Slot(), (0, len(said.text)), label=label)}
        if FENCE.search(said.text):
            labels = {}  # "Yes and no" is no answer
        _grade_labels(gold.answer.upper(), labels, graded, f"answer: {gold.answer}")
        return
    kind, value = gold.answer_kind
    choices = gold.truth.get("choices")
    graded.guesses.append(1.0 / len(choices) if choices else OPEN_GUESS)
    if kind == "dir":
        named: dict[Any, Any] = {c.label: c for c in said.directions if c.asserted}
    else:
        names = _first_named(said, kind, _context(gold, prompt), prompt)
        other = _turned(said, kind, value, choices or (), prompt)
        if other is not None:
            names = other
        elif kind in ("phrase", "entity", "path") and names and displaced(said, names[0], prompt):
            # What is told of it later may still be the answer.
            later = [n for n in said.named if n.value == names[0].value and n.span > names[0].span]
            again = any(not (n.denied or n.aside or displaced(said, n, prompt)) for n in later[:SEVERAL])
            names = names[:1] if again else []
        named = {n.value: n for n in names}
        told = [n.span for n in said.named if n.value == value and not (n.denied or n.aside or n.compared)]
        if value in named:
            named |= {f"?{name}": named[value] for name in rivals(said, told)[len(named) - 1 :]}
            # "Angiogenesis. Ribosome biogenesis. Hypoxia." names three of those offered, known or not.
            offered = _offered_alone(said.clean.text, choices or ())
            named |= {f"?{n}": named[value] for n in range(len(named), len(offered))}
    _grade_labels(value, named, graded, f"answer: {gold.answer}")


def _turned(
    said: Extraction, kind: str, value: Any, choices: Sequence[str], prompt: str
) -> list[Named] | None:
    """What is named by the first sentence that names anything, where it compares the other way round than
    the question: the Ler of "Col-0 grew more slowly than Ler", and of "Col-0 was slower", where it is the
    other of two that are offered. None where that sentence turns nothing."""
    for number, part in enumerate(said.parts):
        named = [n for n in said.named if n.kind == kind and n.sentence == number]
        texts = said.stream.texts
        at = turned(prompt, texts, part.first, part.last)
        if at is None or said.marks[at]:
            if named:
                return None
            continue
        start, end = (said.clean.span(t.start, t.end) for t in (said.stream[part.first], said.stream[at]))
        subject, whole = said.text[start[0] : end[0]].lower(), said.text.lower()
        if not CUTS.isdisjoint(texts[part.first : at]):
            return None
        behind = [n for n in named if n.span[0] > end[0] and not n.denied]
        if behind:
            than = not {"than", "behind"}.isdisjoint(texts[at + 1 : part.last])
            led = not choices or any(str(c).lower() in subject for c in choices)
            return behind[:1] if than and led else None
        if any(n.value == value for n in named):
            return []
        spoken = [c for c in choices if re.search(rf"(?<![\w-]){re.escape(str(c).lower())}(?![\w-])", whole)]
        other = len(choices) == 2 and len(spoken) == 1 and str(spoken[0]).lower() in subject
        return [Named(kind, value, (start[0], end[0]), number)] if other else None
    return None


def _offered_alone(text: str, choices: Sequence[str]) -> set[str]:
    """The offered names of which each stands alone as a sentence."""
    alone = {piece.strip().lower() for piece in re.split(r"[.!?;\n]+", text)}
    return {str(choice).lower() for choice in choices} & alone


def _context(gold: Gold, prompt: str) -> set[Any]:
    """Names that the question gives and does not offer: the lung of "Which of A and B is up in lung?"."""
    kind, value = gold.answer_kind or ("", None)
    given = {m.value for m in prompt_mentions(prompt, gold.additions) if m.kind == kind}
    offered = {canonical_name(str(c), gold.additions) for c in gold.truth.get("choices") or ()}
    return given - offered - {value} if offered or value not in given else set()


def _grade_labels(gold: Any, told: dict[Any, Any], graded: Graded, what: str) -> None:
    lines = [
        (float(label == gold), {"expected": what, "found": str(label), "where": list(claim.span)})
        for label, claim in told.items()
    ]
    graded.settle(what, lines, len(lines))


def _first_named(said: Extraction, kind: str, context: set[Any], prompt: str) -> list[Named]:
    """The names of a kind in the first sentence that gives one as an answer."""
    usable = [n for n in said.named if n.kind == kind and not n.denied and not n.aside]
    usable = [n for n in usable if n.value not in context and not second(said, n, prompt)]
    first = next((n.sentence for n in usable if not n.compared), None)
    names: list[Named] = []
    for n in usable:
        if n.sentence == first and not n.compared:
            names.append(n)
        elif n.sentence == first and n.compared:
            break
    alone = {n.value: n for n in usable if _stands_alone(said.text, n)}
    if len(alone) > 1:
        return list(alone.values())  # "Soleus. Liver. Heart." names three candidates
    listed = [n for n in names if n.span[0] - names[0].span[1] <= 40 or n.link]
    seen: dict[Any, Named] = {}
    previous = names[0] if names else None
    for n in listed:
        # Names of one list stand a comma or an "and" apart; what is further off is another statement.
        if previous is not None and n.span[0] - previous.span[1] > 12:
            break
        if n.link in "<>" and n.link:
            break
        seen.setdefault(n.value, n)
        previous = n
    return list(seen.values())


def _stands_alone(text: str, name: Named) -> bool:
    """Is a name a whole sentence?"""
    before, after = text[: name.span[0]].rstrip(), text[name.span[1] :].lstrip()[:1]
    return (not before or before[-1] in ".!?;\n") and after in (".", "!", "?", ";")


def grade_ranking(gold: Sequence[str], said: Extraction, prompt: str, graded: Graded) -> None:
    graded.guesses.append(YES_NO_GUESS if len(gold) == 2 else OPEN_GUESS)  # two names have two orders
    orders = rankings(said, gold, rising=ASCENDS.search(prompt) is not None)
    graded.answered = graded.answered or bool(orders)
    credits = [concordance(order, gold) for order in orders]
    rivals = len({tuple(order) for order in orders})
    # The last order, for a text may correct itself; divided, so that two orders do not pay.
    graded.credits.append(credits[-1] / rivals if orders else 0.0)
    graded.claims.extend(credits if rivals == 1 else [0.0] * rivals)  # of two orders, neither is told
    line = {"expected": "ranking: " + " > ".join(gold)}
    if not orders:
        graded.missed.append(line)
    for order, credit in zip(orders, credits, strict=True):
        (graded.matched if credit == 1 else graded.wrong).append({**line, "found": " > ".join(order)})


def rankings(said: Extraction, among: Sequence[str] = (), rising: bool = False) -> list[list[str]]:
    """Orders that the text states, highest first: chains with ">" or "<", else the order of first mention.
    ``rising``: the question wants them from the bottom, and so is the order of the gold."""
    wanted = set(among)
    entities = [
        n for n in said.named if n.kind == "entity" and not n.aside and (not wanted or n.value in wanted)
    ]
    chains: list[list[str]] = []
    by_sentence: dict[int, list[Named]] = {}
    for n in entities:
        by_sentence.setdefault(n.sentence, []).append(n)
    for names in by_sentence.values():
        linked = [n for n in names if n.link]
        if linked and len({n.value for n in names}) < len(names):
            # "TB reached 14, LB 4.5, hence TB > LB": the chain, and not the way to it.
            names = names[max(0, names.index(linked[0]) - 1) :]
        order = list(dict.fromkeys(str(n.value) for n in names))
        if linked and len(order) >= 2:
            chains.append(order[::-1] if linked[0].link == "<" else order)
    if chains:
        longest = max(len(c) for c in chains)
        # A shorter chain is a comparison on the way to the whole order.
        return [c for c in chains if len(c) == longest]
    order = list(dict.fromkeys(str(n.value) for n in entities))
    if len(order) < 2:
        return []
    places = [int(place) for place in NUMBERED.findall(said.text)]
    counts_down = len(places) > 1 and places == list(
        range(len(places), 0, -1)
    )  # "3. heart, 2. liver, 1. soleus"
    return [order[::-1] if counts_down or (ASCENDS.search(said.text) and not rising) else order]


def concordance(order: Sequence[str], gold: Sequence[str]) -> float:
    """Kendall's tau over the gold pairs, not below 0; a pair with a missing member counts as no agreement."""
    place = {name: i for i, name in enumerate(order)}
    pairs = [(a, b) for i, a in enumerate(gold) for b in gold[i + 1 :]]
    if not pairs:
        return 1.0 if list(order[:1]) == list(gold) else 0.0
    signs = [(place[a] < place[b]) - (place[a] > place[b]) for a, b in pairs if a in place and b in place]
    return max(0.0, sum(signs) / len(pairs))
