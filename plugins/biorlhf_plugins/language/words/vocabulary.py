"""Closed lists of the field that tell names from other words; all in the form that ``canonical`` gives."""

from __future__ import annotations

from biorlhf_plugins.language.words.text import vocabulary

LABELLED = vocabulary(
    """figure fig table ref reference equation eq section chapter page panel chromosome chr exon intron
    cluster patient lane clone batch replicate passage cohort step version release phase grade stage
    protocol box supplement appendix day week visit subject donor pmid release ensembl module topic
    plate well note line row type screen experiment trial compound village arm"""
)
"""Words before a number that is a label and no figure: "cluster 3", "Fig. 2", "day 7"."""

METHODS = vocabulary(
    """dna rna mrna cdna mirna lncrna sirna shrna grna sgrna crispr cas9 pcr qpcr rtqpcr rt chip atac seq
    rnaseq scrnaseq snrna gsea gseapy ora go kegg deseq deseq2 edger limma voom fdr fwer bh ci cis sd se
    sem iqr cv hr or rr auc roc auroc nes es fc lfc logfc log2fc log2 tpm fpkm rpkm cpm umi pca umap
    tsne wt ko kd oe ns up down deg degs dmr asv otu tmt ms lcms facs elisa wb ihc if geo sra tcga gtex
    nasa osdr osd glds ncbi dmso pbs fbs iv ip po sc bid qc anova ancova ancom ancombc maaslin2 lefse
    usa us eu uk fda ema id ids bmi ph qtl snp snps gwas maf vaf tmb mic ic50 ec50 ld50 kd ki km vmax
    auc0 cmax tmax orr pfs os dfs efs ttp itt hu ir kmp star salmon kallisto maxquant cellranger seurat
    scanpy scvi mast wilcoxon ucsc hg38 hg19 mm10 grch38 padj pval qval pvalue qvalue fig table answer
    confidence final note no yes high low medium i ii iii iv v vi pass fail total mean median and the in
    of for with to at by is was as not but mixed aba iaa lps pma bsa gi50 psi mfi edta egta atp adp
    gtp nadh nadph"""
)
"""Acronyms of methods, reagents, statistics and databases, which look like genes and are none."""

CAPITALISED = METHODS | vocabulary(
    """it its this that these those there here we they he she i you my our one two three four five six
    seven eight nine ten all both each most only about around roughly nearly almost over under between
    among after before during since from on than then thus hence so if when where while whereas although
    however because answer value result results expression level levels change changes count counts
    number total overall mean median average fold log concentration abundance score ratio rate percent
    confidence table figure estimate relative adjusted significance january february march april may
    june july august september october november december monday student welch fisher pearson spearman
    benjamini hochberg bonferroni shannon simpson bray kaplan meier cox gene genes protein proteins
    sample samples control controls group final short data study"""
)
"""Words that open a sentence or a label, and names of methods: no names of genes."""

GROUPS = vocabulary(
    """group arm cohort sample cell strain line diet subset patient mouse mice plant tumor donor population
    condition cultivar ecotype genotype isolate biopsy fraction layer region"""
)
"""Heads that a word before them distinguishes: "placebo arm", "naive cells"."""

ARMS = vocabulary(
    """arm placebo vehicle combination monotherapy chemotherapy comparator sham untreated standard
    radiotherapy surgery"""
)
POPULATIONS = vocabulary(
    """control case patient carrier responder nonresponder smoker drinker woman women man men male female
    boy girl child children adult infant neonate elderly survivor volunteer proband sibling twin
    wildtype wt mutant knockout ko heterozygote homozygote heterozygous homozygous hemizygous transgenic
    littermate parent offspring
    founder resistant sensitive susceptible treated untreated naive diabetic obese lean healthy diseased
    infected uninfected"""
)
"""Names of people and strains that studies compare."""

GENOTYPES = vocabulary(
    "mutant knockout ko transgenic null heterozygote homozygote heterozygous homozygous hemizygous deficient"
)
"""What is compared with the wild type."""

SPELT = {"wild type": "wildtype", "knock out": "knockout"}
"""Genotypes of two words."""

SAME_GENOTYPE = tuple(
    vocabulary(words) for words in ("ko knockout null deficient", "heterozygote heterozygous hemizygous",
                                    "homozygote homozygous", "mutant")
)  # fmt: skip
"""Words for one genotype of a gene that is known."""

ANIMALS = vocabulary(
    """rat mouse mice dog rabbit monkey macaque marmoset pig minipig sheep hamster human cat ferret chicken
    zebrafish xenopus"""
)
TISSUES = vocabulary(
    """plasma serum saliva urine stool feces faeces gut oral cavity vagina csf leaf leaves root shoot stem
    seed flower pollen ileum jejunum duodenum cecum caecum rectum stomach esophagus bladder prostate
    uterus placenta cortex cerebellum striatum amygdala hypothalamus midbrain spinal cord retina cornea
    tongue trachea bronchus lymph node marrow tonsil thyroid pituitary nerve artery vein aorta cartilage
    tendon synovium mucosa epidermis dermis nasal swab sputum soil rhizosphere sediment water lung skin
    colon"""
)

STOP_WORDS = vocabulary(
    """which there what who it they we i he she the a an this that these those each every both all any some
    no of in at on for with from to by and or but than vs versus per is was were are be has have had did
    do does while whereas our their its other same respective than whole entire only against relative
    compared"""
)
