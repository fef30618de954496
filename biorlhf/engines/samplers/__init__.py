"""Samplers: vLLM, transformers, and a scripted one, behind one contract."""
