"""What has come so far?  Running sums and products along an axis, and the product over axes.

    cumsum   y_i = x_1 + ... + x_i            x'_k = sum_{i >= k} g_i
    cumprod  y_i = x_1 ... x_i                x'_k = y_{k-1} s_k,   s_k = g_k + x_{k+1} s_{k+1}
    prod     y   = x_1 ... x_n                x'_k = g (x_1 ... x_{k-1}) (x_{k+1} ... x_n)

Nothing is divided by x, so zeros are no exception, in derivatives of any order.
"""

from __future__ import annotations

import numpy as np

from minitorch.ops.arrangement import flip
from minitorch.ops.dtype import accumulating
from minitorch.ops.indexing import getitem
from minitorch.ops.movement import concatenate, entry, numbered, reshape, transpose
from minitorch.ops.reduce import axis_missing, spread
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


def _shifted(x, axis: int, fill: float):
    """x one later along `axis`, with `fill` at the start."""
    before = (slice(None),) * axis
    first = np.full((*x.shape[:axis], min(1, x.shape[axis]), *x.shape[axis + 1 :]), fill, x.dtype)
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


def _cumprod_rule(g, x, x_shape: Shape, *, axis):
    if axis is None or not x_shape:
        x, axis = reshape(x, (-1,)), 0
    (axis,) = normalize_axes(axis, g.ndim)
    s = flip(_recurrence(flip(g, axis=axis), _shifted(flip(x, axis=axis), axis, 0.0), axis), axis=axis)
    return reshape(s * _shifted(cumprod(x, axis=axis), axis, 1.0), x_shape)


@primitive(vjp={"x": _cumprod_rule}, explain=lambda x, *, axis=None: axis_mismatch(x, axis))
def cumprod(x: Array, axis: int | None = None):
    """The running product along `axis`; None flattens first.  Zeros have their exact derivatives."""
    return np.cumprod(np.asarray(x), axis)


def _prod_rule(g, x, x_shape: Shape, *, axis):
    """The product of all the others: of those before times those after."""
    axes = normalize_axes(axis, len(x_shape))
    order = tuple(a for a in range(len(x_shape)) if a not in axes) + axes
    moved = tuple(x_shape[a] for a in order)
    count = int(np.prod([x_shape[a] for a in axes], dtype=int))
    last = len(x_shape) - len(axes)
    rows = reshape(transpose(x, axes=order), (*moved[:last], count))
    before = _shifted(cumprod(rows, axis=last), last, 1.0)
    after = flip(_shifted(cumprod(flip(rows, axis=last), axis=last), last, 1.0), axis=last)
    others = transpose(reshape(before * after, moved), axes=inverse_permutation(order))
    return spread(g, x_shape, axis) * others


@primitive(vjp={"x": _prod_rule}, explain=axis_missing)
def prod(x: Array, axis: Axis = None, keepdims: bool = False):
    """The product over `axis`.  With one zero or several, its derivatives of every order are exact."""
    return np.prod(np.asarray(x), axis, keepdims=keepdims)
