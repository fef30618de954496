"""The figures of an answer that is a JSON object, each with the keys that lead to it."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

from biorlhf_plugins.language.words.lexicon import words

_STEP = re.compile(r'"(?P<key>[^"\n]{1,120})"\s*:\s*(?:(?P<opens>\{)|"?(?P<figure>[-−+]?\d[^\s,"}]*))?|\}')
_CAMEL = re.compile(r"_|(?<=[a-z])(?=[A-Z])")


class Keyed(NamedTuple):
    """A figure: the words of its keys, and [start, end) of its value in the text."""

    words: tuple[str, ...]
    span: tuple[int, int]


@functools.lru_cache(maxsize=64)
def keyed_figures(text: str) -> tuple[Keyed, ...]:
    """The figures of a text that is one JSON object and nothing else; () of any other."""
    bare = text.strip().strip("`").strip().removeprefix("json").lstrip()
    if not (bare.startswith("{") and bare.endswith("}")):
        return ()
    found: list[Keyed] = []
    path: list[str] = []
    for step in _STEP.finditer(text):
        if step["key"] is None:
            del path[-1:]
        elif step["opens"]:
            path.append(step["key"])
        elif step["figure"]:
            named = " ".join((*path, step["key"]))
            found.append(Keyed(words(_CAMEL.sub(" ", named)), step.span("figure")))
    return tuple(found)
