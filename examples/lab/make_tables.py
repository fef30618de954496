"""Writes the four tables of this folder. Gene symbols and set names are real; EVERY FIGURE IS MADE UP.

``python make_tables.py`` gives the same bytes each time. Nothing here says anything about tumours.
"""

# ruff: noqa: E501, SIM905
from __future__ import annotations

import random
from pathlib import Path

HERE = Path(__file__).parent
UP = """MKI67 TOP2A CDK1 CCNB1 CCNB2 BUB1 AURKA AURKB PLK1 MCM2 MCM4 MCM6 PCNA CDC20 CDC45 UBE2C BIRC5 FOXM1 E2F1
    EZH2 RRM2 TYMS MYC CCND1 CDKN2A MMP1 MMP7 MMP9 MMP11 SPP1 COL1A1 COL3A1 COL11A1 FN1 POSTN VEGFA CA9 SLC2A1
    LDHA HK2 PKM ENO1 GAPDH SOX4 ETV4 LCN2 CXCL8 CXCL1 S100A9 KRT17""".split()
DOWN = """SFTPC SFTPA1 AGER CAV1 CLDN18 FABP4 ADH1B CA4 CA2 GPM6A TCF21 FHL1 CLEC3B TEK CDH5 PECAM1 VWF KDR FOXF1
    GATA6 CFD C7 DCN OGN MYH11 ACTG2 DES SYNM CNN1 AQP8 GUCA2A GUCA2B CLCA4 ZG16 MS4A12 SLC26A3 CEACAM7 ADAMDEC1
    CHGA SST PYY FOS EGR1 KLF4 DUSP1 ZFP36 NR4A1 BTG2 HLF ABCA8""".split()
SAME = """ACTB TBP HPRT1 PPIA RPLP0 B2M YWHAZ SDHA UBC GUSB PGK1 TFRC IPO8 POLR2A HMBS RPL13A TUBB EEF1A1 CANX XPO1
    PUM1 CTCF SMC1A RAD21 ATM ATR MDM2 TP53 PTEN NF1 RB1 APC SMAD4 KRAS BRAF PIK3CA AKT1 MTOR TSC2 STK11""".split()
UNTESTED = ["INS", "GCG", "OR5A1", "KRTAP5-1", "DEFB4A", "TNP1"]
KEGG_UP = """CELL_CYCLE DNA_REPLICATION RIBOSOME SPLICEOSOME PROTEASOME MISMATCH_REPAIR BASE_EXCISION_REPAIR
    GLYCOLYSIS_GLUCONEOGENESIS P53_SIGNALING_PATHWAY PYRIMIDINE_METABOLISM ECM_RECEPTOR_INTERACTION
    HOMOLOGOUS_RECOMBINATION""".split()
KEGG_DOWN = """FATTY_ACID_METABOLISM TIGHT_JUNCTION VASCULAR_SMOOTH_MUSCLE_CONTRACTION CALCIUM_SIGNALING_PATHWAY
    DRUG_METABOLISM_CYTOCHROME_P450 TYROSINE_METABOLISM RENIN_ANGIOTENSIN_SYSTEM LONG_TERM_DEPRESSION
    COMPLEMENT_AND_COAGULATION_CASCADES CELL_ADHESION_MOLECULES_CAMS DILATED_CARDIOMYOPATHY
    NEUROACTIVE_LIGAND_RECEPTOR_INTERACTION""".split()
KEGG_SAME = """MTOR_SIGNALING_PATHWAY ENDOCYTOSIS LYSOSOME PEROXISOME RNA_DEGRADATION INSULIN_SIGNALING_PATHWAY
    UBIQUITIN_MEDIATED_PROTEOLYSIS AUTOIMMUNE_THYROID_DISEASE""".split()
GO_UP = {
    "GO:0000278": "mitotic cell cycle", "GO:0006260": "DNA replication", "GO:0007059": "chromosome segregation",
    "GO:0042254": "ribosome biogenesis", "GO:0006281": "DNA repair", "GO:0030198": "extracellular matrix organization",
    "GO:0006096": "glycolytic process", "GO:0001525": "angiogenesis", "GO:0030574": "collagen catabolic process",
    "GO:0050900": "leukocyte migration", "GO:0006364": "rRNA processing", "GO:0051301": "cell division",
}  # fmt: skip
GO_DOWN = {
    "GO:0006936": "muscle contraction", "GO:0006814": "sodium ion transport", "GO:0006631": "fatty acid metabolic process",
    "GO:0015701": "bicarbonate transport", "GO:0007586": "digestion", "GO:0006805": "xenobiotic metabolic process",
    "GO:0007601": "visual perception", "GO:0006821": "chloride transport", "GO:0030277": "maintenance of gastrointestinal epithelium",
    "GO:0050892": "intestinal absorption", "GO:0007588": "excretion", "GO:0006955": "immune response",
}  # fmt: skip
GO_SAME = {
    "GO:0006914": "autophagy", "GO:0016567": "protein ubiquitination", "GO:0006897": "endocytosis",
    "GO:0006511": "ubiquitin-dependent protein catabolic process", "GO:0015031": "protein transport",
    "GO:0008380": "RNA splicing", "GO:0006417": "regulation of translation", "GO:0007165": "signal transduction",
}  # fmt: skip


def effect(draw: random.Random, sign: int, low: float, high: float) -> tuple[float, float]:
    """(effect, p): a clear one for sign +1 or -1, noise for 0."""
    if sign == 0:
        return draw.gauss(0, 0.25), draw.uniform(0.08, 0.98)
    return sign * draw.uniform(low, high), 10 ** -draw.uniform(3, 30)


def deseq2(tissue: str, seed: int) -> str:
    """A results table of DESeq2. In the other tissue some genes go the other way, or do not change."""
    draw = random.Random(seed)
    rows = ["gene,baseMean,log2FoldChange,lfcSE,stat,pvalue,padj"]
    for sign, genes in ((1, UP), (-1, DOWN), (0, SAME)):
        for gene in genes:
            own = draw.choices((sign, 0, -sign), (70, 22, 8))[0] if tissue == "colon" else sign
            change, p = effect(draw, own, 1.05, 4.5)
            error = abs(change) / draw.uniform(4, 12) if own else draw.uniform(0.2, 0.5)
            mean = 10 ** draw.uniform(1.5, 4)
            rows.append(
                f"{gene},{mean:.1f},{change:.4f},{error:.4f},{change / error:.3f},{p:.4g},{min(1, 1.5 * p):.4g}"
            )
    rows += [f"{gene},{draw.uniform(0.1, 2):.2f},{draw.gauss(0, 1):.4f},1.9,0.1,0.9,NA" for gene in UNTESTED]
    return "\n".join(rows) + "\n"


def fgsea(seed: int) -> str:
    draw = random.Random(seed)
    rows = ["pathway,pval,padj,log2err,ES,NES,size"]
    for sign, names in ((1, KEGG_UP), (-1, KEGG_DOWN), (0, KEGG_SAME)):
        for name in names:
            score, p = effect(draw, sign, 1.5, 2.7)
            rows.append(
                f"KEGG_{name},{p:.4g},{min(1, 2 * p):.4g},0.5,{score / 3.2:.4f},{score:.4f},{draw.randint(20, 180)}"
            )
    return "\n".join(rows) + "\n"


def clusterprofiler(seed: int) -> str:
    draw = random.Random(seed)
    rows = ["ID,Description,setSize,enrichmentScore,NES,pvalue,p.adjust,qvalue"]
    for sign, terms in ((1, GO_UP), (-1, GO_DOWN), (0, GO_SAME)):
        for term, words in terms.items():
            score, p = effect(draw, sign, 1.5, 2.7)
            adjusted = min(1, 2 * p)
            rows.append(
                f'{term},"{words}",{draw.randint(20, 180)},{score / 3.2:.4f},{score:.4f},{p:.4g},{adjusted:.4g},{adjusted:.4g}'
            )
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    (HERE / "lung_deseq2.csv").write_text(deseq2("lung", 1), "utf-8")
    (HERE / "colon_deseq2.csv").write_text(deseq2("colon", 2), "utf-8")
    (HERE / "lung_fgsea_kegg.csv").write_text(fgsea(3), "utf-8")
    (HERE / "colon_clusterprofiler_go.csv").write_text(clusterprofiler(4), "utf-8")
