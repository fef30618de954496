"""Splitting by groups of facts, and the leak check that every shipped dataset must pass."""

from __future__ import annotations

from biorlhf.types import Dataset, Example, Question
from biorlhf_plugins.making.balance import GENERATED, OWN_TABLES, limits
from biorlhf_plugins.making.splits import (
    Fractions,
    answer_sentences,
    assign_groups,
    deal,
    leaks,
    near_duplicates,
    stable_order,
)


def question(name: str, split: str, prompt: str, answer: str = "", facts: tuple[str, ...] = ()) -> Question:
    return Question(name, prompt, {}, split=split, answer=answer, fact_ids=facts)


def kinds(dataset: Dataset, **settings: bool) -> set[str]:
    return {leak.kind for leak in leaks(dataset, **settings)}


def test_groups_get_the_asked_shares():
    split = assign_groups((f"g{i}" for i in range(50)), Fractions(validation=0.1, test=0.2), seed=1)
    counts = {name: list(split.values()).count(name) for name in set(split.values())}
    assert counts == {"train": 35, "validation": 5, "test": 10}


def test_the_order_depends_on_the_seed_and_on_nothing_else():
    names = [f"g{i}" for i in range(20)]
    assert stable_order(names, 7) == stable_order(reversed(names), 7)
    assert stable_order(names, 7) != stable_order(names, 8)
    assert stable_order("abcd", 0) == ["c", "a", "b", "d"]


def test_a_fact_on_both_sides_is_a_leak_unless_recall_is_tested():
    data = Dataset(
        "d",
        questions=(question("q", "test", "How heavy is it?", facts=("f1",)),),
        examples=(Example("e", "What does the scale read?", "Nine.", split="train", fact_ids=("f1", "f2")),),
    )
    assert [(leak.first, leak.second, leak.what) for leak in leaks(data)] == [("e", "q", "f1")]
    assert kinds(data, facts_may_cross=True) == set()


def test_validation_and_test_may_not_share_a_fact_either():
    data = Dataset(
        "d",
        questions=(
            question("a", "validation", "one two three", facts=("f",)),
            question("b", "test", "four five", facts=("f",)),
        ),
    )
    assert kinds(data) == {"fact"}


def test_a_reworded_tail_is_a_near_duplicate_and_another_slot_is_not():
    base = "How many genes change in heart under hindlimb unloading at the usual threshold of the study"
    assert list(near_duplicates([base], [base + ", please"]))
    other = "How many genes change in liver under ionizing radiation at the usual threshold of the study"
    assert not list(near_duplicates([base], [other]))
    assert list(near_duplicates(["in heart"], ["In heart?"])) == [(0, 0, 1.0)]


def test_a_gold_sentence_on_both_sides_is_a_leak_whatever_its_confidence():
    data = Dataset(
        "d",
        questions=(
            question("a", "train", "first words", "Heart has 165. Confidence: 90%"),
            question("b", "test", "second words", "Heart has 165. Confidence: 60%"),
        ),
    )
    assert kinds(data) == {"gold_sentence"}


def test_a_decimal_point_ends_no_sentence():
    assert answer_sentences("The ratio is 17.7. It is high.\nConfidence: 80%") == [
        "the ratio is 17.7",
        "it is high",
    ]


def test_generated_items_drop_a_direction_that_stands_alone_and_a_lab_keeps_its_own():
    sizes = {"UP": 10, "DOWN": 0, "NS": 30}
    assert [limits(sizes, GENERATED)[name] for name in ("UP", "DOWN", "NS")] == [0, 0, 2]
    assert [limits(sizes, OWN_TABLES)[name] for name in ("UP", "DOWN", "NS", "NOT TESTED")] == [10, 10, 10, 2]
    both = {"UP": 90, "DOWN": 40}
    assert (limits(both, GENERATED)["UP"], limits(both, OWN_TABLES)["UP"]) == (48, 40)


def test_a_drawn_order_is_dealt_to_test_then_validation_then_training():
    dealt = deal(list(range(10)), Fractions(validation=0.1, test=0.2))
    assert dealt == {"test": [0, 1], "validation": [2], "train": [3, 4, 5, 6, 7, 8, 9]}
