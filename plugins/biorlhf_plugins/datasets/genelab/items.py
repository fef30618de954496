"""Question families of the fGSEA tables, made only from the rows that are passed in.

No question names a direction. One frame asks for a tissue's direction whatever the answer is (UP, DOWN, not
significant, or mixed across missions), so that the words of a question never tell its answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from biorlhf_plugins.datasets.genelab.names import DIRECTIONAL_NAME, TITLES, prose, title
from biorlhf_plugins.datasets.genelab.rows import Row
from biorlhf_plugins.making.items import HIGH, Item, listing, pick

CONTRAST = "flight_vs_ground"
# Only one of its sets is unanimous over two or more significant missions: too little to be sure of.
LOW_N = frozenset({"gastrocnemius"})
FAIRLY = (70, 75)
#: Consensus of a slot -> the family of its question.
CONSENSUS = {"UP": "direction", "DOWN": "direction", "NS": "not_significant", "MIXED": "uncertainty"}
SAYS = {"UP": "UP", "DOWN": "DOWN", "NS": "not significant", "MIXED": "mixed across missions"}


@dataclass(frozen=True, slots=True)
class Slot:
    """A set in a tissue over all its missions. ``consensus``: UP or DOWN where at least two missions are
    significant and none opposes them, MIXED where some oppose, NS where none is significant, else ""."""

    tissue: str
    pathway: str
    rows: tuple[Row, ...]
    consensus: str

    @property
    def missions(self) -> dict[str, str]:
        return {row.mission: row.direction for row in self.rows}


def slots(rows: Iterable[Row]) -> list[Slot]:
    """Group rows by tissue and set."""
    grouped: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        grouped[row.tissue, row.pathway].append(row)
    made = []
    for (tissue, pathway), members in sorted(grouped.items()):
        up = sum(r.direction == "UP" for r in members)
        down = sum(r.direction == "DOWN" for r in members)
        if up and down:
            consensus = "MIXED"
        elif not up and not down:
            # One mission is no consensus, here and below.
            consensus = "NS" if len(members) > 1 else ""
        else:
            consensus = ("UP" if up else "DOWN") if up + down > 1 else ""
        made.append(Slot(tissue, pathway, tuple(members), consensus))
    return made


def items(rows: Sequence[Row], scope: str, over_missions: bool = True) -> list[Item]:
    """Every item that these rows allow, before balancing.

    Args:
        rows: one split's rows. Sets whose name holds a direction (UV_RESPONSE_UP) are left out.
        scope: " outside mission RR-9" where missions are held out of these rows, else "".
        over_missions: false where the rows are of held-out missions only: no consensus is formed.
    """
    rows = [row for row in rows if not DIRECTIONAL_NAME.search(row.pathway)]
    made = list(_missions(rows))
    if over_missions:
        known = slots(rows)
        made += [*_consensus(known, scope), *_one_by_one(known, scope)]
        made += [*_comparisons(known, scope), *_conservation(known, scope)]
    return made + list(_databases(rows))


def item_of(family: str, name: str, kind: str, prompt: str, answer: str, used: Sequence[Row], **more) -> Item:
    tissues = {row.tissue for row in used}
    low_n = bool(tissues & LOW_N)
    wrong, truth, changed = more.pop("wrong", ""), more.pop("truth"), more.pop("changed", None)
    return Item(
        slot=f"{family}:{name}",
        wording=more.pop("wording", "t0"),
        family=family,
        kind=kind,
        prompt=prompt,
        answer=answer,
        wrong=wrong,
        wrong_truth=None if changed is None else {**truth, "contrast": CONTRAST, **changed},
        ground_truth={**truth, "contrast": CONTRAST, "answerable": True},
        facts=tuple(row.fact_id for row in used),
        groups=tuple(dict.fromkeys(row.slot for row in used)),
        tissue=tissues.pop() if len(tissues) == 1 else None,
        levels=FAIRLY if low_n else HIGH,
        **more,
    )


def _other(truth: str, key: str, among: Sequence[str] = ("UP", "DOWN", "NS")) -> str:
    """A wrong direction. The opposite for UP and DOWN; every label is wrong as often as it is right."""
    return pick([label for label in among if label != truth], key)


def truth_of(pathway: str, db: str, **more: object) -> dict[str, object]:
    return {"pathway": pathway, "db": db, **more}


def _missions(rows: Iterable[Row]) -> Iterator[Item]:
    for row in rows:
        name = title(row)
        say = f"{name} is {{}} in {row.tissue} in mission {row.mission}, flight versus ground."
        yield item_of(
            "mission_specific",
            row.fact_id,
            "factual",
            f"Which way does {name} go in {row.tissue} of mission {row.mission}, flight versus ground?",
            say.format(SAYS[row.direction]),
            (row,),
            wrong=say.format(SAYS[_other(row.direction, row.fact_id)]),
            changed={"direction": _other(row.direction, row.fact_id)},
            truth=truth_of(
                row.pathway, row.db, direction=row.direction, tissue=row.tissue, mission=row.mission
            ),
            difficulty="easy" if abs(row.nes) > 2 or row.padj > 0.5 else "medium",
        )


def _consensus(known: Iterable[Slot], scope: str) -> Iterator[Item]:
    for slot in known:
        if not slot.consensus:
            continue
        name, answer = title(slot.rows[0]), slot.consensus
        say = f"Across missions{scope}, {name} is {{}} in {slot.tissue}, flight versus ground."
        wrong = _other(answer, f"{slot.tissue}|{slot.pathway}", ("UP", "DOWN", "NS", "MIXED"))
        for wording, prompt in (
            (
                "t0",
                f"Over all missions{scope}, which way does {name} go in {slot.tissue}, flight versus ground?",
            ),
            ("t1", f"Mouse {slot.tissue} after spaceflight{scope}: state what happens to {name} as a whole."),
        ):
            yield item_of(
                CONSENSUS[answer],
                f"{slot.tissue}:{slot.pathway}",
                "calibration" if answer == "MIXED" else "factual",
                prompt,
                say.format(SAYS[answer]),
                slot.rows,
                wording=wording,
                # One wording is asked, the other only teaches: asked twice, a slot would weigh twice.
                first=wording == "t0",
                wrong=say.format(SAYS[wrong]),
                changed={"direction": wrong},
                truth=truth_of(slot.pathway, slot.rows[0].db, direction=answer, tissue=slot.tissue),
                difficulty="hard" if answer == "MIXED" else "medium",
            )


def by_mission(name: str, tissue: str, missions: Mapping[str, str]) -> str:
    """Hypoxia in eye is mixed overall: UP in RR-1; DOWN in RR-3; not significant in OSD-397."""
    parts = [
        f"{SAYS[label]} in {listing(sorted(m for m, d in missions.items() if d == label))}"
        for label in ("UP", "DOWN", "NS")
        if label in missions.values()
    ]
    whole = {"MIXED": "mixed"}.get(_whole(missions), _whole(missions))
    return f"{name} in {tissue} is {whole} overall: {'; '.join(parts)}."


def _whole(missions: Mapping[str, str]) -> str:
    """The direction over all missions, of which at least one is significant."""
    decided = set(missions.values()) - {"NS"}
    return "MIXED" if len(decided) > 1 else decided.pop()


def _misread(slot: Slot) -> dict[str, str]:
    """The missions with one direction changed: a conflict where they agree, agreement where they conflict."""
    missions = slot.missions
    if slot.consensus == "MIXED":
        return {mission: "UP" if label == "DOWN" else label for mission, label in missions.items()}
    first = min(mission for mission, label in missions.items() if label == slot.consensus)
    return {**missions, first: "DOWN" if slot.consensus == "UP" else "UP"}


def _one_by_one(known: Iterable[Slot], scope: str) -> Iterator[Item]:
    """Each mission and the whole, asked of conflicting and of unanimous slots alike."""
    for slot in known:
        if slot.consensus not in ("UP", "DOWN", "MIXED"):
            continue
        name = title(slot.rows[0])
        yield item_of(
            "uncertainty",
            f"missions:{slot.tissue}:{slot.pathway}",
            "calibration",
            f"Go through the {slot.tissue} missions{scope}: which way does {name} go in each, and overall?",
            by_mission(name, slot.tissue, slot.missions),
            slot.rows,
            wrong=by_mission(name, slot.tissue, _misread(slot)),
            changed={"missions": _misread(slot), "direction": _whole(_misread(slot))},
            truth=truth_of(
                slot.pathway,
                slot.rows[0].db,
                direction=slot.consensus,
                tissue=slot.tissue,
                missions=slot.missions,
            ),
            difficulty="hard",
        )


def _decided(known: Iterable[Slot]) -> dict[str, dict[str, Slot]]:
    """Set -> tissue -> slot, of slots with an answer that is not mixed."""
    table: dict[str, dict[str, Slot]] = defaultdict(dict)
    for slot in known:
        if slot.consensus in ("UP", "DOWN", "NS"):
            table[slot.pathway][slot.tissue] = slot
    return table


def _comparisons(known: Sequence[Slot], scope: str) -> Iterator[Item]:
    for pathway, by_tissue in _decided(known).items():
        for one, two in combinations(by_tissue, 2):
            labels = {tissue: by_tissue[tissue].consensus for tissue in (one, two)}
            # Where neither changes there is nothing to compare.
            if set(labels.values()) == {"NS"}:
                continue
            name = title(by_tissue[one].rows[0])
            say = f"{name} is {{}} in {one} and {{}} in {two}, flight versus ground{scope}."
            yield item_of(
                "comparison",
                f"{one}|{two}:{pathway}",
                "reasoning",
                f"Flight versus ground{scope}: set {one} against {two} for {name}; which way does each go?",
                say.format(SAYS[labels[one]], SAYS[labels[two]]),
                (*by_tissue[one].rows, *by_tissue[two].rows),
                wrong=say.format(SAYS[_other(labels[one], one + pathway)], SAYS[labels[two]]),
                changed={"tissue_directions": {**labels, one: _other(labels[one], one + pathway)}},
                truth=truth_of(pathway, by_tissue[one].rows[0].db, tissue_directions=labels),
            )


def _conservation(known: Sequence[Slot], scope: str) -> Iterator[Item]:
    for pathway, by_tissue in _decided(known).items():
        for chosen in combinations(by_tissue, 3):
            labels = {tissue: by_tissue[tissue].consensus for tissue in chosen}
            # "Not significant" says neither that a response is conserved nor that it differs.
            if "NS" in labels.values():
                continue
            name, agree = title(by_tissue[chosen[0]].rows[0]), len(set(labels.values())) == 1
            turned = {**labels, chosen[0]: "DOWN" if labels[chosen[0]] == "UP" else "UP"}
            say = _verdict(name, scope)
            yield item_of(
                "conservation",
                f"{'|'.join(chosen)}:{pathway}",
                "reasoning",
                f"Is the flight response{scope} of {name} conserved across {listing(chosen)}?",
                say(labels),
                tuple(row for tissue in chosen for row in by_tissue[tissue].rows),
                wrong=say(turned),
                changed={"tissue_directions": turned},
                truth=truth_of(
                    pathway, by_tissue[chosen[0]].rows[0].db, tissue_directions=labels, is_consistent=agree
                ),
                difficulty="hard",
            )


def _verdict(name: str, scope: str) -> Callable[[Mapping[str, str]], str]:
    def say(labels: Mapping[str, str]) -> str:
        verdict = "agree" if len(set(labels.values())) == 1 else "differ"
        each = listing([f"{SAYS[label]} in {tissue}" for tissue, label in labels.items()])
        return f"The tissues {verdict}: {name} is {each}, flight versus ground{scope}."

    return say


def _databases(rows: Iterable[Row]) -> Iterator[Item]:
    """The same subject in two databases, in one tissue and mission."""
    subjects: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        subjects[row.slot, row.mission].append(row)
    for (slot, mission), members in subjects.items():
        for one, two in combinations(members, 2):
            if one.db == two.db or {one.direction, two.direction} == {"NS"}:
                continue
            names = [f"{TITLES.get(r.db, r.db)} {prose(r.pathway)}" for r in (one, two)]
            place = f"in {one.tissue} in mission {mission}"
            say = f"{names[0]} is {{}} {place}. {names[1]} is {{}} {place}."
            yield item_of(
                "cross_database",
                f"{slot}:{mission}:{one.db}|{two.db}",
                "reasoning",
                f"In {one.tissue} of mission {mission}, which way do {names[0]} and {names[1]} go in flight?",
                say.format(SAYS[one.direction], SAYS[two.direction]),
                (one, two),
                wrong=say.format(SAYS[_other(one.direction, slot)], SAYS[two.direction]),
                changed={
                    "pathways": [
                        {"pathway": one.pathway, "direction": _other(one.direction, slot)},
                        {"pathway": two.pathway, "direction": two.direction},
                    ]
                },
                truth={
                    "pathways": [{"pathway": r.pathway, "direction": r.direction} for r in (one, two)],
                    "tissue": one.tissue,
                    "mission": mission,
                    "is_consistent": one.direction == two.direction,
                },
                difficulty="hard",
            )
