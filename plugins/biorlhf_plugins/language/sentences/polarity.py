"""Does the text say it, deny it, quote it, suppose it, or take it back?"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from biorlhf_plugins.language.claims.quantities import PREPOSITIONS
from biorlhf_plugins.language.sentences.clauses import FOCI, WEAK, Chunk, Sentence
from biorlhf_plugins.language.words.fractions import PARTS
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream, vocabulary
from biorlhf_plugins.language.words.unchanged import OPENS

HYPOTHESIS_ENDS = frozenset((",", "—", ":", "then", "but", ";", "\n", ")", "however"))
SUBJECT_ENDS = frozenset((".", "!", "?", ";", ",", ":", "—", "\n", "and", "but", "which", "that", "(", ")"))
REPORT_ENDS = frozenset(("but", "however", "yet", "—", ";", ")", "whereas", "although", "though"))
WORKS = vocabulary("study report paper cohort experiment trial work publication data literature other")
OWN = 14
"""Tokens behind "published data" in which "and our data" agrees with them."""

BEING = frozenset(("is", "are", "was", "were", "be", "been", "has", "have", "had"))
CONCEDES = frozenset(("although", "though", "while", "whereas", "whilst"))
TURNS = frozenset(("hyp", "report", "reject"))
INVERTED = frozenset(("had", "were", "should"))
"""What opens a condition without an "if", where nothing stands before it: "Were the set up, …"."""
EXTREMES = frozenset(("top", "bottom", "end", "positive", "negative", "<", ">"))
JOINS = frozenset(("and", "or", "but"))
CITED = frozenset(("reported", "described", "noted", "seen", "observed", "shown", "found", "published"))
MOVED = 6
"""Tokens from "from" or "to" to the side that it is of: "from 6.1 TPM in ground controls"."""
REFERENCE_GAP = 5
LEVELS = vocabulary("the of in that those level value amount one")
"""Between a share and the side that it is measured by: "to a third of the level in controls"."""
PRONOUNS = frozenset(("it", "this", "they", "that"))
LEAVES_OUT = vocabulary("exclude rule ruled ruling prevent prevented stop refuse cease")
LACKING = frozenset(("without", "lack", "lacking", "absence"))
LACKS = frozenset(("no", "without", "lack", "absence", "instead", "rather"))
"""Negations of a noun: "no cut-off, n = 6425" says nothing against the figure after the comma."""


def negated(stream: Stream, chunk: Chunk, focus: Mention, before: Chunk | None) -> bool:
    """An odd number of negations that reach the focus: before it in its chunk, or right after it."""
    if focus.kind == "dir" and _less_likely(stream, chunk, focus):
        return True
    count, cancels = 0, {m.first for m in chunk.mentions if m.kind == "notneg"}
    own = focus.value == "NS" and stream.texts[focus.first] in OPENS
    last_focus = max(
        (m.first for m in chunk.mentions if m.kind in FOCI and m.first < focus.first), default=-1
    )
    for m in chunk.mentions:
        if m.kind != "neg" or m.first in cancels:
            continue
        if focus.kind == "num" and stream.texts[m.first] in LEAVES_OUT:
            continue  # "we excluded 260 spots"
        if focus.kind == "num" and _of_noun(stream, m) and "," in stream.texts[m.last : focus.first]:
            continue
        if focus.kind == "dir" and _apart(stream, chunk, m, focus):
            continue
        if own and "," in stream.texts[m.last : focus.first]:
            continue  # "No direction can be given, since it is not significant"
        if focus.kind == "dir" and _new_clause(stream, chunk, m, focus):
            continue
        before_it = m.first < focus.first and (m.first > last_focus or focus.kind == "dir")
        close_after = 0 <= m.first - focus.last <= 3 and WEAK.isdisjoint(stream.texts[focus.last : m.first])
        behind = [f for f in chunk.mentions if f.kind in FOCI and f.first > m.first and f is not focus]
        count += before_it or (close_after and not behind)
    if count == 0 and chunk.link in ("or", "nor") and before is not None and not _own_subject(chunk, focus):
        return any(m.kind == "neg" for m in before.mentions)
    return count % 2 == 1


def _less_likely(stream: Stream, chunk: Chunk, focus: Mention) -> bool:
    """The "activated" of "more likely suppressed than activated"."""
    led = stream.texts[chunk.first : focus.first]
    return led[-1:] == ["than"] and any(pair == ("more", "likely") for pair in itertools.pairwise(led))


def _apart(stream: Stream, chunk: Chunk, m: Mention, focus: Mention) -> bool:
    """ "Without p53 the drug does nothing", "in their absence SREBP2 is free, so it rises": of what lacks."""
    between = stream.texts[m.last : focus.first]
    alone = not any(n.kind == "neg" and m.first < n.first < focus.first for n in chunk.mentions)
    return alone and stream.texts[m.first] in LACKING and (len(between) > 2 or "," in between)


def _new_clause(stream: Stream, chunk: Chunk, m: Mention, focus: Mention) -> bool:
    """Whether ", and" and another set stand between: "MDM2 no longer degrades it, and p53 targets go up"."""
    starts = [i for i in range(m.last + 1, focus.first) if stream.texts[i - 1 : i + 1] == [",", "and"]]
    return bool(starts) and any(
        n.kind == "path" and starts[-1] < n.first < focus.first for n in chunk.mentions
    )


def _of_noun(stream: Stream, m: Mention) -> bool:
    """ "No cut-off, …", "instead of STAR, …", "not counting the plastid, …": nothing against what follows."""
    word = stream.texts[m.first]
    return word in LACKS or (word == "not" and m.last < len(stream) and stream.texts[m.last].endswith("ing"))


def _own_subject(chunk: Chunk, focus: Mention) -> bool:
    return any(m.kind in ("path", "entity") and m.first < focus.first for m in chunk.mentions)


def flipped(stream: Stream, chunk: Chunk, before: Chunk | None, focus: Mention) -> bool:
    """True where the direction is told from the control's side: "higher in ground controls"."""
    frames = [m for m in chunk.mentions if m.kind == "frame" and not _cited(stream, m)]
    if not frames:
        return _of_subject(stream, chunk, before, focus)
    if len(frames) == 2 and _from_to(stream, *frames):
        return (
            frames[0].value == "FLIGHT"
        )  # "rose from 6.1 TPM in ground controls to 15.3 TPM in flight hearts"
    references = [m for m in chunk.mentions if m.kind == "cmp"]
    pairs = zip(frames[1:], frames, strict=False)
    seconds = {f.first for f, g in pairs if f.first - g.last <= 1 and stream.texts[g.last] != ","}
    # Of "compared with flight mice, ground controls have more" the second is the subject.
    behind = [[f.first for f in frames if 0 < f.first - r.first <= REFERENCE_GAP] for r in references]
    told = {min(firsts) for firsts in behind if firsts} | {f.first for f in frames if _share_of(stream, f)}
    free = [f for f in frames if f.first not in seconds and f.first not in told]
    if free:
        nearest = min(free, key=lambda f: max(focus.first - f.first, f.first - focus.last + 0.5))
        return nearest.value == "GROUND"
    return all(frame.value == "FLIGHT" for frame in frames)


def _share_of(stream: Stream, frame: Mention) -> bool:
    """ "Down to a fifth of vehicle", which is told of the other side."""
    at = frame.first - 1
    while at > 0 and stream.texts[at] in LEVELS:
        at -= 1
    return at >= 0 and stream.texts[at] in PARTS and "of" in stream.texts[at : frame.first]


def _cited(stream: Stream, frame: Mention) -> bool:
    """The "before" of "as reported before", which is no side of a contrast."""
    return stream.texts[frame.first] == "before" and stream.texts[frame.first - 1] in CITED


def _from_to(stream: Stream, one: Mention, two: Mention) -> bool:
    """Whether a change is told from the one side to the other, with or without its figures."""
    start = stream.texts[max(0, one.first - MOVED) : one.first]
    return "from" in start and "to" in stream.texts[max(one.last, two.first - MOVED) : two.first]


def _of_subject(stream: Stream, chunk: Chunk, before: Chunk | None, focus: Mention) -> bool:
    """True for the "lower G2M" of "ground controls show higher E2F and lower G2M"."""
    if before is None or chunk.link not in ("and", "ie", ",") or _own_subject(chunk, focus):
        return False
    said = next((m for m in before.mentions if m.kind in FOCI), None)
    frame = next((m for m in before.mentions if m.kind == "frame"), None)
    if said is None or frame is None or frame.first > said.first or stream.texts[chunk.first] in PRONOUNS:
        return False
    leads = frame.value == "GROUND" and not any(m.kind == "cmp" for m in before.mentions)
    return leads and stream.texts[frame.first - 1] not in PREPOSITIONS if frame.first else leads


def modalities(stream: Stream, mentions: Sequence[Mention], parts: Sequence[Sentence]) -> list[str]:
    """For each token: "" (asserted), "quoted" or "hypothetical"."""
    marks = [""] * (len(stream) + 1)
    _mark_quotes(stream, marks)
    turns = [
        m._replace(kind="reject")  # "X rises, said the intern, wrongly: …"
        if m.kind == "report" and stream.texts[m.first].endswith("ly") and stream[m.last : m.last + 1]
        and stream[m.last].kind == "p" else m
        for m in mentions if m.kind in TURNS and not _attribute(stream, m) and not _joins(stream, m, mentions)
    ]  # fmt: skip
    if not turns:
        return marks
    ends = _sentence_ends(parts, len(stream))
    rejected = [m.last for m in turns if m.kind == "reject"]
    for m in turns:
        if m.kind == "hyp":
            first, word = m.first, stream.texts[m.first]
            if (
                word in INVERTED
                and first
                and stream[first - 1].kind == "w"
                and stream.texts[first - 1] not in JOINS
            ):
                continue  # "the patients had the higher score"
            while (
                stream.texts[m.first : m.first + 2] == ["would", "have"]
                and first
                and stream.texts[first - 1] not in SUBJECT_ENDS
            ):
                first -= 1  # "A negative score would have meant …" supposes its subject as well
            # "Whether it rises, falls or stays" is open to its end.
            # Of "contrary to the hypothesis that it would be up, …" only the hypothesis.
            open_end = (word in ("whether", "would") and not marks[m.first]) or (
                word == "if" and _explains(stream, m, mentions, ends[first])
            )
            stops = REPORT_ENDS if open_end else HYPOTHESIS_ENDS
            _mark(stream, marks, (first, m.last), ends[m.first], stops, "hypothetical")
        elif m.kind == "report":
            after = bisect_right(rejected, m.last)
            end = min(ends[m.first], rejected[after]) if after < len(rejected) else ends[m.first]
            conceded = (
                m.first > 0 and stream.texts[m.first - 1] in CONCEDES
            )  # "although a previous report had it up, …"
            stops = REPORT_ENDS | {","} if conceded else REPORT_ENDS
            _mark(stream, marks, (m.first, m.last), end, stops, "quoted")
    if rejected:
        _mark_rejected(turns, parts, marks)
    return marks


def _joins(stream: Stream, m: Mention, mentions: Sequence[Mention]) -> bool:
    """Is an earlier study no rival: alone with its finding, or "in the first study but also …"?"""
    told = stream.texts[m.first : m.last]
    if m.kind == "reject":
        return told[-1] in ("but", "yet") and stream.texts[m.last : m.last + 1] == ["also"]
    if m.kind != "report" or WORKS.isdisjoint(told):
        return False
    if "our" in stream.texts[m.last : m.last + OWN] and "and" in stream.texts[m.last : m.last + OWN]:
        return True
    end = next(
        (i for i in range(m.last, len(stream)) if stream.texts[i] in REPORT_ENDS | {".", ";"}), len(stream)
    )
    return all(m.first <= d.first < end for d in mentions if d.kind in ("dir", "num", "type", "phrase"))


def _attribute(stream: Stream, m: Mention) -> bool:
    """The "wrongly" of "the wrongly folded protein", which tells what it is and takes nothing back."""
    texts = stream.texts
    if (
        m.kind != "report"
        or m.last - m.first > 1
        or not texts[m.first].endswith("ly")
        or m.last + 1 >= len(texts)
    ):
        return False
    return texts[m.last].endswith("ed") and texts[m.first - 1] not in BEING and stream[m.last + 1].kind == "w"


def _explains(stream: Stream, m: Mention, mentions: Sequence[Mention], end: int) -> bool:
    """ "If the NES is positive, the set is up; if at the bottom, down": what follows is supposed too."""
    comma = next((i for i in range(m.last, end) if stream.texts[i] in (",", "then")), end)
    at = bisect_left(mentions, m.last, key=lambda d: d.first)
    told = any(d.kind == "dir" for d in itertools.takewhile(lambda d: d.first < comma, mentions[at : at + 9]))
    return told or not EXTREMES.isdisjoint(stream.texts[m.last : comma])  # "If NES > 0, it is up"


def _sentence_ends(parts: Sequence[Sentence], total: int) -> list[int]:
    ends = [total] * (total + 1)
    for part in parts:
        ends[part.first : part.last] = [part.last] * (part.last - part.first)
    return ends


def _mark(
    stream: Stream, marks: list[str], turn: tuple[int, int], last: int, stops: frozenset[str], what: str
) -> None:
    """From the phrase that turns what is said (its first token, and the one behind it) to where it ends."""
    for index in range(turn[0], last):
        if index > turn[0] + 1 and index >= turn[1] and stream.texts[index] in stops:
            return
        if not marks[index]:
            marks[index] = what


def _mark_quotes(stream: Stream, marks: list[str]) -> None:
    if '"' not in stream.vocabulary:
        return
    opened: int | None = None
    for index, token in enumerate(stream):
        if token.text == "\n" and index + 1 < len(stream) and stream.texts[index + 1] == "\n":
            opened = None
        elif token.text == '"':
            if opened is None:
                opened = index
            else:
                whole = opened <= 1 and index >= len(stream) - 2
                if index - opened > 3 and not whole:
                    marks[opened : index + 1] = ["quoted"] * (index + 1 - opened)
                opened = None


def _mark_rejected(mentions: Sequence[Mention], parts: Sequence[Sentence], marks: list[str]) -> None:
    """ "… is wrong" takes back what its sentence said before it, or else the sentence before."""
    starts = [part.first for part in parts]
    for m in mentions:
        if m.kind != "reject" or not parts:
            continue
        at = max(0, bisect_right(starts, m.first) - 1)
        part = parts[at]
        said = [f for f in part.mentions if f.kind in FOCI and f.first < m.first]
        first = part.first
        for chunk in part.chunks:
            if chunk.link in ("but", "however", "yet", "—") and chunk.first <= m.first:
                held = [f for f in said if f.first >= chunk.first]
                if held:
                    said, first = held, chunk.first
        if said:
            marks[first : m.first] = ["quoted"] * (m.first - first)
        elif at > 0 and m.first - part.first <= 4:
            before = parts[at - 1]
            marks[before.first : before.last] = ["quoted"] * (before.last - before.first)
