"""Where does an entry go?  Reshaping, transposing, stretching and joining: nothing is computed, entries only move.

The adjoint of a movement is the movement back; where one entry went to several places, their cotangents are summed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from minitorch.errors import ArgumentError, ShapeError
from minitorch.ops.dtype import accumulating, shape_of
from minitorch.primitive import Array, primitive
from minitorch.shapes import Axis, Shape, inverse_permutation, normalize_axes, stretched_axes


def numbered(letter: str, count: int) -> list[str]:
    """Index letters or sizes of a formula, one for each axis: `i0`, `i1`, ..."""
    return [f"{letter}{k}" for k in range(count)]


def entry(name: str, places: Sequence[str]) -> str:
    """An entry of an array as formulas write it.

    >>> entry("x", ["i0", "k"]), entry("x", [])
    ('x[i0,k]', 'x')
    """
    return f"{name}[{','.join(places)}]" if places else name


def _reshape_mismatch(x_shape: Shape, *, shape: Shape) -> str:
    size = math.prod(x_shape)
    return f"{size} entries in {x_shape} do not fill {shape}. Give shapes of equal size, or -1 for one axis."


@primitive(vjp={"x": lambda g, x_shape: g.reshape(x_shape)}, explain=_reshape_mismatch)
def reshape(x: Array, shape: Shape):
    """The same entries in row-major order under another shape; one size may be -1."""
    return np.asarray(x).reshape(shape)


def _no_permutation(x_shape: Shape, *, axes: Shape | None = None) -> str | None:
    if axes is None or sorted(normalize_axes(axes, len(x_shape))) == list(range(len(x_shape))):
        return None
    two = f"swapaxes{tuple(axes)}" if len(axes) == 2 else "swapaxes"
    return f"axes {axes} of {x_shape}; all {len(x_shape)} axes are given, each once. To exchange two, use {two}?"


def _transposed_formula(ranks, static):
    letters = numbered("i", ranks["x"])
    axes = range(len(letters))[::-1] if static["axes"] is None else normalize_axes(static["axes"], len(letters))
    return f"{entry('out', [letters[a] for a in axes])} = {entry('x', letters)}"


@primitive(
    formula=_transposed_formula,
    vjp={"x": lambda g, *, axes: g.transpose(*() if axes is None else inverse_permutation(axes))},
    explain=_no_permutation,
)
def transpose(x: Array, axes: Shape | None = None):
    """Permute the axes; without `axes`, reverse them."""
    return np.transpose(x, axes)


def _swapped_formula(ranks, static):
    letters = numbered("i", ranks["x"])
    a, b = normalize_axes((static["axis1"], static["axis2"]), len(letters))
    out = [letters[{a: b, b: a}.get(k, k)] for k in range(len(letters))]
    return f"{entry('out', out)} = {entry('x', letters)}"


@primitive(formula=_swapped_formula, vjp={"x": lambda g, *, axis1, axis2: g.swapaxes(axis1, axis2)})
def swapaxes(x: Array, axis1: int, axis2: int):
    """Exchange two axes."""
    return np.swapaxes(x, axis1, axis2)


def _fold(g, x_shape: Shape):
    return sum_to(g, x_shape)


@primitive(vjp={"x": _fold})
def broadcast_to(x: Array, shape: Shape):
    """Stretch x to `shape` without copying: the result is read-only in NumPy's sense."""
    return np.broadcast_to(x, shape)


@accumulating(vjp={"x": lambda g, x_shape: broadcast_to(g, x_shape)})
def sum_to(x: Array, shape: Shape):
    """Sum over the axes that broadcasting `shape` to x's shape would stretch: the adjoint of `broadcast_to`.

    >>> sum_to(np.ones((2, 3)), (3,))
    array([2., 2., 2.])
    """
    found = shape_of(x)
    extra = len(found) - len(shape)
    if extra >= 0 and found[extra:] == shape and math.prod(found[:extra]) == 1:
        return np.asarray(x).reshape(shape)  # nothing to add up
    out = np.asarray(np.sum(x, stretched_axes(shape, found), keepdims=True) if extra >= 0 else x)
    if extra < 0 or out.shape[extra:] != shape:  # equal sizes in another order would reshape without a complaint
        raise ShapeError(f"sum_to: shape {shape} does not broadcast to {found}. Does a rule give back another shape?")
    return out.reshape(shape)


def _expanded_formula(ranks, static):
    letters = numbered("i", ranks["x"])
    new = static["axis"] if isinstance(static["axis"], tuple) else (static["axis"],)
    places = normalize_axes(new, ranks["x"] + len(new))
    left = iter(letters)
    out = [f"o{k}" if k in places else next(left) for k in range(ranks["x"] + len(new))]
    header = [entry("x", numbered("n", ranks["x"])), *(f"o{k} < 1" for k in places)]
    return f"{', '.join(header)}: {entry('out', out)} = {entry('x', letters)}"


@primitive(formula=_expanded_formula, vjp={"x": lambda g, x_shape: reshape(g, x_shape)})
def expand_dims(x: Array, axis: int | tuple[int, ...]):
    """Insert axes of size 1 at the given places of the result."""
    return np.expand_dims(x, axis)


def _squeezed_formula(ranks, static):
    """Which axes have size 1 is not known from their number."""
    if static["axis"] is None:
        return None
    gone, letters = normalize_axes(static["axis"], ranks["x"]), numbered("i", ranks["x"])
    sizes = ["1" if k in gone else n for k, n in enumerate(numbered("n", ranks["x"]))]
    out = [i for k, i in enumerate(letters) if k not in gone]
    read = ["0" if k in gone else i for k, i in enumerate(letters)]
    return f"{entry('x', sizes)}: {entry('out', out)} = {entry('x', read)}"


@primitive(formula=_squeezed_formula, vjp={"x": lambda g, x_shape: reshape(g, x_shape)})
def squeeze(x: Array, axis: Axis = None):
    """Drop axes of size 1."""
    return np.squeeze(x, axis)


def _split_at(g, sizes: Sequence[int], axis: int):
    """Pieces of g along `axis`, by basic indexing, so that they stay differentiable."""
    (axis,) = normalize_axes(axis, g.ndim)
    before = (slice(None),) * axis
    return [g[(*before, slice(start, stop))] for start, stop in pairwise(accumulate(sizes, initial=0))]


def _join_mismatch(*shapes: Shape, axis: int) -> str | None:
    if not shapes:
        return "nothing to join. Give at least one array."
    first = shapes[0]
    for k, s in enumerate(shapes):
        if len(s) != len(first):
            return f"part 0 has shape {first} and part {k} has {s}: different numbers of axes. Use expand_dims?"
        differing = [a for a in range(len(s)) if s[a] != first[a] and a != axis % len(s)]
        if differing:
            a = differing[0]
            return f"axis {a} is {first[a]} in part 0 {first} and {s[a]} in part {k} {s}; only axis {axis} may differ."
    return None


@primitive(
    name="concatenate",
    vjp={"parts": lambda g, parts_shape, *, axis: _split_at(g, [s[axis] for s in parts_shape], axis)},
    explain=_join_mismatch,
)
def _concatenate(*parts: Array, axis: int = 0):
    return np.concatenate(parts, axis)


def concatenate(arrays: Sequence[Array], axis: int | None = 0):
    """Join along an axis that exists: shapes (..., m, ...) and (..., n, ...) give (..., m + n, ...); None flattens
    first."""
    arrays = parts_of("concatenate", arrays)
    if axis is None:
        arrays, axis = [reshape(a, (-1,)) for a in arrays], 0
    return _concatenate(*arrays, axis=axis)


def parts_of(name: str, arrays: Sequence[Array]) -> Sequence[Array]:
    """The arrays to join, which stand in one sequence, or along the first axis of one array.

    Raises:
        ArgumentError: there is no sequence.
    """
    try:
        return list(arrays)
    except TypeError:
        raise ArgumentError(
            f"{name}: it takes a sequence of arrays, not a {type(arrays).__name__} without axes. Write {name}([a, b])?"
        ) from None


def _stack_mismatch(*shapes: Shape, axis: int) -> str | None:
    for k, s in enumerate(shapes):
        if s != shapes[0]:
            return f"part 0 has shape {shapes[0]} and part {k} has {s}; all must be equal. Use concatenate?"
    return None if shapes else "nothing to join. Give at least one array."


@primitive(
    name="stack",
    vjp={"parts": lambda g, parts_shape, *, axis: [_take_one(g, i, axis) for i in range(len(parts_shape))]},
    explain=_stack_mismatch,
)
def _stack(*parts: Array, axis: int = 0):
    return np.stack(parts, axis)


def _take_one(g, i: int, axis: int):
    (axis,) = normalize_axes(axis, g.ndim)
    return g[(slice(None),) * axis + (i,)]


def stack(arrays: Sequence[Array], axis: int = 0):
    """Join along a new axis: n arrays of shape (a, b) give (n, a, b)."""
    return _stack(*parts_of("stack", arrays), axis=axis)
