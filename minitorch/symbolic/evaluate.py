r"""What is the value of a formula on arrays?

Every index in scope is one axis; an entry is placed on the axes of its indices and broadcast along the others, and

$$ \sum_k f_{ik} \;\text{is}\; \texttt{f.sum(axis of k)} . $$

Plain and independent of everything that is proved: the formula is evaluated as it is written, definition by definition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from sympy import Abs, Add, Expr, Mul, Pow, Symbol, cos, erf, exp, log, sign, sin, tanh

from minitorch.errors import FormulaError
from minitorch.symbolic.expression import (
    Binder,
    Delta,
    Entry,
    Index,
    Sum,
    dimensions,
    free,
    size_of,
)
from minitorch.symbolic.functions import maximum, sigmoid, step
from minitorch.symbolic.program import Program
from minitorch.symbolic.selection import Selected
from minitorch.symbolic.sizes import infer_sizes

FUNCTIONS: dict[type, Callable[..., np.ndarray]] = {
    exp: np.exp,
    log: np.log,
    tanh: np.tanh,
    sin: np.sin,
    cos: np.cos,
    Abs: np.abs,
    sign: np.sign,
    erf: np.vectorize(math.erf, otypes=[float]),
    sigmoid: lambda x: np.exp(-np.logaddexp(0.0, -x)),
    step: lambda x: (x > 0).astype(float),
    maximum: np.maximum,
}


def evaluate_program(
    program: Program, arrays: Mapping[str, Any], sizes: Mapping[Symbol, int] | None = None
) -> dict[str, np.ndarray]:
    """The value of every definition of a program; see :meth:`minitorch.symbolic.program.Program.evaluate`."""
    values = _inputs(program, arrays)
    sizes = dict(sizes or {}) | infer_sizes(program.entries, values)
    results = {}
    for definition in program.definitions:
        value = evaluate(definition.value, values, definition.indices, sizes)
        results[definition.name] = values[definition.name] = value
    return results


def evaluate(
    expression: Expr,
    arrays: Mapping[str, Any],
    indices: tuple[Index, ...] = (),
    sizes: Mapping[Symbol, int] | None = None,
) -> np.ndarray:
    """The array of an expression's values, one axis for each of ``indices``.

    Arguments:
        expression: depends on no other free index than ``indices``.
        arrays: the arrays that it reads, by name.
        sizes: the sizes of its dimensions; read off the arrays if not given.

    Raises:
        FormulaError: an array is missing, its shape disagrees with another's, or a dimension has no size.
    """
    entries = sorted(expression.atoms(Entry), key=str)
    values = {e.name: _array(e.name, arrays) for e in entries}
    known = infer_sizes(entries, values) | dict(sizes or {})
    unknown = {s for i in indices for s in i.dimension.free_symbols} | dimensions(expression)
    missing = sorted(str(s) for s in unknown - set(known) if s.is_integer)
    if missing:
        raise FormulaError(f"evaluate: no array tells the size of {', '.join(missing)}. Pass sizes={{...}}.")
    loose = free(expression) - set(indices)
    if loose:
        raise FormulaError(f"evaluate: index {min(i.name for i in loose)} is free. Name it in indices.")
    walker = _Walker(values, cast("dict[Symbol, int]", known))
    value = walker.value(expression, {index: axis for axis, index in enumerate(indices)}, len(indices))
    shape = tuple(size_of(i.dimension, walker.sizes) for i in indices)
    return np.array(np.broadcast_to(value, shape), dtype=np.float64)


def _array(name: str, arrays: Mapping[str, Any]) -> np.ndarray:
    if name not in arrays:
        raise FormulaError(f"evaluate: array {name} is missing; got {', '.join(arrays) or 'none'}. Pass {name}.")
    return np.asarray(arrays[name], dtype=np.float64)


def _inputs(program: Program, arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: _array(name, arrays) for name in program.inputs}


class _Walker:
    """Evaluates with one axis for each index in scope; every value has as many axes as there are indices."""

    def __init__(self, arrays: Mapping[str, np.ndarray], sizes: dict[Symbol, int]):
        self.arrays, self.sizes = arrays, sizes

    def value(self, e: Expr, axes: Mapping[Index, int], rank: int) -> np.ndarray:
        if isinstance(e, Entry):
            return self.entry(e, axes, rank)
        if isinstance(e, Binder):
            return self.reduction(e, axes, rank)
        if isinstance(e, Delta):
            a, b = (self.value(cast(Expr, place), axes, rank) for place in e.args)
            return (a == b).astype(float)
        if isinstance(e, Selected):
            return self.selected(e, axes, rank)
        if isinstance(e, Index):
            return self.positions(e, axes, rank)
        if isinstance(e, Symbol):
            return np.full((1,) * rank, float(self.sizes[e]))
        if not e.args:
            return np.full((1,) * rank, float(e))
        parts = [self.value(cast(Expr, a), axes, rank) for a in e.args]
        return self.combine(e, parts)

    def combine(self, e: Expr, parts: list[np.ndarray]) -> np.ndarray:
        if isinstance(e, Add):
            return sum(parts[1:], parts[0])
        if isinstance(e, Mul):
            return math.prod(parts[1:], start=parts[0])
        if isinstance(e, Pow):
            return power(parts[0], parts[1], e.exp)
        if type(e) not in FUNCTIONS:
            raise FormulaError(f"evaluate: no value for {type(e).__name__} in {e}. Differentiate it first.")
        return FUNCTIONS[type(e)](*parts)

    def entry(self, e: Entry, axes: Mapping[Index, int], rank: int) -> np.ndarray:
        """Place the array's axes at those of its indices; an index that stands twice reads the diagonal."""
        array, places = self.arrays[e.name], [axes[i] for i in e.indices]
        while len(set(places)) < len(places):
            twice = next(p for p in places if places.count(p) > 1)
            first, second = [k for k, p in enumerate(places) if p == twice][:2]
            array = np.diagonal(self.full(array, e, first, second), axis1=first, axis2=second)
            places = [p for k, p in enumerate(places) if k not in (first, second)] + [twice]
        array = array.transpose(sorted(range(len(places)), key=lambda k: places[k]))
        shape = [1] * rank
        for place, size in zip(sorted(places), array.shape, strict=True):
            shape[place] = size
        return array.reshape(shape)

    def full(self, array: np.ndarray, e: Entry, *chosen: int) -> np.ndarray:
        """Axes of size 1 stretched, since a diagonal does not broadcast."""
        size = size_of(e.indices[chosen[0]].dimension, self.sizes) if e.indices else 1
        shape = [max(n, size) if k in chosen else n for k, n in enumerate(array.shape)]
        return np.broadcast_to(array, shape)

    def positions(self, index: Index, axes: Mapping[Index, int], rank: int) -> np.ndarray:
        shape = [1] * rank
        shape[axes[index]] = -1
        return np.arange(float(size_of(index.dimension, self.sizes))).reshape(shape)

    def reduction(self, e: Binder, axes: Mapping[Index, int], rank: int) -> np.ndarray:
        inner = {**axes, **{index: rank + k for k, index in enumerate(e.bound)}}
        body = self.value(e.body, inner, rank + len(e.bound))
        stretched = body.shape[:rank] + tuple(size_of(i.dimension, self.sizes) for i in e.bound)
        body, over = np.broadcast_to(body, stretched), tuple(range(rank, len(stretched)))
        return body.sum(axis=over) if isinstance(e, Sum) else body.max(axis=over)

    def selected(self, e: Selected, axes: Mapping[Index, int], rank: int) -> np.ndarray:
        """1 at the place of the largest value, shared at a tie."""
        (index,) = e.largest.bound
        body = self.value(e.largest.body, {**axes, index: rank}, rank + 1)
        wins = (body == body.max(axis=rank, keepdims=True)).astype(float)
        shares = np.moveaxis(wins / wins.sum(axis=rank, keepdims=True), rank, -1)
        places = self.positions(e.index, axes, rank).astype(int)
        stretched = np.broadcast_shapes(shares.shape[:-1], places.shape)
        shares, places = np.broadcast_to(shares, (*stretched, shares.shape[-1])), np.broadcast_to(places, stretched)
        return np.take_along_axis(shares, places[..., None], axis=-1)[..., 0]


def power(base: np.ndarray, exponent: np.ndarray, exact: Expr) -> np.ndarray:
    """A power by products or roots where its exponent is exactly a whole number or a half."""
    if exact.is_Integer:
        return base ** int(exact)
    if exact.is_Rational and abs(exact) * 2 == 1:  # type: ignore[operator]
        return np.sqrt(base) if exact.is_positive else 1 / np.sqrt(base)
    return base**exponent
