"""Is a derivative an ordinary result, to be differentiated again?"""

from __future__ import annotations

import numpy as np

import minitorch as mt


def leaf(*values):
    return mt.tensor(np.array(values if len(values) > 1 else values[0], np.float64), requires_grad=True)


def test_third_derivatives():
    x = leaf(2.0)
    first = mt.grad(x * x * x * x, x, create_graph=True)
    second = mt.grad(first, x, create_graph=True)
    third = mt.grad(second, x)
    assert (first.item(), second.item(), third.item()) == (32.0, 48.0, 48.0)


def test_nested_derivatives_are_not_confused():
    x = leaf(1.0)
    _, pull = mt.vjp(lambda y: x + y, x)
    inner = pull(1.0, create_graph=True)[0]
    assert mt.grad(x * inner, x).item() == 1.0  # 2 would be perturbation confusion


def test_a_derivative_through_vjp_reaches_the_primal():
    x = leaf(2.0)
    _, pull = mt.vjp(lambda a: a * a * a, x)
    assert mt.grad(pull(1.0, create_graph=True)[0], x).item() == 12.0


def test_a_hessian_vector_product_reaches_the_vector_too():
    x, v = leaf(1.0, 2.0), leaf(3.0, 5.0)
    g = mt.grad((x * x * x).sum(), x, create_graph=True)
    np.testing.assert_allclose(mt.grad((g * v).sum(), [x, v])[1].numpy(), 3 * x.numpy() ** 2)


def test_a_cotangent_tensor_can_be_differentiated():
    x, c = leaf(3.0), leaf(2.0)
    g = mt.grad(x * x, x, c, create_graph=True)
    assert mt.grad(g, c).item() == 6.0


def test_create_graph_in_backward_makes_dot_grad_differentiable():
    x = leaf(3.0)
    (x * x * x).backward(create_graph=True)
    assert mt.grad(x.grad, x).item() == 18.0


def test_without_create_graph_a_gradient_is_a_constant():
    x = leaf(3.0)
    assert not mt.grad(x * x, x).requires_grad
