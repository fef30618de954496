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
    same, apart = compared(own, there, tokenizers[0], prompts)
    print(f"largest difference of a token's log-probability: {apart:.2e} nats; same answers: {same} of 20")
    assert same == 20
    assert apart < 1e-2


def compared(own, there, tokenizer, prompts: list[str]) -> tuple[int, float]:
    """How many greedy answers of ``own`` are those of ``there``; how far log-probabilities lie apart."""
    tokenizer.padding_side = "left"
    asked = tokenizer(prompts, return_tensors="pt", padding=True)
    made = own.generate(
        **asked, max_new_tokens=24, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    length = len(made.logits)
    answers_P_T = made.sequences[:, -length:]
    mask = torch.cat([asked["attention_mask"], torch.ones_like(answers_P_T)], dim=1)
    with torch.no_grad():
        logits = there(
            made.sequences,
            attention_mask=mask,
            position_ids=(mask.cumsum(-1) - 1).clamp(min=0),
            logits_to_keep=length + 1,
        ).logits[:, :-1]
    logprobs = [x.log_softmax(-1) for x in (torch.stack(made.logits, dim=1), logits)]
    # Alike at every place of one text, the greedy answers are alike from their first token to their last.
    alike_P = torch.eq(*(x.argmax(-1) for x in logprobs)).all(dim=1)
    ours, theirs = (x.gather(-1, answers_P_T[..., None]) for x in logprobs)
    return int(alike_P.sum()), (ours - theirs).abs().max().item()
