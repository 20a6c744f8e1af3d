"""Which random arrays suit a formula?  Numbers, positive numbers, or indices of the dimension that they run over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from sympy import Expr, Symbol

from minitorch.symbolic.expression import Entry, Index, size_of


def draw_arrays(
    entries: Iterable[Entry], sizes: Mapping[Symbol, int], draw: np.random.Generator
) -> dict[str, np.ndarray]:
    """One random array for every name among the entries: standard normal in float64, or integers for index arrays."""
    arrays: dict[str, np.ndarray] = {}
    for entry in entries:
        if entry.name not in arrays:
            arrays[entry.name] = random_array(entry, sizes, draw)
    return arrays


def random_array(entry: Entry, sizes: Mapping[Symbol, int], draw: np.random.Generator) -> np.ndarray:
    """A random array of an entry's shape."""
    shape = [size_of(size, sizes) for size in entry.dimensions]
    if entry.values is not None:
        return draw.integers(0, size_of(entry.values, sizes), shape)
    values = draw.standard_normal(shape)
    return np.abs(values) + 0.1 if entry.is_positive else values


def axes_of(expressions: Iterable[Expr]) -> frozenset[Expr]:
    """The dimensions that indices of the expressions run over."""
    return frozenset(index.dimension for e in expressions for index in e.atoms(Index))


def has_arrays(axes: Iterable[Expr], sizes: Mapping[Symbol, int]) -> bool:
    """Whether every dimension is at least 1 at these sizes: n - k + 1 is not where k is larger than n."""
    return all(size_of(size, sizes) > 0 for size in axes)
