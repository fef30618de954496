"""Names of gene sets as a person writes them, and those that cannot be asked about."""

from __future__ import annotations

import re

from biorlhf_plugins.datasets.genelab.rows import PREFIX, Row

# A set whose name tells a direction would put an answer into its question.
DIRECTIONAL_NAME = re.compile(
    r"_(UP|DN|DOWN|(UP|DOWN)REGULAT\w*|(IN|DE)ACTIVAT[^_]*|(ACTIVAT|REPRESS|SUPPRESS|INHIBIT|INDUC|INCREAS|DECREAS|ELEVAT|"
    r"REDUC|ENHANC|HIGH|LOW)[^_]*)(_|$)"
)
TITLES = {"hallmark": "Hallmark", "kegg": "KEGG", "reactome": "Reactome", "mitocarta": "MitoCarta"}
_WORDS = {
    "mtorc1": "mTORC1", "tnfa": "TNFA", "nfkb": "NFKB", "myc": "MYC", "dna": "DNA", "tgf": "TGF",
    "jak": "JAK", "akt": "AKT", "mtor": "mTOR", "kras": "KRAS", "uv": "UV", "wnt": "WNT", "via": "via",
    "rna": "RNA", "rrna": "rRNA", "trna": "tRNA", "mtrna": "mtRNA", "oxphos": "OXPHOS", "atp": "ATP",
    "tca": "TCA", "ii": "II", "iii": "III", "iv": "IV", "of": "of", "in": "in", "by": "by", "to": "to",
    "and": "and",
}  # fmt: skip


def prose(pathway: str) -> str:
    """HALLMARK_MYC_TARGETS_V1 -> MYC Targets V1"""
    words = PREFIX.sub("", pathway).lower().split("_")
    return " ".join(
        _WORDS.get(w, w.upper() if any(c.isdigit() for c in w) else w.capitalize()) for w in words
    )


def title(row: Row) -> str:
    """The set's name in a question: with its database, unless that is Hallmark."""
    name = prose(row.pathway)
    return name if row.db == "hallmark" else f"{TITLES.get(row.db, row.db)} {name}"
