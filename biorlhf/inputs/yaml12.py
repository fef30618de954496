"""YAML 1.2 (and so JSON) with line numbers, on PyYAML's safe loader.

PyYAML follows YAML 1.1, where ``1e-5`` is a string and ``no`` is false. A recipe is read by the core
schema of YAML 1.2.2 (section 10.3) instead, and a key that stands twice is an error.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from biorlhf.errors import InputError

Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own attribute)


_CORE_SCHEMA = [
    ("null", r"~|null|Null|NULL|", "~nN"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
    ("merge", r"<<", "<"),
]
for _tag, _pattern, _first in _CORE_SCHEMA:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))
# PyYAML looks resolvers up by the first character; an empty value has none.
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\Z"), [""])


def _construct_int(loader: _Loader, node: yaml.ScalarNode) -> int:
    text = loader.construct_scalar(node)
    # YAML 1.1 reads 010 as eight; by 1.2 it is ten.
    base = 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10
    return int(text, base)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def load(text: str, where: str) -> tuple[Any, dict[Path, int]]:
    """Parse one document: the data, and the line (from 1) of every path in it.

    Raises:
        InputError: text that is no YAML, a key that stands twice, or a tag that asks for an object.
    """
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines: dict[Path, int] = {}
        _record(node, (), lines, where)
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{where}:{mark.line + 1}" if mark else where
        raise InputError(place, f"not valid YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise InputError(where, f"not valid YAML: {error}") from None
    finally:
        loader.dispose()


def _record(node: yaml.Node, path: Path, lines: dict[Path, int], where: str) -> None:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, key.value)
            if inner in lines:
                line = key.start_mark.line + 1
                raise InputError(f"{where}:{line}", f"the key {key.value!r} stands twice", "each key once")
            _record(value, inner, lines, where)
            # The key's line, not the value's: a block's value begins on the next.
            lines[inner] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _record(value, (*path, index), lines, where)


def dump(data: Any) -> str:
    """YAML text of plain data, keys in their order."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
