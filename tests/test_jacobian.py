"""Are whole Jacobians and Hessians right, by rows and by columns, and their products with a vector?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch.transforms import hessian, hvp, jacobian


def f64(values):
    return np.array(values, np.float64)


both_modes = pytest.mark.parametrize("mode", ["reverse", "forward"])


@both_modes
def test_a_jacobian_has_the_axes_of_the_output_and_then_those_of_the_argument(mode):
    A = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(jacobian(lambda x: A @ x, mode=mode)(np.ones(3)).numpy(), A)
    J = jacobian(lambda X: A @ X, mode=mode)(np.ones((3, 4))).numpy()  # (2, 4, 3, 4)
    np.testing.assert_array_equal(J, np.einsum("ik,jl->ijkl", A, np.eye(4)))


@both_modes
def test_a_jacobian_of_trees_has_the_containers_of_the_output_around_those_of_the_argument(mode):
    f = lambda p, n: {"y": p["w"] * p["b"] * n, "s": [p["w"].sum()]}
    J = jacobian(f, mode=mode)({"w": f64([1.0, 2.0]), "b": f64(3.0)}, 2)
    assert J["y"]["w"].numpy().tolist() == [[6.0, 0.0], [0.0, 6.0]]
    assert J["y"]["b"].numpy().tolist() == [2.0, 4.0]
    assert J["s"][0]["w"].numpy().tolist() == [1.0, 1.0]
    assert J["s"][0]["b"].item() == 0.0


@both_modes
def test_a_jacobian_by_several_arguments_is_a_tuple(mode):
    J = jacobian(lambda x, y: x * y, (1, 0), mode=mode)(f64([1.0, 2.0]), f64([3.0, 4.0]))
    assert [j.numpy().tolist() for j in J] == [[[1.0, 0.0], [0.0, 2.0]], [[3.0, 0.0], [0.0, 4.0]]]


@both_modes
def test_a_jacobian_and_a_hessian_have_aux(mode):
    f = lambda x: ((x * x * x).sum(), {"twice": x + x})
    for transform, wanted in ((jacobian, [3.0, 12.0]), (hessian, [[6.0, 0.0], [0.0, 12.0]])):
        found, aux = transform(f, mode=mode, has_aux=True)(f64([1.0, 2.0]))
        assert (found.numpy().tolist(), aux["twice"].numpy().tolist()) == (wanted, [2.0, 4.0])


@both_modes
def test_a_jacobian_of_size_zero_has_its_shape(mode):
    assert jacobian(lambda x: x * 2.0, mode=mode)(np.ones((0, 2))).shape == (0, 2, 0, 2)
    assert jacobian(lambda x: x[:0], mode=mode)(np.ones(3)).shape == (0, 3)


@pytest.mark.parametrize("outer", ["reverse", "forward"])
@both_modes
def test_a_jacobian_can_be_differentiated(mode, outer):
    f = lambda x: mt.exp(x) * x[::-1]
    J = lambda x: jacobian(f, mode=mode)(x)
    found = jacobian(J, mode=outer)(f64([0.5, -1.0])).numpy()
    assert found.shape == (2, 2, 2)
    np.testing.assert_allclose(found, found.swapaxes(1, 2), rtol=1e-12)
    assert found[0, 0, 1] == pytest.approx(np.exp(0.5))


@both_modes
def test_a_hessian_is_symmetric_and_exact(mode):
    f = lambda p: (p["a"] ** 3).sum() * p["b"]
    H = hessian(f, mode=mode)({"a": f64([1.0, 2.0]), "b": f64(3.0)})
    assert H["a"]["a"].numpy().tolist() == [[18.0, 0.0], [0.0, 36.0]]
    assert H["a"]["b"].numpy().tolist() == H["b"]["a"].numpy().tolist() == [3.0, 12.0]
    assert H["b"]["b"].item() == 0.0


def test_hvp_is_the_hessian_applied_to_a_vector():
    rng = np.random.default_rng(0)
    x, v, A = rng.standard_normal(4), rng.standard_normal(4), rng.standard_normal((4, 4))
    f = lambda x: (mt.tanh(A @ x) * x).sum()
    np.testing.assert_allclose(hvp(f, (x,), (v,))[0].numpy(), hessian(f)(x).numpy() @ v, rtol=1e-12)


def test_hvp_over_trees_holds_arguments_without_a_tangent_constant():
    f = lambda p, x, n: (p["w"] * p["w"] * x).sum() * n
    got = hvp(f, ({"w": f64([1.0, 2.0])}, f64([3.0, 4.0]), 2), ({"w": f64([1.0, 0.0])}, None, None))
    assert got[0]["w"].numpy().tolist() == [12.0, 0.0]
    assert got[1:] == (None, None)


def test_hvp_can_be_differentiated():
    x = mt.tensor(f64(2.0), requires_grad=True)
    hvp(lambda y: y**4, (x,), (1.0,))[0].backward()
    assert x.grad.item() == 48.0
