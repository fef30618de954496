"""Effects as signed logarithms: what has no sign is asked for, never read as a direction."""

from __future__ import annotations

import re
from typing import Literal, get_args

import numpy as np

from biorlhf.errors import DataError

Scale = Literal["log2", "ln", "log10", "ratio", "fold_change", "score"]
SCALES = get_args(Scale)
#: From so many effects of one sign on, chance is no explanation.
FEW = 8
#: Counts of one sample alone give some 30; what is beyond is a count, a ratio or a statistic.
LARGEST = 50.0
_NATURAL = re.compile(r"avg_logfc\Z|\Ab\Z|^ln[ _.]?(fc|fold)|natural", re.IGNORECASE)
_SIGNED = re.compile(r"log|lfc|l2fc|nes\Z|difference|beta|coef|estimate|effect", re.IGNORECASE)
_STATISTIC = re.compile(
    r"(stat|statistic|t|z|wald|lr|f|t[-_. ]?(value|stat\w*)|z[-_. ]?(score|value|stat\w*))\Z", re.IGNORECASE
)
_HINT = (
    "say what it is with 'effect_is': log2 (signed logarithms), ln, log10, ratio (numerator divided by "
    "denominator), fold_change (-2 is half) or score (only its sign is used)"
)


def to_log2(
    values: np.ndarray, name: str, where: str, scale: Scale | None, significant: np.ndarray
) -> tuple[np.ndarray, str]:
    """Effects of genes or proteins as log2 fold changes (a ``score`` as it is), and what was done: "" or a
    note.

    Args:
        values: as the file gives them; NaN where it gives none.
        name: of the column.
        where: the file, for messages.
        scale: as the lab says; None where it says nothing.
        significant: which rows are, by their adjusted p.

    Raises:
        DataError: effects that have no sign and no scale, or that the scale cannot be.
    """
    if scale is None:
        _refuse_unsigned(values, name, where, significant)
        return values, ""
    if scale in ("log2", "score"):
        return values, f"effect_is {scale}"
    with np.errstate(divide="ignore", invalid="ignore"):
        if scale == "ln":
            return values / np.log(2), f"{name} is a natural logarithm, and was made one to base 2"
        if scale == "log10":
            return values / np.log10(2), f"{name} is a logarithm to base 10, and was made one to base 2"
        if scale == "ratio":
            bad, made = values <= 0, np.log2(values)
        else:
            bad, made = np.abs(values) < 1, np.sign(values) * np.log2(np.abs(values))
    if bad.any():
        raise DataError(
            where, f"column {name!r}: {values[bad][0]:g}, which is no {scale}",
            "figures above 0" if scale == "ratio" else "figures of 1 and more, or -1 and less", hint=_HINT,
        )  # fmt: skip
    return made, f"{name} is a {scale.replace('_', ' ')}, and was made a logarithm to base 2"


def _refuse_unsigned(values: np.ndarray, name: str, where: str, significant: np.ndarray) -> None:
    known = values[~np.isnan(values)]
    signed = bool(_SIGNED.search(name))
    if _STATISTIC.match(name.strip()):
        raise DataError(
            where,
            f"column {name!r} holds a test's statistic, no fold change",
            "log2 fold changes",
            hint=_HINT,
        )
    if _NATURAL.search(name):
        raise DataError(
            where, f"column {name!r} holds natural logarithms, it seems", "log2 fold changes", hint=_HINT
        )
    if not len(known):
        return
    if np.abs(known).max() > LARGEST:
        raise DataError(
            where, f"column {name!r}: {known[np.abs(known).argmax()]:g}, which is no log2 fold change",
            f"at most {LARGEST:g}, which is a ratio of 10^15", hint=_HINT,
        )  # fmt: skip
    one_sign = known.min() >= 0 or known.max() <= 0
    if one_sign and (not signed or len(known) >= FEW):
        between = int(((known > 0) & (known < 1)).sum())
        raise DataError(
            where,
            f"column {name!r}: no effect is {'below' if known.min() >= 0 else 'above'} 0 "
            f"({known.min():g} … {known.max():g}, {between:,} between 0 and 1)",
            "log2 fold changes, of both signs",
            hint=_HINT + "; if the table has one direction alone, log2",
        )
    # Fold changes with a sign leave a gap from -1 to 1; a list cut at |log2FC| > 1 has no other rows.
    if not signed and len(known) >= FEW and np.abs(known).min() >= 1:
        raise DataError(
            where, f"column {name!r}: no effect lies between -1 and 1", "log2 fold changes", hint=_HINT
        )
