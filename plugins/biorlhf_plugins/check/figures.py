"""Figures against the table: wrong numbers, and right ones of another tissue or condition."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.ratios import unit_of
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.differences import (
    APART,
    derived_from,
    is_difference,
    named_counts,
    starts,
)
from biorlhf_plugins.check.stated.statements import (
    COMPARED,
    NO_MEASURE,
    REACTS,
    counts_tissues,
)
from biorlhf_plugins.check.table import COUNTS, FactTable, Figure, agrees
from biorlhf_plugins.language import Claim
from biorlhf_plugins.language.evidence.comparisons import GREATER, OVER, SMALLER, UNDER
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import vocabulary

STRESSES = ("hu", "ir", "hu+ir")
APPROXIMATE = 0.15
# Below it, a figure is also another tissue's by chance.
SMALL = 10
FACTORIAL = 16
"""Contrasts and terms that a design has at most: what is so many is no count of genes."""
AGGREGATES = frozenset(
    ("total", "sum", "other", "others", "rest", "remaining", "combined", "together", "average", "mean")
)
SUMMED = frozenset(("add", "sum", "additive", "expected", "predicted"))
ROUND = frozenset(("dozens", "hundreds", "thousands"))
CHANGES = frozenset(("shift", "change", "difference", "swing", "delta"))
DOMINANCE = frozenset(("dominated", "dominant", "driven", "sensitivity", "main"))
SIDES = ("deg_up", "deg_down")
WAYS = {"UP": "deg_up", "DOWN": "deg_down"}
COMPARING = GREATER | SMALLER | OVER | UNDER
GENES = frozenset(("gene", "deg"))
OPENED = (["/"], ["→"])
REMAINS = frozenset(("remain", "left", "survive", "persist"))
LEFT = frozenset(("left", "without", "apart", "besides", "except", "not"))
"""Words of a question that leaves a side out."""
AGAINST = vocabulary("against versus vs v / → to opposed")
DISTRIBUTES = frozenset(("neither", "both", "each"))


def check_figures(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """Counts and enrichment scores that no reading of the sentence makes true."""
    seen: set[tuple[float, str]] = set()
    # Sums and differences of the text's own figures are in no table, and may be right.
    derived = derived_from(reading)
    claims = [_filled(reading, table, claim) for claim in reading.asserted("number")]
    for claim in claims:
        line = reading.line_of(claim)
        if claim.slot.quantity not in (*COUNTS, "nes") or claim.value is None:
            continue
        if (claim.low, claim.high) != (None, None) or _bounded(reading, claim, line) or starts(line, claim):
            continue
        given = _given(reading, claim.slot.entity)
        # A part that is the whole without the other part may still stand on the wrong side.
        made: Sequence[float] = () if claim.slot.quantity in SIDES else derived
        counts = [f.value or 0.0 for f in table.find(entity=claim.slot.entity, quantity="deg")]
        if claim.slot.quantity == "deg" and not SUMMED.isdisjoint(line.words):
            made = [*made, *(a + b for a, b in itertools.combinations(counts, 2))]
        if not APART.isdisjoint(line.words):  # "the margin over radiation is a slim 33 genes"
            made = [*made, *(abs(a - b) for a, b in itertools.combinations(counts, 2))]
        made = [*made, *(abs(a - b) for a, b in named_counts(reading, line, table))]
        if is_difference(line, claim) or _matches(claim, [], itertools.chain(made, given)):
            continue
        key = (claim.value, str(claim.slot.entity))
        # A figure of two tissues is one of them, but where "both" or "neither" gives it to each.
        beside = [c for c in claims if c.span == claim.span and c.slot.entity != claim.slot.entity]
        each = bool(beside) and not DISTRIBUTES.isdisjoint(line.texts)
        if any(_matches(c, table.find(entity=c.slot.entity)) for c in beside) and not each:
            continue
        if key not in seen and (each or _entity_is_plain(reading, line, claim)):
            finding = _wrong_figure(reading, table, claim, line)
            if finding is not None:
                seen.add(key)
                yield finding


def _filled(reading: Reading, table: FactTable, claim: Claim) -> Claim:
    """A claim with the quantity that its figure can be of, from what is behind it or from the question."""
    slot, line = claim.slot, reading.line_of(claim)
    at = line.at(claim.span[0])
    if at is None or not isinstance(at.value, Number) or at.value.unit or slot.quantity == "log2fc":
        return claim
    asked, paths = reading.asked("quantity"), [*line.values("path"), *reading.asked("path")]
    counts = len(line.values("entity")) == at.value.value and slot.quantity is None  # "two: liver and soleus"
    if counts or (reading.prompt_lines and counts_tissues(line, reading.prompt_lines[-1]) == at):
        return claim._replace(slot=slot._replace(quantity="tissue"))
    if unit_of(line, at) == "ratio":
        return claim._replace(slot=slot._replace(quantity="ratio"))
    ways = [m for m in line.mentions if m.kind == "dir" or m.value in SIDES]
    if slot.quantity in SIDES and all(_compares(line, m) for m in ways):
        slot = slot._replace(quantity="deg")
    whole = at.value.value >= 0 and at.value.value == int(at.value.value)
    if not whole or (slot.quantity is None and "nes" in asked):
        known = {path for path in slot.pathways if table.find(pathway=path, quantity="nes")}
        quantity = "nes" if known and slot.quantity in (None, *COUNTS) else slot.quantity
        quantity = None if quantity in COUNTS else quantity
    elif slot.quantity in (None, "deg", "qualifier", "share") and (sided := _side_asked(reading, line, at)):
        quantity = sided
    elif slot.quantity is None and not paths and _counts_asked(reading):
        told = [q for q in line.values("quantity") if q in COUNTS] or [q for q in asked if q in COUNTS]
        quantity = told[0] if len(told) == 1 else "deg"
    else:
        quantity = slot.quantity
    return claim._replace(slot=slot._replace(quantity=quantity))


def _compares(line: Line, way: Mention) -> bool:
    """The "above" of "910 is above the sum" is no direction; the "higher" of "774 are higher" is one."""
    beside = line.texts[way.first - 1 : way.first]
    told = "than" not in line.words and (beside == ["are"] or beside[0].isdigit() if beside else False)
    return way.kind == "dir" and not told and not COMPARING.isdisjoint(line.texts[way.first : way.last])


def _side_asked(reading: Reading, line: Line, at: Mention) -> str:
    """The side that a question asks for, for an answer that only counts: "3,251 of the 6,425"."""
    sides = {m.value for o in reading.prompt_lines for m in o.mentions if m.kind in ("quantity", "dir")}
    sides &= {*WAYS, *SIDES}
    left = any(not LEFT.isdisjoint(asked.words) for asked in reading.prompt_lines)
    if left or len(sides) != 1 or at.first or {"entity", "dir", "path"} & {m.kind for m in line.mentions}:
        return ""
    return WAYS.get(side := sides.pop(), side)


def _counts_asked(reading: Reading) -> bool:
    """Whether the question is after counts of genes: it says so, or asks for an interaction or an effect."""
    measures = {*reading.asked("quantity")} - NO_MEASURE
    named = reading.asked("condition") + reading.asked("treatment")
    told = "deg" in reading.asked("quantity") or REACTS.search(reading.text.prompt) is not None
    return told or (bool(named) and not measures and not reading.asked("path"))


def _bounded(reading: Reading, claim: Claim, line: Line) -> bool:
    """No figure of one tissue: "<500 DEGs", "±0.5", "NES shift +6.0", "9,623 in all the others"."""
    if reading.text.answer[slice(*claim.span)].lower() in ROUND:
        return True
    before = reading.text.answer[max(0, claim.span[0] - 4) : claim.span[0]]
    if reading.text.answer[: claim.span[0]].lower().endswith(("near-", "near ")):
        return True  # "near-zero"
    at = line.at(claim.span[0])
    whole = next((n for n in line.mentions if n.kind == "num" and at and n.first == at.last + 2), None)
    if at and whole and line.texts[at.last : whole.first] == ["of", "the"] and whole.value.value <= FACTORIAL:
        return True  # "four of the twelve" counts no genes
    named = {i for m in line.mentions if m.kind == "condition" for i in range(m.first, m.last)}
    words = {token.text for i, token in enumerate(line.tokens) if i not in named}
    words -= {b for a, b in itertools.pairwise(line.texts) if a == "any"}  # "more than any other term"
    if "interaction" in words and "_x_" not in str(claim.slot.condition):
        return True  # of which interaction, the text does not say
    # "Of 2,110 in total, 774 rise": the part is no total.
    other = {"nes": CHANGES, "deg": AGGREGATES}.get(str(claim.slot.quantity), frozenset())
    return bool(set(before) & set("<>≤≥±")) or bool(words & other)


def _entity_is_plain(reading: Reading, line: Line, claim: Claim) -> bool:
    """The name beside the figure is this tissue; or the whole text speaks of one only."""
    beside = [m for m in line.mentions if m.kind == "entity" and m.value == claim.slot.entity]
    if all(not COMPARED.isdisjoint(line.texts[max(0, m.first - 2) : m.first]) for m in beside) and beside:
        return False  # "second only to the hippocampus" is of another
    at = line.at(claim.span[0])
    if at is not None and line.texts[at.last : at.last + 1] == ["it"]:
        return False  # "with 5,477 it has four times the count of the liver"
    if at is not None and {"time", "its"} <= {*line.texts[max(0, at.first - 3) : at.first]}:
        return False  # "hippocampus has over four times its 1,273"
    if line.values("entity"):
        return line.nearest(claim.span[0], "entity") == claim.slot.entity
    everywhere = {value for other in reading.all_lines() for value in other.values("entity")}
    return everywhere == {claim.slot.entity}


def _wrong_figure(reading: Reading, table: FactTable, claim: Claim, line: Line) -> Finding | None:
    entity, value = claim.slot.entity, claim.value or 0.0
    own = [f for f in table.find(entity=entity) if _same_kind(f, claim)]
    alone = len({f.condition for f in own}) == 1
    plain = _slot_is_plain(reading, line, claim)
    exact = [f for f in own if _same_slot(f, claim, line, alone)] if plain else []
    right = exact or own
    if not own or _matches(claim, right):
        return None
    alike = [f for f in table.figures if _same_kind(f, claim) and _matches(claim, [f])]
    others = [f for f in alike if f.entity != entity]
    here = [f for f in alike if f.entity == entity]
    several = len(line.numbers("")) > 1
    # Where condition or quantity are not plain, a figure is only wrong if it is clearly another tissue's, or
    # a count of genes that stands nowhere in the table.
    at = line.at(claim.span[0])
    counted = at is not None and not alike and {*line.texts[at.last : at.last + 1]} <= GENES
    if not exact and (((several or not others) and not counted) or abs(value) < SMALL):
        return None
    if here and any(_matches(other, right) for other in _other_scores(reading, claim)):
        return None
    if here:
        kind, message = "wrong_condition", f"{value:,g} is {here[0].words}"
    elif others:
        kind, message = "wrong_tissue", f"{value:,g} is {others[0].words}, not {entity}"
    else:
        kind, message = "wrong_number", f"{value:,g} contradicts the table"
    expected = "; ".join(str(f) for f in right[:4])
    return reading.finding(line, kind, expected, message)


def _other_scores(reading: Reading, claim: Claim) -> Iterator[Claim]:
    """The NES beside one: "3.691 with kaempferol, after -2.302", of which one is of another condition."""
    for other in reading.asserted("number") if claim.slot.quantity == "nes" else ():
        same = (other.sentence, *other.slot[:3]) == (claim.sentence, *claim.slot[:3])
        if same and other.slot.quantity in ("nes", None) and other.span != claim.span:
            yield other


def _slot_is_plain(reading: Reading, line: Line, claim: Claim) -> bool:
    """Whether condition and quantity of the claim can be taken at their word: the text gives the condition,
    or the question gives one, and no sentence of the answer up to this has named another.
    """
    at = line.at(claim.span[0])
    if line.words & DOMINANCE or at is None or not REMAINS.isdisjoint(line.texts[at.last : at.last + 2]):
        return False  # "of the 4,110 at baseline only 140 remain", elsewhere
    named, asked = line.values("condition"), reading.asked("condition")
    before, behind = line.texts[max(0, at.first - 2) : at.first], line.texts[at.last : at.last + 1]
    if (not AGAINST.isdisjoint(before) or behind in OPENED) and len(named) < 2:
        return False  # the other side of a comparison is of what is not named
    close = [m for m in line.mentions if m.kind == "num" and at.first - 5 < m.first < at.first]
    if "of" in before and close:
        return False  # nor is the whole of "3 of the 309"
    if not AGAINST.isdisjoint(behind) and len(named) > 1:
        return False  # "HU changes more than IR (6,425 vs 67)"
    if named:
        told = "condition" in claim.slot.stated
        return told and line.nearest(claim.span[0], "condition") == claim.slot.condition
    earlier = {c for other in reading.lines[: line.number] for c in other.values("condition")}
    entities = line.values("entity")
    single = len(line.numbers("")) in (1, len(entities)) or claim.slot.quantity in COUNTS
    same = earlier <= {claim.slot.condition} and (len(reading.asked("entity")) <= 1 or bool(entities))
    return single and same and asked == (claim.slot.condition,)


def _same_kind(figure: Figure, claim: Claim) -> bool:
    if figure.value is None:
        return False
    if claim.slot.quantity == "nes":
        return figure.quantity == "nes" and (not claim.slot.pathways or figure.pathway in claim.slot.pathways)
    if claim.slot.quantity == "deg":
        return figure.quantity in COUNTS
    return figure.quantity == claim.slot.quantity


def _same_slot(figure: Figure, claim: Claim, line: Line, alone: bool) -> bool:
    """Whether the claim, as far as it is explicit, is about this figure; ``alone``: it has one condition."""
    slot = claim.slot
    if alone and slot.condition is None:
        return figure.quantity == slot.quantity
    if slot.condition is None or (slot.quantity == "deg" and figure.quantity != "deg"):
        return False
    conditions = STRESSES if slot.condition == "stress" else (slot.condition,)
    if figure.condition not in conditions:
        return False
    # An interaction's condition names all of its factors, KMP among them: no treatment is looked for.
    if figure.is_interaction:
        return True
    # A drug that is named after the figure, past a comma or bracket, belongs to the rest of the sentence.
    number = next((m.first for m in line.mentions if m.kind == "num"), 0)
    treated = [m for m in line.mentions if m.kind == "treatment"]
    if treated:
        between = line.texts[number : treated[0].first]
        return not set(",();:").isdisjoint(between) or figure.treatment == slot.treatment
    return bool(line.values("condition")) or figure.treatment == slot.treatment


def _matches(claim: Claim, figures: Iterable[Figure], values: Iterable[float] = ()) -> bool:
    value = claim.value or 0.0
    for right in itertools.chain((f.value for f in figures), values):
        if right is None:
            continue
        if claim.slot.quantity in ("nes", "log2fc"):
            near = agrees(value, right, claim.decimals or 0)
        elif claim.approximate:
            near = abs(value - right) <= APPROXIMATE * max(abs(right), 1)
        else:
            near = agrees(value, right) and abs(value - right) <= 0.005 * abs(right)
        if near:
            return True
    return False


def _given(reading: Reading, entity: str | None) -> list[float]:
    """Figures that the prompt itself gives of this tissue, or of none: they are not the answer's claim."""
    lines = [line for line in reading.prompt_lines if set(line.values("entity")) <= {entity}]
    return [number.value for line in lines for number in line.numbers("")]
