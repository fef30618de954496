"""YAML 1.2 (and so JSON) with line numbers, on PyYAML's safe loader.

PyYAML follows YAML 1.1, where ``1e-5`` is a string and ``no`` is false. A recipe is read by the core
schema of YAML 1.2.2 (section 10.3) instead, and a key that stands twice is an error.
"""

from __future__ import annotations

import pathlib
import re
from typing import Any

import yaml

from biorlhf.errors import InputError

Path = tuple[str | int, ...]

# Far above any recipe or lab, and read in a second or two: what is larger, deeper, or grows by its aliases,
# nobody wrote.
MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_DIGITS = 1_000_000, 50, 100_000, 400
_CORE_TAGS = ("null", "bool", "int", "float", "str", "seq", "map")


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (PyYAML's own attribute)
    # Without YAML 1.1's other tags, and with the constructor that refuses what is unknown.
    yaml_constructors = {  # noqa: RUF012
        tag: make
        for tag, make in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in _CORE_TAGS
    }
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        # Before the next level is read: PyYAML goes into each by recursion.
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


_TOO_DEEP = f"nested more than {MAX_DEPTH} deep"


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
    if len(text) > MAX_DIGITS:
        raise yaml.MarkedYAMLError(problem=f"a number of {len(text):,} digits", problem_mark=node.start_mark)
    # YAML 1.1 reads 010 as eight; by 1.2 it is ten.
    base = 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10
    return int(text, base)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def read(path: pathlib.Path, error: type[InputError] = InputError) -> tuple[Any, dict[Path, int]]:
    """:func:`load` of a file; ``error`` is raised where there is none that can be read."""
    expected = "a YAML or JSON file"
    if not path.exists():
        near = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise error(str(path), "cannot be read: no such file", choices=near, name=path.name)
    if not path.is_file():
        raise error(str(path), "a folder" if path.is_dir() else "no regular file", expected)
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        text = "" if len(content) > MAX_BYTES else content.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise error(str(path), f"cannot be read: not UTF-8 at byte {problem.start}", expected) from None
    except OSError as problem:
        raise error(str(path), f"cannot be read: {problem.strerror}", expected) from None
    if len(content) > MAX_BYTES:
        raise error(str(path), f"more than {MAX_BYTES:,} bytes", expected)
    return load(text, str(path))


def load(text: str, where: str) -> tuple[Any, dict[Path, int]]:
    """Parse one document: the data, and the line (from 1) of every path in it.

    Raises:
        InputError: text that is no YAML, a key that stands twice, a tag that asks for an object, or more
            depth, digits or aliases than anybody writes.
    """
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"not valid YAML: the character {text[error.position]!a}"
        raise InputError(f"{where}:{line}", problem, "printable text") from None
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
    except (ValueError, KeyError) as error:  # "!!int x", "!!bool 5"
        raise InputError(where, f"not valid YAML: a value that its tag does not allow: {error}") from None
    finally:
        loader.dispose()


def _record(node: yaml.Node, path: Path, lines: dict[Path, int], where: str) -> None:
    line = node.start_mark.line + 1
    lines[path] = line
    # Through its aliases a document may be deeper and larger than what stands in it, without end.
    if len(path) > MAX_DEPTH:
        raise InputError(f"{where}:{line}", f"not valid YAML: {_TOO_DEEP}, by its aliases")
    if len(lines) > MAX_NODES:
        problem = f"not valid YAML: more than {MAX_NODES:,} values, by its aliases"
        raise InputError(f"{where}:{line}", problem)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{where}:{key.start_mark.line + 1}", "a key that is no text", "a name")
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
    elif "\0" in node.value:
        raise InputError(f"{where}:{line}", "the character '\\x00'", "printable text")


def dump(data: Any) -> str:
    """YAML text of plain data, keys in their order."""
    return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
