"""A change that is taken as told, against what was told: "X was unchanged. … The reduction of X"."""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.language.evidence.records import FUNCTION, Check, Evidence
from biorlhf_plugins.language.evidence.signs import directions

NOUNS = {
    **dict.fromkeys(["reduction", "decrease", "decline", "fall", "drop"], "DOWN"),
    "downregulation": "DOWN",
    **dict.fromkeys(["increase", "rise", "gain", "elevation", "upregulation"], "UP"),
}  # fmt: skip
PARTICIPLES = {
    **dict.fromkeys(["reduced", "decreased", "downregulated", "repressed", "lowered"], "DOWN"),
    **dict.fromkeys(["increased", "elevated", "upregulated", "induced", "raised"], "UP"),
}  # fmt: skip
CLAUSES = frozenset((";", "but", "while", "whereas", "although"))
PLACING = frozenset(("in", "at", "after", "before", "under", "during", "by", "on", "with", "however"))
LEADS = frozenset(("the", "this", "that", "its"))


def presumed(found: Evidence) -> Iterator[Check]:
    """Every check of this room."""
    texts = found.stream.texts
    for number, part in enumerate(found.parts):
        if texts[part.first] in PLACING:
            continue  # "In kidney, the reduction of Myc was strong"
        for at in range(part.first, part.last - 2):
            if texts[at] not in LEADS or not found.asserted(at):
                continue
            noun = NOUNS.get(texts[at + 1]) if texts[at + 2] in ("of", "in") else None
            way = noun or PARTICIPLES.get(texts[at + 1])
            name = at + (3 if noun else 2)
            name += name < part.last and texts[name] == "the"
            if way and name < part.last and found.stream[name].kind == "w" and texts[name] not in FUNCTION:
                yield from _held(found, number, at, way, texts[name])


def _held(found: Evidence, number: int, at: int, way: str, name: str) -> Iterator[Check]:
    """Against the one direction of a clause that has this name before it, in an earlier sentence."""
    texts = found.stream.texts
    for earlier in range(number - 1, -1, -1):
        part = found.parts[earlier]
        own = [i for i in range(part.first, part.last) if texts[i] == name]
        if not own or part.kind == "row":
            continue
        cuts = [
            i for i in range(part.first, part.last)
            if texts[i] in CLAUSES or (texts[i] == "and" and texts[i - 1] == ",")
        ]  # fmt: skip
        clause = sum(cut < own[0] for cut in cuts)
        said = [(w, i) for w, i in directions(found, earlier) if sum(cut < i for cut in cuts) == clause]
        if len({w for w, _ in said}) != 1 or said[0][1] - own[0] > 9:
            return
        # "Drought raised ABA. The increase in ABA was …": nothing says where or when another was.
        after = at + 3 + (texts[at + 3] == "the")
        caused = own[0] == said[0][1] + 1 and earlier == number - 1
        caused = caused and texts[after : after + 2][-1:] in (["was"], ["is"], ["were"], ["are"])
        if own[0] > said[0][1] and not caused:
            return
        told = said[0][0]
        if told == "NS" or caused:  # what rises may fall later
            says = f"{name}: {told}, and then {way}"
            spans = (found.span(said[0][1], said[0][1] + 1), found.span(at, at + 2))
            yield Check("one direction, told twice", told == way, says, spans, alone=told == way)
        return
