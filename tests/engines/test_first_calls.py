"""Functions that MKL looks up on their first call are first called from one thread."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from biorlhf.engines.cpu import first_calls


def test_every_function_that_torch_takes_from_mkl_is_called_before_a_model():
    header = Path(torch.__file__).parent / "include/ATen/cpu/vml.h"
    taken = re.findall(r"^IMPLEMENT_VML_MKL\((\w+),", header.read_text(), flags=re.MULTILINE)
    assert sorted(taken) == sorted(first_calls.FUNCTIONS)


def test_loading_a_base_calls_them_once_in_each_precision(tmp_path, monkeypatch):
    from biorlhf.engines.models.load import load_base
    from biorlhf.recipe import Model
    from tiny_model import write_tiny_model

    seen = []
    real = torch.cos
    monkeypatch.setattr(torch, "cos", lambda x: seen.append((x.dtype, x.numel())) or real(x))
    first_calls.settle.cache_clear()
    base = Model(base=str(write_tiny_model(tmp_path)), dtype="fp32")
    load_base(base)
    load_base(base)
    assert seen == [(torch.float32, 1), (torch.float64, 1)]
