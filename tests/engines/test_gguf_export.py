"""The 135M model as a GGUF file, read back by transformers: the same answers, and what F16 allows."""

from __future__ import annotations

import pytest
import torch

pytestmark = pytest.mark.engine


def test_the_135m_model_answers_twenty_questions_alike_before_and_after_gguf(tmp_path):
    pytest.importorskip("gguf", reason="gguf is not installed")
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    from biorlhf import plugins
    from biorlhf.engines.models import gguf_file
    from biorlhf.engines.models.base_files import resolve_base
    from biorlhf.engines.models.merging import base_tensors

    base = resolve_base("smollm2-135m-instruct")
    gguf_file.write(tmp_path / "model.gguf", base, base_tensors(base), "f16")
    place = {"pretrained_model_name_or_path": str(tmp_path), "gguf_file": "model.gguf"}
    there = AutoModelForCausalLM.from_pretrained(
        **place, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    ).eval()
    own = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    tokenizers = [AutoTokenizer.from_pretrained(base), AutoTokenizer.from_pretrained(**place)]
    questions = plugins.catalogue().build("dataset", "kmp", {"max_questions": 20}).questions[:20]
    assert len(questions) == 20
    prompts = [question.asked for question in questions]
    assert all(torch.equal(*(t(p, return_tensors="pt")["input_ids"] for t in tokenizers)) for p in prompts)
    tokenizer = tokenizers[0]
    tokenizer.padding_side = "left"
    asked = tokenizer(prompts, return_tensors="pt", padding=True)
    answers = own.generate(**asked, max_new_tokens=24, do_sample=False)[:, asked["input_ids"].shape[1] :]
    apart, same = 0.0, 0
    for prompt, answer in zip(prompts, answers, strict=True):
        ids = torch.cat([tokenizer(prompt, return_tensors="pt")["input_ids"][0], answer])[None]
        with torch.no_grad():
            logprobs = [m(ids).logits[0, -25:-1].log_softmax(-1) for m in (own, there)]
        # Alike at every place of one text, the greedy answers are alike from their first token to their last.
        same += torch.equal(*(x.argmax(-1) for x in logprobs))
        gaps = [x.gather(-1, answer[:, None]) for x in logprobs]
        apart = max(apart, (gaps[0] - gaps[1]).abs().max().item())
    print(f"largest difference of a token's log-probability: {apart:.2e} nats; same answers: {same} of 20")
    assert same == 20
    assert apart < 1e-2
