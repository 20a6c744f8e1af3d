"""Which operations are an expression of others?  NumPy's and PyTorch's other names, and functions of one line or two.

A name that stands for an operation is that operation: `sub is subtract`, with its record and its documentation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.errors import OperandError, ShapeError
from minitorch.ops.arrangement import split
from minitorch.ops.dtype import integers, shape_of
from minitorch.ops.elementwise import absolute, astype, clip, divide, multiply, negative, power, subtract
from minitorch.ops.indexing import getitem
from minitorch.ops.movement import broadcast_to, concatenate, expand_dims, reshape, transpose
from minitorch.ops.reduce import max, min
from minitorch.ops.select import equal, greater, greater_equal, less, less_equal, not_equal
from minitorch.primitive import Array
from minitorch.random import seed
from minitorch.shapes import Shape, axis_mismatch, normalize_axes

abs, amax, amin, clamp, div, mul, neg, pow, sub = absolute, max, min, clip, divide, multiply, negative, power, subtract
eq, ge, gt, le, lt, ne = equal, greater_equal, greater, less_equal, less, not_equal
cat, permute, unsqueeze, manual_seed = concatenate, transpose, expand_dims, seed


def numel(x: Array) -> int:
    """How many entries there are."""
    return math.prod(shape_of(x))


def flatten(x: Array, start_axis: int = 0, end_axis: int = -1) -> Any:
    """The axes from `start_axis` to `end_axis`, both included, as one; by default all.

    >>> flatten(np.ones((2, 3, 4)), 1).shape
    (2, 12)
    """
    shape = shape_of(x) or (1,)
    start, end = (_axis("flatten", shape, axis) for axis in (start_axis, end_axis))
    if start > end:
        raise ShapeError(f"flatten: start_axis {start_axis} of {shape} comes after end_axis {end_axis}. Exchange them?")
    return reshape(x, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


def unflatten(x: Array, axis: int, sizes: Shape) -> Any:
    """One axis as several, of which one size may be -1.

    >>> unflatten(np.ones((2, 12)), -1, (3, -1)).shape
    (2, 3, 4)
    """
    shape = shape_of(x)
    axis = _axis("unflatten", shape, axis)
    return reshape(x, (*shape[:axis], *sizes, *shape[axis + 1 :]))


def expand(x: Array, *sizes: int) -> Any:
    """x stretched to these sizes without copying, as `broadcast_to`; -1 leaves an axis as it is.

    >>> expand(np.ones((3, 1)), 2, -1, 4).shape
    (2, 3, 4)
    """
    own = shape_of(x)
    own = (-1,) * (len(sizes) - len(own)) + own
    return broadcast_to(x, tuple(n if size == -1 else size for size, n in zip(sizes, own[-len(sizes) :], strict=True)))


def chunk(x: Array, chunks: int, axis: int = 0) -> tuple[Any, ...]:
    """At most that many parts along `axis`, all of one size but the last, which may be shorter.

    >>> [part.tolist() for part in chunk(np.arange(5), 3)]
    [[0, 1], [2, 3], [4]]
    """
    n = shape_of(x)[_axis("chunk", shape_of(x), axis)]
    if chunks < 1:
        raise OperandError(f"chunk: into {chunks} parts; there is at least 1.")
    size = math.ceil(n / chunks) or 1
    return tuple(split(x, range(size, n, size), axis))


def unbind(x: Array, axis: int = 0) -> tuple[Any, ...]:
    """The parts at each place of `axis`, without that axis."""
    axis = _axis("unbind", shape_of(x), axis)
    return tuple(getitem(x, (slice(None),) * axis + (i,)) for i in range(shape_of(x)[axis]))


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


def _axis(name: str, shape: Sequence[int], axis: int) -> int:
    if reason := axis_mismatch(tuple(shape), axis):
        raise ShapeError(f"{name}: {reason}")
    return normalize_axes(axis, len(shape))[0]
