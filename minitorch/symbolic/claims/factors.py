r"""Which function of the sizes is a number that was measured at several?  $c \, n^{k}$, $n/(n-1)$, or a constant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, cast

import numpy as np
from sympy import Expr, Float, Integer, Rational, S, Symbol, nsimplify, sqrt

_POWERS = (S.Half, -S.Half, S.One, -S.One, Integer(2), Integer(-2))
_CLOSE = 1e-6


def named_factor(values: Sequence[float], sizes: Sequence[Mapping[Symbol, int]]) -> Expr | None:
    """The factor as an expression in the dimensions; None if no simple one fits.

    >>> n = Symbol("n", positive=True)
    >>> named_factor([2.0, 4.0], [{n: 4}, {n: 16}])
    sqrt(n)
    """
    for shape in _shapes(list(sizes[0])):
        at = [float(cast(Any, shape.xreplace(dict(s)))) if _defined(shape, s) else np.nan for s in sizes]
        ratios = np.array(values) / np.array(at)
        if np.all(np.abs(ratios - ratios[0]) <= _CLOSE * max(1e-3, abs(ratios[0]))):
            return _constant(float(ratios[0])) * shape
    return None


def _shapes(symbols: list[Symbol]) -> Iterator[Expr]:
    yield S.One
    for n in symbols:
        yield from (n**k for k in _POWERS)
        yield from (n / (n - 1), (n - 1) / n, n - 1, 1 / (n - 1))
    for n, m in combinations(symbols, 2):
        yield from (n**a * m**b for a in _POWERS[:4] for b in _POWERS[:4])


def _defined(shape: Expr, sizes: Mapping[Symbol, int]) -> bool:
    return all(n > 1 for s, n in sizes.items() if s in shape.free_symbols)


def _constant(value: float) -> Expr:
    """A number as one would write it: a fraction, a root, or six digits."""
    for candidate in (
        Rational(round(value * 720), 720),
        sqrt(Rational(round(value**2 * 360), 360)) * (-1) ** (value < 0),
    ):
        if abs(float(candidate) - value) <= _CLOSE * max(1e-3, abs(value)):
            return candidate
    return Float(nsimplify(round(value, 6)), 6)
