"""One normalisation: every word of every vocabulary is spelt as a text's tokens are, and is found."""

from __future__ import annotations

import importlib
import itertools
import json
import pkgutil
from pathlib import Path

import pytest

import biorlhf_plugins.language as language
from biorlhf_plugins.language.words import lexicon
from biorlhf_plugins.language.words.text import clean, tokens

HERE = Path(lexicon.__file__).parent
NOT_TOKENS = {"ACRONYMS", "GLUED", "PLURALS"}
"""Names and endings as they are written, compared with the original text and not with its tokens."""


def modules():
    return [m.name for m in pkgutil.walk_packages(language.__path__, "biorlhf_plugins.language.")]


@pytest.mark.parametrize("name", modules())
def test_every_word_that_is_compared_with_tokens_is_spelt_as_one(name):
    found = []
    for attribute, value in vars(importlib.import_module(name)).items():
        if isinstance(value, frozenset) and attribute not in NOT_TOKENS:
            listed = [w for w in value if isinstance(w, str) and w.isalpha()]
            found += [(attribute, w) for w in listed if [t.text for t in tokens(clean(w).text)] != [w]]
    assert found == []


def phrases():
    tables = json.loads((HERE / "lexicon.json").read_text("utf-8"))
    for label, verbs in tables.pop("verbs").items():
        yield from ((form, "dir", label) for verb in verbs for form in lexicon.inflect(verb))
    for kind, listed in tables.pop("products").items():
        for row in listed:
            yield from ((" ".join(p), *kind.partition(":")[::2]) for p in itertools.product(*row))
    for kind, values in tables.items():
        yield from ((phrase, kind, value) for value, listed in values.items() for phrase in listed)


def test_every_phrase_of_the_lexicon_is_found_again():
    (trie,) = lexicon.base().content
    lost = []
    for phrase, kind, value in phrases():
        stream = tokens(clean(phrase).text)
        end, meanings = lexicon.longest(trie, stream, 0)
        if end != len(stream) or (kind, value) not in (meanings or []):
            lost.append((phrase, kind, value))
    assert lost == []


def test_every_phrase_of_stance_is_found_again():
    lost = []
    for kind, values in json.loads((HERE / "phrases.json").read_text("utf-8")).items():
        for value, listed in values.items():
            for phrase in listed:
                stream = tokens(clean(phrase).text)
                end, meanings = lexicon.longest(lexicon.base().stance, stream, 0)
                if end != len(stream) or (kind, value) not in (meanings or []):
                    lost.append((kind, phrase))
    assert lost == []


def test_words_of_grammar_are_single_tokens():
    table = json.loads((HERE / "grammar.json").read_text("utf-8"))
    split = [(k, w) for k, listed in table.items() for w in listed.split() if len(lexicon.words(w)) != 1]
    assert split == []


@pytest.mark.parametrize("word", ["does", "whereas", "perhaps", "always", "sometimes"])
def test_words_whose_s_is_no_ending_keep_it(word):
    assert [t.text for t in tokens(clean(word).text)] == [word]
