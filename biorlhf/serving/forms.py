"""What stands beside exported weights: the command that serves them, and Ollama's Modelfile."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from biorlhf.recipe.policy import Trained

# Ollama's templates are Go's; these say what the Jinja templates with the same marks say.
CHATML = """{{ if .System }}<|im_start|>system
{{ .System }}<|im_end|>
{{ end }}<|im_start|>user
{{ .Prompt }}<|im_end|>
<|im_start|>assistant
{{ .Response }}<|im_end|>
"""
ALPACA = "### Instruction:\n{{ .Prompt }}\n\n### Response:\n{{ .Response }}"
PLAIN = "{{ .Prompt }}{{ .Response }}"


def command(form: str, to: Path, chosen: Trained) -> str:
    """The shell command that serves what was written; "" where a library loads it."""
    place, model = shlex.quote(str(to)), chosen.recipe.model
    name = shlex.quote(chosen.recipe.name)
    if form == "vllm":
        rank = chosen.lora.r if chosen.lora else 16
        return (
            f"vllm serve {shlex.quote(model.base)} --enable-lora --max-lora-rank {rank} "
            f"--lora-modules {name}={place}"
        )
    if form == "merged":
        return f"vllm serve {place}"
    if form == "gguf":
        return f"llama-server -m {shlex.quote(str(to / 'model.gguf'))}"
    if form == "ollama":
        return f"ollama create {name} -f {shlex.quote(str(to / 'Modelfile'))}"
    return ""


def modelfile(chosen: Trained, chat_template: str) -> str:
    """Ollama's Modelfile: the weights beside it, and prompts in the template of training.

    ``chat_template`` is the tokenizer's own, "" where it has none. One that is neither ChatML nor of this
    project is left to Ollama, which knows the common ones by the file's metadata.
    """
    recipe = chosen.recipe
    lines = ["FROM ./model.gguf"]
    template = {"alpaca": ALPACA, "plain": PLAIN}.get(recipe.prompt.template, "")
    if recipe.prompt.template == "chat" and "<|im_start|>" in chat_template:
        template = CHATML
    if template:
        lines.append(f'TEMPLATE """{template}"""')
    if recipe.prompt.system:
        lines.append(f"SYSTEM {json.dumps(recipe.prompt.system, ensure_ascii=False)}")
    lines.append(f"PARAMETER temperature {recipe.rollout.temperature:g}")
    lines.append(f"PARAMETER num_predict {recipe.rollout.max_completion_tokens}")
    return "\n".join(lines) + "\n"
