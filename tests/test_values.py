"""What happens at the points where a formula has a corner, a pole, a tie or an overflow?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt


def grad_of(function, *values, dtype=np.float64):
    """The gradient of the sum of function(x), as a list."""
    x = mt.tensor(np.array(values, dtype), requires_grad=True)
    return mt.grad(function(x).sum(), x).numpy().tolist()


def test_entries_that_tie_for_the_maximum_share_its_gradient():
    assert grad_of(mt.max, 1.0, 3.0, 3.0, 2.0) == [0.0, 0.5, 0.5, 0.0]
    x = mt.tensor(np.array([[1.0, 1.0], [2.0, 0.0]]), requires_grad=True)
    assert mt.grad(x.max(axis=1).sum(), x).numpy().tolist() == [[0.5, 0.5], [1.0, 0.0]]
    assert mt.grad(x.max(axis=0, keepdims=True).sum(), x).numpy().tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_ties_are_not_counted_in_float16():
    x = mt.tensor(np.zeros(4099, np.float16), requires_grad=True)  # float16 has no 4099
    g = mt.grad(x.max(), x)
    assert g.dtype == np.float16
    assert set(g.numpy().tolist()) == {float(np.float16(1 / 4099))}


def test_at_a_tie_maximum_and_minimum_give_half_each():
    for op in (mt.maximum, mt.minimum):
        a, b = (mt.tensor(np.array([1.0, 2.0]), requires_grad=True) for _ in range(2))
        ga, gb = mt.grad(op(a, b).sum(), [a, b])
        assert ga.numpy().tolist() == gb.numpy().tolist() == [0.5, 0.5]


def test_maximum_gives_the_gradient_to_the_larger_and_minimum_to_the_smaller():
    assert grad_of(lambda x: mt.maximum(x, 2.0), 1.0, 3.0) == [0.0, 1.0]
    assert grad_of(lambda x: mt.maximum(2.0, x), 1.0, 3.0) == [0.0, 1.0]
    assert grad_of(lambda x: mt.minimum(x, 2.0), 1.0, 3.0) == [1.0, 0.0]


def test_absolute_and_relu_have_gradient_0_at_0():
    assert grad_of(mt.absolute, -2.0, 0.0, 2.0) == [-1.0, 0.0, 1.0]
    assert grad_of(mt.relu, -2.0, 0.0, 2.0) == [0.0, 0.0, 1.0]


def test_relu_of_nan_is_nan():
    assert np.isnan(mt.relu(mt.tensor([np.nan])).item())


def test_the_gradient_of_sqrt_at_0_is_infinite_for_scalars_and_arrays():
    with np.errstate(divide="ignore"):
        assert grad_of(mt.sqrt, 0.0, 4.0) == [np.inf, 0.25]
        x = mt.tensor(0.0, requires_grad=True)
        assert mt.grad(mt.sqrt(x), x).item() == np.inf


@pytest.mark.parametrize("exponent", [0, 0.0, np.zeros(2)])
def test_x_to_the_0_has_gradient_0_everywhere(exponent):
    assert grad_of(lambda x: x**exponent, 0.0, 3.0) == [0.0, 0.0]


@pytest.mark.parametrize("exponent", [1, 2, 3, np.array([1.0, 1.0]), np.array([2, 2])])
def test_powers_at_0_have_the_derivatives_of_polynomials(exponent):
    n = int(np.max(exponent))
    x = mt.tensor(np.array([0.0, -2.0]), requires_grad=True)
    first = mt.grad((x**exponent).sum(), x, create_graph=True)
    np.testing.assert_array_equal(first.numpy(), n * np.array([0.0, -2.0]) ** (n - 1))
    second = mt.grad(first.sum(), x, allow_unused=True)
    wanted = n * (n - 1) * np.array([0.0, -2.0]) ** max(n - 2, 0)
    np.testing.assert_array_equal(np.zeros(2) if second is None else second.numpy(), wanted)


def test_0_to_the_y_has_gradient_0_with_respect_to_y():
    assert grad_of(lambda y: 0.0**y, 0.0, 1.0, 2.0) == [0.0, 0.0, 0.0]
    assert grad_of(lambda y: np.array([0.0, 2.0]) ** y, 1.0, 1.0) == [0.0, 2 * np.log(2)]


def test_a_negative_base_has_a_gradient_by_the_base_and_nan_by_the_exponent():
    a, b = (mt.tensor(np.array(v), requires_grad=True) for v in (-2.0, 3.0))
    with np.errstate(invalid="ignore"):
        ga, gb = mt.grad(a**b, [a, b])
    assert ga.item() == 12.0
    assert np.isnan(gb.item())


def test_tanh_of_large_numbers_has_gradient_0_without_a_warning():
    assert grad_of(mt.tanh, -800.0, 0.0, 800.0) == [0.0, 1.0, 0.0]


def test_where_passes_the_gradient_of_the_chosen_side():
    chosen = np.array([True, False])
    assert grad_of(lambda x: mt.where(chosen, x * 2, x * 3), 1.0, 1.0) == [2.0, 3.0]


def test_where_of_an_infinite_derivative_that_was_not_chosen_is_nan_as_the_formula_says():
    with np.errstate(divide="ignore", invalid="ignore"):
        assert np.isnan(grad_of(lambda x: mt.where(x < 1, x, mt.sqrt(x)), 0.0))[0]


def test_the_where_trap_gives_nan_as_the_formula_says_and_safe_where_does_not():  # case 23, to the letter
    x = mt.tensor(np.array([0.0, 0.5, 5.0]), requires_grad=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        g = mt.grad(mt.where(x < 1, x, mt.sqrt(x - 1)).sum(), x).numpy()
    assert np.isnan(g[:2]).all()
    assert g[2] == 0.25
    safe = mt.safe_where(x >= 1, lambda v: mt.sqrt(v - 1), x, x)
    assert mt.grad(safe.sum(), x).numpy().tolist() == [1.0, 1.0, 0.25]


# -- softmax and its relatives -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_softmax_does_not_change_under_a_shift_however_large(shift):
    x = np.array([0.0, 1.0, 2.0])
    e = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(mt.softmax(mt.tensor(x + shift)).numpy(), e, rtol=1e-10)
    np.testing.assert_allclose(mt.log_softmax(mt.tensor(x + shift)).numpy(), np.log(e), rtol=1e-10)


def test_softmax_of_far_apart_entries_is_one_hot_with_gradient_0():
    assert mt.softmax(mt.tensor([-1e4, 0.0, 1e4])).numpy().tolist() == [0.0, 0.0, 1.0]
    assert grad_of(lambda x: mt.softmax(x) * [1.0, 2.0, 3.0], -1e4, 0.0, 1e4) == [0.0, 0.0, 0.0]


def test_masked_entries_of_softmax_are_0_with_gradient_0():
    x = mt.tensor(np.array([1.0, -np.inf, 2.0]), requires_grad=True)
    y = mt.softmax(x)
    assert y.numpy()[1] == 0.0
    g = mt.grad((y * [1.0, 5.0, 2.0]).sum(), x).numpy()
    assert g[1] == 0.0
    np.testing.assert_allclose(g[0], -g[2])


def test_softmax_of_nothing_but_masked_entries_is_nan():
    assert np.isnan(mt.softmax(mt.tensor([-np.inf, -np.inf])).numpy()).all()


def test_softmax_and_cross_entropy_take_integers():
    np.testing.assert_allclose(mt.softmax(mt.tensor([0, 0])).numpy(), [0.5, 0.5])
    np.testing.assert_allclose(mt.log_softmax(mt.tensor([0, 0])).numpy(), np.log([0.5, 0.5]))
    assert mt.cross_entropy(mt.tensor([[0, 0]]), [1]).item() == pytest.approx(np.log(2))


def test_log_softmax_keeps_what_softmax_loses_to_underflow():
    assert mt.log_softmax(mt.tensor([0.0, 1e4])).numpy().tolist() == [-1e4, 0.0]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_is_minus_the_log_softmax_of_the_target(reduction):
    x, targets = np.random.default_rng(0).standard_normal((2, 3, 4)), np.array([[0, 3, 1], [2, 2, 0]])
    logp = x - np.log(np.exp(x).sum(-1, keepdims=True))
    wanted = -np.take_along_axis(logp, targets[..., None], -1)[..., 0]
    reduced = {"mean": wanted.mean(), "sum": wanted.sum(), "none": wanted}[reduction]
    np.testing.assert_allclose(mt.cross_entropy(mt.tensor(x), targets, reduction).numpy(), reduced)
    assert mt.gradcheck(lambda a: mt.cross_entropy(a, targets, reduction), x) < 1e-8


def test_cross_entropy_of_huge_logits_neither_overflows_nor_loses_its_gradient():
    x = mt.tensor(np.array([[1e4, -1e4]]), requires_grad=True)
    loss = mt.cross_entropy(x, [1])
    assert loss.item() == 2e4
    assert mt.grad(loss, x).numpy().tolist() == [[1.0, -1.0]]


def test_cross_entropy_over_no_rows_is_0():
    assert mt.cross_entropy(mt.tensor(np.ones((0, 3))), np.array([], int)).item() == 0.0


# -- size zero and repeats ---------------------------------------------------------------------------------------------


def test_size_zero_has_gradients_of_the_right_shape():
    a, b = (mt.tensor(np.ones(s), requires_grad=True) for s in ((1,), (0,)))
    (a * b).sum().backward()
    assert (a.grad.numpy().tolist(), b.grad.shape) == ([0.0], (0,))
    c, d = (mt.tensor(np.ones(s), requires_grad=True) for s in ((3, 4), (4, 0)))
    (c @ d).sum().backward()
    assert c.grad.numpy().tolist() == np.zeros((3, 4)).tolist()
    assert d.grad.shape == (4, 0)


def test_repeated_indices_accumulate():
    assert grad_of(lambda x: x[[0, 0, 1]], 1.0, 1.0, 1.0) == [2.0, 1.0, 0.0]
    assert grad_of(lambda x: x[np.array([-1, 2]), None], 1.0, 1.0, 1.0) == [0.0, 0.0, 2.0]


def test_a_tensor_can_be_an_index():
    x = mt.tensor(np.arange(3.0), requires_grad=True)
    assert x[mt.tensor([2, 0])].numpy().tolist() == [2.0, 0.0]
    assert x[x > 0.5].numpy().tolist() == [1.0, 2.0]


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.filterwarnings("error")
def test_the_largest_of_a_row_with_nan_is_nan_and_so_is_its_gradient_without_a_warning(name):
    x = mt.tensor(np.array([[1.0, np.nan, 3.0], [1.0, 2.0, 2.0]]), requires_grad=True)
    best = getattr(mt, name)(x, axis=1)
    assert np.isnan(best.numpy()).tolist() == [True, False]
    g = mt.grad(best.sum(), x).numpy()
    assert np.isnan(g[0]).all()
    assert g[1].tolist() == ([0.0, 0.5, 0.5] if name == "max" else [1.0, 0.0, 0.0])


def gradient(function, *values, dtype=np.float64):
    xs = [mt.tensor(v, dtype=dtype, requires_grad=True) for v in values]
    out, pull = mt.vjp(function, *xs)
    return [g.numpy().tolist() for g in pull(mt.ones(out.shape, out.dtype))]


@pytest.mark.parametrize("base", [2.0, 0.5])
def test_the_mixed_derivative_of_a_power_at_exponent_0_is_one_over_the_base(base):
    H = mt.hessian(lambda p: mt.power(p[0], p[1]))(mt.tensor([base, 0.0], dtype="float64")).numpy()
    assert H[0, 1] == H[1, 0] == 1 / base


@pytest.mark.parametrize("base", [0.0, 1e-310, -0.0])
def test_x_to_the_0_has_gradient_0_also_where_1_over_x_is_infinite(base):
    assert gradient(lambda a: mt.power(a, np.array([0.0])), [base]) == [[0.0]]


@pytest.mark.parametrize(
    "function",
    [
        mt.relu,
        lambda x: mt.maximum(x, 1.0),
        lambda x: mt.minimum(1.0, x),
        lambda x: mt.clip(x, 0.0, 1.0),
        lambda x: mt.clip(x, np.array([0.0]), np.array([1.0])),
    ],
)
def test_a_gradient_passes_where_a_choice_is_nan(function):
    assert gradient(function, [np.nan]) == [[1.0]]


def test_maximum_with_nan_passes_the_gradient_to_both():
    assert gradient(mt.maximum, [np.nan, 1.0], [1.0, np.nan]) == [[1.0, 1.0], [1.0, 1.0]]


def test_logaddexp_of_inf_has_gradient_1_by_the_operand_that_is_inf():
    assert gradient(mt.logaddexp, [np.inf, 1.0, -np.inf], [1.0, np.inf, -np.inf]) == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize(("dtype", "large"), [("float16", 300), ("float32", 1e25), ("float64", 1e200)])
def test_gelu_has_the_slopes_0_and_1_far_out_without_a_warning(approximate, dtype, large):
    assert gradient(lambda x: mt.gelu(x, approximate), [large, -large], dtype=dtype) == [[1.0, 0.0]]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("dtype", "large"), [("float16", 60000), ("float32", 1e38), ("float64", np.inf)])
def test_erf_is_flat_far_out_without_a_warning(dtype, large):
    assert gradient(mt.erf, [large, -large], dtype=dtype) == [[0.0, 0.0]]


def test_hypot_and_norm_have_second_derivative_0_at_0():
    for f in (lambda p: mt.hypot(p[0], p[1]), mt.norm):
        assert mt.hessian(f)(mt.zeros(2)).tolist() == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.filterwarnings("error")
def test_softmax_with_an_inf_is_nan_in_that_row():
    x = mt.tensor([[0.0, np.inf, 2.0], [0.0, -np.inf, 0.0]])
    for f in (mt.softmax, mt.log_softmax):
        y = f(x).numpy()
        assert np.isnan(y[0]).all()
        assert not np.isnan(y[1]).any()


@pytest.mark.parametrize("axis", [None, (0, 1), (1, -2)])
def test_softmax_and_its_logarithm_take_several_axes(axis):
    x = np.array([[1.0, 2.0], [0.5, -1.0]])
    wanted = np.exp(x) / np.exp(x).sum()
    np.testing.assert_allclose(mt.softmax(mt.tensor(x), axis).numpy(), wanted, rtol=1e-15)
    np.testing.assert_allclose(mt.log_softmax(mt.tensor(x), axis).numpy(), np.log(wanted), rtol=1e-14)
    for f in (mt.softmax, mt.log_softmax):
        mt.gradcheck(lambda x, f=f: f(x, axis) ** 2, mt.tensor(x))


def test_bounds_of_clip_are_differentiated():
    x, low, high = [-3.0, 5.0, 0.5, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0, 0.0], [1.0]
    assert gradient(mt.clip, x, low, high) == [[0, 0, 1, 1, 1], [1, 0, 0, 0, 0], [1.0]]
    assert gradient(mt.clip, [0.5], [2.0], [1.0]) == [[0.0], [0.0], [1.0]]  # the upper bound wins, as in NumPy


def test_clip_with_arrays_has_the_values_of_numpy():
    x, low, high = np.array([-3.0, 5.0, np.nan, 1.0]), np.array([0.0, 0.0, 0.0, 2.0]), np.array([1.0, 9.0, 1.0, 1.5])
    for bounds in ((low, high), (low, None), (None, high), (mt.tensor(low), 1.0), (np.nan, high)):
        plain = [b.numpy() if isinstance(b, mt.Tensor) else b for b in bounds]
        np.testing.assert_array_equal(mt.clip(mt.tensor(x), *bounds).numpy(), np.clip(x, *plain))
        np.testing.assert_array_equal(np.clip(mt.tensor(x), *bounds), np.clip(x, *plain))


@pytest.mark.parametrize("ord", [0, 1, 2, 3, 4, 1.5, 0.5, -1, -2.5, np.inf, -np.inf])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norms_of_vectors_have_the_values_of_numpy_and_their_derivatives(ord, keepdims):
    x = np.array([[3.0, -1.0, 2.0], [0.5, 0.25, -4.0]])
    wanted = np.linalg.norm(x, ord, 1, keepdims)
    np.testing.assert_allclose(mt.norm(mt.tensor(x), ord, 1, keepdims).numpy(), wanted, rtol=1e-14)
    if ord:
        mt.gradcheck(lambda x: mt.norm(x, ord, 1, keepdims), mt.tensor(x))
        mt.gradcheck(lambda x: mt.grad(lambda x: mt.norm(x, ord, 1).sum())(x), mt.tensor(x))


@pytest.mark.parametrize("ord", [1, -1, np.inf, -np.inf, "fro", None])
def test_norms_of_matrices_have_the_values_of_numpy(ord):
    x = np.array([[3.0, -1.0, 2.0], [0.5, 0.25, -4.0]])
    np.testing.assert_allclose(mt.norm(mt.tensor(x), ord).numpy(), np.linalg.norm(x, ord), rtol=1e-15)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ord", [1, 1.5, 3, 4, 0.5, -1, -2.5, np.inf, -np.inf])
def test_every_norm_has_gradient_0_at_0_and_does_not_overflow(ord):
    assert gradient(lambda x: mt.norm(x, ord), [0.0, 0.0]) == [[0.0, 0.0]]
    assert np.isfinite(mt.norm(mt.tensor([1e200, 1e200], dtype="float64"), ord).item())


def test_remainder_and_floor_divide_are_those_of_numpy():
    a, b = np.array([5.5, -5.5, 5.5, -5.5]), np.array([2.0, 2.0, -2.0, -2.0])
    np.testing.assert_array_equal(np.remainder(mt.tensor(a), b), np.remainder(a, b))
    np.testing.assert_array_equal(np.floor_divide(mt.tensor(a), b), np.floor_divide(a, b))
    assert gradient(mt.remainder, a, b) == [[1.0] * 4, [-2.0, 3.0, 3.0, -2.0]]
    assert not mt.floor_divide(mt.tensor(a, requires_grad=True), b).requires_grad


def test_what_is_finite_can_be_asked():
    x = mt.tensor([1.0, np.nan, np.inf, -np.inf])
    assert mt.isnan(x).tolist() == [False, True, False, False]
    assert mt.isinf(x).tolist() == [False, False, True, True]
    assert mt.isfinite(x).tolist() == [True, False, False, False]


@pytest.mark.parametrize("axis", [(0, 2), (2, 0), (-1,), (0, 1, 2), (1, -3)])
@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_positions_over_several_axes_count_through_them_in_their_order(name, axis):
    x = np.random.default_rng(0).random((2, 3, 4))
    axes = sorted(a % 3 for a in axis)
    rest = [a for a in range(3) if a not in axes]
    rows = x.transpose(*rest, *axes).reshape(*(x.shape[a] for a in rest), -1)
    found = getattr(mt, name)(mt.tensor(x), axis)
    assert found.tolist() == getattr(np, name)(rows, -1).tolist()
    kept = getattr(mt, name)(mt.tensor(x), axis, keepdims=True)
    assert kept.shape == tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    with pytest.raises(mt.ShapeError):
        getattr(mt, name)(mt.tensor(x), (0, 0))
