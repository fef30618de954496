"""V1's grading: figures, classes, a short answer and a ranking against the fact table.

Per gold slot: exact 1; within 1 % 0.9; within 5 % and marked as approximate 0.6; else 0. Zero and the
sign must be exact. Of k rival candidates in a slot the best counts 1/k. Recall is the mean over slots,
precision that over the claims that the table can check; the score is their F1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from biorlhf.ground_truth.names import split_entity
from biorlhf_plugins.language.claims.quantities import AVERAGES, NOUN_UNITS
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Claim, Extraction, Slot
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.measured import HEADS, LEXICAL, TRANSCRIPTS, directed, measures
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.language.words.units import unit_at
from biorlhf_plugins.truth.credits import APPROXIMATE_ERROR, OPEN_GUESS, VAGUE
from biorlhf_plugins.truth.free.answers import grade_answer, grade_ranking
from biorlhf_plugins.truth.free.asked import DENYING, WAYS, asked_ones, of_its_key, owned
from biorlhf_plugins.truth.free.classes import grade_class
from biorlhf_plugins.truth.free.figures import FITTING, FOLDS, OTHER, UNFIT, Reading, other_p, reading, wide
from biorlhf_plugins.truth.gold import Gold
from biorlhf_plugins.truth.graded import Graded, line
from biorlhf_plugins.truth.slots import Fact, condition_fits, places_of
from biorlhf_plugins.truth.worded import worded_shares

NO_ANSWERS = frozenset(("qualifier", "operand", "difference", "padj"))
"""What a figure in a slot never is, unless the fact asks for it."""

REPLICATES = frozenset(("experiment", "replicate", "repeat", "donor", "batch", "run"))
"""How often something was measured, which is never its figure."""

REACH = 4
"""Tokens before a figure in which a "not" is its own."""

PARTS = frozenset(("deg_up", "deg_down", "percent"))
EITHER_WAY = vocabulary(
    "change changed alter altered respond responded differ differed affect affected deregulated dysregulated "
    "move moved all total overall altogether together of both sum differential differentially"
)
"""Words of genes that go up or down."""
Fitted = tuple[int, Reading]
"""A reading, and how well its quantity fits."""


def grade_facts(gold: Gold, said: Extraction, prompt: str) -> Graded:
    """Grade facts, answer and ranking. ``answered`` is false where nothing in the text fills a slot."""
    graded = Graded()
    if not said.classes and (listed := _listed(said, prompt)):
        said = replace(said, classes=listed)
    # Where all facts are of one entity it tells none from another: then it needs no naming.
    alone = len({fact.entity for fact in gold.facts}) == 1
    for fact in gold.facts:
        if isinstance(fact.value, str):
            grade_class(fact, said, prompt, graded, alone=len(gold.facts) == 1)
        else:
            _grade_number(fact, said, prompt, graded, alone)
    if gold.answer is not None:
        grade_answer(gold, said, prompt, graded)
    if gold.ranking:
        grade_ranking(gold.ranking, said, prompt, graded)
    return graded


def _listed(said: Extraction, prompt: str) -> tuple[Claim, ...]:
    """ "Heart and soleus." to "Which tissues are Type A?": the class that the prompt asks for, of each."""
    asked = prompt_mentions(prompt)
    classes = {(m.kind, str(m.value)) for m in asked if m.kind in ("type", "pattern")}
    if len(classes) != 1 or any(m.kind == "entity" for m in asked):
        return ()
    kind, label = next(iter(classes))
    return tuple(
        Claim("class", Slot(entity=str(n.value), quantity=kind), n.span, label=label, negated=n.denied)
        for n in said.named
        if n.kind == "entity" and not n.aside and not n.compared
    )


def fits(fact: Fact, claim: Claim, alone: bool = True) -> int:
    """Does a claim speak of a fact's slot? ``OTHER`` where its quantity has another name than the asked."""
    slot = claim.slot
    if fact.quantity == "ratio":
        elsewhere = "entity" in slot.stated and slot.entity not in split_entity(fact.entity)
        return FITTING if slot.quantity in ("ratio", "fc") and not elsewhere else UNFIT
    # What only looks like a name may be an acronym of the quantity: OS, LOD.
    of_set = "pathways" in slot.stated and not any(name.startswith("?") for name in slot.pathways)
    if of_set and "entity" not in slot.stated and not _is_place(fact.entity):
        return UNFIT  # the figure of a set, where that of a gene or of another set is asked for
    if slot.entity is None or (slot.quantity == "tissue" and "tissue" in fact.asked.words):
        if not alone:
            return UNFIT  # of "four tissues: heart, liver, …" the four are of none of them
    elif slot.entity not in split_entity(fact.entity):
        return UNFIT
    if not condition_fits(fact.condition, slot.condition):
        return UNFIT
    # KMP is a part of an interaction's name (KMP_x_HU): the treatment tells nothing more.
    if fact.condition and "_x_" in fact.condition:
        return _quantity_fits(fact, slot.quantity)
    if fact.treatment == "kmp" and slot.treatment == "vehicle":
        return UNFIT
    named = slot.treatment == "kmp" and "treatment" in slot.stated  # a prompt's default says nothing
    if fact.treatment is None and fact.condition is not None and named:
        return UNFIT
    return _quantity_fits(fact, slot.quantity)


def _is_place(entity: str) -> bool:
    """Is it a tissue of the built-in lexicon, which may have figures of many sets?"""
    return entity in places_of(entity)


def _quantity_fits(fact: Fact, stated: str | None) -> int:
    """How a claim's quantity fits: by the lexicon's name, or by the words that name it."""
    gold = fact.quantity
    if stated is None or stated == gold:
        return FITTING
    if stated in NO_ANSWERS:
        return UNFIT
    if gold is None:
        return FITTING if stated not in LEXICAL else UNFIT
    if gold in FOLDS:
        return FITTING if stated in ("log2fc", "fc", "ratio", "percent") else UNFIT
    if stated == "sample":
        return OTHER
    if not fact.asked.own:
        return UNFIT
    shared_words = fact.asked.words & set(stated.split())
    if stated in measures() or (shared_words <= HEADS and fact.asked.words - HEADS):
        shared_words = frozenset()
    if stated in fact.asked.nouns & NOUN_UNITS:
        return FITTING
    if stated in AVERAGES:
        return FITTING if stated in gold.split() or not AVERAGES & set(gold.split()) else UNFIT
    if stated in REPLICATES and not shared_words:
        return UNFIT
    if stated.startswith("deg") and fact.asked.words & TRANSCRIPTS:
        return FITTING if stated in ("deg", directed(fact.asked.words)) else UNFIT
    if stated == "time" and fact.asked.counts:
        return OTHER
    if stated in ("percent", "ratio", "dose", "time") or shared_words:
        return FITTING
    if stated == "share":
        return FITTING if fact.asked.counts else OTHER
    return UNFIT if stated in LEXICAL - NOUN_UNITS else OTHER


def _grade_number(fact: Fact, said: Extraction, prompt: str, graded: Graded, alone: bool) -> None:
    graded.guesses.append(OPEN_GUESS)
    said = of_its_key(fact, said, prompt)
    spoken = places_of(said.text) if fact.places else frozenset()
    elsewhere = bool(spoken) and not fact.places & spoken  # the gene's figure in another tissue
    read = [] if elsewhere else _readings(fact, said, prompt, alone)
    if shares := worded_shares(fact, said):
        counts = {r.claim.chunk - 1 for r in shares}  # the "three" of "three quarters"
        texts = said.stream.texts  # "none at any of the 58 sites"
        wholes = {r.claim.chunk for r in read if "of" in texts[max(0, r.claim.chunk - 2) : r.claim.chunk]}
        read = [r for r in read if r.claim.chunk not in (counts if fact.value else wholes)] or shares
    denied = [r.claim for r in read if r.claim.negated and r.claim.modality == "asserted" and r.credit == 1.0]
    stated = [r for r in read if r.claim.asserted]
    whole = [r for r in stated if r.claim.low is None and r.claim.high is None]
    meant = asked_ones(fact, whole, said, prompt)
    whole = [r for r in whole if any(_same(r, one) for one in meant)]
    ranges = [r for r in stated if r.claim.low is not None and r.claim.high is not None]
    rivals = 0
    groups: list[list[Reading]] = []
    for told in whole + ranges:
        group = next((g for g in groups if _same(told, g[0])), None)
        if group is None:
            groups.append([told])
            # A range that holds nearly everything would otherwise always be right.
            rivals += VAGUE if wide(told.claim) else 1
        else:
            group.append(told)
    # The best of a group: an exact figure that is repeated in round numbers loses nothing.
    tops = [max(group, key=lambda r: r.credit) for group in groups]
    lines = [(top.credit, line(fact.describe(), top.claim)) for top in tops]
    lines += [(0.0, line(fact.describe(), claim, "the text denies it")) for claim in denied[:1]]
    graded.settle(fact.describe(), lines, rivals + bool(denied))


def _readings(fact: Fact, said: Extraction, prompt: str, alone: bool) -> list[Reading]:
    """The claims that speak of a fact's slot, compared with its figure.

    What has another name than the asked quantity counts only where nothing has that name or none, and a
    whole that is told on the way to its part or share is no rival of it.
    """
    candidates: list[tuple[int, Reading]] = []
    sets = {m.value for m in prompt_mentions(prompt) if m.kind == "path"}
    unsaid = not DENYING.isdisjoint(prompt_words(prompt))
    for claim in said.numbers:
        if (
            unsaid
            and claim.negated
            and DENYING.isdisjoint(said.stream.texts[max(0, claim.chunk - REACH) : claim.chunk])
        ):
            claim = claim._replace(negated=False)  # "1,037 genes no longer respond", asked for those
        fit = fits(fact, claim, alone)
        if (
            not fit
            and claim.slot.quantity == "deg"
            and fact.quantity in PARTS
            and _bare(said, claim, prompt, fact.quantity)
        ):
            fit = (
                OTHER if fits(fact, claim._replace(slot=claim.slot._replace(quantity=None)), alone) else UNFIT
            )
        if len(sets) == 1 and fact.quantity == "nes" and _of_another(claim, *sets):
            continue  # "for comparison, that of OXPHOS is -2.3"
        if fit and fact.quantity == "padj" and other_p(fact, claim, said.text):
            fit = OTHER
        told = reading(fact, claim, said) if fit else None
        if told is not None:
            candidates.append((fit, told))
    candidates = _by_name(fact, _by_unit(fact, candidates, said))
    if fact.treatment and fact.quantity == "nes":  # not that of the stress alone, which is told before
        slots = [(c, c[1].claim.slot) for c in candidates]
        treated = [c for c, s in slots if s.treatment == fact.treatment and "treatment" in s.stated]
        candidates = treated or candidates
    stated = [r for _, r in candidates if r.claim.asserted]
    mine = owned(fact, stated, said, prompt)
    if len(mine) < len(stated):
        candidates = [(fit, r) for fit, r in candidates if r in mine or not r.claim.asserted]
    sure = [r for fit, r in candidates if fit == FITTING]
    # A figure with another name may be the asked one beside one without: if the words around tell.
    if all(r.claim.slot.quantity is None for r in sure if r.claim.asserted):
        meant = asked_ones(fact, [r for _, r in candidates if r.claim.asserted], said, prompt)
        sure = meant if len({r.value for r in meant}) == 1 else sure
    if not any(r.claim.asserted for r in sure):
        sure = [r for _, r in candidates]
    if fact.quantity in PARTS:
        sure = [r for r in sure if r.claim.slot.quantity == fact.quantity] or sure
    return sure


def _bare(said: Extraction, claim: Claim, prompt: str, asked: str | None) -> bool:
    """Does a sentence leave open which way, or tell the ``asked`` one: "2,318 genes." to how many go down,
    "downregulated: 2,318 genes", not "2,318 change"?"""
    part = said.parts[claim.sentence]
    told = set(said.stream.texts[part.first : part.last])
    ways = {m.value for m in part.inside.get("dir", ())}
    return ways <= {WAYS.get(asked or "")} and EITHER_WAY.isdisjoint(told - {*prompt_words(prompt)})


def _by_unit(
    fact: Fact, candidates: list[tuple[int, Reading]], said: Extraction
) -> list[tuple[int, Reading]]:
    """Those with a unit of the asked kind, where there are such: 670 kDa, and not the 14 of "fraction 14"."""
    if fact.unit is None or fact.unit.dimension.startswith(("count", "share")):
        return candidates
    units = [unit_at(said.text, *r.claim.span) for _, r in candidates]
    own = [
        c
        for c, unit in zip(candidates, units, strict=True)
        if unit and unit[1].dimension == fact.unit.dimension
    ]
    return own or candidates


def _by_name(fact: Fact, candidates: list[Fitted]) -> list[Fitted]:
    """From the first figure on that the asked measure's own name is told of: not the months before "a hazard
    ratio of 0.44"; all where it is told of none."""
    named = fact.asked.nouns & measures()
    mine = [r for _, r in candidates if r.claim.slot.quantity in named]
    first = min((r.claim.chunk for r in mine if r.claim.asserted), default=0)
    return [
        (FITTING if r in mine else fit, r) for fit, r in candidates if r in mine or r.claim.chunk >= first
    ]


def _of_another(claim: Claim, names: Sequence[str]) -> bool:
    """Is a figure told of a set that has none of the asked one's names?"""
    return "pathways" in claim.slot.stated and set(names).isdisjoint(claim.slot.pathways)


def _same(one: Reading, other: Reading) -> bool:
    """The same figure, or a rounded one beside its exact form."""
    a, b = one.value, other.value
    if a == b or (one.credit == other.credit == 1.0):
        return True
    near = abs(a - b) <= APPROXIMATE_ERROR * max(abs(a), abs(b)) and (a < 0) == (b < 0)
    return near and (one.claim.approximate or other.claim.approximate)
