"""Which shape comes out?  Pure arithmetic on tuples of sizes: no arrays, no Tensors.

Broadcasting is NumPy's: shapes are aligned at their last axes, and a size of 1 stretches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minitorch.errors import ShapeError

Shape = tuple[int, ...]
Axis = int | tuple[int, ...] | None


def normalize_axes(axis: Axis, ndim: int) -> Shape:
    """The axes that `axis` names, as non-negative integers; `None` names them all.

    >>> normalize_axes(-1, 3), normalize_axes((0, -1), 3), normalize_axes(None, 2)
    ((2,), (0, 2), (0, 1))
    """
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(a + ndim if a < 0 else a for a in axes)


def axis_mismatch(shape: Shape, axis: Axis) -> str | None:
    """Say which of the axes does not exist; None if all do.

    >>> axis_mismatch((2, 3), 2)
    'axis 2 of shape (2, 3), which has axes 0 ... 1. Count from the end with -1?'
    """
    rank = len(shape)
    for a in () if axis is None else axis if isinstance(axis, tuple | list) else (axis,):
        if not hasattr(a, "__index__"):
            return f"axis {a!r} is no integer. Count the axes of shape {shape} from 0."
        if not -rank <= a < rank:
            has = f"axes 0 ... {rank - 1}" if rank else "no axes"
            return f"axis {a} of shape {shape}, which has {has}. Count from the end with -1?"
    return None


def one_axis(name: str, shape: Shape, axis: int) -> int:
    """The axis as a non-negative integer.

    Raises:
        ShapeError: it does not exist; by the name of the function that was asked for it.

    >>> one_axis("unbind", (2, 3), -1)
    1
    """
    if reason := axis_mismatch(shape, axis):
        raise ShapeError(f"{name}: {reason}")
    return normalize_axes(axis, len(shape))[0]


def flat_sizes(given: tuple[Any, ...]) -> Shape:
    """The sizes of `x.reshape(2, 3)` and of `x.reshape((2, 3))`, which mean the same.

    >>> flat_sizes((2, 3)), flat_sizes(([2, 3],)), flat_sizes((2,))
    ((2, 3), (2, 3), (2,))
    """
    one = len(given) == 1 and (isinstance(given[0], tuple | list) or getattr(given[0], "ndim", 0))
    return tuple(given[0]) if one else given


def kept_shape(shape: Shape, axis: Axis) -> Shape:
    """The shape of a reduction with `keepdims=True`.

    >>> kept_shape((2, 3, 4), (0, -1))
    (1, 3, 1)
    """
    if axis is None:
        return (1,) * len(shape)
    axes = normalize_axes(axis, len(shape))
    return tuple(1 if i in axes else n for i, n in enumerate(shape))


def reduced_count(shape: Shape, axis: Axis) -> int:
    """How many entries a reduction over `axis` folds into each entry of its result.

    >>> reduced_count((2, 3, 4), (0, -1))
    8
    """
    count = 1
    for a in normalize_axes(axis, len(shape)):
        count *= shape[a]
    return count


def stretched_axes(shape: Shape, to: Shape) -> Shape:
    """The axes of `to` that broadcasting `shape` to it stretches or adds: those that the adjoint sums over.

    >>> stretched_axes((3, 1), (2, 3, 4))
    (0, 2)
    """
    extra = len(to) - len(shape)
    return tuple(range(extra)) + tuple(i + extra for i, n in enumerate(shape) if n == 1 and to[i + extra] != 1)


def inverse_permutation(axes: Sequence[int]) -> Shape:
    """The permutation that undoes `axes`.

    >>> inverse_permutation((2, 0, 1))
    (1, 2, 0)
    """
    inverse = [0] * len(axes)
    for i, a in enumerate(axes):
        inverse[a] = i
    return tuple(inverse)


def broadcast_mismatch(shapes: Sequence[Shape]) -> str | None:
    """Say which axis keeps these shapes from broadcasting; None if they do broadcast.

    >>> broadcast_mismatch([(2, 3), (4, 3)])
    'axis -2 is 2 in the first and 4 in the second'
    >>> broadcast_mismatch([(2, 3), (1, 3)]) is None
    True
    """
    ordinals = ("first", "second", "third")
    for back in range(1, max(map(len, shapes), default=0) + 1):
        sized = [(k, s[-back]) for k, s in enumerate(shapes) if len(s) >= back and s[-back] != 1]
        if len({n for _, n in sized}) > 1:
            (i, m), (j, n) = sized[0], next((j, n) for j, n in sized if n != sized[0][1])
            return f"axis -{back} is {m} in the {ordinals[i]} and {n} in the {ordinals[j]}"
    return None


def matmul_mismatch(left: Shape, right: Shape) -> str | None:
    """Say why `left @ right` is undefined; None if it is defined.

    >>> matmul_mismatch((2, 3), (4, 2))
    'inner sizes differ: (2, 3) @ (4, 2); axis -1 of the left is 3, axis -2 of the right is 4. Transpose one?'
    """
    shown = f"{left} @ {right}"
    if not left or not right:
        return f"a scalar has no axis to contract: {shown}. Use * for a product with a scalar."
    inner = right[max(-2, -len(right))]
    if left[-1] != inner:
        axis = -2 if len(right) > 1 else -1
        return (
            f"inner sizes differ: {shown}; axis -1 of the left is {left[-1]}, "
            f"axis {axis} of the right is {inner}. Transpose one?"
        )
    if batch := broadcast_mismatch([left[:-2], right[:-2]]):
        return f"batch axes do not broadcast: {shown}; before the last two axes, {batch}."
    return None
