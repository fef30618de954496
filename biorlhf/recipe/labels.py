"""On which nodes of a cluster actors are placed: labels that Ray gives its nodes, or their owner does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_ALLOWED = "letters, digits and, between them, '-', '_' and '.'; at most 63"


def _several(given: Any) -> Any:
    values = [given] if isinstance(given, str) else given
    if not isinstance(values, list | tuple) or not values or not all(isinstance(v, str) for v in values):
        raise ValueError("a label's value is a text (a number needs quotes), or a list of some")
    return tuple(values)


def _named(labels: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    for key, values in labels.items():
        domain, slash, name = key.rpartition("/")
        if not _NAME.fullmatch(name) or (slash and not _DOMAIN.fullmatch(domain)):
            raise ValueError(
                f"{key!r} is no label's name: {_ALLOWED}, after a domain and '/' where it has one"
            )
        for value in values:
            if not _NAME.fullmatch(value):
                raise ValueError(f"{key}: {value!r} is no label's value: {_ALLOWED}")
    return labels


#: Label -> the values of which a node has to have one; it has to match all labels.
Labels = Annotated[
    dict[str, Annotated[tuple[str, ...], BeforeValidator(_several)]],
    AfterValidator(_named),
]


def selector(labels: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """As Ray is asked for it: ``H100``, or ``in(H100,H200)``."""
    return {key: one[0] if len(one) == 1 else f"in({','.join(one)})" for key, one in labels.items()}


def matches(labels: Mapping[str, tuple[str, ...]], node: Mapping[str, Any]) -> bool:
    """Whether a node, with ``labels`` of its own, is one of those. One of which they are not known may be."""
    return "labels" not in node or all(node["labels"].get(key) in one for key, one in labels.items())


def in_words(labels: Mapping[str, tuple[str, ...]]) -> str:
    """``ray.io/accelerator-type: H100 or H200``."""
    return ", ".join(f"{key}: {' or '.join(one)}" for key, one in labels.items())
