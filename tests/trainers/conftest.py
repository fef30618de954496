"""A model small enough to be trained in seconds: two layers, random weights, one token per word."""

from __future__ import annotations

import pytest

WORDS = [
    "what",
    "does",
    "the",
    "heart",
    "liver",
    "soleus",
    "eye",
    "thymus",
    "spleen",
    "skin",
    "lung",
    "show",
    "under",
    "flight",
    "rest",
    "radiation",
    "ask",
    "say",
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "genes",
    "up",
    "down",
    "not",
    "sure",
    "certain",
    "?",
]


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory):
    """A folder that transformers loads: a Llama of 2 layers and 64 dimensions, and its tokenizer."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny_model")
    vocabulary = {word: n for n, word in enumerate(["<unk>", "<end>", "<pad>", *WORDS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<end>", pad_token="<pad>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=64,
        eos_token_id=1,
        pad_token_id=2,
        bos_token_id=None,
        tie_word_embeddings=False,
        initializer_range=0.2,
    )
    LlamaForCausalLM(config).save_pretrained(folder, safe_serialization=True)
    return folder
