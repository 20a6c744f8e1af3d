"""Which of NumPy's functions are an expression of others?  `vstack`, `diff`, `inner`: each is a line of operations.

So they go through the tape without rules of their own, and on plain arrays they are what NumPy computes.  Names and
arguments are NumPy's; what an argument that is missing here would mean, `interop.py` says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, ShapeError
from minitorch.ops.arrangement import moveaxis, split
from minitorch.ops.contraction import einsum, tensordot
from minitorch.ops.diagonal import diagonal, trace
from minitorch.ops.dtype import shape_of, values
from minitorch.ops.elementwise import absolute, multiply, positive, round, subtract
from minitorch.ops.indexing import getitem
from minitorch.ops.linalg import matmul
from minitorch.ops.movement import concatenate, expand_dims, reshape, squeeze, swapaxes
from minitorch.ops.reduce import mean
from minitorch.ops.select import where
from minitorch.ops.statistics import norm
from minitorch.primitive import Array
from minitorch.shapes import Axis, axis_mismatch, normalize_axes

# -- which entry where -------------------------------------------------------------------------------------------------


def ravel(a: Array) -> Any:
    """All entries on one axis, in row-major order.

    >>> ravel(np.eye(2))
    array([1., 0., 0., 1.])
    """
    return reshape(a, (-1,))


def copy(a: Array) -> Any:
    """The same values in memory of their own, through which gradients pass."""
    return positive(a)


def atleast_1d(*arys: Array) -> Any:
    """What has no axis, on one; of several, a tuple."""
    return _each(lambda a: a if shape_of(a) else reshape(a, (1,)), arys)


def atleast_2d(*arys: Array) -> Any:
    """What has no two axes, as one row: shape (n,) becomes (1, n); of several, a tuple."""
    return _each(lambda a: a if len(shape_of(a)) > 1 else reshape(a, (1, -1)), arys)


def _each(one: Callable[[Array], Any], arrays: Sequence[Array]) -> Any:
    made = tuple([one(a) for a in arrays])
    return made[0] if len(made) == 1 else made


def vstack(tup: Sequence[Array]) -> Any:
    """Joined as rows, along the first axis; vectors count as one row.

    Raises:
        ShapeError: nothing to join, or other axes than the first differ.

    >>> vstack([np.array([1, 2]), np.array([3, 4])])
    array([[1, 2],
           [3, 4]])
    """
    return concatenate([atleast_2d(a) for a in tup], axis=0)


def hstack(tup: Sequence[Array]) -> Any:
    """Joined side by side: vectors along their only axis, others along the second one.

    Raises:
        ShapeError: nothing to join, or other axes than that differ.

    >>> hstack([np.array([1, 2]), np.array([3])])
    array([1, 2, 3])
    """
    parts = [atleast_1d(a) for a in tup]
    return concatenate(parts, axis=1 if parts and len(shape_of(parts[0])) > 1 else 0)


def column_stack(tup: Sequence[Array]) -> Any:
    """Joined along the second axis; vectors (n,) count as columns (n, 1).

    >>> column_stack([np.array([1, 2]), np.array([3, 4])])
    array([[1, 3],
           [2, 4]])
    """
    return concatenate([a if len(shape_of(a)) > 1 else reshape(a, (-1, 1)) for a in tup], axis=1)


def append(arr: Array, values: Array, axis: int | None = None) -> Any:
    """`arr` and then `values` along `axis`; None flattens both first."""
    if axis is None:
        return concatenate([ravel(arr), ravel(values)])
    return concatenate([arr, values], axis=axis)


def array_split(ary: Array, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """`split` into pieces of almost equal size: the first ones are larger by one where they do not fit.

    >>> [p.tolist() for p in array_split(np.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    if isinstance(indices_or_sections, int):
        _axis("array_split", ary, axis)
        if indices_or_sections < 1:
            raise ArgumentError(f"array_split: {indices_or_sections} pieces; there has to be 1 at least.")
        each, more = divmod(shape_of(ary)[axis], indices_or_sections)
        indices_or_sections = [k * each + min(k, more) for k in range(1, indices_or_sections)]
    return split(ary, indices_or_sections, axis)


def where_or_nonzero(condition: Array, x: Array | None = None, y: Array | None = None) -> Any:
    """NumPy's `where`: x where the condition holds and y elsewhere; of a condition alone, the places where it holds."""
    if x is None and y is None:
        return np.nonzero(values(condition))
    if x is None or y is None:
        raise ArgumentError("where: one of two sides is missing. Give both, or the condition alone?")
    return where(condition, x, y)


# -- arithmetic --------------------------------------------------------------------------------------------------------


def diff(a: Array, n: int = 1, axis: int = -1) -> Any:
    """Each entry minus the one before along `axis`, n times; the axis gets n entries shorter.

    Raises:
        ShapeError: the axis does not exist.
        ArgumentError: n is negative.

    >>> diff(np.array([1, 4, 9, 16])), diff(np.array([1, 4, 9, 16]), n=2)
    (array([3, 5, 7]), array([2, 2]))
    """
    axis = _axis("diff", a, axis)
    if n < 0:
        raise ArgumentError(f"diff: n is {n}; differences are taken 0 times or more.")
    before = (slice(None),) * axis
    for _ in range(n):
        a = subtract(getitem(a, (*before, slice(1, None))), getitem(a, (*before, slice(None, -1))))
    return a


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


def average(a: Array, axis: Axis = None, keepdims: bool = False) -> Any:
    """The arithmetic mean over `axis`: NumPy's average without weights."""
    return mean(a, axis=axis, keepdims=keepdims)


def _axis(name: str, a: Array, axis: int) -> int:
    if reason := axis_mismatch(shape_of(a), axis):
        raise ShapeError(f"{name}: {reason}")
    return normalize_axes(axis, len(shape_of(a)))[0]


# The functions of `np.linalg` work on the last two axes, where those of `np` by the same name take the first two.
REWRITTEN: Mapping[Callable[..., Any], Callable[..., Any]] = {
    np.ravel: ravel,
    np.copy: copy,
    np.atleast_1d: atleast_1d,
    np.atleast_2d: atleast_2d,
    np.vstack: vstack,
    np.hstack: hstack,
    np.column_stack: column_stack,
    np.append: append,
    np.array_split: array_split,
    np.where: where_or_nonzero,
    np.diff: diff,
    np.inner: inner,
    np.vecdot: vecdot,
    np.average: average,
    np.around: round,
    np.fabs: absolute,
    np.conjugate: positive,
    np.matrix_transpose: lambda x: swapaxes(x, -1, -2),
    np.linalg.norm: norm,
    np.linalg.matmul: matmul,
    np.linalg.vecdot: vecdot,
    np.linalg.tensordot: tensordot,
    np.linalg.outer: lambda x1, x2: einsum("i,j->ij", x1, x2),
    np.linalg.trace: lambda x, offset=0: trace(x, offset, -2, -1),
    np.linalg.diagonal: lambda x, offset=0: diagonal(x, offset=offset, axis1=-2, axis2=-1),
}
"""NumPy's function, and what it is here."""
