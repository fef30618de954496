"""The names of a dataset's world, collected from its ground truths: the foils of every question."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from biorlhf.errors import DataError
from biorlhf.inputs.rows import kind_of
from biorlhf.types import Names

GENOTYPE = re.compile(r"(\S+?)\s?[+-]/[+-]( .*|)")
LACKING = ("knockout", "knock-out", "KO", "null", "deficient")
LACKS = re.compile(rf"(\S+?)[ -](?:{'|'.join(LACKING)})( .*|)")
SLASH = re.compile(r"(?<![+-])/|/(?![+-])")
ALLELES = re.compile(r"(?<!\S)(\w\w|flox)/(?=(?:\1|\+)( .*|$))")
"""The first of a genotype's two alleles: db/db, db/+, fl/fl."""


@functools.lru_cache(maxsize=4096)
def split_entity(entity: str) -> tuple[str, ...]:
    """The two names of a ratio's entity, "soleus/heart", "soleus/heart ratio"; a genotype such as "Tp53-/-",
    "db/db" is one name."""
    parts = [part.replace("\0", "/") for part in SLASH.split(ALLELES.sub("\\1\0", entity))]
    return (*parts[:-1], parts[-1].removesuffix(" ratio")) if len(parts) > 1 else tuple(parts)


def genotypes(entity: str) -> dict[str, tuple[str, ...]]:
    """Of "Tp53-/- cells" the gene's three genotypes with their other spellings, of "Tp53 KO cells" this one
    with its own, of "db/db mice" both that are bred; {} of what is no genotype."""
    bred = ALLELES.match(entity)
    if bred is not None:
        pairs = (f"{bred[1]}/{bred[1]}", f"{bred[1]}/+")
        return {f"{pair}{bred[2]}": (pair,) for pair in pairs}
    found = GENOTYPE.fullmatch(entity) or LACKS.fullmatch(entity)
    if found is None:
        return {}
    gene, rest = found.groups()
    lacking = [f"{gene} {word}" for word in LACKING]
    spelt = tuple(dict.fromkeys((*lacking, *(f"{name}{rest}" for name in lacking))))
    if found.re is LACKS:
        return {entity: (*(name for name in spelt if name != entity), f"{gene}-/-{rest}")}
    return {f"{gene}+/+{rest}": (), f"{gene}+/-{rest}": (), f"{gene}-/-{rest}": spelt}


def names_of(truths: Iterable[Mapping[str, Any]]) -> Names:
    """What a dataset's ground truths speak of, with the synonyms that they give.

    Genes are left out: what looks like one is taken for one, and a table may have twenty thousand.
    """
    entities: dict[str, set[str]] = {}
    sets: dict[str, set[str]] = {}
    quantities: dict[str, str] = {}
    for truth in truths:
        for fact in truth.get("facts") or ():
            for part in split_entity(str(fact.get("entity", ""))):
                entities.setdefault(part, set()).update(map(str, fact.get("aliases") or ()))
                for genotype, spelt in genotypes(part).items():
                    entities.setdefault(genotype, set()).update(spelt)
            quantities.setdefault(str(fact.get("quantity", "")), str(fact.get("unit") or ""))
        for name in (*(truth.get("ranking") or ()), *(truth.get("tissue_directions") or ())):
            entities.setdefault(str(name), set())
        if truth.get("tissue"):
            entities.setdefault(str(truth["tissue"]), set())
        for row in (truth, *(truth.get("pathways") or ()), *(truth.get("features") or ())):
            name = row.get("pathway") or (row.get("feature") if row.get("kind") == "set" else None)
            if name:
                sets.setdefault(str(name), set()).update(map(str, row.get("aliases") or ()))
    return Names(
        entities={name: tuple(sorted(found)) for name, found in sorted(entities.items()) if name},
        sets={name: tuple(sorted(found)) for name, found in sorted(sets.items())},
        quantities=dict(sorted(quantities.items())),
    )


def names_from_json(table: Any, where: str) -> Names:
    """What :meth:`biorlhf.types.Names.to_json` gave, back again.

    Raises:
        DataError: an unknown kind of names, or one that is no mapping of names to lists.
    """
    kinds = ("entities", "conditions", "sets", "contrasts", "quantities")
    if not isinstance(table, Mapping):
        raise DataError(where, f"a {kind_of(table)}", "a JSON object")
    for kind, names in table.items():
        if kind not in kinds:
            raise DataError(where, f"unknown key {kind!r}", choices=kinds, name=str(kind))
        if not isinstance(names, Mapping) or not all(_fits(kind, value) for value in names.values()):
            raise DataError(f"{where}: {kind}", "not a mapping of names to their synonyms", _SHAPES[kind])
    pairs = {name: (tuple(one), tuple(other)) for name, (one, other) in table.get("contrasts", {}).items()}
    listed = {
        kind: {name: tuple(synonyms) for name, synonyms in table.get(kind, {}).items()} for kind in kinds[:3]
    }
    return Names(**listed, contrasts=pairs, quantities=dict(table.get("quantities", {})))


_LIST = '{"soleus": ["soleus muscle"]}'
_SHAPES = {
    **dict.fromkeys(("entities", "conditions", "sets"), _LIST),
    "contrasts": '{"KO_vs_WT": [["null"], ["wild type"]]}',
    "quantities": '{"IC50": "nM"}',
}


def _fits(kind: str, value: Any) -> bool:
    if kind == "quantities":
        return isinstance(value, str)
    lists = value if kind == "contrasts" and isinstance(value, list) else [value]
    texts = all(isinstance(each, list) and all(isinstance(v, str) for v in each) for each in lists)
    return texts and len(lists) == (2 if kind == "contrasts" else 1)
