"""Is attention PyTorch's, values and gradients?  Run with `pytest -m torch` where PyTorch is installed."""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.ops import attention_chunked

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore::UserWarning")]

rng = np.random.default_rng(9)
SOME = rng.random((2, 1, 5, 6)) < 0.5
SOME[..., 0] = True  # PyTorch's own gradients of a row without keys are NaN in some versions
ADDED = rng.standard_normal((4, 5, 6))
# name: (shapes of Q, K, V; options for us; options for PyTorch)
CASES = {
    "plain": ([(2, 4, 5, 3), (2, 4, 6, 3), (2, 4, 6, 2)], {}, {}),
    "causal": ([(2, 4, 6, 3), (2, 4, 6, 3), (2, 4, 6, 2)], {"causal": True}, {"is_causal": True}),
    "boolean": ([(2, 4, 5, 3), (2, 4, 6, 3), (2, 4, 6, 2)], {"mask": SOME}, {"attn_mask": torch.tensor(SOME)}),
    "additive": ([(2, 4, 5, 3), (2, 4, 6, 3), (2, 4, 6, 2)], {"mask": ADDED}, {"attn_mask": torch.tensor(ADDED)}),
    "scale": ([(2, 4, 5, 3), (2, 4, 6, 3), (2, 4, 6, 2)], {"scale": 0.3}, {"scale": 0.3}),
    "grouped queries": ([(2, 6, 5, 3), (2, 2, 6, 3), (2, 2, 6, 2)], {}, {"enable_gqa": True}),
    "one position": ([(1, 1, 1, 3), (1, 1, 1, 3), (1, 1, 1, 2)], {"causal": True}, {"is_causal": True}),
}


@pytest.mark.parametrize("method", ["dense", "chunked"])
@pytest.mark.parametrize("name", CASES)
def test_its_value_and_gradients_are_those_of_pytorch(name, method, monkeypatch):
    monkeypatch.setattr(attention_chunked, "_ROWS", 2)
    monkeypatch.setattr(attention_chunked, "_ENTRIES", 1)
    shapes, options, theirs = CASES[name]
    arrays = [rng.standard_normal(s) for s in shapes]
    a = [mt.tensor(x, requires_grad=True) for x in arrays]
    b = [torch.tensor(x, requires_grad=True) for x in arrays]
    mine = mt.scaled_dot_product_attention(*a, **options, method=method)
    wanted = torch.nn.functional.scaled_dot_product_attention(*b, **theirs)
    np.testing.assert_allclose(mine.numpy(), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    g = rng.standard_normal(mine.shape)
    for got, want in zip(mt.grad(mine, a, g), torch.autograd.grad(wanted, b, torch.tensor(g)), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("method", ["dense", "chunked"])
def test_the_softcap_is_that_of_the_formula_in_pytorch(method):
    arrays = [rng.standard_normal(s) for s in ((4, 5, 3), (4, 6, 3), (4, 6, 2))]
    a = [mt.tensor(x, requires_grad=True) for x in arrays]
    Q, K, V = b = [torch.tensor(x, requires_grad=True) for x in arrays]
    mine = mt.scaled_dot_product_attention(*a, ADDED, softcap=0.9, method=method)
    capped = 0.9 * torch.tanh(Q @ K.mT / 3**0.5 / 0.9) + torch.tensor(ADDED)
    wanted = torch.softmax(capped, -1) @ V
    np.testing.assert_allclose(mine.numpy(), wanted.detach().numpy(), rtol=1e-10, atol=1e-12)
    for got, want in zip(mt.grad(mine.sum(), a), torch.autograd.grad(wanted.sum(), b), strict=True):
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-10, atol=1e-12)
