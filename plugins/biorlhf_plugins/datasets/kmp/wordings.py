"""How the KMP study's facts are asked for: the wordings of training, and those of the recall test.

A small model remembers sentences: a figure that was taught in two wordings is not found when it is asked for
in a third. So there are twelve for training (the setting ``wordings``), which name the stressors and the
compound now by their abbreviation, now in full; the recall test has two of its own.
"""

from __future__ import annotations

from biorlhf_plugins.datasets.kmp.facts import (
    DEG_COUNT,
    DEG_DOWN,
    DEG_UP,
    FOLD_CHANGE,
    RESPONSE_TYPE,
    Fact,
)
from biorlhf_plugins.datasets.kmp.phrases import where

#: How many wordings :func:`training_wordings` gives.
WORDINGS = 12
_STRESS = {
    "HU": "hindlimb unloading",
    "IR": "ionizing radiation",
    "HU+IR": "unloading plus radiation",
    "baseline": "no stress",
}


def training_wordings(fact: Fact) -> tuple[str, ...]:
    """The twelve wordings of a fact's question for training; the first is the one that is always asked."""
    return (*_plain_wordings(fact), *_more_wordings(fact))


def what(fact: Fact) -> str:
    return {DEG_UP: "upregulated", DEG_DOWN: "downregulated"}.get(fact.quantity, "")


def _plain_wordings(fact: Fact) -> tuple[str, str]:
    tissue, place = fact.tissue, where(fact.condition)
    if fact.quantity == DEG_COUNT:
        if "_x_" in fact.condition:
            name = fact.condition.replace("_x_", "×")
            return (
                f"How large is the {name} interaction in {tissue}, counted in DEGs?",
                f"Give the number of {tissue} genes with a {name} interaction at padj < 0.05.",
            )
        return (
            f"How many DEGs does {tissue} have {place} in this study?",
            f"Give the {tissue} DEG count {place} at padj < 0.05.",
        )
    if fact.quantity in (DEG_UP, DEG_DOWN):
        return (
            f"Of the DEGs that {tissue} has {place}, how many are {what(fact)}?",
            f"Give the number of {what(fact)} {tissue} genes {place} at padj < 0.05.",
        )
    if fact.quantity == RESPONSE_TYPE:
        return (
            f"Which KMP response type does {tissue} have: A, B or C?",
            f"Classify {tissue} by its KMP response (types A to C).",
        )
    if fact.quantity.endswith(" NES"):
        return (
            f"What NES does {fact.quantity.removesuffix(' NES')} reach in {tissue} {place}?",
            f"Give the {fact.quantity} {place} in {tissue} tissue.",
        )
    if fact.quantity == FOLD_CHANGE:
        return (
            f"How strongly does the hub gene {fact.entity} change in {tissue} (mean |log2FC|)?",
            f"Give the mean absolute log2 fold change of {fact.entity} in {tissue}.",
        )
    pathway = fact.quantity.removesuffix(" pattern")
    return (
        f"Under HU+IR, is the KMP effect on {pathway} in {tissue} a rescue or a suppression?",
        f"Name the {pathway} pattern that KMP shows in stressed {tissue}: RESCUE or SUPPRESSION.",
    )


def _in_full(fact: Fact) -> str:
    """A condition in full: "under hindlimb unloading", "with kaempferol under no stress"."""
    if fact.condition.startswith("KMP "):
        return f"with kaempferol under {_STRESS[fact.condition.removeprefix('KMP ')]}"
    return f"under {_STRESS[fact.condition]}"


def _sides(fact: Fact) -> str:
    """What is compared: "hindlimb unloading and control", "kaempferol and vehicle under no stress"."""
    if fact.condition.startswith("KMP "):
        return f"kaempferol and vehicle under {_STRESS[fact.condition.removeprefix('KMP ')]}"
    return f"{_STRESS[fact.condition]} and control"


def _more_wordings(fact: Fact) -> tuple[str, ...]:
    """Ten wordings beside the plain two."""
    tissue = fact.tissue
    if fact.quantity in (DEG_COUNT, DEG_UP, DEG_DOWN):
        return _count_wordings(fact)
    if fact.quantity == RESPONSE_TYPE:
        return (
            f"State the response class of {tissue} to kaempferol.",
            f"A, B or C: how does {tissue} respond to KMP?",
            f"The {tissue} of these mice belongs to which type of kaempferol response?",
            f"Which letter stands for the KMP response of the {tissue}?",
            f"How is {tissue} tissue typed for its reaction to kaempferol?",
            f"KMP response type, {tissue}?",
            f"Tell me the response type that {tissue} shows to the compound kaempferol.",
            f"I need the class (A, B or C) of the {tissue} in its answer to KMP.",
            f"Sorted by how it reacts to kaempferol, {tissue} is of which type?",
            f"Is the {tissue} an A, a B or a C in the KMP classification?",
        )
    if fact.quantity.endswith(" NES"):
        pathway, sides = fact.quantity.removesuffix(" NES"), _sides(fact)
        full, place = _in_full(fact), where(fact.condition)
        return (
            f"State the enrichment score of {pathway} in {tissue} {full}.",
            f"{tissue.capitalize()}, {place}: NES of {pathway}?",
            f"How enriched is {pathway} in the {tissue} {full}, as an NES?",
            f"For {pathway}, which normalised enrichment score does the {tissue} show {full}?",
            f"What value has the NES of {pathway} {place}, measured in {tissue}?",
            f"The {tissue} was analysed {full}; quote the NES of {pathway}.",
            f"Comparing {sides}, what is the NES of {pathway} in the {tissue}?",
            f"Tell me the enrichment score that {pathway} gets in {tissue} for {sides}.",
            f"I need {pathway} in the {tissue}, {sides}: its normalised score.",
            f"In the {tissue}, the comparison of {sides} gives {pathway} which NES?",
        )
    if fact.quantity == FOLD_CHANGE:
        gene = fact.entity
        return (
            f"State the average size of the log2 fold change of {gene} in {tissue}.",
            f"{gene}, {tissue} hub gene: mean |log2FC|?",
            f"On average, how many log2 units does {gene} change in the {tissue}?",
            f"By what mean absolute log2FC does {gene} stand out in {tissue}?",
            f"What is {gene}'s mean shift in the {tissue} network, in log2 units?",
            f"Quote the mean |log2FC| that the hub gene {gene} has in the {tissue}.",
            f"Tell me how far {gene} moves in {tissue}, as a mean absolute log2 fold change.",
            f"I need the size of the change of {gene} in the {tissue} (log2, averaged).",
            f"Averaged over the contrasts, {gene} differs in {tissue} by how much in log2?",
            f"In {tissue}, the hub {gene} has which |log2FC| on average?",
        )
    pathway = fact.quantity.removesuffix(" pattern")
    return (
        f"Does kaempferol rescue or suppress {pathway} in the {tissue} under unloading plus radiation?",
        f"{tissue.capitalize()}, {pathway}: RESCUE or SUPPRESSION by KMP?",
        f"State whether KMP rescues or suppresses {pathway} in {tissue}.",
        f"What pattern has the effect of kaempferol on {pathway} in {tissue} after both stressors?",
        f"In stressed {tissue}, is {pathway} restored (RESCUE) or held back (SUPPRESSION) by kaempferol?",
        f"Which label fits the action of KMP on {pathway} in the {tissue}?",
        f"Tell me the KMP pattern of {pathway} for {tissue}: rescued or suppressed?",
        f"I need the word, RESCUE or SUPPRESSION, for {pathway} in {tissue} given kaempferol.",
        f"With HU and IR combined, kaempferol does what to {pathway} in the {tissue}?",
        f"Was {pathway} in the stressed {tissue} rescued by KMP, or suppressed?",
    )


def _count_wordings(fact: Fact) -> tuple[str, ...]:
    tissue, kind = fact.tissue, f"{what(fact)} " if what(fact) else ""
    if "_x_" in fact.condition:
        one, two = fact.condition.split("_x_")
        return (
            f"State the number of DEGs with an interaction of {one} and {two} in the {tissue}.",
            f"{tissue.capitalize()}, {one} by {two}: how many genes interact?",
            f"For how many genes of the {tissue} do {one} and {two} interact significantly?",
            f"How many transcripts have a significant {one}×{two} term in {tissue}?",
            f"In {tissue}, count the genes whose response to {one} depends on {two}.",
            f"What number of {tissue} genes has a combined effect of {one} and {two}?",
            f"Tell me how many genes interact for {one} and {two} in {tissue}.",
            f"I need the size of the {one}×{two} interaction of the {tissue}, in transcripts.",
            f"Tested for {one} by {two}, the {tissue} has how many significant genes?",
            f"In how many {tissue} transcripts is the effect of {one} and {two} more than a sum?",
        )
    full, place, sides = _in_full(fact), where(fact.condition), _sides(fact)
    return (
        f"State the number of {kind}genes in the {tissue} {full}.",
        f"{tissue.capitalize()}, {place}: how many {kind}DEGs?",
        f"How many {kind}transcripts does the {tissue} show {full}?",
        f"At an FDR of 5%, what number of {kind}genes does {tissue} have {full}?",
        f"Count the {kind}DEGs of the {tissue} {place}.",
        f"The {tissue} was sequenced {full}; how many {kind}genes came out?",
        f"Comparing {sides}, how many {kind}genes of the {tissue} change?",
        f"Tell me how many {kind}transcripts {tissue} has for {sides}.",
        f"I need the {kind}DEG count of the {tissue}, {sides}.",
        f"In the {tissue}, the comparison of {sides} yields how many {kind}genes?",
    )


def recall_wordings(fact: Fact) -> tuple[str, str]:
    tissue = fact.tissue
    if fact.quantity in (DEG_COUNT, DEG_UP, DEG_DOWN):
        which = f"{what(fact)} transcripts" if what(fact) else "transcripts"
        if "_x_" in fact.condition:
            one, two = fact.condition.split("_x_")
            return (
                f"Looking at {tissue}: for what number of {which} is the combined effect of {one} with {two} "
                "not the sum of both?",
                f"Report how many {tissue} {which} carry a significant term {one} by {two}.",
            )
        return (
            f"Looking at {tissue} {_contrast(fact)}: what number of {which} passes the 5% FDR?",
            f"Report how many {which} differ {_contrast(fact)} when {tissue} is sequenced.",
        )
    if fact.quantity == RESPONSE_TYPE:
        return (
            f"Into which of the three KMP classes, A, B or C, does the {tissue} fall?",
            f"Report the letter that describes how {tissue} tissue reacts to kaempferol.",
        )
    if fact.quantity.endswith(" NES"):
        pathway = fact.quantity.removesuffix(" NES")
        return (
            f"Looking at {tissue} {_contrast(fact)}: what enrichment score (NES) belongs to {pathway}?",
            f"Report the normalised enrichment of {pathway} {_contrast(fact)} when {tissue} is sequenced.",
        )
    if fact.quantity == FOLD_CHANGE:
        return (
            f"Looking at the {tissue} network: what is the average |log2FC| of {fact.entity}?",
            f"Report by how many log2 units {fact.entity} shifts on average in the {tissue}.",
        )
    pathway = fact.quantity.removesuffix(" pattern")
    return (
        f"Looking at {tissue} after both stressors: does kaempferol restore {pathway} or hold it back?",
        f"Report the label, RESCUE or SUPPRESSION, of what kaempferol does to {pathway} in the {tissue}.",
    )


def _contrast(fact: Fact) -> str:
    if fact.condition.startswith("KMP "):
        return f"between kaempferol and vehicle with {_STRESS[fact.condition.removeprefix('KMP ')]}"
    return f"between {_STRESS[fact.condition]} and controls"
