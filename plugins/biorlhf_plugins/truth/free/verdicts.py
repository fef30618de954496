"""What the claims on one slot add up to: the directions that a text states, and those that it denies."""

from __future__ import annotations

import re
from collections.abc import Sequence

from biorlhf_plugins.language.claims.undone import told_of_treatment
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import OPPOSITE, Claim, Extraction, Slot
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.truth.free.fitting import contrast_fits, fits
from biorlhf_plugins.truth.gold import Direction, Gold

SIGNIFICANT = 0.05
SMALL = 0.1
"""A log2 fold change nearer to 0 than this, with no word beside it, says neither up nor down."""

CONCLUDES = frozenset(("hence", "so", "thus", "therefore", "overall"))
SLIGHT = vocabulary(
    "slight slightly small little mild mildly minor marginal marginally tendency tend trend weak weakly"
)
THRESHOLDS = vocabulary("cut-off cutoff cut threshold criterion filter mean means meant would say eg if")
ASKING = vocabulary("is are was were do does did has have")
CHANGED = vocabulary(
    "change changed changes differ different difference alter altered affect affected respond significant "
    "significantly"
)
OF_IT = re.compile(
    r"[^.;!?]{0,80}[.;!?]\s*(?:however,?|but|yet|still,?)?\s*"
    r"(?:it|this|that|the (?:change|difference|trend|effect|shift|increase|decrease|rise|fall))\b",
    re.I,
)
"""From a direction on: a next sentence that speaks of it by a pronoun."""

REPORTS = vocabulary(
    "claim claimed state stated say said assert asserted insist insisted report reported write wrote tell"
    " told argue argued maintain maintained"
)
OWN = vocabulary("we i data result table analysis gsea figure here evidence numbers answer")

PRONOUNS = frozenset(("it", "they", "this", "that", "these", "those", "set", "pathway"))

ELLIPSIS = re.compile(r"-\s*(?:or|and|/|and/or)\s*|\s+or\s+(?:be\s)?")


def labels_of(
    claims: Sequence[Claim], said: Extraction, slot: Direction, gold: Gold, prompt: str
) -> tuple[set[str], set[str]]:
    """(labels stated, labels denied) for a slot."""
    treated = told_of_treatment(said, claims, slot.pathway, prompt)
    if treated is not None:
        claims = [Claim("direction", Slot(), (0, len(said.text)), label=treated)]
    claims = _concluded(_of_place(claims, slot, prompt), said)
    claims = _settled(_firm(_doubted(claims, said)), said)
    claims = [c for c in claims if not _one_of_two(c, claims, said.text)]
    claims = _direct(claims, said)
    whole = {str(c.label) for c in claims if not c.negated and not c.partial}
    parts = {str(c.label) for c in claims if not c.negated and c.partial}
    denied = {str(c.label) for c in claims if c.negated}
    if "MIXED" in parts:
        whole, parts = whole | {"MIXED"}, parts - {"MIXED"}
    if "MIXED" not in whole:
        if {"UP", "DOWN"} <= parts and not whole:
            whole = {"MIXED"}
        elif not whole:
            whole = parts
    if not slot.mission and not whole:
        whole = _from_missions(slot, gold, said) or _from_nes(slot, gold, said)
    yes, no = _from_answer(said, prompt)
    if slot.overall and yes and not (whole and "MIXED" in whole):
        whole = whole | yes
    if slot.overall:
        denied = denied | no
    # "Neither up nor down" is how people say that nothing changes.
    if {"UP", "DOWN"} <= denied and not whole:
        return {"NS"}, set()
    return whole, denied


def _firm(claims: Sequence[Claim]) -> list[Claim]:
    """The claims that are plainly about the set, where there are such; else "enriched" and neighbours."""
    stated = [c for c in claims if not c.negated]
    plain = {c.sentence for c in stated if c.about != "loose"}
    stated = [c for c in stated if c.about != "loose" or not plain or c.sentence in plain]
    firm = [c for c in stated if not c.weak]
    stated = firm or stated
    return [c for c in claims if c in stated or (c.negated and not (firm and c.weak))]


def _concluded(claims: Sequence[Claim], said: Extraction) -> Sequence[Claim]:
    """Of directions that conflict those that "hence", "so" or "thus" leads to: "A loses it, hence down"."""
    ways = {c.label for c in claims if not c.negated} & set(OPPOSITE)
    led = [c for c in claims if said.stream.texts[c.chunk - 1] in CONCLUDES] if len(ways) > 1 else []
    return led if len({c.label for c in led}) == 1 else claims


def _of_place(claims: Sequence[Claim], slot: Direction, prompt: str) -> Sequence[Claim]:
    """Without the MIXED of "the two tissues do not agree" where the asked one is told by itself."""
    own = [c for c in claims if slot.tissue and c.slot.entity == slot.tissue and c.label in OPPOSITE]
    places = {m.value for m in prompt_mentions(prompt) if m.kind == "entity"}
    if not any("entity" in c.slot.stated for c in own):
        return claims
    if len(places) < 2:  # "in reloaded muscle", where the gastrocnemius is asked for
        return [c for c in claims if c.slot.entity in (None, slot.tissue)]
    return [c for c in claims if c.label != "MIXED" or "entity" in c.slot.stated]


def _doubted(claims: Sequence[Claim], said: Extraction) -> list[Claim]:
    """With NS for "a slight decrease, but the adjusted p stayed above 0.05", beside it or right after it."""
    ways = [c for c in claims if c.label in OPPOSITE and not (c.negated or c.weak)]
    chances = _insignificant(said) if all(_slight(said, c) for c in ways) else set()
    return [*claims, *(c._replace(label="NS") for c in ways if chances & {c.sentence, c.sentence + 1})]


def _slight(said: Extraction, claim: Claim) -> bool:
    """ "A slight decrease", "tends to fall", "a little lower"."""
    first = max(said.parts[claim.sentence].first, claim.chunk - 3)
    return not SLIGHT.isdisjoint(said.stream.texts[first : claim.chunk + 4])


def _insignificant(said: Extraction) -> set[int]:
    """The sentences that give a p value above the usual level."""
    chances = [c for c in said.numbers if c.slot.quantity == "padj" and c.asserted]
    return {c.sentence for c in chances if c.low is not None or (c.value or 0.0) > SIGNIFICANT}


def _settled(claims: Sequence[Claim], said: Extraction) -> list[Claim]:
    """Without what "slightly up, but not significant" and "It trends up, but this is n.s." take back."""
    stated = [c for c in claims if not c.negated]
    shy = [c for c in stated if c.label == "NS" and not c.partial]
    ways = {c.label for c in stated} - {"NS"}
    if not shy or len(ways) != 1 or ways == {"MIXED"}:
        return list(claims)
    remaining, text = [], said.text
    for claim in claims:
        later = any(
            n.slot.mission == claim.slot.mission
            and (
                (n.sentence == claim.sentence and not _offered(text, claim, n))
                or (n.sentence == claim.sentence - 1 and _slight(said, claim))
                or (n.sentence == claim.sentence + 1 and OF_IT.match(text, claim.span[1]))
            )
            for n in shy
        )
        if claim.label == "NS" or claim.negated or not later:
            remaining.append(claim)
    return remaining


def _direct(claims: Sequence[Claim], said: Extraction) -> list[Claim]:
    """Where directions conflict, without those that only the context gives to the set: "Hypoxia is down.
    An accumulation of HIF would …". What names the set, stands alone, or has a pronoun stays."""
    if not {"UP", "DOWN"} <= {c.label for c in claims if not c.negated}:
        return list(claims)
    texts, kept = said.stream.texts, []
    own = [c for c in claims if not _reported(said, c)]
    if {c.label for c in own if not c.negated} & set(OPPOSITE):
        claims = own
    for claim in claims:
        part = said.parts[claim.sentence]
        named = "path" in part.inside or not PRONOUNS.isdisjoint(texts[part.first : part.last])
        alone = sum(t.kind == "w" for t in said.stream[part.first : part.last]) == 1
        if named or alone:
            kept.append(claim)
    ways = {c.label for c in kept if not c.negated}
    return kept if len(ways) == 1 else list(claims)


def _reported(said: Extraction, claim: Claim) -> bool:
    """ "The poster claimed that X rises", "Smith et al. reported a lower X": what somebody else says."""
    part, texts = said.parts[claim.sentence], said.stream.texts
    at = next((i for i in range(part.first + 1, min(claim.chunk, part.first + 9)) if texts[i] in REPORTS), 0)
    return at > 0 and OWN.isdisjoint(texts[part.first : at])


def _one_of_two(claim: Claim, claims: Sequence[Claim], text: str) -> bool:
    """True for both halves of "consistently up- or down-regulated", which says neither."""
    near = (c for c in claims if c.sentence == claim.sentence and c.label != claim.label and c is not claim)
    return any(
        ELLIPSIS.fullmatch(text[min(c.span[1], claim.span[1]) : max(c.span[0], claim.span[0])]) for c in near
    )


def _offered(text: str, one: Claim, other: Claim) -> bool:
    """Are two labels alternatives, "up or not significant"?"""
    first, last = sorted((one.span, other.span))
    return re.search(r"\bor\b|/", text[first[1] : last[0]].lower()) is not None


def _from_missions(slot: Direction, gold: Gold, said: Extraction) -> set[str]:
    """What statements about single missions add up to."""
    by_mission: dict[str, str] = {}
    told: dict[str, set[str]] = {}
    for claim in _firm([c for c in said.directions if c.slot.mission]):
        bare = claim.slot
        fits_set = not bare.pathways or not slot.pathway or slot.pathway in bare.pathways
        fits_place = bare.entity in (None, slot.tissue) or slot.tissue is None
        fitting = fits_set and fits_place and contrast_fits(gold.contrast, claim)
        if claim.asserted and bare.mission and fitting:
            by_mission[bare.mission] = str(claim.label)
            told.setdefault(bare.mission, set()).add(str(claim.label))
    if any({"UP", "DOWN"} <= labels for labels in told.values()):
        return set()  # both directions for one mission say nothing of any
    labels = set(by_mission.values())
    if {"UP", "DOWN"} <= labels:
        return {"MIXED"}
    # As a consensus is formed from the data: significant missions decide, the others do not oppose them.
    return labels if len(labels) == 1 else labels - {"NS"}


def _from_nes(slot: Direction, gold: Gold, said: Extraction) -> set[str]:
    scores = [
        c for c in said.numbers
        if c.asserted and c.slot.quantity in ("nes", "log2fc") and abs(c.value or 0.0) >= SMALL
        and c.low is c.high is None and _tells(said, c) and fits(slot, gold.contrast, c)
    ]  # fmt: skip
    shy = _insignificant(said)
    return {"NS" if c.sentence in shy else "UP" if (c.value or 0) > 0 else "DOWN" for c in scores}


def _tells(said: Extraction, claim: Claim) -> bool:
    """Is a figure one that was found, of the contrast that is asked for? "The cut-off was a log2FC of 1"
    gives none, and in "log2FC 2.1 in sham relative to treated rats" the other side stands first."""
    part, texts = said.parts[claim.sentence], said.stream.texts
    first = next(iter(part.inside.get("frame", ())), None)
    turned = first is not None and first.value == "GROUND" and texts[first.first - 1 : first.first] != ["vs"]
    return not turned and THRESHOLDS.isdisjoint(texts[part.first : part.last])


def _from_answer(said: Extraction, prompt: str) -> tuple[set[str], set[str]]:
    """What "yes" or "no" means where the question names one direction."""
    answers = {c.label for c in said.answers}
    if not answers:
        return set(), set()
    labels = {str(m.value) for m in prompt_mentions(prompt) if m.kind == "dir"}
    if answers == {"NEITHER"} and {"UP", "DOWN"} <= labels:
        return {"NS"}, set()
    if (
        answers == {"NO"}
        and len(labels & set(OPPOSITE)) != 1
        and "MIXED" not in labels
        and asks_of_change(prompt)
    ):
        return {"NS"}, set()
    if len(labels) != 1 or not labels <= set(OPPOSITE):
        return set(), set()
    return (labels if "YES" in answers else set()), (labels if "NO" in answers else set())


def asks_of_change(prompt: str) -> bool:
    """Is it asked whether there is a change: "Does X differ between A and B, and is it up or down?"."""
    words = prompt_words(prompt)
    return bool(words) and not ASKING.isdisjoint(words[:1]) and not CHANGED.isdisjoint(words)
