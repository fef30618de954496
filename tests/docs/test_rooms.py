"""Every room is named in the README and in docs/architecture.md, and every room named there exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (ROOT / "biorlhf", ROOT / "plugins" / "biorlhf_plugins")
ROOM = re.compile(r"^\| `((?:biorlhf|plugins/biorlhf_plugins)/[\w/]+/)` \|", re.MULTILINE)


def folders(depth: int | None = None) -> set[str]:
    """The folders of the two source trees that hold files, to a depth below the tree's root."""
    found = set()
    for source in SOURCES:
        for path in source.rglob("*"):
            levels = len(path.relative_to(source).parts)
            wanted = path.is_dir() and path.name != "__pycache__" and (depth is None or levels <= depth)
            if wanted and any(child.is_file() for child in path.iterdir()):
                found.add(f"{path.relative_to(ROOT)}/")
    return found


def section(page: str, heading: str) -> str:
    text = (ROOT / page).read_text("utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_the_readme_names_every_room_once():
    named = ROOM.findall(section("README.md", "What is where"))
    assert sorted(named) == sorted(folders(depth=1))


def test_architecture_names_every_folder_once():
    named = ROOM.findall((ROOT / "docs" / "architecture.md").read_text("utf-8"))
    assert sorted(named) == sorted(folders())


def test_every_room_stands_in_the_picture_of_imports():
    picture = section("docs/architecture.md", "Who may import whom")
    for room in folders(depth=1):
        assert re.search(rf"\b{Path(room).name}\b", picture), room


def floors() -> dict[str, int]:
    """Each room of the core and the line of the picture that it stands in, counted from above."""
    [picture] = re.findall(
        r"```\n(.*?)```", section("docs/architecture.md", "Who may import whom"), re.DOTALL
    )
    lines = [line.partition("|")[0].split() for line in picture.splitlines()]
    return {room: floor for floor, rooms in enumerate(lines) for room in rooms}


def arrows() -> Iterator[tuple[Path, str, str]]:
    """Every import between rooms of the core, lazy ones as well: (file, from, to)."""
    for path in (ROOT / "biorlhf").rglob("*.py"):
        room = path.relative_to(ROOT / "biorlhf").parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            targets = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module == "biorlhf":
                targets = [f"biorlhf.{alias.name}" for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                targets = [node.module or ""]
            for target in targets:
                root, _, rest = target.partition(".")
                if root == "biorlhf" and rest and rest.partition(".")[0] != room:
                    yield path, room, rest.partition(".")[0]


def test_the_core_imports_as_the_picture_says():
    floor = floors()
    checked = 0
    for path, room, target in arrows():
        if room in floor and target in floor:  # the others are public names, and the entry points
            assert floor[room] < floor[target], f"{path.relative_to(ROOT)}: {room} imports {target}"
            checked += 1
    assert checked > 200


def test_what_is_where_names_only_what_exists():
    named = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", section("README.md", "What is where"), re.MULTILINE)
    paths = [path for cell in named for path in re.findall(r"`([^`]+)`", cell)]
    assert len(paths) > 20
    for path in paths:
        assert (ROOT / path).exists(), path


def test_where_to_change_what_names_only_what_exists():
    paths = re.findall(r"`([\w./-]+/[\w./-]*)`", section("docs/architecture.md", "Where to change what"))
    assert len(paths) > 20
    for path in paths:
        below = ROOT / "plugins" / "biorlhf_plugins" / "language" / path
        assert (ROOT / path).exists() or below.exists(), path
