"""What a ground truth asks the direction of: a set by its key, a feature by its kind and name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from biorlhf.ground_truth import direction_of
from biorlhf_plugins.language.records import OPPOSITE
from biorlhf_plugins.language.words.lexicon import base, longest, pathway_key
from biorlhf_plugins.language.words.mentions import scan
from biorlhf_plugins.language.words.text import clean, tokens
from biorlhf_plugins.truth.contrast import turned

SET_KINDS = ("set", "gene set", "geneset", "pathway")


def contrast_of(truth: Mapping[str, Any]) -> str:
    """The contrast that a ground truth names, or the one in the condition of a fact: "Mecp2 KO vs WT"."""
    if truth.get("contrast"):
        return str(truth["contrast"])
    for fact in truth.get("facts") or ():
        sides = re.split(r"\s+(?:vs\.?|versus)\s+|_vs_", str(fact.get("condition") or ""), maxsplit=1)
        if is_direction(fact) and len(sides) == 2:
            return "_vs_".join(side.strip().replace(" ", "_") for side in sides)
    return ""


def set_names(name: str, aliases: Iterable[Any]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """A set's names, unless the lexicon has it. A short name that is only an alias there names itself too."""
    key = set_key(name)[0]
    if aliases or not _is_key(key):
        yield "pathway", name, tuple(map(str, aliases))


def set_key(name: str) -> tuple[str, str | None]:
    """The key and the database of a set, whose name may be an alias: "OXPHOS" for one of Hallmark's."""
    key, db = pathway_key(name)
    if not _is_key(key):
        meant = {k for m in scan(tokens(clean(name).text), base()) if m.kind == "path" for k in m.value}
        stream = tokens(clean(name).text)
        # An alias of several sets names none of them.
        if len(meant) == 1 and any(longest(trie, stream, 0)[0] == len(stream) for trie in base().content):
            return next(iter(meant)), db
    return key, db


def _is_key(key: str) -> bool:
    """Is it the name of a set itself, and not an alias of others?"""
    return any(m.kind == "path" and key in m.value for m in scan(tokens(clean(key).text), base()))


def kind_of(row: Mapping[str, Any]) -> str:
    return str(row.get("kind") or "feature").strip().lower()


def is_set(row: Mapping[str, Any]) -> bool:
    return kind_of(row) in SET_KINDS


def feature_key(kind: str, name: str) -> str:
    """A key that no set has: a gene is never looked up among the sets."""
    return f"{kind}:{' '.join(t.text for t in tokens(clean(name).text))}"


def is_direction(fact: Mapping[str, Any]) -> bool:
    return direction_of(fact) != ""


def heading(fact: Mapping[str, Any]) -> str:
    label = direction_of(fact)
    return OPPOSITE.get(label, label) if turned(contrast_of({"facts": [fact]})) else label


def target(row: Mapping[str, Any]) -> tuple[str, str | None]:
    """(key, database) of what a row asks for, set or feature; ("", None) where it names none."""
    feature, pathway = str(row.get("feature") or ""), str(row.get("pathway") or "")
    if feature and not is_set(row):
        return feature_key(kind_of(row), feature), None
    return set_key(feature or pathway) if feature or pathway else ("", None)
