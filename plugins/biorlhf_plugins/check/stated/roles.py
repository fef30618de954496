"""What names mean in the design: a reference is no treatment, two stressors together are one condition, a
stressor that is denied is none, and an interaction has the drug in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import vocabulary

STRESSORS = {"hu", "ir"}
BOTH = "hu+ir"
TOGETHER = vocabulary(
    "adding added together combined combine combining jointly joint simultaneous simultaneously concurrently "
    "coincide"
)
DENIED = vocabulary("non not without no never un")
JOINS = vocabulary("and plus with & , - between the both to")
INTERACT = vocabulary("interaction interact interacting depend depends dependent hinge modify")


def settled(texts: list[str], mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """The mentions of a line with its conditions and treatments as they are meant."""
    kinds = {m.kind for m in mentions}
    if "treatment" in kinds:
        mentions = [_referenced(texts, m, mentions) for m in mentions]
    if "condition" in kinds:
        mentions = _joined(texts, _interacting(texts, _undenied(texts, mentions)))
    return tuple(mentions)


def _referenced(texts: list[str], m: Mention, mentions: Sequence[Mention]) -> Mention:
    """ "Treated against vehicle" is of the treatment."""
    compared = {other.last for other in mentions if other.kind == "cmp"}
    at = m.first - (texts[m.first - 1 : m.first] == ["the"])
    beside = texts[max(0, m.first - 2) : m.first] == ["treated", "and"]
    effect = texts[m.last : m.last + 1] in (["effect"], ["response"])  # "no drug effect" is of the drug
    versus = (m.kind, m.value) == ("treatment", "vehicle") and (at in compared or beside or effect)
    return m._replace(value="kmp") if versus else m


def _undenied(texts: list[str], mentions: Sequence[Mention]) -> list[Mention]:
    """Without the radiation of "unloaded, non-irradiated mice"."""
    placed = [m for m in mentions if m.kind == "condition"]
    denied = [m for m in placed if not DENIED.isdisjoint(texts[max(0, m.first - 1) : m.first])]
    return [m for m in mentions if m not in denied or len(denied) == len(placed)]


def _interacting(texts: list[str], mentions: list[Mention]) -> list[Mention]:
    """ "The drug's interaction with radiation" is KMP×IR."""
    at = next((i for i, text in enumerate(texts) if text in INTERACT), None)
    drug = next((m for m in mentions if m.kind == "treatment" and m.value == "kmp"), None)
    if at is None or any("_x_" in str(m.value) for m in mentions if m.kind == "condition"):
        return mentions
    if drug is None:
        return _merged(texts, mentions, "hu_x_ir")
    return [
        m._replace(value=f"kmp_x_{m.value}")
        if m.kind == "condition"
        and m.value in STRESSORS
        and (m.first > at or _adjoin(texts, *sorted((drug, m), key=lambda o: o.first)))
        else m
        for m in mentions
    ]


def _joined(texts: list[str], mentions: list[Mention]) -> list[Mention]:
    return mentions if TOGETHER.isdisjoint(texts) else _merged(texts, mentions, BOTH, TOGETHER)


def _merged(
    texts: list[str], mentions: list[Mention], value: str, near: frozenset[str] = frozenset()
) -> list[Mention]:
    """Two stressors that only "and" joins, as one; with a word of ``near`` beside them, if there are any."""
    found: list[Mention] = []
    for m in mentions:
        before = next((o for o in reversed(found) if o.kind != "both"), None)
        pair = before is not None and m.kind == before.kind == "condition"
        if pair and before is not None and {before.value, m.value} == STRESSORS:
            beside = texts[max(0, before.first - 3) : before.first] + texts[m.last : m.last + 3]
            if _adjoin(texts, before, m) and (not near or not near.isdisjoint(beside)):
                last = next(
                    (i + 1 for i in range(m.last, m.last + 3) if texts[i : i + 1] and texts[i] in near),
                    m.last,
                )
                found[found.index(before)] = Mention("condition", value, before.first, last)
                continue
        found.append(m)
    return found


def _adjoin(texts: list[str], one: Mention, other: Mention) -> bool:
    return one.last < other.first and JOINS.issuperset(texts[one.last : other.first])
