"""Single genes and sets: a gene's figure, which changes most, in which tissue it stands; a set's direction
against the sign of its score.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated.statements import COUNTED, TURNING
from biorlhf_plugins.check.table import FactTable, Figure, agrees
from biorlhf_plugins.language.evidence.comparisons import GREATER, SMALLER
from biorlhf_plugins.language.evidence.orders import LEAST, MOST
from biorlhf_plugins.language.extract import prompt_mentions

ABSOLUTE = frozenset(("change", "hub", "fold", "log2", "effect", "move", "shift", "respond", "react"))
SIGNS = {"UP": 1, "DOWN": -1}
STRESS = (None, "stress", "hu+ir")
"""Of one stressor alone the table has no scores of sets."""
NOT_FIRST = frozenset(("second", "third", "next", "among", "almost", "not"))


def check_features(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """A gene's figure: one gene and one plain number in the sentence."""
    for line in reading.lines:
        genes = line.words & table.features
        claims = [
            c
            for c in reading.asserted("number")
            if c.sentence == line.number and c.slot.quantity in ("log2fc", None)
        ]
        genes = genes | {word for asked in reading.prompt_lines for word in asked.words & table.features}
        if not genes or len(claims) not in (1, len(genes)) or "log2fc" not in line.values("quantity"):
            continue
        # Which of two figures belongs to which of two genes would be a guess: each is some gene's.
        own = [f for gene in sorted(genes) for f in table.find(entity=gene, quantity="log2fc")]
        for claim in claims if len(own) == len(genes) else ():
            stated, decimals = claim.value or 0.0, claim.decimals or 0
            rights = [f.value or 0.0 for f in own]
            rights += [abs(a - b) for a, b in itertools.combinations(rights, 2)]
            if not any(agrees(stated, right, decimals) for right in rights):
                told = f"{stated:g} contradicts the table"
                yield reading.finding(line, "wrong_number", "; ".join(map(str, own)), told)


def check_gene_orders(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "Cps1 changes most of the hub genes", "Alb changes less than Cps1", "Myh4 is a hub of the heart"."""
    if not table.features:
        return
    asked = [text for line in reading.prompt_lines for text in line.texts]
    for line in reading.lines:
        texts = line.texts
        genes = list(dict.fromkeys(t for t in texts if t in table.features))
        if line.kind == "row" or not genes or {m.kind for m in line.mentions} & {*TURNING, "except"}:
            continue
        if ABSOLUTE.isdisjoint([*texts, *asked]):
            continue
        first = line is reading.lines[0]
        expected = _elsewhere(reading, line, table, genes, texts) or (
            _beaten(reading, line, table, genes, [*texts, *(asked if first else ())])
            if len(genes) == 1
            else _turned_round(line, table, genes, texts)
        )
        if expected:
            told = "the table says otherwise of " + " and ".join(g.capitalize() for g in genes)
            yield reading.finding(line, "wrong_comparison", expected, told)


def _of(table: FactTable, gene: str) -> Figure | None:
    found = table.find(entity=gene, quantity="log2fc")
    return found[0] if len(found) == 1 else None


def _tissue(table: FactTable, figure: Figure) -> str:
    """The tissue that the words of a gene's figure name."""
    names = {str(m.value) for m in prompt_mentions(figure.words, table.additions) if m.kind == "entity"}
    return names.pop() if len(names) == 1 else ""


def _elsewhere(reading: Reading, line: Line, table: FactTable, genes: list[str], texts: list[str]) -> str:
    """A hub gene of one tissue that is called one of another."""
    named = line.values("entity") or reading.asked("entity")
    own = [figure for gene in genes if (figure := _of(table, gene)) is not None]
    wrong = [f for f in own if _tissue(table, f) not in ("", *named)]
    hub = "hub" in texts or any("hub" in p.words for p in reading.prompt_lines)
    return "; ".join(map(str, wrong)) if hub and len(named) == 1 and "tissue" not in texts else ""


def _beaten(reading: Reading, line: Line, table: FactTable, genes: list[str], texts: list[str]) -> str:
    """The gene that changes more than the one that is called the first, or less than the last."""
    own = _of(table, genes[0])
    most, least = not MOST.isdisjoint(texts), not LEAST.isdisjoint(texts)
    if own is None or most == least or not NOT_FIRST.isdisjoint(texts):
        return ""
    where = {str(e) for e in line.values("entity") + reading.asked("entity")} or {_tissue(table, own)}
    rivals = [f for gene in table.features if (f := _of(table, gene)) and _tissue(table, f) in where]
    sign = 1 if most else -1
    best = max((*rivals, own), key=lambda f: sign * (f.value or 0.0))
    return str(best) if (best.value or 0.0) != (own.value or 0.0) else ""


def _turned_round(line: Line, table: FactTable, genes: list[str], texts: list[str]) -> str:
    """Two genes of which the one is said to change more."""
    words = [t for t in texts if t in GREATER or t in SMALLER]
    pair = [_of(table, gene) for gene in genes]
    if len(genes) != 2 or len(words) != 1 or "than" not in texts or None in pair:
        return ""
    if not texts.index(genes[0]) < texts.index("than") < texts.index(genes[1]):
        return ""
    one, other = (f.value or 0.0 for f in pair if f is not None)
    true = one != other and (one > other) == (words[0] in GREATER)
    return "" if true else "; ".join(map(str, pair))


def check_directions(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """The direction of a set in one tissue, under stress or with the drug."""
    for claim in reading.asserted("direction"):
        line, slot = reading.line_of(claim), claim.slot
        open_ = claim.partial or claim.weak or claim.about in ("loose", "other")
        if open_ or claim.label not in SIGNS or slot.condition not in STRESS:
            continue
        # Whose doing it is must be told; figures and patterns are checked by themselves.
        agents = line.values("condition") + line.values("treatment")
        if not agents and len(reading.lines) == 1:
            agents = reading.asked("condition") + reading.asked("treatment")
        told = bool(agents) and slot.treatment in (None, *agents)
        if not told or line.kind == "row" or line.numbers() or line.values("pattern"):
            continue
        if COUNTED.search(reading.quote(line)):
            continue
        scores = table.find(quantity="nes", entity=slot.entity, treatment=slot.treatment)
        named = [f for f in scores if f.pathway in slot.pathways]
        if named and all((f.value or 0.0) * SIGNS[claim.label] < 0 for f in named):
            expected = "; ".join(map(str, named))
            yield reading.finding(line, "wrong_direction", expected, "the table's score has the other sign")
