"""No attack pays on a sample of the shipped datasets; ``make audit`` runs the whole of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from biorlhf import RewardComposer
from biorlhf.audit import attacks
from biorlhf.audit.board import AuditOptions, audit
from biorlhf.ground_truth import names_of
from biorlhf.plugins import load
from biorlhf.scoring.spec import ScorerSpec

SAMPLE = 60
# The 100 kB texts have their own bench, and would take most of the time of this test.
SLOW = ("filler", "filler_around_wrong")


@pytest.fixture(scope="module")
def library():
    file = attacks.load()
    return file.model_copy(update={"attacks": tuple(a for a in file.attacks if a.name not in SLOW)})


LUNG = Path(__file__).resolve().parents[1] / "data" / "lung" / "lab.yaml"
SETTINGS = {"kmp": {}, "genelab": {}, "tables": {"lab": str(LUNG)}}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_attack_pays_on_a_shipped_dataset_or_a_lab_of_another_field(name, library):
    dataset = load(entry_points=False).build("dataset", name, SETTINGS[name])
    # With the names of its data, as a run and the command have them.
    names = names_of(question.ground_truth for question in dataset.questions) | dataset.names
    spec = ScorerSpec(active=["V1", "V2", "V3", "V4"]).with_names(names)
    composer = RewardComposer(["V1", "V2", "V3", "V4"], configs=spec.configs)
    report = audit(dataset.questions, composer, library, AuditOptions(limit=SAMPLE, seed=11))
    assert report.items == SAMPLE
    assert [(c.attack, c.verifier, c.findings[0].to_json()) for c in report.beaten] == []
