"""Do the windows see what they should, and nothing beyond?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from transformer.convolution import Convolution, ConvolutionStack


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("k", "dilation"), [(1, 1), (2, 1), (3, 1), (3, 2), (4, 1), (2, 5)])
def test_a_window_is_the_sum_of_its_equation(rng, k, dilation, causal):
    layer, x = Convolution(3, k, dilation=dilation, causal=causal), rng.standard_normal((2, 6, 3))
    W, b = layer.W.weight.numpy(), layer.W.bias.numpy()  # W (out, in, k)
    first = -dilation * (k - 1) if causal else -(dilation * (k - 1) // 2)
    wanted = np.zeros_like(x) + b
    for i in range(6):
        for s in range(k):
            if 0 <= (j := i + first + s * dilation) < 6:
                wanted[:, i] += x[:, j] @ W[:, :, s].T
    np.testing.assert_allclose(layer(mt.tensor(x)).numpy(), wanted, rtol=0, atol=1e-13)


def test_a_stack_adds_what_each_window_finds_to_what_it_read(rng):
    stack, x = ConvolutionStack(4, layers=2), rng.standard_normal((2, 6, 4))
    y = x
    for layer in stack.layers:
        y = y + np.maximum(0, layer(mt.tensor(y)).numpy())
    np.testing.assert_allclose(stack(mt.tensor(x)).numpy(), y, rtol=0, atol=1e-13)


@pytest.mark.parametrize("dilated", [True, False])
@pytest.mark.parametrize(("k", "layers"), [(2, 3), (3, 2), (2, 4)])
def test_a_causal_stack_reads_the_last_positions_of_its_reach_and_no_others(rng, k, layers, dilated):
    stack, n = ConvolutionStack(16, layers=layers, k=k, dilated=dilated), 20
    assert stack.reach == (k**layers if dilated else layers * (k - 1) + 1)
    x = mt.tensor(rng.standard_normal((1, n, 16)), requires_grad=True)
    (g,) = mt.grad(stack(x)[0, -1].sum(), [x])
    read = np.flatnonzero(g.numpy()[0].any(-1))
    assert read.tolist() == list(range(n - stack.reach, n))


@pytest.mark.parametrize("causal", [True, False])
def test_padding_and_what_stands_in_it_change_nothing(rng, causal):
    stack, x = ConvolutionStack(4, layers=2, causal=causal), rng.standard_normal((2, 6, 4))
    real = np.arange(6) < np.array([[4], [6]])
    x[0, 4:] = np.nan
    y = stack(mt.tensor(x), real).numpy()
    np.testing.assert_allclose(y[0, :4], stack(mt.tensor(x[:1, :4])).numpy()[0], rtol=0, atol=1e-13)
    assert np.isfinite(y[1]).all()


def test_gradients_equal_central_differences(rng):
    mt.gradcheck(ConvolutionStack(2, layers=2, k=2), rng.standard_normal((2, 5, 2)))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Convolution(4, 0), "Convolution: k=0; it is at least 1"),
        (lambda: Convolution(4, dilation=0), "Convolution: dilation=0"),
        (lambda: ConvolutionStack(4, layers=0), "ConvolutionStack: layers=0"),
        (lambda: Convolution(4)(mt.tensor(np.ones((2, 3)))), r"Convolution: x of shape \(2, 3\) has 2 axes"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(make, said):
    with pytest.raises(mt.ShapeError, match=said):
        make()
