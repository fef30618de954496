"""Right answers with another question's figure in them."""

from __future__ import annotations

import random

import pytest

from biorlhf.errors import BiorlhfError
from biorlhf.testing import fresh_catalogue
from biorlhf_plugins.trainers._foreign_figures import figure_of, foreign
from biorlhf_plugins.trainers._own_texts import OwnText, with_foreign


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
    (made,) = foreign(text, ["67", "1,221"], 3, random.Random(0))
    assert made == block("Soleus has 1,221 DEGs under IR; 670 and 1.67 are others', 67.5 too.", "1,221")


@pytest.mark.parametrize("other", ["6,400", "6430", "6.4", "64%", "UP"])
def test_a_figure_that_may_be_right_too_or_is_written_otherwise_is_not_taken(other):
    assert foreign(block("n", "6,425"), [other], 3, random.Random(0)) == []


def test_right_answers_alone_get_foreign_figures_which_weigh_as_much_as_they_do():
    right = OwnText(block("a", "67"), "70%", 0.75, 1.0)
    wrong = OwnText(block("b", "900"), "70%", 0.25, 0.0)
    other = OwnText(block("c", "15"), "10%", 1.0, 0.0)
    first, second = with_foreign([[right, wrong], [other]], 3, random.Random(0))
    assert second == [other]
    assert first[:2] == [right, wrong]
    made = first[2:]
    assert {text.answer for text in made} == {block("a", "900"), block("a", "15")}
    assert all(text.confidence == "5%" and text.share_of_right == 0 for text in made)
    assert sum(text.share for text in made) == pytest.approx(right.share)


def test_where_no_other_figure_is_known_a_group_stays_as_it_is():
    alone = [OwnText(block("a", "67"), "95%", 1.0, 1.0)]
    assert list(with_foreign([alone], 3, random.Random(0))) == [alone]


def test_foreign_figures_of_the_datasets_own_texts_are_refused():
    with pytest.raises(BiorlhfError, match="foreign_figures belongs to"):
        fresh_catalogue().build("trainer", "sft", {"foreign_figures": 2})
