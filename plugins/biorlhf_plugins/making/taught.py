"""What of training its texts state, and a test that asks for it beside what no text ever stated.

With ``taught: 0.5`` the SFT texts and preferences state half of the training facts, GRPO asks about all of
them, and the test asks, in wordings that training does not have, for as many taught facts as held-out ones.
Both are asked in the same words, or the words would tell which answers can be known.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import Field

from biorlhf.types import Split
from biorlhf_plugins.making.items import Item, limited
from biorlhf_plugins.making.splits import stable_order, without_near_duplicates

#: Share of the training facts that SFT texts state; 1 leaves GRPO nothing to be unsure of.
Taught = Annotated[float, Field(gt=0, lt=1)]
#: The wording of the test's questions; no training text has it.
RECALL = "recall"


def taught_groups(pool: Iterable[Item], share: float, seed: int) -> frozenset[str]:
    """The groups of facts that training texts may state: ``share`` of those in the training pool."""
    order = stable_order((group for item in pool for group in item.groups), seed)
    return frozenset(order[: round(share * len(order))])


def mixed_test(
    train: Sequence[Item],
    test: Sequence[Item],
    recalled: Iterable[Item],
    taught: frozenset[str],
    *,
    limit: int | None,
    seed: int,
) -> list[Item]:
    """The test's questions: what is taught, then what never was, as many of each.

    Args:
        train, test: the items of both splits, by whose facts ``recalled`` are kept: what was left out of
            these, to balance the answers, is not asked here either.
        recalled: questions in the test's own wording, of both splits.
        limit: at most so many together; which ones, by seed.
    """
    known = {item.facts for item in train if taught.issuperset(item.groups)}
    never = {item.facts for item in test}
    asked = [item for item in recalled if item.facts in known | never]
    pools = without_near_duplicates(
        {Split.TRAIN.value: list(train), Split.TEST.value: asked}, lambda item: item.prompt
    )
    clear = pools[Split.TEST.value]
    parts = [[item for item in clear if item.facts in facts] for facts in (known, never)]
    each = min(len(part) for part in parts) if limit is None else limit // 2
    return [item for part in parts for item in limited(part, min(each, *map(len, parts)), seed)]
