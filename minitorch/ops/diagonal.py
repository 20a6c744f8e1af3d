"""What stands on the diagonal, above it and below?  Diagonals, traces and triangles of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import ShapeError
from minitorch.ops.arrangement import moveaxis
from minitorch.ops.dtype import shape_of
from minitorch.ops.indexing import put_into_zeros
from minitorch.ops.reduce import sum
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape, axis_mismatch, normalize_axes


def _no_diagonal(x_shape: Shape, *, axis1: int = 0, axis2: int = 1, **static: Any) -> str | None:
    if len(x_shape) < 2:
        return f"shape {x_shape} has no two axes to have a diagonal between."
    return axis_mismatch(x_shape, (axis1, axis2)) or f"axis1 and axis2 are both {axis1} of {x_shape}."


def _onto_diagonal(g, x_shape: Shape, *, offset, axis1, axis2):
    a, b = normalize_axes((axis1, axis2), len(x_shape))
    rows = np.arange(g.shape[-1]) - min(offset, 0)
    columns = np.arange(g.shape[-1]) + max(offset, 0)
    rest = tuple(n for k, n in enumerate(x_shape) if k not in (a, b))
    return moveaxis(put_into_zeros(g, (..., rows, columns), (*rest, x_shape[a], x_shape[b])), (-2, -1), (a, b))


@primitive(vjp={"x": _onto_diagonal}, explain=_no_diagonal)
def diagonal(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1):
    """The entries x[i, i + offset] of two axes, which become the last one of the result."""
    return np.diagonal(x, offset, axis1, axis2)


def trace(x: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonal (`minitorch.trace_gradients` watches a backward pass).

    Raises:
        ShapeError: x has fewer than two axes.

    >>> float(trace(np.eye(3)))
    3.0
    """
    return sum(diagonal(x, offset=offset, axis1=axis1, axis2=axis2), axis=-1)


def diag(x: Array, k: int = 0) -> Any:
    """A vector as the diagonal k of a matrix of zeros, or the diagonal k of a matrix.

    Raises:
        ShapeError: x has neither one axis nor two.

    >>> diag(np.array([1.0, 2.0]))
    array([[1., 0.],
           [0., 2.]])
    """
    shape = shape_of(x)
    if len(shape) == 2:
        return diagonal(x, offset=k)
    if len(shape) != 1:
        raise ShapeError(f"diag: shape {shape} has {len(shape)} axes; it takes a vector or a matrix. Use diagonal?")
    places = np.arange(shape[0])
    n = shape[0] + abs(k)
    return put_into_zeros(x, (places - min(k, 0), places + max(k, 0)), (n, n))


def _no_matrix(x_shape: Shape, **static: Any) -> str | None:
    return f"shape {x_shape} has no rows and columns. Use expand_dims?" if len(x_shape) < 2 else None


def _lower(g, *, k):
    return tril(g, k=k)


@primitive(
    formula=lambda ranks, static: f"out[...,i,j] = x[...,i,j] step(i - j + {static['k']} + 1 / 2)",
    vjp={"x": _lower},
    explain=_no_matrix,
)
def tril(x: Array, k: int = 0):
    """The lower triangle of the last two axes: zeros above diagonal k."""
    return _triangle(x, k, np.tril)


def _upper(g, *, k):
    return triu(g, k=k)


@primitive(
    formula=lambda ranks, static: f"out[...,i,j] = x[...,i,j] step(j - i - {static['k']} + 1 / 2)",
    vjp={"x": _upper},
    explain=_no_matrix,
)
def triu(x: Array, k: int = 0):
    """The upper triangle of the last two axes: zeros below diagonal k."""
    return _triangle(x, k, np.triu)


def _triangle(x: Array, k: int, half: Any):
    if len(shape_of(x)) < 2:  # NumPy would make a matrix of a vector
        raise ValueError("no matrix")
    return half(x, k)
