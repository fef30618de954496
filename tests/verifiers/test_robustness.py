"""Whatever the text, a verifier returns a Score: no exception, no hang, and spans inside the text."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biorlhf import Question, RewardComposer, Score
from biorlhf.plugins import load

CATALOGUE = load(entry_points=False)
VERIFIERS = {
    n: CATALOGUE.build("verifier", n, {}) for n in ("factual", "pathway", "consistency", "uncertainty")
}
QUESTION = Question(
    "q",
    "In flight thymus, is E2F Targets up or down, and how many DEGs does HU cause in soleus?",
    {
        "facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}],
        "answer": "yes",
        "ranking": ["soleus", "liver"],
        "pathway": "HALLMARK_E2F_TARGETS",
        "direction": "DOWN",
        "missions": {"RR-6": "DOWN", "RR-9": "NS"},
        "tissue": "thymus",
        "check": "internal_consistency",
        "is_consistent": True,
        "answerable": True,
    },
)
WORDS = [
    *[
        "E2F",
        "Targets",
        "soleus",
        "liver",
        "HU",
        "IR",
        "KMP",
        "up",
        "down",
        "not",
        "no",
        "6,425",
        "67",
        "-2.3",
        "95%",
        "confidence:",
        "sure",
        "yes",
        "if",
        "but",
        "and",
    ],
    *[
        "than",
        "ground",
        "flight",
        "all",
        "tissues",
        "cannot",
        "tell",
        "sorry",
        "correction",
        "answer:",
        "none",
        "type",
        "A",
        "rescue",
        "RR-6",
        "between",
    ],
    *[
        "1",
        "of",
        "padj",
        "NES",
        "mixed",
        "consistent",
        "HALLMARK_FOO",
        "<!--",
        "-->",
        "</think>",
        "(",
        ")",
        "|",
        ":",
        ";",
        ".",
        ",",
        "?",
        ">",
        "<",
        "=",
        "/",
        "×",
        "→",
        "↑",
        "*",
        "#",
        "_",
    ],
    *('"', "\n", "\u200b", "\ud800", "\x00", "½", "²", "ﷺ", "İ"),
]


def assert_scores(text):
    for verifier in VERIFIERS.values():
        score = verifier.score(QUESTION, text)
        assert isinstance(score, Score)
        for start, end in score.details.get("spans", []):
            assert 0 <= start <= end <= len(text)


def test_ten_thousand_random_byte_strings():
    draw = random.Random(20)
    for _ in range(10_000):
        data = draw.randbytes(draw.randrange(48))
        assert_scores(data.decode("utf-8", "surrogateescape"))


@given(st.text(st.characters(), max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text(text):
    assert_scores(text)


@given(st.lists(st.sampled_from(WORDS), max_size=60))
@settings(max_examples=600, deadline=None)
def test_any_order_of_meaningful_words(words):
    assert_scores(" ".join(words))


@pytest.mark.parametrize("size", [100_000, 1_000_000])
@pytest.mark.parametrize(
    "piece",
    ["not ", "1,", "(", '"', "<!-- ", "HALLMARK_", "soleus 6,425 and ", "up ", "Confidence: 5% ", "\n",
     "| up ", "a"],
)  # fmt: skip
def test_long_adversarial_text_returns_soon(piece, size):
    text = piece * (size // len(piece))
    start = time.process_time()
    assert_scores(text)
    assert time.process_time() - start < 2.0


@pytest.mark.parametrize(
    "text",
    [
        "Alb is up.\n" + " " * 5_900 + "x",
        "Alb is up.\n" + "\t" * 5_900 + "x",
        "a: 1\n" * 1_200 + "total: 1200",
        "- " * 3_000 + "\n",
        "A: " + "9" * 400 + "\nB: 1\nC: 2\nTotal: 3",
        "{" * 5_900 + "\n}",
        "peak at " * 700 + "\na: 1\nb: 2\nc: 3",
        "a" * 5_900 + ":\n1",
    ],
    ids=range(8),
)
def test_lines_of_any_shape_are_read_soon(text):
    start = time.process_time()
    assert_scores(text)
    assert time.process_time() - start < 2.0  # spaces alone took six seconds


def test_the_answer_is_found_at_both_ends_of_a_long_text():
    draw = random.Random(3)
    vocabulary = [
        "animals",
        "were",
        "housed",
        "with",
        "care",
        "and",
        "the",
        "group",
        "of",
        "people",
        "worked",
        "daily",
    ]
    filler = ". ".join(" ".join(draw.choices(vocabulary, k=9)) for _ in range(3_000))
    for text in (f"Soleus has 6,425 DEGs under HU. {filler}", f"{filler} Soleus has 6,425 DEGs under HU."):
        question = Question(
            "q", "How many DEGs does HU cause in soleus?", {"facts": QUESTION.ground_truth["facts"]}
        )
        assert VERIFIERS["factual"].score(question, text).value == 1.0


@given(st.sampled_from(["Soleus has 6,425 DEGs.", "E2F Targets is ↓ in ﬂight, IFN‑γ is ↑."]))
def test_spans_point_at_the_original_words(text):
    for line in VERIFIERS["factual"].score(QUESTION, text).details["matched"]:
        start, end = line["where"]
        assert text[start:end] == "6,425"


def test_spans_survive_normalisation():
    text = "ﬁrst: γ… Soleus → ６,４２５ DEGs under HU"
    matched = VERIFIERS["factual"].score(QUESTION, text).details["matched"]
    start, end = matched[0]["where"]
    assert text[start:end] == "６,４２５"


@pytest.mark.parametrize("said", ["The answer is liver.", "The result was liver.", "It may be liver."])
def test_a_place_that_ends_like_a_comparative_is_no_yes(said):
    truth = {"answer": "yes", "answerable": True}
    question = Question("q", "Is the KMP×HU interaction in liver larger than 2,000 DEGs?", truth)
    judge = RewardComposer(["V1"])
    assert (judge.score(question, said).scores["factual"].value or 0) == 0
    assert judge.score(question, "The interaction in liver is larger.").scores["factual"].value == 1


def test_offered_names_that_each_stand_alone_are_as_many_candidates_whether_they_are_known_or_not():
    names = [
        "ribosome biogenesis in eukaryotes",
        "angiogenesis",
        "inflammatory response",
        "cell fate commitment",
    ]
    truth = {"answer": "angiogenesis", "choices": names}
    question = Question("q", f"Which of {', '.join(names)} has the lowest score?", truth)
    listed = ". ".join(name.capitalize() for name in names) + "."
    judge = RewardComposer(["V1"])
    assert (judge.score(question, listed).scores["factual"].value or 0) <= 0.25
    assert judge.score(question, "Angiogenesis.").scores["factual"].value == 1
