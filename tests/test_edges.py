"""What happens at ties, kinks, zeros and infinities?  Where engines differ, the decisions of this one."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minitorch as mt
from tests.primitive_examples import EXAMPLES

inf, nan = np.inf, np.nan


def grad_of(function, values, dtype=np.float64):
    """The gradient of the sum of function(x), as a list."""
    x = mt.tensor(np.array(values, dtype), requires_grad=True)
    return mt.grad(function(x).sum(), x).numpy().tolist()


def hessian_of(function, values):
    """The second derivatives of a scalar function."""
    x = mt.tensor(np.array(values, float), requires_grad=True)
    (first,) = mt.grad(function(x), [x], create_graph=True)
    rows = [mt.grad(first[i], x, retain_graph=True, allow_unused=True) for i in range(x.size)]
    return [[0.0] * x.size if r is None else r.numpy().tolist() for r in rows]


# -- ties and kinks ----------------------------------------------------------------------------------------------------


def test_entries_that_tie_for_the_minimum_share_its_gradient():
    assert grad_of(mt.min, [1.0, 0.0, 0.0, 2.0]) == [0.0, 0.5, 0.5, 0.0]
    assert grad_of(lambda x: mt.amin(x, axis=(0, 1)), [[1.0, 1.0], [1.0, 1.0]]) == [[0.25, 0.25], [0.25, 0.25]]


def test_ties_for_the_minimum_are_not_counted_in_float16():
    g = grad_of(mt.min, np.zeros(4099), np.float16)
    assert set(g) == {float(np.float16(1 / 4099))}


def test_at_a_tie_argmax_argmin_sort_and_topk_take_the_first():
    x = mt.tensor([1.0, 3.0, 3.0, 1.0])
    assert (x.argmax().item(), x.argmin().item()) == (1, 0)
    assert x.argsort().numpy().tolist() == [0, 3, 1, 2]
    assert x.argsort(descending=True).numpy().tolist() == [1, 2, 0, 3]
    assert x.topk(3)[1].numpy().tolist() == [1, 2, 0]
    assert mt.topk(x, 1, largest=False)[1].numpy().tolist() == [0]
    assert grad_of(lambda y: mt.topk(y, 1)[0], [2.0, 2.0]) == [1.0, 0.0]
    assert grad_of(lambda y: mt.sort(y) * [1.0, 5.0], [2.0, 2.0]) == [1.0, 5.0]


def test_sort_sends_the_gradient_back_to_where_each_entry_came_from():
    assert grad_of(lambda x: mt.sort(x) * [1.0, 2.0, 3.0], [5.0, 1.0, 3.0]) == [3.0, 1.0, 2.0]
    assert grad_of(lambda x: mt.sort(x, axis=None) * [1.0, 2.0], [[5.0], [1.0]]) == [[2.0], [1.0]]


def test_clip_has_gradient_1_at_its_bounds_and_0_outside():
    assert grad_of(lambda x: mt.clip(x, -1.0, 1.0), [-2.0, -1.0, 0.0, 1.0, 2.0]) == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert grad_of(lambda x: x.clip(max=1.0), [1.0, 2.0]) == [1.0, 0.0]
    assert grad_of(lambda x: x.clip(), [1.0, 2.0]) == [1.0, 1.0]
    assert grad_of(lambda x: mt.clip(x, np.array([0.0, 3.0]), None), [1.0, 1.0]) == [1.0, 0.0]


def test_huber_loss_meets_its_lines_with_their_slope():
    assert grad_of(lambda x: mt.huber_loss(x, [0.0, 0.0, 0.0], "sum", 2.0), [2.0, -2.0, 5.0]) == [2.0, -2.0, 2.0]


def test_leaky_relu_and_elu_at_0_take_the_left_side():
    assert grad_of(mt.leaky_relu, [0.0]) == [0.01]
    assert grad_of(lambda x: mt.elu(x, 0.5), [0.0]) == [0.5]
    assert hessian_of(lambda x: mt.elu(x, 0.5).sum(), [0.0]) == [[0.5]]


def test_no_gradient_passes_through_rounding_and_no_gradient_is_asked_for():
    x = mt.tensor([1.5, -0.5], requires_grad=True)
    for op in (mt.floor, mt.ceil, mt.round, mt.sign):
        assert not op(x).requires_grad
    assert grad_of(lambda y: y - mt.floor(y), [1.5]) == [1.0]
    assert mt.round(mt.tensor([0.5, 1.5, 2.5])).numpy().tolist() == [0.0, 2.0, 2.0]


# -- zeros -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [None, 1, 2, inf])
def test_the_norm_of_0_has_gradient_0(order):
    assert grad_of(lambda x: mt.norm(x, order), [0.0, 0.0]) == [0.0, 0.0]


def test_the_second_derivative_of_the_norm_at_0_is_0_and_not_nan():
    assert hessian_of(mt.norm, [0.0, 0.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_the_norm_of_rows_is_differentiated_row_by_row():
    assert grad_of(lambda x: mt.norm(x, axis=1), [[0.0, 0.0], [3.0, 4.0]]) == [[0.0, 0.0], [0.6, 0.8]]


def test_the_norm_of_huge_and_tiny_entries_neither_overflows_nor_underflows():
    assert mt.norm(np.array([3e200, 4e200])).item() == pytest.approx(5e200)
    assert mt.norm(np.array([3e-200, 4e-200])).item() == pytest.approx(5e-200, rel=1e-15, abs=0)
    assert grad_of(mt.norm, [3e-200, 4e-200]) == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e17, -7.3])
def test_the_standard_deviation_of_a_constant_is_0_with_gradient_0(constant):
    x = np.full(7, constant)
    assert mt.std(x).item() == 0.0
    assert grad_of(mt.std, x) == [0.0] * 7
    assert hessian_of(mt.std, x) == [[0.0] * 7] * 7
    assert grad_of(lambda y: mt.std(y, axis=1), [x]) == [[0.0] * 7]


def test_a_variance_without_a_degree_of_freedom_is_nan():
    assert np.isnan(mt.var(np.array([1.0]), ddof=1))
    assert np.isnan(grad_of(lambda x: mt.std(x, ddof=2), [1.0, 2.0])).all()


def test_the_variance_of_numbers_far_from_0_keeps_its_digits():
    assert mt.var(np.array([1e8, 1e8 + 1, 1e8 + 2])).item() == pytest.approx(2 / 3, rel=1e-15)
    assert mt.var(mt.tensor([1.0, 3.0]), ddof=1).item() == 2.0


@pytest.mark.parametrize(
    ("x", "first"), [([2.0, 3.0, 0.0], [0.0, 0.0, 6.0]), ([0.0, 3.0, 0.0], [0.0, 0.0, 0.0]), ([5.0], [1.0])]
)
def test_the_product_of_zeros_has_its_exact_derivatives_of_both_orders(x, first):
    assert grad_of(mt.prod, x) == first
    n = len(x)
    others = [
        [math.prod(x[k] for k in range(n) if k not in (i, j)) if i != j else 0.0 for j in range(n)] for i in range(n)
    ]
    assert hessian_of(mt.prod, x) == others


def test_a_running_product_past_a_zero_has_its_exact_derivatives():
    assert grad_of(lambda x: mt.cumprod(x, 0), [2.0, 0.0, 3.0, 5.0]) == [1.0, 2 * (1 + 3 + 15), 0.0, 0.0]


def test_the_gradient_of_rsqrt_at_0_is_infinite_as_the_formula_says():
    with np.errstate(divide="ignore"):
        assert grad_of(mt.rsqrt, [0.0]) == [-inf]
        assert grad_of(mt.arcsin, [1.0]) == [inf]


# -- large numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "values", "slopes"),
    [
        (mt.sigmoid, [0.0, 1.0], [0.0, 0.0]),
        (mt.tanh, [-1.0, 1.0], [0.0, 0.0]),
        (mt.softplus, [0.0, 1000.0], [0.0, 1.0]),
        (mt.log_sigmoid, [-1000.0, 0.0], [1.0, 0.0]),
        (mt.silu, [0.0, 1000.0], [0.0, 1.0]),
        (mt.gelu, [0.0, 1000.0], [0.0, 1.0]),
        (lambda x: mt.gelu(x, "tanh"), [0.0, 1000.0], [0.0, 1.0]),
        (mt.elu, [-1.0, 1000.0], [0.0, 1.0]),
        (mt.erf, [-1.0, 1.0], [0.0, 0.0]),
        (lambda x: mt.logaddexp(x, 0.0), [0.0, 1000.0], [0.0, 1.0]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_at_minus_and_plus_1000_nothing_overflows_and_nothing_warns(op, values, slopes, dtype):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert op(mt.tensor(np.array([-1000, 1000], dtype))).numpy().tolist() == values
        assert grad_of(op, [-1000, 1000], dtype) == slopes


def test_sigmoid_of_very_negative_numbers_keeps_its_digits():
    assert mt.sigmoid(np.array(-700.0)).item() == pytest.approx(math.exp(-700), rel=1e-15)


def test_the_error_function_is_exact_to_the_last_digits_everywhere():
    x = np.concatenate([np.linspace(-7, 7, 4001), np.logspace(-300, 0, 200), [0.0, -0.0, inf, -inf]])
    wanted = np.array([math.erf(v) for v in x])
    np.testing.assert_allclose(mt.erf(x), wanted, rtol=4e-16, atol=0)
    np.testing.assert_allclose(mt.erf(x.astype(np.float32)), wanted, rtol=3e-7, atol=1e-40)
    assert np.isnan(mt.erf(np.array([nan]))).all()


@pytest.mark.parametrize("op", [mt.relu, mt.sigmoid, mt.softplus, mt.silu, mt.gelu, mt.elu, mt.leaky_relu, mt.clip])
def test_nan_stays_nan(op):
    assert np.isnan(op(mt.tensor([nan])).item())


# -- minus infinity ----------------------------------------------------------------------------------------------------


def test_logsumexp_of_nothing_but_minus_infinity_is_minus_infinity_with_gradient_0():
    assert mt.logsumexp(mt.tensor([-inf, -inf])).item() == -inf
    assert grad_of(mt.logsumexp, [-inf, -inf]) == [0.0, 0.0]
    assert grad_of(lambda x: mt.logsumexp(x, axis=1), [[-inf, -inf], [0.0, -inf]]) == [[0.0, 0.0], [1.0, 0.0]]


def test_logsumexp_of_nothing_is_minus_infinity():
    assert mt.logsumexp(np.ones((2, 0)), axis=1).tolist() == [-inf, -inf]


def test_logaddexp_of_minus_infinities_is_minus_infinity_with_gradient_0():
    a, b = (mt.tensor(np.array(v), requires_grad=True) for v in ([-inf, -inf], [-inf, 1.0]))
    out = mt.logaddexp(a, b)
    assert out.numpy().tolist() == [-inf, 1.0]
    assert [g.numpy().tolist() for g in mt.grad(out.sum(), [a, b])] == [[0.0, 0.0], [0.0, 1.0]]


def test_logsumexp_of_huge_numbers_neither_overflows_nor_loses_its_gradient():
    assert mt.logsumexp(mt.tensor(np.array([1e4, 1e4]))).item() == pytest.approx(1e4 + math.log(2))
    assert grad_of(mt.logsumexp, [1e4, -1e4]) == [1.0, 0.0]


# -- choices -----------------------------------------------------------------------------------------------------------


def test_safe_where_computes_only_what_is_chosen():
    assert grad_of(lambda x: mt.safe_where(x >= 1, lambda y: mt.sqrt(y - 1), x, x), [0.0, 5.0]) == [1.0, 0.25]
    seen = []
    mt.safe_where(np.array([True, False, True]), lambda y: seen.append(y) or y, np.array([1.0, 2.0, 3.0]), 0.0)
    assert seen[0].tolist() == [1.0, 3.0]


def test_safe_where_broadcasts_and_is_differentiable_twice():
    x = np.array([[0.0], [4.0]])
    out = mt.safe_where(x > 0, mt.sqrt, x, np.array([1.0, 2.0]))
    assert out.tolist() == [[1.0, 2.0], [2.0, 2.0]]
    assert mt.gradcheck(lambda y: mt.safe_where(y > 0, mt.sqrt, y, y), np.array([-1.0, 1.0]), order=2) < 1e-8


def test_safe_where_refuses_a_function_that_is_not_entry_by_entry():
    with pytest.raises(mt.ShapeError, match="entry by entry"):
        mt.safe_where(np.array([True, True]), mt.sum, np.array([1.0, 2.0]), 0.0)


def test_masked_fill_lets_no_gradient_through_where_it_fills():
    assert grad_of(lambda x: x.masked_fill([True, False], -inf).exp(), [1.0, 0.0]) == [0.0, 1.0]


# -- sizes, axes and repeats -------------------------------------------------------------------------------------------


def test_over_an_empty_axis_sums_are_0_products_1_and_extremes_an_error():
    x = np.ones((0, 3))
    assert mt.sum(x, axis=0).tolist() == [0.0] * 3
    assert mt.prod(x, axis=0).tolist() == [1.0] * 3
    assert mt.cumsum(x, axis=0).shape == mt.sort(x, axis=0).shape == (0, 3)
    for op in (mt.max, mt.min, mt.argmax, mt.argmin):
        with pytest.raises(mt.ShapeError, match="axis 0 of shape \\(0, 3\\) is empty"):
            op(x, axis=0)


OTHER_SIGNATURE = ("astype", "put", "concatenate", "stack", "einsum")
NUMPY = [e for e in EXAMPLES if hasattr(np, e.name) and hasattr(mt, e.name) and e.name not in OTHER_SIGNATURE]


@pytest.mark.parametrize("example", NUMPY, ids=str)
def test_an_operation_with_numpys_name_has_numpys_values_under_its_public_name_too(example):
    wanted = getattr(np, example.name)(*example.inputs, **example.static)
    for found in (
        getattr(mt, example.name)(*example.inputs, **example.static),
        getattr(np, example.name)(mt.tensor(example.inputs[0]), *example.inputs[1:], **example.static),
    ):
        assert np.shape(found) == np.shape(wanted)
        np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-13, atol=1e-14)


def test_repeated_indices_accumulate_however_they_are_given():
    assert grad_of(lambda x: mt.take(x, [0, 0, -1]), [1.0, 1.0, 1.0]) == [2.0, 0.0, 1.0]
    assert grad_of(lambda x: mt.take_along_axis(x, [1, 1, 1], 0), [1.0, 1.0]) == [0.0, 3.0]
    assert grad_of(lambda x: mt.gather(x, 0, [1, 1, 1]), [1.0, 1.0]) == [0.0, 3.0]
    assert grad_of(lambda x: mt.embedding(x, [[1, 1], [0, 1]]), [[1.0], [1.0]]) == [[1.0], [3.0]]
    assert grad_of(lambda x: mt.repeat(x, [0, 3]), [1.0, 1.0]) == [0.0, 3.0]
    assert grad_of(lambda x: mt.pad(x, (0, 2), mode="edge"), [1.0, 1.0]) == [1.0, 3.0]


def test_scatter_add_sums_what_meets_and_writes_into_a_copy():
    x = mt.tensor(np.zeros(3), requires_grad=True)
    values = mt.tensor(np.array([1.0, 2.0, 4.0]), requires_grad=True)
    out = mt.scatter_add(x, 0, [0, 0, 2], values)
    assert (out.numpy().tolist(), x.numpy().tolist()) == ([3.0, 0.0, 4.0], [0.0] * 3)
    gx, gv = mt.grad((out * [1.0, 10.0, 100.0]).sum(), [x, values])
    assert (gx.numpy().tolist(), gv.numpy().tolist()) == ([1.0, 10.0, 100.0], [1.0, 1.0, 100.0])


def test_the_padding_row_of_an_embedding_gets_no_gradient():
    assert grad_of(lambda x: mt.embedding(x, [0, 1, 1], padding_idx=1), [[1.0], [1.0]]) == [[1.0], [0.0]]
    assert grad_of(lambda x: mt.embedding(x, [0, 1, 1], padding_idx=-2), [[1.0], [1.0]]) == [[0.0], [2.0]]
    assert grad_of(lambda x: mt.embedding(x, [[0, 1], [1, 1]], padding_idx=0), np.ones((2, 2))) == [[0, 0], [3, 3]]


def test_einsum_sums_what_is_not_named_in_the_output():
    assert grad_of(lambda x: mt.einsum("ij->", x), [[1.0, 2.0]]) == [[1.0, 1.0]]
    assert grad_of(lambda x: mt.einsum("ii", x), [[1.0, 2.0], [3.0, 4.0]]) == [[1.0, 0.0], [0.0, 1.0]]
    a, b = np.ones((5, 2, 3)), np.ones((3, 4))
    np.testing.assert_array_equal(mt.einsum("...ij,jk", a, b), np.einsum("...ij,jk", a, b))
    np.testing.assert_array_equal(mt.einsum("...,...->...", a, b[:, 0]), a)


def test_dot_and_tensordot_are_numpys():
    a, b = np.random.default_rng(0).standard_normal((2, 4, 3)), np.random.default_rng(1).standard_normal((5, 3, 2))
    np.testing.assert_allclose(mt.dot(a, b), np.dot(a, b))
    np.testing.assert_allclose(mt.dot(2.0, b), 2 * b)
    np.testing.assert_allclose(mt.tensordot(a, b, 0), np.tensordot(a, b, 0))
    np.testing.assert_allclose(mt.tensordot(a, b, (2, 1)), np.tensordot(a, b, (2, 1)))


# -- dropout -----------------------------------------------------------------------------------------------------------


def test_dropout_draws_from_the_one_generator_and_keeps_the_mean():
    mt.seed(1)
    x = mt.tensor(np.ones(10_000), requires_grad=True)
    y = mt.dropout(x, 0.25)
    mt.seed(1)
    assert (mt.dropout(x, 0.25).numpy() == y.numpy()).all()
    assert set(y.numpy()) == {0.0, 4 / 3}
    assert y.numpy().mean() == pytest.approx(1, abs=0.03)
    np.testing.assert_array_equal(mt.grad(y.sum(), x).numpy(), y.numpy())  # the same mask on the way back


def test_dropout_of_0_or_outside_training_is_nothing_and_of_1_everything():
    x = mt.tensor([1.0, nan], requires_grad=True)
    assert mt.dropout(x, 0.0) is x
    assert mt.dropout(x, 0.5, training=False) is x
    assert mt.dropout(x, 1.0).numpy().tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match=r"p is 1\.5"):
        mt.dropout(x, 1.5)


# -- rotary positions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotary_products_depend_on_the_difference_of_positions_alone(interleaved):
    q, k = np.random.default_rng(2).standard_normal((2, 1, 8))

    def product(i, j):
        turned = (mt.rotary(x, positions=p, interleaved=interleaved) for x, p in ((q, i), (k, j)))
        return math.prod(map(np.asarray, turned)).sum()

    assert product(7, 3) == pytest.approx(product(104, 100), rel=1e-12)
    assert product(7, 3) != pytest.approx(product(3, 7), rel=1e-3)


def test_rotary_is_the_papers_rotation_and_the_inverse_turns_back():
    x = np.array([[1.0, 2.0, 3.0, 4.0]])
    a, b = 3.0, 3.0 / 100
    wanted = [math.cos(a) - 2 * math.sin(a), math.sin(a) + 2 * math.cos(a)]
    wanted += [3 * math.cos(b) - 4 * math.sin(b), 3 * math.sin(b) + 4 * math.cos(b)]
    y = mt.rotary(x, positions=3, interleaved=True)
    np.testing.assert_allclose(y[0], wanted, rtol=1e-14)
    np.testing.assert_allclose(
        mt.rotary(x[:, [0, 2, 1, 3]], positions=[3])[0], np.array(wanted)[[0, 2, 1, 3]], rtol=1e-14
    )
    np.testing.assert_allclose(mt.rotary(y, positions=3, interleaved=True, inverse=True), x, rtol=1e-14)


def test_rotary_of_an_offset_is_the_tail_of_the_whole():
    x = np.random.default_rng(0).standard_normal((6, 4))
    np.testing.assert_array_equal(mt.rotary(x, positions=2)[:4], mt.rotary(np.vstack([x[:2], x]))[2:6])


def test_x_to_the_0_has_gradient_0_where_x_squared_would_overflow():
    assert grad_of(lambda x: x**0, [1e200]) == [0.0]
    assert grad_of(lambda x: mt.power(x, np.zeros(1)), [1e200]) == [0.0]


def test_a_number_to_the_power_y_has_the_gradient_of_its_logarithm_0_for_0_and_nan_for_a_negative_one():
    of = lambda base: grad_of(lambda y: base**y, [2.0])
    np.testing.assert_allclose([of(0.5), of(0.0), of(1.0), of(-2.0)], [[0.25 * np.log(0.5)], [0.0], [0.0], [nan]])


def test_0_to_the_power_0_has_gradient_0_with_respect_to_the_exponent():
    assert grad_of(lambda y: mt.power(np.zeros(2), y), [0.0, 2.0]) == [0.0, 0.0]


def test_at_the_origin_hypot_has_gradient_0():
    x, y = (mt.tensor(np.zeros(1), requires_grad=True) for _ in range(2))
    by_x, by_y = mt.grad(mt.hypot(x, y).sum(), [x, y])
    assert (by_x.item(), by_y.item()) == (0.0, 0.0)


def test_the_gradient_of_hypot_does_not_overflow_where_both_are_tiny():
    assert grad_of(lambda x: mt.hypot(x, 0.0) * 1e200, [1e-200]) == [1e200]
    assert grad_of(lambda x: mt.hypot(0.0, x) * 1e200, [1e-200]) == [1e200]


@pytest.mark.filterwarnings("ignore")  # of 0 * inf, beyond the last entry
def test_a_running_product_with_an_infinity_has_an_infinite_gradient():
    assert grad_of(lambda x: mt.cumprod(x, 0), [1.0, inf]) == [inf, 1.0]


def test_what_an_entry_of_a_running_product_does_not_depend_on_may_overflow():
    x = [1.0, 1.0, 1.0, 1e-100, 1e-100, 1e100, 1e100, 1e150]
    assert grad_of(lambda x: mt.cumprod(x, 0)[0], x) == [1.0] + [0.0] * 7


@pytest.mark.filterwarnings("ignore")  # of an overflow
@pytest.mark.parametrize(
    ("x", "g", "wanted"),
    [
        ([0.0, 1e200, 1e200, 0.0, 3.0], [1.0, 1.0, 0.0, 1.0, 1.0], [1e200, 0.0, 0.0, 0.0, 0.0]),
        ([2.0, 0.0, 1e200, 1e200, 0.0, 3.0], [1.0, 1.0, 1.0, 0.0, 1.0, 1.0], [1.0, 2e200, 0.0, 0.0, 0.0, 0.0]),
        ([0.0, 1e200, 1e200, 0.0], [1.0, 1.0, 1.0, 1.0], [inf, 0.0, 0.0, 0.0]),
        ([1e-300, 1e200, 1e200, 1e-200], [0.0, 0.0, 0.0, 1.0], [1e200, 1e-300, 1e-300, 1e100]),
        ([1e-200, 1e-200, 1.0, 1e200, 1e200], [0.0, 0.0, 0.0, 0.0, 1.0], [1e200, 1e200, 1.0, 1e-200, 1e-200]),
        ([1e-200, 1e-200, 1e200, 1e200, 0.0], [1.0, 1.0, 1.0, 1.0, 1.0], [1e200, 1e200, 1e-200, 1e-200, 1.0]),
    ],
)
def test_a_running_product_over_ranges_that_overflow_has_the_gradient_of_exact_numbers(x, g, wanted):
    leaf = mt.tensor(np.array(x), requires_grad=True)
    mt.cumprod(leaf, 0).backward(mt.tensor(np.array(g)))
    np.testing.assert_allclose(leaf.grad.numpy(), wanted, rtol=1e-14)
    _, pushed = mt.jvp(lambda x: (mt.cumprod(x, 0) * np.array(g)).sum(), (np.array(x),), (np.eye(len(x))[2],))
    np.testing.assert_allclose(pushed.item(), wanted[2], rtol=1e-14)


def test_a_product_over_ranges_that_overflow_has_the_gradient_of_exact_numbers():
    x = [1e-200, 1e-200, 1.0, 1e200, 1e200]
    np.testing.assert_allclose(grad_of(lambda x: mt.prod(x), x), [1e200, 1e200, 1.0, 1e-200, 1e-200], rtol=1e-14)


def test_the_padding_row_gets_no_gradient_that_is_recorded_and_no_tangent_passes():
    table = mt.tensor(np.ones((3, 2)), requires_grad=True)
    (g,) = mt.grad((mt.embedding(table, [0, 1, 1], padding_idx=1) ** 2).sum(), [table], create_graph=True)
    assert g.numpy().tolist() == [[2.0, 2.0], [0.0, 0.0], [0.0, 0.0]]


@pytest.mark.filterwarnings("ignore")
def test_a_running_product_that_ends_with_an_infinity_has_infinite_gradients_before_it():
    assert grad_of(lambda x: mt.cumprod(x, 0), [1.0, 2.0, inf]) == [inf, inf, 2.0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("base", [-2.0, -1e-310, 0.0, 1e-310, np.finfo(float).tiny, 1e-300, 2.0])
def test_at_exponent_0_a_power_has_gradient_0_by_its_base_and_no_second_derivative_that_is_finite_and_wrong(base):
    x, y = (mt.tensor(np.array(v), requires_grad=True) for v in (base, 0.0))
    by_x = mt.grad(x**y, x, create_graph=True)
    assert by_x.item() == 0.0
    mixed = mt.grad(by_x, y).item()
    if base == -2.0:
        assert np.isnan(mixed)  # it has a logarithm of the base in it
    elif abs(base) > 1e-308:
        assert not np.isfinite(mixed) or mixed == pytest.approx(1 / base)


def test_nothing_repeated_no_times_has_a_gradient_of_no_entries():
    x = mt.tensor(np.ones((3, 0)), requires_grad=True)
    assert mt.grad(mt.repeat(x, []).sum(), x).shape == (3, 0)
