"""Does a text that declines to answer answer after all?"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from biorlhf_plugins.language.records import Claim, Span
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Clean, Stream

Tokens = tuple[int, int]
GENE = re.compile(r"\b(?:[A-Z][a-z]{1,6}\d{1,3}[a-z]?\d?|[A-Z]{2,6}\d{1,3}[A-Z]?|[A-Z][a-z]{2,5}\d?)\b")

NO_GENES = frozenset(("KMP", "HU", "IR", "DEG", "DEGs", "RNA", "RR1", "RR3", "RR6", "RR7", "RR8", "RR9"))
TURNS = frozenset(("but", "so", "however", "still", "yet", "though"))
CONCESSIONS = frozenset(("while", "although", "though", "whilst", "despite", "notwithstanding"))
"""A refusal that one of these opens is conceded only, and ends at its comma."""

MOLECULES_WORDS = """gene protein factor regulator receptor enzyme mediator kinase molecule cytokine
driver biomarker mirna hormone ligand"""
MOLECULES = frozenset(MOLECULES_WORDS.split())
POLAR_WORDS = "is are was were do does did will would can could should shall has have had may might"
POLAR = frozenset(POLAR_WORDS.split())
REFERENCES = frozenset(("as", "than", "like"))
"""Before what a question only compares with: "the same pattern as hippocampus"."""
OPEN_WORDS = (
    "whether if question ask asked may might could would not no cannot never unknown perhaps possibly"
)
OPEN = frozenset(OPEN_WORDS.split())
EFFECTS = frozenset(("log2fc", "fc", "nes", "ratio"))
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
    text: str,
    prompt: str,
    stream: Stream,
    clean_text: Clean,
    parts: Sequence[Sentence],
    stance: Sequence[Mention],
    claims: Sequence[Claim],
    barred: Sequence[tuple[int, int]],
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

    def span_of(clause: Tokens) -> Span:
        return clean_text.span(stream[clause[0]].start, stream[clause[1] - 1].end)

    found: list[Span] = []
    for claim in claims:
        if not claim.asserted or claim.sentence >= len(parts):
            continue
        part = parts[claim.sentence]
        guess = guessed.get(claim.sentence)
        after_guess = guess is not None and guess <= claim.chunk
        refused = refusals.get(claim.sentence)
        if refused is not None and not after_guess and not _after_cut(stream, refused, claim.chunk, part):
            continue
        if (
            (after_guess and claim.slot.quantity not in UNTOLD)
            or _asked_for(claim, asked)
            or _there(stream, refused or part.first, claim, part)
        ):
            found.append(claim.span)
    told = list(_told(stream, parts, refusals))
    found += (span_of(clause) for clause in _restated(prompt, stream, told[:SENTENCES]))
    if asked & MOLECULES:
        found += _genes(text, prompt, (span_of((first, part.last)) for first, part in told))
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


def _asked_for(claim: Claim, asked: set[str]) -> bool:
    slot = claim.slot
    if "entity" in slot.stated and slot.entity is not None and not set(slot.entity.split()) & asked:
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
    known = set(GENE.findall(prompt)) | NO_GENES
    for start, end in spans:
        for match in GENE.finditer(text, start, min(end, start + 2000)):
            if match[0] not in known and any(c.isdigit() for c in match[0]):
                yield match.span()
