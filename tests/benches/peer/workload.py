"""The same work for both sides: prompts, texts and a reward, drawn from templates. Standard library only."""

from __future__ import annotations

import random
from dataclasses import dataclass

BASE = "smollm2-135m-instruct"
LIMIT = 64  # new tokens of a sampled answer
BETA = 0.02
GRPO_PROMPTS = 4
GRPO_RANK, SFT_RANK, DPO_RANK = 32, 64, 16
SFT_BATCH, DPO_BATCH = 8, 4
ALPACA = "### Instruction:\n{}\n\n### Response:\n"

#: Sentences of an SFT answer. The published KMP instruction texts have a mean of 110 tokens and deciles of
#: 40, 46, 53, 58, 66, 78, 117, 192 and 252 (SmolLM2's tokenizer); these draws give such lengths.
SENTENCES = (1, 1, 1, 2, 2, 3, 4, 7, 10, 14)
TISSUES = ("heart", "liver", "soleus", "hippocampus", "skin", "spleen")
CONDITIONS = ("hindlimb unloading", "simulated radiation", "both together", "neither of them")


@dataclass(frozen=True)
class Text:
    """A question, a right answer of about 80 tokens, and a wrong one."""

    prompt: str
    chosen: str
    rejected: str


def text(number: int) -> Text:
    """The same text for the same number, on both sides."""
    draw = random.Random(number)
    tissue, condition = draw.choice(TISSUES), draw.choice(CONDITIONS)
    total = draw.randrange(200, 9000)
    share = draw.randrange(20, 80)
    up = total * share // 100
    prompt = f"How many genes respond in the {tissue} under {condition}, and in which direction?"
    answer = (
        f"In the {tissue}, {{0}} genes respond under {condition}. Of these {{1}} are higher than in the "
        f"controls and {{2}} are lower, so that {{3}} percent of the response goes up. The adjusted p-value "
        f"of each lies below the usual threshold. A count says nothing about the size of a single change. "
        f"Confidence: {{4}}%"
    )
    other = total + draw.randrange(100, 900)
    return Text(
        prompt,
        answer.format(f"{total:,}", f"{up:,}", f"{total - up:,}", share, 90),
        answer.format(f"{other:,}", f"{total - up:,}", f"{up:,}", 100 - share, 99),
    )


def texts(count: int) -> list[Text]:
    return [text(number) for number in range(count)]


def instruction(number: int) -> Text:
    """A text for SFT, as long as real ones: one or two short facts, or a paragraph."""
    draw = random.Random(1000 + number)
    answer = ""
    for _ in range(draw.choice(SENTENCES)):
        tissue, other = draw.sample(TISSUES, 2)
        count, condition = draw.randrange(200, 9000), draw.choice(CONDITIONS)
        answer += f"The {tissue} shows {count:,} genes under {condition}, more than the {other}. "
    prompt = f"Which genes respond in the {draw.choice(TISSUES)}?"
    return Text(prompt, answer.strip(), "")


def instructions(count: int) -> list[Text]:
    return [instruction(number) for number in range(count)]


def reward(completion: str) -> float:
    """Share of the words that hold a figure: cheap, and different from answer to answer."""
    words = completion.split()
    return sum(any(c.isdigit() for c in word) for word in words) / len(words) if words else 0.0
