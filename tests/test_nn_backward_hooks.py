"""Do hooks on a module see the gradients at its doors, and can they replace them?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn


class Two(nn.Module):
    """Two inputs, a constant and two outputs."""

    def forward(self, a, b, scale):
        return a * b * scale, a + b


def leaf(*values):
    return mt.tensor(np.array(values), requires_grad=True)


def test_a_hook_sees_the_gradients_of_all_inputs_and_outputs_together():
    a, b, seen = leaf(2.0, 3.0), leaf(5.0, 7.0), []
    module = Two()
    module.register_full_backward_hook(lambda m, dx, dy: seen.append((m, dx, dy)))
    product, total = module(a, b, 2.0)
    (product.sum() + 10 * total.sum()).backward()
    ((m, dx, dy),) = seen
    assert m is module
    assert [None if g is None else g.tolist() for g in dx] == [[20.0, 24.0], [14.0, 16.0], None]
    assert [g.tolist() for g in dy] == [[1.0, 1.0], [10.0, 10.0]]
    assert a.grad.tolist() == [20.0, 24.0]


def test_what_a_hook_returns_takes_the_place_of_the_gradients_and_the_next_hook_sees_it():
    a, b, seen = leaf(2.0), leaf(5.0), []
    module = Two()
    module.register_full_backward_hook(lambda m, dx, dy: (dx[0] * 100, dx[1], None))
    handle = module.register_full_backward_hook(lambda m, dx, dy: seen.append(dx[0].tolist()))
    module(a, b, 1.0)[0].sum().backward()
    assert a.grad.tolist() == [500.0]
    assert b.grad.tolist() == [2.0]
    assert seen == [[500.0]]
    handle.remove()
    module(a, b, 1.0)[0].sum().backward()
    assert seen == [[500.0]]


def test_an_output_that_is_not_used_has_a_gradient_of_zeros():
    seen = []
    module = Two()
    module.register_full_backward_hook(lambda m, dx, dy: seen.append([g.tolist() for g in dy]))
    module(leaf(2.0), leaf(5.0), 1.0)[1].sum().backward()
    assert seen == [[[0.0], [1.0]]]


def test_without_an_input_that_requires_a_gradient_the_hook_runs_when_the_outputs_gradient_is_there():
    seen = []
    layer = nn.Linear(2, 1)
    layer.register_full_backward_hook(lambda m, dx, dy: seen.append((dx, dy[0].tolist())))
    layer(np.ones((1, 2), np.float32)).sum().backward()
    assert seen == [((None,), [[1.0]])]


def test_a_pre_hook_sees_the_gradients_of_the_outputs_first_and_may_replace_them():
    x, seen, layer = leaf(0.5), [], nn.Identity()
    layer.register_full_backward_hook(lambda m, dx, dy: seen.append((dx[0].item(), dy[0].item())))
    handle = layer.register_full_backward_pre_hook(lambda m, dy: (dy[0] * 10,))
    (layer(x) * 2).sum().backward()
    assert seen == [(20.0, 20.0)]
    assert x.grad.tolist() == [20.0]
    handle.remove()
    with (
        layer.register_full_backward_pre_hook(lambda m, dy: dy[0].sum()),
        pytest.raises(mt.GradientError, match=r"shapes \[\(\)\], wanted \[\(1,\)\], one for each Tensor of the out"),
    ):
        (layer(x) * 2).sum().backward()


@pytest.mark.parametrize("when", ["forward_pre", "forward", "full_backward", "full_backward_pre"])
def test_a_hook_that_cannot_be_called_is_refused_when_it_comes(when):
    with pytest.raises(mt.ArgumentError, match=r"Tanh: a \w+ hook: got 3, a int; it takes a function"):
        getattr(nn.Tanh(), f"register_{when}_hook")(3)


def test_gradients_of_gradients_pass_through_the_gates():
    x = leaf(0.5)
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda m, dx, dy: dx[0] * 3)
    (g,) = mt.grad(layer(x).sum(), [x], create_graph=True)
    t = np.tanh(0.5)
    np.testing.assert_allclose(g.numpy(), 3 * (1 - t * t))
    np.testing.assert_allclose(mt.grad(g.sum(), x).numpy(), 3 * 3 * -2 * t * (1 - t * t), rtol=1e-12)


@pytest.mark.parametrize("given", [lambda dx: dx[0].sum(), lambda dx: dx, lambda dx: (None, dx[0])])
def test_a_hook_that_returns_other_shapes_is_refused_with_both(given):
    layer = nn.Tanh()
    layer.register_full_backward_hook(lambda m, dx, dy: given(dx) if given(dx) is not dx else (dx[0], dx[0]))
    with pytest.raises(
        mt.GradientError, match=r"a backward hook of Tanh returned gradients of shapes .*, wanted \[\(2,\)\]"
    ):
        layer(leaf(0.5, 1.0)).sum().backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_what_a_hook_writes_into_its_gradients_counts_and_reaches_no_other_gradient(create_graph):
    def scale(m, dx, dy):
        dx[0][...] = dx[0] * 10

    x, other, layer = leaf(0.5), leaf(1.0), nn.Identity()
    layer.register_full_backward_hook(scale)
    (layer(x) + other).sum().backward(create_graph=create_graph)
    assert (x.grad.tolist(), other.grad.tolist()) == ([10.0], [1.0])


def test_without_hooks_no_gate_is_recorded():
    x = leaf(0.5)
    assert [n.op for n in mt.Graph.of(nn.Tanh()(x)).nodes] == [None, "tanh"]


@pytest.mark.parametrize(
    ("layer", "operation"),
    [
        (nn.ReLU(), mt.relu),
        (nn.Tanh(), mt.tanh),
        (nn.Sigmoid(), mt.sigmoid),
        (nn.SiLU(), mt.silu),
        (nn.GELU(), mt.gelu),
        (nn.GELU("tanh"), lambda x: mt.gelu(x, approximate="tanh")),
        (nn.LeakyReLU(0.2), lambda x: mt.leaky_relu(x, negative_slope=0.2)),
        (nn.ELU(0.5), lambda x: mt.elu(x, alpha=0.5)),
        (nn.Softplus(), mt.softplus),
        (nn.Softmax(0), lambda x: mt.softmax(x, axis=0)),
        (nn.LogSoftmax(), mt.log_softmax),
        (nn.LogSigmoid(), mt.log_sigmoid),
        (nn.GLU(0), lambda x: mt.glu(x, axis=0)),
    ],
    ids=lambda x: repr(x) if isinstance(x, nn.Module) else "",
)
def test_an_activation_layer_is_the_operation_of_its_name(layer, operation):
    x = mt.tensor(np.linspace(-2, 2, 6).reshape(2, 3))
    np.testing.assert_array_equal(nn.Sequential(layer)(x).numpy(), operation(x).numpy())


def test_a_model_moves_to_another_dtype_with_its_gradients_and_integers_stay():
    layer = nn.Linear(2, 1)
    layer.register_buffer("steps", np.array(3))
    layer.register_buffer("mean", np.array([0.5], np.float32))
    weight = layer.weight
    layer(np.ones((1, 2), np.float32)).sum().backward()
    assert layer.double() is layer
    assert layer.weight is weight
    assert {t.dtype.name for t in (layer.weight, layer.bias, layer.mean, layer.weight.grad)} == {"float64"}
    assert layer.steps.dtype.kind == "i"
    assert layer.half()(np.ones((1, 2), np.float16)).dtype == np.float16
    assert layer.float().weight.dtype == np.float32
    with pytest.raises(mt.DtypeError, match=r"Linear.to: got int64, wanted float16, float32 or float64"):
        layer.to(int)
    with pytest.raises(mt.DtypeError, match=r"Linear.to: got cuda, wanted float16, float32 or float64"):
        layer.to("cuda")
