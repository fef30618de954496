"""The KMP study: kaempferol (KMP) × hindlimb unloading (HU) × radiation (IR) in four mouse tissues.

118 published figures, and texts made from them by templates. For notebooks::

    from biorlhf_plugins.datasets.kmp import STRESSOR_EFFECTS
    STRESSOR_EFFECTS["Hippocampus"]     # {"HU": 1555, "IR": 5477, "HU_IR": 5510}

Two kinds of split, which test different things:

``fact``        Each fact lies in one split only, so the test asks for figures that were never taught. Without
                the table in the prompt (closed book) nobody can know them: an honest model says so, with
                a low confidence. With it (open book) the test measures whether reading a table generalises.
``paraphrase``  Every fact is taught, and the test asks for the same facts in other words: a test of recall.
                No sentence of the test stands in training. With ``max_examples`` fewer facts are taught,
                and only those are asked for. ``test_set: published`` is 20 questions in the shape of the
                published test instead (10 factual, 5 reasoning, 5 calibration).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, model_validator

from biorlhf import Dataset, DatasetPlugin, PluginConfig, hookimpl
from biorlhf.errors import DataError
from biorlhf.types import Split
from biorlhf_plugins.datasets.kmp.calibration import calibration
from biorlhf_plugins.datasets.kmp.effects import EFFECTS
from biorlhf_plugins.datasets.kmp.facts import KMP_TABLE, TISSUES, Fact, kmp_facts
from biorlhf_plugins.datasets.kmp.factual import askable, factual, recall
from biorlhf_plugins.datasets.kmp.phrases import number, where
from biorlhf_plugins.datasets.kmp.published import published
from biorlhf_plugins.datasets.kmp.reasoning import reasoning
from biorlhf_plugins.datasets.kmp.wordings import WORDINGS
from biorlhf_plugins.making import items
from biorlhf_plugins.making.items import Item
from biorlhf_plugins.making.shipped import read_shipped
from biorlhf_plugins.making.splits import Fractions, assign_groups, stable_order, without_near_duplicates
from biorlhf_plugins.making.taught import Taught, mixed_test, taught_groups

Family = Literal[
    "factual",
    "chain_of_thought",
    "comparison",
    "ranking",
    "multi_hop",
    "interaction",
    "design_critique",
    "error_correction",
    "false_premise",
    "calibration",
]
Share = Annotated[float, Field(ge=0, lt=1)]
# With ``taught``, which wordings GRPO asks in: in one alone, how sure to be would be learnt of its words.
ASKED = ("t0", "t1", "t2", "t3")
# Combinations of tissues and conditions would crowd out the plain questions.
CAPS = {
    "chain_of_thought": 80,
    "comparison": 36,
    "ranking": 24,
    "multi_hop": 40,
    "error_correction": 30,
    "false_premise": 24,
}
# With the needed figures alone in the prompt, copying would pass for reading.
DISTRACTORS = 3


class KmpConfig(PluginConfig):
    """Settings of the dataset ``kmp``.

    Attributes:
        mode: ``open_book`` puts the table's rows, among others, before each question.
        split, test_set: see the module. ``test_set`` belongs to ``split: paraphrase``.
        families: only these; None: all.
        hold_out_tissues: with ``split: fact``, all facts of these tissues are the test.
        validation_fraction, test_fraction: shares of the groups of facts, with ``split: fact``.
        taught: with ``split: fact``, the share of the training facts that SFT texts and preferences state.
            The test then asks, in words that training does not have, for what was taught and for as much
            that never was.
        wordings: in how many wordings training states each figure: two, or up to twelve. With ``taught``
            GRPO asks in four of them, so that how sure to be is learnt of facts and not of words.
        confidence: what the SFT texts state. ``high`` where the table says it, low where it cannot say;
            ``spread`` draws any level, to teach the form and leave the level to GRPO.
        max_examples, max_preferences, max_questions, max_test_questions: upper bounds; families are
            kept in proportion, and all tables keep the same facts first.
    """

    mode: Literal["closed_book", "open_book"] = "closed_book"
    split: Literal["fact", "paraphrase"] = "fact"
    test_set: Literal["paraphrase", "published"] | None = None
    families: tuple[Family, ...] | None = None
    hold_out_tissues: tuple[Literal["heart", "hippocampus", "liver", "soleus"], ...] = ()
    validation_fraction: Share = 0.1
    test_fraction: Share = 0.2
    seed: int = 42
    taught: Taught | None = None
    wordings: Annotated[int, Field(ge=2, le=WORDINGS)] = 2
    confidence: Literal["high", "spread"] = "high"
    max_examples: PositiveInt | None = None
    max_preferences: PositiveInt | None = None
    max_questions: PositiveInt | None = None
    max_test_questions: PositiveInt | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> KmpConfig:
        if self.split == "fact" and self.test_set is not None:
            raise ValueError(
                "test_set belongs to `split: paraphrase`; with `split: fact` the test is the held-out facts"
            )
        if self.split == "paraphrase" and self.hold_out_tissues:
            raise ValueError(
                "hold_out_tissues belongs to `split: fact`; a paraphrase test asks for taught facts"
            )
        if self.taught is not None and (self.split != "fact" or self.mode == "open_book"):
            raise ValueError(
                "taught belongs to `split: fact`, closed book: its test holds both kinds of fact"
            )
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction and test_fraction leave nothing to train on")
        if set(self.hold_out_tissues) == set(TISSUES):
            raise ValueError("hold_out_tissues leaves no tissue to train on")
        return self


def build(config: KmpConfig) -> Dataset:
    """Build the dataset: SFT examples, preferences and questions, all with their split."""
    pools = _pools(config)
    # Whose facts the texts state, where the settings leave some to GRPO; and what a test of recall may ask.
    taught = None if config.taught is None else taught_groups(pools["train"], config.taught, config.seed)
    stated: set[str] = set()
    table = read_shipped(KMP_TABLE)
    source = f"data/{table.path}"
    questions, examples, preferences = [], [], []
    # Training comes first: what it teaches decides what a test of recall may ask.
    for split, pool in pools.items():
        limit = config.max_questions if split == Split.TRAIN.value else config.max_test_questions
        if taught is not None and split == Split.TEST.value:
            again = [*recall(kmp_facts()), *calibration(recall=True)]
            some = mixed_test(pools["train"], pool, again, taught, limit=limit, seed=config.seed)
        else:
            asked = [
                i
                for i in pool
                if (i.first or (taught is not None and i.wording in ASKED))
                and (i.family != "paraphrase" or stated.issuperset(i.facts))
            ]
            some = items.limited(asked, limit, config.seed)
        questions += [items.to_question(i, "kmp", split, source, taught) for i in some]
        if split != Split.TRAIN.value:
            continue
        texts = [i for i in pool if taught is None or taught.issuperset(i.groups)]
        some = items.limited(texts, config.max_examples, config.seed)
        examples += [items.to_example(i, "kmp", split, source, config.confidence == "spread") for i in some]
        stated = {fact for item in some for fact in item.facts}
        some = items.limited([i for i in texts if i.first and i.wrong], config.max_preferences, config.seed)
        preferences += [items.to_preference(i, "kmp", split, source) for i in some]
    if not examples or not questions:
        raise DataError(
            "dataset kmp", "these settings leave no training text or no question", hint=str(config)
        )
    counts = Counter(f"questions.{q.split}" for q in questions)
    return Dataset(
        "kmp",
        tuple(questions),
        tuple(examples),
        tuple(preferences),
        {
            "files": [table.provenance()],
            "settings": config.model_dump(mode="json"),
            "split": _SPLIT_MEANING[config.split],
            "counts": {**counts, "examples": len(examples), "preferences": len(preferences)},
            "not_asked": [f"{f.id}: {f.note}" for f in kmp_facts() if not askable(f)],
        },
    )


_SPLIT_MEANING = {
    "fact": "no fact lies in two splits: the test asks for figures that training never shows",
    "paraphrase": "recall: the test asks for trained facts in other words, sharing no sentence with training",
}


def _pools(config: KmpConfig) -> dict[str, list[Item]]:
    facts = kmp_facts()
    if config.split == "paraphrase":
        train = _generate(facts, calibration(), config)
        if config.test_set == "published":
            test = published(facts)
        else:
            test = [*recall(facts), *calibration(recall=True)]
        pools = {Split.TRAIN.value: (train, facts), Split.TEST.value: (items.unique(test), facts)}
    else:
        nothing = calibration()
        split_of = _split_of(facts, nothing, config)
        pools = {}
        for split in Split:
            mine = tuple(f for f in facts if split_of[f.group] == split.value)
            void = [i for i in nothing if split_of[i.groups[0]] == split.value]
            pools[split.value] = (_generate(mine, void, config), mine)
    if config.mode == "open_book":
        pools = {split: (list(_open_book(pool, mine)), mine) for split, (pool, mine) in pools.items()}
    return without_near_duplicates({split: pool for split, (pool, _) in pools.items()}, lambda i: i.prompt)


def _split_of(facts: Iterable[Fact], nothing: Iterable[Item], config: KmpConfig) -> dict[str, str]:
    groups = {f.group: f.tissue for f in facts} | {i.groups[0]: "" for i in nothing}
    held = {group for group, tissue in groups.items() if tissue in config.hold_out_tissues}
    # A held-out tissue is the whole test of figures; the unanswerable topics are split as ever.
    test = config.test_fraction
    split: dict[str, str] = {}
    # Figures and unanswerable topics are dealt apart, so that every split has its share of both.
    for free in (False, True):
        members = [g for g, tissue in groups.items() if (tissue == "") == free and g not in held]
        share = 0.0 if config.hold_out_tissues and not free else test
        split |= assign_groups(members, Fractions(config.validation_fraction, share), config.seed)
    return split | dict.fromkeys(held, Split.TEST.value)


def _generate(facts: Sequence[Fact], nothing: Sequence[Item], config: KmpConfig) -> list[Item]:
    every = items.capped([*factual(facts, config.wordings), *reasoning(facts), *nothing], CAPS, config.seed)
    return items.unique(i for i in every if config.families is None or i.family in config.families)


def _open_book(pool: Iterable[Item], facts: Sequence[Fact]) -> Iterator[Item]:
    """The figures that an item needs, among others of its own split, as rows before the question."""
    by_id = {fact.id: fact for fact in facts if askable(fact)}
    for item in pool:
        needed = [name for name in item.facts if name in by_id]
        others = [n for n in stable_order(by_id, len(item.slot)) if n not in needed]
        # Distractors differ from item to item, and stay the same in every build.
        offset = items.pick(range(max(1, len(others))), item.slot)
        shown = needed + (others[offset:] + others[:offset])[:DISTRACTORS]
        # Shuffled, or the figures that are needed would always stand first.
        rows = [_row(by_id[name]) for name in stable_order(shown, 0)]
        prompt = "\n".join(["tissue | contrast | quantity | value", *rows, "", item.prompt])
        # A figure that is shown is touched like one that is asked for: the leak check has to see it.
        facts_shown = tuple(dict.fromkeys([*item.facts, *shown]))
        groups = tuple(dict.fromkeys([*item.groups, *(by_id[name].group for name in shown)]))
        yield replace(item, prompt=prompt, facts=facts_shown, groups=groups)


def _row(fact: Fact) -> str:
    quantity = fact.quantity if fact.entity == fact.tissue else f"{fact.entity} {fact.quantity}"
    place = (
        where(fact.condition).removeprefix("under ").removeprefix("for ")
        if fact.entity == fact.tissue
        else ""
    )
    return " | ".join([fact.tissue, place.removeprefix("the "), quantity, number(fact.value)])


def __getattr__(name: str) -> Any:
    """The tables of :mod:`.effects`, read when they are first asked for: a damaged file must not keep this
    module, and with it every other plugin, from being imported."""
    # No __dir__ beside this: pluggy looks at every name that dir() lists, and would read them all.
    if name in EFFECTS:
        return EFFECTS[name]()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@hookimpl
def biorlhf_datasets() -> Iterator[DatasetPlugin]:
    yield DatasetPlugin(
        name="kmp",
        build=build,
        summary="118 figures of kaempferol x unloading x radiation in four mouse tissues",
        config=KmpConfig,
    )
