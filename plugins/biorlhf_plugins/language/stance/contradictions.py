"""Does a text that declines to answer answer after all?"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.records import Claim, Span
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.stance.stance import FUNCTION_WORDS, prompt_words
from biorlhf_plugins.language.words.mentions import MISSIONS, Mention
from biorlhf_plugins.language.words.text import Stream, vocabulary
from biorlhf_plugins.language.words.vocabulary import METHODS

Tokens = tuple[int, int]
GENE = re.compile(r"\b(?:[A-Z][a-z]{1,6}\d{1,3}[a-z]?\d?|[A-Z]{2,6}\d{1,3}[A-Z]?|[A-Z][a-z]{2,5}\d?)\b")

TURNS = frozenset(("but", "so", "however", "still", "yet", "though"))
CONCESSIONS = frozenset(("while", "although", "though", "whilst", "despite", "notwithstanding"))
"""A refusal that one of these opens is conceded only, and ends at its comma."""

MOLECULES = vocabulary(
    "gene protein factor regulator receptor enzyme mediator kinase molecule cytokine driver biomarker "
    "mirna hormone ligand"
)
POLAR = vocabulary("is are was were do does did will would can could should shall has have had may might")
REFERENCES = frozenset(("as", "than", "like"))
"""Before what a question only compares with: "the same pattern as hippocampus"."""
OPEN = vocabulary(
    "whether if question ask asked may might could would not no cannot never unknown perhaps possibly"
)
EFFECTS = frozenset(("log2fc", "fc", "nes", "ratio"))
PRONOUNS = frozenset(("it", "there", "they", "that", "this", "one"))
ORDINALS = frozenset(("first", "second", "third", "fourth", "fifth"))
UNCOUNTED = frozenset(("number", "count", "total"))
UNTOLD = frozenset(("mouse", "tissue", "mission", "group", "padj", "other"))
"""Quantities that answer nothing, even after "my guess is"."""

SENTENCES = 200
"""Sentences that are compared with a yes/no question."""

ECHOED = 0.6
"""Share of a yes/no question's longer words that a clause must repeat to answer it with yes."""

WORDS = {
    kind: frozenset(words.split())
    for kind, words in {
        "bare": "many much what number count value",
        "dose": "dose much dosage amount intake supplement concentration",
        "nes": "ne nes enrichment score",
        "deg": "deg many gene count",
        "deg_up": "deg many gene count",
        "deg_down": "deg many gene count",
        "time": "long duration survival lifespan latency day week month hour when time schedule",
        "percent": "percent percentage fraction probability likely chance proportion risk rate",
        "ratio": "fold ratio time much",
        "log2fc": "fold log2fc change log2",
        "padj": "padj significance",
        "mouse": "mice mouse animal people astronaut human",
        "direction": "up down upregulated downregulated direction way increase decrease higher lower "
        "increased decreased change changed respond affected",
        "class": "type pattern rescue class",
    }.items()
}
"""Words of a question that ask for a figure of a kind, a direction or a class."""


def contradictions(
    prompt: str,
    stream: Stream,
    parts: Sequence[Sentence],
    stance: Sequence[Mention],
    claims: Sequence[Claim],
    barred: Sequence[tuple[int, int]],
    places: Collection[object] = (),
) -> list[Span]:
    """Spans that answer the prompt although the text says that it cannot be answered.

    A figure of the kind asked for, a direction where one is asked for, a gene named where a gene is
    asked for, "yes", or whatever follows "so the …", "my best guess", "probably". What stands in a
    clause that itself declines, or is about another tissue or species than the prompt, is support.
    """  # fmt: skip
    if not barred:
        return []
    words = prompt_words(prompt)
    asked = set(words) - {w for before, w in pairwise(words) if before in REFERENCES}
    starts = [part.first for part in parts]
    guessed = {_sentence_of(starts, m.first): m.first for m in stance if m.kind == "guess"}
    refusals = {_sentence_of(starts, first): last for first, last in barred}
    found: list[Span] = []
    for claim in claims:
        if not claim.asserted or claim.sentence >= len(parts):
            continue
        part = parts[claim.sentence]
        if claim.kind == "number" and _of_another(words, stream.texts[part.first : part.last]):
            continue
        guess = guessed.get(claim.sentence)
        after_guess = guess is not None and guess <= claim.chunk
        refused = refusals.get(claim.sentence)
        if refused is not None and not after_guess and not _after_cut(stream, refused, claim.chunk, part):
            continue
        if (
            (after_guess and claim.slot.quantity not in UNTOLD)
            or _asked_for(claim, asked, places)
            or _of_the_asked(stream, claim, part, asked)
            or _there(stream, refused or part.first, claim, part)
        ):
            found.append(claim.span)
    told = list(_told(stream, parts, refusals))
    found += (stream.span(*clause) for clause in _restated(prompt, stream, told[:SENTENCES]))
    if asked & MOLECULES:
        found += _genes(stream.source, prompt, (stream.span(first, part.last) for first, part in told))
    return found


def _there(stream: Stream, first: int, claim: Claim, part: Sentence) -> bool:
    """ "…, but the log2FC is 3.2 there": told of the very place that was not looked at."""
    texts = stream.texts
    effect = claim.slot.quantity in EFFECTS if claim.kind == "number" else claim.label in ("UP", "DOWN")
    return effect and any(
        texts[i] == "there" and POLAR.isdisjoint(texts[i + 1 : i + 2]) for i in range(first, part.last)
    )


def _after_cut(stream: Stream, refused: int, at: int, part: Sentence) -> bool:
    """True where a "but" or "so" stands between the refusal and the claim."""
    turn = _turn(stream, refused, part)
    return turn is not None and turn < at


def _turn(stream: Stream, refused: int, part: Sentence) -> int | None:
    """Where a sentence that declines turns: at a "but", or at the comma of "While it is hard to say,"."""
    conceded = stream.texts[part.first] in CONCESSIONS or stream.texts[part.first] == "even"
    for i in range(refused, part.last):
        if stream.texts[i] in TURNS or (conceded and stream.texts[i] == ","):
            return i
    return None


def _told(
    stream: Stream, parts: Sequence[Sentence], refusals: dict[int, int]
) -> Iterator[tuple[int, Sentence]]:
    """(first token, sentence) of what is told: without the clause that declines."""
    for number, part in enumerate(parts):
        first = _turn(stream, refusals[number], part) if number in refusals else part.first
        if first is not None and first < part.last:
            yield first, part


def _restated(prompt: str, stream: Stream, told: Iterable[tuple[int, Sentence]]) -> Iterator[Tokens]:
    """Clauses that state what a yes/no question asks: "…, but kaempferol will protect astronauts"."""
    words = prompt_words(prompt)
    asked = {w for w in words if len(w) > 3}
    if not words or words[0] not in POLAR or len(asked) < 3:
        return
    for first, part in told:
        if stream.texts[min(part.last, len(stream) - 1)] == "?":
            continue
        spoken = set(stream.texts[first : part.last])
        if len(asked & spoken) >= ECHOED * len(asked) and not spoken & OPEN:
            yield first, part.last


def _sentence_of(starts: Sequence[int], token: int) -> int:
    return max(0, bisect_right(starts, token) - 1)


def _of_another(asked: Sequence[str], told: Sequence[str]) -> bool:
    """Does a sentence speak of donor 3 or the second year, and not of the asked donor 4 or third year?"""
    own, spoken = set(pairwise(asked)), set(pairwise(told))
    heads = {(a, 0) for a, b in own if _labels(b)} | {(b, 1) for a, b in own if _labels(a)}
    others = {p for p in spoken if (_labels(p[1]) and (p[0], 0) in heads)
              or (_labels(p[0]) and (p[1], 1) in heads)}  # fmt: skip
    return bool(others - own) and not others & own


def _labels(word: str) -> bool:
    return word[:1].isdigit() or word in ORDINALS


def _of_the_asked(stream: Stream, claim: Claim, part: Sentence, asked: set[str]) -> bool:
    """ "It carries 64 mutations", where mutations are asked for and nothing else is spoken of."""
    quantity = claim.slot.quantity
    if claim.kind != "number" or quantity is None or quantity in WORDS or claim.low is not None:
        return False
    counted = set(quantity.split())
    verb = part.first + 1 if stream.texts[part.first] in PRONOUNS else -1
    unit = claim.chunk + 1 if claim.chunk + 2 >= part.last else -1
    foreign = [
        i for i in range(part.first, part.last)
        if stream[i].kind != "p" and i not in (verb, unit, claim.chunk)
        and stream.texts[i] not in FUNCTION_WORDS | PRONOUNS and stream.texts[i] not in asked | counted
    ]  # fmt: skip
    told = stream.texts[claim.chunk - 1] in POLAR  # "the viral load is 4,100 copies"
    return (told or counted <= asked | UNCOUNTED) and not foreign


def _asked_for(claim: Claim, asked: set[str], places: Collection[object]) -> bool:
    slot = claim.slot
    elsewhere = slot.entity not in places and not set((slot.entity or "").split()) & asked
    if "entity" in slot.stated and slot.entity is not None and elsewhere:
        return False
    if not slot.stated and _plain_statement(claim):
        return True
    if claim.kind == "number":
        if slot.quantity is None:
            return bool(asked & WORDS["bare"]) and claim.low is None
        return bool(asked & WORDS.get(slot.quantity, frozenset()))
    if claim.kind == "direction":
        return claim.label in ("UP", "DOWN") and bool(asked & WORDS["direction"])
    return bool(asked & WORDS["class"])


def _plain_statement(claim: Claim) -> bool:
    """A figure or direction without a subject of its own has the prompt's: "The count is 1,234 DEGs"."""
    if claim.kind == "number":
        return claim.slot.quantity in ("deg", "deg_up", "deg_down", "nes", "log2fc") and claim.low is None
    return claim.kind == "direction" and claim.label in ("UP", "DOWN")


def _genes(text: str, prompt: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Gene symbols within the spans that the prompt does not name."""
    known = set(GENE.findall(prompt))
    for start, end in spans:
        for match in GENE.finditer(text, start, min(end, start + 2000)):
            numbered = any(c.isdigit() for c in match[0]) and not match[0].lower().startswith(MISSIONS)
            if numbered and match[0] not in known and match[0].lower() not in METHODS:
                yield match.span()
