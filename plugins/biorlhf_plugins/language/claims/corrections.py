"""What the text takes back: "sorry, correction", and the answer block that settles its slots."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from biorlhf_plugins.language.records import Claim
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.words.text import Stream

OPENINGS = (["answer", ":"], ["final", "answer"], ["the", "answer", "is"], ["the", "final", "answer"])


def supersede(
    claims: list[Claim], corrections: Sequence[int], finals: Sequence[tuple[int, int]]
) -> list[Claim]:
    """Mark what a later "sorry, correction" or an explicit answer block replaces in the same slot."""
    if not corrections and not finals:
        return claims
    last: dict[tuple, int] = {}
    final: set[tuple] = set()
    marked = []
    starts = [first for first, _ in finals]
    for claim in claims:
        block = bisect_right(starts, claim.chunk) - 1
        inside = block >= 0 and claim.chunk < finals[block][1]
        claim = claim._replace(final=inside) if inside else claim
        marked.append(claim)
        if claim.asserted:
            last[_key(claim)] = claim.chunk
            if inside:
                final.add(_final_key(claim))
    result = []
    for claim in marked:
        key = _key(claim)
        later = last.get(key, -1)
        after = bisect_right(corrections, claim.chunk)
        replaced = (after < len(corrections) and corrections[after] <= later) or (
            _final_key(claim) in final and not claim.final
        )
        result.append(
            claim._replace(modality="corrected") if replaced and claim.modality == "asserted" else claim
        )
    return result


def _final_key(claim: Claim) -> tuple:
    """What an answer block settles: a set's direction, whatever condition the reasoning spoke of."""
    if claim.kind == "direction":
        return claim.kind, claim.slot.pathways, claim.slot.entity, claim.slot.mission
    return _key(claim)


def _key(claim: Claim) -> tuple:
    slot = claim.slot
    quantity = slot.quantity if claim.kind != "number" or slot.quantity not in (None, "deg") else "count"
    return claim.kind, slot.entity, slot.condition, slot.treatment, quantity, slot.pathways, slot.mission


def answer_blocks(stream: Stream, parts: Sequence[Sentence]) -> list[tuple[int, int]]:
    """Token ranges of explicit answers: "Answer: …", "Final answer: …"; a final one outranks the others."""
    blocks: list[tuple[int, int, bool]] = []
    for part in parts if "answer" in stream.vocabulary else ():
        head = stream.texts[part.first : part.first + 3]
        for opening in OPENINGS:
            if head[: len(opening)] == opening:
                blocks.append((part.first, part.last, "final" in opening))
    finals = [b for b in blocks if b[2]]
    return [(first, last) for first, last, _ in (finals or blocks)]
