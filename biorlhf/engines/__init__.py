"""torch, transformers, peft, bitsandbytes and vllm live here, and only here; no ray."""

import os

# Large tensors on huge pages: a step on a CPU writes gigabytes of memory that the system hands out page by
# page. torch reads this when it first allocates, so it stands before any import of torch.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
