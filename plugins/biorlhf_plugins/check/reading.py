"""One text as the checks see it: its claims, its sentences with what they mention, its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from biorlhf.ground_truth.forms import split_instruction, unblocked
from biorlhf_plugins.check.findings import ERROR, Finding
from biorlhf_plugins.check.stated.roles import settled
from biorlhf_plugins.language import Additions, Claim, Extraction, extract
from biorlhf_plugins.language.evidence.figures import evidence
from biorlhf_plugins.language.evidence.records import Evidence
from biorlhf_plugins.language.records import Span
from biorlhf_plugins.language.sentences.clauses import Sentence
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import Clean, Token

# In tokens: a name beyond a line break or a "while" belongs to another statement, however few words away.
JOINS = frozenset((",", "and", "in", "at", "under", "the"))
FAR_CUTS = {"\n": 40, ";": 20, "and": 6, "but": 6, ",": 4, "vs": 6, "while": 6, "against": 6, "(": 1, ")": 2}


@dataclass(frozen=True, slots=True)
class Text:
    """One item of a file. ``answer`` is what is learnt; ``rejected`` the worse side of a pair, or ""."""

    index: int
    prompt: str
    answer: str
    rejected: str = ""
    ground_truth: Any = None
    fact_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence, list item or table row. ``start`` and ``end`` are its span in the original text;
    ``texts`` the texts of its tokens, and ``words`` the same as a set."""

    number: int
    kind: str
    paragraph: int
    tokens: tuple[Token, ...]
    mentions: tuple[Mention, ...]
    start: int
    end: int
    spans: tuple[Span, ...]
    texts: list[str]
    words: frozenset[str]

    def values(self, kind: str) -> tuple[Any, ...]:
        """The distinct values of one kind of mention, in order."""
        return tuple(dict.fromkeys(m.value for m in self.mentions if m.kind == kind))

    def at(self, position: int) -> Mention | None:
        """The number that begins there in the original text."""
        return next(
            (m for m in self.mentions if m.kind == "num" and self.spans[m.first][0] == position), None
        )

    def nearest(self, position: int, kind: str) -> object:
        """The name of a kind that stands nearest to the figure there; a cut is far, a new line more so.

        Of as many figures as names, one run behind the other, each is the name's of its place.
        """
        at = self.at(position)
        names = [m for m in self.mentions if m.kind == kind]
        if at is None or not names:
            return None
        figures = self._run([m for m in self.mentions if m.kind == "num"], at)
        for m in names:
            run = self._run(names, m)
            apart = figures[-1].first < run[0].first or run[-1].first < figures[0].first
            if apart and len(figures) == len(run) > 1:
                return run[figures.index(at)].value
        far: list[tuple[int, object]] = []
        for m in names:
            first, last = (m.last, at.first) if m.first < at.first else (at.last, m.first)
            between = self.texts[first:last]
            far.append((len(between) + sum(FAR_CUTS.get(word, 0) for word in between), m.value))
        return min(far, key=lambda pair: pair[0])[1]

    def _run(self, mentions: Sequence[Mention], inside: Mention) -> list[Mention]:
        """The mentions round one that only commas, "and" and prepositions join."""
        runs: list[list[Mention]] = []
        for m in mentions:
            joined = bool(runs) and JOINS.issuperset(self.texts[runs[-1][-1].last : m.first])
            runs[-1].append(m) if joined else runs.append([m])
        return next(run for run in runs if inside in run)

    def numbers(self, *units: str) -> list[Number]:
        """Its numbers of these units ("", "ratio", "percent"), all by default."""
        figures = [m.value for m in self.mentions if m.kind == "num"]
        return [n for n in figures if isinstance(n, Number) and (not units or n.unit in units)]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text read once: its lines, its claims, the prompt's lines."""

    text: Text
    extraction: Extraction
    evidence: Evidence
    lines: tuple[Line, ...]
    prompt_lines: tuple[Line, ...]
    whole: tuple[Line, ...]
    """The lines with those of the answer block, numbered as the evidence is; ``lines`` is without them."""

    def quote(self, line: Line) -> str:
        return self.text.answer[line.start : line.end].strip()

    def finding(self, line: Line, kind: str, expected: str, message: str, severity: str = ERROR) -> Finding:
        return Finding(self.text.index, severity, kind, self.quote(line), expected, message)

    def line_of(self, claim: Claim) -> Line:
        return self.lines[claim.sentence]

    def conditions(self, line: Line) -> list[str]:
        """The conditions that a line names, else those that are asked for; "stress" may be any of three."""
        named = [str(c) for c in line.values("condition") if c != "stress"]
        return named or [str(c) for c in self.asked("condition") if c != "stress"]

    def treated(self, line: Line) -> bool:
        """Whether the line or the question speaks of the drug."""
        return "kmp" in line.values("treatment") + self.asked("treatment")

    def as_asked(self, line: Line) -> Reading:
        """The question itself, as if it were the text: its words are what is claimed."""
        text = replace(self.text, prompt="", answer=self.text.prompt)
        return replace(self, text=text, lines=(line,), prompt_lines=())

    def all_lines(self) -> Iterator[Line]:
        yield from self.prompt_lines
        yield from self.lines

    def asked(self, kind: str) -> tuple[Any, ...]:
        """What the prompt mentions of one kind."""
        return tuple(dict.fromkeys(value for line in self.prompt_lines for value in line.values(kind)))

    def figures(self) -> list[float]:
        """Every plain number of prompt and answer."""
        return [number.value for line in self.all_lines() for number in line.numbers("")]

    def asserted(self, kind: str) -> list[Claim]:
        said = self.extraction
        claims = {"number": said.numbers, "class": said.classes, "direction": said.directions}[kind]
        return [claim for claim in claims if claim.asserted]


def read(text: Text, additions: Additions) -> Reading:
    """Read one text with the claim extraction, without what the prompt says of the answer's form.

    The claims are those of the text before its answer block, which repeats one of them without its names.
    """
    prompt = split_instruction(text.prompt)[0]
    said = extract(text.answer, prompt, additions)
    before = extract(unblocked(text.answer), prompt, additions)
    asked = extract(prompt, "", additions)
    lines, prompt_lines = tuple(_lines(before)), tuple(_lines(asked))
    before = replace(before, numbers=tuple(_settled(c, lines[c.sentence]) for c in before.numbers))
    return Reading(text, before, evidence(said, prompt), lines, prompt_lines, tuple(_lines(said)))


def _settled(claim: Claim, line: Line) -> Claim:
    """A figure's claim with the condition and treatment that its line has once they are settled; what stands
    before a colon or comma at the line's start ("Not quite, 156 ...", "Almost: 76") does not reach it."""
    slot, at = claim.slot, line.at(claim.span[0])
    treatments = line.values("treatment")
    if treatments and slot.treatment is not None and slot.treatment not in treatments:
        slot = slot._replace(treatment=str(treatments[0]))
    head = next((i for i, text in enumerate(line.texts[:4]) if text in (",", ":")), 0)
    opening = {m.kind for m in line.mentions if m.last <= head}
    later = {m.kind for m in line.mentions if at is not None and head <= m.first < at.first}
    negated = claim.negated and not ("neg" in opening and "neg" not in later)
    approximate = claim.approximate and not ("approx" in opening and "approx" not in later)
    return claim._replace(slot=slot, negated=negated, approximate=approximate)


def _lines(said: Extraction) -> Iterator[Line]:
    for number, part in enumerate(said.parts):
        yield _line(number, part, said.stream, said.clean)


def _line(number: int, part: Sentence, stream: Sequence[Token], cleaned: Clean) -> Line:
    inside = stream[part.first : part.last]
    start, end = cleaned.span(inside[0].start, inside[-1].end) if inside else (0, 0)
    spans = tuple(cleaned.span(token.start, token.end) for token in inside)
    texts = [token.text for token in inside]
    shifted = [Mention(m.kind, m.value, m.first - part.first, m.last - part.first) for m in part.mentions]
    mentions, words = settled(texts, shifted), frozenset(texts)
    return Line(number, part.kind, part.paragraph, tuple(inside), mentions, start, end, spans, texts, words)
