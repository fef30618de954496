"""What one text does to another: duplicates, contradictions between pairs, leaks, give-aways, balance."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from biorlhf_plugins.check.findings import ERROR, INFO, WARNING, Finding
from biorlhf_plugins.check.reading import Line, Reading, Text
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language import Claim
from biorlhf_plugins.language.evidence.records import FUNCTION
from biorlhf_plugins.language.evidence.statements import NEUTRAL
from biorlhf_plugins.language.records import OPPOSITE
from biorlhf_plugins.language.sentences.clauses import ROLES
from biorlhf_plugins.language.words.text import clean, tokens
from biorlhf_plugins.making.splits import answer_sentences, near_duplicates

# With fewer, chance alone moves a share over the bounds below.
MIN_FOR_BALANCE = 20
UNBALANCED = 0.65
LENGTH_MARGIN = 0.2
LENGTH_SHARE = 0.8
YES_NO_QUESTION = re.compile(
    r"(?:^|[.!?:\n]\s*)(?:is|are|was|were|does|do|did|can|could|has|have|will|would)\b[^.!?\n]*\?\s*$",
    re.IGNORECASE,
)
ITEM = re.compile(r"\s*(?P<mark>[-•*✓✔✗✘]|\d+[.)])\s+(?P<said>\S.*)")
LACKS = re.compile(
    r"\b(?:missing|misses|lacks?|cannot|can't|does not|do not|not show|not tell|needed|unknown|unavailable)"
    r"\b",
    re.IGNORECASE,
)
GIVES = re.compile(r"\b(?:provides?|shows?|gives?|contains?|includes?|available)\b", re.IGNORECASE)
FIRST_WORDS = 2
Said = tuple[Reading, Line]
_SPACE = re.compile(r"\W+")


def _key(text: str) -> str:
    return _SPACE.sub(" ", text).strip().lower()


def check_duplicates(texts: Sequence[Text]) -> Iterator[Finding]:
    """The same prompt with the same answer, again."""
    seen: dict[tuple[str, str, str], int] = {}
    for text in texts:
        # With both sides: one prompt with several answers is no duplicate.
        key = (_key(text.prompt), _key(text.answer), _key(text.rejected))
        first = seen.setdefault(key, text.index)
        if first != text.index:
            yield Finding(text.index, WARNING, "duplicate", text.prompt[:200], "every example once",
                          f"the same as example {first}")  # fmt: skip


def check_pairs(readings: Sequence[Reading], table: FactTable | None) -> Iterator[Finding]:
    """Two answers to one question, or two sentences in the same words, that state different values.

    Where the facts bear the one out and not the other, the finding is the other's.
    """
    by_prompt: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_prompt[_key(reading.text.prompt)].append(reading)
    told: set[int] = set()
    for group in by_prompt.values():
        # Neighbours only: all pairs of a prompt that comes a thousand times would be half a million.
        for other, reading in itertools.pairwise(group):
            clash = _clash(other, reading)
            if clash is not None:
                told.add(reading.text.index)
                how = "answers the same question with another value"
                yield _contradiction((other, clash[0]), (reading, clash[1]), how, table)
    first: dict[tuple[object, ...], tuple[Reading, Line, float]] = {}
    for reading in readings:
        for key, line, value in _worded(reading):
            other, before, stated = first.setdefault(key, (reading, line, value))
            if other is not reading and stated != value and reading.text.index not in told:
                told.add(reading.text.index)
                how = "says the same with another value"
                yield _contradiction((other, before), (reading, line), how, table)


def _contradiction(first: Said, second: Said, how: str, table: FactTable | None) -> Finding:
    """The finding is the later text's, but where the facts side with it."""
    if table is not None and _confirmed(*second, table) and not _confirmed(*first, table):
        first, second = second, first
    (other, before), (reading, line) = first, second
    told = f"example {other.text.index} {how}"
    return reading.finding(line, "contradicts_example", other.quote(before), told)


def _confirmed(reading: Reading, line: Line, table: FactTable) -> bool:
    """Whether the facts have all that a sentence claims, as far as they have anything of the kind."""
    said = reading.extraction
    # A sentence of the text with its answer block is found by its place: the claims are of the text before.
    at = next((own.number for own in reading.lines if own.start == line.start), -1)
    judged = [table.bears_out(c) for c in (*said.numbers, *said.classes) if c.asserted and c.sentence == at]
    known = [fits for fits in judged if fits is not None]
    return bool(known) and all(known)


def _worded(reading: Reading) -> Iterator[tuple[tuple[object, ...], Line, float]]:
    """Sentences with one figure and a name, by the words that name what the figure is of."""
    for number, figures in reading.evidence.by_part.items():
        line = reading.whole[number]
        plain = [f for f in figures if f.kind in ("count", "effect", "percent", "hazard")]
        if len(plain) != 1 or len(figures) != 1 or plain[0].sign or line.kind == "row":
            continue
        words = frozenset(t.text for t in line.tokens if t.kind == "w") - FUNCTION - NEUTRAL
        raw = reading.text.answer[line.start : line.end]
        if (
            len(words) >= 2
            # Without its first character: every sentence begins with a capital.
            and NAMED.search(raw[1:])
            and not {m.kind for m in line.mentions} & {"approx", "neg", "hyp"}
        ):
            yield (words, _given(reading) - words, plain[0].kind, plain[0].unit), line, plain[0].value


def _given(reading: Reading) -> frozenset[str]:
    """The names in the question, which a sentence of the answer may leave out."""
    names: set[str] = set()
    for line in reading.prompt_lines:
        inside = {i for m in line.mentions if m.kind in ROLES for i in range(m.first, m.last)}
        for at, token in enumerate(line.tokens):
            raw = reading.text.prompt[line.spans[at][0] : line.spans[at][1]]
            if at in inside or token.number is not None or (at and NAMED.search(raw)):
                names.add(token.text)
    return frozenset(names)


def _clash(first: Reading, second: Reading) -> tuple[Line, Line] | None:
    for kind in ("number", "class", "direction"):
        mine = {_slot(c): c for c in first.asserted(kind) if c.low is None}
        counts = Counter(_slot(c) for c in (*first.asserted(kind), *second.asserted(kind)))
        for claim in second.asserted(kind):
            other = mine.get(_slot(claim))
            # A slot that one answer fills several times is a list or a comparison, not a statement.
            named = claim.slot.pathways if kind == "direction" else claim.slot.quantity in _COMPARED
            if other is None or counts[_slot(claim)] != 2 or not named:
                continue
            if (claim.value, claim.label) != (other.value, other.label):
                return first.lines[other.sentence], second.lines[claim.sentence]
    return None


_COMPARED = ("deg", "deg_up", "deg_down", "nes", "type", "pattern")
NAMED = re.compile(r"[A-Z]|\w\d")


def _slot(claim: Claim) -> tuple[object, ...]:
    slot = claim.slot
    return slot.entity, slot.condition, slot.treatment, slot.quantity, slot.pathways, slot.mission


def check_overlap(texts: Sequence[Text], against: Sequence[Text]) -> Iterator[Finding]:
    """Exact and near copies of the other file's prompts, and its gold sentences and facts."""
    prompts = {_key(text.prompt): text.index for text in against}
    exact: set[int] = set()
    for text in texts:
        if _key(text.prompt) in prompts:
            exact.add(text.index)
            yield Finding(
                text.index, ERROR, "overlap_exact", text.prompt[:200], "a prompt of its own",
                f"the same prompt as item {prompts[_key(text.prompt)]} of the other file",
            )  # fmt: skip
    # Near copies are told once per text; the exact ones are told already.
    pairs = near_duplicates([t.prompt for t in texts], [t.prompt for t in against])
    told: set[int] = set()
    for i, j, jaccard in pairs:
        if texts[i].index not in exact and i not in told:
            told.add(i)
            yield Finding(
                texts[i].index, ERROR, "overlap_near", texts[i].prompt[:200], against[j].prompt[:200],
                f"nearly the prompt of item {against[j].index} (Jaccard index {jaccard:.2f})",
            )  # fmt: skip
    yield from _shared_gold(texts, against)


def _shared_gold(texts: Sequence[Text], against: Sequence[Text]) -> Iterator[Finding]:
    # Short sentences ("It is down") are shared by chance.
    golds = {s: t.index for t in against for s in answer_sentences(t.answer) if len(s.split()) >= 4}
    facts = {fact: t.index for t in against for fact in t.fact_ids}
    for text in texts:
        shared = next((s for s in answer_sentences(text.answer) if s in golds), None)
        if shared is not None:
            yield Finding(text.index, ERROR, "overlap_gold", shared[:200], "an answer of its own",
                          f"a gold sentence of item {golds[shared]} of the other file")  # fmt: skip
        fact = next((f for f in text.fact_ids if f in facts), None)
        if fact is not None:
            yield Finding(text.index, ERROR, "overlap_fact", fact, "facts of its own",
                          f"item {facts[fact]} of the other file tests this fact")  # fmt: skip


def check_giveaway(reading: Reading) -> Iterator[Finding]:
    """The gold direction stands in the question, and its opposite does not."""
    text, truth = reading.text, reading.text.ground_truth or {}
    gold = truth.get("direction")
    # An untrue premise names the wrong direction on purpose.
    named = OPPOSITE.keys() & reading.asked("dir")
    if gold in OPPOSITE and not truth.get("false_premise") and {gold} == named:
        yield Finding(
            text.index, ERROR, "answer_in_prompt", text.prompt[:200], "a question that names no direction",
            f"the question gives the answer away: {gold}",
        )  # fmt: skip


def check_balance(readings: Sequence[Reading]) -> Iterator[Finding]:
    """One label that most items share: a model that always says it looks good."""
    for name, labels in _labels(readings).items():
        counts = Counter(label for _, label in labels)
        if len(labels) < MIN_FOR_BALANCE:
            continue
        best, hits = counts.most_common(1)[0]
        share = hits / len(labels)
        # A finding needs a place: the first item that has the label.
        first = next(index for index, label in labels if label == best)
        if share > UNBALANCED:
            yield Finding(
                first, WARNING, "unbalanced_labels", "", f"at most {UNBALANCED:.0%} of one label",
                f"{name}: {share:.0%} of {len(labels)} are {best!r}",
            )  # fmt: skip
            yield Finding(
                first, INFO, "constant_answer", "", f"balanced accuracy {1 / max(len(counts), 2):.2f}",
                f"{name}: always answering {best!r} is right in {share:.0%}",
            )  # fmt: skip


def check_lengths(texts: Sequence[Text]) -> Iterator[Finding]:
    """Preference pairs whose chosen side is nearly always the longer one: length is learnt, not truth."""
    pairs = [text for text in texts if text.rejected]
    if len(pairs) < MIN_FOR_BALANCE:
        return
    for word, sign in (("longer", 1), ("shorter", -1)):
        told = [
            t for t in pairs if sign * (len(t.answer) - len(t.rejected)) > LENGTH_MARGIN * len(t.rejected)
        ]
        if len(told) > LENGTH_SHARE * len(pairs):
            yield Finding(
                told[0].index, WARNING, "length_tells", "", "both sides of one length",
                f"the chosen side is {word} by over {LENGTH_MARGIN:.0%} in {len(told)} of {len(pairs)} pairs",
            )  # fmt: skip


def _labels(readings: Sequence[Reading]) -> dict[str, list[tuple[int, str]]]:
    labels: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for reading in readings:
        text = reading.text
        truth = text.ground_truth or {}
        if truth.get("direction"):
            labels["direction"].append((text.index, str(truth["direction"])))
        opening = re.match(r"\W*(yes|no)\b", text.answer, re.IGNORECASE)
        if opening and YES_NO_QUESTION.search(text.prompt):
            labels["yes or no"].append((text.index, opening.group(1).lower()))
    return labels


def check_listed(texts: Sequence[Text]) -> Iterator[Finding]:
    """A list item that one text gives under "what the data provide", another under "what is missing"."""
    provided: dict[tuple[str, ...], tuple[int, str]] = {}
    lacking: dict[tuple[str, ...], tuple[int, str]] = {}
    for text in texts:
        for gives, key, item in _items(text.answer):
            (provided if gives else lacking).setdefault(key, (text.index, item))
    for key in provided.keys() & lacking.keys():
        (index, item), (other, against) = provided[key], lacking[key]
        if index != other:
            yield Finding(
                index, ERROR, "contradicts_example", item, against,
                f"example {other} says that the data lack this",
            )  # fmt: skip


def _items(answer: str) -> Iterator[tuple[bool, tuple[str, ...], str]]:
    """(whether the data give it, its first words, the item), for items under a heading that says which."""
    heading = ""
    for line in answer.splitlines():
        match = ITEM.match(line)
        if match is None:
            heading = line if line.strip() else heading
            continue
        mark = match["mark"]
        # Lacking first: "does not provide" holds a word of giving as well.
        if mark in "✗✘" or LACKS.search(heading):
            gives = False
        elif mark in "✓✔" or GIVES.search(heading):
            gives = True
        else:
            continue
        words = [token.text for token in tokens(clean(match["said"]).text) if token.kind == "w"]
        if len(words) >= FIRST_WORDS:
            yield gives, tuple(words[:FIRST_WORDS]), match["said"].strip()
