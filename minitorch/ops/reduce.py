"""What remains of an axis?  Sums, means and maxima over None, one or several axes, with or without keepdims."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from minitorch.ops.dtype import accumulating
from minitorch.ops.movement import broadcast_to, reshape
from minitorch.ops.select import equal, where
from minitorch.primitive import Array, primitive
from minitorch.shapes import Axis, Shape, axis_mismatch, kept_shape, normalize_axes, reduced_count


def spread(g, shape: Shape, axis: Axis):
    """A cotangent of the reduced shape, stretched over the axes that were reduced."""
    return broadcast_to(reshape(g, shape=kept_shape(shape, axis)), shape=shape)


def no_such_axis(x_shape: Shape, *, axis: Axis = -1, **static: Any) -> str | None:
    """Which axis does not exist."""
    return axis_mismatch(x_shape, axis)


def axis_missing(x_shape: Shape, *, axis: Axis = None, **static: Any) -> str | None:
    """Which axis of a reduction does not exist, or is empty."""
    if reason := axis_mismatch(x_shape, axis):
        return reason
    empty = [a for a in normalize_axes(axis, len(x_shape)) if x_shape[a] == 0]
    return f"axis {empty[0]} of shape {x_shape} is empty, and nothing has no largest entry." if empty else None


def over_axes(text: str):
    """A formula for any rank and any axes.  In the text, `{x}` are the indices of an entry, `{out}` those that remain,
    `{over}` those that are reduced; `{n}` is how many entries that are, and `{ddof}` a static argument.

    >>> over_axes("out[{out}] = sum_{{{over}}} x[{x}] / ({n})")({"x": 2}, {"axis": -1})
    'out[i0] = sum_{i1} x[i0,i1] / (n_i1)'
    """

    def formula(ranks, static):
        axes = normalize_axes(static["axis"], ranks["x"])
        letters = [f"i{a}" for a in range(ranks["x"])]
        over = [letters[a] for a in axes]
        names = {
            "x": ",".join(letters),
            "out": ",".join(letter for letter in letters if letter not in over),
            "over": ",".join(over),
            "n": " * ".join(f"n_{letter}" for letter in over) or "1",
            "ddof": static.get("ddof", 0),
        }
        return re.sub(r"\b(sum|mean|max)_{} |\[\]", "", text.format(**names))

    return formula


@accumulating(
    formula=over_axes("out[{out}] = sum_{{{over}}} x[{x}]"),
    vjp={"x": lambda g, x_shape, *, axis: spread(g, x_shape, axis)},
    explain=axis_missing,
)
def sum(x: Array, axis: Axis = None, keepdims: bool = False):
    """The sum over `axis`."""
    return np.add.reduce(x, axis, keepdims=keepdims)  # as np.sum, without a look at the other types that it takes


@accumulating(
    formula=over_axes("out[{out}] = mean_{{{over}}} x[{x}]"),
    vjp={"x": lambda g, x_shape, *, axis: spread(g / reduced_count(x_shape, axis), x_shape, axis)},
    explain=axis_missing,
)
def mean(x: Array, axis: Axis = None, keepdims: bool = False):
    """The arithmetic mean over `axis`."""
    return np.asarray(x).mean(axis, keepdims=keepdims)


def _winners_share(g, x, out, x_shape, *, axis):
    """Entries that tie share the gradient equally; ties are counted in integers (a float16 could not count them).

    Where the result is NaN no entry equals it, and the gradient is NaN.
    """
    won = equal(x, reshape(out, kept_shape(x_shape, axis)))
    ties = sum(won, axis=axis, keepdims=True)
    return spread(g, x_shape, axis) * (won / where(ties == 0, np.nan, ties)).astype(g.dtype)


@primitive(formula=over_axes("out[{out}] = max_{{{over}}} x[{x}]"), vjp={"x": _winners_share}, explain=axis_missing)
def max(x: Array, axis: Axis = None, keepdims: bool = False):
    """The largest entry over `axis`; ties share the gradient equally; an empty axis is an error."""
    return np.max(x, axis, keepdims=keepdims)


@primitive(formula=over_axes("out[{out}] = -max_{{{over}}} (-x[{x}])"), vjp={"x": _winners_share}, explain=axis_missing)
def min(x: Array, axis: Axis = None, keepdims: bool = False):
    """The smallest entry over `axis`; ties share the gradient equally; an empty axis is an error."""
    return np.min(x, axis, keepdims=keepdims)


@primitive(vjp={"x": None}, explain=axis_missing)
def all(x: Array, axis: Axis = None, keepdims: bool = False):
    """Whether every entry over `axis` is true (not 0)."""
    return np.all(x, axis, keepdims=keepdims)


@primitive(vjp={"x": None}, explain=axis_missing)
def any(x: Array, axis: Axis = None, keepdims: bool = False):
    """Whether some entry over `axis` is true (not 0)."""
    return np.any(x, axis, keepdims=keepdims)
