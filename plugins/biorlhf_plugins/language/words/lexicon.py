"""Names and words, and one trie to find them: longest match, one step per token, no regular expressions.

The words live in ``lexicon.json`` (kinds, each with canonical values and their phrasings),
``phrases.json`` (ways to say "I cannot tell" and "I am sure") and ``pathways.txt`` (gene set names,
one per line). A lab adds its own through a verifier's settings; see :class:`Additions`.
"""

from __future__ import annotations

import functools
import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from biorlhf_plugins.language.words.text import Token, stream_of

HERE = Path(__file__).parent
END = ""
PREFIX = re.compile(
    r"^(?:(HALLMARK)|(KEGG)(?:_MEDICUS)?(?:_REFERENCE|_VARIANT|_PATHOGEN|_ENV_FACTOR)?|(REACTOME)|(MITOCARTA))_",
    re.I,
)
MITOCARTA_BRANCHES = (
    "METABOLISM_AMINO_ACID_METABOLISM_", "METABOLISM_CARBOHYDRATE_METABOLISM_", "METABOLISM_DETOXIFICATION_",
    "METABOLISM_LIPID_METABOLISM_", "METABOLISM_METALS_AND_COFACTORS_", "METABOLISM_NUCLEOTIDE_METABOLISM_",
    "METABOLISM_VITAMIN_METABOLISM_", "METABOLISM_", "MITOCHONDRIAL_CENTRAL_DOGMA_MTRNA_METABOLISM_",
    "MITOCHONDRIAL_CENTRAL_DOGMA_TRANSLATION_", "MITOCHONDRIAL_CENTRAL_DOGMA_", "SMALL_MOLECULE_TRANSPORT_",
    "MITOCHONDRIAL_DYNAMICS_AND_SURVEILLANCE_", "OXPHOS_COMPLEX_I_", "OXPHOS_COMPLEX_II_",
    "OXPHOS_COMPLEX_III_", "OXPHOS_COMPLEX_IV_", "OXPHOS_COMPLEX_V_", "OXPHOS_",
    "PROTEIN_IMPORT_SORTING_AND_HOMEOSTASIS_PROTEIN_HOMEOSTASIS_", "PROTEIN_IMPORT_SORTING_AND_HOMEOSTASIS_",
)  # fmt: skip
CONTRACTED = re.compile(r"\b(i|we|you|they|it|that|there) (?:am|are|is|would|will|have)\b")
"""What an apostrophe shortens, of which ``canonical`` leaves the pronoun: "I'm sure" as "i sure"."""

FILLERS = ((), ("gene",), ("set",), ("gene", "set"), ("pathway",), ("signature",))
"""What may follow a set's name that a question adds, so that no longer alias of other sets is found there."""

Trie = dict[str, Any]
Entry = tuple[str, str, tuple[str, ...]]
SIDES = ("numerator", "denominator")
"""Kinds of entries that name a side of one contrast: read where that contrast is asked for."""

NOT_SPELT = frozenset(("asked", *SIDES))
"""Kinds that add no phrase by themselves; "asked" tells of which kind the asked names are (foils.py)."""


@dataclass(frozen=True, eq=False, slots=True)
class Additions:
    """What a lab adds: kind -> canonical value -> phrasings. Kinds as in ``lexicon.json``, and "pathway".

    ``shared`` are those of the whole dataset, under a question's own. Hashed once: a lab has thousands.
    """

    entries: tuple[Entry, ...] = ()
    shared: Additions | None = None
    key: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", hash((self.entries, self.shared)))

    def __hash__(self) -> int:
        return self.key

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Additions):
            return NotImplemented
        return self is other or (self.entries == other.entries and self.shared == other.shared)


class Lexicon(NamedTuple):
    """``content`` names things and what happens to them, ``stance`` is how the writer stands to it.

    Of two tries of ``content`` the first wins where both match equally long.
    """

    content: tuple[Trie, ...]
    stance: Trie


def words(phrase: str) -> tuple[str, ...]:
    """The tokens of a phrase, by the same rules as a text's."""
    return tuple(stream_of(phrase).texts)


def add(trie: Trie, phrase: Iterable[str], kind: str, value: Any) -> None:
    """Put a phrase into a trie; a phrase may stand for several things."""
    node = trie
    for word in phrase:
        node = node.setdefault(word, {})
    if node is not trie:
        meanings = node.setdefault(END, [])
        if (kind, value) not in meanings:
            meanings.append((kind, value))


LONGEST = 24  # tokens of a phrase
MARKS = frozenset((",",))
ASKED_MARKS = MARKS | {"(", ")"}


def longest(trie: Trie, stream: Sequence[Token], start: int) -> tuple[int, list[tuple[str, Any]] | None]:
    """The longest phrase of the trie that begins at a token: (its end, its meanings)."""
    texts = [token.text for token in stream[start : start + LONGEST]]
    if not texts or texts[0] not in trie:
        return start, None
    end, found = match(trie[texts[0]], texts, 0)
    return start + end, found


def match(
    node: Trie, texts: Sequence[str], start: int, marks: frozenset[str] = MARKS
) -> tuple[int, list[tuple[str, Any]] | None]:
    """The longest phrase of a trie that begins at a token's text: (its end, its meanings).

    ``node`` is the trie's for that text. A set's name may be written with ``marks`` that the phrase lacks:
    "Cell Cycle, Mitotic", and of the asked set "Citrate cycle (TCA cycle)".
    """
    found, at, total = node.get(END), start + 1, len(texts)
    end, marked = start if found is None else at, False
    if at >= total or (texts[at] not in node and texts[at] not in marks):
        return end, found  # nothing longer begins so
    last = start + LONGEST if start + LONGEST < total else total
    while at < last:
        step = node.get(texts[at])
        if step is not None:
            node, here = step, step.get(END)
            if here is not None and not (marked and here[0][0] != "path"):
                end, found = at + 1, here
        elif texts[at] in marks:
            marked = True
        else:
            break
        at += 1
    return end, found


def pathway_key(name: str) -> tuple[str, str | None]:
    """A set's name without its database, as words, and the database: ("e2f target", "hallmark")."""
    match = PREFIX.match(name.strip().replace(" ", "_"))
    rest, db = name, None
    if match:
        rest = name.strip()[match.end() :]
        db = next(group for group in match.groups() if group).lower()
    if db == "mitocarta":
        branch = next((b for b in MITOCARTA_BRANCHES if rest.upper().startswith(b)), "")
        rest = rest[len(branch) :] or rest
    return " ".join(words(rest)), db


def pathway_phrases(name: str) -> list[tuple[str, ...]]:
    """Ways to write a set's name: whole, without the database, without "pathway", two halves swapped."""
    whole, key = words(name), words(pathway_key(name)[0])
    phrases = [whole, key]
    for tail in ("pathway", "response", "signaling pathway"):
        tail_words = words(tail)
        if key[-len(tail_words) :] == tail_words and len(key) > len(tail_words) + (tail == "response"):
            phrases.append(key[: -len(tail_words)] + (("signaling",) if tail.startswith("sig") else ()))
    for link in ("in", "of", "by", "via"):
        if link in key[1:-1]:
            at = key.index(link, 1)
            phrases.append(key[at + 1 :] + key[:at])
    phrases += [tuple(w for w in phrase if w not in ("and", "the", "of")) for phrase in phrases[1:]]
    return [phrase for phrase in phrases if phrase and not (len(phrase) == 1 and len(phrase[0]) < 3)]


def add_pathway(
    trie: Trie, name: str, aliases: Iterable[str] = (), tails: Iterable[tuple[str, ...]] = ((),)
) -> None:
    """A set by its names, each alone and with what may follow it."""
    key, _ = pathway_key(name)
    for phrase in itertools.chain.from_iterable(map(pathway_phrases, (name, *aliases))):
        for tail in tails:
            add(trie, (*phrase, *tail), "path", (key,))


def _add_feature(trie: Trie, key: str, names: Iterable[str]) -> None:
    """A question's gene, protein or taxon; with "signaling" after it, it is another thing."""
    for name in names:
        add(trie, words(name), "path", (key,))
        for tail in OF_A_SET:
            add(trie, (*words(name), tail), "path", (f"?{name} {tail}",))


OF_A_SET = ("signaling", "pathway", "target", "signature", "program", "module", "response")
"""What makes of a gene's name that of a set: "TP53 signaling" is not TP53."""


def inflect(verb: str) -> list[str]:
    """A regular verb's forms, past the plural-like s that ``canonical`` strips anyway."""
    if verb.endswith("e"):
        return [verb, verb + "d", verb[:-1] + "ing"]
    return [verb, verb + "ed", verb + "ing"]


@functools.cache
def table(name: str) -> dict[str, Any]:
    """What the JSON file of this name beside this one holds."""
    return json.loads((HERE / f"{name}.json").read_text("utf-8"))  # type: ignore[no-any-return]


@functools.cache
def grammar() -> dict[str, frozenset[str]]:
    """Words by what they do in a sentence: determiners, auxiliaries, nouns that stand for any set."""
    return {kind: frozenset(words(listed)) for kind, listed in table("grammar").items()}


def frame_words() -> Mapping[str, list[str]]:
    """The built-in names of the two sides of a contrast: FLIGHT is the case, GROUND the reference."""
    return table("lexicon")["frame"]  # type: ignore[no-any-return]


@functools.cache
def base() -> Lexicon:
    """The built-in lexicon, loaded once per process."""
    trie: Trie = {}
    tables = dict(table("lexicon"))
    for label, verbs in tables.pop("verbs").items():
        for form in itertools.chain.from_iterable(map(inflect, verbs)):
            add(trie, words(form), "dir", label)
    for kind, rows in tables.pop("products").items():
        for phrase in itertools.chain.from_iterable(itertools.product(*row) for row in rows):
            add(trie, words(" ".join(phrase)), *kind.partition(":")[::2])
    stance: Trie = {}
    for target, kinds in ((trie, tables), (stance, table("phrases"))):
        for kind, values in kinds.items():
            for value, phrasings in values.items():
                for phrase in phrasings:
                    add(target, words(phrase), kind, value)
                    short = CONTRACTED.sub(r"\1", phrase)
                    if short != phrase and " " in short:
                        add(target, words(short), kind, value)
    for name in (HERE / "pathways.txt").read_text("utf-8").split():
        add_pathway(trie, name)
    for alias, names in table("aliases").items():
        add(trie, words(alias), "path", tuple(dict.fromkeys(pathway_key(name)[0] for name in names)))
    return Lexicon((trie,), stance)


@functools.lru_cache(maxsize=4096)
def with_additions(additions: Additions) -> Lexicon:
    """The built-in lexicon with a lab's or a question's names searched first."""
    below = base() if additions.shared is None else with_additions(additions.shared)
    if not additions.entries:
        return below
    trie: Trie = {}
    for kind, value, aliases in additions.entries:
        if kind == "pathway":
            add_pathway(trie, value, aliases, FILLERS)
        elif kind == "feature":
            _add_feature(trie, value, aliases)
        elif kind not in NOT_SPELT:
            # A name may be none in other questions (shared.py): only its spellings are read.
            for phrase in aliases if kind in ("entity", "condition") and aliases else (value, *aliases):
                add(trie, words(phrase), kind, value)
    return Lexicon((trie, *below.content), below.stance)


def additions_of(tables: Mapping[str, Mapping[str, Iterable[str]]]) -> Additions:
    """Additions from mappings such as ``{"entity": {"tongue": ["lingual"]}}``."""
    return Additions(
        tuple(
            (kind, value, (value, *aliases))
            for kind, values in sorted(tables.items())
            for value, aliases in sorted(values.items())
        )
    )
