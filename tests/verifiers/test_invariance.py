"""What must not matter: case, white space, Markdown, separators, order of sentences, wording."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biorlhf import Question
from biorlhf.plugins import load

CATALOGUE = load(entry_points=False)
VERIFIERS = {
    n: CATALOGUE.build("verifier", n, {}) for n in ("factual", "pathway", "consistency", "uncertainty")
}
FACTS = Question(
    "facts",
    "List the HU DEG counts of soleus and liver, and say what E2F Targets does in flight thymus.",
    {
        "facts": [
            {"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425},
            {"entity": "liver", "condition": "HU", "quantity": "DEG count", "value": 4110},
        ],
        "pathway": "HALLMARK_E2F_TARGETS",
        "direction": "DOWN",
        "tissue": "thymus",
        "contrast": "flight_vs_ground",
        "check": "internal_consistency",
        "answerable": True,
    },
)
SENTENCES = (
    "Under HU the soleus has 6,425 DEGs.",
    "Under HU the liver has 4,110 DEGs.",
    "Under IR the heart has 33 DEGs.",
    "E2F Targets is downregulated in flight thymus.",
    "In flight kidney, mTORC1 signaling is upregulated.",
)
TEXTS = (
    " ".join(SENTENCES),
    "The soleus has 4,110 DEGs under HU; the liver has 6,425 DEGs under HU.",
    "E2F Targets is not upregulated in flight thymus; it is downregulated. Confidence: 80%",
    "Soleus: 6,425 DEGs under HU, not 67. E2F Targets is higher in ground controls.",
)


def values(text, question=FACTS):
    return {name: verifier.score(question, text).value for name, verifier in VERIFIERS.items()}


@given(st.sampled_from(TEXTS), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_case_does_not_matter(text, seed):
    draw = random.Random(seed)
    mangled = "".join(c.upper() if draw.random() < 0.5 else c.lower() for c in text)
    assert values(mangled) == values(text)


@given(st.sampled_from(TEXTS), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_white_space_does_not_matter(text, seed):
    draw = random.Random(seed)
    spaces = [" ", "  ", "\n", "\t", "\u00a0", " \n", "\u2003"]
    mangled = "".join(draw.choice(spaces) if c == " " else c for c in text)
    assert values(f"  {mangled}\n") == values(text)


@given(st.sampled_from(TEXTS), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_markdown_does_not_matter(text, seed):
    draw = random.Random(seed)
    marks = ["**{}**", "_{}_", "`{}`", "*{}*", "{}"]
    mangled = " ".join(
        draw.choice(marks).format(word) if word.isalpha() else word for word in text.split(" ")
    )
    assert values(mangled) == values(text)


@pytest.mark.parametrize("separator", ["", ",", "\u202f", "\u00a0", "\u2009", "'"])
def test_thousands_separators_do_not_matter(separator):
    for text in TEXTS:
        mangled = text.replace("6,425", f"6{separator}425").replace("4,110", f"4{separator}110")
        assert values(mangled) == values(text)


@given(st.permutations(SENTENCES))
@settings(max_examples=60, deadline=None)
def test_the_order_of_independent_sentences_does_not_matter(sentences):
    assert values(" ".join(sentences)) == values(" ".join(SENTENCES))


PARAPHRASES = {
    "down": [
        "E2F Targets is down in flight.", "E2F targets fall.",
        "The E2F program is repressed in flight thymus.",
        "Expression of E2F target genes declines in space.", "E2F Targets: DOWN",
        "HALLMARK_E2F_TARGETS ↓",
        "E2F Targets is lower in flight than in ground controls.", "Ground controls show higher E2F Targets.",
        "We see a marked drop in E2F Targets.", "E2F Targets is not up but down.",
        "negative NES for E2F Targets",
        "Far from rising, E2F Targets falls.", "E2F target expression is blunted.", "It diminishes.",
        "E2F Targets was found to be downregulated.", "Flight suppresses E2F Targets in the thymus.",
        "Reduced.", "- E2F Targets: decreased", "E2F Targets goes down", "E2F Targets is weaker in flight.",
    ],
    "up": [
        "E2F Targets is up in flight.", "E2F targets climb.", "The E2F program is induced in flight thymus.",
        "E2F Targets is higher in flight than in ground controls.", "Ground controls show lower E2F Targets.",
        "E2F Targets is not down but up.", "positive NES for E2F Targets", "Flight activates E2F Targets.",
    ],
}  # fmt: skip
E2F = Question("e2f", "In flight thymus, is E2F Targets up or down?", dict(FACTS.ground_truth, facts=[]))


@pytest.mark.parametrize("text", PARAPHRASES["down"])
def test_ways_to_say_down(text):
    assert VERIFIERS["pathway"].score(E2F, text).value == 1.0


@pytest.mark.parametrize("text", PARAPHRASES["up"])
def test_ways_to_say_up(text):
    assert VERIFIERS["pathway"].score(E2F, text).value == 0.0


COUNTS = Question(
    "n",
    "How many DEGs does hindlimb unloading (HU) cause in soleus?",
    {"facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}]},
)


@pytest.mark.parametrize(
    "text",
    [
        "6,425", "6425.", "6 425 DEGs", "It is 6,425.", "Soleus: 6425",
        "6,425 genes are differentially expressed.",
        "hindlimb suspension changes 6,425 genes in the soleus muscle", "HU → 6,425 DEGs in soleus",
        "soleus, HU: n = 6,425 DEGs", "Exactly 6425 DEGs (padj < 0.05).", "Answer: 6,425", "= 6,425",
        "six thousand four hundred twenty-five", "Unloading the hindlimbs yields 6,425 DEGs.",
        "6425 (3,251 up, 3,174 down)",
        "The number of DEGs in soleus is 6,425 under HU, compared with 67 under IR.", "6.425e3", "６４２５",
    ],
)  # fmt: skip
def test_ways_to_give_a_count(text):
    assert VERIFIERS["factual"].score(COUNTS, text).value == 1.0
