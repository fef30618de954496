"""Fact tables: what is known to be true, one frozen record per figure. Audits and datasets read these.

The figures of the kaempferol (KMP) study use this vocabulary, the same as in ``ground_truth``:

    entity      heart | hippocampus | liver | soleus, or a gene symbol for hub genes
    condition   HU | IR | HU+IR                      stressor against control
                KMP baseline | KMP HU | KMP IR | KMP HU+IR    KMP against vehicle, within that condition
                HU_x_IR | KMP_x_HU | KMP_x_IR        interaction terms
    quantity    DEG count | upregulated DEG count | downregulated DEG count
                <pathway> NES | <pathway> pattern | KMP response type | mean absolute log2 fold change
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

from biorlhf_plugins.making.shipped import read_shipped

KMP_TABLE = "kmp/figures.csv"
TISSUES = ("heart", "hippocampus", "liver", "soleus")
DEG_COUNT, DEG_UP, DEG_DOWN = "DEG count", "upregulated DEG count", "downregulated DEG count"
RESPONSE_TYPE = "KMP response type"
FOLD_CHANGE = "mean absolute log2 fold change"
LABELS = {"type": ("A", "B", "C"), "pattern": ("RESCUE", "SUPPRESSION")}
TYPE_NAMES = {"A": "stress-activated", "B": "baseline-active", "C": "stress-blocked"}
PATHWAYS = {
    "OXIDATIVE_PHOSPHORYLATION": "OXPHOS",
    "FATTY_ACID_METABOLISM": "Fatty Acid Metabolism",
    "ADIPOGENESIS": "Adipogenesis",
    "MTORC1_SIGNALING": "mTORC1 Signaling",
    "INTERFERON_ALPHA_RESPONSE": "Interferon Alpha Response",
    "INTERFERON_GAMMA_RESPONSE": "Interferon Gamma Response",
}
_COUNTS = {"deg_count": DEG_COUNT, "deg_up": DEG_UP, "deg_down": DEG_DOWN}


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure or class. ``value`` is a number or a label; ``aliases`` are values accepted for it.

    ``group`` names the facts that must stay on one side of a split (a count with its up and down parts).
    ``feature`` is the pathway or gene that the figure is about, "" for none; ``note`` says why a figure is
    suspicious or disputed, "" where it is neither.
    """

    entity: str
    condition: str
    quantity: str
    value: int | float | str
    id: str
    aliases: tuple[str, ...] = ()
    group: str = field(default="", compare=False)
    tissue: str = field(default="", compare=False)
    feature: str = field(default="", compare=False)
    note: str = field(default="", compare=False)

    @property
    def count(self) -> int:
        """The value of a fact that counts genes."""
        return int(self.value)

    def to_ground_truth(self) -> dict[str, Any]:
        """An entry of ``ground_truth["facts"]``. The ``aliases`` there are the entity's: none here."""
        row: dict[str, Any] = {"entity": self.entity, "quantity": self.quantity, "value": self.value}
        if self.condition:
            row["condition"] = self.condition
        if isinstance(self.value, str):
            # A closed class: the instruction can name what may be answered.
            row["choices"] = list(LABELS["type" if self.quantity == RESPONSE_TYPE else "pattern"])
        return row


@functools.cache
def kmp_facts() -> tuple[Fact, ...]:
    """The 118 facts of the KMP study, in the order of the shipped table."""
    return tuple(_kmp_fact(row) for row in read_shipped(KMP_TABLE).rows)


def _kmp_fact(row: dict[str, str]) -> Fact:
    tissue, contrast, quantity = row["tissue"], row["contrast"], row["quantity"]
    condition = {
        "stressor_vs_control": row["condition"],
        "KMP_vs_vehicle": f"KMP {row['condition']}",
        "interaction_term": row["condition"].replace("x", "_x_"),
        "pattern": f"KMP {row['condition']}",
        "hub_gene": tissue,
    }[contrast]
    entity, feature, value = tissue, row["feature"], row["value"]
    aliases: tuple[str, ...] = ()
    number: int | float | str
    if quantity in _COUNTS:
        name, number = _COUNTS[quantity], int(value)
    elif quantity == "kmp_type":
        name, number, condition = RESPONSE_TYPE, value, ""
        aliases = (f"Type {value}", TYPE_NAMES[value])
    elif quantity == "NES":
        name, number = f"{PATHWAYS[feature]} NES", float(value)
    elif quantity == "pattern":
        name, number = f"{PATHWAYS[feature]} pattern", value
        aliases = ("NS",) if row["note"].startswith("disputed") else ()
    else:
        name, number, entity = FOLD_CHANGE, float(value), feature
    # A count stays with its parts, and a pathway's pattern with the two NES that it summarises.
    slot = feature or ("type" if quantity == "kmp_type" else condition.replace(" ", "-"))
    group = f"kmp:{tissue}:{slot}"
    detail = "" if feature == "" or quantity != "NES" else f":{condition.replace(' ', '-')}"
    return Fact(
        entity, condition, name, number, f"{group}{detail}:{quantity}", aliases,
        group=group, tissue=tissue, feature=feature, note=row["note"],
    )  # fmt: skip
