"""Which is largest, and in which order?  Positions have no derivative; the entries that they point at have.

At a tie the first wins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.errors import ShapeError
from minitorch.explain import named
from minitorch.ops.dtype import shape_of
from minitorch.ops.gathering import take_along_axis
from minitorch.ops.indexing import getitem
from minitorch.ops.movement import reshape
from minitorch.ops.reduce import axis_missing
from minitorch.primitive import Array, primitive
from minitorch.shapes import Axis, axis_mismatch, kept_shape, normalize_axes, reduced_count


def _position(of: Callable[..., Any], x: Array, axis: Axis, keepdims: bool) -> Any:
    """NumPy's argmax or argmin; several axes are made one first, in x's order."""
    if not isinstance(axis, tuple):
        return of(x, axis, keepdims=keepdims)
    x = np.asarray(x)
    axes = sorted(normalize_axes(axis, x.ndim))
    if axis_mismatch(x.shape, axis) or len(set(axes)) < len(axes):
        raise ValueError("each axis can be given once")
    rest = [a for a in range(x.ndim) if a not in axes]
    found = of(x.transpose(*rest, *axes).reshape(*(x.shape[a] for a in rest), reduced_count(x.shape, axis)), -1)
    return found.reshape(kept_shape(x.shape, axis)) if keepdims else found


@primitive(vjp={"x": None}, explain=axis_missing)
def argmax(x: Array, axis: Axis = None, keepdims: bool = False):
    """The position of the largest entry along `axis`, the first at a tie; None counts through the flat array.

    Several axes are counted through like a flat array of these axes, in the order that they have in x.

    >>> argmax(np.array([[[1, 9]], [[7, 3]]]), (0, 2))
    array([1])
    """
    return _position(np.argmax, x, axis, keepdims)


@primitive(vjp={"x": None}, explain=axis_missing)
def argmin(x: Array, axis: Axis = None, keepdims: bool = False):
    """The position of the smallest entry along `axis`, the first at a tie; axes as for `argmax`."""
    return _position(np.argmin, x, axis, keepdims)


@primitive(vjp={"x": None}, explain=lambda x, *, axis=-1, **_: axis_mismatch(x, axis))
def argsort(x: Array, axis: int | None = -1, descending: bool = False):
    """The positions that would sort x along `axis`; what ties keeps its order.  None flattens first."""
    x = np.asarray(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    if not descending:
        return np.argsort(x, axis, kind="stable")
    from_behind = np.flip(np.argsort(np.flip(x, axis), axis, kind="stable"), axis)  # so that ties keep their order
    return x.shape[axis] - 1 - from_behind


@named
def sort(x: Array, axis: int | None = -1, descending: bool = False) -> Any:
    """x sorted along `axis`; the gradient goes back to where each entry came from.

    >>> sort(np.array([3.0, 1.0, 2.0]))
    array([1., 2., 3.])
    """
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return take_along_axis(x, argsort(x, axis=axis, descending=descending), axis=axis)


@named
def topk(x: Array, k: int, axis: int = -1, largest: bool = True) -> tuple[Any, Any]:
    """The k largest (or smallest) entries along `axis`, in order, and their positions; at a tie the first wins.

    Raises:
        ShapeError: the axis has fewer than k entries.

    >>> topk(np.array([1.0, 5.0, 3.0]), 2)
    (array([5., 3.]), array([1, 2]))
    """
    shape = shape_of(x)
    if reason := axis_mismatch(shape, axis):
        raise ShapeError(f"topk: {reason}")
    if not 0 <= k <= shape[axis]:
        raise ShapeError(f"topk: {k} of the {shape[axis]} entries along axis {axis} of {shape}; k can be at most that.")
    (axis,) = normalize_axes(axis, len(shape))
    order = argsort(x, axis=axis, descending=largest)
    indices = getitem(order, (slice(None),) * axis + (slice(k),))
    return take_along_axis(x, indices, axis=axis), indices
