"""Do attention to a memory and the blocks equal PyTorch's, outputs and every gradient, with copied weights?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minitorch as mt
from transformer import DecoderBlock, EncoderBlock, MultiHeadAttention
from transformer.mask import real_tokens

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
close = {"rtol": 0, "atol": 1e-10}
D, H, F = 8, 4, 12


def _leaf(array: np.ndarray):
    return torch.tensor(array.copy(), dtype=torch.float64, requires_grad=True)


def _attention(ours: MultiHeadAttention, theirs: Any) -> list[tuple[list[Any], Any]]:
    """(ours, one after the other; theirs, all in one) for each parameter."""
    into = [ours.W_q, ours.W_k, ours.W_v]
    return [
        ([w.weight for w in into], theirs.in_proj_weight),
        ([w.bias for w in into], theirs.in_proj_bias),
        ([ours.W_o.weight], theirs.out_proj.weight),
        ([ours.W_o.bias], theirs.out_proj.bias),
    ]


def _same(ours: Any, theirs: Any) -> list[tuple[list[Any], Any]]:
    return [([ours.weight], theirs.weight), ([ours.bias], theirs.bias)]


def _copy(pairs: list[tuple[list[Any], Any]], rng: np.random.Generator) -> None:
    """The same random numbers into both, biases and norms too."""
    with torch.no_grad(), mt.no_grad():
        for ours, theirs in pairs:
            drawn = rng.standard_normal(tuple(theirs.shape)) / 2
            theirs.copy_(torch.tensor(drawn))
            for p, part in zip(ours, np.split(drawn, len(ours)), strict=True):
                p[...] = part


def _compare(pairs, inputs, ours: Any, theirs: Any, g: np.ndarray) -> None:
    """Outputs, and the gradients of inputs and parameters for the cotangent g."""
    mine, leaves = [mt.tensor(x, requires_grad=True) for x in inputs], [_leaf(x) for x in inputs]
    y, theirs_y = ours(*mine), theirs(*leaves)
    np.testing.assert_allclose(y.numpy(), theirs_y.detach().numpy(), **close)
    y.backward(mt.tensor(g))
    theirs_y.backward(torch.tensor(g))
    for x, leaf in zip(mine, leaves, strict=True):
        np.testing.assert_allclose(x.grad.numpy(), leaf.grad.numpy(), **close)
    for parameters, theirs_p in pairs:
        got = np.concatenate([p.grad.numpy() for p in parameters])
        np.testing.assert_allclose(got, theirs_p.grad.numpy(), **close)
        assert np.abs(got).max() > 1e-3 or parameters[0].name == "bias"


def _hidden(lengths, n):
    return torch.tensor(~real_tokens(lengths, n))


@pytest.mark.parametrize("padded", [False, True])
def test_cross_attention(rng, padded):
    ours = MultiHeadAttention(D, H, bias=True)
    theirs = torch.nn.MultiheadAttention(D, H, batch_first=True, dtype=torch.float64)
    pairs = _attention(ours, theirs)
    _copy(pairs, rng)
    lengths = [5, 3] if padded else [5, 5]
    x, y, g = (rng.standard_normal((2, n, D)) for n in (4, 5, 4))
    mask = _hidden(lengths, 5)
    _compare(
        pairs,
        [x, y],
        lambda x, y: ours(x, memory=y, real=real_tokens(lengths, 5)),
        lambda x, y: theirs(x, y, y, key_padding_mask=mask, need_weights=False)[0],
        g,
    )
    seen: list[np.ndarray] = []
    ours(mt.tensor(x), memory=mt.tensor(y), real=real_tokens(lengths, 5), attention=seen)
    X, Y = torch.tensor(x), torch.tensor(y)
    P = theirs(X, Y, Y, key_padding_mask=mask, average_attn_weights=False)[1]
    np.testing.assert_allclose(seen[0], P.detach().numpy(), **close)


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("causal", [False, True])
def test_encoder_block(rng, norm, activation, causal):
    ours = EncoderBlock(D, MultiHeadAttention(D, H, bias=True, causal=causal), F, norm=norm, activation=activation)
    theirs = torch.nn.TransformerEncoderLayer(
        D, H, F, 0.0, activation, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    )
    pairs = [
        *_attention(ours.mixer, theirs.self_attn),
        *_same(ours.feedforward.W_1, theirs.linear1),
        *_same(ours.feedforward.W_2, theirs.linear2),
        *_same(ours.norm_1, theirs.norm1),
        *_same(ours.norm_2, theirs.norm2),
    ]
    _copy(pairs, rng)
    x, g = rng.standard_normal((2, 5, D)), rng.standard_normal((2, 5, D))
    real = real_tokens([5, 4], 5)
    future = torch.triu(torch.ones(5, 5, dtype=torch.bool), 1) if causal else None
    _compare(
        pairs,
        [x],
        lambda x: ours(x, real=real),
        lambda x: theirs(x, src_mask=future, src_key_padding_mask=torch.tensor(~real)),
        g,
    )


@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_decoder_block(rng, norm, activation):
    own, cross = MultiHeadAttention(D, H, bias=True, causal=True), MultiHeadAttention(D, H, bias=True)
    ours = DecoderBlock(D, own, cross, F, norm=norm, activation=activation)
    theirs = torch.nn.TransformerDecoderLayer(
        D, H, F, 0.0, activation, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
    )
    pairs = [
        *_attention(own, theirs.self_attn),
        *_attention(cross, theirs.multihead_attn),
        *_same(ours.feedforward.W_1, theirs.linear1),
        *_same(ours.feedforward.W_2, theirs.linear2),
        *_same(ours.norm_1, theirs.norm1),
        *_same(ours.norm_2, theirs.norm2),
        *_same(ours.norm_3, theirs.norm3),
    ]
    _copy(pairs, rng)
    x, memory, g = (rng.standard_normal((2, n, D)) for n in (4, 5, 4))
    real = real_tokens([3, 5], 5)
    future = torch.triu(torch.ones(4, 4, dtype=torch.bool), 1)
    _compare(
        pairs,
        [x, memory],
        lambda x, y: ours(x, y, memory_real=real),
        lambda x, y: theirs(x, y, tgt_mask=future, memory_key_padding_mask=torch.tensor(~real)),
        g,
    )
