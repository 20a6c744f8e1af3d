"""Which copy goes where?  Reversing, rolling, repeating, padding and splitting: entries move or are copied.

The adjoint of a copy is a sum: an entry that went to several places gets the sum of their cotangents.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minitorch.errors import ShapeError
from minitorch.ops.dtype import shape_of
from minitorch.ops.indexing import getitem, put_into_zeros
from minitorch.ops.movement import entry, numbered, reshape, transpose
from minitorch.ops.reduce import sum
from minitorch.options import settled
from minitorch.primitive import Array, primitive
from minitorch.shapes import Axis, Shape, axis_mismatch, normalize_axes


def _no_such_axis(x_shape: Shape, *, axis: Axis = None, **static: Any) -> str | None:
    return axis_mismatch(x_shape, axis)


def moveaxis(x: Array, source: int | tuple[int, ...], destination: int | tuple[int, ...]):
    """Move axes to new places; the others keep their order.

    >>> moveaxis(np.ones((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    rank = len(shape_of(x))
    source, destination = (settled("moveaxis", "an axis", axis) for axis in (source, destination))
    for axis in (source, destination):
        if reason := axis_mismatch(shape_of(x), axis):
            raise ShapeError(f"moveaxis: {reason}")
    sources, places = normalize_axes(source, rank), normalize_axes(destination, rank)
    if len(set(sources)) != len(sources) or len(set(places)) != len(places) or len(sources) != len(places):
        raise ShapeError(f"moveaxis: {source} to {destination}; as many places as axes are needed, each once.")
    order = [a for a in range(rank) if a not in sources]
    for place, a in sorted(zip(places, sources, strict=True)):
        order.insert(place, a)
    return transpose(x, axes=tuple(order))


def _flipped(g, *, axis):
    return flip(g, axis=axis)


def _flipped_formula(ranks, static):
    letters, sizes = numbered("i", ranks["x"]), numbered("n", ranks["x"])
    axes = normalize_axes(static["axis"], ranks["x"])
    header = [entry("x", sizes), *(f"{letters[a]} < {sizes[a]}" for a in axes)]
    read = [f"{n} - 1 - {i}" if a in axes else i for a, (i, n) in enumerate(zip(letters, sizes, strict=True))]
    return f"{', '.join(header)}: {entry('out', letters)} = {entry('x', read)}"


@primitive(formula=_flipped_formula, vjp={"x": _flipped}, explain=_no_such_axis)
def flip(x: Array, axis: Axis = None):
    """The entries in reverse order along `axis`; None reverses every axis."""
    return np.flip(x, axis)


def _rolled_back(g, *, shift, axis):
    return roll(g, shift=-shift if isinstance(shift, int) else tuple(-s for s in shift), axis=axis)


@primitive(vjp={"x": _rolled_back}, explain=_no_such_axis)
def roll(x: Array, shift: int | tuple[int, ...], axis: Axis = None):
    """Entry i goes to i + shift along `axis`, and what leaves at one end enters at the other; None rolls the flat
    array."""
    return np.roll(x, shift, axis)


def _untile(g, x_shape: Shape, *, reps):
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    rank = max(len(reps), len(x_shape))
    reps, sizes = (1,) * (rank - len(reps)) + reps, (1,) * (rank - len(x_shape)) + x_shape
    pairs = [n for pair in zip(reps, sizes, strict=True) for n in pair]
    return reshape(sum(reshape(g, tuple(pairs)), axis=tuple(range(0, 2 * rank, 2))), x_shape)


@primitive(vjp={"x": _untile})
def tile(x: Array, reps: int | tuple[int, ...]):
    """`reps` copies of x side by side, along each axis: the whole array is repeated.

    >>> tile(np.array([1, 2]), 2)
    array([1, 2, 1, 2])
    """
    return np.tile(x, reps)


def _unrepeat(g, x_shape: Shape, *, repeats, axis):
    shape = x_shape if axis is not None else (int(np.prod(x_shape, dtype=int)),)
    (a,) = normalize_axes(axis or 0, len(shape))
    if len(shape_of(repeats)) == 0:
        pairs = (*shape[:a], shape[a], int(repeats), *shape[a + 1 :])
        return reshape(sum(reshape(g, pairs), axis=a + 1), x_shape)
    sources = np.repeat(np.arange(shape[a]), repeats)
    return reshape(put_into_zeros(g, (slice(None),) * a + (sources,), shape), x_shape)


@primitive(vjp={"x": _unrepeat}, explain=_no_such_axis)
def repeat(x: Array, repeats: int | Sequence[int], axis: int | None = None):
    """Each entry `repeats` times (a number, or one for each entry of the axis); None flattens first.

    >>> repeat(np.array([1, 2]), 2)
    array([1, 1, 2, 2])
    """
    return np.repeat(x, repeats, axis)


PadWidth = int | tuple[int, int] | Sequence[tuple[int, int]]
_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _widths(pad_width: PadWidth, rank: int) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in np.broadcast_to(np.asarray(pad_width), (rank, 2))]


def _unpad(g, x_shape: Shape, *, pad_width, mode):
    widths = _widths(pad_width, len(x_shape))
    if mode == "constant":
        return getitem(g, tuple(slice(a, a + n) for (a, _), n in zip(widths, x_shape, strict=True)))
    for axis, (width, n) in enumerate(zip(widths, x_shape, strict=True)):
        if any(width):  # where each entry of the padded axis came from
            sources = np.pad(np.arange(n), width, mode)
            shape = (*g.shape[:axis], n, *g.shape[axis + 1 :])
            g = put_into_zeros(g, (slice(None),) * axis + (sources,), shape)
    return g


def _padded_formula(ranks, static):
    """With zeros, which is what an entry outside an array counts as."""
    if static["mode"] != "constant" or static["constant_values"] != 0:
        return None
    letters, sizes = numbered("i", ranks["x"]), numbered("n", ranks["x"])
    widths = _widths(static["pad_width"], ranks["x"])
    longer = [f"{i} < {n} + {a + b}" for i, n, (a, b) in zip(letters, sizes, widths, strict=True)]
    read = [f"{i} - {a}" if a else f"{i} + 0" for i, (a, _) in zip(letters, widths, strict=True)]
    return f"{', '.join([entry('x', sizes), *longer])}: {entry('out', letters)} = {entry('x', read)}"


@primitive(formula=_padded_formula, vjp={"x": _unpad})
def pad(x: Array, pad_width: PadWidth, mode: str = "constant", constant_values: float = 0.0):
    """x with entries added at both ends of its axes, as `np.pad` does.

    Args:
        pad_width: a number, (before, after), or one such pair for each axis.
        mode: "constant", "edge" (the last entry again), "reflect" (mirrored at it), "symmetric" or "wrap".
        constant_values: what is added in mode "constant".

    >>> pad(np.array([1.0, 2.0, 3.0]), (2, 1), mode="reflect")
    array([3., 2., 1., 2., 3., 2.])
    """
    if mode not in _MODES:
        raise ShapeError(f"pad: mode is {mode!r}; it can be {', '.join(map(repr, _MODES))}.")
    more = {"constant_values": constant_values} if mode == "constant" else {}
    return np.pad(x, _widths(pad_width, len(shape_of(x))), mode, **more)  # type: ignore[call-overload]


def split(x: Array, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Any]:
    """x in pieces along `axis`: that many of equal size, or cut at the given indices.

    Raises:
        ShapeError: the axis does not exist, or cannot be cut into that many equal pieces.

    >>> [p.tolist() for p in split(np.arange(5), [2, 3])]
    [[0, 1], [2], [3, 4]]
    """
    shape = shape_of(x)
    if reason := axis_mismatch(shape, axis):
        raise ShapeError(f"split: {reason}")
    (axis,) = normalize_axes(axis, len(shape))
    n = shape[axis]
    indices_or_sections = settled("split", "indices_or_sections", indices_or_sections)
    if isinstance(indices_or_sections, int):
        pieces = indices_or_sections
        if pieces < 1 or n % pieces:
            raise ShapeError(
                f"split: axis {axis} of {shape} has {n} entries, which are not {pieces} equal pieces. Use chunk, or "
                "give the places where to cut?"
            )
        cuts = [k * (n // pieces) for k in range(1, pieces)]
    else:
        cuts = [int(c) for c in indices_or_sections]
    before = (slice(None),) * axis
    return [getitem(x, (*before, slice(a, b))) for a, b in pairwise([0, *cuts, n])]
