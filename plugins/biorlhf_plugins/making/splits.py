"""Splits by groups of facts, and the check that nothing leaks across them.

What may not cross from training to evaluation:

- a *fact*: any id in ``fact_ids``;
- a *near-duplicate*: two texts whose token 5-grams overlap with a Jaccard index of 0.7 or more
  (a text of fewer than five tokens is one gram);
- a *sentence* of a gold answer, the stated confidence aside.

A test of recall ("paraphrase" split) asks about trained facts on purpose; there the first rule
alone is lifted.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from biorlhf.ground_truth.forms import unblocked
from biorlhf.types import Dataset, Split

NEAR_DUPLICATE = 0.7
T = TypeVar("T")
_TOKEN = re.compile(r"[a-z0-9_.+\-×]*[a-z0-9_+]", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
# Stated confidences are the same few words everywhere: they would make a leak of every pair.
_CONFIDENCE = re.compile(r"confidence\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fractions:
    """Shares of the groups that go to validation and test; the rest is for training."""

    validation: float = 0.1
    test: float = 0.2


@dataclass(frozen=True, slots=True)
class Text:
    """One item of a dataset as the leak check sees it; ``table`` says which of the three it is from."""

    id: str
    table: str
    split: str
    prompt: str
    answer: str
    fact_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that lies on both sides. ``kind``: fact | near_duplicate | gold_sentence."""

    kind: str
    first: str
    second: str
    what: str


def stable_order(names: Iterable[str], seed: int) -> list[str]:
    """The names shuffled by seed, the same on every machine: sorted by sha256 of seed and name."""
    return sorted(set(names), key=lambda name: hashlib.sha256(f"{seed}|{name}".encode()).digest())


def assign_groups(groups: Iterable[str], fractions: Fractions, seed: int) -> dict[str, str]:
    """Group -> split, with the asked shares of the groups (rounded to whole groups)."""
    dealt = deal(stable_order(groups, seed), fractions)
    return {group: split for split, part in dealt.items() for group in part}


def deal(order: Any, fractions: Fractions) -> dict[str, Any]:
    """Split -> its part of a sequence (or array) whose order was drawn: test first, then validation."""
    n_test, n_validation = (round(share * len(order)) for share in (fractions.test, fractions.validation))
    return {
        # Test first: another share for validation then leaves the test as it was.
        Split.TEST.value: order[:n_test],
        Split.VALIDATION.value: order[n_test : n_test + n_validation],
        Split.TRAIN.value: order[n_test + n_validation :],
    }


def tokens(text: str) -> list[str]:
    """Lower-case words and numbers, without punctuation at their ends."""
    return [match.group().lower() for match in _TOKEN.finditer(text)]


def grams(text: str, n: int = 5) -> frozenset[tuple[str, ...]]:
    """The set of token n-grams; a shorter text is one gram, an empty one none."""
    words = tokens(text)
    if len(words) < n:
        return frozenset({tuple(words)} if words else ())
    return frozenset(tuple(words[i : i + n]) for i in range(len(words) - n + 1))


def near_duplicates(
    first: Sequence[str], second: Sequence[str], threshold: float = NEAR_DUPLICATE
) -> Iterator[tuple[int, int, float]]:
    """Pairs (index in first, index in second, Jaccard index of 5-grams) at or above the threshold."""
    grams_first = [grams(text) for text in first]
    # From gram to texts: comparing every text with every other would be quadratic.
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, bag in enumerate(grams_first):
        for gram in bag:
            holders[gram].append(i)
    for j, text in enumerate(second):
        bag = grams(text)
        shared: dict[int, int] = defaultdict(int)
        for gram in bag:
            for i in holders.get(gram, ()):
                shared[i] += 1
        for i in sorted(shared):
            jaccard = shared[i] / (len(bag) + len(grams_first[i]) - shared[i])
            if jaccard >= threshold:
                yield i, j, jaccard


def without_near_duplicates(pools: dict[str, list[T]], text: Callable[[T], str]) -> dict[str, list[T]]:
    """The pools (split -> items) less every item that nearly repeats one of an earlier split.

    Training comes first and loses nothing; validation is cleared of training, test of both.
    """
    cleared: dict[str, list[T]] = {}
    for split in (s.value for s in Split if s.value in pools):
        before = [text(item) for pool in cleared.values() for item in pool]
        repeats = {j for _, j, _ in near_duplicates(before, [text(item) for item in pools[split]])}
        cleared[split] = [item for j, item in enumerate(pools[split]) if j not in repeats]
    return cleared


def answer_sentences(answer: str) -> list[str]:
    """The sentences of an answer, normalised, without its block and the one that states the confidence."""
    prose = _SENTENCE_END.split(unblocked(answer))
    sentences = [" ".join(tokens(s)) for s in prose if not _CONFIDENCE.search(s)]
    return [sentence for sentence in sentences if sentence]


def texts_of(dataset: Dataset) -> list[Text]:
    """Every question, example and preference (its chosen side) of a dataset."""
    texts = [
        Text(q.id, "questions", q.split, q.prompt, q.answer or "", q.fact_ids) for q in dataset.questions
    ]
    texts += [Text(e.id, "examples", e.split, e.prompt, e.response, e.fact_ids) for e in dataset.examples]
    texts += [Text(p.id, "preferences", p.split, p.prompt, p.chosen, p.fact_ids) for p in dataset.preferences]
    return texts


def leaks(dataset: Dataset, *, facts_may_cross: bool = False) -> list[Leak]:
    """Everything that crosses between two splits of a dataset; empty where the split is clean.

    Args:
        dataset: what a plugin built.
        facts_may_cross: for a test of recall, which asks about trained facts in other words.
    """
    texts = texts_of(dataset)
    order = [split.value for split in Split]
    by_split = {split: [text for text in texts if text.split == split] for split in order}
    crossings: list[Leak] = []
    for place, left in enumerate(order):
        for right in order[place + 1 :]:
            crossings += _leaks_between(by_split[left], by_split[right], facts_may_cross)
    return crossings


def _leaks_between(left: list[Text], right: list[Text], facts_may_cross: bool) -> Iterator[Leak]:
    if not facts_may_cross:
        owner = {fact: text.id for text in left for fact in text.fact_ids}
        for text in right:
            for fact in text.fact_ids:
                if fact in owner:
                    yield Leak("fact", owner[fact], text.id, fact)
    for i, j, jaccard in near_duplicates([t.prompt for t in left], [t.prompt for t in right]):
        yield Leak("near_duplicate", left[i].id, right[j].id, f"Jaccard {jaccard:.2f}")
    sentences = {sentence: text.id for text in left for sentence in answer_sentences(text.answer)}
    for text in right:
        for sentence in answer_sentences(text.answer):
            if sentence in sentences:
                yield Leak("gold_sentence", sentences[sentence], text.id, sentence)
