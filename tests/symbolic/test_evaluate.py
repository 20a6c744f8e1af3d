"""Is a formula's value on arrays what NumPy gives by hand, and is a wrong shape named?"""

import numpy as np
import pytest

from minitorch import symbolic
from minitorch.errors import FormulaError

from .programs import ATTENTION

draw = np.random.default_rng(0)


def value(text: str, **arrays) -> np.ndarray:
    results = symbolic.parse(text).evaluate(arrays)
    return list(results.values())[-1]


def test_attention_is_what_numpy_computes():
    Q, K, V = draw.normal(size=(2, 3)), draw.normal(size=(4, 3)), draw.normal(size=(4, 5))
    results = symbolic.parse(ATTENTION).evaluate({"Q": Q, "K": K, "V": V})
    weights = np.exp(Q @ K.T / np.sqrt(3))
    weights /= weights.sum(1, keepdims=True)
    assert list(results) == ["A", "Z", "P", "O"]
    np.testing.assert_allclose(results["P"], weights, rtol=1e-13)
    np.testing.assert_allclose(results["O"], weights @ V, rtol=1e-13)


def test_transposes_diagonals_and_outer_products_land_on_their_axes():
    a, b = draw.normal(size=(3, 3)), draw.normal(size=4)
    np.testing.assert_array_equal(value("a[n,n]: t[j,i] = a[i,j]", a=a), a.T)
    np.testing.assert_array_equal(value("a[n,n]: t[i] = a[i,i]", a=a), np.diagonal(a))
    np.testing.assert_allclose(value("a[n,n]: t = sum_i a[i,i]", a=a), np.trace(a))
    np.testing.assert_array_equal(value("a[n,n], b[m]: t[k,i,j] = a[i,j] b[k]", a=a, b=b), np.multiply.outer(b, a))


def test_a_sum_counts_an_axis_its_body_does_not_depend_on():
    assert value("x[n]: s = sum_i 2 x[i]**0", x=np.zeros(5)) == 10


def test_axes_of_size_one_broadcast_and_still_count_in_sums():
    x, y = draw.normal(size=(1, 3)), draw.normal(size=(4, 3))
    np.testing.assert_allclose(value("z[i] = sum_k x[i,k] y[i,k]", x=x, y=y), (x * y).sum(1))
    np.testing.assert_allclose(value("x[n], y[n]: s = sum_i x[i] + 0 sum_i y[i]", x=[2.0], y=np.zeros(4)), 8.0)


def test_functions_maxima_and_deltas_have_their_values():
    x = draw.normal(size=(2, 3))
    np.testing.assert_array_equal(value("m[i] = max_k x[i,k]", x=x), x.max(1))
    np.testing.assert_array_equal(value("r[i,k] = max(x[i,k], 0)", x=x), np.maximum(x, 0))
    np.testing.assert_allclose(value("s[i,k] = sigmoid(x[i,k])", x=x), 1 / (1 + np.exp(-x)))
    np.testing.assert_allclose(value("s[i,k] = tanh(x[i,k]) + abs(x[i,k]) pi", x=x), np.tanh(x) + abs(x) * np.pi)
    np.testing.assert_array_equal(value("x[n]: e[i,j] = delta(i,j) x[i]", x=x[0]), np.diag(x[0]))


def test_a_variance_is_computed_as_it_is_written():
    x = 1e6 + draw.normal(size=50)
    text = "x[n]: mu = sum_i x[i] / n; v = sum_i (x[i] - mu)**2 / n"
    np.testing.assert_allclose(value(text, x=x), x.var(), rtol=1e-9)


def test_errors_name_array_axis_and_index():
    with pytest.raises(FormulaError, match="array y is missing; got x"):
        value("z[i] = x[i] y[i]", x=np.ones(2))
    with pytest.raises(FormulaError, match=r"x has shape \(2, 2\), wanted 1 axes"):
        value("z[i] = x[i]", x=np.ones((2, 2)))
    with pytest.raises(FormulaError, match=r"dimension n_k is 4 on axis 0 of b \(index k\) but 3 on axis 1 of a"):
        value("z[i,j] = sum_k a[i,k] b[k,j]", a=np.ones((2, 3)), b=np.ones((4, 2)))
