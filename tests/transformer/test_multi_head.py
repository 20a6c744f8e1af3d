"""Do the heads read their own columns, and does a causal layer never look ahead?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from tests.transformer import loops
from transformer import MultiHeadAttention


def _by_heads(layer: MultiHeadAttention, x: np.ndarray) -> np.ndarray:
    """The same for one sentence (n, d), head by head; head i owns column block i of W_q, W_k, W_v."""
    W_q, W_k, W_v, W_o = (w.weight.numpy().T for w in (layer.W_q, layer.W_k, layer.W_v, layer.W_o))
    n, d = x.shape
    sees = np.tri(n, dtype=bool) if layer.causal else np.ones((n, n), bool)
    blocks = [slice(i * d // layer.h, (i + 1) * d // layer.h) for i in range(layer.h)]
    return np.hstack([loops.attention(x @ W_q[:, b], x @ W_k[:, b], x @ W_v[:, b], sees) for b in blocks]) @ W_o


@pytest.mark.parametrize("h", [1, 2, 3, 6])
@pytest.mark.parametrize("causal", [False, True])
def test_it_equals_single_heads_side_by_side_in_order(rng, h, causal):
    layer, x = MultiHeadAttention(6, h, causal=causal), 3 * rng.standard_normal((2, 5, 6))
    y = layer(mt.tensor(x)).numpy()
    for s in range(2):
        np.testing.assert_allclose(y[s], _by_heads(layer, x[s]), rtol=1e-12, atol=1e-14)


def test_one_mask_serves_all_heads_and_one_for_each_is_possible(rng):
    layer, x = MultiHeadAttention(4, 2), rng.standard_normal((3, 5, 4))
    sees = np.tri(5, dtype=bool)
    same = layer(mt.tensor(x), mask=sees).numpy()
    assert np.array_equal(same, layer(mt.tensor(x), mask=np.broadcast_to(sees, (3, 2, 5, 5))).numpy())
    np.testing.assert_allclose(same[0], _by_heads_causal(layer, x[0]), rtol=1e-12)


def _by_heads_causal(layer, x):
    layer.causal = True
    return _by_heads(layer, x)


@pytest.mark.parametrize("changed", range(5))
def test_changing_a_future_token_changes_no_past_output(rng, changed):
    layer, x = MultiHeadAttention(4, 2, causal=True), rng.standard_normal((1, 5, 4))
    other = x.copy()
    other[0, changed] += 1
    before, after = layer(mt.tensor(x)).numpy()[0], layer(mt.tensor(other)).numpy()[0]
    assert np.array_equal(before[:changed], after[:changed])
    assert (before[changed:] != after[changed:]).any(-1).all()


def test_without_the_mask_every_output_sees_every_token(rng):
    layer, x = MultiHeadAttention(4, 2), rng.standard_normal((1, 5, 4))
    other = x.copy()
    other[0, 4] += 1
    assert (layer(mt.tensor(x)).numpy() != layer(mt.tensor(other)).numpy()).any(-1).all()


@pytest.mark.parametrize("h", [5, 0, -1, 24])
def test_heads_that_do_not_divide_the_width_are_told_which_do(h):
    with pytest.raises(mt.ShapeError, match=rf"{h} heads .* width 12; .*Heads that do: 1, 2, 3, 4, 6, 12\."):
        MultiHeadAttention(12, h)


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_equal_central_differences(rng, order):
    mt.gradcheck(MultiHeadAttention(4, 2, causal=True), rng.standard_normal((1, 3, 4)), order=order)


def test_one_token_gives_queries_and_keys_exactly_zero_gradient(rng):
    layer = MultiHeadAttention(4, 2, causal=True)
    layer(mt.tensor(rng.standard_normal((1, 1, 4)))).sum().backward()
    zero = {name for name, p in layer.named_parameters() if p.grad is not None and not p.grad.numpy().any()}
    assert zero == {"W_q.weight", "W_k.weight"}
