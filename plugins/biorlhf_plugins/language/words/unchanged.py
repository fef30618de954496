"""A change that is denied: "does not appear to be affected", "cannot be regarded as significant", "did not
pass the 5 % FDR cut-off". Told by a negation, small words, and what it denies: no list has the sentences."""

from __future__ import annotations

from collections.abc import Sequence

NEGATIONS = (
    ("not",), ("cannot",), ("never",), ("no",), ("without",), ("fail", "to"), ("failed", "to"),
    ("failing", "to"), ("far", "from"), ("nowhere", "near"), ("absent", "from"), ("missing", "from"),
)  # fmt: skip
OPENS = frozenset(words[0] for words in NEGATIONS)
ADVERBS = frozenset(("significantly", "differentially"))
HEADS = ADVERBS | frozenset((
    "significant", "significance", "changed", "change", "altered", "alter", "alteration", "affected",
    "affect", "regulated", "regulation", "perturbed", "perturb", "differ", "different", "difference", "shift",
    "shifted", "respond", "react", "hit", "deg", "de", "influence", "influenced", "impacted",
))  # fmt: skip
OF_NO = frozenset(("change", "alteration", "regulation", "difference", "shift", "significance"))
"""What "no" denies: "no hit" and "no DEG" count."""
BETWEEN = frozenset((
    "be", "been", "being", "is", "are", "to", "appear", "seem", "found", "shown", "seen", "observed", "as",
    "considered", "regarded", "called", "deemed", "judged", "counted", "have", "has", "show", "any", "a",
    "an", "the", "statistically", "clearly", "strongly", "really", "markedly", "appreciably", "detectably",
    "much", "greatly", "largely", "consistently", "real", "clear", "meaningful", "true", "genuine", "strong",
    "marked", "among", "one", "of", "list", "in", "support", "indicate", "suggest", "statistical", "overall",
    "detectable", "appreciable", "evidence", "sign", "for", "itself",
))  # fmt: skip
PASSING = frozenset((
    "pass", "reach", "meet", "survive", "clear", "cross", "attain", "achieve", "hold", "withstand", "make",
))  # fmt: skip
LIMITS = frozenset(("significance", "threshold", "cutoff", "cut", "filter", "correction", "testing", "alpha"))
BEFORE_LIMIT = frozenset((
    "the", "our", "a", "any", "usual", "conventional", "chosen", "statistical", "genome", "wide", "multiple",
    "fdr", "q", "p", "padj", "value", "%", "percent", "adjusted", "level", "of", "for", "up", "under",
    "customary", "common", "after", "significant",
))  # fmt: skip
CALLS = frozenset(("call", "consider", "regard", "deem", "count", "judge", "treat"))
ENDS = frozenset((
    ".", ",", ";", ":", "!", "?", "\n", "(", "but", "and", "because", "since", "that", "which", "whether",
))  # fmt: skip
AMONG = frozenset(("between", "among", "across", "in", "of", "for"))
"""Behind "without a difference" these tell between what; the change that is told before stays."""
SUPPORTED = frozenset(("supported", "backed", "robust", "secured", "solid"))
LISTED = frozenset(("among", "list", "one", "in"))
SETS = frozenset(("pathway", "set", "gene", "term", "hit", "signature", "deg"))
CHANCES = frozenset(("p", "padj", "fdr", "q", "qvalue", "pvalue"))
REACH = 7


def unchanged(texts: Sequence[str], index: int, end: int) -> tuple[int, int]:
    """The tokens from a negation on that say "no change": (first, last); (0, 0) for none.

    ``end``: where a longer negation ends that is known, "one cannot call". They begin behind it where what is
    not to be called a change stands between: "I would not call Hypoxia *changed*".
    """
    if end > index and texts[end - 1] in CALLS:
        return _called(texts, end)
    begun = next((n for n in NEGATIONS if tuple(texts[index : index + len(n)]) == n), None)
    if begun is None:
        return 0, 0
    first, best = index + len(begun), 0
    heads = OF_NO if begun == ("no",) or begun == ("without",) else HEADS
    # "Far from our cut-off" is said of a p value on either side of it.
    if begun[0] in ("far", "nowhere") and (end := limit(texts, first)) and "significance" in texts[first:end]:
        return index, end
    for at in range(first, min(first + REACH, len(texts))):
        word = texts[at]
        if word in CALLS:
            return _called(texts, at + 1)
        if word in PASSING and (end := limit(texts, at + 1)):
            return index, end
        supported = word in SUPPORTED and texts[at - 1] == "statistically"
        if word in heads or supported or (best and best == at and word in HEADS):
            best = at + 1
        elif word not in BETWEEN and word not in ADVERBS and word != "significant":
            break
        if best and word not in ADVERBS and word != "significant":
            break
    if best and texts[best : best + 1] and texts[best] in SETS and not LISTED.isdisjoint(texts[index:best]):
        best += 1  # "not among the significant pathways"
    apart = begun == ("without",) or (index > 0 and texts[index - 1] == "with")  # "with no real difference"
    opens = index == 0 or texts[index - 1] in (".", "\n")  # "Without any change of Glycolysis, Hypoxia falls"
    if best and apart and not opens and heads is OF_NO and not AMONG.isdisjoint(texts[best : best + 1]):
        return 0, 0  # "up, without a difference between the sexes"
    return (index, best) if best else (0, 0)


def limit(texts: Sequence[str], at: int) -> int:
    """Where a limit of significance ends that begins here, "our 5 % FDR cut-off"; 0 where none does."""
    for index in range(at, min(at + REACH, len(texts))):
        word = texts[index]
        if word in LIMITS and texts[index : index + 2] != ["cut", "and"]:
            return index + 1 + (texts[index + 1 : index + 2] in (["off"], ["threshold"], ["level"]))
        if word not in BEFORE_LIMIT and not word[:1].isdigit():
            break
    return 0


def of_chance(texts: Sequence[str], index: int) -> bool:
    """Whether a p value is named before a token: it is what "is far above the cut-off"."""
    return not CHANCES.isdisjoint(texts[max(0, index - REACH - 2) : index])


def _called(texts: Sequence[str], at: int) -> tuple[int, int]:
    for index in range(at, min(at + 2 * REACH, len(texts))):
        if texts[index] in ENDS:
            break
        if texts[index] in HEADS and texts[index] not in OF_NO:
            return index, index + 1
    return 0, 0
