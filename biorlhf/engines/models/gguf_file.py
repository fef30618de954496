"""A model folder as one GGUF file, written with the package ``gguf``: Llama, Mistral, Qwen2 and Qwen3.

Names of tensors, keys and quantisation are that package's. What it leaves to its callers stands here: which
architecture a config is, the order of rotary rows in Llama's queries and keys, and the tokenizer's tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from biorlhf.errors import InputError
from biorlhf.inputs.extras import need

#: transformers' model_type -> the architecture's name in a GGUF file.
ARCHITECTURES = {"llama": "llama", "mistral": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
DTYPES = ("f16", "bf16", "f32", "q8_0")
FILE = "model.gguf"


def write(path: Path, folder: Path, tensors: Iterator[tuple[str, Tensor]], dtype: str) -> None:
    """Write ``tensors`` (by transformers' names) with the config and tokenizer of ``folder``.

    Vectors stay in fp32, as readers expect; matrices are rounded to ``dtype``.

    Raises:
        InputError: another architecture, scaled rotary positions, or a tokenizer that GGUF cannot hold.
    """
    gguf = need("gguf", "--format gguf")
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    name = _architecture(config)
    writer = gguf.GGUFWriter(path, name, use_temp_file=True)
    _write_config(writer, config)
    writer.add_file_type({"f32": 0, "f16": 1, "q8_0": 7, "bf16": 32}[dtype])
    _write_tokenizer(writer, gguf, folder, int(config["vocab_size"]))
    names = gguf.get_tensor_name_map(_enum(gguf, name), config["num_hidden_layers"])
    for given, tensor in tensors:
        if given == "lm_head.weight" and config.get("tie_word_embeddings"):
            continue  # it is the embedding, which is written under its own name
        mapped = names.get_name(given, try_suffixes=(".weight", ".bias"))
        if mapped is None:
            raise InputError("--format gguf", f"the tensor {given} has no place in a {name} file")
        values = tensor.float().numpy()
        if name == "llama":
            values = _rotary(given, values, config)
        kind = gguf.GGMLQuantizationType[dtype.upper() if values.ndim > 1 else "F32"]
        writer.add_tensor(mapped, gguf.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _architecture(config: Mapping[str, Any]) -> str:
    found = str(config.get("model_type"))
    if found not in ARCHITECTURES:
        raise InputError("--format gguf", f"a model of type {found!r}", choices=ARCHITECTURES, name=found)
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = str(rope.get("rope_type") or rope.get("type") or "default")
    if kind != "default":
        raise InputError(
            "--format gguf", f"rotary positions of type {kind!r}", "default: --format merged keeps them"
        )
    return ARCHITECTURES[found]


def _enum(gguf: Any, name: str) -> Any:
    return next(key for key, value in gguf.MODEL_ARCH_NAMES.items() if value == name)


def _write_config(writer: Any, config: Mapping[str, Any]) -> None:
    heads, width = int(config["num_attention_heads"]), int(config["hidden_size"])
    head = int(config.get("head_dim") or width // heads)
    rope = config.get("rope_parameters") or {}
    # A window is attention that ends earlier: within it both are alike.
    longest = min(int(config["max_position_embeddings"]), int(config.get("sliding_window") or 2**31))
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(longest)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(heads)
    writer.add_head_count_kv(int(config.get("num_key_value_heads") or heads))
    writer.add_layer_norm_rms_eps(float(config["rms_norm_eps"]))
    writer.add_rope_freq_base(float(rope.get("rope_theta") or config.get("rope_theta") or 10000.0))
    writer.add_rope_dimension_count(head)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_vocab_size(int(config["vocab_size"]))


def _rotary(name: str, values: Any, config: Mapping[str, Any]) -> Any:
    """Llama's queries and keys with the two halves of a head interleaved: GGUF turns neighbours, transformers
    turns halves."""
    for part, key in (("q_proj", "num_attention_heads"), ("k_proj", "num_key_value_heads")):
        if f".{part}." in name:
            heads = int(config.get(key) or config["num_attention_heads"])
            halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
            return np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(values.shape)
    return values


def _write_tokenizer(writer: Any, gguf: Any, folder: Path, size: int) -> None:
    from transformers import AutoTokenizer

    data = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    model = data["model"]
    if model.get("type") != "BPE":
        raise InputError("--format gguf", f"a tokenizer of type {model.get('type')!r}", "BPE")
    sentencepiece = bool(model.get("byte_fallback"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    special = {token["id"]: bool(token["special"]) for token in data.get("added_tokens") or ()}
    texts = {number: text for text, number in tokenizer.get_vocab().items()}
    kinds = gguf.TokenType
    tokens, types = [], []
    for number in range(size):
        text = texts.get(number)
        # Models round their embedding up: those rows stand for nothing.
        tokens.append(f"[PAD{number}]" if text is None else text)
        if text is None:
            types.append(kinds.UNUSED)
        elif number in special:
            types.append(kinds.CONTROL if special[number] else kinds.USER_DEFINED)
        else:
            types.append(kinds.BYTE if sentencepiece and _is_byte(text) else kinds.NORMAL)
    writer.add_tokenizer_model("llama" if sentencepiece else "gpt2")
    writer.add_tokenizer_pre("default" if sentencepiece else _pre_tokenizer(data.get("pre_tokenizer") or {}))
    writer.add_token_list(tokens)
    # Readers take merges, or make them from the scores.
    if sentencepiece or not model["merges"]:
        writer.add_token_scores(_scores(tokens, model["merges"]))
    writer.add_token_types(types)
    gguf.SpecialVocab(folder, load_merges=bool(model["merges"]), n_vocab=size).add_to_gguf(writer, quiet=True)
    _write_special(writer, tokenizer, size)


def _is_byte(text: str) -> bool:
    return len(text) == 6 and text.startswith("<0x") and text.endswith(">")


def _write_special(writer: Any, tokenizer: Any, size: int) -> None:
    """Ids that the tokenizer's own files leave to the config, where the above has not written them."""
    known = {key for group in writer.kv_data for key in group}
    for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding")):
        number = getattr(tokenizer, f"{name}_token_id", None)
        # A tokenizer's class may add a token of its own that the model has no row for.
        if number is not None and number < size and f"tokenizer.ggml.{key}_token_id" not in known:
            getattr(writer, f"add_{name}_token_id")(number)
    if "tokenizer.ggml.add_bos_token" not in known:
        writer.add_add_bos_token(bool(tokenizer("a")["input_ids"][:1] == [tokenizer.bos_token_id]))
    if "tokenizer.chat_template" not in known and tokenizer.chat_template:
        writer.add_chat_template(tokenizer.chat_template)


def _pre_tokenizer(section: Mapping[str, Any]) -> str:
    """llama.cpp's name for the way in which a byte-level tokenizer cuts a text before it merges."""
    text = json.dumps(section)
    if r"\\p{Lu}" in text:
        return "tekken"
    if r"\\p{N}{1,3}" in text:
        return "llama-bpe"
    if r"\\p{N}" in text:
        return "qwen2"
    if '"Digits"' in text:
        return "smollm"
    return "gpt-2"


def _scores(tokens: list[str], merges: list[Any]) -> list[float]:
    """What is merged earlier scores higher, as in the SentencePiece model that the merges were made from."""
    rank = {"".join(m if isinstance(m, list) else m.split(" ", 1)): -float(n) for n, m in enumerate(merges)}
    return [rank.get(token, 0.0 if len(token) == 1 else -1e6) for token in tokens]
