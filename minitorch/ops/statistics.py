"""How large, how spread out?  Variance, standard deviation, log-sum-exp and norm over None, one or several axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import OperandError
from minitorch.explain import named
from minitorch.ops.dtype import accumulating, floating, is_number, shape_of, values
from minitorch.ops.elementwise import absolute, astype, divide, exp, power
from minitorch.ops.indexing import getitem
from minitorch.ops.movement import reshape, squeeze
from minitorch.ops.reduce import axis_missing, max, mean, min, over_axes, spread, sum
from minitorch.ops.select import where
from minitorch.primitive import Array
from minitorch.shapes import Axis, Shape, kept_shape, normalize_axes, reduced_count


def _centred(x, axis: Axis):
    """x minus its mean.  The first entry is subtracted before: then a constant is exactly 0 away from its mean."""
    axes = normalize_axes(axis, x.ndim)
    if 0 not in x.shape:
        x = x - getitem(x, tuple(slice(0, 1) if a in axes else slice(None) for a in range(x.ndim)))
    return x - mean(x, axis=axis, keepdims=True)


@accumulating(
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


@accumulating(
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


@accumulating(
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


@accumulating(
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


@named
def norm(x: Array, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Any:
    """The Euclidean length over any axes (of a matrix: Frobenius), or the norm of another `ord`, as `np.linalg.norm`.

    At 0 the gradient is 0; an entry that is 0 has gradient 0.

    Args:
        ord: over one axis any number p, for (sum |x|^p)^(1/p), with 0 for how many entries are not 0, and inf and -inf
            for the largest and the smallest size; over two 1 or inf (-1 or -inf): the largest (smallest) sum of sizes
            in a column or row, or "fro".  None is Euclidean over any axes.

    Raises:
        OperandError: another `ord`, or one for more than two axes.

    >>> norm(np.array([3.0, 4.0])).item()
    5.0
    """
    axes = normalize_axes(axis, len(shape_of(x)))
    if ord is None or (ord == 2 and len(axes) == 1) or (ord == "fro" and len(axes) == 2):
        return _norm(x, axis=axis, keepdims=keepdims)
    number = is_number(ord) and not isinstance(ord, bool)
    if number and len(axes) == 1:
        return _vector_norm(x if hasattr(x, "dtype") else np.asarray(x), float(ord), axes, keepdims)
    if number and len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        rows, columns = axes
        summed, rest = (rows, columns) if ord in (1, -1) else (columns, rows)
        out = (max if ord > 0 else min)(sum(absolute(x), axis=summed, keepdims=True), axis=rest, keepdims=True)
        return out if keepdims else squeeze(out, axes)
    allowed = {1: "any number", 2: "1, -1, inf, -inf or 'fro'"}.get(len(axes), "None")
    raise OperandError(f"norm: ord is {ord!r}; over {len(axes)} axes it can be {allowed}.")


def _vector_norm(x: Any, p: float, axes: Shape, keepdims: bool) -> Any:
    if x.dtype == np.float16:  # sums of powers are too large for it
        return astype(_vector_norm(astype(x, np.dtype(np.float32)), p, axes, keepdims), x.dtype)
    size = absolute(x)
    if p == 0:
        return sum(astype(size > 0, size.dtype), axis=axes, keepdims=keepdims)
    if p == 1 or np.isinf(p):
        return {1: sum, np.inf: max, -np.inf: min}[p](size, axis=axes, keepdims=keepdims)
    # Sizes are brought to about 1 first, since a power may overflow; on what they are divided by, nothing depends
    found = floating(values(x))
    of = np.maximum if p > 0 else np.minimum
    scale = of.reduce(np.abs(found), axes, keepdims=True, initial=None if found.size else 0)
    ordinary = (scale > 0) & np.isfinite(scale)
    scale = np.where(ordinary, scale, 1).astype(found.dtype)
    zero = values(size) == 0
    smooth = p > 0 and p % 2 == 0  # |x|^p is x^p, and its derivatives at 0 are those of a polynomial
    powers = power(divide(x, scale), p) if smooth else power(where(zero, 1, divide(size, scale)), p)
    powers = powers if smooth else where(zero, 0, powers)
    total = sum(powers, axis=axes, keepdims=True)
    nothing = values(total) == 0 if p > 0 else zero.any(axes, keepdims=True)  # a size of 0 has an infinite power
    out = where(nothing, 0, power(where(nothing, 1, total), 1 / p) * scale)
    return out if keepdims else squeeze(out, axes)
