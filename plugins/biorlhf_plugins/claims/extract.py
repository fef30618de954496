"""One pass over a text: ``extract(text, prompt)``. The last texts are remembered, so that the four
verifiers of one completion share the work."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from biorlhf_plugins.claims.clauses import Sentence, sentences
from biorlhf_plugins.claims.lexicon import Additions, with_additions
from biorlhf_plugins.claims.mentions import Mention, scan, scan_stance
from biorlhf_plugins.claims.polarity import modalities
from biorlhf_plugins.claims.records import Extraction
from biorlhf_plugins.claims.resolve import ROLES, Reader, read_sentence, supersede, values
from biorlhf_plugins.claims.text import Token, clean, tokens


def extract(text: str, prompt: str = "", additions: Additions | None = None) -> Extraction:
    """Read a text's claims. Never raises; linear in the text, of which 16,000 characters are read.

    ``prompt`` gives what the text leaves unsaid (the tissue, the set, the condition), never a claim.
    ``additions`` are names beyond the built-in lexicon.
    """
    return _extract(text, prompt, additions or Additions())


@functools.lru_cache(maxsize=64)
def _extract(text: str, prompt: str, additions: Additions) -> Extraction:
    lexicon = with_additions(additions)
    cleaned = clean(text)
    stream = tokens(cleaned.text)
    mentions = scan(stream, lexicon)
    parts = sentences(stream, mentions)
    marks = modalities(stream, mentions, parts)
    reader = Reader(stream, cleaned, given(prompt, additions), marks)
    for number, part in enumerate(parts):
        read_sentence(reader, part, number)
    claims = supersede(
        reader.claims, [m.first for m in mentions if m.kind == "corr"], answer_blocks(stream, parts)
    )
    by_kind = {k: tuple(c for c in claims if c.kind == k) for k in ("number", "direction", "class")}
    return Extraction(text, by_kind["number"], by_kind["direction"], by_kind["class"])


@functools.lru_cache(maxsize=256)
def given(prompt: str, additions: Additions) -> dict[str, tuple[Any, ...]]:
    """What a prompt speaks of: role -> distinct values."""
    mentions = scan(tokens(clean(prompt).text), with_additions(additions))
    return {role: values(mentions, role) for role in ROLES}


def answer_blocks(stream: Sequence[Token], parts: Sequence[Sentence]) -> list[tuple[int, int]]:
    """Token ranges of explicit answers: "Answer: …", "Final answer: …"; a final one outranks the others."""
    blocks: list[tuple[int, int, bool]] = []
    for part in parts:
        head = [t.text for t in stream[part.first : part.first + 4]]
        for start, opening in (
            (0, ["answer", ":"]),
            (0, ["final", "answer"]),
            (0, ["the", "answer", "is"]),
            (0, ["the", "final", "answer"]),
        ):
            if head[start : start + len(opening)] == opening:
                blocks.append((part.first, part.last, "final" in opening))
    finals = [b for b in blocks if b[2]]
    return [(first, last) for first, last, _ in (finals or blocks)]
