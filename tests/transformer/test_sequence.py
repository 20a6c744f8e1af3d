"""Do the layers say what they take, in the user's terms?"""

import re

import numpy as np
import pytest

import minitorch as mt
from transformer import RNN, MultiHeadAttention, scaled_dot_product_attention

LAYERS = {"RNN": lambda: RNN(8, 8), "MultiHeadAttention": lambda: MultiHeadAttention(8)}
WRONG = {
    (3, 8): "x of shape (3, 8) has 2 axes; it takes 3, (batch, n, 8). Use x[None]?",
    (1, 3, 5): "x of shape (1, 3, 5); axis -1 is 5, it takes width 8.",
    (1, 0, 8): "x of shape (1, 0, 8); axis 1 is empty, it takes at least one position.",
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("shape", WRONG)
def test_a_wrong_shape_names_the_layer_the_axis_and_the_users_line(name, shape):
    with pytest.raises(mt.ShapeError, match=re.escape(f"{name}: {WRONG[shape]}")) as caught:
        LAYERS[name]()(mt.tensor(np.ones(shape)))
    assert "test_sequence.py" in str(caught.value)


def test_a_causal_row_before_the_first_key_sees_nothing_and_gives_zeros():
    x = np.random.default_rng(0).standard_normal
    Q, K, V = (mt.tensor(x(shape), requires_grad=True) for shape in ((4, 2), (2, 2), (2, 3)))
    causal = scaled_dot_product_attention(Q, K, V, causal=True)
    masked = scaled_dot_product_attention(Q, K, V, np.tri(4, 2, -2, dtype=bool))
    assert np.array_equal(causal.numpy(), masked.numpy())
    assert not causal.numpy()[:2].any()
    assert causal.numpy()[2:].all()
    assert all(np.isfinite(g.numpy()).all() for g in mt.grad(causal.sum(), [Q, K, V]))


@pytest.mark.parametrize("make", [lambda: RNN(3, -1), lambda: RNN(0, 3), lambda: MultiHeadAttention(0)])
def test_a_layer_without_width_is_refused(make):
    with pytest.raises(mt.ShapeError, match=r"(RNN|MultiHeadAttention): .*; a width is at least 1"):
        make()
