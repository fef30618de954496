"""Every Python example in the README and in docs/plugins.md runs, and does what the text says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from biorlhf import Dataset, Group, Question, RewardComposer
from biorlhf.stage import Sampling
from biorlhf.testing import RecordingLearner, ScriptedRollouts, a_stage, fresh_catalogue

ROOT = Path(__file__).resolve().parents[2]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def block(page: str, language: str, first_line: str) -> str:
    [found] = [text for text in blocks(page, language) if text.startswith(first_line)]
    return found


def execute(text: str, page: str, names: dict[str, object]) -> None:
    exec(compile(text, page, "exec", dont_inherit=True), names)


@pytest.fixture(scope="module")
def examples() -> dict[str, object]:
    """The names that the examples of docs/plugins.md define, run one after the other as on the page."""
    names: dict[str, object] = {"__name__": "examples"}
    hooks = {}
    for text in blocks("docs/plugins.md", "python"):
        execute(text, "docs/plugins.md", names)
        hooks |= {name: thing for name, thing in names.items() if name.startswith("biorlhf_")}
    return {**names, "hooks": hooks}


def plugin_of(hooks) -> object:
    return type("Examples", (), {name: staticmethod(hook) for name, hook in hooks.items()})()


def test_each_kind_of_plugin_has_an_example_that_loads(examples):
    found = fresh_catalogue(plugin_of(examples["hooks"]))
    for kind, name, does in (
        ("verifier", "brief", "score"),
        ("dataset", "growth", "questions"),
        ("trainer", "best_of", "steps"),
        ("evaluator", "long_answers", "evaluate"),
    ):
        assert hasattr(found.build(kind, name, {}), does), name


def test_the_example_verifier_reads_its_setting(examples):
    found = fresh_catalogue(plugin_of(examples["hooks"]))
    question = Question("a", "?", {})
    assert found.build("verifier", "brief", {"most": 1}).score(question, "One. Two.").value == 0.5
    assert found.build("verifier", "brief", {}).score(question, "One. Two.").value == 1.0


def test_the_example_dataset_has_questions_that_a_verifier_judges(examples):
    dataset = fresh_catalogue(plugin_of(examples["hooks"])).build("dataset", "growth", {})
    composer = RewardComposer(["factual"], {"factual": 1.0}, catalogue=fresh_catalogue())
    asked = {question.id: question for question in dataset.questions}
    assert float(composer.score(asked["growth:strain_b"], "Answer: 5 days\nConfidence: 80%")) == 1.0
    assert float(composer.score(asked["growth:strain_b"], "Answer: 9 days\nConfidence: 80%")) == 0.0
    assert float(composer.score(asked["growth:strain_b"], "After 5 days.")) == 0.0
    assert float(composer.score(asked["growth:strain_a"], dataset.examples[0].response)) == 1.0


def test_the_example_trainer_learns_the_best_answer(examples):
    dataset = Dataset("d", questions=(Question("a", "Is it up?", {"answer": "yes"}),))
    composer = RewardComposer(["factual"], {"factual": 1.0}, catalogue=fresh_catalogue())
    learner = RecordingLearner()
    stage = a_stage(learner, dataset, ScriptedRollouts({"*": ["Yes.", "No."]}), composer)
    trainer = fresh_catalogue(plugin_of(examples["hooks"])).build("trainer", "best_of", {"generations": 16})
    list(trainer.steps(stage))
    expected = learner.tokenize([("Is it up?", "Yes.")])
    assert [groups for groups, _, _ in learner.steps] == [expected] * 10


def test_the_example_evaluator_tells_long_answers_from_short_ones(examples):
    evaluator = fresh_catalogue(plugin_of(examples["hooks"])).build("evaluator", "long_answers", {})
    for text, share in (("word " * 51, 1.0), ("word " * 50, 0.0)):
        rollouts = ScriptedRollouts({"*": [text]})
        groups: list[Group] = list(rollouts.sample([Question("a", "?", {})], Sampling(2, 100)))
        report = evaluator.evaluate([(group, ()) for group in groups])
        assert report["long"]["value"] == share
        assert report["long"]["n"] == 2


def test_the_readme_example_of_a_composer_runs():
    names: dict[str, object] = {}
    execute(block("README.md", "python", "from biorlhf import RewardComposer"), "README.md", names)
    assert float(names["reward"]) > 0.9


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The README's verifier, installed with pip as the README says, into a folder of its own."""
    source, target = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("site")
    (source / "names_tissue.py").write_text(block("README.md", "python", "# names_tissue.py"))
    (source / "pyproject.toml").write_text(block("README.md", "toml", "# pyproject.toml"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target"]
    done = subprocess.run([*pip, str(target), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def biorlhf(site: Path, *args: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "biorlhf", *args]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_readme_verifier_is_listed_once_it_is_installed(site):
    listed = json.loads(biorlhf(site, "plugins", "--json"))["plugins"]
    [found] = [plugin for plugin in listed if plugin["name"] == "names_tissue"]
    assert (found["distribution"], found["version"]) == ("names-tissue", "1.0")


def test_the_readme_verifier_works_in_a_recipe(site, tmp_path):
    recipe = tmp_path / "mine.yaml"
    text = blocks("docs/recipes.md", "yaml")[0]
    recipe.write_text(text.replace("verifier: uncertainty", "verifier: names_tissue"))
    assert "ok" in biorlhf(site, "validate", str(recipe))


def test_the_readme_verifier_judges(site):
    names: dict[str, object] = {}
    execute(block("README.md", "python", "# names_tissue.py"), "README.md", names)
    verifier = names["NamesTissue"]()
    assert verifier.score(Question("a", "?", {}, tissue="liver"), "Liver: 6 DEGs.").value == 1.0
    assert verifier.score(Question("a", "?", {}, tissue="liver"), "In the eye.").value == 0.0
    assert verifier.score(Question("a", "?", {}), "In the eye.").value is None


def test_the_example_recipe_is_valid(tmp_path):
    from biorlhf import recipe

    path = tmp_path / "mine.yaml"
    path.write_text(blocks("docs/recipes.md", "yaml")[0])
    assert recipe.load(path).name == "mine"


def test_the_example_answer_of_the_quickstart_is_scored(tmp_path):
    rows = [text for text in blocks("docs/quickstart.md", "json") if '"response"' in text]
    (tmp_path / "answers.jsonl").write_text("".join(rows))
    biorlhf(tmp_path, "score", str(tmp_path / "answers.jsonl"), "--out", str(tmp_path / "scores.jsonl"))
    [row] = [json.loads(line) for line in (tmp_path / "scores.jsonl").read_text().splitlines()]
    assert row["scores"]["factual"]["value"] == 1.0


def test_the_example_lab_file_is_valid_and_names_the_sides_of_its_contrast(tmp_path):
    from biorlhf_plugins.datasets.tables.config import load_lab

    path = tmp_path / "lab.yaml"
    path.write_text(block("docs/datasets.md", "yaml", "# lab.yaml"))
    lab = load_lab(path)
    assert lab.tables[0].contrast.denominator_synonyms == ("cage mice",)
    assert lab.names.entities["soleus"] == ("soleus muscle", "postural muscle")
