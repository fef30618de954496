"""Reasoning questions of the KMP study, made only from the facts that are passed in.

Because each split's facts are passed in alone, no question can touch two splits: a ranking in training
ranks only tissues whose figures are for training, and names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

from biorlhf_plugins.datasets.kmp.facts import DEG_COUNT, DEG_DOWN, DEG_UP, RESPONSE_TYPE, TISSUES, Fact
from biorlhf_plugins.datasets.kmp.factual import perturbed
from biorlhf_plugins.datasets.kmp.phrases import COUNT_CONDITIONS, degs, number, statement, where
from biorlhf_plugins.making.items import Item, listing, pick

Counts = dict[tuple[str, str], Fact]  # (tissue, condition) -> DEG count
SMALLEST_DIVISOR = 10  # a ratio to 1 or 2 genes says nothing


def reasoning(facts: Sequence[Fact]) -> list[Item]:
    """Every reasoning item that these facts allow, before any cap per family."""
    counts: Counts = {(f.tissue, f.condition): f for f in facts if f.quantity == DEG_COUNT}
    return [
        *_parts(facts),
        *_between_tissues(counts),
        *_between_conditions(counts),
        *_comparisons(counts),
        *_rankings(counts),
        *_multi_hop(facts, counts),
        *_thresholds(counts),
        *_designs(counts),
        *_corrections(facts),
    ]


def _make(
    family: str, name: str, prompt: str, answer: str, truth: dict[str, Any], used: Sequence[Fact], **more: Any
) -> Item:
    tissues = {fact.tissue for fact in used}
    settings = {"wording": "t0", "kind": "reasoning", "difficulty": "medium", **more}
    return Item(
        slot=f"{family}:{name}",
        family=family,
        prompt=prompt,
        answer=answer,
        ground_truth={**truth, "answerable": True},
        facts=tuple(fact.id for fact in used),
        groups=tuple(fact.group for fact in used),
        tissue=tissues.pop() if len(tissues) == 1 else None,
        **settings,
    )


def _ratio(name: str, of: tuple[str, str], pair: tuple[Fact, Fact], at: tuple[str, str]) -> Iterator[Item]:
    """``of``: dividend and divisor in words; ``at``: entity and condition of the derived figure."""
    one, two = pair
    exact = float(one.value) / float(two.value)
    ratio = round(exact, 1 if exact >= 10 else 2)
    for wording, prompt in (
        ("t0", f"Divide the number of {of[0]} by the number of {of[1]}."),
        ("t1", f"With the arithmetic: how do {of[0]} compare in number with {of[1]}, as a ratio?"),
    ):
        yield _make(
            "chain_of_thought",
            name,
            prompt,
            f"{of[0][0].upper()}{of[0][1:]} to {of[1]}: {one.value:,} / {two.value:,} = {ratio}×.",
            {"facts": [{"entity": at[0], "condition": at[1], "quantity": "ratio", "value": ratio}]},
            pair,
            wording=wording,
            first=wording == "t0",
        )


def _parts(facts: Sequence[Fact]) -> Iterator[Item]:
    """Upregulated over downregulated, in one tissue and contrast."""
    downs = {f.group: f for f in facts if f.quantity == DEG_DOWN}
    for up in facts:
        if up.quantity == DEG_UP and up.group in downs:
            of = (f"{up.tissue} DEGs upregulated {where(up.condition)}", "those downregulated")
            yield from _ratio(f"parts:{up.id}", of, (up, downs[up.group]), (up.tissue, up.condition))


def _between_tissues(counts: Counts) -> Iterator[Item]:
    for condition in COUNT_CONDITIONS:
        for one, two in permutations([f for (_, c), f in counts.items() if c == condition], 2):
            # Larger over smaller alone: the reciprocal would ask for the same two facts again.
            if two.count >= SMALLEST_DIVISOR and one.count > two.count:
                entity = f"{one.tissue}/{two.tissue}"
                of = (f"{one.tissue} DEGs {where(condition)}", f"{two.tissue} DEGs")
                yield from _ratio(f"tissues:{entity}:{condition}", of, (one, two), (entity, condition))


def _between_conditions(counts: Counts) -> Iterator[Item]:
    for tissue in TISSUES:
        for one, two in permutations([f for (t, _), f in counts.items() if t == tissue], 2):
            # Genes of a contrast and of an interaction come from different tests: their ratio means
            # nothing.
            alike = _contrast(one) == _contrast(two)
            if alike and two.count >= SMALLEST_DIVISOR and one.count > two.count:
                both = f"{one.condition}/{two.condition}"
                of = (f"{tissue} DEGs {where(one.condition)}", f"{tissue} DEGs {where(two.condition)}")
                yield from _ratio(f"conditions:{tissue}:{both}", of, (one, two), (tissue, both))


def _contrast(fact: Fact) -> str:
    if "_x_" in fact.condition:
        return "interaction"
    return "KMP" if fact.condition.startswith("KMP") else "stressor"


def _comparisons(counts: Counts) -> Iterator[Item]:
    for condition in COUNT_CONDITIONS:
        here = [f for (_, c), f in counts.items() if c == condition]
        for one, two in combinations(here, 2):
            if one.count == two.count:
                continue
            more, less = (one, two) if one.count > two.count else (two, one)
            # Drawn, or the tissue that is named first would always be the right one.
            first, second = (one, two) if pick((0, 1), f"{one.id}{two.id}") else (two, one)
            say = "{more} has more DEGs {place} than {less}: {a:,} against {b:,}."
            parts = {"place": where(condition), "a": more.value, "b": less.value}
            yield _make(
                "comparison",
                f"{one.tissue}|{two.tissue}:{condition}",
                f"Which has more DEGs {where(condition)}, the {first.tissue} or the {second.tissue}?",
                say.format(more=more.tissue.capitalize(), less=less.tissue, **parts),
                {"answer": more.tissue, "ranking": [more.tissue, less.tissue]},
                (one, two),
                wrong=say.format(more=less.tissue.capitalize(), less=more.tissue, **parts),
                wrong_truth={"answer": less.tissue, "ranking": [less.tissue, more.tissue]},
            )


def _rankings(counts: Counts) -> Iterator[Item]:
    for condition in COUNT_CONDITIONS:
        here = [f for (_, c), f in counts.items() if c == condition]
        for size in (3, 4):
            for chosen in combinations(here, size):
                values = [f.count for f in chosen]
                # Ties have no order.
                if len(set(values)) < size:
                    continue
                order = sorted(chosen, key=lambda f: -f.count)
                shown = [f"{f.tissue} ({f.value:,})" for f in order]
                swapped = [shown[1], shown[0], *shown[2:]]
                names = listing(sorted(f.tissue for f in chosen))
                yield _make(
                    "ranking",
                    f"{'|'.join(f.tissue for f in chosen)}:{condition}",
                    f"Order {names} by their DEGs {where(condition)}, most first.",
                    f"By DEGs {where(condition)}: {' > '.join(shown)}.",
                    {"ranking": [f.tissue for f in order]},
                    chosen,
                    wrong=f"By DEGs {where(condition)}: {' > '.join(swapped)}.",
                    wrong_truth={"ranking": [f.tissue for f in (order[1], order[0], *order[2:])]},
                )


def _multi_hop(facts: Sequence[Fact], counts: Counts) -> Iterator[Item]:
    types = {f.tissue: f for f in facts if f.quantity == RESPONSE_TYPE}
    for first in COUNT_CONDITIONS:
        here = sorted((f for (_, c), f in counts.items() if c == first), key=lambda f: -f.count)
        if len(here) < 2 or here[0].count == here[1].count:
            continue
        top, names = here[0], listing(sorted(f.tissue for f in here), "and")
        # "under HU" after "KMP under IR" might mean KMP under HU, and "under IR" is in both of IR and KMP IR.
        targets = [
            fact
            for fact in (counts.get((top.tissue, c)) for c in COUNT_CONDITIONS)
            if fact is not None
            and first.removeprefix("KMP ") != fact.condition.removeprefix("KMP ")
            and (_contrast(top) != "KMP" or _contrast(fact) != "stressor")
        ]
        if top.tissue in types:
            targets.append(types[top.tissue])
        for target in targets:
            asked = (
                "which KMP response type has it"
                if target.quantity == RESPONSE_TYPE
                else f"how many DEGs has it {where(target.condition)}"
            )
            lead = f"Among {names}, {top.tissue} has the most DEGs {where(first)} ({top.value:,}). "
            yield _make(
                "multi_hop",
                f"{first}->{target.id}",
                f"Among {names}, take the tissue with the most DEGs {where(first)}: {asked}?",
                lead + statement(target),
                {"facts": [target.to_ground_truth()]},
                (*here, target),
                wrong=lead + statement(target, perturbed(target, facts)),
                wrong_truth={"facts": [{**target.to_ground_truth(), "value": perturbed(target, facts)}]},
                difficulty="hard",
            )


def _thresholds(counts: Counts) -> Iterator[Item]:
    """Is an interaction larger than a round number? As many yes as no."""
    for (tissue, condition), fact in counts.items():
        if "_x_" not in condition:
            continue
        for larger in (True, False):
            bounds = [
                b for b in (25, 50, 100, 200, 400, 1000, 2000, 4000, 9000) if (fact.count > b) == larger
            ]
            if not bounds:
                continue
            # The nearest round number, so that a rough idea of the size does not suffice.
            bound = bounds[-1] if larger else bounds[0]
            name, verdict = condition.replace("_x_", "×"), "yes" if larger else "no"
            compare = ("above", "below") if larger else ("below", "above")
            text = f"the {name} interaction in {tissue} has {fact.value:,} DEGs, {{}} {bound:,}."
            yield _make(
                "interaction",
                f"{fact.id}:{verdict}",
                f"Is the {name} interaction in {tissue} larger than {bound:,} DEGs?",
                f"{verdict.capitalize()}: {text.format(compare[0])}",
                {"answer": verdict},
                (fact,),
                wrong=f"{'No' if larger else 'Yes'}: {text.format(compare[1])}",
                wrong_truth={"answer": "no" if larger else "yes"},
            )


def _designs(counts: Counts) -> Iterator[Item]:
    """What a smaller experiment would have missed."""
    pairs = (
        ("KMP baseline", "KMP HU+IR", "tests KMP only without stress"),
        ("KMP HU", "KMP HU+IR", "tests KMP only with unloading"),
        ("KMP IR", "KMP HU+IR", "tests KMP only with radiation"),
        ("HU", "HU+IR", "studies unloading alone"),
        ("IR", "HU+IR", "studies radiation alone"),
    )
    for tissue in TISSUES:
        for part, whole, plan in pairs:
            if (tissue, part) not in counts or (tissue, whole) not in counts:
                continue
            seen, missed = counts[tissue, part], counts[tissue, whole]
            yield _make(
                "design_critique",
                f"{tissue}:{part}:{whole}",
                f"A plan {plan} in {tissue}. What count does it see, and what does it miss {where(whole)}?",
                f"It would see {degs(seen.value)} in {tissue} {where(part)}. "
                f"It would miss {degs(missed.value)} in {tissue} {where(whole)}.",
                {"facts": [seen.to_ground_truth(), missed.to_ground_truth()]},
                (seen, missed),
                difficulty="hard",
            )


def _corrections(facts: Sequence[Fact]) -> Iterator[Item]:
    """A wrong note to be put right, and a question whose premise is untrue."""
    counts = [f for f in facts if f.quantity == DEG_COUNT]
    for fact in counts:
        claim = statement(fact, perturbed(fact, facts)).rstrip(".")
        yield _make(
            "error_correction",
            fact.id,
            f'A lab note says: "{claim}". Put it right.',
            f"The note is wrong: {_short(fact)}",
            {"facts": [fact.to_ground_truth()], "false_premise": True},
            (fact,),
        )
    for one, two in permutations(counts, 2):
        # The premise is untrue only where the figures say the reverse.
        if one.condition != two.condition or float(one.value) >= float(two.value):
            continue
        place = where(one.condition)
        yield _make(
            "false_premise",
            f"{one.tissue}>{two.tissue}:{one.condition}",
            f"Why, {place}, does {one.tissue} have more DEGs than {two.tissue}?",
            f"The reverse is true: {place}, {one.tissue} has {degs(one.value)} and {two.tissue} has "
            f"{number(two.value)}.",
            {"facts": [one.to_ground_truth(), two.to_ground_truth()], "false_premise": True},
            (one, two),
            kind="calibration",
        )


def _short(fact: Fact) -> str:
    """The right figure in a sentence of its own, other than the one that is asked for directly."""
    if "_x_" in fact.condition:
        name = fact.condition.replace("_x_", "×")
        return f"in {fact.tissue} the {name} interaction has {degs(fact.value)}."
    return f"in {fact.tissue} there is a count of {degs(fact.value)} {where(fact.condition)}."
