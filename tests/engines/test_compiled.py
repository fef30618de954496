"""The compiled operations of a CPU beside torch's formulas, and what happens where none can be compiled."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
import torch
from torch.nn import functional as F

from biorlhf.engines.cpu import native, panels, rowwise

pytestmark = pytest.mark.skipif(rowwise.compiled() is None, reason="there is no C compiler here")


@pytest.fixture(autouse=True)
def fixed_numbers():
    torch.manual_seed(0)


def rms_norm(x, weight):
    return weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5)


def rotated(x, cosine, sine):
    heads = x.unflatten(-1, (-1, cosine.shape[-1]))
    a, b = heads.chunk(2, dim=-1)
    return (heads * cosine.unsqueeze(1) + torch.cat([-b, a], -1) * sine.unsqueeze(1)).flatten(-2)


def angles(rows: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    turn = torch.randn(rows, size // 2).repeat(1, 2)
    return turn.cos(), turn.sin()


def assert_same(ours, plain, inputs):
    """Values, and gradients with respect to the inputs."""
    assert torch.allclose(ours, plain, rtol=1e-5, atol=1e-6)
    towards = torch.randn_like(ours)
    found = torch.autograd.grad((ours * towards).sum(), inputs)
    right = torch.autograd.grad((plain * towards).sum(), inputs)
    for a, b in zip(found, right, strict=True):
        assert (a - b).abs().max() <= 2e-5 * b.abs().max()


@pytest.mark.parametrize("width", [3, 15, 64, 100])
@pytest.mark.parametrize("rows", [1, 33])
def test_norm_and_activation_and_their_gradients_are_those_of_the_formula(rows, width):
    x, up = (torch.randn(2, rows, width, requires_grad=True) for _ in range(2))
    weight = torch.randn(width)
    assert_same(rowwise.RmsNorm.apply(x, weight, 1e-5), rms_norm(x, weight), (x,))
    assert_same(rowwise.SwiGlu.apply(x, up), F.silu(x) * up, (x, up))


@pytest.mark.parametrize("size", [2, 16, 64])
@pytest.mark.parametrize("heads", [1, 3])
def test_a_rotation_and_its_gradient_are_those_of_the_formula(heads, size):
    x = torch.randn(7, heads * size, requires_grad=True)
    turn = angles(7, size)
    assert_same(rowwise.Rotate.apply(x, *turn), rotated(x, *turn), (x,))


def test_what_is_not_contiguous_is_read_as_it_is():
    x = torch.randn(6, 2, 12).transpose(0, 1)
    weight, turn = torch.randn(12), angles(6, 4)
    assert torch.allclose(rowwise.RmsNorm.apply(x, weight, 1e-5), rms_norm(x, weight), atol=1e-6)
    gate, up = torch.randn(6, 24).chunk(2, dim=-1)
    assert torch.allclose(rowwise.swiglu(gate, up, 24), F.silu(gate) * up, atol=1e-6)
    assert torch.allclose(rowwise.Rotate.apply(x[0], *turn), rotated(x[0], *turn), atol=1e-6)


def test_large_numbers_stay_finite_and_nan_stays_visible():
    gate = torch.tensor([[-1e30, -200.0, 0.0, 200.0, 1e30], [1.0, float("nan"), 1.0, 1.0, 1.0]])
    result = rowwise.SwiGlu.apply(gate, torch.ones_like(gate))
    assert torch.allclose(result[0], torch.tensor([0.0, 0.0, 0.0, 200.0, 1e30]), atol=1e-6)
    assert result[1].isnan().tolist() == [False, True, False, False, False]
    normed = rowwise.RmsNorm.apply(gate, torch.ones(5), 1e-5)
    assert normed[1].isnan().all()
    assert softmax_between(gate[1].clone().view(1, 1, 1, 1, 5), [0], [5]).isnan().all()


def softmax_between(scores, first, end, scale=1.0):
    rowwise.softmax_between(scores, *(torch.tensor(x, dtype=torch.int32) for x in (first, end)), scale)
    return scores


def test_a_softmax_sees_only_the_keys_of_its_query():
    scores = torch.randn(2, 3, 4, 5, 9) * 20  # segments, key heads, queries, heads of a key head, keys
    first = [[0, 1, 2, 0], [0, 0, 3, 8]]
    end = [[1, 2, 7, 9], [9, 0, 4, 9]]  # the second segment's second query is padding
    key = torch.arange(9)
    seen = (key >= torch.tensor(first).unsqueeze(-1)) & (key < torch.tensor(end).unsqueeze(-1))
    mask = seen.view(2, 1, 4, 1, 9)
    right = (0.3 * scores).masked_fill(~mask, -torch.inf).softmax(-1).nan_to_num(0.0)
    ours = softmax_between(scores.clone(), first, end, 0.3)
    assert torch.allclose(ours, right, rtol=1e-5, atol=1e-7)
    assert (ours[1, :, 1] == 0).all()


def test_the_gradient_of_a_softmax_is_that_of_the_formula():
    scores = torch.randn(6, 11, requires_grad=True)
    probabilities = (0.3 * scores).softmax(-1)
    towards = torch.randn(6, 11)
    (right,) = torch.autograd.grad((probabilities * towards).sum(), scores)
    rowwise.softmax_backward(towards, probabilities.detach(), 0.3)
    assert torch.allclose(towards, right, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("rows", [0, 1, 8, 9, 33])
@pytest.mark.parametrize("outs", [1, 47, 96, 100])
@pytest.mark.parametrize("ins", [1, 65])
def test_a_product_of_few_rows_is_that_of_torch(rows, outs, ins):
    x, weight, bias = torch.randn(rows, ins), torch.randn(outs, ins), torch.randn(outs)
    packed = panels.Panels(weight)
    assert torch.allclose(packed.product(x), F.linear(x, weight), rtol=1e-5, atol=1e-5)
    assert torch.allclose(packed.product(x, bias), F.linear(x, weight, bias), rtol=1e-5, atol=1e-5)


def test_a_product_of_very_many_rows_is_that_of_torch():
    x, weight = torch.randn(1000, 8), torch.randn(50, 8)
    assert torch.allclose(panels.Panels(weight).product(x), x @ weight.t(), rtol=1e-5, atol=1e-5)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BIORLHF_CACHE", str(tmp_path))
    native.library.cache_clear()
    yield tmp_path
    native.library.cache_clear()


def test_a_file_is_compiled_once_for_every_process(cache, monkeypatch):
    assert native.library("rowwise") is not None
    (built,) = cache.rglob("*.so")
    written = built.stat().st_mtime_ns
    native.library.cache_clear()
    assert native.library("rowwise") is not None
    assert [path.stat().st_mtime_ns for path in cache.rglob("*.so")] == [written]
    assert [path for path in built.parent.iterdir() if path != built] == []


def test_without_a_compiler_it_is_said_once_and_nothing_fails(cache, monkeypatch, caplog):
    monkeypatch.setattr(native.shutil, "which", lambda name: None)
    with caplog.at_level(logging.WARNING):
        assert native.library("rowwise") is None
        assert native.library("rowwise") is None
    assert [r.getMessage() for r in caplog.records] == [
        "rowwise.c was not compiled, so steps on this CPU take longer: there is no C compiler"
    ]
    assert native.declare(None, {"rms_norm": "p"}) is None


def test_what_the_compiler_says_is_passed_on(cache, monkeypatch, caplog):
    monkeypatch.setattr(native, "FLAGS", ["--no-such-flag"])
    with caplog.at_level(logging.WARNING):
        assert native.library("panels") is None
    assert "--no-such-flag" in caplog.text
    assert list(cache.rglob("*.so")) == []


def test_a_folder_that_others_may_write_is_not_used(cache, caplog):
    folder = cache / "compiled"
    folder.mkdir()
    folder.chmod(0o777)
    with caplog.at_level(logging.WARNING):
        assert native.library("panels") is None
    assert "others may write there" in caplog.text
    assert list(folder.iterdir()) == []


FAULTS = """
import resource, sys, torch
from biorlhf.engines.cpu.memory import keep_freed_memory
if sys.argv[1] == "kept":
    keep_freed_memory()
torch.ones(2**24).add_(1)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(60):  # a few times a small piece is cut off what was freed, which then no longer fits
    torch.ones(2**24).add_(1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's malloc")
def test_memory_that_was_freed_is_used_again_without_page_faults():
    faults = {}
    for way in ("kept", "handed back"):
        done = subprocess.run([sys.executable, "-c", FAULTS, way], capture_output=True, text=True, check=True)
        faults[way] = int(done.stdout)
    assert faults["kept"] * 5 < faults["handed back"]
