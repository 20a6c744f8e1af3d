"""How large is every dimension, given arrays?  Read off their shapes; ``n + m`` may give the last one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

import numpy as np
from sympy import Expr, S, Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.expression import Entry, size_of


def infer_sizes(entries: Iterable[Entry], arrays: Mapping[str, np.ndarray]) -> dict[Symbol, int]:
    """The size of every dimension, from the arrays' shapes; an axis of size 1 broadcasts.

    Raises:
        FormulaError: an array has another number of axes than its entry; two axes of the same dimension have different
            sizes, neither of which is 1; no whole number gives a size such as ``2*d``.
    """
    told = _Told()
    composed = []
    for entry in entries:
        array = arrays[entry.name]
        if array.ndim != len(entry.indices):
            raise FormulaError(
                f"evaluate: array {entry.name} has shape {array.shape}, wanted {len(entry.indices)} axes "
                f"({', '.join(map(str, entry.dimensions))}). Reshape it."
            )
        for axis, index in enumerate(entry.indices):
            where = f"axis {axis} of {entry.name} (index {index.name})"
            if isinstance(index.dimension, Symbol):
                told.tell(index.dimension, array.shape[axis], where)
            else:
                composed.append((index.dimension, array.shape[axis], where))
    for size, number, where in composed:
        told.tell_composed(size, number, where)
    return told.sizes


class _Told:
    """The sizes so far, and which axis told each."""

    def __init__(self) -> None:
        self.sizes: dict[Symbol, int] = {}
        self.by: dict[Symbol, str] = {}

    def tell(self, symbol: Symbol, size: int, where: str) -> None:
        known = self.sizes.get(symbol, 1)
        if size != known and 1 not in (size, known):
            raise _disagree(symbol, size, where, known, self.by[symbol])
        if symbol not in self.sizes or known == 1:
            self.sizes[symbol], self.by[symbol] = size, where

    def tell_composed(self, size: Expr, number: int, where: str) -> None:
        """A number, or arithmetic of dimensions: checked, or solved for the one that is not known yet."""
        unknown = [s for s in cast("set[Symbol]", size.free_symbols) if s not in self.sizes]
        if len(unknown) == 1:
            (symbol,) = unknown
            rest = cast(Expr, size.xreplace(dict(self.sizes))) - number
            slope = rest.diff(symbol)
            at_zero = cast(Expr, rest.xreplace({symbol: S.Zero}))
            solution = -at_zero / slope if slope.is_number and slope else None
            if solution is None or not solution.is_Integer:
                raise FormulaError(f"evaluate: {where} has size {number}, which no {symbol} makes {size}. Check it.")
            self.tell(symbol, int(solution), where)
        elif not unknown and number not in (1, known := size_of(size, self.sizes)):
            raise _disagree(size, number, where, known, "the formula" if size.is_number else "other axes")


def _disagree(size: Expr, got: int, where: str, known: int, before: str) -> FormulaError:
    return FormulaError(
        f"evaluate: dimension {size} is {got} on {where} but {known} on {before}. Pass arrays whose sizes agree."
    )
