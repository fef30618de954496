"""What a treatment does to a set that something else moved: "LPS induces it; dexamethasone lowers it again".

The first clause is of another contrast than the asked one. What counts is the clause whose subject is the
treatment that the question names: its own direction, or the first one turned round ("reverses this") or kept
("amplifies it").
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from biorlhf_plugins.language.claims.general import DETERMINERS, FUNCTION, GENERIC
from biorlhf_plugins.language.records import Claim, Extraction
from biorlhf_plugins.language.words.lexicon import grammar, inflect, words
from biorlhf_plugins.language.words.text import vocabulary

TURNED = {"UP": "DOWN", "DOWN": "UP"}
UNDO = """reverse restore normalise normalize rescue counteract blunt attenuate dampen abolish cancel offset
oppose correct revert antagonise antagonize relieve prevent block annul neutralise neutralize"""
ADD = "amplify boost strengthen add intensify aggravate exacerbate worsen reinforce potentiate"
UNDOES = vocabulary(
    " ".join(["undo undid undoes cancelled", *(" ".join(inflect(verb)) for verb in UNDO.split())])
)
ADDS = vocabulary(" ".join(["amplified intensified", *(" ".join(inflect(verb)) for verb in ADD.split())]))
DENIES = frozenset(("not", "no", "cannot", "never", "neither", "nor", "hardly", "without", "fail", "failed"))
OPENS = frozenset((";", ",", ".", ":", "—", "(", "\n", "and", "but", "which", "while", "whereas", "although",
                   "though", "that", "then", "!", "?"))  # fmt: skip
ENDS = frozenset((".", ";", "!", "?", "\n"))
ASKS = frozenset(("do", "does", "did", "will", "can"))
EFFECTS = vocabulary("effect influence impact action")
EVIDENCE = vocabulary(
    "data result analysis gsea we i figure here overall evidence answer show shows shown find found see seen "
    "yes no enrichment score nes sample cell mouse tissue patient"
)
STANDS_FOR = vocabulary("drug treatment compound inhibitor antibody therapy medication")
OBJECT = 4
"""Tokens before a direction in which a verb has it for its object."""
SKIPPED = DETERMINERS | {"with", "under", "upon", "on"}
"""Between a clause's opening and the treatment's name: "with calcitriol it comes down"."""

NEAR = 14
"""Tokens of a treatment's clause in which its verb stands."""


def told_of_treatment(said: Extraction, claims: Sequence[Claim], pathway: str, prompt: str) -> str | None:
    """The label that the asked treatment's own clause gives to a set which another clause moves.

    None where the text has no such two clauses, or the second does not tell."""
    name = treatment_of(prompt)
    first = [c for c in claims if c.label in TURNED and not c.negated]
    if not name or not pathway or not first or name[0] in pathway.split():
        return None
    texts = said.stream.texts
    at = next((k for k in _subjects(texts, name) if any(c.chunk < k for c in first)), None)
    before = [c for c in first if at is not None and c.chunk < at]
    if at is None or not any(_caused(said, c, pathway, name) for c in before):
        return None
    own = [c for c in said.directions if c.chunk > at and pathway in c.slot.pathways]
    own = [c for c in own if c.modality == "asserted"]
    end = next((i for i in range(at, len(texts)) if texts[i] in ENDS), len(texts))
    spoken = texts[at : min(end, at + NEAR)]
    if any(c.negated for c in own) or not DENIES.isdisjoint(spoken):
        return None
    base = str(before[-1].label)
    labels = {str(c.label) for c in own}
    if not UNDOES.isdisjoint(spoken) and all(_object(texts, c) for c in own):
        return TURNED[base]
    if labels:
        return labels.pop() if len(labels) == 1 else None
    if not ADDS.isdisjoint(spoken):
        return base
    return TURNED[base] if "back" in spoken else None


@functools.lru_cache(maxsize=256)
def treatment_of(prompt: str) -> tuple[str, ...]:
    """The anakinra of "What does anakinra do to …?", "How does it act", "the effect of anakinra on …"; ()."""
    listed = words(prompt)
    at = next((i + 1 for i, word in enumerate(listed[:3]) if word in ASKS), 0)
    if not at:
        effect = next((i for i, word in enumerate(listed[:-2]) if word in EFFECTS), len(listed))
        at = effect + 2 if listed[effect + 1 : effect + 2] in (("of",), ("has",), ("have",)) else 0
    if not at:
        return ()
    while at < len(listed) and listed[at] in DETERMINERS:
        at += 1
    end = at
    while end < min(len(listed), at + 3) and listed[end] not in ASKS | grammar()["preposition"]:
        end += 1
    # Of "does metformin lower …" the verb is no part of the name.
    return listed[at:end] if listed[end : end + 1] == ("do",) else listed[at : at + 1]


def _subjects(texts: Sequence[str], name: Sequence[str]) -> list[int]:
    """Where a clause begins with the treatment's name, or with "the drug"."""
    found = []
    for k in range(1, len(texts)):
        named = texts[k : k + len(name)] == list(name) or texts[k] in STANDS_FOR
        lead = k - 1
        while (
            lead > 0 and texts[lead] not in OPENS and (texts[lead] in SKIPPED or texts[lead].endswith("ly"))
        ):
            lead -= 1
        if named and texts[lead] in OPENS:
            found.append(k)
    return found


def _object(texts: Sequence[str], claim: Claim) -> bool:
    """ "Counteracts the rise in X": is a direction what is undone?"""
    return not UNDOES.isdisjoint(texts[max(0, claim.chunk - OBJECT) : claim.chunk])


def _caused(said: Extraction, claim: Claim, pathway: str, name: Sequence[str]) -> bool:
    """Is a set moved by something that a clause names, and that is not the treatment?"""
    texts, part = said.stream.texts, said.parts[claim.sentence]
    named = [m for m in part.mentions if m.kind == "path" and pathway in m.value]
    object_of = any(m.first > claim.chunk for m in named)  # "IFNG induces the interferon gamma response"
    sets = {i for m in named for i in range(m.first, m.last) if not object_of}
    told = [texts[i] for i in range(part.first, claim.chunk) if i not in sets and said.stream[i].kind != "p"]
    causes = set(told) - FUNCTION - GENERIC - EVIDENCE - DETERMINERS
    return bool(causes) and not causes & set(name)
