"""The fact table that texts are checked against, read in the words of the claim extraction."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from biorlhf.errors import DataError
from biorlhf_plugins.language import Additions, Claim
from biorlhf_plugins.language.words.lexicon import with_additions
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import clean, tokens

NONE = Additions()
CLASSES = ("type", "pattern", "direction")
COUNTS = ("deg", "deg_up", "deg_down")
INTERACTION = "_x_"
NOUNS = ("drug", "compound", "flavonoid", "flavonol")
THE_TREATMENT = {
    "kmp": tuple(f"{article}{noun}" for noun in NOUNS for article in ("", "the ")),
    "vehicle": tuple(f"{lack} {noun}" for noun in NOUNS for lack in ("no", "without", "without the")),
}
"""What a study of one treatment calls it."""
MUSCLES = frozenset(("soleus", "gastrocnemius", "quadriceps", "tibialis anterior", "edl"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One fact in the vocabulary of :class:`~biorlhf_plugins.language.Slot`.

    ``value`` is None for a class, whose ``label`` (upper case) and ``accepted`` labels are set instead.
    """

    entity: str
    condition: str | None
    treatment: str | None
    quantity: str
    pathway: str | None
    value: float | None
    label: str
    accepted: frozenset[str]
    words: str

    @property
    def is_interaction(self) -> bool:
        return self.condition is not None and INTERACTION in self.condition

    def __str__(self) -> str:
        return f"{self.words}: {self.label}"


@dataclass(frozen=True, slots=True)
class LabSlot:
    """A row of a lab's table: ``label`` UP, DOWN, NS or NOT TESTED, ``effect`` a log2 fold change or NES."""

    feature: str
    tissue: str
    condition: str
    label: str
    effect: float | None
    denominator: str

    def __str__(self) -> str:
        place = " ".join(word for word in (self.feature, self.tissue, self.condition) if word)
        return f"{place}: {self.label}" + (f" ({self.effect:.4g})" if self.effect is not None else "")


@dataclass(frozen=True, slots=True)
class FactTable:
    """Every figure, the names that the lexicon did not know, and a lab's genes and sets as a trie."""

    figures: tuple[Figure, ...]
    additions: Additions = NONE
    features: frozenset[str] = frozenset()
    lab: dict[str, Any] = field(default_factory=dict)

    def find(self, **fields: object) -> list[Figure]:
        """The figures whose named fields have these values."""
        return [f for f in self.figures if all(getattr(f, key) == value for key, value in fields.items())]

    def bears_out(self, claim: Claim) -> bool | None:
        """Whether there is this very figure or class; None, where there is nothing of the kind."""
        slot = claim.slot
        own = self.find(entity=slot.entity, quantity=slot.quantity)
        if slot.quantity != "type":
            own = [f for f in own if f.condition == slot.condition or slot.quantity == "pattern"]
            own = [f for f in own if f.treatment == slot.treatment or f.is_interaction or f.value is None]
            own = [f for f in own if f.pathway is None or f.pathway in slot.pathways]
        if not own:
            return None
        return any(claim.label in f.accepted if f.value is None else claim.value == f.value for f in own)

    def entities(self, **fields: object) -> list[str]:
        return list(dict.fromkeys(f.entity for f in self.find(**fields)))


Row = tuple[str, str, str, str, str, tuple[str, ...]]


def agrees(stated: float, right: float, decimals: int | None = None) -> bool:
    """Whether a figure is another one, as it is rounded: -1.6 may be -1.64, and -1.662 is not -1.678.

    Without ``decimals`` it is a count, which is rounded where it ends in zeros: 6,400 may be 6,425, and 848
    is not 844.
    """
    if decimals is not None:
        return abs(stated - right) <= 0.5 * 10.0**-decimals + 1e-9
    zeros = len(f"{stated:.0f}") - len(f"{stated:.0f}".rstrip("0")) if stated else 0
    return abs(stated - right) <= max(0.5 * 10.0**zeros - 0.5, 1e-6)


def table_of(rows: Iterable[Row]) -> FactTable:
    """Figures from (where, entity, condition, quantity, value, aliases).

    Raises:
        DataError: two values for one fact, or one that is neither a finite number nor a class.
    """
    rows = list(rows)
    lexicon = with_additions(Additions())
    new: dict[tuple[str, str], None] = {}
    features: set[str] = set()
    figures: dict[tuple[object, ...], tuple[str, Figure]] = {}
    for row in rows:
        where, entity, condition, quantity = row[:4]
        known = {m.kind: m.value for m in scan(tokens(clean(entity).text), lexicon)}
        roles = {m.kind: m.value for m in scan(tokens(clean(f"{condition} | {quantity}").text), lexicon)}
        subject = str(known.get("entity") or entity.strip().lower())
        if "entity" not in known:
            # A gene in a tissue is a feature of it, not one more tissue.
            features.add(entity.strip().lower()) if "entity" in roles else new.setdefault(
                ("entity", entity.strip())
            )
        # What the lexicon does not know tells conditions apart all the same: 10 and 100 µM, day 3 and day 7.
        if condition.strip() and not {"entity", "condition", "treatment"} & roles.keys():
            new.setdefault(("condition", condition.strip()))
            roles["condition"] = condition.strip().lower()
        figure = _figure(subject, roles, row)
        key = (figure.entity, figure.condition, figure.treatment, figure.quantity, figure.pathway)
        other = figures.get(key)
        # Refused, not overwritten: whichever stayed, texts that state the other would be called wrong.
        if other is not None and other[1].label != figure.label:
            raise DataError(where, f"{figure}", f"one value per fact; {other[0]} says {other[1].label}")
        figures[key] = (where, figure)
    entries: list[tuple[str, str, tuple[str, ...]]] = [(kind, name.lower(), (name,)) for kind, name in new]
    found = tuple(figure for _, figure in figures.values())
    if any(figure.treatment for figure in found):
        entries += [("treatment", name, phrases) for name, phrases in THE_TREATMENT.items()]
    muscles = {figure.entity for figure in found} & MUSCLES
    if len(muscles) == 1:  # and a study of one muscle that
        entries.append(("entity", muscles.pop(), ("the muscle", "skeletal muscle")))
    return FactTable(found, Additions(tuple(entries)), frozenset(features))


def _figure(subject: str, roles: dict[str, object], row: Row) -> Figure:
    where, entity, place, quantity, value, aliases = row
    last = quantity.lower().split()[-1]
    kind = last if last in CLASSES else str(roles.get("quantity", quantity.lower()))
    paths = roles.get("path")
    try:
        number: float | None = float(value.replace(",", ""))
    except ValueError:
        number = None
    # Texts are held against classes of these alone: another word would be a fact that nothing can contradict.
    if (number is None and kind not in CLASSES) or (number is not None and not math.isfinite(number)):
        raise DataError(
            f"{where}: value",
            repr(value),
            f"a number, for the quantity {quantity!r} (a word only where it ends in {', '.join(CLASSES)})",
        )
    labels = [value, *aliases] if number is None else []
    accepted = frozenset(part.strip().upper() for label in labels for part in label.split("|"))
    condition = roles.get("condition")
    return Figure(
        entity=subject,
        condition=str(condition) if condition else None,
        treatment="kmp" if roles.get("treatment") == "kmp" else None,
        quantity=kind,
        pathway=str(paths[0]) if isinstance(paths, tuple) else None,
        value=number,
        label=value,
        accepted=accepted,
        words=" ".join(f"{entity} {place} {quantity}".split()),
    )
