"""Is the encoder block what the two papers draw, norm after and norm before?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from tests.transformer import loops
from transformer import RNN, EncoderBlock, FeedForward, MultiHeadAttention


def _feedforward(f: FeedForward, x: np.ndarray) -> np.ndarray:
    W_1, b_1, W_2, b_2 = (p.numpy() for p in f.parameters())
    return np.maximum(0, x @ W_1.T + b_1) @ W_2.T + b_2


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("mixer", [lambda: RNN(6, 6), lambda: MultiHeadAttention(6, 2, causal=True)])
def test_the_block_equals_its_equations_in_numpy(rng, norm, mixer):
    block, x = EncoderBlock(6, mixer(), norm=norm), rng.standard_normal((2, 4, 6))
    mix = lambda v: block.mixer(mt.tensor(v)).numpy()
    if norm == "post":
        y = loops.layer_norm(x + mix(x))
        z = loops.layer_norm(y + _feedforward(block.feedforward, y))
    else:
        y = x + mix(loops.layer_norm(x))
        z = y + _feedforward(block.feedforward, loops.layer_norm(y))
    np.testing.assert_allclose(block(mt.tensor(x)).numpy(), z, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("norm", ["post", "pre"])
@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_the_whole_block_equal_central_differences(rng, norm, order):
    block = EncoderBlock(4, MultiHeadAttention(4, 2, causal=True), 6, norm=norm)
    mt.gradcheck(block, rng.standard_normal((1, 3, 4)), order=order)


def test_the_hidden_width_is_four_times_d_unless_given():
    assert EncoderBlock(4, RNN(4, 4)).feedforward.W_1.weight.shape == (16, 4)
    assert EncoderBlock(4, RNN(4, 4), 5).feedforward.W_1.weight.shape == (5, 4)


def test_an_unknown_norm_names_those_that_exist():
    with pytest.raises(ValueError, match=r"'mid'.*'pre' or 'post'"):
        EncoderBlock(4, RNN(4, 4), norm="mid")  # type: ignore[arg-type]
