"""Which other powers, roots and logarithms does NumPy have?  To the bases 2 and 10, cubic, and the length of (a, b)."""

from __future__ import annotations

import math

import numpy as np

from minitorch.ops.select import where
from minitorch.primitive import Array, elementwise_mismatch, primitive

_LN2, _LN10 = math.log(2), math.log(10)


@primitive(formula="out[...] = 2 ** x[...]", vjp={"x": lambda g, out: g * (out * _LN2)})
def exp2(x: Array):
    """2 ** x."""
    return np.exp2(x)


@primitive(formula="out[...] = log(x[...]) / log(2)", vjp={"x": lambda g, x: g / (x * _LN2)})
def log2(x: Array):
    """The logarithm to the base 2."""
    return np.log2(x)


@primitive(formula="out[...] = log(x[...]) / log(10)", vjp={"x": lambda g, x: g / (x * _LN10)})
def log10(x: Array):
    """The logarithm to the base 10."""
    return np.log10(x)


@primitive(vjp={"x": lambda g, out: g / (3 * out * out)})
def cbrt(x: Array):
    """The cube root, negative for negative x; its gradient at 0 is infinite."""
    return np.cbrt(x)


def _part_of(g, a, out):
    """a / out, and 0 at the origin in every derivative, as for the norm of a vector."""
    return where(out == 0, 0, g * (a / where(out == 0, 1, out)))


@primitive(
    formula="out[...] = sqrt(a[...]**2 + b[...]**2)",
    vjp={"a": lambda g, a, out: _part_of(g, a, out), "b": lambda g, b, out: _part_of(g, b, out)},
    explain=elementwise_mismatch,
)
def hypot(a: Array, b: Array):
    """sqrt(a^2 + b^2) without overflow; its gradient at (0, 0) is 0."""
    return np.hypot(a, b)
