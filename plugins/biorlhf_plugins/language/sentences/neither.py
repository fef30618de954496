""" "Neither A nor B changed" as "A and B did not change": one form of denial for all that reads sentences."""

from __future__ import annotations

from biorlhf_plugins.language.words.text import Stream, Token, vocabulary

AUXILIARIES = vocabulary("is are was were be has have had do does did can could will would may might")
STOPS = frozenset((".", ",", ";", ":", "?", "!", "\n", "|"))
VERBS = {
    "changed": "change", "differed": "differ", "responded": "respond", "reached": "reach", "showed": "show",
    "shown": "show", "rose": "rise", "fell": "fall", "moved": "move", "shifted": "shift", "passed": "pass",
    "increased": "increase", "decreased": "decrease", "went": "go", "met": "meet", "varied": "vary",
    "exceeded": "exceed", "crossed": "cross", "survived": "survive", "displayed": "display",
}  # fmt: skip
"""Verbs by which a set or a gene is said to change, with what follows "did not"."""
TELLING = AUXILIARIES | VERBS.keys() | set(VERBS.values())
FAR = 14
"""Tokens from "neither" to "nor", and from there to the verb."""


def spelt_out(stream: Stream) -> Stream:
    """The stream with each "neither … nor …" before its verb written as a plain denial.

    Added tokens have no length: every span stays that of the text. "Was neither up nor down" stays as it is.
    """
    if not {"neither", "nor"} <= stream.vocabulary:
        return stream
    changed: dict[int, tuple[Token, ...]] = {}
    for at, text in enumerate(stream.texts):
        if text != "neither" or (at and stream.texts[at - 1] in AUXILIARIES):
            continue
        nor = _first(stream, at + 1, {"nor"})
        verb = _first(stream, nor + 1, TELLING) if nor else 0
        if verb and not _first(stream, at + 1, TELLING, nor):  # not "it neither rises nor falls"
            changed |= {at: (), nor: (stream[nor]._replace(text="and"),), verb: _denied(stream[verb])}
    if not changed:
        return stream
    told = (token for at, own in enumerate(stream) for token in changed.get(at, (own,)))
    return Stream(told, stream.clean, stream.source)


def _first(stream: Stream, first: int, among: set[str] | frozenset[str], last: int = 0) -> int:
    """Where the first of some words stands in the same clause; 0 where none does."""
    for at in range(first, min(last or first + FAR, len(stream))):
        if stream.texts[at] in among:
            return at
        if stream.texts[at] in STOPS:
            return 0
    return 0


def _denied(verb: Token) -> tuple[Token, ...]:
    if verb.text in AUXILIARIES:
        return verb, Token("not", "w", verb.end, verb.end)
    did, no = (Token(word, "w", verb.start, verb.start) for word in ("did", "not"))
    return did, no, verb._replace(text=VERBS.get(verb.text, verb.text))
