"""Over any axes: sums, extremes, statistics, scans and orders are NumPy's, and their Jacobians those written out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minitorch as mt
from tests.property.reference import close, pulled
from tests.property.strategies import arrays, one_axis, shapes, some_axes

SMOOTH = ("sum", "mean", "max", "amax", "min", "amin", "prod", "var", "std")


def jacobian_row(name: str, x: np.ndarray) -> np.ndarray:
    """The derivative of a reduction of the vector x by its entries."""
    n = x.size
    match name:
        case "sum":
            return np.ones(n)
        case "mean":
            return np.full(n, 1 / n)
        case "max" | "amax":
            return (x == x.max()) / (x == x.max()).sum()
        case "min" | "amin":
            return (x == x.min()) / (x == x.min()).sum()
        case "prod":
            return np.array([np.delete(x, i).prod() for i in range(n)])
        case "var":
            return 2 * (x - x.mean()) / n
        case "logsumexp":
            return np.exp(x) / np.exp(x).sum()
        case "norm":
            return x / np.sqrt((x**2).sum())
    return (x - x.mean()) / n / x.std() if n > 1 else np.zeros(n)


def reduced_back(name: str, x: np.ndarray, g: np.ndarray, axis: Any) -> np.ndarray:
    """The adjoint of a reduction, vector by vector; g has the kept axes."""
    axes = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(np.asarray(axis, int)) % max(x.ndim, 1))
    rest = tuple(a for a in range(x.ndim) if a not in axes)
    turned = np.transpose(x, (*rest, *axes))
    rows = turned.reshape(int(np.prod([x.shape[a] for a in rest])), -1) if x.size else turned.reshape(0, 0)
    flat = g.ravel()
    back = np.array([jacobian_row(name, row) * flat[i] for i, row in enumerate(rows)])
    return np.transpose(back.reshape(turned.shape), np.argsort((*rest, *axes)))


@given(st.data(), arrays(shapes(max_dims=3)), st.booleans())
@pytest.mark.parametrize("name", [*SMOOTH, "all", "any"])
def test_a_reduction_is_numpys_over_any_axes_and_its_jacobian_that_of_each_vector(name, data, x, keepdims):
    axis = data.draw(some_axes(x.ndim))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")  # the mean of nothing is 0/0
        _compare(name, x, axis, keepdims)


def _compare(name: str, x: np.ndarray, axis: Any, keepdims: bool) -> None:
    try:
        expected = getattr(np, name)(x, axis=axis, keepdims=keepdims)
    except ValueError:  # the largest of nothing
        with pytest.raises(mt.ShapeError, match="is empty"):
            getattr(mt, name)(mt.tensor(x), axis=axis, keepdims=keepdims)
        return
    for out in (
        getattr(mt, name)(mt.tensor(x), axis=axis, keepdims=keepdims),
        getattr(np, name)(mt.tensor(x), axis, keepdims=keepdims),
    ):
        close(out.numpy(), expected)
    if name in SMOOTH:
        _, (found,), g = pulled(lambda t: getattr(mt, name)(t, axis=axis, keepdims=keepdims), x)
        close(found, reduced_back(name, x, g, axis))


@given(st.data(), arrays(shapes(max_dims=3, min_side=1)))
@pytest.mark.parametrize("name", ["logsumexp", "norm"])
def test_logsumexp_and_norm_have_the_jacobian_of_each_vector(name, data, x):
    axis = data.draw(some_axes(x.ndim))
    value, (found,), g = pulled(lambda t: getattr(mt, name)(t, axis=axis), x)
    expected = np.log(np.exp(x).sum(axis)) if name == "logsumexp" else np.sqrt((x**2).sum(axis))
    close(value, expected)
    close(found, reduced_back(name, x, g, axis))


@given(st.data(), arrays(shapes(min_dims=1, max_dims=3, min_side=1)))
def test_orders_are_numpys_and_sorting_moves_cotangents_back(data, x):
    axis = data.draw(st.none() | one_axis(x.ndim))
    for name in ("argmax", "argmin", "argsort"):
        np.testing.assert_array_equal(
            getattr(mt, name)(mt.tensor(x), axis=axis).numpy(), getattr(np, name)(x, axis=axis)
        )
    value, (found,), g = pulled(lambda t: mt.sort(t, axis=axis), x)
    np.testing.assert_array_equal(value, np.sort(x, axis))
    wanted = np.zeros_like(x)
    if axis is None:
        wanted.ravel()[np.argsort(x, None)] = g
    else:
        np.put_along_axis(wanted, np.argsort(x, axis), g, axis)
    close(found, wanted)


@given(st.data(), arrays(shapes(min_dims=1, max_dims=3)), st.integers(0, 2))
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_a_scan_is_numpys_and_its_jacobian_that_of_the_sums_or_products_so_far(name, data, x, zeros):
    axis = data.draw(st.none() | one_axis(x.ndim))
    x = x.copy()
    x.ravel()[:zeros] = 0.0
    value, (found,), g = pulled(lambda t: getattr(mt, name)(t, axis=axis), x)
    close(value, getattr(np, name)(x, axis=axis))
    turned = x.ravel()[None] if axis is None else np.moveaxis(x, axis, -1)
    gs = g.ravel()[None] if axis is None else np.moveaxis(g, axis, -1)
    back = np.zeros(turned.shape)
    for row in np.ndindex(turned.shape[:-1]):
        v, n = turned[row], turned.shape[-1]
        for i in range(n):
            for j in range(i, n):
                back[row][i] += gs[row][j] * (np.delete(v[: j + 1], i).prod() if name == "cumprod" else 1.0)
    close(found, back.reshape(x.shape) if axis is None else np.moveaxis(back, -1, axis))
