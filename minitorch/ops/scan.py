"""What has come so far?  Running sums and products along an axis, and the product over axes.

    cumsum   y_i = x_1 + ... + x_i            x'_k = sum_{i >= k} g_i
    cumprod  y_i = x_1 ... x_i                x'_k = y_{k-1} s_k,   s_k = g_k + x_{k+1} s_{k+1}
    prod     y   = x_1 ... x_n                x'_k = g (x_1 ... x_{k-1}) (x_{k+1} ... x_n)

Nothing is divided by x, so zeros are no exception, in derivatives of any order.  One factor of y_{k-1} s_k may be too
large for a float where the other one is tiny or 0, and so may a part of s_k that meets a 0 later: they are computed as
`scaled` numbers, and what comes out is infinite only if it is too large itself.  Cotangents, tangents and their
derivatives by x are derivatives of one sum, B = sum_j g_j sum_{k <= j} h_k prod_{i <= j, i != k} x_i:

    by h  cumprod_pull   y_{k-1} s_k
    by g  cumprod_push   t_j = h_j y_{j-1} + x_j t_{j-1}
    by x  _twice         t_{l-1} s_l + y_{l-1} u_l,   u_l = x_{l+1} u_{l+1} + h_{l+1} s_{l+1}     (in plain numbers)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.ops.arrangement import flip
from minitorch.ops.dtype import accumulating
from minitorch.ops.indexing import getitem
from minitorch.ops.movement import broadcast_to, concatenate, entry, numbered, reshape, transpose
from minitorch.ops.reduce import axis_missing, spread
from minitorch.ops.scaled import number, ordinary, recurrence, running_product, scaled
from minitorch.primitive import Array, primitive
from minitorch.shapes import Axis, Shape, axis_mismatch, inverse_permutation, normalize_axes


def _from_the_end(g, x_shape: Shape, *, axis):
    a = 0 if axis is None else axis
    return reshape(flip(cumsum(flip(g, axis=a), axis=a), axis=a), x_shape)


def _running_sum_formula(ranks, static):
    """A flattened array has more than the indices of its axes."""
    if static["axis"] is None and ranks["x"] != 1:
        return None
    letters, sizes = numbered("i", ranks["x"]), numbered("n", ranks["x"])
    (axis,) = normalize_axes(0 if static["axis"] is None else static["axis"], ranks["x"])
    i, read = letters[axis], [*letters[:axis], "k", *letters[axis + 1 :]]
    header = f"{entry('x', sizes)}, {i} < {sizes[axis]}"
    return f"{header}: {entry('out', letters)} = sum_k step({i} - k + 1 / 2) {entry('x', read)}"


@accumulating(
    formula=_running_sum_formula, vjp={"x": _from_the_end}, explain=lambda x, *, axis=None: axis_mismatch(x, axis)
)
def cumsum(x: Array, axis: int | None = None):
    """The running sum along `axis`; None flattens first."""
    return np.cumsum(x, axis)


def _cumprod_rule(g, x, x_shape: Shape, *, axis):
    if axis is None or not x_shape:
        x, axis = reshape(x, (-1,)), 0
    (axis,) = normalize_axes(axis, g.ndim)
    return reshape(cumprod_pull(g, x, axis=axis), x_shape)


@primitive(vjp={"x": _cumprod_rule}, explain=lambda x, *, axis=None: axis_mismatch(x, axis))
def cumprod(x: Array, axis: int | None = None):
    """The running product along `axis`; None flattens first.  Zeros have their exact derivatives."""
    return np.cumprod(np.asarray(x), axis)


def _prod_rule(g, x, x_shape: Shape, *, axis):
    """The product of all the others."""
    axes = normalize_axes(axis, len(x_shape))
    order = tuple(a for a in range(len(x_shape)) if a not in axes) + axes
    moved = tuple(x_shape[a] for a in order)
    count = int(np.prod([x_shape[a] for a in axes], dtype=int))
    last = len(x_shape) - len(axes)
    rows = reshape(transpose(x, axes=order), (*moved[:last], count))
    end = (np.arange(count) == count - 1).astype(x.dtype)  # the product is where a running one arrives
    others = cumprod_pull(broadcast_to(end, rows.shape), rows, axis=last)
    return spread(g, x_shape, axis) * transpose(reshape(others, moved), axes=inverse_permutation(order))


@primitive(vjp={"x": _prod_rule}, explain=axis_missing)
def prod(x: Array, axis: Axis = None, keepdims: bool = False):
    """The product over `axis`.  With one zero or several, its derivatives of every order are exact."""
    return np.prod(np.asarray(x), axis, keepdims=keepdims)


# -- derivatives of a running product ---------------------------------------------------------------------------------


def _pushed(h, x, *, axis: int) -> Any:
    return cumprod_push(h, x, axis=axis)


@accumulating(
    vjp={
        "g": _pushed,
        "x": lambda h, g, x, *, axis: _twice(h, g, x, axis),
    }
)
def cumprod_pull(g: Array, x: Array, *, axis: int):
    """The cotangent of x, if its running product along `axis` has the cotangent g.

    >>> cumprod_pull(np.array([0.0, 0.0, 0.0, 1.0]), np.array([0.0, 1e200, 1e200, 1e-300]), axis=0)
    array([1.e+100, 0.e+000, 0.e+000, 0.e+000])
    """
    g, x = _last(g, axis), _last(x, axis)
    kind = np.asarray if ordinary(g, x) else scaled
    with np.errstate(invalid="ignore"):  # of infinity times 0
        s = recurrence(kind(g[..., ::-1]), kind(_later(x[..., ::-1])))
        product = running_product(kind(_later(x))) * s[..., ::-1]
    return np.moveaxis(number(product), -1, axis)


@accumulating(
    vjp={
        "h": lambda g, x, *, axis: cumprod_pull(g, x, axis=axis),
        "x": lambda g, h, x, *, axis: _twice(h, g, x, axis),
    }
)
def cumprod_push(h: Array, x: Array, *, axis: int):
    """The tangent of the running product along `axis` of x, which has the tangent h."""
    h, x = _last(h, axis), _last(x, axis)
    kind = np.asarray if ordinary(h, x) else scaled
    with np.errstate(invalid="ignore"):
        t = recurrence(kind(h) * running_product(kind(_later(x))), kind(x))
    return np.moveaxis(number(t), -1, axis)


def _last(x: Array, axis: int) -> np.ndarray:
    return np.moveaxis(np.asarray(x), axis, -1)


def _later(x: np.ndarray) -> np.ndarray:
    """x one later along the last axis, with a 1 at the start."""
    return np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], -1)


def _twice(h, g, x, axis: int):
    """The derivative of B by x: what comes before l from the left, what comes after from the right."""
    one = _shifted(flip(x, axis=axis), axis, 1.0)  # backwards: x_{l+1} stands at l
    y = _shifted(cumprod(x, axis=axis), axis, 1.0)
    s = _recurrence(flip(g, axis=axis), one, axis)
    u = _recurrence(_shifted(flip(h, axis=axis) * s, axis, 0.0), one, axis)
    t = _shifted(_recurrence(h * y, x, axis), axis, 0.0)
    return t * flip(s, axis=axis) + y * flip(u, axis=axis)


def _shifted(x, axis: int, fill: float):
    """x one later along `axis`, with `fill` at the start; of an empty axis that entry alone, which then meets none."""
    before = (slice(None),) * axis
    first = np.full((*x.shape[:axis], 1, *x.shape[axis + 1 :]), fill, x.dtype)
    return concatenate([first, getitem(x, (*before, slice(0, -1)))], axis=axis)


def _recurrence(g, m, axis: int):
    """s_t = g_t + m_t s_{t-1}, in log2(n) rounds: each doubles how far back every entry has looked."""
    before, by = (slice(None),) * axis, 1
    while by < g.shape[axis]:
        start, later, earlier = ((*before, s) for s in (slice(0, by), slice(by, None), slice(0, -by)))
        step = getitem(m, later)
        g = concatenate([getitem(g, start), getitem(g, later) + step * getitem(g, earlier)], axis=axis)
        m = concatenate([getitem(m, start), step * getitem(m, earlier)], axis=axis)  # those at the start have seen all
        by *= 2
    return g
