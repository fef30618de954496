"""The house keeps its plan: no import goes in a circle, nothing private leaves its room, nothing outgrows it.

pyproject.toml says which room may import which (``make lint``); here is what such contracts cannot say.
Imports inside functions and those for type checkers count like all others.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("biorlhf", "biorlhf_plugins")
FILES = sorted([*(ROOT / "biorlhf").rglob("*.py"), *(ROOT / "plugins" / "biorlhf_plugins").rglob("*.py")])
LINES, FUNCTION_LINES, MODULES, TOP = 320, 60, 14, 26
# The names under which an earlier system's modules are still found; each only passes on what it is asked.
THIN = {"data", "training", "utils", "verifiers"}

Edges = Mapping[str, Iterable[str]]


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Module -> the modules that it imports, anywhere in it."""
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=False, cache_dir=None)
    return {module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules}


def room(module: str) -> str:
    """``biorlhf.runs.store`` lies in ``biorlhf.runs``."""
    return ".".join(module.split(".")[:2])


def circles(edges: Edges) -> list[list[str]]:
    """What can be reached from itself, in groups that reach each other."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        stack = list(edges.get(start, ()))
        while stack:
            name = stack.pop()
            if name not in seen:
                seen.add(name)
                stack.extend(edges.get(name, ()))
        return seen

    reach = {name: reached(name) for name in edges}
    inside = {name for name in edges if name in reach[name]}
    groups = {tuple(sorted(o for o in reach[name] if o in inside and name in reach[o])) for name in inside}
    return sorted(map(list, groups))


def test_circles_are_found():
    assert circles({"a": ["b"], "b": ["c"], "c": ["b", "d"], "d": ["d"]}) == [["b", "c"], ["d"]]
    assert circles({"a": ["b", "c"], "b": ["c"], "c": []}) == []


def test_no_module_imports_itself_by_way_of_others(imports):
    assert circles(imports) == []


def test_no_room_imports_itself_by_way_of_others(imports):
    rooms: dict[str, set[str]] = defaultdict(set)
    for module, imported in imports.items():
        for other in imported:
            pair = room(module), room(other)
            # The two packages themselves only pass names on: biorlhf/__init__.py is what plugins import.
            if pair[0] != pair[1] and not {*pair} & {*PACKAGES}:
                rooms[pair[0]].add(pair[1])
    assert len(rooms) > 20
    assert circles(rooms) == []


def test_every_folder_of_modules_is_a_package():
    """A folder without ``__init__.py`` is left out of the graph above, and of the linters' contracts."""
    folders = {path.parent for path in FILES if "templates" not in path.parts}
    assert [str(f.relative_to(ROOT)) for f in sorted(folders) if not (f / "__init__.py").is_file()] == []


def test_the_core_names_built_in_plugins_in_its_manager_alone():
    named = [path for path in (ROOT / "biorlhf").rglob("*.py") if "biorlhf_plugins" in code_of(path)]
    assert [str(path.relative_to(ROOT)) for path in named] == ["biorlhf/plugins.py"]


def code_of(path: Path) -> str:
    """A module's code without comments and docstrings."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body[0] = ast.Pass()
    return ast.unparse(tree)


def module_of(path: Path) -> str:
    base = ROOT / "plugins" if path.relative_to(ROOT).parts[0] == "plugins" else ROOT
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


def private_imports(path: Path) -> Iterator[str]:
    """Private names, of modules or in modules, that come from another room."""
    own = room(module_of(path))
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            ours = name.split(".")[0] in PACKAGES and room(name) != own
            if ours and any(part.startswith("_") and not part.endswith("__") for part in name.split(".")):
                yield f"{path.relative_to(ROOT)}:{node.lineno}: {name}"


def test_nothing_private_leaves_its_room():
    assert [found for path in FILES for found in private_imports(path)] == []


def test_the_top_floor_is_small():
    entries = {path.stem for path in (ROOT / "biorlhf").iterdir() if path.suffix == ".py" or path.is_dir()}
    entries = {name for name in entries if not name.startswith("_")} - THIN
    assert len(entries) <= TOP, sorted(entries)


def test_no_folder_holds_too_many_modules():
    held: dict[Path, int] = defaultdict(int)
    for path in FILES:
        held[path.parent] += path.name != "__init__.py"
    top = ROOT / "biorlhf"
    assert {str(folder): n for folder, n in held.items() if n > MODULES and folder != top} == {}


def test_no_file_is_too_long():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length > LINES} == {}


def test_no_function_is_too_long():
    found = []
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTION_LINES:
                    found.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name}, {length} lines")
    assert found == []
