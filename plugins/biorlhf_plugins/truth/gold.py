"""The ground truth of a question as slots to be filled, and the names that it adds to the lexicon."""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from biorlhf import Question
from biorlhf.ground_truth import AnswerSlot, slots
from biorlhf.ground_truth.names import split_entity
from biorlhf_plugins.language.extract import extract, prompt_mentions
from biorlhf_plugins.language.records import OPPOSITE, Extraction
from biorlhf_plugins.language.visible import without_turns
from biorlhf_plugins.language.words.lexicon import (
    SIDES,
    Additions,
    base,
    grammar,
    pathway_key,
)
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import clean, tokens
from biorlhf_plugins.truth.contrast import deletions, frames, turned
from biorlhf_plugins.truth.credits import OPEN_GUESS
from biorlhf_plugins.truth.others import canonical_name, entity_of, kind_of_name, of_the_data
from biorlhf_plugins.truth.slots import Fact, conditions_of, fact_of, new_names, spellings
from biorlhf_plugins.truth.targets import (
    contrast_of,
    feature_key,
    heading,
    is_direction,
    is_set,
    kind_of,
    set_names,
    target,
)

__all__ = ["OPEN_GUESS", "Direction", "Fact", "Gold", "canonical_name", "conditions_of", "gold_of", "read"]

KEY = json.JSONEncoder(default=str)
OPENNESS = {
    "UP": ("open", "opened", "opening", "open up", "opened up"),
    "DOWN": ("close", "closed", "closing", "shut", "compacted"),
}
"""Of a region of the genome: more and less accessible."""

DIRECTIONS = ("UP", "DOWN", "NS", "MIXED")


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction to be stated: of a set, in a tissue, perhaps in one mission. ``several`` sets, or tissues
    (``spread``), are asked for beside it."""

    pathway: str
    db: str | None
    tissue: str | None
    mission: str | None
    label: str
    overall: bool = True
    several: bool = False
    spread: bool = False

    def describe(self) -> str:
        place = ", ".join(x for x in (self.tissue, self.mission) if x)
        return f"{self.pathway}{f' in {place}' if place else ''}: {self.label}"


@dataclass(frozen=True, slots=True, eq=False)
class Gold:
    """All of a question's ground truth that V1 and V2 can grade; ``told`` are facts that are directions,
    ``asked`` what a block has to state."""

    facts: tuple[Fact, ...] = ()
    answer: str | None = None
    answer_kind: tuple[str, Any] | None = None
    ranking: tuple[str, ...] = ()
    directions: tuple[Direction, ...] = ()
    told: tuple[Direction, ...] = ()
    contrast: str = ""
    additions: Additions = field(default_factory=Additions)
    truth: Mapping[str, Any] = field(default_factory=dict)
    asked: tuple[AnswerSlot, ...] = ()

    @property
    def unanswerable(self) -> bool:
        """Whether the right answer is that there is none."""
        if self.truth.get("answerable") is False:
            return True
        # An untrue premise with facts beside it has an answer: the correction.
        return bool(self.truth.get("false_premise")) and not (self.has_facts or self.directions)

    @property
    def has_facts(self) -> bool:
        """Whether there is something for V1 to grade."""
        return bool(self.facts or self.told or self.answer is not None or self.ranking)


def read(question: Question, text: str, lab: Additions | None = None) -> tuple[Gold, Extraction]:
    """The gold slots of a question and what a completion says."""
    gold = gold_of(question, lab or Additions())
    return gold, extract(without_turns(text, question.prompt), question.prompt, gold.additions)


def gold_of(question: Question, lab: Additions) -> Gold:
    """Slots from a ground truth. A malformed value raises ``ValueError`` or ``KeyError``."""
    # One question comes with every completion and verifier, one after another: the last is at hand.
    for last, its_lab, gold in LAST:
        if last is question and its_lab == lab and gold.truth == question.ground_truth:
            return gold
    # As JSON, because mappings cannot be hashed.
    gold = _gold(KEY.encode([question.ground_truth, question.tissue, question.prompt]), lab)
    LAST[:] = [(question, lab, gold)]
    return gold


LAST: list[tuple[Question, Additions, Gold]] = []
"""The question that was asked for last; none before the first."""


@functools.lru_cache(maxsize=1024)
def _gold(key: str, lab: Additions) -> Gold:
    truth, tissue, prompt = json.loads(key)
    names = (*_new_names(truth, prompt), *of_the_data(lab, truth, prompt))
    additions = Additions(names, lab)
    answer = truth.get("answer")
    if isinstance(answer, bool):
        answer = "yes" if answer else "no"
    kind = None
    if answer is not None and str(answer).strip().lower() not in ("yes", "no"):
        kind = kind_of_name(str(answer), additions)
        if kind is None:
            # An answer that no lexicon knows becomes a name of its own, or no text could state it.
            phrase = (
                "phrase",
                str(answer).lower(),
                (*spellings(str(answer)), *deletions(str(answer)), *map(str, truth.get("aliases") or ())),
            )
            additions = Additions((*names, phrase), lab)
            kind = ("phrase", str(answer).lower())
    return Gold(
        facts=tuple(
            fact_of(fact, lambda name: entity_of(name, additions), prompt)
            for fact in truth.get("facts") or ()
            if not is_direction(fact)
        ),
        answer=None if answer is None else str(answer).strip().lower(),
        answer_kind=kind,
        ranking=tuple(entity_of(str(name), additions) for name in truth.get("ranking") or ()),
        directions=_together(_directions(truth, tissue, additions, prompt)),
        told=_together(
            Direction(feature_key("feature", str(fact["entity"])), None, None, None, heading(fact))
            for fact in truth.get("facts") or ()
            if is_direction(fact)
        ),
        contrast=contrast_of(truth),
        additions=additions,
        truth=truth,
        asked=slots(truth),
    )


def _together(directions: Iterable[Direction]) -> tuple[Direction, ...]:
    slots = tuple(directions)
    several, spread = len({s.pathway for s in slots}) > 1, len({s.tissue for s in slots}) > 1
    return tuple(replace(slot, several=several, spread=spread) for slot in slots)


def lab_sides(gold: Gold) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the lab calls the numerator of a question's contrast, and what the denominator."""
    lab = gold.additions.shared or Additions()
    named = {kind: names for kind, value, names in lab.entries if kind in SIDES and value == gold.contrast}
    return named.get(SIDES[0], ()), named.get(SIDES[1], ())


def place_names(gold: Gold, tissue: str | None) -> tuple[str, ...]:
    """The tissue that a question is about, and what the data call it else; none where it names none."""
    place = str(gold.truth.get("tissue") or tissue or "")
    lab = gold.additions.shared or Additions()
    entries = [names for kind, value, names in lab.entries if kind == "entity" and value == place.lower()]
    return (place, *itertools.chain.from_iterable(entries)) if place else ()


def _new_names(truth: Mapping[str, Any], prompt: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Names in the ground truth that the built-in lexicon does not know."""
    stated = [fact for fact in truth.get("facts") or () if not is_direction(fact)]
    entities = [(str(f["entity"]), tuple(f.get("aliases") or ())) for f in stated]
    entities += [(str(name), ()) for name in truth.get("ranking") or ()]
    entities += [
        (str(name), ()) for name in (truth.get("tissue"), *(truth.get("tissue_directions") or ())) if name
    ]
    for name, aliases in entities:
        # "soleus/heart" is the entity of a ratio: each side is a name.
        for part in split_entity(name):
            if aliases or entity_of(part, Additions()) == part.lower():
                known = kind_of_name(part, Additions())
                canonical_name = str(known[1]) if known and known[0] == "entity" else part.lower()
                # "The gene SET" is no gene set where SET is asked for.
                spelt: tuple[str, ...] = (f"gene {part}",) if part.lower() in grammar()["generic"] else ()
                set_name, database = pathway_key(part)
                spelt += (set_name,) if database else ()  # "E2F targets" for HALLMARK_E2F_TARGETS
                spelt += _abbreviated(part)
                spelt += (f"{part[:-1]}ves",) if part.endswith("f") else ()  # leaves of a leaf
                yield "entity", canonical_name, (part, *spelt, *(str(alias) for alias in aliases))
    yield from new_names(stated)
    for row in (truth, *(truth.get("pathways") or ())):
        if row.get("pathway"):
            yield from set_names(str(row["pathway"]), (*(row.get("aliases") or ()), *_shortened(row, prompt)))
    for row in (truth, *(truth.get("features") or ())):
        name = str(row.get("feature") or "")
        if name and is_set(row):
            yield from set_names(name, row.get("aliases") or ())
        elif name:
            names = (name, *_abbreviated(name), *map(str, row.get("aliases") or ()))
            yield "feature", feature_key(kind_of(row), name), names
    for fact in truth.get("facts") or ():
        if is_direction(fact):
            name = str(fact["entity"])
            yield "feature", feature_key("feature", name), (name, *map(str, fact.get("aliases") or ()))
    if any(kind_of(row) == "region" for row in (truth, *(truth.get("features") or ()))):
        yield from (("dir", way, said) for way, said in OPENNESS.items())
    for name in (*(truth.get("missions") or ()), truth.get("mission")):
        if name:  # also one that any text names: another question may have a mission among its entities
            yield "mission", _mission(str(name)), (str(name), str(name).replace("_", " "))
    yield from frames(contrast_of(truth), prompt)


def _abbreviated(name: str) -> tuple[str, ...]:
    """ "B. fragilis" for Bacteroides fragilis."""
    binomial = re.fullmatch(r"([A-Z])[a-z]{3,} ([a-z]{4,})", name)
    return (f"{binomial[1]}. {binomial[2]}",) if binomial else ()


def _shortened(row: Mapping[str, Any], prompt: str) -> Iterator[str]:
    """ "Glycolysis", where the question means "glycolysis gluconeogenesis" by it."""
    whole = set(target(row)[0].split())
    named = [m.value for m in prompt_mentions(prompt) if m.kind == "path"]
    if not any(target(row)[0] in names for names in named):
        yield from (name for names in named for name in names if set(name.split()) < whole)


def _flight(name: str) -> str | None:
    """The mission that a name ends with; None for a part of one, as in MHU-2_dorsal."""
    stream = tokens(clean(name).text)
    missions = [m for m in scan(stream, base()) if m.kind == "mission" and m.last == len(stream)]
    return str(missions[-1].value) if missions else None


def _mission(name: str) -> str:
    return _flight(name) or " ".join(t.text for t in tokens(clean(name).text))


def _directions(
    truth: Mapping[str, Any], tissue: str | None, additions: Additions, prompt: str
) -> Iterator[Direction]:
    key, db = target(truth)
    db = str(truth["db"]).lower() if truth.get("db") else db
    place = truth.get("tissue") or tissue
    tissue_name = entity_of(str(place), additions) if place else None
    spoken = {str(m.value) for m in prompt_mentions(prompt, additions) if m.kind == "entity"}
    if tissue_name and len(spoken) == 1 and not truth.get("tissue_directions"):
        said = spoken.pop()  # "gut metagenomes", where the ground truth has "stool"
        tissue_name = tissue_name if set(said.split()) & set(tissue_name.split()) else said
    turn = _turned(str(truth.get("contrast") or ""))
    mission = _mission(str(truth["mission"])) if truth.get("mission") else None
    if truth.get("direction"):
        yield Direction(key, db, tissue_name, mission, turn(truth["direction"]))
    # Beside an overall direction its parts are details; alone, they are the question.
    for each, label in (truth.get("tissue_directions") or {}).items():
        yield Direction(
            key, db, entity_of(str(each), additions), None, turn(label), not truth.get("direction")
        )
    for each, label in (truth.get("missions") or {}).items():
        yield Direction(key, db, tissue_name, _mission(str(each)), turn(label), not truth.get("direction"))
    for row in (*(truth.get("pathways") or ()), *(truth.get("features") or ())):
        row_key, row_db = target(row)
        place = entity_of(str(row["tissue"]), additions) if row.get("tissue") else tissue_name
        yield Direction(row_key, row_db, place, mission, turn(row["direction"]))


def _turned(contrast: str) -> Any:
    turn = turned(contrast)

    def label(value: Any) -> str:
        upper = str(value).upper()
        if upper not in DIRECTIONS:
            raise ValueError(f"a direction must be one of {', '.join(DIRECTIONS)}, not {value!r}")
        # NS and MIXED are the same from either side.
        return OPPOSITE.get(upper, upper) if turn else upper

    return label
