"""Which entries?  Reading by slices, integers, arrays and masks; the adjoint adds the cotangent back where it was read.

An entry that was read twice gets the sum of both cotangents (`np.add.at`), never the last one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.ops.dtype import integers, shape_of
from minitorch.ops.movement import expand_dims
from minitorch.ops.select import where
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape

Index = Any
"""What NumPy takes between brackets: slices, integers, arrays of integers or booleans, None, Ellipsis, tuples of
these."""


def is_basic(index: Index) -> bool:
    """Basic indices select each entry at most once, so that their adjoint may assign instead of add."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(
        p is None or p is Ellipsis or (isinstance(p, slice | int | np.integer) and not isinstance(p, bool))
        for p in parts
    )


def _put_back(g, x_shape: Shape, *, index: Index):
    return put_into_zeros(g, index, x_shape)


def _add_back(total, g, x_shape: Shape, *, index: Index):
    if is_basic(index):
        total[index] += g
    else:
        add_at(total, index, g)


def add_at(total: np.ndarray, index: Index, values: Any) -> None:
    """total[index] += values, in which an entry that is named twice gets both; float16 adds up in float32."""
    if total.dtype == np.float16:
        wide = total.astype(np.float32)
        np.add.at(wide, index, values)
        total[...] = wide
    else:
        np.add.at(total, index, values)


@primitive(vjp={"x": _put_back}, add={"x": _add_back})
def getitem(x: Array, index: Index):
    """x[index] with NumPy's rules; one entry too is a view, of no axes, where NumPy would copy it."""
    x = np.asarray(x)
    out = x[index]
    if type(out) is np.ndarray or not is_basic(index):
        return out
    return x[(*index, ...)] if isinstance(index, tuple) else x[index, ...]


@primitive(vjp={"g": lambda h, *, index: getitem(h, index)})
def put_into_zeros(g: Array, index: Index, shape: Shape):
    """Zeros of `shape` with `g` added at `index`: the adjoint of reading x[index].

    >>> put_into_zeros(np.ones(3), [0, 0, 1], (3,))
    array([2., 1., 0.])
    """
    out = np.zeros(shape, np.asarray(g).dtype)
    if is_basic(index):
        out[index] = g
    else:
        add_at(out, index, g)
    return out


def _no_such_row(table: Shape, indices: Shape, *, padding_idx: int | None = None) -> str:
    if _no_padding(table, padding_idx):
        return f"padding_idx {padding_idx} is no row of the table {table}; it can be {-table[0]} ... {table[0] - 1}."
    return f"an index is outside 0 ... {table[0] - 1}, the rows of the table {table}. Is the vocabulary larger?"


def _no_padding(table: Shape, padding_idx: int | None) -> bool:
    return padding_idx is not None and not -table[0] <= padding_idx < table[0]


def _without_padding(g, indices, table_shape: Shape, padding_idx: int | None):
    """The cotangents, those of the padding row replaced by zeros."""
    if padding_idx is None:
        return g
    return where(expand_dims(np.asarray(indices) == padding_idx % table_shape[0], -1), 0, g)


def _to_rows(g, indices, table_shape: Shape, *, padding_idx):
    """Each row gets the cotangents of its uses; the padding row gets none."""
    g = _without_padding(g, indices, table_shape, padding_idx)
    return put_into_zeros(g, (np.asarray(indices),), table_shape)


def _add_to_rows(total, g, indices, table_shape: Shape, *, padding_idx):
    add_at(total, (np.asarray(indices),), _without_padding(g, indices, table_shape, padding_idx))


def _embedding_formula(ranks, static):
    """A row that gets no gradient is not what the value says."""
    return "out[...,e] = table[indices[...],e]" if static["padding_idx"] is None else None


@primitive(
    formula=_embedding_formula,
    vjp={"table": _to_rows, "indices": None},
    add={"table": _add_to_rows},
    explain=_no_such_row,
)
def embedding(table: Array, indices: Array, padding_idx: int | None = None):
    """Row `indices[...]` of the table: table (N, d), integer indices (...) -> (..., d); row `padding_idx`, counted from
    the end if it is negative, gets no gradient."""
    indices = integers("embedding", indices)
    if _no_padding(shape_of(table), padding_idx):
        raise IndexError("no such row")
    if indices.size and indices.min() < 0:
        raise IndexError("negative index")
    return np.asarray(table)[indices]
