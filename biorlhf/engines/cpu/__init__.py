"""What makes a CPU fast: compiled row operations, products, memory, vLLM's settings."""
