"""What is periodic, or its inverse, or hyperbolic?  Sine and its relatives, entry by entry, in radians."""

from __future__ import annotations

import numpy as np

from minitorch.ops.elementwise import sqrt
from minitorch.ops.powers import hypot
from minitorch.primitive import Array, elementwise_mismatch, primitive


def _cosine_of(g, x):
    return g * cos(x)


@primitive(formula="out[...] = sin(x[...])", vjp={"x": _cosine_of})
def sin(x: Array):
    """The sine."""
    return np.sin(x)


@primitive(formula="out[...] = cos(x[...])", vjp={"x": lambda g, x: -g * sin(x)})
def cos(x: Array):
    """The cosine."""
    return np.cos(x)


@primitive(formula="out[...] = sin(x[...]) / cos(x[...])", vjp={"x": lambda g, out: g * (1 + out * out)})
def tan(x: Array):
    """The tangent; its derivative is 1 + tan(x)^2."""
    return np.tan(x)


@primitive(vjp={"x": lambda g, x: g / sqrt((1 - x) * (1 + x))})
def arcsin(x: Array):
    """The angle in [-pi/2, pi/2] whose sine is x; its gradient at -1 and 1 is infinite."""
    return np.arcsin(x)


@primitive(vjp={"x": lambda g, x: -g / sqrt((1 - x) * (1 + x))})
def arccos(x: Array):
    """The angle in [0, pi] whose cosine is x; its gradient at -1 and 1 is infinite."""
    return np.arccos(x)


@primitive(vjp={"x": lambda g, x: g / (1 + x * x)})
def arctan(x: Array):
    """The angle in [-pi/2, pi/2] whose tangent is x."""
    return np.arctan(x)


def _cosh_of(g, x):
    return g * cosh(x)


@primitive(formula="out[...] = (exp(x[...]) - exp(-x[...])) / 2", vjp={"x": _cosh_of})
def sinh(x: Array):
    """The hyperbolic sine."""
    return np.sinh(x)


@primitive(formula="out[...] = (exp(x[...]) + exp(-x[...])) / 2", vjp={"x": lambda g, x: g * sinh(x)})
def cosh(x: Array):
    """The hyperbolic cosine."""
    return np.cosh(x)


@primitive(
    vjp={
        "a": lambda g, a, b: g * (b / hypot(a, b) / hypot(a, b)),
        "b": lambda g, a, b: -g * (a / hypot(a, b) / hypot(a, b)),
    },
    explain=elementwise_mismatch,
)
def arctan2(a: Array, b: Array):
    """The angle of the point (b, a), in [-pi, pi]; its gradient at (0, 0) is NaN."""
    return np.arctan2(a, b)


@primitive(formula="out[...] = log(x[...] + sqrt(x[...]**2 + 1))", vjp={"x": lambda g, x: g / hypot(x, 1)})
def arcsinh(x: Array):
    """The number whose hyperbolic sine is x."""
    return np.arcsinh(x)


@primitive(formula="out[...] = log(x[...] + sqrt(x[...]**2 - 1))", vjp={"x": lambda g, x: g / sqrt((x - 1) * (x + 1))})
def arccosh(x: Array):
    """The number >= 0 whose hyperbolic cosine is x; its gradient at 1 is infinite."""
    return np.arccosh(x)


@primitive(formula="out[...] = log((1 + x[...]) / (1 - x[...])) / 2", vjp={"x": lambda g, x: g / ((1 - x) * (1 + x))})
def arctanh(x: Array):
    """The number whose hyperbolic tangent is x; its gradient at -1 and 1 is infinite."""
    return np.arctanh(x)
