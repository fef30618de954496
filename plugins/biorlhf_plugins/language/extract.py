"""One pass over a text: ``extract(text, prompt)``. The last texts are remembered, so that the four
verifiers of one completion share the work."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from biorlhf_plugins.language.claims.corrections import answer_blocks, supersede
from biorlhf_plugins.language.claims.foils import with_foils
from biorlhf_plugins.language.claims.qualifiers import OPENS_INTERVAL
from biorlhf_plugins.language.claims.reader import ROLES, Reader, values
from biorlhf_plugins.language.claims.resolve import read_sentence
from biorlhf_plugins.language.claims.rows import label_rows
from biorlhf_plugins.language.records import Claim, Extraction, Named, Span, new_named
from biorlhf_plugins.language.sentences.arithmetic import equations
from biorlhf_plugins.language.sentences.clauses import FOCI, Sentence, sentences
from biorlhf_plugins.language.sentences.neither import spelt_out
from biorlhf_plugins.language.sentences.polarity import modalities
from biorlhf_plugins.language.stance.confidence import read_confidence
from biorlhf_plugins.language.stance.contradictions import contradictions
from biorlhf_plugins.language.stance.stance import (
    abstentions,
    agreements,
    degenerate,
    prompt_vocabulary,
    prompt_words,
    yes_no,
)
from biorlhf_plugins.language.words.degrees import STAYING
from biorlhf_plugins.language.words.lexicon import Additions, with_additions
from biorlhf_plugins.language.words.mentions import DATABASE_WORDS, Mention, scan, scan_stance
from biorlhf_plugins.language.words.names import foreign
from biorlhf_plugins.language.words.text import Stream, stream_of, vocabulary

MOST = 400
"""Numbers, directions and classes that are read of one text: the first and the last half of this many."""

ASKS_CONFIDENCE = frozenset(("confidence", "confident", "certainty", "certain", "sure"))
TURNS = frozenset(("but", "leave", "leaving"))
TURNING = frozenset(("dir", "report", "reject", "hyp"))
PREDICTS = vocabulary("predict expect anticipate hypothesize hypothesise forecast prediction expectation")
EXPECTS = vocabulary("would expect expected")
"""Mentions that may take back what a text says, or may do nothing."""
SO = frozenset(("so", "hence", "thus", "therefore"))
NEGATIONS = frozenset(("not", "no", "never"))
ARROWS = frozenset(("↑", "↓"))
"""What no question holds: "p53 pathway: ↑" repeats its words and answers."""

GUESSING = frozenset(("maybe", "perhaps", "probably", "presumably", "possibly"))
CLAUSE_OPENS = GUESSING | {",", ":", ";", "—", "so", "but", "and", "then"}
POLAR = vocabulary("is are was were do does did will would can could should has have had may might")
OPEN = vocabulary("or whether which what who how why when where if")
ANSWERING = frozenset(("dir", "type", "pattern", "phrase", "neg"))
YES_NO = frozenset(("yes", "no"))
ASKS = frozenset(("do", "does", "did"))
"""What opens a question whose other words, repeated, are an answer: "Do all tissues show rescue?"."""

NAMED = frozenset((
    "phrase", "everyone", "except", "univ", "sig", "entity", "path", "condition", "mission", "type",
    "pattern",
))  # fmt: skip


def extract(text: str, prompt: str = "", additions: Additions | None = None) -> Extraction:
    """Read a text's claims. Never raises; linear in the text, of which 12,000 characters are read.

    ``prompt`` gives what the text leaves unsaid (the tissue, the set, the condition), never a claim.
    ``additions`` are names beyond the built-in lexicon.
    """
    return _extract(text, prompt, additions or Additions())


@functools.lru_cache(maxsize=64)
def _extract(text: str, prompt: str, additions: Additions) -> Extraction:
    lexicon = with_additions(additions)
    stream = spelt_out(stream_of(text))
    asked = given(prompt, additions)
    question = prompt_vocabulary(prompt)
    mentions = _thinned([m for m in scan(stream, lexicon) if m.kind != "dir" or not _joined(stream, m)])
    mentions = [
        m for n, m in enumerate(mentions)
        if m.kind not in TURNING or not _turns_nothing(stream, mentions, n, question)
    ]  # fmt: skip
    mentions = foreign(stream, mentions, question)
    mentions = with_foils(stream, mentions, prompt, additions)
    parts = sentences(stream, mentions)
    label_rows(stream, parts, additions)
    marks = modalities(stream, mentions, parts)
    sums = equations(stream, mentions)
    operands = frozenset(i for e in sums for i in range(e.first, e.last - 1))
    ask(stream, parts, marks, prompt)
    reader = Reader(stream, asked, marks, question, operands=operands)
    reader.intervals = not stream.vocabulary.isdisjoint(OPENS_INTERVAL)
    reader.own = any(kind == "quantity" for kind, *_ in additions.entries)
    reader.quotients = frozenset(e.last - 1 for e in sums if e.operator == "/")
    blocks = answer_blocks(stream, parts)
    opening = {first for first, _ in blocks[:20]}
    reader.fresh = (
        frozenset(n for n, part in enumerate(parts) if part.first in opening) if opening else frozenset()
    )
    for number, part in enumerate(parts):
        read_sentence(reader, part, number)
    claims = supersede(reader.claims, [m.first for m in mentions if m.kind == "corr"], blocks)
    claims = _reasoned(claims, stream)
    stance = scan_stance(stream, lexicon)
    barred = abstentions(stream, parts, stance, marks)
    confidence = read_confidence(stream, mentions, stance, asks_confidence(prompt))
    for _, (start, end), _ in confidence.found[:50]:
        claims = [c for c in claims if c.kind != "number" or not (start <= c.span[0] and c.span[1] <= end)]
    by_kind = {k: tuple([c for c in claims if c.kind == k]) for k in ("number", "direction", "class")}
    return Extraction(
        text,
        by_kind["number"],
        by_kind["direction"],
        by_kind["class"],
        agreements=tuple(agreements(parts, stream, marks)),
        answers=tuple(yes_no(stream, parts, stance, marks)),
        confidence=confidence,
        abstains=tuple(stream.span(first, last) for first, last in barred),
        rejects_premise=tuple(stream.span(m.first, m.last) for m in stance if m.kind == "premise"),
        named=tuple(_named(reader, parts)),
        answers_anyway=functools.partial(
            contradictions, prompt, stream, parts, stance, claims, barred, asked["entity"]
        ),
        unknown_sets=tuple(_unknown_sets(reader, mentions)),
        degenerate=degenerate(stream, stance, mentions, prompt),
        stream=stream,
        clean=stream.clean,
        parts=parts,
        marks=marks,
    )


@functools.lru_cache(maxsize=256)
def asks_confidence(prompt: str) -> bool:
    return not ASKS_CONFIDENCE.isdisjoint(prompt_words(prompt))


@functools.lru_cache(maxsize=256)
def given(prompt: str, additions: Additions) -> dict[str, tuple[Any, ...]]:
    """What a prompt speaks of: role -> distinct values."""
    mentions = prompt_mentions(prompt, additions)
    return {role: values(mentions, role) for role in ROLES}


def _thinned(mentions: list[Mention]) -> list[Mention]:
    """Without the middle of more statements than an answer has: the first and last ones are read."""
    if len(mentions) <= MOST:
        return mentions
    foci = [m.first for m in mentions if m.kind in FOCI]
    if len(foci) <= MOST:
        return mentions
    low, high = foci[MOST // 2], foci[-MOST // 2]
    return [m for m in mentions if not low <= m.first < high]


def _turns_nothing(stream: Stream, mentions: Sequence[Mention], n: int, question: frozenset[str]) -> bool:
    if mentions[n].kind in ("report", "reject"):
        return _of_question(stream, mentions[n], question)
    if mentions[n].kind == "hyp":  # "It is expected to fall", where a prediction is asked for
        told = stream.texts[mentions[n].first : mentions[n].last]
        return not PREDICTS.isdisjoint(question) and not EXPECTS.isdisjoint(told)
    return _goes_on(stream, mentions, n)


def _of_question(stream: Stream, m: Mention, question: frozenset[str]) -> bool:
    """Does the question itself ask of "that earlier study", or of what "was wrong"?"""
    told = set(stream.texts[m.first : m.last]) - {"is", "was", "are", "were", "the", "an", "a", "that", "not"}
    return bool(told) and len(told & question) >= min(2, len(told))


def _reasoned(claims: list[Claim], stream: Stream) -> list[Claim]:
    """ "Bmi1 represses Cdkn2a, so Cdkn2a is up": the first was the reason, and not what was seen."""
    if SO.isdisjoint(stream.vocabulary):
        return claims
    told = [c for c in claims if c.kind == "direction" and c.label in ("UP", "DOWN")]
    reasons = {
        c for c, d in pairwise(told)
        if c.about == "named" and c.sentence == d.sentence and c.slot.pathways == d.slot.pathways
        and c.label != d.label and not SO.isdisjoint(stream.texts[c.chunk : d.chunk])
        and c.asserted and d.asserted
    }  # fmt: skip
    return [c._replace(modality="hypothetical") if c in reasons else c for c in claims]


def _goes_on(stream: Stream, mentions: Sequence[Mention], n: int) -> bool:
    """The "stays the same" of "it is down and stays the same", which takes no direction back."""
    m = mentions[n]
    if stream.texts[m.first] not in STAYING:
        return False
    before = [d for d in mentions[max(0, n - 3) : n] if d.kind == "dir" and m.first - d.last <= 4]
    return bool(before) and "." not in stream.texts[before[-1].last : m.first]


def _joined(stream: Stream, m: Mention) -> bool:
    """The "stimulated" of "LPS-stimulated macrophages", which tells what was done to them."""
    token, before = stream[m.first], stream[m.first - 1]
    if m.first == 0 or token.text not in DONE or before.text in UNDONE:
        return False
    after = stream[m.last] if m.last < len(stream) else None
    named = after is not None and after.kind == "w" and after.text not in NOT_THINGS
    return named and stream.clean.text[before.end : token.start] == "-"


def ask(stream: Stream, parts: Sequence[Sentence], marks: list[str], prompt: str) -> None:
    """Mark what only asks: a sentence that ends with "?", or that repeats the prompt word for word."""
    words, known = prompt_words(prompt), prompt_vocabulary(prompt)
    asked, size = " ".join(words), len(words)
    for part in parts:
        first, last = part.first, part.last
        while first < last and stream[first].kind == "p":
            first += 1
        question = last < len(stream) and stream.texts[last] == "?" and not _guessed(stream, parts, part)
        # A row of a table asks nothing: "| IL6 | UP |".
        told = question or part.kind == "row" or last - first < 4
        if not told and ARROWS.isdisjoint(stream.texts[first:last]):
            begins = stream.texts[first] in known
            if begins or (4 <= size <= last - first and words[-1] in stream.texts[first:last]):
                spoken = [n for n in range(first, last) if stream[n].kind != "p"]
                said = " ".join([stream.texts[n] for n in spoken])
                stated = words[0] in ASKS and said == " ".join(words[1:]) and "or" not in known
                # Of "up or down in RR-6 skin?" the second half, said alone, chooses.
                chosen = " or " not in said and f" or {said} " in f"{asked} "
                question = begins and said in asked and not (stated or chosen)
                if not question and size >= 4 and said.endswith(asked):
                    # "I don't know" before the question's words is the answer's own.
                    first, question = spoken[-size], True
        if question:
            marks[first:last] = ["quoted"] * (last - first)


def _guessed(stream: Stream, parts: Sequence[Sentence], part: Sentence) -> bool:
    """Is "so perhaps it falls?" all that a text answers, and asks nobody? A confidence is stated of it."""
    texts = stream.texts[part.first : part.last]
    if GUESSING.isdisjoint(texts) or ASKS_CONFIDENCE.isdisjoint(stream.vocabulary):
        return False
    opens = [word for before, word in pairwise((",", *texts)) if before in CLAUSE_OPENS]
    if not OPEN.isdisjoint(texts) or not POLAR.isdisjoint(opens):
        return False
    others = [m.kind for other in parts if other is not part for m in other.mentions]
    return ANSWERING.isdisjoint(others) and YES_NO.isdisjoint(stream.texts[part.last :])


def _denies(texts: Sequence[str], neg: Mention, m: Mention, named: Sequence[Mention]) -> bool:
    """Does a negation before a name reach it? The "no" of "no CD3E, so NK cells" ends with its own name."""
    own = next((n for n in named if n.first == neg.last and texts[neg.first] == "no"), m)
    turn = m.first - 1 - (texts[m.first - 1] in ("the", "a"))  # "not STAT1 but STAT3"
    denied_itself = not NEGATIONS.isdisjoint(texts[m.last : m.last + 3])
    turned = neg.last < turn <= neg.last + 4 and texts[turn] in TURNS and not denied_itself
    return neg.first < m.first and not turned and set(texts[own.last : m.first]) <= {"or", "nor", "and", ","}


def _named(reader: Reader, parts: Sequence[Sentence]) -> Iterator[Named]:
    texts = reader.stream.texts
    chained = ">" in reader.stream.clean.text or "<" in reader.stream.clean.text
    for number, part in enumerate(parts):
        denies, compares = "neg" in part.inside, "cmp" in part.inside
        for chunk in part.chunks if not NAMED.isdisjoint(part.inside) else ():
            named = [m for m in chunk.mentions if m.kind in NAMED]
            negations = [m for m in chunk.mentions if m.kind == "neg"] if named and denies else ()
            references = [m.first for m in chunk.mentions if m.kind == "cmp"] if named and compares else ()
            for m in named:
                denied = bool(negations) and any(_denies(texts, neg, m, named) for neg in negations)
                compared = bool(references) and any(0 < m.first - at <= 3 for at in references)
                near = texts[max(0, m.first - 4) : m.first][::-1] if chained else ()
                link = next((text for text in near if text in "><"), "") if near else ""
                yield new_named((
                    m.kind, m.value, reader.stream.span(m.first, m.last), number, denied, compared,
                    bool(reader.marks[m.first]), link,
                ))  # fmt: skip


def _unknown_sets(reader: Reader, mentions: Sequence[Mention]) -> Iterator[tuple[str, Span]]:
    """Names with a database's prefix that no database has: HALLMARK_QUANTUM_REPAIR."""
    if reader.stream.vocabulary.isdisjoint(DATABASE_WORDS):
        return
    starts = {m.first for m in mentions if m.kind == "path"}
    text, done = reader.stream.clean.text, 0
    for index, token in enumerate(reader.stream):
        if token.text not in DATABASE_WORDS or token.start < done:
            continue
        joined = text[token.end : token.end + 1] == "_"
        if joined and not starts & {index, index + 1, index + 2, index + 3}:
            end = token.end
            while end < len(text) and (text[end].isalnum() or text[end] == "_"):
                end += 1
            done = end
            yield text[token.start : end].upper(), reader.stream.clean.span(token.start, end)


@functools.lru_cache(maxsize=1024)
def prompt_mentions(prompt: str, additions: Additions = Additions()) -> tuple[Mention, ...]:  # noqa: B008
    """What the content lexicon finds in a prompt or another short text."""
    return tuple(scan(stream_of(prompt), with_additions(additions)))


DONE = vocabulary("stimulated induced activated depleted deprived suppressed inhibited enriched")
NOT_THINGS = frozenset(("in", "by", "during", "under", "after", "and", "but", "set", "pathway", "gene"))
UNDONE = frozenset(("up", "down", "over", "under", "hyper", "co", "non", "re", "self", "auto", "super"))
