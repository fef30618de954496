"""The manual says what there is: every hook, command and key is in it, and every link leads somewhere."""

from __future__ import annotations

import importlib.util
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf import Question, Reward, Score, hookspecs, plugins
from biorlhf.cli import COMMANDS
from biorlhf.recipe import load, yaml12
from biorlhf.runs import manifest
from biorlhf.runs.store import rollout_rows
from biorlhf.stage import Sampling
from biorlhf.testing import ScriptedRollouts
from biorlhf.types import ScoredGroup

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
MANUAL = "\n".join(page.read_text("utf-8") for page in PAGES)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def recipe_tables():
    spec = importlib.util.spec_from_file_location("recipe_tables", DOCS / "recipe_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def signature_of(hook) -> str:
    return f"{hook.__name__}{inspect.signature(hook)}".replace("'", "")


@pytest.mark.parametrize("name", [hook for hook, _ in plugins.KINDS.values()])
def test_every_hook_has_a_heading_with_its_exact_signature(name):
    headings = (DOCS / "plugins.md").read_text("utf-8").splitlines()
    assert f"## {signature_of(getattr(hookspecs, name))}" in headings


def test_every_hookspec_is_a_kind_of_plugin():
    marked = {name for name, thing in vars(hookspecs).items() if hasattr(thing, "biorlhf_spec")}
    assert marked == {hook for hook, _ in plugins.KINDS.values()}


def test_every_field_of_a_plugin_record_is_described():
    page = (DOCS / "plugins.md").read_text("utf-8")
    for name in inspect.signature(hookspecs.VerifierPlugin).parameters:
        assert f"| `{name}` |" in page


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command):
    assert f"`biorlhf {command}`" in (ROOT / "README.md").read_text("utf-8")


def test_every_option_that_the_manual_shows_exists(monkeypatch):
    """``biorlhf score … --explain`` in a block of commands must be an option of ``biorlhf score``."""
    from typer.testing import CliRunner

    from biorlhf.cli import app

    helps: dict[str, str] = {}
    commands = "\n".join(text for language, text in FENCE.findall(MANUAL) if not language)
    shown = re.findall(r"^ *(?:\.venv/bin/)?biorlhf (\w+)((?: [^#\n]*)?)", commands, re.MULTILINE)
    assert len(shown) > 20
    for command, rest in shown:
        assert command in COMMANDS, command
        words = [command, *(re.findall(r"^ (\w+)", rest) if command in ("data", "plugins", "runs") else ())]
        key = " ".join(words)
        if key not in helps:
            monkeypatch.setattr(sys, "argv", ["biorlhf", *words])
            helps[key] = CliRunner().invoke(app, [*words, "--help"]).output
        for option in re.findall(r"(?<!\S)--[a-z-]+", rest):
            assert option in helps[key], f"biorlhf {key} has no {option}"


def test_the_tables_of_recipes_are_current(recipe_tables):
    """Where this fails, ``make docs`` (or ``python docs/recipe_tables.py``) writes them anew."""
    text = recipe_tables.PAGE.read_text("utf-8")
    assert recipe_tables.page(text) == text


def test_every_key_of_a_recipe_is_described_in_words(recipe_tables):
    for place, model in recipe_tables.SECTIONS.items():
        assert set(recipe_tables.WORDS[place]) == set(model.model_fields), place


def test_every_section_of_a_recipe_has_a_table(recipe_tables):
    models = set(recipe_tables.SECTIONS.values())
    for model in list(models):
        for inner in recipe_tables._nested(model):
            assert inner in models, inner


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page):
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        assert found.exists(), f"{page.name}: {target}"
        if anchor and found.suffix == ".md":
            assert anchor in anchors_of(found), f"{page.name}: {target}"


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as Python-Markdown makes them."""
    headings = re.findall(r"^#+ (.*)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    words = (re.sub(r"[^\w\s-]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[\s-]+", "-", heading) for heading in words}


def test_every_column_of_the_rollouts_is_described():
    page = (DOCS / "runs.md").read_text("utf-8")
    rollouts = ScriptedRollouts({"*": ["an answer"]})
    [group] = rollouts.sample([Question("a", "?", {})], Sampling(1, 10))
    reward = Reward(1.0, {"some": Score.scored(1.0)}, {"some": 1.0})
    [row] = rollout_rows([ScoredGroup(group, (reward,))])
    for column in row:
        assert f"`{column.replace('_some', '_<verifier>')}`" in page, column


def test_every_part_of_the_manifest_is_described():
    page = (DOCS / "runs.md").read_text("utf-8")
    words = {
        "biorlhf": "versions of biorlhf",
        "python": "Python",
        "versions": "packages",
        "sampler": "sampler",
        "backend": "backend",
        "started": "when it started",
        "plugins": "every plugin",
        "broken_plugins": "failed to load",
        "data": "data file",
        "hardware": "cores and memory",
        "cluster": "Ray's nodes",
        "git_commit": "git commit",
        "trust_remote_code": "trusted",
    }
    recipe = load(ROOT / "recipes" / "quickstart.yaml")
    assert set(manifest.build(recipe, plugins.load(entry_points=False), {}, {})) == set(words)
    for word in words.values():
        assert word in page, word


def test_every_page_is_in_the_site():
    site, _ = yaml12.load((ROOT / "mkdocs.yml").read_text("utf-8"), "mkdocs.yml")
    listed = {name for entry in site["nav"] for name in entry.values()}
    assert listed == {page.name for page in DOCS.glob("*.md")}


def test_the_manual_names_only_files_that_exist():
    for name in re.findall(
        r"`((?:recipes|cluster|data|biorlhf|plugins|tests|docs|examples)/[\w./-]+)`", MANUAL
    ):
        assert (ROOT / name).exists(), name


def test_the_manual_names_only_shipped_recipes():
    names = re.findall(r"recipes/(\w+)\.yaml", MANUAL)
    assert names
    for name in names:
        assert (ROOT / "recipes" / f"{name}.yaml").is_file(), name


def test_every_shipped_recipe_is_in_the_list_of_recipes():
    listed = re.findall(r"^\| `(\w+)` \|", (DOCS / "recipes.md").read_text("utf-8").partition("## ")[0], re.M)
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "recipes").glob("*.yaml"))


def test_the_site_builds_without_a_warning(tmp_path):
    pytest.importorskip("mkdocs")
    # Without -q: where warnings are not shown, --strict does not count them.
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "-f",
        "mkdocs.yml",
        "-d",
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "plugins.html").is_file()
