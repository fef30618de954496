"""A lab adds its own tissues, conditions and gene sets without touching the code."""

from __future__ import annotations

import json

import pytest

from biorlhf import Question
from biorlhf.errors import InputError
from biorlhf.plugins import load

CATALOGUE = load(entry_points=False)
TONGUE = Question(
    "t",
    "How many DEGs does HU cause in tongue?",
    {"facts": [{"entity": "tongue", "condition": "HU", "quantity": "DEG count", "value": 120}]},
)


def test_a_tissue_with_aliases():
    plain = CATALOGUE.build("verifier", "factual", {})
    extended = CATALOGUE.build("verifier", "V1", {"entities": {"tongue": ["lingual muscle"]}})
    text = "Soleus has 6,425 DEGs; lingual muscle has 120 DEGs."
    assert plain.score(TONGUE, text).value < 1.0
    assert extended.score(TONGUE, text).value == 1.0


def test_an_own_gene_set_from_a_file(tmp_path):
    path = tmp_path / "lexicon.json"
    path.write_text(json.dumps({"pathways": {"LAB_CLOCK_GENES": ["circadian module"]}}))
    truth = {
        "pathway": "LAB_CLOCK_GENES",
        "direction": "UP",
        "tissue": "liver",
        "contrast": "flight_vs_ground",
    }
    question = Question("c", "Which way does the circadian module go in flight liver?", truth)
    verifier = CATALOGUE.build("verifier", "pathway", {"lexicon_file": str(path)})
    assert verifier.score(question, "Glycolysis is down, the circadian module is up.").value == 1.0
    assert verifier.score(question, "Glycolysis is up, the circadian module is down.").value == 0.0


@pytest.mark.parametrize("content", ["[1]", "{", '{"genes": {}}', '{"entities": {"a": "b"}}'])
def test_a_malformed_lexicon_says_what_is_wrong(tmp_path, content):
    path = tmp_path / "lexicon.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"lexicon\.json"):
        CATALOGUE.build("verifier", "factual", {"lexicon_file": str(path)})


def test_verifiers_have_their_short_names():
    for alias, name in (("V1", "factual"), ("v2", "pathway"), ("V3", "consistency"), ("V4", "uncertainty")):
        assert CATALOGUE.get("verifier", alias).record.name == name
