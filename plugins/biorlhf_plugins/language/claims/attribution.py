"""What a number, a direction or a class is about: the nearest tissue, condition, set and mission.

A slot's field is looked for in the claim's own chunk, then in the chunks before it in the sentence,
then in a heading, then in the sentences before, and at last in the prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from biorlhf_plugins.language.claims.general import NEUTRAL, PLACES
from biorlhf_plugins.language.claims.quantities import PREPOSITIONS, quantity_of
from biorlhf_plugins.language.claims.reader import NOTHING, ROLES, Reader, values
from biorlhf_plugins.language.claims.subjects import OTHER, Aim
from biorlhf_plugins.language.records import Slot, new_slot
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.mentions import DATABASE_WORDS, Mention, grouped

FIELDS = {role: "pathways" if role == "path" else role for role in ROLES}
"""By role the field of a slot that it fills."""

OTHERS = ("other tissues",)
DISUSE = frozenset(("unloading", "unloaded", "disuse", "mechanical"))
"""What flight does to muscle and bone; a group of its own only where the question has such groups."""

CONCLUDING = frozenset(
    ("so", "hence", "thus", "therefore", "overall", "altogether", "→", "=>", "answer", "final", "conclusion")
)
EXCEPTED = 12
"""Tokens after "except" in which the names are exceptions."""
EXAMPLES = 12  # tokens before a gene in which the bracket begins that it stands in


def slots(
    reader: Reader,
    sentence: Sentence,
    index: int,
    focus: Mention,
    paired: dict[int, Any],
    aimed: Aim | None,
) -> Iterator[Slot]:
    kinds, chunk, inside = reader.kinds, sentence.chunks[index], reader.inside[index]
    found, stated = dict(reader.absent), list(reader.told)
    if "other" in inside and _other_subject(reader, chunk, focus) and not _pick(reader, index, focus, "path"):
        return
    if chunk.link == "where" and focus.kind == "dir" and not _placed(reader, sentence, chunk):
        return  # "in fibrosis, where EMT is increased"
    if focus.value == "MIXED" and "mission" not in kinds:
        found["mission"] = reader.defaults["mission"]
        stated = [role for role in stated if role != "mission"]
    barred = _excepted(chunk, focus) if "except" in inside else frozenset()
    rest = elsewhere(inside)
    if rest and focus.kind == "dir" and found.get("mission"):
        found["mission"] = ("other missions",)  # not those that were named before
    if "entity" not in kinds and len(reader.given.get("entity", ())) > 1 and _all_asked(reader, chunk):
        found["entity"] = reader.given["entity"]
        stated.append("entity")
    if focus.kind == "dir" and "condition" not in kinds and not reader.heading.get("condition"):
        found["condition"] = reader.defaults["condition"]
    for role in reader.present:
        if role == "entity" and focus.first in paired:
            near: tuple[Any, ...] = (paired[focus.first],)
        elif role == "condition" and focus.kind == "dir":
            near = tuple([v for v in _near(reader, index, focus, role) or () if v not in reader.causes])
        elif role == "mission" and focus.value == "MIXED":
            near = _pick(reader, index, focus, role)
        else:
            near = _near(reader, index, focus, role) or ()
            if not near:
                near = OTHERS if rest and role == "entity" else _spoken_of(reader, role)
        if barred and role in ("entity", "mission"):
            near = tuple(v for v in near if v not in barred)
            near = near or (OTHERS if role == "entity" and barred & set(reader.defaults[role]) else ())
        if near:
            stated.append(FIELDS[role])
        found[role] = near or reader.defaults[role]
    quantity = quantity_of(reader, sentence, index, focus)
    if aimed is not None and aimed.kind in ("named", "other"):
        found["path"] = aimed.paths or ((OTHER,),)
        stated.append("pathways")
    paths = found["path"]
    pathways = paths[0] if len(paths) == 1 else tuple(dict.fromkeys([k for keys in paths for k in keys]))
    given_here = frozenset(stated)
    for entity in found["entity"] or NOTHING:
        for mission in found["mission"] or NOTHING:
            for condition in found["condition"] or NOTHING:
                medicine = treatment(found["treatment"], condition)
                yield new_slot(
                    (entity, condition, medicine, quantity, pathways, reader.db, mission, given_here)
                )


def _placed(reader: Reader, sentence: Sentence, chunk: Chunk) -> bool:
    """Whether what "where" stands for is a place that is known."""
    at = chunk.first - 1
    while at > sentence.first and reader.stream.texts[at - 1] in ("where", ","):
        at -= 1
    return any(m.first < at <= m.last and m.kind in PLACES for m in sentence.mentions)


def _causes(reader: Reader, sentence: Sentence) -> frozenset[Any]:
    """Conditions that are told as a cause and not as where something was seen: "the effects of radiation"."""
    stream = reader.stream
    return frozenset(
        m.value for m in sentence.inside["condition"]
        if m.first > 1
        and (
            stream.texts[m.first - 1] == "of"
            or stream.texts[m.first - 2] == "to"
            or (stream.texts[m.first] in DISUSE and not reader.given["condition"])
        )
    )  # fmt: skip


def _excepted(chunk: Chunk, focus: Mention) -> frozenset[Any]:
    """The tissues or missions of which a claim does not speak: "in every tissue except kidney"."""
    marks = [m for m in chunk.mentions if m.kind == "except"]
    names = (m for m in chunk.mentions if m.kind in ("entity", "mission"))
    return frozenset(
        m.value for m in names
        if any(x.first < m.first <= x.first + EXCEPTED and not x.first < focus.first < m.first for x in marks)
    )  # fmt: skip


def begin(reader: Reader, sentence: Sentence) -> None:
    """What all foci of a sentence share: the roles that it does not name, and what they are instead."""
    reader.kinds, chunks = sentence.inside.keys(), sentence.chunks
    whole = len(chunks) == 1 and len(chunks[0].mentions) == len(sentence.mentions)
    reader.inside = [sentence.inside] if whole else [grouped(chunk.mentions) for chunk in chunks]
    if "asked" in reader.kinds:  # "the right figure is": of what the prompt asks for
        reader.carried, reader.heading = {}, {}
    if _concludes(reader, sentence):
        reader.carried.pop("path", None)
    reader.present, reader.absent, reader.told = [], {}, []
    for role, field in FIELDS.items():
        if role in reader.kinds:
            reader.present.append(role)
            continue
        told = _spoken_of(reader, role)
        reader.absent[role] = told or reader.defaults[role]
        if told:
            reader.told.append(field)
    reader.db = _database(reader, sentence) if "path" in reader.kinds else None
    caused = "condition" in reader.kinds and "dir" in reader.kinds
    reader.causes = _causes(reader, sentence) if caused else frozenset()


def _concludes(reader: Reader, sentence: Sentence) -> bool:
    """ "So it decreases", "→ increase": after genes that no lexicon knows, this is of the asked set again."""
    carried = reader.carried.get("path", ())
    if not reader.defaults["path"] or not any(
        str(name).startswith("?") for names in carried for name in names
    ):
        return False
    if not CONCLUDING.isdisjoint(reader.stream.texts[sentence.first : sentence.first + 2]):
        return True
    said = {i for m in sentence.inside.get("dir", ()) for i in range(m.first, m.last)}
    return bool(said) and all(
        i in said or token.kind != "w"
        for i, token in enumerate(reader.stream[sentence.first : sentence.last], sentence.first)
    )


def _spoken_of(reader: Reader, role: str) -> tuple[Any, ...]:
    """What the heading, or a sentence before, says of a role. A treatment is not carried on."""
    if role in reader.heading and (told := reader.heading[role]):
        return told
    return reader.carried.get(role, ()) if role != "treatment" else ()


def _all_asked(reader: Reader, chunk: Chunk) -> bool:
    """ "Both fall", "in all tissues": the tissues that the prompt names."""
    if reader.kinds.isdisjoint(("both", "everyone")):
        return False
    return any(
        (m.kind == "both" and len(reader.given["entity"]) == 2)
        or (
            m.kind == "everyone"
            and m.value == "all"
            and reader.stream.texts[m.last - 1] in ("tissue", "organ")
        )
        for m in chunk.mentions
    )


def elsewhere(inside: Mapping[str, Sequence[Mention]]) -> bool:
    """True for "everywhere else", "in the remaining missions": not of the tissue, or not of all missions."""
    return any(m.value == "rest" for m in inside.get("everyone", ()))


def treatment(found: tuple[Any, ...], condition: str | None) -> str | None:
    if condition and "_x_" in condition:
        return None
    return str(found[-1]) if found else None


def _near(reader: Reader, index: int, focus: Mention, role: str) -> tuple[Any, ...] | None:
    if role == "path" and _opens(reader, focus):
        return None
    own = _pick(reader, index, focus, role)
    if own:
        return own
    chunks = reader.inside
    for before in range(index - 1, max(-1, index - 25), -1):
        if role in chunks[before]:
            return last_values(chunks[before][role], role)
    if role != "path":
        return None
    later = values([m for c in chunks[index + 1 :] for m in c.get(role, ()) if not _unknown(m)], role)
    return later if len(later) == 1 else None


def _opens(reader: Reader, focus: Mention) -> bool:
    """The "Stronger" of "Stronger: without A20 nothing holds NF-κB back" answers for what is asked, and so
    does that of "I would say stronger: …"."""
    if focus.kind != "dir" or not reader.defaults["path"]:
        return False
    texts, at, last = reader.stream.texts, focus.first - 1, focus.last
    if texts[last : last + 1] not in ([":"], ["—"]):
        return False
    while at >= 0 and texts[at] in NEUTRAL:
        at -= 1
    named = reader.starts.get(last + 1)
    return (at < 0 or texts[at] in ".!?\n") and (named is None or named.kind != "path")


def _pick(reader: Reader, index: int, focus: Mention, role: str) -> tuple[Any, ...]:
    """The mention, or the list of mentions, of a role that stands nearest to the focus."""
    inside = reader.inside[index]
    candidates = inside.get(role, [])
    if role == "path" and focus.kind == "dir":
        named = any(m.last <= focus.first and not _unknown(m) for m in candidates)
        candidates = [m for m in candidates if m.first < focus.last or not _behind(reader, m, focus, named)]
        candidates = [m for m in candidates if not (named and _example(reader, m, focus))]
    if len(candidates) < 2:
        return (candidates[0].value,) if candidates else ()
    compared = [r.first for r in inside.get("cmp", ())]
    if compared:
        free = [
            m for m in candidates
            if not any(0 < m.first - at <= 3 and not at < focus.first < m.first for at in compared)
        ]  # fmt: skip
        candidates = free or candidates
        cut = max((at for at in compared if at < focus.first), default=-1)
        if any(m.first >= focus.last for m in candidates):  # "11.2 in arm A versus 6.9 in arm B"
            candidates = [m for m in candidates if m.first > cut]
    if len({m.value for m in candidates}) == 1:
        return values(candidates, role)
    rivals = [m for m in inside[focus.kind] if m is not focus]
    nearest = min(candidates, key=lambda m: _distance(reader, m, focus))
    group = [nearest]
    for step in (-1, 1):
        at = candidates.index(nearest) + step
        while 0 <= at < len(candidates):
            inner = group[-1] if step > 0 else group[0]
            gap = candidates[at].first - inner.last if step > 0 else inner.first - candidates[at].last
            low, high = sorted((candidates[at].first, inner.first))
            if gap > 4 or any(low < r.first < high for r in (*rivals, focus)):
                break
            group.insert(len(group) if step > 0 else 0, candidates[at])
            at += step
    return values(group, role)


def _unknown(m: Mention) -> bool:
    return m.kind == "path" and str(m.value[0]).startswith("?")


def _behind(reader: Reader, m: Mention, focus: Mention, named: bool) -> bool:
    """Does a name that no lexicon knows come after the direction, where it only explains it? Where a set is
    ``named`` before, a bracket holds its genes: "the UPR is induced (Hspa5, Ddit3)"."""
    if not _unknown(m):
        return False
    if "(" in reader.stream.texts[focus.last : m.first - (not named)]:
        return True  # "Turned on under UV-B (most enzymes, CHS first)"
    return reader.stream.texts[m.first - 1] not in (":", "(", "—", "•", "→", "in", "of", "for", ",", "and")


def _example(reader: Reader, m: Mention, focus: Mention) -> bool:
    """A gene in a bracket that is closed before the direction: "the set (Col1a1, Fbn1) shows decreased …"."""
    if not _unknown(m) or m.last > focus.first:
        return False
    texts, first = reader.stream.texts, max(0, m.first - EXAMPLES)
    opened = next((at for at in range(m.first - 1, first, -1) if texts[at] in ("(", ")")), first)
    return texts[opened] == "(" and ")" in texts[m.last : focus.first]


def _distance(reader: Reader, m: Mention, focus: Mention) -> float:
    if m.first >= focus.last:
        gap = m.first - focus.last
        linked = m.first > 0 and reader.stream.texts[m.first - 1] in PREPOSITIONS
        return gap - 2.5 if linked else gap
    return float(focus.first - m.last)


def last_values(mentions: Sequence[Mention], role: str) -> tuple[Any, ...]:
    """What the last mentions of a role that stand together say."""
    first = len(mentions) - 1
    while first > 0 and mentions[first].first - mentions[first - 1].last <= 4:
        first -= 1
    return values(mentions[first:], role)


def _other_subject(reader: Reader, chunk: Chunk, focus: Mention) -> bool:
    return focus.kind == "dir" and any(
        m.kind == "other"
        and (focus.first >= m.last or (0 <= m.first - focus.last <= 2 and not _bracketed(reader, focus, m)))
        for m in chunk.mentions
    )


def _bracketed(reader: Reader, left: Mention, right: Mention) -> bool:
    return any(reader.stream.texts[i] in ("(", "[", ",", "—", ":") for i in range(left.last, right.first))


def _database(reader: Reader, sentence: Sentence) -> str | None:
    if reader.stream.vocabulary.isdisjoint(DATABASE_WORDS):
        return None
    return next((w for w in reader.stream.texts[sentence.first : sentence.last] if w in DATABASE_WORDS), None)
