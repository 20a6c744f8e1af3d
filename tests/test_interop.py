"""Do NumPy's functions go through the tape, or refuse?"""

import numpy as np
import pytest

import minitorch as mt

x = mt.tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
a = np.array([[0.5, 1.0], [2.0, 0.25]])


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda t: np.exp(t), np.exp),
        (lambda t: np.add(a, t), lambda v: a + v),
        (lambda t: a - t, lambda v: a - v),
        (lambda t: a @ t, lambda v: a @ v),
        (lambda t: a**t, lambda v: a**v),
        (lambda t: np.float64(2) / t, lambda v: 2 / v),
        (lambda t: np.sum(t, axis=0), lambda v: v.sum(0)),
        (lambda t: np.mean(t, axis=(0, 1), keepdims=True), lambda v: v.mean((0, 1), keepdims=True)),
        (lambda t: np.amax(t, axis=1), lambda v: v.max(1)),
        (lambda t: np.concatenate([t, a], axis=1), lambda v: np.concatenate([v, a], axis=1)),
        (lambda t: np.where(a > 0.7, t, 0.0), lambda v: np.where(a > 0.7, v, 0.0)),
        (lambda t: np.transpose(t), np.transpose),
    ],
)
def test_a_numpy_function_with_a_namesake_is_that_operation(ours, theirs):
    y = ours(x)
    assert isinstance(y, mt.Tensor)
    assert y.requires_grad
    assert np.array_equal(y.numpy(), theirs(x.numpy()))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: np.nextafter(x, x), "np.nextafter has no derivative here"),
        (lambda: np.add.reduce(x), "np.add.reduce has no derivative here"),
        (lambda: np.cross(x, x), "np.cross has no derivative here"),
        (lambda: np.exp(x, out=np.zeros((2, 2))), "a result cannot be written"),
        (lambda: np.linalg.inv(x), "np.inv has no derivative here"),
    ],
)
def test_one_without_raises_and_names_itself_instead_of_dropping_the_gradient(call, said):
    with pytest.raises(mt.GradientError, match=said):
        call()


def test_where_no_gradient_is_asked_for_numpy_computes():
    assert np.array_equal(np.nextafter(x.detach(), a), np.nextafter(x.numpy(), a))
    assert np.isfinite(x).all()
    assert np.shape(x) == (2, 2)


@pytest.mark.parametrize(
    ("function", "slope"),
    [
        (lambda t: np.exp(t), lambda v: np.exp(v)),
        (lambda t: np.sum(t * t), lambda v: 2 * v),
        (lambda t: np.concatenate([t, t]), lambda v: np.ones((4, 2))),
        (lambda t: np.where(a > 0.7, t, 0.0), lambda v: (a > 0.7).astype(float)),
        (lambda t: np.multiply(a, t), lambda v: a),
        (lambda t: a @ t, lambda v: a.sum(1)[:, None]),
    ],
)
def test_numpys_functions_go_through_forward_mode_too(function, slope):
    v = np.array([[1.0, 2.0], [3.0, 4.0]])
    _, tangent = mt.jvp(function, (v,), (np.ones((2, 2)),))
    wanted = slope(v)
    wanted = wanted.sum() if not tangent.shape else np.broadcast_to(wanted, tangent.shape)
    np.testing.assert_allclose(tangent.numpy(), wanted)


def test_one_without_a_rule_raises_in_forward_mode_instead_of_dropping_the_tangent():
    with pytest.raises(mt.GradientError, match=r"np.nextafter has no derivative here"):
        mt.jvp(lambda t: np.nextafter(t, t), (a,), (a,))
