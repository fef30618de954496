"""Answers that the question's own words give: "the probiotic does not change it" is a no.

Of "It is ethylene that accumulates first; jasmonate comes later" the answer is what stands beside its words.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from biorlhf_plugins.language.claims.quantities import PREPOSITIONS
from biorlhf_plugins.language.records import Extraction, Named
from biorlhf_plugins.language.stance.stance import prompt_words
from biorlhf_plugins.language.words.text import clean, tokens, vocabulary
from biorlhf_plugins.language.words.vocabulary import METHODS, POPULATIONS
from biorlhf_plugins.truth.free.aligned import told_elsewhere
from biorlhf_plugins.truth.free.beside import Words, stems
from biorlhf_plugins.truth.free.ranks import TOPS, asks_first, leads, trails

POLAR = frozenset(("do", "does", "did", "is", "are", "was", "were", "has", "have", "can", "could", "will"))
DO = frozenset(("do", "does", "did"))
BE = frozenset(("is", "are", "was", "were", "be", "would", "="))
DENY = frozenset(("not", "cannot", "never"))
FAIL = frozenset(("fail", "failed", "unable", "refuse", "refused"))
MANAGE = frozenset(("manage", "managed", "able"))

STATES = ("ed", "en", "er", "ent", "ant", "ing", "able", "ible", "ive", "ous", "lost")
"""Endings of what follows "is": a state that was asked about, and no name."""

NUMBERED = re.compile(r"([a-z]+) (\d+|[a-z])")
CUTS = frozenset((",", "(", ")", "—", "|", "\n"))
OUTDOING = vocabulary(
    "outgrew outgrow outlived outlive outnumber outnumbered overtook beat outperform outperformed outdo "
    "outdid exceed surpass ahead followed"
)
"""After these stands what the answer is more than."""

SECOND = vocabulary("then next second third runner less least behind trailing only")
"""Beside a name, these tell that it is not the first."""

RANKED = vocabulary("choice place best guess closest candidate match pick option")
"""After "second" or "next" these tell the same of any name, as "runner-up" does."""

LINKS = vocabulary("was is are were be being been as the a an close distant only came come in go to") | {
    ":", "(", "—", ",",
}  # fmt: skip
NOT_OF = frozenset(("to", "after", "behind", "of", "for"))

ROOT = 6
"""Letters by which a question's word is known again: vaccine, vaccinated."""

SHORT = 8
"""Words of a question that "It is dispensable" may answer."""

DENIES = frozenset(("not", "no", "never", "cannot", "without", "none", "neither"))
HEDGES = vocabulary(
    "hardly barely scarcely nobody unproven fail failed lack lacked lacking should ask asked "
    "may might could perhaps possibly maybe only unless except if whether unclear unknown but although"
)
DIFFERS = frozenset(word[:6] for word in vocabulary(
    "differ differed different difference change changed affect affected alter altered influence influenced"
))  # fmt: skip
ALIKE_WORDS = frozenset(word[:6] for word in vocabulary(
    "same unchanged unaffected unaltered alike similar equal identical indistinguishable comparable"
))  # fmt: skip
PAIRS = (
    ("positive", "negative"), ("essential", "dispensable"), ("same", "different"), ("agree", "disagree"),
    ("present", "absent"), ("alive", "dead"), ("active", "inactive"), ("resistant", "sensitive"),
    ("resistant", "susceptible"), ("viable", "inviable"), ("expressed", "absent"),
    ("up", "down"),
)  # fmt: skip
OPPOSITES: dict[str, set[str]] = {}
for _one, _other in (*PAIRS, *((b, a) for a, b in PAIRS)):
    for _root in stems((_one,)):
        OPPOSITES.setdefault(_root[:6], set()).update(word[:6] for word in stems((_other,)))

ADVERBS = vocabulary("well far just way closely clearly by")
CONCLUDING = vocabulary("so hence thus therefore answer final overall")
SUBJECTS = frozenset(("it", "that", "this", "they", "those", "these"))


def verdict(said: Extraction, prompt: str) -> str:
    """YES or NO where the text says or denies in its words what is asked; "" for neither, or both."""
    words = prompt_words(prompt)
    if not words or words[0] not in POLAR or not {"or", "not"}.isdisjoint(words):
        return ""
    asked, texts, found = stems(words[1:]), said.stream.texts, set()
    places = {word for name in said.named for word in str(name.value).lower().split()}
    for part in said.parts:
        for at in range(part.first + 1, part.last):
            if said.marks[at] or stems(texts[at : at + 1]).isdisjoint(asked):
                continue
            here = at - 1
            while here > part.first and texts[here].endswith("ly"):
                here -= 1
            before, second = texts[here], texts[here - 1] if here > part.first else ""
            if before in DENY or (before == "to" and second in FAIL):
                found.add("NO")
            elif (
                before in DO
                or (before == "to" and second in MANAGE)
                or (
                    before in BE
                    and words[0] in BE
                    and texts[at].endswith(STATES)
                    and texts[at] not in places
                    and _is_of_the_asked(texts[part.first : here], asked)
                )
            ):
                found.add("YES")
    found |= _whole(said, asked, words) if not found else set()
    return found.pop() if len(found) == 1 else ""


def _whole(said: Extraction, asked: Words, words: Sequence[str]) -> set[str]:
    """YES and NO of sentences that say or deny all that is asked: "No off-target edit was found", "The arms
    did not differ", "The correlation is negative", "It is dispensable"."""
    found: set[str] = set()
    if said.abstains:
        return found
    state = (
        words[0] in BE and (words[-1].endswith(STATES) or bool(_opposites(words[-1]))) and len(words) <= SHORT
    )
    for part in said.parts:
        texts = said.stream.texts[part.first : part.last]
        of_it = state and texts[0] in SUBJECTS and texts[1:2] != [] and texts[1] in BE
        if any(said.marks[part.first : part.last]) or not HEDGES.isdisjoint(texts) or "?" in texts:
            continue
        wanted = frozenset(word[:ROOT] for word in (stems(words[-1:]) if of_it else asked)) - {"betwee"}
        if len(wanted) > 1 or of_it or wanted & DIFFERS:
            found |= _said_or_denied(texts, wanted)
    return found


def _said_or_denied(texts: Sequence[str], wanted: Words) -> set[str]:
    roots = [min(stems((word,)), default="")[:ROOT] for word in texts]
    opposed = frozenset(o for root in wanted for o in OPPOSITES.get(root, ()))
    telling = [i for i, root in enumerate(roots) if root in wanted | opposed | DIFFERS | ALIKE_WORDS]
    if not telling:
        return set()
    # A denial counts before what it denies; one behind it in the same piece leaves the sentence unread.
    end = next((i for i in range(telling[-1], len(texts)) if texts[i] == ","), len(texts))
    if not DENIES.isdisjoint(texts[telling[-1] + 1 : end]) or "without" in texts[:end]:
        return set()
    denied = sum(word in DENIES for word in texts[: telling[-1]]) % 2 == 1
    spoken, differing = frozenset(roots), wanted & DIFFERS
    left = wanted - spoken
    if differing and wanted - differing <= spoken and not (DIFFERS | ALIKE_WORDS).isdisjoint(spoken):
        return {"NO" if denied != (not ALIKE_WORDS.isdisjoint(spoken)) else "YES"}
    if not left:
        return {"NO" if denied else "YES"}
    if len(left) == 1 and not _opposites(min(left)).isdisjoint(spoken):
        return {"YES" if denied else "NO"}
    return set()


def _opposites(word: str) -> Words:
    return frozenset(OPPOSITES.get(min(stems((word,)), default="")[:ROOT], ()))


def _is_of_the_asked(subject: list[str], asked: Words) -> bool:
    """Is a state told of what was asked about? "The answer is liver" tells none, whatever liver ends in."""
    return bool(asked & stems(subject)) or not SUBJECTS.isdisjoint(subject)


def displaced(said: Extraction, name: Named, prompt: str) -> bool:
    """Is another thing named as the answer before this name, which is only spoken of?"""
    own_words = stems(t.text for t in tokens(clean(str(name.value)).text))
    numbered = NUMBERED.fullmatch(str(name.value))
    asked = stems(prompt_words(prompt)) - own_words
    texts, part = said.stream.texts, said.parts[name.sentence]
    own_tokens = start, last = _tokens(said, name)
    if trails(said, name, own_tokens, prompt) or told_elsewhere(said, name, own_tokens, asked):
        return True
    if leads(said, start) or _concluded(texts, start, last, part.last):
        return False
    pieces: list[tuple[int, int]] = []
    first = said.parts[name.sentence - 1].first if name.sentence else part.first
    for at in range(first, part.last + 1):
        if at == part.last or texts[at] in CUTS or at == part.first - 1:
            # What begins with a verb goes on with the subject before it: "The top hit, at 5 % FDR, was NF1".
            joined = bool(pieces) and at > first and texts[first] in BE
            pieces = [*pieces[:-1], (pieces[-1][0], at)] if joined else [*pieces, (first, at)]
            first = at + 1
    own = next(((a, b) for a, b in pieces if a <= start < b), (start, part.last))
    before = [(a, b) for a, b in pieces if a < b <= own[0]]
    lead = before[0] if before else (start, start)
    if all(_written(said, i) for i in range(*lead)) and before:
        return True  # "WT, clearly: ΔNS1 hardly does"
    if _outdone(texts, part.first, start):
        return True
    if asked & stems(texts[own[0] : own[1]]) or texts[own[0]] in CONCLUDING:
        return False
    if before and not (SECOND - asked).isdisjoint(texts[own[0] : own[1]]):
        return True  # "Macrophages dominate, NK cells come next"
    first_word = lead[0] + (texts[lead[0]] in ("the", "loss", "of"))
    if before and (_written(said, first_word) or texts[lead[1] - 1] in DO):
        return True  # "TBA15 binds most tightly; TBA29 …", "Sphingomyelins do, …"
    told = [texts[a:b] for a, b in before]
    return any(
        _answers(words, asked)
        or _tops(words, asked)
        or (numbered is not None and _another(words, *numbered.groups()))
        for words in told
    )


def passed_over(said: Extraction, name: Named, prompt: str) -> bool:
    """As ``displaced``, of a name among other words: only by what is written like a name, or where a first is
    asked for."""
    part, tokens = said.parts[name.sentence], _tokens(said, name)
    if trails(said, name, tokens, prompt):
        return True
    written = any(_written(said, i) for i in range(part.first, tokens[0]))
    return (written or asks_first(prompt)) and displaced(said, name, prompt)


def _concluded(texts: Sequence[str], start: int, last: int, end: int) -> bool:
    """ "FOXP3, IL2RA and no KIT: regulatory T cells.": what a colon leads to, alone; "which leaves STAT3"."""
    if start == 0:
        return False
    if texts[start - 1] in ("leave", "leaving") or texts[max(0, start - 2) : start] == ["must", "be"]:
        return True
    return texts[start - 1] == ":" and (last >= end or texts[last] in ".;!\n")


def _tokens(said: Extraction, name: Named) -> tuple[int, int]:
    """The tokens of a name."""
    part, (start, end) = said.parts[name.sentence], name.span
    spans = [said.clean.span(token.start, token.end) for token in said.stream[part.first : part.last]]
    first = part.first + next((i for i, span in enumerate(spans) if span[0] >= start), 0)
    return first, max(first + 1, part.first + sum(span[0] < end for span in spans))


def second(said: Extraction, name: Named, prompt: str) -> bool:
    """Is a name told as the runner-up: "delta was the second choice", "with Ler as runner-up", "the next best
    match was Basal"?"""
    texts, part, asked = said.stream.texts, said.parts[name.sentence], set(prompt_words(prompt))
    told = said.stream.vocabulary & {"second", "next", "runner", "unlike"}
    if not told:
        return False
    first, last = _tokens(said, name)
    if first and texts[first - 1] == "unlike":
        return True
    if not asked.isdisjoint(("second", "next", "runner")):
        return False
    if texts[last : last + 1] == ["second"] and texts[last + 1 : last + 2] in ([], ["."], [","], [";"]):
        return True  # "soleus, with liver second"
    for at in range(part.first, part.last):
        end = at + 2
        if texts[at : at + 2] != ["runner", "up"]:
            if texts[at] not in ("second", "next") or RANKED.isdisjoint(texts[at + 1 : at + 2]):
                continue
            end += not RANKED.isdisjoint(texts[end : end + 1])
        closed = end >= part.last or said.stream[end].kind == "p" or texts[end] in PREPOSITIONS
        if last <= at and closed and texts[end : end + 1] != [":"] and LINKS.issuperset(texts[last:at]):
            return True
        between = texts[end:first]
        if end <= first and LINKS.issuperset(between) and not (between and between[0] in NOT_OF):
            return True
    return False


def _outdone(texts: Sequence[str], first: int, start: int) -> bool:
    """Is another name set before this one: "Vemurafenib beats encorafenib", "Col-0, ahead of Ler"?"""
    for i in range(first + 1, start):
        as_much = texts[i] == "as" and "as" in texts[max(first, i - 3) : i]
        if texts[i] in OUTDOING or as_much:
            return any(len(word) > 1 and word not in ADVERBS for word in stems(texts[first:i]))
    return False


def _written(said: Extraction, at: int) -> bool:
    """Is a word written like a name: WT, S309, ΔlasR?"""
    token = said.stream[at]
    raw = said.text[slice(*said.clean.span(token.start, token.end))]
    shaped = any(c.isupper() for c in raw[1:]) or (raw[0].isupper() and any(c.isdigit() for c in raw))
    return shaped and token.kind == "w" and token.text not in METHODS - POPULATIONS


def _tops(texts: list[str], asked: Words) -> bool:
    """ "Bacteroidetes dominate": a name, and what was asked of one."""
    at = next((i for i, word in enumerate(texts) if word in TOPS and stems((word,)) & asked), 0)
    subject = [word for word in texts[:at] if word not in LINKS and not stems((word,)) & asked]
    return 0 < len(subject) <= 3 and DENIES.isdisjoint(texts[:at]) and not PREPOSITIONS & set(texts[:at])


def _another(texts: list[str], head: str, label: str) -> bool:
    """The cluster 2 of "Therapy expands cluster 2, at the cost of cluster 5"."""
    return any(a == head and b != label and len(b) <= len(label) + 1 for a, b in itertools.pairwise(texts))


def _answers(texts: list[str], asked: Words) -> bool:
    """ "The strongest hit was CUL3", "It is ethylene": the question's words, or a pronoun, and a name."""
    be = next((i for i, word in enumerate(texts) if word in BE), -1)
    if be < 1 or "not" in texts or texts[be + 1 : be + 2] in (["a"], ["an"]):
        return False
    told = texts[0] in SUBJECTS or bool(asked & stems(texts))
    return told and bool(stems(texts[be + 1 :]) - asked)
