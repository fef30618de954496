"""The ground truth of a question as slots to be filled, and the names that it adds to the lexicon."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from biorlhf import Question
from biorlhf_plugins.language.extract import extract
from biorlhf_plugins.language.records import Extraction
from biorlhf_plugins.language.words.lexicon import Additions, base, longest, pathway_key, with_additions
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import clean, tokens
from biorlhf_plugins.truth.credits import OPEN_GUESS
from biorlhf_plugins.truth.slots import Fact, conditions_of, fact_of, new_names

__all__ = ["OPEN_GUESS", "Direction", "Fact", "Gold", "conditions_of", "gold_of", "read"]

DIRECTIONS = ("UP", "DOWN", "NS", "MIXED")


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction to be stated: of a set, in a tissue, perhaps in one mission."""

    pathway: str
    db: str | None
    tissue: str | None
    mission: str | None
    label: str
    overall: bool = True

    def describe(self) -> str:
        place = ", ".join(x for x in (self.tissue, self.mission) if x)
        return f"{self.pathway}{f' in {place}' if place else ''}: {self.label}"


@dataclass(frozen=True, slots=True, eq=False)
class Gold:
    """Everything in a question's ground truth that V1 and V2 can grade."""

    facts: tuple[Fact, ...] = ()
    answer: str | None = None
    answer_kind: tuple[str, Any] | None = None
    ranking: tuple[str, ...] = ()
    directions: tuple[Direction, ...] = ()
    contrast: str = ""
    additions: Additions = field(default_factory=Additions)


def read(question: Question, text: str, lab: Additions | None = None) -> tuple[Gold, Extraction]:
    """The gold slots of a question and what a completion says."""
    gold = gold_of(question, lab or Additions())
    return gold, extract(text, question.prompt, gold.additions)


def gold_of(question: Question, lab: Additions) -> Gold:
    """Slots from a ground truth. A malformed value raises ``ValueError`` or ``KeyError``."""
    truth = question.ground_truth
    key = repr((sorted(truth.items(), key=lambda item: item[0]), question.tissue))
    return _gold(key, _Frozen(truth, question.tissue), lab)


class _Frozen:
    """Carries a ground truth past the cache, which looks at its text only."""

    def __init__(self, truth: Mapping[str, Any], tissue: str | None) -> None:
        self.truth, self.tissue = truth, tissue

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Frozen)

    def __hash__(self) -> int:
        return 0


@functools.lru_cache(maxsize=1024)
def _gold(key: str, frozen: _Frozen, lab: Additions) -> Gold:
    truth = frozen.truth
    names = list(_new_names(truth))
    additions = Additions((*lab.entries, *names))
    answer = truth.get("answer")
    if isinstance(answer, bool):
        answer = "yes" if answer else "no"
    kind = None
    if answer is not None and str(answer).strip().lower() not in ("yes", "no"):
        kind = _kind_of(str(answer), additions)
        if kind is None:
            additions = Additions((*additions.entries, ("phrase", str(answer).lower(), (str(answer),))))
            kind = ("phrase", str(answer).lower())
    return Gold(
        facts=tuple(
            fact_of(fact, lambda name: _entity(name, additions), lambda word: _kind_of(word, additions))
            for fact in truth.get("facts") or ()
        ),
        answer=None if answer is None else str(answer).strip().lower(),
        answer_kind=kind,
        ranking=tuple(_entity(str(name), additions) for name in truth.get("ranking") or ()),
        directions=tuple(_directions(truth, frozen.tissue, additions)),
        contrast=str(truth.get("contrast") or ""),
        additions=additions,
    )


def _new_names(truth: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Names in the ground truth that the built-in lexicon does not know."""
    entities = [(str(f["entity"]), tuple(f.get("aliases") or ())) for f in truth.get("facts") or ()]
    entities += [(str(name), ()) for name in truth.get("ranking") or ()]
    entities += [
        (str(name), ()) for name in (truth.get("tissue"), *(truth.get("tissue_directions") or ())) if name
    ]
    for name, aliases in entities:
        for part in name.split("/"):
            if aliases or _entity(part, Additions()) == part.lower():
                known = _kind_of(part, Additions())
                canonical_name = str(known[1]) if known and known[0] == "entity" else part.lower()
                yield "entity", canonical_name, (part, *(str(alias) for alias in aliases))
    yield from new_names(list(truth.get("facts") or ()))
    sets = [truth.get("pathway"), *(p.get("pathway") for p in truth.get("pathways") or ())]
    for name in sets:
        if name and not _known(pathway_key(str(name))[0], "path"):
            yield "pathway", str(name), ()
    for name in (*(truth.get("missions") or ()), truth.get("mission")):
        if name and _flight(str(name)) is None:
            yield "mission", _mission(str(name)), (str(name), str(name).replace("_", " "))
    yield from _groups(str(truth.get("contrast") or ""))


def _groups(contrast: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The groups of a contrast of one's own, KO_vs_WT, so that "higher in WT" is read as DOWN."""
    groups = [group.replace("_", " ") for group in contrast.split("_vs_")]
    if len(groups) == 2 and not any(_known(g, kind) for g in groups for kind in ("frame", "condition")):
        frames = ("GROUND", "FLIGHT") if _is_control(groups[0]) else ("FLIGHT", "GROUND")
        yield from (("frame", frame, (g,)) for frame, g in zip(frames, groups, strict=True))


def _known(name: str, kind: str) -> bool:
    return any(m.kind == kind for m in scan(tokens(clean(name).text), base()))


def _kind_of(text: str, additions: Additions) -> tuple[str, Any] | None:
    stream = tokens(clean(text).text)
    lexicon = with_additions(additions)
    for trie in lexicon.content:
        end, meanings = longest(trie, stream, 0)
        if meanings and end == len(stream):
            for kind in ("entity", "path", "condition", "type", "pattern", "dir", "mission"):
                for found, value in meanings:
                    if found == kind:
                        return found, value
    return None


def _entity(name: str, additions: Additions) -> str:
    kind = _kind_of(name, additions)
    return str(kind[1]) if kind and kind[0] == "entity" else name.lower()


def _flight(name: str) -> str | None:
    """The mission that a name ends with; None for a part of one, as in MHU-2_dorsal."""
    stream = tokens(clean(name).text)
    found = [m for m in scan(stream, base()) if m.kind == "mission" and m.last == len(stream)]
    return str(found[-1].value) if found else None


def _mission(name: str) -> str:
    return _flight(name) or " ".join(t.text for t in tokens(clean(name).text))


def _directions(truth: Mapping[str, Any], tissue: str | None, additions: Additions) -> Iterator[Direction]:
    name = str(truth.get("pathway") or "")
    key, db = pathway_key(name) if name else ("", None)
    db = str(truth["db"]).lower() if truth.get("db") else db
    place = truth.get("tissue") or tissue
    tissue_name = _entity(str(place), additions) if place else None
    turn = _turned(str(truth.get("contrast") or ""))
    mission = _mission(str(truth["mission"])) if truth.get("mission") else None
    if truth.get("direction"):
        yield Direction(key, db, tissue_name, mission, turn(truth["direction"]))
    for each, label in (truth.get("tissue_directions") or {}).items():
        yield Direction(key, db, _entity(str(each), additions), None, turn(label), not truth.get("direction"))
    for each, label in (truth.get("missions") or {}).items():
        yield Direction(key, db, tissue_name, _mission(str(each)), turn(label), not truth.get("direction"))
    for row in truth.get("pathways") or ():
        row_key, row_db = pathway_key(str(row["pathway"]))
        place = _entity(str(row["tissue"]), additions) if row.get("tissue") else tissue_name
        yield Direction(row_key, row_db, place, mission, turn(row["direction"]))


def _is_control(group: str) -> bool:
    return re.search(r"ground|control|vehicle|sham", group.lower()) is not None


def _turned(contrast: str) -> Any:
    turn = _is_control(contrast.partition("_vs_")[0])

    def label(value: Any) -> str:
        upper = str(value).upper()
        if upper not in DIRECTIONS:
            raise ValueError(f"a direction must be one of {', '.join(DIRECTIONS)}, not {value!r}")
        return {"UP": "DOWN", "DOWN": "UP"}.get(upper, upper) if turn else upper

    return label
