"""How large, how spread out?  Variance, standard deviation, log-sum-exp and norm over None, one or several axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.ops.dtype import floating, shape_of
from minitorch.ops.elementwise import absolute, exp
from minitorch.ops.indexing import getitem
from minitorch.ops.movement import reshape, squeeze
from minitorch.ops.reduce import axis_missing, max, mean, over_axes, spread, sum
from minitorch.ops.select import where
from minitorch.primitive import Array, primitive
from minitorch.shapes import Axis, Shape, kept_shape, normalize_axes, reduced_count


def _centred(x, axis: Axis):
    """x minus its mean.  The first entry is subtracted before: then a constant is exactly 0 away from its mean."""
    axes = normalize_axes(axis, x.ndim)
    if 0 not in x.shape:
        x = x - getitem(x, tuple(slice(0, 1) if a in axes else slice(None) for a in range(x.ndim)))
    return x - mean(x, axis=axis, keepdims=True)


@primitive(
    formula=over_axes(
        "m[{out}] = mean_{{{over}}} x[{x}]; out[{out}] = sum_{{{over}}} (x[{x}] - m[{out}])**2 / ({n} - {ddof})"
    ),
    vjp={
        "x": lambda g, x, x_shape, *, axis, ddof: (
            spread(g * (2 / _degrees(x_shape, axis, ddof)), x_shape, axis) * _centred(x, axis)
        )
    },
    explain=axis_missing,
)
def var(x: Array, axis: Axis = None, keepdims: bool = False, ddof: int = 0):
    """The variance over `axis`: the mean of the squared distances from the mean, with n - ddof for n."""
    return _variance(floating(x), axis, keepdims, ddof)


def _variance(x: np.ndarray, axis: Axis, keepdims: bool, ddof: int):
    return np.sum(np.square(_centred(x, axis)), axis, keepdims=keepdims) / _degrees(x.shape, axis, ddof)


def _degrees(shape: Shape, axis: Axis, ddof: int) -> float:
    """n - ddof, what the sum of squares is divided by; NaN where nothing is left."""
    n = reduced_count(shape, axis) - ddof
    return float(n) if n > 0 else np.nan


def _std_rule(g, x, out, x_shape: Shape, *, axis, ddof):
    """(x - mean) / (n std), and 0 where the standard deviation is 0."""
    scale = where(out == 0, 0, g / (_degrees(x_shape, axis, ddof) * where(out == 0, 1, out)))
    return spread(scale, x_shape, axis) * _centred(x, axis)


@primitive(
    formula=over_axes(
        "m[{out}] = mean_{{{over}}} x[{x}]; v[{out}] = sum_{{{over}}} (x[{x}] - m[{out}])**2 / ({n} - {ddof});"
        "out[{out}] = sqrt(v[{out}])"
    ),
    vjp={"x": _std_rule},
    explain=axis_missing,
)
def std(x: Array, axis: Axis = None, keepdims: bool = False, ddof: int = 0):
    """The standard deviation over `axis`, the root of `var`; of a constant it is 0, with gradient 0."""
    return np.sqrt(_variance(floating(x), axis, keepdims, ddof))


def _lse_rule(g, x, out, x_shape: Shape, *, axis):
    """The softmax, exp(x - out); where all entries are -inf (out is too) it is exp(-inf - 0) = 0."""
    shift = where(out == -np.inf, 0, out)
    return spread(g, x_shape, axis) * exp(x - reshape(shift, kept_shape(x_shape, axis)))


@primitive(
    formula=over_axes("out[{out}] = log(sum_{{{over}}} exp(x[{x}]))"),
    vjp={"x": _lse_rule},
    explain=axis_missing,
)
def logsumexp(x: Array, axis: Axis = None, keepdims: bool = False):
    """log(sum(exp(x))) over `axis`, without overflow; of nothing but -inf it is -inf, with gradient 0."""
    x = floating(x)
    top = np.max(x, axis, keepdims=True, initial=-np.inf)
    shift = np.where(np.isfinite(top), top, 0).astype(x.dtype, copy=False)
    with np.errstate(divide="ignore"):
        out = np.log(np.sum(np.exp(x - shift), axis, keepdims=True)) + shift
    return out if keepdims else np.squeeze(out, normalize_axes(axis, x.ndim))


def _norm_rule(g, x, out, x_shape: Shape, *, axis):
    """x / out, and 0 where the norm is 0."""
    out, g = (reshape(v, kept_shape(x_shape, axis)) for v in (out, g))
    return where(out == 0, 0, g * (x / where(out == 0, 1, out)))


@primitive(
    name="norm",
    formula=over_axes("out[{out}] = sqrt(sum_{{{over}}} x[{x}]**2)"),
    vjp={"x": _norm_rule},
    explain=axis_missing,
)
def _norm(x: Array, axis: Axis = None, keepdims: bool = False):
    x = floating(x)
    size = np.abs(x)
    top = np.max(size, axis, keepdims=True, initial=0)
    scale = np.where((top > 0) & np.isfinite(top), top, 1).astype(x.dtype, copy=False)  # a square may overflow
    out = np.sqrt(np.sum(np.square(size / scale), axis, keepdims=True)) * scale
    return out if keepdims else np.squeeze(out, normalize_axes(axis, x.ndim))


def norm(x: Array, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The Euclidean length over any axes (of a matrix: Frobenius), or the norm of another `ord`, as `np.linalg.norm`.

    At 0 the gradient is 0.

    Args:
        ord: over one axis 1, 2 or inf: the sum of the sizes, the root of the sum of squares, the largest size; over two
            1 or inf: the largest sum of sizes in a column or row, or "fro".  None is Euclidean over any axes.

    Raises:
        ValueError: another `ord`, or one for more than two axes.

    >>> norm(np.array([3.0, 4.0])).item()
    5.0
    """
    axes = normalize_axes(axis, len(shape_of(x)))
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        return _norm(x, axis=axis, keepdims=keepdims)
    if ord in (1, np.inf) and len(axes) == 1:
        return (sum if ord == 1 else max)(absolute(x), axis=axis, keepdims=keepdims)
    if ord in (1, np.inf) and len(axes) == 2:
        rows, columns = axes
        summed, rest = (rows, columns) if ord == 1 else (columns, rows)
        out = max(sum(absolute(x), axis=summed, keepdims=True), axis=rest, keepdims=True)
        return out if keepdims else squeeze(out, axes)
    allowed = {1: "1, 2 or inf", 2: "1, inf or 'fro'"}.get(len(axes), "None")
    raise ValueError(f"norm: ord is {ord!r}; over {len(axes)} axes it can be {allowed}")
