"""What happens entry by entry?  Arithmetic and functions of one entry, with NumPy's broadcasting.

A cotangent that has the shape of the (broadcast) result is summed back to the input's shape by reverse mode, after the
rule.
"""

from __future__ import annotations

import math

import numpy as np

from minitorch.ops.dtype import floating
from minitorch.ops.select import where
from minitorch.primitive import Array, elementwise_mismatch, primitive


@primitive(
    formula="out[...] = a[...] + b[...]",
    vjp={"a": lambda g: g, "b": lambda g: g},
    explain=elementwise_mismatch,
)
def add(a: Array, b: Array):
    """The sum `a + b`."""
    return np.add(a, b)


@primitive(
    formula="out[...] = a[...] - b[...]",
    vjp={"a": lambda g: g, "b": lambda g: -g},
    explain=elementwise_mismatch,
)
def subtract(a: Array, b: Array):
    """The difference `a - b`."""
    return np.subtract(a, b)


@primitive(
    formula="out[...] = a[...] * b[...]",
    vjp={"a": lambda g, b: g * b, "b": lambda g, a: g * a},
    explain=elementwise_mismatch,
)
def multiply(a: Array, b: Array):
    """The product `a * b`, entry by entry (Hadamard)."""
    return np.multiply(a, b)


@primitive(
    formula="out[...] = a[...] / b[...]",
    vjp={"a": lambda g, b: g / b, "b": lambda g, b, out: -g * out / b},
    explain=elementwise_mismatch,
)
def divide(a: Array, b: Array):
    """The quotient `a / b`."""
    return np.divide(a, b)


@primitive(vjp={"a": None, "b": None}, explain=elementwise_mismatch)
def floor_divide(a: Array, b: Array):
    """The largest integer that is not above `a / b`; no gradient passes."""
    return np.floor_divide(a, b)


@primitive(
    vjp={"a": lambda g: g, "b": lambda g, a, b: -g * floor_divide(a, b)},
    explain=elementwise_mismatch,
)
def remainder(a: Array, b: Array):
    """`a - (a // b) * b`, which has the sign of b; its gradient is that between two multiples."""
    return np.remainder(a, b)


@primitive(formula="out[...] = -x[...]", vjp={"x": lambda g: -g})
def negative(x: Array):
    """The negative `-x`."""
    return np.negative(x)


@primitive(formula="out[...] = x[...]", vjp={"x": lambda g: g})
def positive(x: Array):
    """x itself, in memory of its own."""
    return np.array(x)


def _less_one(b):
    """b - 1 as an exponent, but 1 where b = 0: there the factor b makes the derivative 0 at every base, 0 included."""
    if isinstance(b, int | float):
        return b - 1 if b else 1
    return where(b == 0, 1, b - 1)


def _power_base(g, a, b):
    return g * (b * power(a, _less_one(b)))


def _power_exponent(g, a, out):
    """0**y has derivative 0 with respect to y; the logarithm of a negative base is NaN, as the formula says."""
    if isinstance(a, int | float):  # a number, so that float32 stays float32
        return g * (out * (math.log(a) if a > 0 else 0.0 if a == 0 else math.nan))
    return g * (out * log(where(a == 0, 1, a)))


@primitive(
    formula="out[...] = a[...] ** b[...]",
    vjp={"a": _power_base, "b": _power_exponent},
    explain=elementwise_mismatch,
)
def power(a: Array, b: Array):
    """The power `a ** b`.  `x ** 0` has gradient 0 at every x; `0 ** y` has gradient 0 with respect to y."""
    return np.power(a, b)


@primitive(formula="out[...] = exp(x[...])", vjp={"x": lambda g, out: g * out})
def exp(x: Array):
    """The exponential."""
    return np.exp(x)


@primitive(formula="out[...] = log(x[...])", vjp={"x": lambda g, x: g / x})
def log(x: Array):
    """The natural logarithm."""
    return np.log(x)


@primitive(formula="out[...] = tanh(x[...])", vjp={"x": lambda g, out: g * (1 - out * out)})
def tanh(x: Array):
    """The hyperbolic tangent; its derivative is 1 - tanh(x)^2."""
    return np.tanh(x)


@primitive(formula="out[...] = sqrt(x[...])", vjp={"x": lambda g, out: g / (2 * out)})
def sqrt(x: Array):
    """The square root; its gradient at 0 is infinite, as the formula says."""
    return np.sqrt(x)


@primitive(formula="out[...] = abs(x[...])", vjp={"x": lambda g, x: g * sign(x)})
def absolute(x: Array):
    """The absolute value; its gradient at 0 is 0."""
    return np.absolute(x)


@primitive(vjp={"x": None})
def sign(x: Array):
    """-1, 0 or 1; no gradient passes."""
    return np.sign(x)


@primitive(formula="out[...] = max(x[...], 0)", vjp={"x": lambda g, out: g * (out > 0)})
def relu(x: Array):
    """max(x, 0) (Nair & Hinton 2010); its gradient at 0 is 0, and relu(NaN) is NaN."""
    return np.maximum(x, 0)


@primitive(vjp={"x": lambda g: g})
def astype(x: Array, dtype: np.dtype):
    """x in another floating dtype; reverse mode hands the gradient on in x's own dtype."""
    return np.asarray(x, dtype)


@primitive(formula="out[...] = exp(x[...]) - 1", vjp={"x": lambda g, x: g * exp(x)})
def expm1(x: Array):
    """exp(x) - 1, exact where x is small."""
    return np.expm1(x)


@primitive(formula="out[...] = log(1 + x[...])", vjp={"x": lambda g, x: g / (1 + x)})
def log1p(x: Array):
    """log(1 + x), exact where x is small."""
    return np.log1p(x)


@primitive(formula="out[...] = 1 / sqrt(x[...])", vjp={"x": lambda g, out: g * (out * out * out * -0.5)})
def rsqrt(x: Array):
    """1 / sqrt(x)."""
    return 1 / np.sqrt(x)


@primitive(formula="out[...] = 1 / x[...]", vjp={"x": lambda g, out: g * (-out * out)})
def reciprocal(x: Array):
    """1 / x; unlike NumPy's, of integers too."""
    return np.reciprocal(floating(x))


@primitive(formula="out[...] = x[...]**2", vjp={"x": lambda g, x: g * (2 * x)})
def square(x: Array):
    """x * x."""
    return np.square(x)


def _log_share(g, a, out):
    """exp(a - out), the share of a; where both operands are -inf (out is too) it is exp(-inf - 0) = 0."""
    return g * exp(a - where(out == -np.inf, 0, out))


@primitive(
    formula="out[...] = log(exp(a[...]) + exp(b[...]))",
    vjp={"a": lambda g, a, out: _log_share(g, a, out), "b": lambda g, b, out: _log_share(g, b, out)},
    explain=elementwise_mismatch,
)
def logaddexp(a: Array, b: Array):
    """log(exp(a) + exp(b)) without overflow; of -inf and -inf it is -inf, with gradient 0."""
    return np.logaddexp(a, b)


def _inside(g, x, *, min, max):
    """The gradient passes between the bounds and at them."""
    inside = True if min is None else x >= min
    if max is not None:
        inside = inside * (x <= max)
    return g if inside is True else where(inside, g, 0)


def _clip_formula(ranks, static):
    low, high = static["min"], static["max"]
    value = "x[...]" if low is None else f"max(x[...], {_number(low)})"
    return f"out[...] = {value if high is None else f'-max(-({value}), -({_number(high)}))'}"


def _number(value) -> str:
    """A number as formulas write it: they know no sign inside a number."""
    return f"{value}" if value >= 0 else f"(-{-value})"


@primitive(formula=_clip_formula, vjp={"x": _inside})
def clip(x: Array, min: float | None = None, max: float | None = None):
    """x, but no less than `min` and no more than `max`; None is no bound.  The gradient at a bound is 1.

    The bounds are numbers or arrays without a derivative; for bounds that have one use `minimum` and `maximum`.
    """
    x = np.asarray(x)
    return x.copy() if min is None and max is None else np.clip(x, min, max)


@primitive(vjp={"x": None})
def floor(x: Array):
    """The largest integer that is not above x; no gradient passes."""
    return np.floor(x)


@primitive(vjp={"x": None})
def ceil(x: Array):
    """The smallest integer that is not below x; no gradient passes."""
    return np.ceil(x)


@primitive(vjp={"x": None})
def trunc(x: Array):
    """x without what follows the point; no gradient passes."""
    return np.trunc(x)


@primitive(vjp={"x": None})
def round(x: Array, decimals: int = 0):
    """x rounded to `decimals`, halves to even as NumPy does; no gradient passes."""
    return np.round(np.asarray(x), decimals)
