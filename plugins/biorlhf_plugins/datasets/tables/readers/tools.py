"""Which columns of which tool mean what. docs/tables.md has the same as a table, with versions."""

from __future__ import annotations

from dataclasses import dataclass

from biorlhf_plugins.datasets.tables.readers.header import Wanted

CARRIED = ("tissue", "condition", "mission", "db")
ROLES = ("id", "label", "effect", "p", "adjusted", "raw", "mean", *CARRIED)
#: Without these a check or a nicer name is lost, not the table.
OPTIONAL = ("label", "p", "raw", "mean")


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool's own column names; the first of each that the file has is taken.

    Attributes:
        name: as in ``tool:`` of a lab's table.
        of: what a row is about: a gene, a protein, or a pathway (a gene set).
        effect: signed, in logs to base 2 or an NES; empty where the tool tests over-representation: its
            sets are enriched or not, and have no direction of their own.
        p, adjusted: of the test, and adjusted for multiple tests.
        id: empty where it is found by what the columns hold.
        raw: the unnormalised score, whose sign must agree with the effect's.
        mean: mean count; tells what was not tested from what was filtered out.
        infinite: whether an infinite effect stands for a group without any value: it was not tested.
    """

    name: str
    of: str
    effect: tuple[str, ...]
    p: tuple[str, ...]
    adjusted: tuple[str, ...]
    id: tuple[str, ...] = ()
    label: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    mean: tuple[str, ...] = ()
    infinite: bool = False

    @property
    def over_representation(self) -> bool:
        return not self.effect and self.name != "custom"

    def names(self, role: str) -> tuple[str, ...]:
        found: tuple[str, ...] = getattr(self, role, ())
        return found


def _counts(name: str) -> Tool:
    """DESeq2 and what writes its columns."""
    return Tool(name, "gene", ("log2FoldChange",), ("pvalue",), ("padj",), mean=("baseMean",))


_PERSEUS = "Student's T-test"
TOOLS = {
    tool.name: tool
    for tool in (
        _counts("deseq2"),
        _counts("pydeseq2"),
        Tool("edger", "gene", ("logFC",), ("PValue",), ("FDR",)),
        Tool("limma", "gene", ("logFC",), ("P.Value",), ("adj.P.Val",)),
        Tool("differentialabundance", "gene", ("log2FoldChange", "logFC"), ("pvalue", "P.Value"),
             ("padj", "adj.P.Val"), mean=("baseMean",)),
        Tool("genelab", "gene", ("Log2fc_({numerator})v({denominator})",),
             ("P.value_({numerator})v({denominator})",), ("Adj.p.value_({numerator})v({denominator})",),
             id=("ENSEMBL", "SYMBOL"), label=("SYMBOL",)),
        Tool("seurat", "gene", ("avg_log2FC",), ("p_val",), ("p_val_adj",)),
        Tool("perseus", "protein",
             (f"{_PERSEUS} Difference {{numerator}}_{{denominator}}",
              f"N: {_PERSEUS} Difference {{numerator}}_{{denominator}}"), (),
             (f"{_PERSEUS} q-value {{numerator}}_{{denominator}}",
              f"N: {_PERSEUS} q-value {{numerator}}_{{denominator}}"),
             id=("Majority protein IDs", "T: Majority protein IDs", "Protein IDs", "T: Protein IDs"),
             label=("Gene names", "T: Gene names")),
        Tool("diann", "protein", ("log2FC", "logFC", "log2_ratio"), ("pvalue", "P.Value"),
             ("padj", "adj.P.Val", "q.value"), id=("Protein.Group", "Protein.Ids"), label=("Genes",)),
        Tool("msstats", "protein", ("log2FC",), ("pvalue",), ("adj.pvalue",), id=("Protein",),
             infinite=True),
        Tool("fgsea", "pathway", ("NES",), ("pval",), ("padj",), id=("pathway",), raw=("ES",)),
        Tool("clusterprofiler", "pathway", ("NES",), ("pvalue",), ("p.adjust",), id=("ID",),
             label=("Description",), raw=("enrichmentScore",)),
        Tool("gsea", "pathway", ("NES",), ("NOM p-val",), ("FDR q-val",), id=("NAME",), raw=("ES",)),
        Tool("enrichgo", "pathway", (), ("pvalue",), ("p.adjust",), id=("ID",), label=("Description",)),
        Tool("gprofiler", "pathway", (), (), ("adjusted_p_value", "p_value"), id=("term_id",),
             label=("term_name",)),
        Tool("enrichr", "pathway", (), ("P-value", "P.value"), ("Adjusted P-value", "Adjusted.P.value"),
             id=("Term",)),
        Tool("custom", "gene", (), (), ()),
    )
}  # fmt: skip


def wanted(tool: Tool, contrast: tuple[str, str], own: dict[str, str]) -> Wanted:
    """For effect and adjusted p, the names that their column may have in this file: they tell the header."""
    numerator, denominator = contrast
    asked = []
    for role in ("effect", "adjusted"):
        names = (own[role],) if role in own else tool.names(role)
        if names:
            asked.append([n.format(numerator=numerator, denominator=denominator) for n in names])
    if not tool.effect:
        # Over-representation has no effect: its sets' names stand in for it.
        asked.append([own["id"]] if own.get("id") else list(tool.id))
    return [names for names in asked if names]
