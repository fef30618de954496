"""How a text stands to the question: does it abstain, answer after all, say yes or no, or say nothing?"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence

from biorlhf_plugins.language.records import Claim, Slot
from biorlhf_plugins.language.sentences.clauses import FOCI, Sentence
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.spelt import WORD_NUMBERS
from biorlhf_plugins.language.words.text import Stream, spoken, vocabulary

REACH = 12
"""Tokens between a bar ("not", "beyond") and the act of knowing that it bars."""

CUTS = frozenset((",", ";", ":", "—", "but", "however", "(", ")", "\n"))
FUNCTION_WORDS = vocabulary(
    "the is in of to and a an are it that for with not was by no at be this i as on have has than or which "
    "these from we do does so its there under cause show"
)
DOUBTS = frozenset(("uncertain", "unclear", "inconclusive", "unresolved", "undecided"))
PRONOUNS = frozenset(("it", "they"))
VERBS = frozenset(("do", "does", "did", "is", "are", "was", "were", "has", "have", "will", "can", "cannot"))
ADVERBS = vocabulary("indeed so alas really quite that perhaps still also")
"""What an answer of two words may have beside it, with all that ends in "ly"."""
OPEN = vocabulary("likely unlikely only early daily necessarily entirely fully completely wholly partly")
"""Words in "ly" that answer nothing: "it is unlikely", "not entirely"."""
CONCLUDES = frozenset(("but", "so", "hence", "thus", "therefore"))
CONTINUES = vocabulary("it they this that there but because and i with the both not")
"""Words that may follow a yes or no without a comma."""

REPEATED = 0.25


def abstentions(
    stream: Stream,
    parts: Sequence[Sentence],
    stance: Sequence[Mention],
    marks: Sequence[str],
) -> list[tuple[int, int]]:
    """Token ranges that say "this cannot be answered", by a set phrase or as a bar to knowing."""
    found: list[tuple[int, int]] = []
    pairs = [m for m in stance if m.kind in ("abstain", "bar", "know")]
    bar: Mention | None = None
    knew: Mention | None = None
    cursor = 0
    for part in parts:
        bar = knew = None
        if part.last - part.first == 1 and stream.texts[part.first] in DOUBTS and not marks[part.first]:
            found.append((part.first, part.last))  # "Uncertain."
        while cursor < len(pairs) and pairs[cursor].first < part.last:
            m = pairs[cursor]
            cursor += 1
            if m.first < part.first or marks[m.first] == "quoted":
                continue
            if m.kind == "abstain":
                found.append((m.first, m.last))
            elif m.kind == "bar":
                if knew is not None and m.first - knew.last <= 4 and not _cut(stream, knew.last, m.first):
                    found.append((knew.first, m.last))
                bar = m
            else:
                if bar is not None and m.first - bar.last <= REACH and not _cut(stream, bar.last, m.first):
                    found.append((bar.first, m.last))
                knew = m
    return found


def _cut(stream: Stream, first: int, last: int) -> bool:
    return any(stream.texts[i] in CUTS for i in range(first, last))


def _set_off(texts: Sequence[str], first: int, at: int) -> bool:
    """ "In K562 cells, however, yes: …"; "the answer here is yes"."""
    if texts[at] not in ("yes", "no"):
        return False  # "the answer is correct" praises, and answers nothing
    between = texts[at - 1] in ":,—" and (at + 1 == len(texts) or texts[at + 1] in ":,.;!—")
    return between or (texts[at - 1] == "is" and "answer" in texts[max(first, at - 4) : at - 1])


def yes_no(
    stream: Stream, parts: Sequence[Sentence], stance: Sequence[Mention], marks: Sequence[str]
) -> list[Claim]:
    """ "Yes" and "No" where a sentence opens with them."""
    opens = {m.first: m for m in stance if m.kind in ("yes", "no")}
    found: list[Claim] = []
    neither = "neither" in stream.vocabulary
    for number, part in enumerate(parts):
        opening = stream.texts[part.first]
        brief = opening in PRONOUNS or opening in ADVERBS or opening == "not" or opening.endswith("ly")
        if brief and not marks[part.first]:
            found += _elliptic(stream, part, number)
        spoken = stream.texts[part.first + 1 : part.last]
        at = part.last
        if not CONCLUDES.isdisjoint(spoken):
            at = next(i for i, word in enumerate(spoken, part.first + 1) if word in CONCLUDES)
        if stream.texts[at + 1 : at + 2] and stream.texts[at + 1] in PRONOUNS and not marks[at]:
            found += _elliptic(stream, part._replace(first=at + 1), number)
        if not opens and not neither:
            continue
        starts = [part.first]
        head = stream.texts[part.first : part.first + 5]
        if ":" in head[:4] and head[0] in ("answer", "final", "the", "short", "verdict", "conclusion"):
            starts.append(part.first + head.index(":") + 1)
        elif head[:3] == ["the", "answer", "is"] and head[3:4] in (["yes"], ["no"]):
            starts.append(part.first + 3)  # "the answer is correct" praises, and answers nothing
        if "," in head[1:4]:  # "However, no." and "In short, yes."
            starts.append(part.first + head.index(",") + 1)
        said = stream.texts[part.first : part.last]
        if said[-2:-1] and said[-2] in ":,—":  # "died earlier (p = 0.004), so: yes"
            starts.append(part.last - 1)
        starts += [part.first + i + 1 for i, word in enumerate(said) if word in CONCLUDES]
        starts += [m for m in opens if part.first < m < part.last and _set_off(stream.texts, part.first, m)]
        if neither and "neither" in said[:4] and not ({"nor"} & set(said)):
            found += _neither(stream, part, number, starts)
        starts += [
            s + 2 for s in starts[:4] if stream.texts[s + 1 : s + 3] in (["and", "no"], ["and", "yes"])
        ]
        for start in starts:
            m = opens.get(start)
            if m is None or marks[start] or any(m.first == c.chunk for c in found):
                continue
            after = stream[m.last] if m.last < part.last else None
            plain = after is None or after.kind == "p" or after.text in CONTINUES
            if plain and not (after is not None and after.text == "idea"):
                found.append(_answer(stream, m.kind.upper(), m.first, m.last, number))
    return found


def _answer(stream: Stream, label: str, first: int, last: int, number: int) -> Claim:
    span = stream.span(first, last)
    return Claim("answer", Slot(), span, label=label, sentence=number, chunk=first)


def _neither(stream: Stream, part: Sentence, number: int, starts: Sequence[int]) -> list[Claim]:
    """The "neither" of "Neither.", "Neither of the two", "Answer: neither"; not of "neither X nor Y"."""
    for start in starts:
        after = stream[start + 1] if start + 1 < part.last else None
        ends = after is None or after.kind == "p" or after.text in ("of", "way", "direction", "one", "then")
        if start < part.last and stream.texts[start] == "neither" and ends:
            return [_answer(stream, "NEITHER", start, start + 1, number)]
    return []


def _elliptic(stream: Stream, part: Sentence, number: int) -> list[Claim]:
    """ "They do.", "It certainly does not: …" and "Unfortunately not.", which answer a yes/no question."""
    texts, last = stream.texts, part.last

    def past_adverbs(at: int) -> int:
        while at < last and (texts[at] in ADVERBS or (texts[at].endswith("ly") and texts[at] not in OPEN)):
            at += 1
        return at

    first = past_adverbs(part.first)
    led = first > part.first
    first += led and texts[first : first + 1] == [","]  # "Sadly, it did not."
    spoken = first < last and texts[first] in PRONOUNS
    at = past_adverbs(first + spoken)
    verb = spoken and at < last and texts[at] in VERBS
    cannot = verb and texts[at] == "cannot"
    at = past_adverbs(at + verb)
    denied = at < last and texts[at] == "not"
    at = past_adverbs(at + denied)
    after = texts[at] if at < last else "."
    comma = spoken and not led and texts[first + 1 : first + 2] in (["do"], ["does"], ["did"], ["not"])
    comma = comma or (not spoken and at == first + 1 and led)
    if not (verb or (denied and (spoken or led or at > first + 1))) or after not in ".:—" + "," * comma:
        return []
    return [_answer(stream, "NO" if denied or cannot else "YES", part.first, at, number)]


EXTENT = frozenset(("magnitude", "size", "extent", "strength", "degree", "amplitude"))
SEVERAL = frozenset(("across", "among", "over", "throughout"))


def agreements(parts: Sequence[Sentence], stream: Stream, marks: Sequence[str]) -> list[Claim]:
    """ "The same in both", "opposite", with negation: SAME and DIFF."""
    found: list[Claim] = []
    for number, part in enumerate(parts):
        for m in part.inside.get("agree", ()):
            several = m.last - m.first == 1 and stream.texts[max(0, m.first - 1)] in SEVERAL
            if marks[m.first] or (several and stream.texts[m.first] == "different"):
                continue  # "across different cohorts" says of none that it differs
            if m.value == "DIFF" and not EXTENT.isdisjoint(
                stream.texts[max(part.first, m.first - 6) : m.first]
            ):
                continue  # "the magnitude of the effect varies"
            negations = [n.first for n in part.inside.get("neg", ())]
            denied = (
                sum(1 for n in negations if 0 < m.first - n <= 6 and not _cut(stream, n, m.first)) % 2 == 1
            )
            label = str(m.value)
            label = {"SAME": "DIFF", "DIFF": "SAME"}[label] if denied else label
            span = stream.span(m.first, m.last)
            found.append(Claim("agreement", Slot(), span, label=label, sentence=number, chunk=m.first))
    return found


def degenerate(stream: Stream, stance: Sequence[Mention], content: Sequence[Mention], prompt: str) -> str:
    """Why a text is no answer at all, or ""."""
    spoken = [text for text, kind, _, _, _ in stream if kind != "p"]
    if not spoken and any(m.kind == "dir" for m in content):
        return ""  # an arrow answers
    if not spoken:
        return "the text is empty"
    asked = prompt_words(prompt)
    chooses = "or" in asked and "or" not in spoken and any(m.kind == "dir" for m in content)
    chooses = chooses or not stream.vocabulary.isdisjoint("<>")  # an order of the question's names
    chooses = chooses or any(m.kind == "dir" and stream[m.first].kind == "p" for m in content)  # an arrow
    if asked and len(spoken) >= max(4, 0.6 * len(asked)) and _within(spoken, asked) and not chooses:
        return "the text only repeats the question"
    if len(spoken) >= 24 and _repeats(spoken) and not _recovers(stream, stance, content, spoken):
        return "the text repeats itself"
    hedges = [m for m in stance if m.kind == "hedge"]
    if len({stream.texts[m.first] for m in hedges}) >= 4:
        covered = sum(m.last - m.first for m in hedges)
        says = any(m.kind in ("num", "entity", "path", "mission", "type", "pattern") for m in content)
        if covered >= 0.4 * len(spoken) and not says:
            return "the text is a list of hedges"
    figures = any(kind == "n" for _, kind, _, _, _ in stream)
    if len(spoken) >= 12 and not figures and WORD_NUMBERS.keys().isdisjoint(stream.vocabulary):
        function = sum(word in FUNCTION_WORDS for word in spoken)
        few = function <= 0.05 * len(spoken)
        if few and sum(t.kind == "p" and t.text in ".:;,|\n(" for t in stream) <= 0.05 * len(spoken):
            return "the text is a list of keywords"
    return ""


def _repeats(spoken: Sequence[str]) -> bool:
    """Are most runs of three words said before? Runs that begin with different words differ."""
    few = REPEATED * (len(spoken) - 2)
    return len({*spoken[:-2]}) < few and len({*zip(spoken, spoken[1:], spoken[2:], strict=False)}) < few


def _recovers(
    stream: Stream,
    stance: Sequence[Mention],
    content: Sequence[Mention],
    spoken: Sequence[str],
) -> bool:
    """True where repeated filler, none of it hedges, stops and an answer that was not repeated follows."""
    triples = list(zip(spoken, spoken[1:], spoken[2:], strict=False))
    hedged = sum(m.last - m.first for m in stance if m.kind in ("hedge", "abstain"))
    if hedged > 0.2 * len(triples):
        return False
    counts = Counter(triples)
    fresh = 0
    while fresh < len(triples) and counts[triples[-1 - fresh]] == 1:
        fresh += 1
    words = [i for i, t in enumerate(stream) if t.kind != "p"]
    if fresh < 4 or fresh >= len(triples):
        return False
    return any(m.kind in FOCI and m.first >= words[-fresh] for m in content)


def _within(spoken: Sequence[str], asked: Sequence[str]) -> bool:
    """Are the words those of the question, in its order?"""
    rest = iter(asked)
    return all(word in rest for word in spoken)


@functools.lru_cache(maxsize=256)
def prompt_words(prompt: str) -> tuple[str, ...]:
    return spoken(prompt)


@functools.lru_cache(maxsize=256)
def prompt_vocabulary(prompt: str) -> frozenset[str]:
    return frozenset(prompt_words(prompt))
