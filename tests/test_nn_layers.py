"""Do the layers compute what they say, in training and evaluation, and start where they say?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn

# -- layers ------------------------------------------------------------------------------------------------------------


def test_rms_norm_divides_by_the_root_of_the_mean_square_and_its_derivatives_are_right():
    with mt.default_dtype(np.float64):
        norm = nn.RMSNorm(5, eps=0.1)
    nn.init.normal_(norm.weight)
    x = np.random.default_rng(0).standard_normal((2, 5)) * 3 + 1
    wanted = x / np.sqrt((x**2).mean(-1, keepdims=True) + 0.1) * norm.weight.numpy()
    np.testing.assert_allclose(norm(mt.tensor(x)).numpy(), wanted, rtol=1e-14)
    assert mt.gradcheck(norm, x, order=1) < 1e-7
    assert mt.gradcheck(norm, x, order=2) < 1e-7


def test_rms_norm_without_eps_takes_the_machine_epsilon_of_its_input():
    x = np.full((1, 2), 1e-4, np.float32)
    np.testing.assert_allclose(nn.RMSNorm(2)(x).numpy(), x / np.sqrt(1e-8 + np.finfo(np.float32).eps), rtol=1e-6)


def test_norms_take_arrays_and_refuse_another_width():
    for norm in (nn.LayerNorm(3), nn.RMSNorm(3)):
        assert norm(np.ones((2, 3), np.float32)).dtype == np.float32
        with pytest.raises(mt.ShapeError, match=rf"{type(norm).__name__}: the last axis of \(2, 4\) should be 3"):
            norm(np.ones((2, 4)))


def test_layer_norm_without_bias_has_one_parameter():
    norm = nn.LayerNorm(3, bias=False)
    assert [name for name, _ in norm.named_parameters()] == ["weight"]
    assert norm(mt.tensor([[1.0, 2.0, 3.0]])).numpy().mean() == pytest.approx(0, abs=1e-6)


def test_dropout_keeps_the_mean_and_sends_the_gradient_only_where_it_kept():
    mt.seed(0)
    x = mt.tensor(np.ones((100, 100)), requires_grad=True)
    y = nn.Dropout(0.25)(x)
    kept = y.numpy() != 0
    assert kept.mean() == pytest.approx(0.75, abs=0.02)
    np.testing.assert_allclose(y.numpy()[kept], 1 / 0.75)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), np.where(kept, 1 / 0.75, 0))


def test_dropout_in_evaluation_and_of_probability_0_is_the_input_itself():
    x = mt.tensor([1.0, 2.0])
    assert nn.Dropout(0.9).eval()(x) is x
    assert nn.Dropout(0.0)(x) is x
    assert not nn.Dropout(1.0)(x).numpy().any()


def test_dropout_masks_follow_the_seed():
    x, drop = np.ones(50, np.float32), nn.Dropout(0.5)
    first, second = (np.asarray((mt.seed(s), drop(x))[1]) for s in (1, 2))
    mt.seed(1)
    np.testing.assert_array_equal(np.asarray(drop(x)), first)
    assert not np.array_equal(first, second)
    assert not np.array_equal(np.asarray(drop(x)), first)
    assert np.asarray(drop(x)).dtype == np.float32


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_dropout_refuses_what_is_no_probability(p):
    with pytest.raises(ValueError, match="is no probability"):
        nn.Dropout(p)


@pytest.mark.parametrize("padding", [1, -3])
def test_the_padding_row_of_an_embedding_starts_at_zero_and_gets_no_gradient(padding):
    layer = nn.Embedding(4, 2, padding_idx=padding)
    assert not layer.weight.numpy()[1].any()
    assert layer.weight.numpy()[[0, 2, 3]].all()
    nn.init.ones_(layer.weight)  # a pretrained row is read as it is
    y = layer([[0, 1], [1, 3]])
    assert y.numpy().all()
    (y * np.arange(8.0).reshape(2, 2, 2)).sum().backward()
    assert layer.weight.grad.numpy().tolist() == [[0, 1], [0, 0], [0, 0], [6, 7]]
    assert repr(layer) == "Embedding(padding_idx=1; 8 parameters: weight (4, 2))"


def test_a_padding_that_is_no_token_is_refused():
    with pytest.raises(mt.ShapeError, match=r"padding_idx=4 is none of the 4 tokens 0 \.\.\. 3"):
        nn.Embedding(4, 2, padding_idx=4)


def test_identity_is_the_input():
    assert nn.Identity()(3) == 3


# -- where training starts ---------------------------------------------------------------------------------------------

BIG = (300, 500)


def filled(fill, shape=BIG, dtype=np.float32, **options):
    mt.seed(0)
    t = mt.Parameter(np.zeros(shape, dtype))
    assert fill(t, **options) is t
    assert t.dtype == dtype
    return t.numpy()


NORMAL = {  # initialiser, options -> standard deviation for a (d_out, d_in) = (300, 500) matrix
    "normal": (nn.init.normal_, {"std": 0.5}, 0.5),
    "xavier": (nn.init.xavier_normal_, {"gain": 2.0}, 2 * np.sqrt(2 / 800)),
    "kaiming in": (nn.init.kaiming_normal_, {}, np.sqrt(2 / 500)),
    "kaiming out": (nn.init.kaiming_normal_, {"mode": "fan_out"}, np.sqrt(2 / 300)),
    "kaiming leaky": (nn.init.kaiming_normal_, {"a": 0.5}, np.sqrt(2 / 1.25 / 500)),
    "kaiming tanh": (nn.init.kaiming_normal_, {"nonlinearity": "tanh"}, 5 / 3 / np.sqrt(500)),
}
UNIFORM = {  # ... -> bound
    "uniform": (nn.init.uniform_, {"a": -2.0, "b": 2.0}, 2.0),
    "xavier": (nn.init.xavier_uniform_, {"gain": 2.0}, 2 * np.sqrt(6 / 800)),
    "kaiming in": (nn.init.kaiming_uniform_, {}, np.sqrt(6 / 500)),
    "kaiming out": (nn.init.kaiming_uniform_, {"mode": "fan_out", "nonlinearity": "linear"}, np.sqrt(3 / 300)),
}


@pytest.mark.parametrize(("fill", "options", "std"), NORMAL.values(), ids=NORMAL)
def test_normal_initialisers_have_their_standard_deviation_and_a_normal_shape(fill, options, std):
    w = filled(fill, **options) / std
    assert w.mean() == pytest.approx(0, abs=0.02)
    assert w.std() == pytest.approx(1, rel=0.01)
    assert (np.abs(w) < 1).mean() == pytest.approx(0.6827, abs=0.005)


@pytest.mark.parametrize(("fill", "options", "bound"), UNIFORM.values(), ids=UNIFORM)
def test_uniform_initialisers_fill_their_interval_evenly(fill, options, bound):
    w = filled(fill, **options) / bound
    assert 0.9999 < np.abs(w).max() <= 1 + 1e-6
    assert w.mean() == pytest.approx(0, abs=0.01)
    assert (np.abs(w) < 0.5).mean() == pytest.approx(0.5, abs=0.005)


def test_the_fans_of_a_convolution_count_its_kernel():
    assert nn.init.fans((8, 4, 3, 5)) == (60, 120)
    w = filled(nn.init.kaiming_normal_, (200, 40, 9))
    assert w.std() == pytest.approx(np.sqrt(2 / 360), rel=0.02)


def test_an_initialiser_keeps_a_relu_networks_signals_at_one_size():
    mt.seed(0)
    x = np.random.default_rng(0).standard_normal((100, 256)).astype(np.float32)
    first = (x**2).mean()
    for _ in range(20):
        layer = nn.Linear(256, 256, bias=False)
        nn.init.kaiming_normal_(layer.weight)
        x = mt.relu(layer(x)).numpy()
    assert 0.3 < (x**2).mean() / first * 2 < 3


@pytest.mark.parametrize("shape", [(4, 4), (3, 5), (5, 3), (4, 2, 3)])
def test_orthogonal_fills_with_orthonormal_rows_or_columns(shape):
    w = filled(nn.init.orthogonal_, shape, np.float64, gain=2.0).reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4 * np.eye(len(gram)), atol=1e-12)


def test_constants_fill_and_a_tensor_without_entries_needs_none():
    assert filled(nn.init.ones_, (2,)).tolist() == [1, 1]
    assert filled(nn.init.zeros_, (2,)).tolist() == [0, 0]
    assert filled(nn.init.constant_, (2,), val=3).tolist() == [3, 3]
    assert filled(nn.init.xavier_uniform_, (0, 0)).size == 0


def test_initialisers_say_what_they_cannot_fill():
    with pytest.raises(mt.ShapeError, match=r"fans need at least 2 axes"):
        nn.init.xavier_normal_(mt.Parameter([1.0]))
    with pytest.raises(ValueError, match="no gain is known for nonlinearity='swish'; it can be linear"):
        nn.init.kaiming_normal_(mt.Parameter(np.ones((2, 2))), nonlinearity="swish")
    with pytest.raises(ValueError, match="mode='fan'; it can be 'fan_in' or 'fan_out'"):
        nn.init.kaiming_normal_(mt.Parameter(np.ones((2, 2))), mode="fan")
    with pytest.raises(mt.ShapeError, match=r"values of shape \(1,\) do not fill a tensor of shape \(2,\)"):
        nn.state.write(mt.Parameter([1.0, 2.0]), np.ones(1))


def test_the_same_seed_fills_with_the_same_numbers_in_every_dtype():
    narrow, wide = (filled(nn.init.normal_, (5,), dtype) for dtype in (np.float32, np.float64))
    np.testing.assert_array_equal(wide.astype(np.float32), narrow)


@pytest.mark.torch
def test_gains_are_pytorchs():
    torch = pytest.importorskip("torch")
    for name, more in [("linear", ()), ("conv1d", ()), ("tanh", ()), ("relu", ()), ("selu", ()), ("leaky_relu", (0.3,)),
                       ("leaky_relu", ()), ("sigmoid", ())]:  # fmt: skip
        assert nn.init.calculate_gain(name, *more) == pytest.approx(
            torch.nn.init.calculate_gain(name, *more), rel=1e-15
        )


@pytest.mark.torch
def test_layers_are_pytorchs():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).standard_normal((2, 3, 5))
    with mt.default_dtype(np.float64):
        ours = [nn.LayerNorm(5), nn.RMSNorm(5), nn.RMSNorm(5, 1e-3)]
    theirs = [torch.nn.LayerNorm(5), torch.nn.RMSNorm(5), torch.nn.RMSNorm(5, 1e-3)]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a(x).numpy(), b.double()(torch.tensor(x)).detach().numpy(), rtol=1e-12)
