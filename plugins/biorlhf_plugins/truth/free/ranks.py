"""Which of several names a text puts first, where the question asks for the most, the top or the highest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from biorlhf_plugins.language.records import Extraction, Named
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.truth.free.beside import stems

TOPS = vocabulary(
    "most top first highest largest biggest greatest strongest commonest best dominant dominate predominant "
    "main leading lead longest fastest richest chief principal major prevail least lowest smallest"
)
"""What a question for the first of several holds; and the clause that names it."""

LEAST = vocabulary("least lowest smallest fewest weakest slowest shortest rarest")
PLACED = vocabulary(
    "is was are were come came rank ranked finish finished place placed be been in only as a the"
)
LATER = vocabulary("second third fourth fifth 2nd 3rd")
CLOSES = frozenset((".", ",", ";", "(", ")", "place", "to", "behind", "with", "after"))
"""What may stand behind "second" where it is a rank."""

TURNS = frozenset(("but", "yet", "however"))
REACH = 4
"""Tokens between "second" and the name that is before it: "second, well behind MYH7"."""

ALIKE = 2
"""Tokens by which two sentences of one form may differ in length."""

PAST = vocabulary("to after behind")
CONCEDES = frozenset(("although", "though", "while", "whereas", "despite", "unlike"))
ORDERS = frozenset(("order", "ranking", "ranked", "rank"))
RISES = LEAST | vocabulary("ascending increasing rising low")
GROUPS = tuple(
    (vocabulary(more), vocabulary(less))
    for more, less in (
        ("faster quicker quickly outgrew outgrow", "slower slowly lag lagged lagging trailed trail"),
        ("higher greater", "lower"), ("more", "fewer"), ("larger bigger", "smaller"),
        ("longer", "shorter"),
        ("later", "earlier sooner"), ("stronger", "weaker"), ("better", "worse poorly"),
        ("heavier", "lighter"),
        ("older", "younger"), ("taller", "shorter"), ("warmer", "colder"),
    )
)  # fmt: skip
"""Words of a comparison, and those that make it the other way round."""

ENDS = (
    (
        vocabulary("highest largest greatest strongest biggest fastest longest heaviest tallest best"),
        (LEAST - {"least"}) | {"worst"},
    ),
    (frozenset(("most",)), frozenset(("least", "rarest", "fewest"))),
    (frozenset(("late", "later")), frozenset(("early", "earlier"))),
    (
        vocabulary("increase increased rise rises rose gain gained upregulated induced enriched"),
        vocabulary("decrease decreased fall falls fell loss lost downregulated repressed depleted"),
    ),
)
"""Words of one end, and those of the other: what has the lowest has not the highest."""
SEGMENTS = frozenset((",", ";", ":", "(", ")", "and", "but", "while", "whereas"))

FIRST = vocabulary("first initially originally formerly")
TAKEN = vocabulary("taken mistaken thought annotated called labelled labeled believed assumed classified")
MISTAKEN = 6
"""Tokens in which a name is "first taken for" another."""

RULED_OUT = vocabulary("ruled excluded rejected dismissed dispensable irrelevant discounted")
SUSPECTED = vocabulary("considered suspected")
COPULAS = frozenset(("is", "was", "are", "were", "been", "be"))
DENIES = frozenset(("not", "no", "never", "minor", "small", "little", "lagged", "lag"))


def asks_first(prompt: str) -> bool:
    return not TOPS.isdisjoint(prompt_words(prompt))


def leads(said: Extraction, first: int) -> bool:
    """Is the name at token ``first`` that which another is second to: "ACTA1 came second, behind MYH7"?"""
    before = said.stream.texts[max(0, first - REACH) : first]
    at = max((i for i, word in enumerate(before) if word in LATER), default=-1)
    return at >= 0 and not PAST.isdisjoint(before[at + 1 :])


def trails(said: Extraction, name: Named, tokens: tuple[int, int], prompt: str) -> bool:
    """Is a name told as one behind another: placed second, after ">" or "before", later in a list of ranks,
    or set aside for another one?"""
    texts, part, (first, last) = said.stream.texts, said.parts[name.sentence], tokens
    if _mistaken(texts, part.first, first):
        return True
    set_aside = _set_aside(texts, part.first, part.last, tokens, prompt)
    if (
        set_aside
        or _of_another_place(said, name, tokens, prompt)
        or _dismissed(texts, last, part.last, prompt)
        or _of_the_other_end(texts, (part.first, part.last), tokens, prompt)
        or _set_against(texts, (part.first, part.last), tokens, prompt)
    ):
        return True
    if not asks_first(prompt) or not LEAST.isdisjoint(prompt_words(prompt)):
        return False  # of "A > B > C" the last is the least
    if name.link == ">" or (first > part.first + 1 and texts[first - 2 : first] == [",", "before"]):
        return True
    return _placed(texts, last, part.last) or _listed_later(said, first, part.first, part.last)


def _placed(texts: Sequence[str], last: int, end: int) -> bool:
    """ "MYH7 came second", "with liver second": and nothing that makes it the first after all."""
    at = last
    while at < end and texts[at] in PLACED:
        at += 1
    if at >= end or texts[at] not in LATER or not (TOPS | TURNS).isdisjoint(texts[at + 1 : end]):
        return False
    behind = texts[at + 1 : at + 2]
    return behind == [] or behind[0] in (CLOSES if at > last else CLOSES - {"to", "place"})


def _listed_later(said: Extraction, first: int, start: int, end: int) -> bool:
    """ "2. Fatigue" below "1. Nausea"; the second of "in descending order: nausea, fatigue"."""
    texts = said.stream.texts
    numbered = texts[max(0, first - 2) : first]
    opens = first >= 3 and texts[first - 3] == "\n" and texts[0] == "1"
    if opens and numbered in (["2", "."], ["3", "."], ["2", ")"], ["3", ")"]):
        return TOPS.isdisjoint(texts[first:end])
    colon = next((i for i in range(first - 1, start, -1) if texts[i] == ":"), None)
    if colon is None or ORDERS.isdisjoint(texts[start:colon]) or not RISES.isdisjoint(texts[start:colon]):
        return False
    named = any(token.kind == "w" for token in said.stream[colon + 1 : first])
    return named and not {",", ">", "then"}.isdisjoint(texts[colon:first])


def turned(prompt: str, texts: Sequence[str], first: int, last: int) -> int | None:
    """Where a sentence compares the other way round: the "slowly" of "Col-0 grew more slowly", asked for
    what grew faster."""
    asked, told = prompt_words(prompt), texts[first:last]
    for group in GROUPS:
        for wanted, other in (group, group[::-1]):
            if wanted.isdisjoint(asked) or not other.isdisjoint(asked) or not wanted.isdisjoint(told):
                continue
            at = next((i for i in range(first, last) if texts[i] in other), None)
            if at is not None and DENIES.isdisjoint(texts[max(first, at - 3) : at]):
                return at
    return None


def _set_aside(texts: Sequence[str], start: int, end: int, name: tuple[int, int], prompt: str) -> bool:
    """ "Unlike STAT3, STAT1 drives it"; "although Fatigue is common, Nausea is the top event": what is asked
    for is told of the other one."""
    first, last = name
    comma = next((i for i in range(last, end) if texts[i] == ","), end)
    if texts[start] not in CONCEDES or comma + 1 >= end or "," in texts[start:first]:
        return False
    aside, main = texts[start:comma], texts[comma + 1 : end]
    if set(texts[first:last]) <= set(main) or not DENIES.isdisjoint(main):
        return False
    wanted = stems(prompt_words(prompt)) - stems(texts[first:last])
    asked_of_main = bool(stems(main) & wanted) or not TOPS.isdisjoint(main)
    return asked_of_main and not stems(aside) & wanted and TOPS.isdisjoint(aside)


def _of_another_place(said: Extraction, name: Named, tokens: tuple[int, int], prompt: str) -> bool:
    """ "Prevotella leads in the vegans; Bacteroides leads in the omnivores": of the vegans the first."""
    texts, asked = said.stream.texts, stems(prompt_words(prompt))
    part, mine = said.parts[name.sentence], stems(texts[tokens[0] : tokens[1]])
    own = stems(texts[part.first : part.last])
    for beside in said.parts[max(0, name.sentence - 1) : name.sentence + 2]:
        other = stems(texts[beside.first : beside.last])
        alike = abs((beside.last - beside.first) - (part.last - part.first)) <= ALIKE and own & other - asked
        if alike and not mine & other and not asked & (own - other) and asked & (other - own):
            return True
    return False


def _mistaken(texts: Sequence[str], start: int, first: int) -> bool:
    """ "Cluster 5 was first taken for NK cells"."""
    before = texts[max(start, first - MISTAKEN) : first]
    led = before[-1:] and before[-1] in ("for", "as", "be")
    return bool(led) and not FIRST.isdisjoint(before) and not TAKEN.isdisjoint(before)


def _set_against(texts: Sequence[str], part: tuple[int, int], name: tuple[int, int], prompt: str) -> bool:
    """ "LHY peaks at dusk, unlike TOC1, which peaks at dawn"; "the mutant did, the wild type did not"."""
    apart = max((i for i in range(part[0] + 3, name[0]) if texts[i] == "unlike"), default=0)
    denied = texts[name[1] : name[1] + 2] in (["did", "not"], ["does", "not"], ["do", "not"])
    ended = texts[name[1] + 2 : name[1] + 3] in ([], ["."], [","], [";"])
    return bool(apart) or (denied and ended and "not" not in prompt_words(prompt))


def _of_the_other_end(
    texts: Sequence[str], part: tuple[int, int], name: tuple[int, int], prompt: str
) -> bool:
    """ "A has the highest expression and B has the lowest": of the highest B is not the answer; "B marks
    cluster 0", where cluster 2 is asked for."""
    start = next((i + 1 for i in range(name[0] - 1, part[0] - 1, -1) if texts[i] in SEGMENTS), part[0])
    end = next((i for i in range(name[1], part[1]) if texts[i] in SEGMENTS), part[1])
    told, asked = texts[start:end], prompt_words(prompt)
    for one, other in (pair for ends in ENDS for pair in (ends, ends[::-1])):
        turned = not one.isdisjoint(asked) and other.isdisjoint(asked)
        if turned and one.isdisjoint(told) and not other.isdisjoint(told) and DENIES.isdisjoint(told):
            return True
    numbered = {head: label for head, label in pairwise(asked) if label.isdigit() and head.isalpha()}
    of = {(head, label) for head, label in pairwise(told) if head in numbered and label.isdigit()}
    return bool(of) and all(numbered[head] != label for head, label in of)


def _dismissed(texts: Sequence[str], last: int, end: int, prompt: str) -> bool:
    """ "STAT3 was ruled out, which leaves STAT1", "was considered, but STAT1 drives it"."""
    at = last
    while at < end and texts[at] in COPULAS:
        at += 1
    if at == last or at >= end or texts[at][:4] in {word[:4] for word in prompt_words(prompt)}:
        return False
    if texts[at] in SUSPECTED:
        return "but" in texts[at + 1 : at + 3]
    return texts[at] in RULED_OUT and TOPS.isdisjoint(texts[at:end])
