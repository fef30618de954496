"""What a number, a direction or a class is about: the nearest tissue, condition, set and mission.

A slot's field is looked for in the claim's own chunk, then in the chunks before it in the sentence,
then in a heading, then in the sentences before, and at last in the prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from biorlhf_plugins.language.claims.general import NEUTRAL, PLACES
from biorlhf_plugins.language.claims.nearest import OTHERS, borne_out, last_values, pick, told_behind, unknown
from biorlhf_plugins.language.claims.quantities import quantity_of
from biorlhf_plugins.language.claims.reader import NOTHING, ROLES, Reader, values
from biorlhf_plugins.language.claims.subjects import OTHER, Aim
from biorlhf_plugins.language.records import Slot, new_slot
from biorlhf_plugins.language.sentences.clauses import Chunk, Sentence
from biorlhf_plugins.language.words.mentions import DATABASE_WORDS, Mention, grouped
from biorlhf_plugins.language.words.text import vocabulary

FIELDS = {role: "pathways" if role == "path" else role for role in ROLES}
"""By role the field of a slot that it fills."""

DISUSE = frozenset(("unloading", "unloaded", "disuse", "mechanical"))
"""What flight does to muscle and bone; a group of its own only where the question has such groups."""

CONCLUDING = vocabulary("so hence thus therefore overall altogether → => answer final conclusion")
EXCEPTED = 12
"""Tokens after "except" in which the names are exceptions."""


def slots(
    reader: Reader,
    sentence: Sentence,
    index: int,
    focus: Mention,
    paired: dict[int, tuple[str, Any]],
    aimed: Aim | None,
) -> Sequence[Slot]:
    kinds, chunk, inside = reader.kinds, sentence.chunks[index], reader.inside[index]
    if "other" in inside and _other_subject(reader, chunk, focus) and not pick(reader, index, focus, "path"):
        return ()
    directed = focus.kind == "dir"
    if directed and chunk.link == "where" and not _placed(reader, sentence, chunk):
        return ()  # "in fibrosis, where EMT is increased"
    found, stated = reader.absent.copy(), reader.told.copy()
    if focus.value == "MIXED" and "mission" not in kinds:
        found["mission"] = reader.defaults["mission"]
        stated = [role for role in stated if role != "mission"]
    barred = _excepted(chunk, focus) if "except" in inside else frozenset()
    rest = elsewhere(inside)
    if rest and directed and found.get("mission"):
        found["mission"] = ("other missions",)  # not those that were named before
    if "entity" not in kinds and len(reader.given.get("entity", ())) > 1 and _all_asked(reader, chunk):
        found["entity"] = reader.given["entity"]
        stated.append("entity")
    if directed and "condition" not in kinds and not reader.heading.get("condition"):
        found["condition"] = reader.defaults["condition"]
    for role in reader.present:
        if paired and paired.get(focus.first, ("",))[0] == role:
            near: tuple[Any, ...] = (paired[focus.first][1],)
        elif directed and role == "condition":
            near = tuple([v for v in _near(reader, index, focus, role) or () if v not in reader.causes])
        elif role == "mission" and focus.value == "MIXED":
            near = pick(reader, index, focus, role)
        else:
            near = _near(reader, index, focus, role) or ()
            if near and role == "entity" and focus.kind == "num":
                near = told_behind(reader, sentence, focus) or near
            if not near:
                near = OTHERS if rest and role == "entity" else _spoken_of(reader, role)
        if barred and role in ("entity", "mission"):
            near = tuple(v for v in near if v not in barred)
            near = near or (OTHERS if role == "entity" and barred & set(reader.defaults[role]) else ())
        if near:
            stated.append(FIELDS[role])
        found[role] = near or reader.defaults[role]
    quantity = None if directed else quantity_of(reader, sentence, index, focus)
    if aimed is not None and aimed.kind in ("named", "other") and focus.first not in paired:
        found["path"] = aimed.paths or ((OTHER,),)
        stated.append("pathways")
    paths = found["path"]
    pathways = paths[0] if len(paths) == 1 else tuple(dict.fromkeys([k for keys in paths for k in keys]))
    told = frozenset(stated)
    medicines, db = found["treatment"], reader.db
    return [
        new_slot((entity, condition, treatment(medicines, condition), quantity, pathways, db, mission, told))
        for entity in found["entity"] or NOTHING
        for mission in found["mission"] or NOTHING
        for condition in found["condition"] or NOTHING
    ]


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
        elif told := _spoken_of(reader, role):
            reader.absent[role] = told
            reader.told.append(field)
        else:
            reader.absent[role] = reader.defaults[role]
    reader.db = _database(reader, sentence) if "path" in reader.kinds else None
    caused = "condition" in reader.kinds and "dir" in reader.kinds
    reader.causes = _causes(reader, sentence) if caused else frozenset()


def _concludes(reader: Reader, sentence: Sentence) -> bool:
    """ "So it decreases", "→ increase": after genes that no lexicon knows, this is of the asked set again."""
    carried = reader.carried.get("path", ()) if reader.defaults["path"] else ()
    opens = not CONCLUDING.isdisjoint(reader.stream.texts[sentence.first : sentence.first + 2])
    if not carried or not (opens or "dir" in reader.kinds):
        return False
    if not any(str(name).startswith("?") for names in carried for name in names):
        return False
    said = {i for m in sentence.inside.get("dir", ()) for i in range(m.first, m.last)}
    return opens or all(
        i in said or token.kind != "w"
        for i, token in enumerate(reader.stream[sentence.first : sentence.last], sentence.first)
    )


def _spoken_of(reader: Reader, role: str) -> tuple[Any, ...]:
    """What the heading, or a sentence before, says of a role. A treatment is not carried on."""
    told = reader.heading.get(role)
    return told or (reader.carried.get(role, ()) if role != "treatment" else ())


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
    return "everyone" in inside and any(m.value == "rest" for m in inside["everyone"])


def treatment(found: tuple[Any, ...], condition: str | None) -> str | None:
    if condition and "_x_" in condition:
        return None
    return str(found[-1]) if found else None


def _near(reader: Reader, index: int, focus: Mention, role: str) -> tuple[Any, ...] | None:
    if role == "path":
        owned = reader.stream.texts[focus.first - 1] in ("its", "their") and focus.first > 0
        if _opens(reader, focus) or (owned and reader.carried.get("path")):
            return None
    chunks = reader.inside
    if role in chunks[index] and (own := pick(reader, index, focus, role)):
        return own
    asked = reader.defaults[role] if role == "path" else ()
    if (
        asked
        and _possessed(reader, focus)
        and any(m.value == asked[0] for c in chunks[:index] for m in c.get(role, ()))
    ):
        return asked  # "Mcm2 is of the leading edge of the E2F targets, and its expression falls"
    for before in range(index - 1, max(-1, index - 25), -1):
        if role in chunks[before]:
            return last_values(chunks[before][role], role)
    if role != "path" or borne_out(reader, focus):
        return None
    later = values([m for c in chunks[index + 1 :] for m in c.get(role, ()) if not unknown(m)], role)
    return later if len(later) == 1 else None


def _possessed(reader: Reader, focus: Mention) -> bool:
    """Whether a direction is of "its expression", a few words before it."""
    return not {"its", "their"}.isdisjoint(reader.stream.texts[max(0, focus.first - 5) : focus.first])


def _opens(reader: Reader, focus: Mention) -> bool:
    """The "stronger" of "I would say stronger: without A20 nothing holds NF-κB back": of what is asked."""
    if focus.kind != "dir" or not reader.defaults["path"]:
        return False
    texts, at, last = reader.stream.texts, focus.first - 1, focus.last
    if texts[last : last + 1] not in ([":"], ["—"]):
        return False
    while at >= 0 and texts[at] in NEUTRAL:
        at -= 1
    named = reader.starts.get(last + 1)
    return (at < 0 or texts[at] in ".!?\n") and (named is None or named.kind != "path")


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
