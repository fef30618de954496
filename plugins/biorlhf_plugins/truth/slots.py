"""Facts of a ground truth: each figure or class to be stated, with the names that it adds to the lexicon."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from biorlhf.ground_truth.forms import set_title
from biorlhf.ground_truth.names import genotypes, split_entity
from biorlhf_plugins.language.words.lexicon import base
from biorlhf_plugins.language.words.measured import BRACKET, Quantity, quantity_named
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.names import DRUG
from biorlhf_plugins.language.words.text import canonical, clean, tokens
from biorlhf_plugins.language.words.units import Unit, unit_at, unit_in, unit_of

CLASS_KINDS = ("type", "pattern")
CLASS_NAMES = {"STRESS-BLOCKED": "C", "STRESS-ACTIVATED": "A", "BASELINE-ACTIVE": "B"}
SIDES = re.compile(r"\s+(?:vs\.?|versus|against|relative to|over|compared (?:to|with))\s+|_vs_", re.I)
TELLING = re.compile(r"\d|\w[A-Z]|\s[A-Z]\b")

QUOTIENT = re.compile(r"([\w-]*\w)(?:\s?[/:]\s?|-to-|\sto\s)(\w[\w-]*)")

START = ("baseline", "day 0", "week 0", "month 0", "year 0", "visit 0")
"""The first of the times at which something was measured: "week 30" is another."""

OWN_UNIT = re.compile(r"(?:[A-Za-zµμ%]{0,8}\s?/|per )\s?[A-Za-zµμ]{1,8}[²³23]?|[a-z]?I?U/\w{1,3}")
"""A unit that no table has, after a figure: "per µm", "mut/Mb"."""

ARM_HEADS = frozenset(("arm", "group", "cohort"))
SCALELESS = ("log2fc", "fc", "nes", "padj", "deg", "deg_up", "deg_down", "percent", "ratio")
"""Quantities without a unit that a dose or a time may have."""

STRESSES = frozenset(("hu", "ir", "hu+ir"))
Entry = tuple[str, str, tuple[str, ...]]


UNNAMED = Quantity(None)


MARKER = re.compile(r"\b(CD\d+[a-z]?)\+?(?=\s)")
"""A marker that cells are named by."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure or class to be stated. ``sides`` are the words of a contrast's numerator and denominator;
    ``places`` the tissues that the condition names: of a gene, where it was measured; ``named`` the words
    of the entity and its aliases, ``placed`` those of the condition; ``quotient`` the two things of a ratio,
    the first over the second."""

    entity: str
    condition: str | None
    treatment: str | None
    quantity: str | None
    value: float | str
    alternatives: tuple[str, ...] = ()
    asked: Quantity = UNNAMED
    unit: Unit | None = None
    sides: tuple[frozenset[str], frozenset[str]] | None = None
    places: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    placed: frozenset[str] = frozenset()
    quotient: tuple[str, str] | None = None

    def describe(self) -> str:
        place = " ".join(x for x in (self.entity, self.treatment, self.condition) if x)
        return f"{place}: {self.quantity or 'value'} = {self.value}"


def spellings(name: str) -> tuple[str, ...]:
    """A name as it may be written: with a set's prefix or as its title, "CD8 T cells" and "CD8+ T cells"."""
    marked = MARKER.sub(r"\1", name) if "+" in name else MARKER.sub(r"\1+", name)
    return tuple(dict.fromkeys((name, set_title(name), marked)))


def new_names(facts: list[Mapping[str, Any]]) -> Iterator[Entry]:
    """Names that the facts add beside their entities: quantities, phrases, conditions, and what is asked."""
    for fact in facts:
        entity, aliases = str(fact["entity"]), tuple(str(a) for a in fact.get("aliases") or ())
        quantity, value = str(fact.get("quantity", "")), fact.get("value")
        for part in split_entity(entity):
            yield "asked", "entity", (part, *aliases)
            for name, spelt in genotypes(part).items():  # those that are not asked for are foils
                yield "entity", name.lower(), (name, *spelt)
            arm = part.rsplit(" ", 1)
            if len(arm) == 2 and canonical(arm[1].lower()) in ARM_HEADS:
                # "combination-treated mice", "on semaglutide": an arm is spoken of by what tells it.
                yield "entity", part.lower(), (arm[0], f"{arm[0]} treated", f"on {arm[0]}")
        named = isinstance(value, str) and figure_of(value) is None and class_kind(quantity, value) is None
        if named:
            heads = [head for head in ("arm", "group") if head in quantity.lower()]
            arms = (f"{value} {head}" for head in heads)
            yield "phrase", str(value).lower(), (*spellings(str(value)), *arms)
        asked = quantity_named(quantity)
        figure = not isinstance(value, str) or figure_of(value) is not None
        if asked.own and asked.name is not None and figure and class_kind(quantity, value) is None:
            said = quantity.replace("_", " ")
            yield "quantity", asked.name, (said, BRACKET.sub("", said))
        condition = _own_condition(str(fact.get("condition") or ""))
        if condition:
            yield "condition", condition.lower(), (condition,)
            yield "asked", "condition", (condition, *filter(None, (_dose(fact),)))
        elif dose := _dose(fact):
            yield "asked", "condition", (dose,)
        elif str(fact.get("condition")).strip().lower() == START[0]:
            yield "asked", "condition", START


def fact_of(fact: Mapping[str, Any], entity_of: Callable[[str], str], prompt: str = "") -> Fact:
    """A fact from its mapping. A value that is a figure in text ("35 %", "14 nM") is a figure."""
    told = str(fact.get("condition") or "")
    condition, treatment = conditions_of(told)
    own = _own_condition(told)
    condition = own.lower() if own else condition or _dose(fact).lower() or None
    quantity, value = str(fact.get("quantity", "")), fact["value"]
    kind, asked = class_kind(quantity, value), quantity_named(quantity)
    unit = unit_of(str(fact["unit"])) if fact.get("unit") else unit_in(quantity) or unit_in(prompt)
    if kind is None and isinstance(value, str):
        figure = figure_of(value)
        if figure is not None:
            value, unit = figure[0], unit or figure[1]
    if isinstance(value, bool):
        value = "yes" if value else "no"
    sides = SIDES.split(told)
    entities = "/".join(_places(part, entity_of(part)) for part in split_entity(str(fact["entity"])))
    around = places_of(prompt)
    if len(around) == 1 and not places_of(entities):
        entities = "/".join((entities, *around))  # the blood of "its plasma half-life"
    return Fact(
        entities, condition, treatment, kind or asked.name, value,
        alternatives(value) if isinstance(value, str) else (), asked, unit,
        (words(sides[0]), words(sides[1])) if len(sides) == 2 else None,
        places_of(told),
        _telling(fact["entity"], *(fact.get("aliases") or ())), _telling(told), _quotient(quantity),
    )  # fmt: skip


def _quotient(quantity: str) -> tuple[str, str] | None:
    """The two things of "Firmicutes/Bacteroidetes ratio", "ratio of CD4 to CD8"."""
    found = QUOTIENT.search(quantity) if "ratio" in quantity.lower() else None
    return (found[1].lower(), found[2].lower()) if found else None


def _telling(*names: Any) -> frozenset[str]:
    """The words and numbers of some names."""
    return frozenset(t.text for name in names for t in tokens(clean(str(name)).text) if t.kind != "p")


@functools.lru_cache(maxsize=1024)
def places_of(text: str) -> frozenset[str]:
    """The tissues that a text names, by the built-in lexicon."""
    return frozenset(str(m.value) for m in scan(tokens(clean(text).text), base()) if m.kind == "entity")


def _places(name: str, canonical_name: str) -> str:
    """A name and the tissues in it: "Nrf2-null liver" may be spoken of as the liver."""
    inside = [str(m.value) for m in scan(tokens(clean(name).text), base()) if m.kind == "entity"]
    return "/".join(dict.fromkeys((canonical_name, *inside)))


def alternatives(value: str) -> tuple[str, ...]:
    """The labels of a class that may be given: "A|C", "Type A (stress-activated)"."""
    bare = re.sub(r"\s*\(.*?\)", "", value)
    parts = (re.sub(r"^(type|class)\s+", "", part.strip(), flags=re.I).upper() for part in bare.split("|"))
    return tuple(CLASS_NAMES.get(part, part) for part in parts)


def class_kind(quantity: str, value: Any = "") -> str | None:
    """ "type" or "pattern" where a word of the quantity says so; a cell's type is no letter."""
    named = {canonical(word) for word in re.findall(r"[a-z]+", quantity.lower())}
    kind = next((kind for kind in CLASS_KINDS if kind in named), None)
    lettered = all(len(label) == 1 for label in alternatives(str(value)))
    return kind if kind != "type" or lettered or not value else None


def words(text: str) -> frozenset[str]:
    return frozenset(t.text for t in tokens(clean(text).text) if t.kind == "w")


@functools.lru_cache(maxsize=4096)
def figure_of(text: str) -> tuple[float, Unit | None] | None:
    """The figure that a text is as a whole, with its unit: "35%", "1,204", "14 nM"; None for any other."""
    shown = text.strip()
    stream = tokens(clean(shown).text)
    number = stream[0].number if stream else None
    if number is None or number.unit in ("name", "ratio"):
        return None
    end = clean(shown).span(stream[0].start, stream[0].end)[1]
    unit = unit_at(shown, 0, end)
    rest = shown[end:].strip()
    if unit is None:
        return (number.value, None) if not rest or OWN_UNIT.fullmatch(rest) else None
    return (number.value, unit[1]) if rest in ("", unit[0]) else None


def _own_condition(text: str) -> str | None:
    """A condition that the lexicon does not know and that tells itself from others: "20 µM", a drug."""
    if not text or conditions_of(text)[0] is not None:
        return None
    if TELLING.search(text) and not SIDES.search(text):
        return text.strip()
    drugs = [word for word in re.findall(r"[a-z]+", text.lower()) if word.endswith(DRUG)]
    # Two drugs are a combination, which neither of them names.
    return drugs[0] if len(drugs) == 1 else None


def _dose(fact: Mapping[str, Any]) -> str:
    """The one dose in a condition that the lexicon does not know: the "10 nM" of "10 nM TCDD vs vehicle"; ""
    where there is none, or where the fact's own figure has the same dimension."""
    text = str(fact.get("condition") or "")
    if not text or conditions_of(text)[0] is not None:
        return ""
    found = []
    for token in tokens(clean(text).text):
        start, end = clean(text).span(token.start, token.end)
        unit = unit_at(text, start, end) if token.number is not None else None
        if unit is not None:
            found.append((text[start:end] if text[start:end].endswith(unit[0]) else
                          f"{text[start:end]} {unit[0]}", unit[1].dimension))  # fmt: skip
    quantity = str(fact.get("quantity", ""))
    told = figure_of(str(fact["value"]))
    unit_told = unit_of(str(fact["unit"])) if fact.get("unit") else unit_in(quantity) or (told and told[1])
    free = bool(unit_told) or quantity_named(quantity).name in SCALELESS
    known = unit_told.dimension if unit_told else ""
    return found[0][0] if len(found) == 1 and free and found[0][1] != known else ""


def conditions_of(text: str) -> tuple[str | None, str | None]:
    """(stressor or interaction, treatment) of a condition's name: "KMP baseline" -> ("baseline", "kmp")."""
    mentions = scan(tokens(clean(text).text), base())
    stressors = [str(m.value) for m in mentions if m.kind == "condition"]
    treatments = [str(m.value) for m in mentions if m.kind == "treatment"]
    if len(stressors) > 1:
        # "HU stress" names HU: the general word adds nothing.
        stressors = [s for s in stressors if s != "stress"]
    return (stressors[0] if stressors else None), (treatments[0] if treatments else None)


def condition_fits(gold: str | None, stated: str | None) -> bool:
    # What is left unsaid is taken from the question; only another condition contradicts.
    if gold is None or stated is None or gold == stated:
        return True
    return (stated == "stress" and gold in STRESSES) or (gold == "stress" and stated in STRESSES)
