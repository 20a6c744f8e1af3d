"""What bends?  The nonlinearities of networks, entry by entry, without overflow at any size of x."""

from __future__ import annotations

import math

import numpy as np

from minitorch.errors import ShapeError
from minitorch.ops.dtype import floating, shape_of
from minitorch.ops.elementwise import clip, exp, square, tanh
from minitorch.ops.error_function import erf
from minitorch.ops.indexing import getitem
from minitorch.ops.select import where
from minitorch.primitive import Array, elementwise_mismatch, primitive
from minitorch.shapes import axis_mismatch, normalize_axes


@primitive(formula="out[...] = sigmoid(x[...])", vjp={"x": lambda g, out: g * (out * (1 - out))})
def sigmoid(x: Array):
    """1 / (1 + exp(-x)), the logistic function; its derivative is s (1 - s)."""
    x = floating(x)
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def smooth_relu(x: np.ndarray) -> np.ndarray:
    """log(1 + exp(x)); NumPy's logaddexp would warn of a NaN."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@primitive(formula="out[...] = log(1 + exp(x[...]))", vjp={"x": lambda g, x: g * sigmoid(x)})
def softplus(x: Array):
    """log(1 + exp(x)), the smooth relu; its derivative is sigmoid(x)."""
    return smooth_relu(floating(x))


@primitive(formula="out[...] = -log(1 + exp(-x[...]))", vjp={"x": lambda g, x: g * sigmoid(-x)})
def log_sigmoid(x: Array):
    """log(sigmoid(x)), without taking the logarithm of a number that has underflowed to 0."""
    return -smooth_relu(-floating(x))


@primitive(
    formula=lambda ranks, static: f"out[...] = max(x[...], 0) - {static['negative_slope']} * max(-x[...], 0)",
    vjp={"x": lambda g, x, *, negative_slope: where(x > 0, g, g * negative_slope)},
)
def leaky_relu(x: Array, negative_slope: float = 0.01):
    """x where x > 0, else negative_slope * x (Maas et al. 2013); its gradient at 0 is negative_slope."""
    x = np.asarray(x)
    return np.where(x > 0, x, x * negative_slope)


@primitive(
    formula=lambda ranks, static: f"out[...] = max(x[...], 0) + {static['alpha']} * (exp(-max(-x[...], 0)) - 1)",
    vjp={"x": lambda g, x, *, alpha: where(x > 0, g, g * (alpha * exp(where(x > 0, 0, x))))},
)
def elu(x: Array, alpha: float = 1.0):
    """x where x > 0, else alpha (exp(x) - 1) (Clevert et al. 2015, arXiv 1511.07289)."""
    x = floating(x)
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


_INNER = math.sqrt(2 / math.pi)
_FLAT = 40  # beyond, the slope of gelu is 0 or 1 in every dtype; the powers of a larger x might overflow


def _gelu_formula(ranks, static):
    if static["approximate"] == "tanh":
        return "out[...] = x[...] / 2 * (1 + tanh(sqrt(2 / pi) * (x[...] + 0.044715 * x[...]**3)))"
    return "out[...] = x[...] / 2 * (1 + erf(x[...] / sqrt(2)))"


def _gelu_rule(g, x, *, approximate):
    """Phi(x) + x Phi'(x), with Phi the distribution function of the standard normal, or its approximation by tanh."""
    x = clip(x, -_FLAT, _FLAT)
    if approximate == "tanh":
        t = tanh(_INNER * (x + 0.044715 * (x * x * x)))
        return g * (0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (_INNER * (1 + 3 * 0.044715 * square(x))))
    density = exp(-0.5 * square(x)) * (1 / math.sqrt(2 * math.pi))
    return g * (0.5 * (1 + erf(x * math.sqrt(0.5))) + x * density)


@primitive(formula=_gelu_formula, vjp={"x": _gelu_rule})
def gelu(x: Array, approximate: str = "none"):
    """x times the probability that a standard normal is below x (Hendrycks & Gimpel 2016, arXiv 1606.08415).

    Args:
        approximate: "none" for the error function, "tanh" for the approximation of section 2, which GPT-2 uses.
    """
    x = floating(x)
    if approximate == "tanh":
        near = np.clip(x, -_FLAT, _FLAT)
        return 0.5 * x * (1 + np.tanh(_INNER * (near + 0.044715 * (near * near * near))))
    if approximate != "none":
        raise ShapeError(f"gelu: approximate is {approximate!r}; it can be 'none' or 'tanh'.")
    return 0.5 * x * (1 + erf.forward(x * math.sqrt(0.5)))


def _silu_slope(x):
    """The derivative s + x s (1 - s), with s = sigmoid(x)."""
    s = sigmoid(x)
    return s * (1 + x * (1 - s))


@primitive(formula="out[...] = x[...] * sigmoid(x[...])", vjp={"x": lambda g, x: g * _silu_slope(x)})
def silu(x: Array):
    """x sigmoid(x), also called swish (Ramachandran et al. 2017, arXiv 1710.05941)."""
    x = floating(x)
    return x * sigmoid.forward(x)


@primitive(
    formula="out[...] = gate[...] * sigmoid(gate[...]) * value[...]",
    vjp={"gate": lambda g, gate, value: g * value * _silu_slope(gate), "value": lambda g, gate: g * silu(gate)},
    explain=elementwise_mismatch,
)
def swiglu(gate: Array, value: Array):
    """silu(gate) * value: the gated unit of LLaMA (Shazeer 2020, arXiv 2002.05202, eq. 6), with gate = x W, value = x
    V."""
    return silu.forward(gate) * np.asarray(value)


def glu(x: Array, axis: int = -1):
    """a * sigmoid(b), with a and b the two halves of x along `axis` (Dauphin et al. 2016, arXiv 1612.08083).

    Raises:
        ShapeError: the axis has an odd size.

    >>> glu(np.array([3.0, 0.0]))
    array([1.5])
    """
    shape = shape_of(x)
    if reason := axis_mismatch(shape, axis):
        raise ShapeError(f"glu: {reason}")
    (axis,) = normalize_axes(axis, len(shape))
    half, odd = divmod(shape[axis], 2)
    if odd:
        raise ShapeError(f"glu: axis {axis} of {shape} has {shape[axis]} entries, which are not two halves.")
    before = (slice(None),) * axis
    return getitem(x, (*before, slice(half))) * sigmoid(getitem(x, (*before, slice(half, None))))
