"""A lab's rows in words: what is asked about, where, in which contrast, at which thresholds."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from biorlhf_plugins.datasets.tables.config import LabTable
from biorlhf_plugins.datasets.tables.measured import FILTERED, NO_COUNTS, OUTLIER
from biorlhf_plugins.datasets.tables.slots import DOWN, NOT_TESTED, NS, UP, Loaded
from biorlhf_plugins.language import Additions
from biorlhf_plugins.language.words.lexicon import with_additions
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import clean, tokens

EFFECT_NAMES = {"pathway": "normalised enrichment score"}
NOUNS = {"pathway": "gene set"}
WAYS = {UP: "up", DOWN: "down"}
ROUNDING = 0.01
_ACCESSION = re.compile(r"\b(?:GO:\d+|R-[A-Z]{3}-\d+|WP\d+|[a-z]{3}\d{5}|ko\d{5})\b")
_NUMBER = re.compile(r"(?<![\w-])\d")
UNTESTED = {
    FILTERED: "its counts were too low, and it was filtered out",
    OUTLIER: "one sample was an outlier, and no p was computed",
    NO_COUNTS: "it had no counts",
}


class Place:
    """A table, and of its rows those of one tissue, condition and mission: what is said alike of all."""

    def __init__(self, one: Loaded, tissue: str, condition: str, mission: str) -> None:
        spec, about = one.spec, one.results.tool.of
        self.one, self.spec, self.about = one, spec, about
        self.quantity = EFFECT_NAMES.get(about, "log2 fold change")
        self.noun = NOUNS.get(about, about)
        self.numerator, self.denominator = spoken(spec.contrast.numerator), spoken(spec.contrast.denominator)
        # A sign is read in the frame treated minus control, and with a control in front it would mislead; a
        # score has a direction, and no size that means anything.
        self.sized = not is_control(self.numerator) and spec.effect_is != "score"
        beside = [mission] if mission else []
        if condition and says_more(condition, self.numerator, self.denominator):
            beside.append(spoken(condition))
        name = PLACES[spec.place_kind](tissue)
        self.where = f"{name} ({', '.join(beside)})" if beside else name
        self.comparison = f"{self.numerator} relative to {self.denominator} in {self.where}"
        # Beside a figure without the days and doses that might be read as one.
        self.this = "this comparison" if _NUMBER.search(self.comparison) else self.comparison
        limits = spec.thresholds
        effect = f" and an absolute {self.quantity} of at least {limits.effect:g}" if limits.effect else ""
        self.rule = f"at an adjusted p below {limits.padj:g}{effect}"
        self.words = {
            "where": self.where, "num": self.numerator, "den": self.denominator, "rule": self.rule,
            "Rule": capital(self.rule), "quantity": self.quantity, "noun": self.noun,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, at its place. ``code`` is its direction, ``split`` where it may be used."""

    at: Place
    id: str
    label: str
    effect: float
    adjusted: float
    code: int
    split: int
    tissue: str
    condition: str
    mission: str
    db: str
    why: str

    @property
    def spec(self) -> LabTable:
        return self.at.spec

    @property
    def key(self) -> str:
        """The slot: place, condition, mission, database, contrast (or the list that was tested), name."""
        of = f"over_representation_{self.spec.genes}" if self.spec.genes else self.spec.contrast.name
        return "|".join((self.tissue, self.condition, self.mission, self.db, of, self.id))

    @property
    def group(self) -> str:
        return f"{self.tissue}|{self.id}"

    @property
    def subject(self) -> str:
        """The gene TP53; the gene set Cell cycle (hsa04110)."""
        return f"the {self.at.noun} {self.label if self.label == self.id else f'{self.label} ({self.id})'}"

    @property
    def name(self) -> str:
        return plain_name(self.label)

    @property
    def aliases(self) -> list[str]:
        """What else an answer may call it than by its name."""
        return [each for each in dict.fromkeys((self.label, self.id)) if each != self.name]

    @property
    def value(self) -> float:
        """The effect as it is written."""
        return float(effect_text(self.effect, self.spec.thresholds.effect))

    @property
    def figures(self) -> str:
        """a log2 fold change of +2.13 and an adjusted p of 0.0031"""
        if self.too_small:
            # Without its p: "not significant" beside a small one would read as an error.
            effect = effect_text(self.effect, self.spec.thresholds.effect)
            of = f" of {effect}" if self.at.sized else ""
            return f"{article(self.at.quantity)} {self.at.quantity}{of} that is too small to count"
        return figures_text(self, self.effect, self.adjusted)

    @property
    def too_small(self) -> bool:
        """Not significant by its effect alone."""
        return self.code == NS and self.adjusted < self.spec.thresholds.padj

    @property
    def words(self) -> dict[str, str]:
        """For a wording's places."""
        subject = self.subject
        return {**self.at.words, "subject": subject, "Subject": capital(subject), "name": self.name}


def plain_name(label: str) -> str:
    """A label without its accession, whose digits beside a figure would be read as one."""
    return _ACCESSION.sub("", label).strip(" ,;:-_") or label


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def spoken(name: str) -> str:
    """KO_24h as it is said in a sentence: the answer's instruction writes it so as well."""
    return name.replace("_", " ").strip()


def _cells(name: str) -> str:
    # "CD8 T cells" says it already; "hepatocyte" and "Tconv" do not.
    return name if "cell" in name.lower() or name.endswith("cytes") else f"cells of the type {name}"


PLACES = {
    "tissue": lambda name: name,
    "cell_line": lambda name: f"the cell line {name}",
    "cell_type": _cells,
    "organism_part": lambda name: f"the {name.removeprefix('the ')}",
    "organoid": lambda name: f"{name.removesuffix(' organoids').removesuffix(' organoid')} organoids",
    "strain": lambda name: f"the strain {name}",
}


def says_more(condition: str, *sides: str) -> bool:
    """Whether a condition is none of the contrast's sides in other words."""
    words = spoken(condition).lower()
    if any(words in side.lower() for side in sides):
        return False
    # "Spaceflight" beside "flight against ground" would say one side of the contrast twice.
    return " " in words or not any(kind == "frame" for kind, _ in _roles(condition))


def article(quantity: str) -> str:
    """a log2 fold change; an area under the curve"""
    return "an" if quantity[0] in "aeiou" else "a"


def figures_text(row: Row, effect: float, p: float) -> str:
    """An effect and an adjusted p in the row's terms."""
    limits, probability = row.spec.thresholds, probability_text(row, p)
    if not row.at.sized:
        return probability
    size = f"{article(row.at.quantity)} {row.at.quantity} of {effect_text(effect, limits.effect)}"
    return f"{size} and {probability}"


def probability_text(row: Row, p: float) -> str:
    """an adjusted p of 0.0031. A p of 0 is one that is smaller than the file can say."""
    return (
        f"an adjusted p of {p_text(p, row.spec.thresholds.padj)}"
        if p
        else (f"an adjusted p below {row.at.one.smallest:.2g}")
    )


def effect_text(effect: float, threshold: float) -> str:
    """With two decimals, or as many as it takes to be within one percent and on its side of the threshold."""
    for digits in range(2, 17):
        text = f"{effect:+.{digits}f}"
        near = abs(float(text))
        close = abs(near - abs(effect)) <= ROUNDING * abs(effect)
        if close and (near >= threshold) == (abs(effect) >= threshold):
            return text
    return f"{effect:+.3g}"


def p_text(p: float, threshold: float) -> str:
    """With two digits, or as many as it takes to stay on its side of the threshold."""
    texts = (f"{p:.{digits}g}" for digits in range(2, 17))
    return next((text for text in texts if (float(text) < threshold) == (p < threshold)), f"{p!r}")


@functools.cache
def is_control(group: str) -> bool:
    """Whether a group's name is one of a control: ground, vehicle, sham, untreated."""
    named = any(role in (("frame", "GROUND"), ("treatment", "vehicle")) for role in _roles(group))
    return named or "sham" in group.lower()


@functools.cache
def _roles(name: str) -> tuple[tuple[str, object], ...]:
    mentions = scan(tokens(clean(name).text), with_additions(Additions()))
    return tuple((mention.kind, mention.value) for mention in mentions)


def statement(row: Row, code: int | None = None, *, figures: str = "", mirrored: bool = False) -> str:
    """What the row says, as a sentence without its capital and full stop.

    Args:
        row: the row.
        code: another direction than its own, for a wrong answer; with ``figures`` that suit it.
        mirrored: in the words of the splits that are not for training.
    """
    code = row.code if code is None else code
    num, den, where = row.at.numerator, row.at.denominator, row.at.where
    if code == NOT_TESTED:
        reason = f" ({UNTESTED[row.why]})" if row.why else ""
        return f"the data cannot say: {row.subject} was not tested for {num} against {den} in {where}{reason}"
    shown, subject = figures or row.figures, row.subject
    if code == NS and mirrored:
        return f"in {where}, {subject} shows no significant change between {num} and {den}, with {shown}"
    if code == NS:
        return f"{subject} does not change significantly between {num} and {den} in {where}, with {shown}"
    if mirrored:
        return f"in {where}, {subject} is {WAYS[code]} in {num} relative to {den}, with {shown}"
    return f"{subject} is {WAYS[code]} in {num} relative to {den} in {where}, with {shown}"


@dataclass(frozen=True, slots=True)
class Spoken:
    """A statement in both its wordings, made when one is asked for: [0] for training, [1] for the rest."""

    row: Row
    verdict: str = ""
    code: int | None = None
    figures: str = ""

    def __getitem__(self, wording: int) -> str:
        text = statement(self.row, self.code, figures=self.figures, mirrored=wording == 1)
        return f"{self.verdict}: {text}" if self.verdict else text
