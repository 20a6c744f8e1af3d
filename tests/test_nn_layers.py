"""Do the layers compute what they say, in training and evaluation, and start where they say?"""

from __future__ import annotations

import re

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


def test_a_norm_of_integers_is_that_of_the_same_floats():
    x = np.array([[3, 4]])
    for norm in (nn.RMSNorm(2), nn.LayerNorm(2)):
        np.testing.assert_array_equal(norm(x).numpy(), norm(x.astype(float)).numpy())


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


def test_layers_take_pytorchs_names_of_arguments_and_a_dtype():
    layers = [
        nn.Linear(in_features=2, out_features=3, bias=False, dtype=np.float64),
        nn.Embedding(num_embeddings=3, embedding_dim=2, padding_idx=None, dtype="float64"),
        nn.LayerNorm(normalized_shape=3, eps=1e-3, elementwise_affine=True, bias=True, dtype=np.float64),
        nn.RMSNorm(normalized_shape=3, dtype=np.float64),
        nn.GroupNorm(num_groups=1, num_channels=2, affine=True, dtype=np.float64),
        nn.Conv1d(in_channels=1, out_channels=2, kernel_size=3, padding=1, dtype=np.float64),
    ]
    assert {p.dtype for layer in layers for p in layer.parameters()} == {np.dtype(np.float64)}
    with pytest.raises(mt.DtypeError, match="int64"):
        nn.Linear(1, 1, dtype=np.int64)


def test_a_norm_over_several_axes_takes_them_as_one():
    x = np.random.default_rng(0).standard_normal((3, 2, 4))
    with mt.default_dtype(np.float64):
        norm, flat = nn.LayerNorm((2, 4)), nn.LayerNorm(8)
    nn.init.normal_(norm.weight), nn.init.normal_(norm.bias)
    flat.load_state_dict({k: v.numpy().ravel() for k, v in norm.state_dict().items()})
    np.testing.assert_array_equal(norm(x).numpy(), flat(x.reshape(3, 8)).numpy().reshape(3, 2, 4))
    assert nn.RMSNorm([2, 4])(x).shape == nn.LayerNorm((2, 4), elementwise_affine=False)(x).shape == x.shape
    with pytest.raises(mt.ShapeError, match=r"LayerNorm: the last axes of \(3, 4\) should be \(2, 4\)"):
        norm(np.ones((3, 4)))
    assert repr(nn.LayerNorm((2, 4), elementwise_affine=False)) == "LayerNorm(normalized_shape=(2, 4))"


def test_a_group_norm_brings_each_block_of_channels_to_mean_0_and_variance_1():
    norm = nn.GroupNorm(2, 4)
    y = norm(np.random.default_rng(0).standard_normal((3, 4, 5)) * 3 + 1).numpy().reshape(3, 2, 10)
    np.testing.assert_allclose(y.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(y.std(-1), 1, rtol=1e-4)
    assert [name for name, _ in norm.named_parameters()] == ["weight", "bias"]
    assert not list(nn.GroupNorm(2, 4, affine=False).parameters())
    with pytest.raises(mt.ShapeError, match=r"GroupNorm: axis 1 of \(3, 5\) should be 4"):
        norm(np.ones((3, 5)))


def test_a_convolution_layer_is_the_operation_and_starts_inside_its_bound():
    mt.seed(0)
    layer, x = nn.Conv1d(4, 64, 3, stride=2, padding=1, groups=2), np.ones((2, 4, 9), np.float32)
    assert layer.weight.shape == (64, 2, 3)
    assert 0.9 / np.sqrt(6) < np.abs(layer.weight.numpy()).max() <= 1 / np.sqrt(6)
    wanted = mt.conv1d(x, layer.weight, layer.bias, stride=2, padding=1, groups=2)
    np.testing.assert_array_equal(layer(x).numpy(), wanted.numpy())
    assert repr(layer).startswith("Conv1d(stride=2, padding=1, groups=2; 448 parameters: weight (64, 2, 3)")


def test_flatten_joins_the_axes_that_it_is_told():
    x = np.zeros((2, 3, 4, 5))
    assert nn.Flatten()(x).shape == (2, 60)
    assert nn.Flatten(0)(x).shape == (120,)
    assert nn.Flatten(start_dim=1, end_dim=-2)(x).shape == (2, 12, 5)
    with pytest.raises(mt.ShapeError, match="axis 2 to axis 1 of"):
        nn.Flatten(2, 1)(x)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.Linear(-2, 1), mt.OperandError, "Linear: in_features=-2; it must be at least 0"),
        (lambda: nn.Linear(2.0, 1), mt.DtypeError, "Linear: in_features=2.0 is a float; it takes a whole number"),
        (lambda: nn.Linear(2, None), mt.DtypeError, "Linear: out_features=None is a NoneType"),
        (lambda: nn.Embedding(3, -1), mt.OperandError, "Embedding: embedding_dim=-1"),
        (lambda: nn.Embedding(3, 1, "a"), mt.DtypeError, "Embedding: padding_idx='a' is a str"),
        (lambda: nn.Embedding(3, 1)(mt.tensor([0.5], requires_grad=True)), mt.DtypeError, "indices are float32"),
        (lambda: nn.Embedding(3, 1)([[0], [1, 2]]), mt.ShapeError, "list cannot become one array"),
        (lambda: nn.Embedding(3, 1)("ab"), mt.DtypeError, "tensor: dtype <U2"),
        (lambda: nn.Conv1d(2, 2, 0), mt.OperandError, "Conv1d: kernel_size=0; it must be at least 1"),
        (lambda: nn.Conv1d(3, 2, 1, groups=2), mt.ShapeError, "groups=2 does not divide 3 channels"),
        (lambda: nn.GroupNorm(3, 4), mt.ShapeError, "3 groups do not divide 4 channels"),
        (lambda: nn.LayerNorm(()), mt.OperandError, "LayerNorm: normalized_shape=0; it must be at least 1"),
        (lambda: nn.LayerNorm((2, 1.5)), mt.DtypeError, r"normalized_shape\[1\]=1.5 is a float"),
        (lambda: nn.LayerNorm(2, eps=None), mt.DtypeError, "LayerNorm: eps=None is a NoneType"),
        (lambda: nn.Dropout("a"), mt.OperandError, "p='a' is no probability"),
        (lambda: nn.MSELoss(reduction="average"), ValueError, "MSELoss: reduction is 'average'"),
        (lambda: nn.init.normal_(mt.Parameter([1.0]), std=-1), mt.OperandError, "normal_: std=-1; it must be at"),
        (lambda: nn.init.uniform_(mt.Parameter([1.0]), 1, 0), mt.OperandError, "uniform_: a=1 is larger than b=0"),
        (lambda: nn.init.zeros_(np.ones(2)), mt.DtypeError, "an initialiser of a ndarray; it fills a Tensor"),
        (lambda: nn.init.xavier_uniform_(np.ones((2, 2))), mt.DtypeError, "an initialiser of a ndarray"),
        (lambda: nn.orthogonal(-1), mt.OperandError, "orthogonal: n=-1; it must be at least 0"),
        (lambda: nn.uniform((2,), "a"), mt.DtypeError, "uniform: bound='a' is a str"),
        (lambda: nn.init.orthogonal_(None), mt.DtypeError, "an initialiser of a NoneType"),
        (lambda: nn.init.constant_(mt.Parameter([1.0]), "a"), mt.DtypeError, "constant_: val='a' is a str"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_refused_when_it_is_made(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert re.search(message, str(caught.value).split("\n  at ")[0])


LOSSES = {  # layer, operation with the same options
    "mse": (nn.MSELoss(reduction="sum"), lambda x, t: mt.mse_loss(x, t, "sum")),
    "huber": (nn.HuberLoss(delta=0.5), lambda x, t: mt.huber_loss(x, t, delta=0.5)),
    "kl": (nn.KLDivLoss(reduction="batchmean"), lambda x, t: mt.kl_div(x, t, "batchmean")),
    "logits": (
        nn.BCEWithLogitsLoss(pos_weight=[1.0, 2.0, 3.0]),
        lambda x, t: mt.binary_cross_entropy_with_logits(x, t, pos_weight=[1.0, 2.0, 3.0]),
    ),
    "cross entropy": (
        nn.CrossEntropyLoss([1.0, 2.0, 3.0], ignore_index=1, label_smoothing=0.1),
        lambda x, t: mt.cross_entropy(x, [0, 1], weight=[1.0, 2.0, 3.0], ignore_index=1, label_smoothing=0.1),
    ),
    "nll": (nn.NLLLoss(reduction="none"), lambda x, t: mt.nll_loss(x, [0, 1], "none")),
}


@pytest.mark.parametrize(("layer", "operation"), LOSSES.values(), ids=LOSSES)
def test_a_loss_layer_is_the_operation_of_its_name(layer, operation):
    x = mt.tensor(np.linspace(-2, 1, 6, dtype=np.float32).reshape(2, 3), requires_grad=True)
    target = [0, 1] if isinstance(layer, nn.CrossEntropyLoss | nn.NLLLoss) else np.linspace(0, 1, 6).reshape(2, 3)
    np.testing.assert_array_equal(layer(x, target).numpy(), operation(x, target).numpy())
    assert not list(layer.parameters())


def test_the_weight_of_a_loss_is_in_its_state():
    assert list(nn.CrossEntropyLoss([1.0, 2.0]).state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []


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
        ours, theirs = ([
            of.LayerNorm(5), of.RMSNorm(5), of.RMSNorm(5, 1e-3), of.LayerNorm((3, 5)),
            of.LayerNorm((3, 5), 1e-2, False),
            of.GroupNorm(3, 3), of.Conv1d(3, 4, 2, stride=2, dilation=2, padding=1), of.Linear(5, 5), of.Flatten(),
            of.LogSigmoid(),
        ] for of in (nn, torch.nn))  # fmt: skip
    for a, b in zip(ours, theirs, strict=True):
        a.load_state_dict(b.double().state_dict())
        np.testing.assert_allclose(a(mt.tensor(x)).numpy(), b.double()(torch.tensor(x)).detach().numpy(), rtol=1e-12)


@pytest.mark.torch
def test_losses_are_pytorchs():
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(0)
    x, q, classes = draw.standard_normal((4, 3)), draw.random((4, 3)), np.array([0, 2, 1, 1])
    w = np.array([1.0, 2.0, 0.5])
    cases = [
        (lambda of, t: of.CrossEntropyLoss(t(w), ignore_index=2, label_smoothing=0.1), classes),
        (lambda of, t: of.NLLLoss(t(w), reduction="sum"), classes),
        (lambda of, t: of.BCEWithLogitsLoss(t(w), pos_weight=t(2 * w)), q),
        (lambda of, t: of.MSELoss(reduction="none"), q),
        (lambda of, t: of.HuberLoss(delta=0.3), q),
        (lambda of, t: of.KLDivLoss(reduction="batchmean", log_target=True), q),
    ]
    for make, target in cases:
        ours, theirs = make(nn, mt.tensor), make(torch.nn, torch.tensor)
        wanted = theirs(torch.tensor(x), torch.tensor(target)).numpy()
        np.testing.assert_allclose(ours(mt.tensor(x), target).numpy(), wanted, rtol=1e-12)
        assert list(ours.state_dict()) == list(theirs.state_dict())
