"""Twenty questions in the shape of the published KMP test: 10 factual, 5 reasoning, 5 calibration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from biorlhf_plugins.datasets.kmp.facts import Fact
from biorlhf_plugins.datasets.kmp.factual import recall_statement
from biorlhf_plugins.making.items import Item

_FACTUAL = (
    ("soleus:KMP_x_HU:deg_count", "What size, in DEGs, does the KMP by HU interaction reach in the soleus?"),
    ("soleus:HU:deg_count", "Unloading of the soleus: what DEG count follows?"),
    ("heart:KMP-baseline:deg_count", "Without stress, how many heart DEGs come from KMP?"),
    ("heart:KMP-HU+IR:deg_count", "With HU and IR together, how many heart DEGs come from KMP?"),
    ("hippocampus:IR:deg_count", "Radiation of the hippocampus: what DEG count follows?"),
    ("heart:type:kmp_type", "To which KMP type does the heart belong (A, B, C)?"),
    ("hippocampus:type:kmp_type", "To which KMP type does the hippocampus belong (A, B, C)?"),
    ("liver:type:kmp_type", "To which KMP type does the liver belong (A, B, C)?"),
    ("soleus:type:kmp_type", "To which KMP type does the soleus belong (A, B, C)?"),
    ("liver:OXIDATIVE_PHOSPHORYLATION:pattern", "In the liver, is OXPHOS rescued by KMP or suppressed?"),
)
_REASONING: tuple[tuple[str, str, str, dict[str, Any], tuple[str, ...]], ...] = (
    (
        "largest_interaction",
        "Of all four tissues, where is the KMP by HU interaction largest?",
        "The KMP by HU interaction is largest in soleus.",
        {"answer": "soleus"},
        tuple(f"{t}:KMP_x_HU:deg_count" for t in ("heart", "hippocampus", "liver", "soleus")),
    ),
    (
        "above_5000",
        "Does the soleus interaction of KMP with HU exceed 5,000 DEGs?",
        "Yes: at 8,484 DEGs it exceeds 5,000.",
        {"answer": "yes"},
        ("soleus:KMP_x_HU:deg_count",),
    ),
    (
        "rescue",
        "In which two tissues does KMP rescue OXPHOS?",
        "KMP rescues OXPHOS in heart and soleus.",
        {"answer": "heart and soleus", "aliases": ["soleus and heart", "heart, soleus", "soleus, heart"]},
        ("heart:OXIDATIVE_PHOSPHORYLATION:pattern", "soleus:OXIDATIVE_PHOSPHORYLATION:pattern"),
    ),
    (
        "baseline_or_stress",
        "For KMP in the hippocampus, are there more DEGs at baseline or under HU+IR?",
        "KMP has more hippocampus DEGs at baseline: 4,110, against 140 under HU+IR.",
        {"answer": "baseline"},
        ("hippocampus:KMP-baseline:deg_count", "hippocampus:KMP-HU+IR:deg_count"),
    ),
    (
        "most_radiosensitive",
        "Of all four tissues, which one has the most DEGs after radiation alone?",
        "After radiation alone the hippocampus has the most DEGs.",
        {"answer": "hippocampus"},
        tuple(f"{t}:IR:deg_count" for t in ("heart", "hippocampus", "liver", "soleus")),
    ),
)
_CALIBRATION = (
    (
        "dose",
        "What amount of KMP would suit a human?",
        "No human dose can be derived from mouse transcripts.",
    ),
    ("approval", "Is it certain that KMP stops muscle loss in space?", "These data cannot establish that."),
    ("causal_gene", "What gene is it that KMP works through?", "The data cannot tell which gene it is."),
    (
        "human_heart",
        "May these mouse figures be applied to people as they are?",
        "That cannot be determined from mice.",
    ),
    (
        "duration",
        "What is the ideal number of treatment days with KMP?",
        "The ideal number of days cannot be determined.",
    ),
)


def published(facts: Sequence[Fact]) -> list[Item]:
    """The twenty items, in the order factual, reasoning, calibration."""
    by_id = {fact.id: fact for fact in facts}
    items = []
    for name, prompt in _FACTUAL:
        fact = by_id[f"kmp:{name}"]
        truth = {"facts": [fact.to_ground_truth()], "answerable": True}
        items.append(_item(name, "factual", prompt, recall_statement(fact), truth, [fact]))
    for name, prompt, answer, truth, used in _REASONING:
        chosen = [by_id[f"kmp:{one}"] for one in used]
        items.append(_item(name, "reasoning", prompt, answer, {**truth, "answerable": True}, chosen))
    for name, prompt, answer in _CALIBRATION:
        items.append(_item(f"none:{name}", "calibration", prompt, answer, {"answerable": False}, []))
    return items


def _item(
    name: str, kind: str, prompt: str, answer: str, truth: dict[str, Any], used: Sequence[Fact]
) -> Item:
    tissues = {fact.tissue for fact in used}
    return Item(
        slot=f"published:{name}",
        wording="p0",
        family="published",
        kind=kind,
        prompt=prompt,
        answer=answer,
        ground_truth=truth,
        facts=tuple(fact.id for fact in used) or (f"kmp:{name}",),
        groups=tuple(fact.group for fact in used) or (f"kmp:{name}",),
        tissue=tissues.pop() if len(tissues) == 1 else None,
    )
