"""What "this muscle" or "the brain region" stands for: the part of it that was spoken of or asked for."""

from __future__ import annotations

from collections.abc import Sequence

from biorlhf_plugins.language.words.mentions import Mention
from biorlhf_plugins.language.words.text import Stream

PARTS = {
    "muscle": frozenset(("soleus", "gastrocnemius", "quadriceps", "tibialis anterior", "edl", "heart")),
    "brain": frozenset(("hippocampus",)),
}
POINTING = frozenset(("this", "that", "the"))
REACH = 3


def resolve_parts(stream: Stream, mentions: list[Mention], asked: Sequence[object]) -> list[Mention]:
    """Mentions in which "this muscle" is the soleus, where the soleus was named before or asked for."""
    known: dict[object, int] = {}
    found: list[Mention] = []
    for m in mentions:
        if m.kind == "entity":
            parts = PARTS.get(str(m.value))
            if parts is None:
                known[m.value] = m.first
            elif not POINTING.isdisjoint(stream.texts[max(0, m.first - REACH) : m.first]):
                named = [name for name in known if name in parts] or [a for a in asked if a in parts]
                if named:
                    m = m._replace(value=max(named, key=lambda name: known.get(name, -1)))
        found.append(m)
    return found
