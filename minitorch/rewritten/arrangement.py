"""Which entry goes where, by several operations?  Axes put together and apart, arrays joined and cut.

Names and arguments are NumPy's, and PyTorch's where NumPy has none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, OperandError, ShapeError
from minitorch.ops.arrangement import split
from minitorch.ops.dtype import integers, shape_of, values
from minitorch.ops.elementwise import astype, positive
from minitorch.ops.indexing import getitem
from minitorch.ops.movement import broadcast_to, concatenate, expand_dims, reshape
from minitorch.ops.select import equal, where
from minitorch.primitive import Array
from minitorch.shapes import Shape, flat_sizes, one_axis

# -- the same entries under another shape ------------------------------------------------------------------------------


def numel(x: Array) -> int:
    """How many entries there are."""
    return math.prod(shape_of(x))


def ravel(a: Array) -> Any:
    """All entries on one axis, in row-major order.

    >>> ravel(np.eye(2))
    array([1., 0., 0., 1.])
    """
    return reshape(a, (-1,))


def flatten(x: Array, start_axis: int = 0, end_axis: int = -1) -> Any:
    """The axes from `start_axis` to `end_axis`, both included, as one; by default all.

    >>> flatten(np.ones((2, 3, 4)), 1).shape
    (2, 12)
    """
    shape = shape_of(x) or (1,)
    start, end = (one_axis("flatten", shape, axis) for axis in (start_axis, end_axis))
    if start > end:
        raise ShapeError(f"flatten: start_axis {start_axis} of {shape} comes after end_axis {end_axis}. Exchange them?")
    return reshape(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(x: Array, axis: int, sizes: Shape) -> Any:
    """One axis as several, of which one size may be -1.

    >>> unflatten(np.ones((2, 12)), -1, (3, -1)).shape
    (2, 3, 4)
    """
    shape = shape_of(x)
    axis = one_axis("unflatten", shape, axis)
    return reshape(x, (*shape[:axis], *sizes, *shape[axis + 1 :]))


def expand(x: Array, *sizes: int | Sequence[int]) -> Any:
    """x stretched to these sizes without copying, as `broadcast_to`; -1 leaves an axis as it is.

    >>> expand(np.ones((3, 1)), 2, -1, 4).shape
    (2, 3, 4)
    """
    asked, own = flat_sizes(sizes), shape_of(x)
    own = (-1,) * (len(asked) - len(own)) + own
    return broadcast_to(x, tuple(n if size == -1 else size for size, n in zip(asked, own[-len(asked) :], strict=True)))


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


# -- joined and cut ----------------------------------------------------------------------------------------------------


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


def chunk(x: Array, chunks: int, axis: int = 0) -> tuple[Any, ...]:
    """At most that many parts along `axis`, all of one size but the last, which may be shorter.

    >>> [part.tolist() for part in chunk(np.arange(5), 3)]
    [[0, 1], [2, 3], [4]]
    """
    n = shape_of(x)[one_axis("chunk", shape_of(x), axis)]
    if chunks < 1:
        raise OperandError(f"chunk: into {chunks} parts; there is at least 1.")
    size = math.ceil(n / chunks) or 1
    return tuple(split(x, range(size, n, size), axis))


def array_split(ary: Array, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """`split` into pieces of almost equal size: the first ones are larger by one where they do not fit.

    >>> [p.tolist() for p in array_split(np.arange(5), 2)]
    [[0, 1, 2], [3, 4]]
    """
    if isinstance(indices_or_sections, int):
        one_axis("array_split", shape_of(ary), axis)
        if indices_or_sections < 1:
            raise ArgumentError(f"array_split: {indices_or_sections} pieces; there has to be 1 at least.")
        each, more = divmod(shape_of(ary)[axis], indices_or_sections)
        indices_or_sections = [k * each + min(k, more) for k in range(1, indices_or_sections)]
    return split(ary, indices_or_sections, axis)


def unbind(x: Array, axis: int = 0) -> tuple[Any, ...]:
    """The parts at each place of `axis`, without that axis."""
    axis = one_axis("unbind", shape_of(x), axis)
    return tuple(getitem(x, (slice(None),) * axis + (i,)) for i in range(shape_of(x)[axis]))


# -- places ------------------------------------------------------------------------------------------------------------


def where_or_nonzero(condition: Array, x: Array | None = None, y: Array | None = None) -> Any:
    """NumPy's `where`: x where the condition holds and y elsewhere; of a condition alone, the places where it holds."""
    if x is None and y is None:
        return np.nonzero(values(condition))
    if x is None or y is None:
        raise ArgumentError("where: one of two sides is missing. Give both, or the condition alone?")
    return where(condition, x, y)


def one_hot(indices: Array, num_classes: int | None = None) -> Any:
    """For each index a row of integers that is 1 at that index and 0 elsewhere.

    Args:
        indices: integers, of any shape.
        num_classes: the length of a row; one more than the largest index unless given.

    >>> one_hot([0, 2], 3)
    array([[1, 0, 0],
           [0, 0, 1]])
    """
    found = integers("one_hot", indices)
    n = int(found.max(initial=-1)) + 1 if num_classes is None else num_classes
    if found.size and (found.min() < 0 or found.max() >= n):
        raise OperandError(f"one_hot: indices {found.min()} ... {found.max()} for {n} classes, 0 ... {n - 1}.")
    return astype(equal(expand_dims(indices, -1), np.arange(n)), np.dtype(np.int64))
