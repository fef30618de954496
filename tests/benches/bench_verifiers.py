"""Speed of the four verifiers: ``python tests/benches/bench_verifiers.py``. Prints ms and ratios."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from biorlhf import Question
from biorlhf.ground_truth import gold_answer, instruction
from biorlhf.plugins import load
from biorlhf_plugins.language import extract
from biorlhf_plugins.language.block import find_block
from biorlhf_plugins.truth.judged import judge

VERIFIERS = ("factual", "pathway", "consistency", "uncertainty")
GRADING = ("factual", "pathway", "uncertainty")
"""Those that need nothing but the block of an answer that ends with one."""

QUESTION = Question(
    "bench",
    "In mouse thymus during spaceflight (flight vs ground), is E2F Targets upregulated or downregulated?",
    {
        "pathway": "HALLMARK_E2F_TARGETS",
        "direction": "DOWN",
        "tissue": "thymus",
        "contrast": "flight_vs_ground",
        "answerable": True,
        "check": "internal_consistency",
        "facts": [{"entity": "soleus", "condition": "HU", "quantity": "DEG count", "value": 6425}],
    },
)
ASKED = replace(QUESTION, instruction=instruction(QUESTION.ground_truth))
BLOCK = f"\n\nAnswer: {gold_answer(QUESTION.ground_truth)}\nConfidence: 80%"
SENTENCES = (
    "In the soleus, hindlimb unloading causes 6,425 DEGs (3,251 up and 3,174 down), but radiation only 67.",
    "E2F Targets is not upregulated in flight thymus; it falls (NES = -2.1, padj = 0.003).",
    "The interferon-gamma response is higher in flight than in ground controls, and OXPHOS is unchanged.",
    "By contrast, the liver shows 4,110 DEGs under HU, i.e. about 1.6 times fewer.",
    "If one expected a compensatory rise of G2M checkpoint genes, the data do not support it.",
)
USUAL = {880: 300, 1200: 408}
"""Characters of such an answer, and how many tokens SmolLM2's tokenizer makes of them."""
ADVERSARIAL = {
    "negations": "E2F Targets " + "not " * 40_000 + "upregulated",
    "letters": "E2F Targets " + "a" * 120_000,
    "digits": "1" * 110_000,
    "commas": "1," * 60_000,
    "confidences": "Confidence: 95% sure. " * 6_000,
    "hedges": "uncertain unclear unknown cannot determine " * 2_600,
    "brackets": "(" * 110_000,
    "quotes": '"up" ' * 22_000,
    "table": "| soleus | 6,425 | up |\n" * 4_600,
    "tags": "<" * 110_000,
    "comments": "<!-- " * 22_000,
    "list": "soleus, liver, heart, " * 5_000 + "up",
    "numbers": "soleus 6,425 and " * 6_500,
    "unicode": "ＩＦＮ－γ ↑ в flight " * 6_500,
    "spaces": "1 " * 55_000,
    "corrections": "sorry, correction: soleus has 6,425. " * 3_000,
    "underscores": "HALLMARK_" * 12_000,
    "newlines": "\n" * 110_000,
    "sums": "1 + 2 + 3 = 6 " * 8_000,
}


def completion(words: int) -> str:
    """Prose of about that many words."""
    text = " ".join(SENTENCES) + " Confidence: 80%. "
    return text * max(1, round(words / len(text.split())))


def milliseconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def score_all(verifiers: list, text: str, question: Question = QUESTION) -> None:
    """One completion through all verifiers, without what an earlier call has read."""
    forget()
    for verifier in verifiers:
        verifier.score(question, text)


def forget() -> None:
    """Nothing of an earlier call is remembered: neither a reading nor a judgement."""
    sys.modules[extract.__module__]._extract.cache_clear()
    sys.modules[judge.__module__]._judge.cache_clear()
    find_block.cache_clear()


def median(work: Callable[[], object]) -> float:
    """Median ms of 200 calls, after 50 that warm the caches of words and questions."""
    for _ in range(50):
        work()
    return statistics.median(milliseconds(work) for _ in range(200))


def measure() -> dict[str, float]:
    """Median ms of a usual answer, without and with a block (all verifiers; those that grade the block),
    worst ms of 100 kB, worst ratio when a text doubles."""
    catalogue = load(entry_points=False)
    verifiers = [catalogue.build("verifier", name, {}) for name in VERIFIERS]
    grading = [verifiers[VERIFIERS.index(name)] for name in GRADING]
    usual = {}
    for characters, tokens in USUAL.items():
        text = completion(220)[:characters]
        usual[f"{tokens}_tokens_ms"] = median(lambda text=text: score_all(verifiers, text))
        if tokens == 300:
            text = text[: characters - len(BLOCK)] + BLOCK
            usual["300_tokens_block_ms"] = median(lambda text=text: score_all(verifiers, text, ASKED))
            usual["300_tokens_block_graded_ms"] = median(lambda text=text: score_all(grading, text, ASKED))
    worst, ratio = 0.0, 0.0
    for name, attack in ADVERSARIAL.items():
        times = {}
        for size in (100_000, 200_000, 500_000, 1_000_000):
            text = (attack * (size // len(attack) + 1))[:size]
            times[size] = min(milliseconds(lambda text=text: score_all(verifiers, text)) for _ in range(3))
        grown = max(times[200_000] / times[100_000], times[1_000_000] / times[500_000])
        print(f"{name:12s} 100 kB {times[100_000]:6.1f} ms  1 MB {times[1_000_000]:6.1f} ms  ×2: {grown:.2f}")
        worst, ratio = max(worst, times[100_000]), max(ratio, grown)
    return {**usual, "worst_100kB_ms": worst, "worst_ratio": ratio}


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key:26s} {value:8.2f}")
