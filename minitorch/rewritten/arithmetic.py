"""What is computed by a line or two of operations?  Differences, averages, products, norms.

Names and arguments are NumPy's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, OperandError, ShapeError
from minitorch.ops.arrangement import moveaxis
from minitorch.ops.contraction import tensordot
from minitorch.ops.dtype import shape_of, values
from minitorch.ops.elementwise import divide, floor_divide, multiply, remainder, subtract
from minitorch.ops.indexing import getitem
from minitorch.ops.linalg import matmul
from minitorch.ops.movement import broadcast_to, concatenate, expand_dims, reshape, squeeze, transpose
from minitorch.ops.reduce import mean, sum
from minitorch.ops.statistics import norm
from minitorch.primitive import Array
from minitorch.shapes import Axis, Shape, axis_mismatch, kept_shape, normalize_axes, one_axis, reduced_count


def diff(a: Array, n: int = 1, axis: int = -1, prepend: Array | None = None, append: Array | None = None) -> Any:
    """Each entry minus the one before along `axis`, n times; the axis gets n entries shorter.

    Args:
        prepend, append: what stands before and after `a` along the axis; a number stands for one entry.

    Raises:
        ShapeError: the axis does not exist.
        ArgumentError: n is negative.

    >>> diff(np.array([1, 4, 9, 16])), diff(np.array([1, 4, 9, 16]), n=2)
    (array([3, 5, 7]), array([2, 2]))
    >>> diff(np.array([1, 4, 9]), prepend=0)
    array([1, 3, 5])
    """
    axis = one_axis("diff", shape_of(a), axis)
    if n < 0:
        raise ArgumentError(f"diff: n is {n}; differences are taken 0 times or more.")
    if n and not (prepend is None and append is None):
        one = kept_shape(shape_of(a), axis)
        parts: list[Any] = [x for x in (prepend, a, append) if x is not None]
        a = concatenate([x if shape_of(x) else broadcast_to(x, one) for x in parts], axis=axis)
    before = (slice(None),) * axis
    for _ in range(n):
        a = subtract(getitem(a, (*before, slice(1, None))), getitem(a, (*before, slice(None, -1))))
    return a


def divmod(x1: Array, x2: Array) -> tuple[Any, Any]:
    """(x1 // x2, x1 % x2)."""
    return floor_divide(x1, x2), remainder(x1, x2)


def inner(a: Array, b: Array) -> Any:
    """Products summed over the last axis of both: (..., n) and (..., n) give both other axes; numbers are multiplied.

    >>> inner(np.array([1, 2]), np.array([[3, 4], [5, 6]]))
    array([11, 17])
    """
    if not shape_of(a) or not shape_of(b):
        return multiply(a, b)
    return tensordot(a, b, axes=(-1, -1))


def vecdot(x1: Array, x2: Array, axis: int = -1) -> Any:
    """Products summed over one axis, which both have; the others broadcast."""
    row = expand_dims(moveaxis(x1, axis, -1), -2)
    return squeeze(matmul(row, expand_dims(moveaxis(x2, axis, -1), -1)), (-2, -1))


def average(
    a: Array, axis: Axis = None, weights: Array | None = None, returned: bool = False, *, keepdims: bool = False
) -> Any:
    """The mean over `axis`, of entries that weigh `weights`; without them all the same.

    Args:
        weights: of a's shape, or of the sizes of the axes that are averaged over.
        returned: give the sum of the weights too, for each mean.

    Raises:
        ShapeError: the axis does not exist, or the weights have another shape.
        OperandError: weights sum to 0, of which there is no mean.

    >>> average(np.array([1.0, 3.0]), weights=np.array([3, 1])).item()
    1.5
    """
    shape = shape_of(a)
    if reason := axis_mismatch(shape, axis):
        raise ShapeError(f"average: {reason}")
    if weights is None:
        out: Any = mean(a, axis=axis, keepdims=keepdims)
        return (out, np.full(shape_of(out), reduced_count(shape, axis), out.dtype)) if returned else out
    w = _along(_array(weights, a), shape, axis)
    total = sum(w, axis=axis, keepdims=keepdims)
    if np.any(values(total) == 0):
        raise OperandError(f"average: weights of shape {shape_of(w)} sum to 0, and nothing has no mean.")
    out = divide(sum(multiply(a, w), axis=axis, keepdims=keepdims), total)
    return (out, broadcast_to(total, shape_of(out))) if returned else out


def _array(weights: Any, a: Any) -> Any:
    """Weights as an array or a Tensor; Python's numbers widen no Tensor."""
    if hasattr(weights, "dtype"):
        return weights
    narrow = hasattr(a, "numpy") and a.dtype.kind == "f"
    return np.asarray(weights, a.dtype if narrow else None)


def _along(weights: Any, shape: Shape, axis: Axis) -> Any:
    """Weights that broadcast to the shape: given for each entry, or for those of the averaged axes alone."""
    own, axes = shape_of(weights), normalize_axes(axis, len(shape))
    if own == shape:
        return weights
    if axis is None or own != tuple(shape[k] for k in axes):
        wanted = "" if axis is None else f" or {tuple(shape[k] for k in axes)}, the sizes of axis {axis}"
        raise ShapeError(f"average: weights {own} of a {shape}; wanted are {shape}{wanted}.")
    ordered = transpose(weights, tuple(sorted(range(len(axes)), key=axes.__getitem__)))
    return broadcast_to(reshape(ordered, tuple(n if k in axes else 1 for k, n in enumerate(shape))), shape)


def vector_norm(x: Array, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Any:
    """The norm of all entries over `axis` (None: over all axes) as one vector.

    >>> vector_norm(np.array([[1.0, 2.0], [2.0, 4.0]]), ord=1).item()
    9.0
    """
    shape = shape_of(x)
    if reason := axis_mismatch(shape, axis):
        raise ShapeError(f"vector_norm: {reason}")
    axes = normalize_axes(axis, len(shape))
    rest = tuple(k for k in range(len(shape)) if k not in axes)
    row = reshape(transpose(x, (*rest, *axes)), (*(shape[k] for k in rest), reduced_count(shape, axis)))
    out = norm(row, ord, axis=-1)
    return reshape(out, kept_shape(shape, axis)) if keepdims else out


def matrix_norm(x: Array, keepdims: bool = False, ord: float | str = "fro") -> Any:
    """The norm of the matrices on the last two axes."""
    return norm(x, ord, axis=(-2, -1), keepdims=keepdims)
