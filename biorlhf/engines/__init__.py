"""torch, transformers, peft, bitsandbytes and vllm live here, and only here; no ray."""
