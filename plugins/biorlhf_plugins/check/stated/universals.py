"""Of how many tissues a statement is made: of all but one, of none, of one only, of three of the four, of
those that are named; and what the table says of the others.
"""

from __future__ import annotations

from collections.abc import Iterator

from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.reading import Line, Reading
from biorlhf_plugins.check.stated import ranks
from biorlhf_plugins.check.stated.predicates import holds_of
from biorlhf_plugins.check.stated.statements import VAGUE, YES_NO, Held, Holds, counts_tissues, turned
from biorlhf_plugins.check.table import FactTable
from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.numbers import Number

OPEN = frozenset(("any", "not", "no", "never", "which", "what", "how"))
"""Questions that yes and no answer otherwise, or not at all."""
EACH = frozenset(("all", "every", "each"))
FOUR = (["of", "the", "four"], ["of", "these", "four"], ["of", "the", "4"])
JOINS = frozenset((",", "and", "the", "both", "(", ")", "in", "tissue", "muscle"))
MATTER = 7
"""Tokens of "no matter which of the four organs"."""
SINGLED = frozenset(("is", "the", "tissue", "one", "organ", "only"))


def check_universal(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """ "All other tissues show RESCUE", "only liver ...", "in three of the four ...": what is not so."""
    for line in reading.lines:
        expected = exceptions(reading, line, table)
        if expected:
            yield reading.finding(line, "universal_with_exception", expected, "the table has an exception")


def check_named(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """What is said of the tissues that are named: "heart, soleus and liver are type A"."""
    for line in reading.lines:
        if (
            line.kind == "row"
            or scope_of(line) is not None
            or singled(line)
            or (counted(line) and not line.values("entity"))
        ):
            continue
        wrong = of_named(reading, line, table)
        if wrong:
            names, words = zip(*wrong, strict=True)
            kind = "wrong_class" if reading.asked("type") + reading.asked("pattern") else "wrong_comparison"
            expected = "; ".join(f"{name}: {held.words}" for name, held in zip(names, words, strict=True))
            yield reading.finding(line, kind, expected, "the table says otherwise of " + " and ".join(names))


def check_yes_no(reading: Reading, table: FactTable) -> Iterator[Finding]:
    """Yes or no to a question that the table answers."""
    opening = YES_NO.match(reading.text.answer)
    if opening is None or not reading.lines or not reading.prompt_lines:
        return
    line = reading.prompt_lines[-1]
    true, expected = _answer(reading, line, table)
    if true is not None and true != (opening.group(1).lower() == "yes"):
        told = f"the table answers with {'yes' if true else 'no'}"
        yield reading.finding(reading.lines[0], "wrong_comparison", expected, told)


def _answer(reading: Reading, line: Line, table: FactTable) -> tuple[bool | None, str]:
    scope = scope_of(line)
    asked = reading.as_asked(line)
    if {"there", "any"} & line.words and not {"not", "no"} & line.words:
        some = Mention("everyone", "all", 0, 0)
        holds = holds_of(asked, line, table, some)
        true = [name for name, held in holds.items() if held.true]
        return (bool(true), "; ".join(f"{n}: {holds[n].words}" for n in true)) if holds else (None, "")
    if OPEN & line.words:
        return None, ""
    if scope is not None or singled(line) or counted(line):
        holds = holds_of(asked, line, table, scope or _first(line))
        wrong = exceptions(asked, line, table)
        return (not wrong, wrong or "no exception") if holds else (None, "")
    holds = holds_of(asked, line, table)
    names = _joined(line)
    if len(names) != 1 or names[0] not in holds:
        place, pair = ranks.place_of(line), ranks.pair_of(asked, line)
        if pair is not None:
            return ranks.placed(asked, line, table, ranks.Place(1, pair[2]), {pair[0]: pair[1]})
        return ranks.placed(asked, line, table, place) if place else (None, "")
    return holds[names[0]].true, f"{names[0]}: {holds[names[0]].words}"


def _first(line: Line) -> Mention | None:
    return next((m for m in line.mentions if m.kind == "entity"), None)


def exceptions(reading: Reading, line: Line, table: FactTable) -> str:
    """The tissues of which a quantified statement is not true, with what the table says; "" where none."""
    scope = scope_of(line)
    if scope is not None:
        return _scoped(reading, line, table, scope)
    only = singled(line)
    holds = holds_of(reading, line, table, only[0]) if only else {}
    if only and holds:
        named = [str(m.value) for m in only]
        return _told(_beyond(holds, named))
    first = bool(reading.prompt_lines) and line is reading.lines[0]
    at = counted(line, reading.prompt_lines[-1] if first else None)
    holds = holds_of(reading, line, table, at) if at is not None else {}
    if at is None or len(holds) < len(table.entities(quantity="deg")):
        return ""
    true = [name for name in holds if holds[name].true]
    return "" if len(true) == at.value.value else f"{len(true)}: " + ", ".join(true)


def _beyond(holds: Holds, named: list[str]) -> Holds:
    """Of "only these": the named that do not, and the others that do; of counts, those with more of them."""
    least = min((holds[n].size for n in named if n in holds), default=0.0)
    return {
        name: held
        for name, held in holds.items()
        if (not held.true if name in named else held.true and held.size >= least)
    }


def _told(wrong: Holds) -> str:
    return "; ".join(f"{name}: {held.words}" for name, held in wrong.items())


def _scoped(reading: Reading, line: Line, table: FactTable, scope: Mention) -> str:
    denied = any(m.kind == "neg" and scope.first - 3 <= m.first <= scope.last for m in line.mentions)
    if denied and scope.value != "none":
        return ""
    excepted = _excepted(line)
    if excepted is None:
        return ""
    later = [m for m in line.mentions if m.kind == "entity" and m.first > scope.last]
    if scope.value == "none" and any(str(m.value) not in excepted for m in later):
        return ""  # "No tissue reacts as liver does"
    named = {str(m.value) for m in line.mentions if m.kind == "entity" and m.first < scope.first}
    named = named or ({*reading.asked("entity")} if scope.value == "rest" else set())
    left_out = {*excepted, *(named if scope.value == "rest" else ())}
    none = scope.value == "none"
    holds = holds_of(reading, line, table, scope)
    wrong = {n: held for n, held in holds.items() if n not in left_out and held.true == none}
    # An exception that is none is as wrong as one that is left out.
    wrong |= {n: holds[n] for n in excepted if n in holds and holds[n].true != none}
    return _told(wrong)


def _excepted(line: Line) -> list[str] | None:
    """The tissues after "except"; None where it names something else."""
    at = next((m.last for m in line.mentions if m.kind == "except"), 0)
    scope = scope_of(line)
    if scope is not None and line.texts[scope.last : scope.last + 1] == ["but"]:
        at = scope.last + 1  # "all but liver"
    if not at:
        return []
    names = [m for m in line.mentions if m.kind == "entity" and m.first >= at]
    run = _run(line, names)
    near = run and JOINS.issuperset(line.texts[at : run[0].first])
    return [str(m.value) for m in run] if near else None


def scope_of(line: Line) -> Mention | None:
    """What says of how many tissues a sentence is: "all", "no tissue", "the others", "without exception"."""
    scopes = [m for m in line.mentions if m.kind == "everyone" and m.value in ("all", "rest", "none")]
    scopes = [m for m in scopes if not _one_of(line, m)]
    for at in range(len(line.texts)):
        for opening, size in ((["all", "but"], 1), (["no", "matter", "which"], MATTER)):
            if line.texts[at : at + len(opening)] == opening:
                scopes.append(Mention("everyone", "all", at, at + size))
    if scopes:
        return scopes[0]
    # "Without exception", "always" and "each of the four" are of all that could be named.
    every = [m for m in line.mentions if m.kind == "univ" and not line.values("entity")]
    every = [m for m in every if line.texts[m.first] not in EACH or line.texts[m.last : m.last + 3] in FOUR]
    return every[0]._replace(kind="everyone", value="all") if every else None


def _one_of(line: Line, scope: Mention) -> bool:
    """The others of "the closest of the rest is soleus", which are only the one that is named."""
    lead = [t for t in line.texts[max(0, scope.first - 3) : scope.first + 1] if t != "the"]
    first = lead[lead.index("of") - 1] if "of" in lead[1:] else ""
    return scope.value == "rest" and (first.endswith("est") or first == "next")


def singled(line: Line) -> list[Mention]:
    """The tissues of "only heart and soleus", "liver is the only tissue"."""
    only = [i for i, text in enumerate(line.texts) if text == "only"]
    names = [m for m in line.mentions if m.kind == "entity"]
    if len(only) != 1 or any(m.first <= only[0] < m.last for m in line.mentions if m.kind == "pattern"):
        return []
    after = [m for m in names if m.first > only[0]]
    if after and {"in", "the", "for"}.issuperset(line.texts[only[0] + 1 : after[0].first]):
        return _run(line, after)
    before = [m for m in names if m.last <= only[0]]
    between = line.texts[before[-1].last : only[0] + 2] if before else []
    return before[-1:] if before and {"is", "the"} <= {*between} and SINGLED.issuperset(between) else []


def counted(line: Line, asked: Line | None = None) -> Mention | None:
    """The three of "in three of the four tissues", and of "three" where the question is how many they are."""
    first = counts_tissues(line, asked)
    if first is not None:
        return first
    for m in line.mentions:
        if m.kind != "num" or not isinstance(m.value, Number) or m.value.unit or m.value.low is not None:
            continue
        texts, after = line.texts, m.last
        if texts[after : after + 1] == ["of"]:
            after += 1 + (texts[after + 1 : after + 2] in (["the"], ["all"], ["these"]))
            after += texts[after : after + 1] == ["four"] or texts[after : after + 1] == ["4"]
        if texts[after : after + 1] == ["tissue"] and not VAGUE & {*texts[max(0, m.first - 3) : m.first]}:
            return m
    return None


def _run(line: Line, names: list[Mention]) -> list[Mention]:
    """The names from the first on that only commas and "and" join."""
    run = names[:1]
    for m in names[1:]:
        if not JOINS.issuperset(line.texts[run[-1].last : m.first]):
            break
        run.append(m)
    return run


def _joined(line: Line) -> list[str]:
    """The tissues of a sentence that names them in one run; none where they stand apart."""
    names = [m for m in line.mentions if m.kind == "entity"]
    return [str(m.value) for m in names] if len(_run(line, names)) == len(names) else []


def of_named(reading: Reading, line: Line, table: FactTable) -> list[tuple[str, Held]]:
    """The tissues of a sentence that do not bear it out."""
    names = _joined(line)
    if not line.values("entity") and len(reading.asked("entity")) == 1:
        names = [str(reading.asked("entity")[0])]
    both = bool(line.values("both")) and not line.values("entity") and len(reading.asked("entity")) == 2
    names = [str(name) for name in reading.asked("entity")] if both else names
    if turned(line) or line.values("except") or not names:
        return []
    if not both and (line.values("type") or line.values("pattern")):
        return []  # checked claim by claim
    holds = holds_of(reading, line, table)
    return [(name, holds[name]) for name in names if name in holds and not holds[name].true]
