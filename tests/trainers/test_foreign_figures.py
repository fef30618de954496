"""Texts of the dataset with another fact's figure in them."""

from __future__ import annotations

import random

import pytest

from biorlhf import Example
from biorlhf.errors import BiorlhfError
from biorlhf.testing import RecordingLearner, fresh_catalogue, tokens_of
from biorlhf_plugins.trainers._foreign_figures import figure_of, foreign
from biorlhf_plugins.trainers._rehearsal import figures_of, rehearsals, rehearsed
from biorlhf_plugins.trainers._stated import EMPHASIS

ABOUT = frozenset({"soleus", "IR"})


def block(prose: str, figure: str) -> str:
    return f"{prose}\nAnswer: {figure}\nConfidence: "


@pytest.mark.parametrize(
    ("figure", "found"),
    [("1,221", "1,221"), ("-1.6", "-1.6"), ("54 %", None), ("54%", "54%"), ("UP", None), ("RESCUE, 2", None)],
)
def test_a_figure_is_an_answer_that_is_a_number_and_nothing_else(figure, found):
    assert figure_of(block("Soleus.", figure)) == found


def test_the_figure_is_exchanged_wherever_it_stands_and_nothing_else_is():
    text = block("Soleus has 67 DEGs under IR; 670 and 1.67 are others', 67.5 too.", "67")
    (made,) = foreign(text, ABOUT, dict.fromkeys(["67", "1,221"], ABOUT), 3, random.Random(0))
    assert made == block("Soleus has 1,221 DEGs under IR; 670 and 1.67 are others', 67.5 too.", "1,221")


@pytest.mark.parametrize("other", ["6,400", "6430", "6.4", "64%"])
def test_a_figure_that_may_be_right_too_or_is_written_otherwise_is_not_taken(other):
    assert foreign(block("n", "6,425"), ABOUT, {other: ABOUT}, 3, random.Random(0)) == []


def test_half_of_the_figures_are_of_facts_that_share_most_with_the_texts_own():
    near = {str(n): ABOUT for n in range(1000, 1020)}
    far = {str(n): frozenset({"heart"}) for n in range(2000, 2060)}
    taken = [
        figure_of(made)
        for seed in range(50)
        for made in foreign(block("n", "67"), ABOUT, near | far, 4, random.Random(seed))
    ]
    assert len(taken) == 200
    assert 90 < sum(figure in near for figure in taken) < 170


def known(*answers: str):
    examples = [
        Example(f"e{n}", f"ask {n}", block(f"told {n}.", answer) + "45%", fact_ids=(f"kmp:soleus:{n}",))
        for n, answer in enumerate(answers)
    ]
    learner = RecordingLearner()
    return learner, rehearsals(learner, examples)


def test_a_text_is_learnt_as_sure_and_with_foreign_figures_as_hardly_right():
    learner, texts = known("67", "1,221", "15", "UP")
    groups = rehearsed(learner, texts, figures_of(texts), 2, seed=0)
    assert [group.prompt_ids for group in groups] == [tokens_of(f"ask {n}") for n in range(4)]
    right, *wrong = groups[0].completions
    assert right.token_ids[:-1] == tokens_of(block("told 0.", "67") + "95%")
    assert sum(right.weights) == pytest.approx(1.0 + EMPHASIS)
    assert {c.token_ids[:-1] for c in wrong} == {
        tokens_of(block("told 0.", figure) + "5%") for figure in ("1,221", "15")
    }
    # Of a wrong text no word is learnt.
    before = len(tokens_of(block("told 0.", "15")))
    assert all(c.weights[:before] == [0.0] * before for c in wrong)
    assert sum(sum(c.weights) for c in wrong) == pytest.approx(EMPHASIS)
    # Where nothing stands in place of an answer, a confidence would be learnt by its question alone.
    (alone,) = groups[3].completions
    assert alone.token_ids == tokens_of(block("told 3.", "UP"))


def test_without_foreign_figures_no_confidence_is_learnt():
    learner, texts = known("67", "1,221")
    groups = rehearsed(learner, texts, figures_of(texts), 0, seed=0)
    assert [len(group.completions) for group in groups] == [1, 1]
    assert groups[0].completions[0].token_ids == tokens_of(block("told 0.", "67"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"foreign_figures": 2}, "foreign_figures belongs to `texts: own`"),
        ({"confidence": "answer"}, "confidence belongs to `texts: own`"),
        ({"texts": "own", "foreign_figures": 2}, "set rehearse, too"),
        ({"texts": "own", "confidence": "answers"}, "answer"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(settings, message):
    with pytest.raises(BiorlhfError, match=message):
        fresh_catalogue().build("trainer", "sft", settings)
