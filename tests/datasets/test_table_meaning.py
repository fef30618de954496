"""Tables whose figures are all in range, and of something else than the lab takes them for."""

from __future__ import annotations

import pytest

from biorlhf.errors import DataError
from biorlhf_plugins.datasets.tables.readers.results import read_results

GENES = [f"GENE{number}" for number in range(12)]
EFFECTS = [2.4, -1.9, 0.05, -0.02, 1.1, -1.3, 0.4, -0.6, 3.0, 0.01, -2.2, 0.3]
PADJ = [1e-9, 1e-7, 0.9, 0.95, 1e-3, 2e-3, 0.3, 0.1, 1e-12, 0.99, 1e-8, 0.4]


def written(folder, header, *columns):
    lines = [header, *("\t".join(map(str, row)) for row in zip(GENES, *columns, strict=True))]
    path = folder / "x.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def refused(path, tool="deseq2", contrast=("treated", "control"), **columns):
    with pytest.raises(DataError) as error:
        read_results(path, tool, contrast, columns)
    return str(error.value)


def test_a_likelihood_ratio_test_over_all_levels_is_refused_by_its_statistic(tmp_path):
    header = "gene\tbaseMean\tlog2FoldChange\tstat\tpvalue\tpadj"
    statistic = [abs(e) * 9 for e in EFFECTS]
    path = written(tmp_path, header, [100] * 12, EFFECTS, statistic, PADJ, PADJ)
    assert "'stat' is never negative" in refused(path)
    dexseq = written(
        tmp_path,
        header.replace("log2FoldChange", "log2fold_kd_ctrl"),
        [100] * 12,
        EFFECTS,
        statistic,
        PADJ,
        PADJ,
    )
    assert len(read_results(dexseq, "deseq2", ("kd", "ctrl"), {"effect": "log2fold_kd_ctrl"}).table) == 12
    signed = [e * 9 for e in EFFECTS]
    path = written(tmp_path, header, [100] * 12, EFFECTS, signed, PADJ, PADJ)
    assert len(read_results(path, "deseq2", ("treated", "control")).table) == 12


def test_a_statistic_with_decimal_commas_and_thousands_is_told_by_its_sign(tmp_path):
    header = "gene\tlog2FoldChange\tstat\tpvalue\tpadj"
    commas = [f"{e}".replace(".", ",") for e in EFFECTS]
    chances = [f"{p}".replace(".", ",") for p in PADJ]
    statistic = ["1.234,5", *(value.lstrip("-") for value in commas[1:])]
    path = written(tmp_path, header, commas, statistic, chances, chances)
    assert "'stat' is never negative" in refused(path)


def test_an_f_test_of_several_coefficients_is_refused(tmp_path):
    path = written(tmp_path, "gene\tdoseLow\tdoseHigh\tF\tP.Value\tadj.P.Val", EFFECTS, EFFECTS[::-1],
                   [9] * 12, PADJ, PADJ)  # fmt: skip
    assert "several coefficients" in refused(path, "limma", effect="doseLow")


def test_an_effect_and_a_p_of_two_coefficients_are_refused(tmp_path):
    path = written(tmp_path, "gene\tlfc_age\tlfc_sex\tq_age\tq_sex", EFFECTS, EFFECTS[::-1], PADJ, PADJ[::-1])
    message = refused(path, effect="lfc_age", adjusted="q_sex", p="q_sex")
    assert "two coefficients" in message
    assert "columns: {adjusted: 'q_age'}" in message


def test_a_test_of_one_side_alone_is_refused(tmp_path):
    path = written(tmp_path, "gene\tneg|lfc\tneg|fdr\tpos|fdr", EFFECTS, PADJ, PADJ[::-1])
    assert "'pos|fdr' is of the other one" in refused(path, effect="neg|lfc", adjusted="neg|fdr", p="neg|fdr")


def test_a_ratio_of_the_denominator_to_the_numerator_is_refused(tmp_path):
    path = written(tmp_path, "gene\tRatio (log2): (Control) / (Treated)\tq", EFFECTS, PADJ)
    effect = "Ratio (log2): (Control) / (Treated)"
    assert "Control over Treated" in refused(
        path, contrast=("Treated", "Control"), effect=effect, adjusted="q", p="q"
    )
    turned = read_results(
        path, "deseq2", ("Control", "Treated"), {"effect": effect, "adjusted": "q", "p": "q"}
    )
    assert len(turned.table) == 12


def test_a_probability_that_grows_with_the_effect_is_no_p(tmp_path):
    path = written(tmp_path, "gene\tM\tprob", EFFECTS, [1 - p for p in PADJ])
    assert "grows with the size of 'M'" in refused(path, effect="M", adjusted="prob", p="prob")
