"""Tiny models with random weights and a byte tokenizer, as ordinary folders.

On the tests' import path (``pythonpath`` in pyproject.toml): ``from tiny_model import write_tiny_model``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from biorlhf.errors import InputError

END, PAD = "<|end|>", "<|pad|>"
CHAT_TEMPLATE = (
    "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": None},
    "qwen2": {},
    "qwen3": {"head_dim": 16},
}


def write_tiny_model(
    folder: str | Path, architecture: str = "llama", *, seed: int = 0, **config: Any
) -> Path:
    """Write a model folder: a tokenizer, and 0.1 million fp32 weights unless ``config`` says otherwise.

    Args:
        architecture: one of ``ARCHITECTURES``.
        seed: draws the weights.
        config: keys of the transformers config, for example ``hidden_size=128``.

    Raises:
        InputError: an unknown architecture.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    if architecture not in ARCHITECTURES:
        raise InputError(
            "architecture", f"no tiny {architecture!r}", choices=ARCHITECTURES, name=architecture
        )
    tokenizer = byte_tokenizer()
    size: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 1024,
        "initializer_range": 0.1,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": False,
    }
    settings = AutoConfig.for_model(architecture, **{**size, **ARCHITECTURES[architecture], **config})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(settings, dtype=torch.float32)
    folder = Path(folder)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def byte_tokenizer() -> Any:
    """One token per byte, an end and a padding token, and a chat template."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE(vocab={c: n for n, c in enumerate(alphabet)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast: Any = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END, pad_token=PAD)
    fast.chat_template = CHAT_TEMPLATE
    return fast
