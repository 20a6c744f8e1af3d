"""Do the layers equal PyTorch's, outputs and every gradient, with copied weights?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from transformer import RNN, MultiHeadAttention

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
close = {"rtol": 0, "atol": 1e-10}


def _leaf(array: np.ndarray):
    return torch.tensor(array.copy(), dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("init", ["uniform", "orthogonal"])
def test_rnn(rng, init):
    ours = RNN(5, 7, init=init)
    theirs = torch.nn.RNN(5, 7, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(torch.tensor(ours.W_x.numpy().T.copy()))
        theirs.weight_hh_l0.copy_(torch.tensor(ours.W_h.numpy().T.copy()))
        theirs.bias_ih_l0.copy_(torch.tensor(ours.b.numpy()))
        theirs.bias_hh_l0.zero_()
    x, g = rng.standard_normal((3, 9, 5)), rng.standard_normal((3, 9, 7))
    leaf, theirs_x = mt.tensor(x, requires_grad=True), _leaf(x)
    y, theirs_y = ours(leaf), theirs(theirs_x)[0]
    np.testing.assert_allclose(y.numpy(), theirs_y.detach().numpy(), **close)
    dx, dW_x, dW_h, db = mt.grad(y, [leaf, ours.W_x, ours.W_h, ours.b], g)
    theirs_y.backward(torch.tensor(g))
    np.testing.assert_allclose(dx.numpy(), theirs_x.grad.numpy(), **close)
    np.testing.assert_allclose(dW_x.numpy(), theirs.weight_ih_l0.grad.numpy().T, **close)
    np.testing.assert_allclose(dW_h.numpy(), theirs.weight_hh_l0.grad.numpy().T, **close)
    np.testing.assert_allclose(db.numpy(), theirs.bias_ih_l0.grad.numpy(), **close)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("h", [1, 4])
def test_multi_head_attention(rng, h, causal):
    d, n = 8, 6
    ours = MultiHeadAttention(d, h, causal=causal)
    theirs = torch.nn.MultiheadAttention(d, h, bias=False, batch_first=True, dtype=torch.float64)
    into = [ours.W_q.weight, ours.W_k.weight, ours.W_v.weight]
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.tensor(np.vstack([w.numpy() for w in into])))
        theirs.out_proj.weight.copy_(torch.tensor(ours.W_o.weight.numpy().copy()))
    x, g = rng.standard_normal((3, n, d)), rng.standard_normal((3, n, d))
    leaf, theirs_x = mt.tensor(x, requires_grad=True), _leaf(x)
    hidden = torch.triu(torch.ones(n, n, dtype=torch.bool), 1) if causal else None
    y, theirs_y = ours(leaf), theirs(theirs_x, theirs_x, theirs_x, attn_mask=hidden, need_weights=False)[0]
    np.testing.assert_allclose(y.numpy(), theirs_y.detach().numpy(), **close)
    dx, *dW = mt.grad(y, [leaf, *into, ours.W_o.weight], g)
    theirs_y.backward(torch.tensor(g))
    np.testing.assert_allclose(dx.numpy(), theirs_x.grad.numpy(), **close)
    dW_in = np.split(theirs.in_proj_weight.grad.numpy(), 3)
    for ours_g, theirs_g in zip(dW, [*dW_in, theirs.out_proj.weight.grad.numpy()], strict=True):
        np.testing.assert_allclose(ours_g.numpy(), theirs_g, **close)
