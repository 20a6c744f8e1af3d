"""Is the RNN the equation that its docstring states?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from tests.transformer import loops
from transformer import RNN
from transformer.recurrent import SMALL


@pytest.mark.parametrize("init", ["uniform", "orthogonal"])
@pytest.mark.parametrize(("batch", "n"), [(1, 1), (2, 7)])
def test_states_equal_a_hand_written_loop(rng, init, batch, n):
    layer = RNN(3, 4, init=init)
    x = rng.standard_normal((batch, n, 3))
    expected = loops.rnn(x, *(p.numpy() for p in layer.parameters()))
    np.testing.assert_allclose(layer(mt.tensor(x)).numpy(), expected, rtol=1e-13)


def test_gradients_of_input_and_weights_equal_central_differences(rng):
    layer = RNN(2, 3)
    names = [name for name, _ in layer.named_parameters()]

    def run(x, *weights):
        for name, w in zip(names, weights, strict=True):
            object.__setattr__(layer, name, w)
        return layer(x)

    mt.gradcheck(run, rng.standard_normal((2, 4, 2)), *[p.numpy() for p in layer.parameters()], order=2)


def test_default_weights_lie_within_one_over_the_root_of_the_state_width():
    layer = RNN(30, 100)
    for p in layer.parameters():
        assert 0.09 < np.abs(p.numpy()).max() <= 0.1


def test_orthogonal_init_has_an_orthogonal_recurrent_matrix_and_small_input_weights():
    layer = RNN(6, 100, init="orthogonal")
    W_h = layer.W_h.numpy()
    np.testing.assert_allclose(W_h @ W_h.T, np.eye(100), atol=1e-13)
    for p in (layer.W_x, layer.b):
        assert 0.7 * SMALL / 10 < np.abs(p.numpy()).max() <= SMALL / 10


def test_an_unknown_init_names_those_that_exist():
    with pytest.raises(ValueError, match=r"'xavier'.*'uniform' or 'orthogonal'"):
        RNN(2, 2, init="xavier")  # type: ignore[arg-type]


def test_changing_a_token_leaves_all_earlier_states_alone(rng):
    layer, x = RNN(3, 4), rng.standard_normal((1, 6, 3))
    changed = x.copy()
    changed[:, 4] += 1
    before, after = layer(mt.tensor(x)).numpy(), layer(mt.tensor(changed)).numpy()
    assert np.array_equal(before[:, :4], after[:, :4])
    assert (before[:, 4:] != after[:, 4:]).all()
