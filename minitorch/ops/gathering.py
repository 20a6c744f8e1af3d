"""Which entry for which place?  Reading and adding at arrays of indices, and filling where a mask says so.

take_along_axis (axis 1)   out[i, j] = x[i, indices[i, j]]
scatter_add (axis 1)       out = x;  out[i, indices[i, j]] += values[i, j]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.errors import ShapeError
from minitorch.explain import named
from minitorch.ops.dtype import integers, shape_of
from minitorch.ops.indexing import add_at, getitem, put_into_zeros
from minitorch.ops.movement import broadcast_to, entry, numbered, reshape
from minitorch.ops.select import where
from minitorch.primitive import Array, elementwise_mismatch, primitive
from minitorch.shapes import Shape, axis_mismatch, normalize_axes


def _outside(x_shape: Shape, indices: Shape, *more: Shape, axis: int | None = None) -> str:
    if reason := axis_mismatch(x_shape, axis):
        return reason
    n = int(np.prod(x_shape, dtype=int)) if axis is None else x_shape[axis]
    where_ = f"axis {axis} of {x_shape}" if axis is not None else f"the entries of {x_shape}"
    return f"indices {indices} and {where_}: an index is outside 0 ... {n - 1}, or the other axes do not agree."


def _untake(g, indices, x_shape: Shape, *, axis):
    indices = integers("take", indices)
    if axis is None:
        return reshape(put_into_zeros(g, (indices,), (int(np.prod(x_shape, dtype=int)),)), x_shape)
    (axis,) = normalize_axes(axis, len(x_shape))
    return put_into_zeros(g, (slice(None),) * axis + (indices,), x_shape)


def _taken_formula(ranks, static):
    """For indices counted from the start, as those of formulas are."""
    if ranks["indices"] == 0 or (static["axis"] is None and ranks["x"] != 1):
        return None  # a lookup has an axis, and a flattened array more than the indices of its axes
    letters, places = numbered("i", ranks["x"]), numbered("j", ranks["indices"])
    (axis,) = normalize_axes(0 if static["axis"] is None else static["axis"], ranks["x"])
    before, after = letters[:axis], letters[axis + 1 :]
    read = entry("x", [*before, entry("indices", places), *after])
    return f"{entry('out', [*before, *places, *after])} = {read}"


@primitive(formula=_taken_formula, vjp={"x": _untake, "indices": None}, explain=_outside)
def take(x: Array, indices: Array, axis: int | None = None):
    """The entries of x at `indices` along `axis`; None counts through the flat array.  Repeated ones accumulate."""
    return np.take(x, integers("take", indices), axis)


def _grid(indices: np.ndarray, axis: int, sizes: Shape) -> tuple[np.ndarray, ...]:
    """For `axis` the indices, for every other axis its own positions."""
    rank = len(sizes)
    (axis,) = normalize_axes(axis, rank)
    own = [np.arange(n).reshape(tuple(n if b == a else 1 for b in range(rank))) for a, n in enumerate(sizes)]
    return tuple(indices if a == axis else positions for a, positions in enumerate(own))


def _untake_along(g, indices, x_shape: Shape, *, axis):
    if axis is None:
        return reshape(put_into_zeros(g, (indices,), (int(np.prod(x_shape, dtype=int)),)), x_shape)
    return put_into_zeros(g, _grid(np.asarray(indices), axis, x_shape), x_shape)


@primitive(vjp={"x": _untake_along, "indices": None}, explain=_outside)
def take_along_axis(x: Array, indices: Array, axis: int | None = -1):
    """The entry at `indices` along `axis`, for every place of the other axes: what `argsort` and `argmax` point at."""
    return np.take_along_axis(np.asarray(x), integers("take_along_axis", indices), axis)


@named
def gather(x: Array, axis: int, index: Array) -> Any:
    """PyTorch's gather: as `take_along_axis`, but the other axes of `index` may be shorter than those of x.

    A negative index counts from the end, as in NumPy; PyTorch refuses it.

    Raises:
        ShapeError: different numbers of axes, or an index outside.
    """
    positions = integers("gather", index)
    _fits("gather", shape_of(x), axis, positions.shape)
    return getitem(x, _grid(positions, axis, positions.shape))


def _fits(name: str, x_shape: Shape, axis: int, indices: Shape) -> None:
    if reason := axis_mismatch(x_shape, axis):
        raise ShapeError(f"{name}: {reason}")
    if len(x_shape) != len(indices):
        raise ShapeError(f"{name}: x {x_shape} and index {indices} have different numbers of axes. Use expand_dims?")


@primitive(
    name="scatter_add",
    vjp={
        "x": lambda g: g,
        "indices": None,
        "values": lambda g, indices, *, axis: getitem(g, _grid(np.asarray(indices), axis, shape_of(indices))),
    },
    explain=_outside,
)
def _scatter_add(x: Array, indices: Array, values: Array, *, axis: int):
    indices = np.asarray(indices)
    out = np.array(x, np.result_type(x, values))
    add_at(out, _grid(indices, axis, indices.shape), values)
    return out


@named
def scatter_add(x: Array, axis: int, index: Array, values: Array) -> Any:
    """x with `values` added at `index` along `axis`; where an index repeats, the values are summed.

    Raises:
        ShapeError: different numbers of axes, or an index outside.

    >>> scatter_add(np.zeros(3), 0, [0, 0, 2], np.ones(3))
    array([2., 0., 1.])
    """
    positions = integers("scatter_add", index)
    _fits("scatter_add", shape_of(x), axis, positions.shape)
    return _scatter_add(x, positions, values, axis=axis)


@named
def masked_fill(x: Array, mask: Array, value: Array) -> Any:
    """x, but `value` where the mask is true; no gradient reaches x there.

    >>> masked_fill(np.array([1.0, 2.0]), [True, False], 0.0)
    array([0., 2.])
    """
    return where(np.asarray(mask), value, x)


def safe_where(condition: Array, f: Callable[[Any], Any], x: Array, other: Array) -> Any:
    """f(x) where the condition holds, `other` elsewhere; f is computed at those entries only.

    `where(x < 1, x, sqrt(x - 1))` has gradient NaN at 0: the derivative of the side that was not chosen is infinite or
    undefined, and 0 * inf is NaN.  Here that side is never computed.

    Args:
        condition: booleans that broadcast with x.
        f: a function entry by entry; it sees the chosen entries as one vector.
        other: what stands elsewhere; broadcasts too.

    Raises:
        ShapeError: f does not give one value for each entry.

    >>> import minitorch as mt
    >>> x = mt.tensor([0.0, 4.0], requires_grad=True)
    >>> mt.grad(safe_where(x > 0, mt.sqrt, x, 0.0).sum(), x)
    Tensor([0.  , 0.25], dtype=float32)
    """
    chosen = np.asarray(condition).astype(bool)
    shapes = (chosen.shape, shape_of(x), shape_of(other))
    if reason := elementwise_mismatch(*shapes):
        raise ShapeError(f"safe_where: {reason}")
    shape = np.broadcast_shapes(*shapes)
    chosen = np.broadcast_to(chosen, shape)
    picked = getitem(x if shape_of(x) == shape else broadcast_to(x, shape), (chosen,))
    values = f(picked)
    if shape_of(values) != shape_of(picked):
        raise ShapeError(
            f"safe_where: f turned {shape_of(picked)} chosen entries into shape {shape_of(values)}; it must work entry "
            "by entry."
        )
    return where(chosen, put_into_zeros(values, (chosen,), shape), other)
