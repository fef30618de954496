"""Names of quantities: the closed vocabulary of the lexicon, and names of a question's own."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from biorlhf_plugins.language.words.lexicon import base, longest, table
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import spoken, stream_of, vocabulary
from biorlhf_plugins.language.words.units import unit_in

GENERIC = vocabulary(
    "count number of the a an in per for and or to with by value level score mean median average total "
    "all overall observed measured estimated reported final answer result figure estimate is it my about "
    "at on under as total sum amount absolute relative max maximum min minimum"
)
"""Words that tell no quantity from another."""

RISING = frozenset(("up", "upregulated", "increased", "induced", "activated"))
FALLING = frozenset(("down", "downregulated", "decreased", "repressed", "suppressed"))
DIRECTED = RISING | FALLING
TRANSCRIPTS = frozenset(("gene", "transcript", "deg", "mrna"))
STATISTICS = frozenset(("nes", "padj", "log2fc", "fc"))
SHARES = vocabulary(
    "share fraction proportion percent percentage rate prevalence frequency viability efficiency purity "
    "abundance recovery identity incidence coverage yield cv penetrance survival contamination occupancy "
    "conversion confluency saturation turnout % sensitivity specificity accuracy"
)
COUNTING = frozenset(("count", "number", "total"))

LEXICAL = frozenset((
    "padj", "nes", "log2fc", "fc", "ratio", "deg", "deg_up", "deg_down", "percent", "share", "background",
    "tissue", "mission", "mouse", "group", "other", "type", "pattern", "quotient", "dose", "time",
))  # fmt: skip
"""Quantities that code knows by name; any other is named by its own words."""


@functools.cache
def measures() -> frozenset[str]:
    """Quantities of the lexicon that are named by their own words, such as "ic50": none is another."""
    return frozenset(table("lexicon")["quantity"]) - LEXICAL


HEADS = frozenset(("index", "rate", "ratio", "concentration", "time", "weight", "length", "survival", "size"))
"""Words that many quantities share: an index is not the asked index for that."""


CUTOFF = re.compile(
    r"[\s(,]+(?:(?:at|with|by|under|below|passing)\s+)?(?:an?\s+)?(?:\d[\d.]*\s?%\s+FDR"
    r"|(?:FDR\s?(?:[<≤=]|of|below)?|(?:padj|adjusted p(?:[ -]value)?|q(?:[ -]value)?)\s?(?:[<≤=]|of|below))"
    r"\s?\d[\d.]*\s?%?)\)?",
    re.I,
)
"""The cut-off in the name of a count, which is not what is counted: "proteins at 1% FDR"."""

BRACKET = re.compile(r"\s*\([^()]*\)$")
"""A unit behind a quantity's name: "resting membrane potential (mV)"."""

UNITARY = re.compile(r"\((?![^()]*[a-z]{4})[^()]*\)$", re.I)

PLURALS = frozenset(
    ("taxa", "loci", "genera", "species", "nuclei", "mice", "phyla", "foci", "alleles", "children")
)


class Quantity(NamedTuple):
    """``name`` is that of the lexicon ("deg", "nes") or the asked words themselves; None says nothing.

    ``words`` tell it from others; ``own`` says that the lexicon does not know it. ``counts``: a number of
    things, ``nouns`` those of the lexicon; ``share``: a part of a whole, which may be told in percent.
    """

    name: str | None
    words: frozenset[str] = frozenset()
    own: bool = False
    counts: bool = False
    share: bool = False
    nouns: frozenset[str] = frozenset()


@functools.lru_cache(maxsize=4096)
def quantity_named(text: str) -> Quantity:
    """What a name such as "DEG count", "NES of glycolysis", "Shannon index" stands for: by words, whole."""
    text = CUTOFF.sub("", text)
    stream = stream_of(text.replace("_", " "))
    words = frozenset(t.text for t in stream if t.kind != "p") - GENERIC
    name = _known(stream, words)
    if UNITARY.search(text):  # of "stomatal conductance (mol m-2 s-1)" the unit tells nothing
        words = frozenset(spoken(BRACKET.sub("", text))) - GENERIC or words
    share = bool({t.text for t in stream} & SHARES)
    if name is not None:
        return Quantity(name, words, counts=name.startswith("deg"), share=name == "percent")
    plural = bool(PLURALS & set(text.lower().split())) or any(
        w[-1] == "s" and w[-2:] not in ("ss", "us", "is", "as") for w in text.lower().split() if len(w) > 3
    )
    nouns = frozenset(str(m.value) for m in scan(stream, base()) if m.kind == "quantity")
    plural = plural and not share and not nouns & measures() and unit_in(text) is None  # "odds ratio"
    counted = bool({t.text for t in stream} & COUNTING) or plural
    own = " ".join(t.text for t in stream if t.kind != "p") or None
    return Quantity(own, words, own is not None, counted and not share, share, nouns)


def _known(stream: list, words: frozenset[str]) -> str | None:
    trie = base().content[0]
    rest, found, index = set(words), [], 0
    while index < len(stream):
        end, meanings = longest(trie, stream, index)
        named = [str(v) for k, v in meanings or () if k == "quantity"]
        if named:
            found.append(named[0])
            rest -= {t.text for t in stream[index:end]}
        index = max(end, index + 1)
    for name in found:
        if name in STATISTICS:
            return name
    if words & {"percent", "percentage", "%"} and measures().isdisjoint(found):
        return "percent"  # and not "objective response rate (percent)", which has a name
    rest -= {"differentially", "expressed", "significant", "significantly", "changed", "regulated", "altered"}
    for name in found:
        if name.startswith("deg") and rest <= DIRECTED:
            return directed(words) if words & DIRECTED else name
        if name in ("ratio", "difference") and not rest - {"change"}:
            return name
    return None


def directed(words: frozenset[str]) -> str:
    """Which genes a quantity's words count: "induced" those that go up."""
    return "deg_up" if words & RISING else "deg_down" if words & FALLING else "deg"
