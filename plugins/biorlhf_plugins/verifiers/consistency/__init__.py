"""V3, consistency: does the answer agree with itself?

Applies to every question whose completion has something to hold against something else: a direction against
the figure beside it, a p value against "significant", sums, shares, ratios, parts and whole, an interval,
an order, "all" against an exception, a yes or no or the answer's line against the text before it, two values
or directions for one thing, two confidences, and ``is_consistent`` in the ground truth. What cannot be
attributed clearly is not checked: among many figures a check of some of them charges nothing (see
``text_checks``), so that who writes many escapes it, and gains no more by that than an honest answer has.

Where the ground truth asks (``check`` or ``is_consistent``), the score is 1 − (weight that failed) / (weight
that applied). Where it does not, nothing may be gained by writing more:

- what holds counts only where it ties two statements about the question, never what stands alone
  ("2 + 2 = 4", a value said once or twice, a sum about something else), and never beside "I cannot tell";
- what holds outweighs nothing that fails: one failed check leaves at most one half;
- nothing that counts: not applicable.

Empty, echoed or repetitive text: 0 in both cases, so that saying nothing is no way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from biorlhf import Question, Score, VerifierPlugin, hookimpl
from biorlhf_plugins.language import Additions
from biorlhf_plugins.language.evidence.checks import about, text_checks
from biorlhf_plugins.language.evidence.figures import evidence
from biorlhf_plugins.language.evidence.records import Check, Evidence
from biorlhf_plugins.language.evidence.statements import AGAINST_REASONS
from biorlhf_plugins.language.evidence.universals import EVERY, EXCEPTS
from biorlhf_plugins.language.extract import prompt_mentions
from biorlhf_plugins.language.records import Extraction, Span
from biorlhf_plugins.language.stance.stance import FUNCTION_WORDS, prompt_vocabulary
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number
from biorlhf_plugins.language.words.text import vocabulary
from biorlhf_plugins.truth.contrast import turned
from biorlhf_plugins.truth.gold import read
from biorlhf_plugins.verifiers._settings import LexiconSettings
from biorlhf_plugins.verifiers.consistency import answers, slots

BARE = FUNCTION_WORDS | vocabulary("am all answer data here direction value")
"""What a refusal may name beside the question's words and still be one of the whole answer."""

# As in the other verifiers' reports, an attack must not make a thousand lines.
SHOWN = 40


class Consistency:
    """Judges any completion; the ground truth says only whether it is the question's purpose."""

    def __init__(self, additions: Additions) -> None:
        self.additions = additions

    def score(self, question: Question, completion_text: str) -> Score:
        truth = question.ground_truth
        asked = truth.get("check") == "internal_consistency" or "is_consistent" in truth
        gold, said = read(question, completion_text, self.additions)
        if said.degenerate:
            return _scored(0.0, [], note=said.degenerate)
        content = evidence(said, question.prompt)
        checks = [*named(said, question.prompt, truth.get("is_consistent"), asked), *text_checks(content)]
        if turned(gold.contrast):
            # With the control in front, UP in the block is DOWN in the frame that prose is read in.
            checks = [check for check in checks if check.name != AGAINST_REASONS]
        # Naming every direction covers every truth; a share of passed checks would still pay for it.
        if any(check.name == slots.ENUMERATION for check in checks):
            return _scored(0.0, checks, note="every direction is listed")
        if asked:
            if not checks and "is_consistent" not in truth:
                checks = list(_unopposed(content))
            twice = len(said.confidence.found) > 1
            checks += _confidence(said, question.prompt) if checks or said.confidence.problem or twice else []
            value = _share(checks)
        else:
            checks = list(_counted(content, [*checks, *_confidence(said, question.prompt)[:1]]))
            value = _balance(checks)
        if value is None:
            return Score.not_applicable("the text says nothing that can be checked against itself")
        return _scored(value, checks)


def named(said: Extraction, prompt: str, consistent: bool | None, asked: bool) -> Iterator[Check]:
    """The checks of slots whose names the lexicon or the question knows.

    Free prose denies and generalises about many things. Where nobody ``asked`` for a check, only the sets
    of the question are looked at; what is denied or said of all is left to the text's own words.
    """
    mentions = prompt_mentions(prompt)
    # A bound that the question gives is quoted by an answer, not claimed.
    asks = frozenset(str(m.value) for m in mentions if m.kind == "quantity")
    limits = {m.value.value for m in mentions if m.kind == "num" and isinstance(m.value, Number)}
    figures = [c for c in said.numbers if c.asserted and c.low is None and c.high is None]
    figures = [c for c in figures if c.value not in limits and not slots.of_group(said, c)]
    directions = [c for c in said.directions if c.asserted]
    yield from slots.two_values(said, figures, asks)
    sets = {key for m in mentions if m.kind == "path" for key in m.value} if not asked else set()
    slotted = [c for c in directions if not sets or not c.slot.pathways or sets & set(c.slot.pathways)]
    yield from slots.two_directions(said, slotted)
    if asked:
        yield from slots.denied(said, directions)
        yield from answers.universal(said, directions)
    yield from slots.classes(said, figures)
    yield from answers.bounds(said, figures, prompt)
    yield from answers.yes_no(said, directions, prompt)
    yield from answers.agreement(said, directions, prompt, consistent)


def _unopposed(content: Evidence) -> Iterator[Check]:
    """One check that holds, where a text states something that it could have contradicted and did not."""
    words = content.stream.vocabulary
    says = (
        any(f.unit or len(f.words) > 1 for f in content.figures)
        or words & (EVERY | EXCEPTS - {"not"})
        or any(m.kind in ("dir", "sig") for m in _mentions(content))
        or any(token.number is not None for token in content.stream)
    )
    if says and not content.said.abstains:
        yield Check("nothing against itself", True, "one statement of each thing", (), alone=True)


def _mentions(content: Evidence) -> Iterator[Mention]:
    return (mention for part in content.parts for mention in part.mentions)


def _share(checks: Sequence[Check]) -> float | None:
    """1 − failed / applied. What stands alone dilutes nothing: it counts where there is no more than that."""
    ties = [check for check in checks if not check.alone or not check.passed] or checks
    whole = sum(check.severity for check in ties)
    return 1.0 - sum(check.severity for check in ties if not check.passed) / whole if whole else None


def _counted(content: Evidence, checks: Sequence[Check]) -> Iterator[Check]:
    """What counts where nobody asked: each failure, and what holds between statements about the question."""
    for check in checks:
        if not check.passed or (not (check.alone or content.said.abstains) and about(content, check)):
            yield check


def _balance(checks: Sequence[Check]) -> float | None:
    """1 where all holds; what fails leaves at most one half, whatever else holds. None without a check."""
    if not checks:
        return None
    failed = sum(check.severity for check in checks if not check.passed)
    held = sum(check.severity for check in checks if check.passed)
    # min: padding with statements that hold must not buy back a failure.
    return 1.0 if not failed else min(held, failed) / (failed + min(held, failed))


def _confidence(said: Extraction, prompt: str) -> list[Check]:
    stated = said.confidence
    checks = []
    if stated.stated:
        says = stated.problem or f"{stated.value:g}"
        spans = (stated.span,) if stated.span else ()
        checks.append(Check("one stated confidence", not stated.problem, says, spans, alone=True))
    declined = [span for span in said.abstains if _of_the_question(said, span, prompt)]
    if declined and said.claims and stated.value is not None and stated.value >= 0.8:
        claims = any(c.asserted for c in said.claims)
        clash = claims and not stated.problem
        says = "claims, and declines"
        checks.append(
            Check("confident and unable to tell", not clash, says, tuple(declined[:2]), 0.5, alone=True)
        )
    return checks


def _of_the_question(said: Extraction, span: Span, prompt: str) -> bool:
    """True where what declines names the question's matter alone, unlike "the cause cannot be told"."""
    stream, asked = said.stream, prompt_vocabulary(prompt)
    for part in said.parts:
        start, end = stream.span(part.first, part.last)
        if start <= span[0] < end:
            outside = [
                i for i in range(part.first, part.last) if not span[0] <= stream.span(i, i + 1)[0] < span[1]
            ]
            words = {stream.texts[i] for i in outside if stream[i].kind == "w"}
            return words <= asked | BARE
    return True


def _scored(value: float, checks: Sequence[Check], **details: object) -> Score:
    failed = [check for check in checks if not check.passed]
    return Score.scored(
        value,
        applied=len(checks),
        failed=[_line(check) for check in failed[:SHOWN]],
        passed=[_line(check) for check in [c for c in checks if c.passed][:SHOWN]],
        spans=[list(span) for check in failed[:SHOWN] for span in check.spans],
        **details,
    )


def _line(check: Check) -> dict[str, object]:
    return {"check": check.name, "found": check.says, "where": [list(span) for span in check.spans]}


@hookimpl
def biorlhf_verifiers() -> Iterator[VerifierPlugin]:
    yield VerifierPlugin(
        name="consistency",
        aliases=("V3",),
        summary="what the answer says against what it says elsewhere",
        config=LexiconSettings,
        build=lambda config: Consistency(config.additions()),
    )
