"""What remains of an axis?  Sums, means and maxima over None, one or several axes, with or without keepdims."""

from __future__ import annotations

import numpy as np

from minitorch.ops.movement import broadcast_to, reshape
from minitorch.ops.select import equal
from minitorch.primitive import Array, primitive
from minitorch.shapes import Axis, Shape, kept_shape, normalize_axes, reduced_count


def _spread(g, shape: Shape, axis: Axis):
    """A cotangent of the reduced shape, stretched over the axes that were reduced."""
    return broadcast_to(reshape(g, kept_shape(shape, axis)), shape)


def _axis_missing(x_shape: Shape, *, axis: Axis, keepdims: bool = False) -> str | None:
    for a in axis if isinstance(axis, tuple) else () if axis is None else (axis,):
        if not -len(x_shape) <= a < len(x_shape):
            has = f"axes 0 ... {len(x_shape) - 1}" if x_shape else "no axes"
            return f"axis {a} of shape {x_shape}, which has {has}. Count from the end with -1?"
    empty = [a for a in normalize_axes(axis, len(x_shape)) if x_shape[a] == 0]
    return f"axis {empty[0]} of shape {x_shape} is empty, and nothing has no largest entry." if empty else None


def reduction(outer: str):
    """The formula of a reduction, for any rank and any axes: `outer` stands before the reduced entry, as in `sum_k
    x[i,k]`.

    >>> reduction("sum")({"x": 2}, {"axis": -1, "keepdims": False})
    'out[i0] = sum_{i1} x[i0,i1]'
    """

    def formula(ranks, static):
        rank = ranks["x"]
        axes = normalize_axes(static["axis"], rank)
        letters = [f"i{a}" for a in range(rank)]
        left = [letter for a, letter in enumerate(letters) if a not in axes]
        bound = [letters[a] for a in axes]
        entry = f"x[{','.join(letters)}]" if letters else "x"
        head = f"out[{','.join(left)}]" if left else "out"
        return f"{head} = {outer}_{{{','.join(bound)}}} {entry}" if bound else f"{head} = {entry}"

    return formula


@primitive(
    formula=reduction("sum"),
    vjp={"x": lambda g, x_shape, *, axis: _spread(g, x_shape, axis)},
    explain=_axis_missing,
)
def sum(x: Array, axis: Axis = None, keepdims: bool = False):
    """The sum over `axis`."""
    return np.sum(x, axis, keepdims=keepdims)


@primitive(
    formula=reduction("mean"),
    vjp={"x": lambda g, x_shape, *, axis: _spread(g / reduced_count(x_shape, axis), x_shape, axis)},
    explain=_axis_missing,
)
def mean(x: Array, axis: Axis = None, keepdims: bool = False):
    """The arithmetic mean over `axis`."""
    return np.asarray(x).mean(axis, keepdims=keepdims)


def _max_rule(g, x, out, x_shape, *, axis):
    """Entries that tie for the maximum share the gradient equally; ties are counted in integers (a float16 could not
    count them)."""
    won = equal(x, reshape(out, kept_shape(x_shape, axis)))
    ties = sum(won, axis=axis, keepdims=True)
    return _spread(g, x_shape, axis) * (won / ties)


@primitive(formula=reduction("max"), vjp={"x": _max_rule}, explain=_axis_missing)
def max(x: Array, axis: Axis = None, keepdims: bool = False):
    """The largest entry over `axis`; ties share the gradient equally; an empty axis is an error."""
    return np.max(x, axis, keepdims=keepdims)
