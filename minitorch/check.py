"""Is a derivative right?  Compared with central differences in float64, which share no code with the rules.

D(h) = (f(x + h) - f(x - h)) / 2h       E(h) = (4 D(h/2) - D(h)) / 3       f'(x) ~ (16 E(h/2) - E(h)) / 15

Extrapolation to h = 0 in two stages (Richardson 1911; Romberg 1955): the error is O(h^6), so that h may be large enough
for rounding to do no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import ArgumentError, GradientError
from minitorch.reverse import grad
from minitorch.tensor import Tensor, plain
from minitorch.trees import leaves, rebuild

Function = Callable[..., Tensor | Sequence[Tensor]]
STEP = 2e-3  # with it, rounding (eps / h) and what is left of the series (h^6) are both about 1e-12


class GradcheckError(GradientError):
    """An analytic derivative disagrees with central differences; says which input, which entry, and both values."""


@dataclass(frozen=True)
class Compared:
    """The derivative by one input, from the rules and from differences."""

    k: int  # which input
    analytic: np.ndarray
    numeric: np.ndarray
    doubt: np.ndarray  # how far the two best differences are apart: large at a kink or a pole
    noise: float  # what rounding alone may do to the numeric one


def extrapolated(difference: Callable[[float], Any], h: float) -> tuple[Any, Any]:
    """The limit of central differences for step -> 0, from three steps, and how far the last two estimates are apart.

    Args:
        difference: step -> (f(x + step) - f(x - step)) / (2 step), a number or an array.
        h: the largest step; h/2 and h/4 are taken too.

    >>> limit, _ = extrapolated(lambda s: (np.exp(s) - np.exp(-s)) / (2 * s), 2e-3)
    >>> bool(abs(limit - 1) < 1e-12)
    True
    """
    wide, middle, narrow = difference(h), difference(h / 2), difference(h / 4)
    coarse, fine = middle + (middle - wide) / 3, narrow + (narrow - middle) / 3
    return fine + (fine - coarse) / 15, np.abs(fine - coarse)


def numeric_gradient(f: Callable[..., float], arrays: Sequence[np.ndarray], k: int, h: float = STEP) -> np.ndarray:
    """The derivative of a scalar function by array k, entry by entry.

    Args:
        f: takes the arrays, gives a number.
        h: the largest step, relative to max(1, |entry|).

    >>> numeric_gradient(lambda x: float((x**3).sum()), [np.array([1.0, 2.0])], 0).round(9)
    array([ 3., 12.])
    """
    return _numeric(f, arrays, k, h)[0]


def _numeric(f: Callable[..., float], arrays: Sequence[np.ndarray], k: int, h: float) -> tuple[np.ndarray, np.ndarray]:
    """The numeric gradient, and how far its last two estimates are apart."""
    x = arrays[k]
    out, doubt = np.zeros(x.shape), np.zeros(x.shape)

    def difference(i: tuple[int, ...], step: float) -> float:
        sides, values = [], []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * step
            sides.append(float(moved[i]))
            values.append(f(*arrays[:k], moved, *arrays[k + 1 :]))
        return (values[0] - values[1]) / (sides[0] - sides[1])  # the step that was really made

    for i in np.ndindex(x.shape):
        out[i], doubt[i] = extrapolated(lambda step, i=i: difference(i, step), h * max(1.0, abs(float(x[i]))))
    return out, doubt


def gradcheck(
    function: Function,
    *inputs: Any,
    rtol: float = 1e-7,
    atol: float = 1e-8,
    h: float = STEP,
    order: int = 1,
    seed: int = 0,
) -> float:
    """Compare the derivatives of `function` at `inputs` with central differences, in float64.

    An output that is not a scalar is contracted with a random cotangent first.  Where the function is smooth within h
    and its values are of the size of its derivatives, the differences are good to about 1e-12.

    Args:
        function: takes Tensors, gives a Tensor or a tree of Tensors; differentiable at the inputs.
        inputs: arrays, Tensors or trees of them, whose leaves are counted one by one; floating ones are varied, the
            others are passed on as they are.
        rtol, atol: the allowed error: atol + rtol * (largest entry of the numeric gradient), and what rounding alone
            can do to the differences.
        h: the largest step of the differences; at a distance of h from the inputs the function must still be smooth.
        order: 1 for the gradient, 2 for the gradient of a random projection of the gradient, and so on.

    Returns:
        The largest error found, relative to the largest entry of its gradient (at least 1).

    Raises:
        ArgumentError: no input is floating, or the function gives something else.
        GradcheckError: names the input and the entry that is off the most, with both values.

    >>> import minitorch as mt
    >>> gradcheck(lambda x: mt.tanh(x), np.array([0.5, 1.0])) < 1e-9
    True
    """
    worst = 0.0
    for c in compared(function, *inputs, h=h, order=order, seed=seed):
        if reason := disagreement(c.analytic, c.numeric, rtol, atol + c.noise, c.doubt):
            raise GradcheckError(f"gradcheck, order {order}: input {c.k}, {reason}. Check that input's rule.")
        worst = max(worst, relative_error(c.analytic, c.numeric))
    return worst


def compared(function: Function, *inputs: Any, h: float = STEP, order: int = 1, seed: int = 0) -> list[Compared]:
    """The derivatives that `gradcheck` compares, for each floating input; the arguments are the same."""
    rng = np.random.default_rng(seed)
    trees, inputs = inputs, tuple(leaves(inputs))
    given = lambda *xs: function(*rebuild(trees, xs))
    if not any(map(_is_float, inputs)):
        raise ArgumentError("gradcheck: none of the inputs is a floating array; there is nothing to vary. Use floats?")
    arrays = [np.array(plain(x), np.float64) if _is_float(x) else plain(x) for x in inputs]
    varied = [k for k, x in enumerate(inputs) if _is_float(x)]
    scalar = _projected(given, rng)
    for _ in range(order - 1):
        scalar = _projected(_gradient_of(scalar, varied), rng)
    found = []
    with modes.default_dtype(np.float64), modes.enable_grad():
        wanted = [Tensor(arrays[k], requires_grad=True) for k in varied]
        tensors = [wanted[varied.index(k)] if k in varied else a for k, a in enumerate(arrays)]
        value = scalar(*tensors)
        noise = 8 * np.finfo(float).eps * abs(float(value.item())) / (h / 4)
        # What depends on none of them has no tape, and the derivative 0: the differences will say whether that is so.
        analytic = grad(value, wanted, allow_unused=True) if value.requires_grad else [None] * len(wanted)
        for k, g in zip(varied, analytic, strict=True):
            numeric, doubt = _numeric(lambda *a: _value(scalar, a, varied, order), arrays, k, h)
            found.append(Compared(k, np.zeros_like(numeric) if g is None else g.numpy(), numeric, doubt, noise))
    return found


def disagreement(
    analytic: np.ndarray, numeric: np.ndarray, rtol: float, atol: float, doubt: np.ndarray | None = None
) -> str | None:
    """Say which entry is off the most by more than atol + rtol * max|numeric|, with both values; None if none is.

    >>> disagreement(np.array([1.0, 2.0]), np.array([1.0, -2.0]), 1e-9, 1e-9)
    'entry (1,): analytic 2, numeric -2; 1 of 2 entries are off'
    """
    if not numeric.size:
        return None
    error = np.abs(analytic - numeric)
    off = ~(error <= atol + rtol * float(np.abs(numeric).max()))
    if not off.any():
        return None
    i = np.unravel_index(np.argmax(np.where(np.isnan(error), np.inf, error)), error.shape)
    said = (
        f"entry {tuple(map(int, i))}: analytic {analytic[i]:.12g}, numeric {numeric[i]:.12g}; "
        f"{int(off.sum())} of {error.size} entries are off"
    )
    if doubt is not None and not doubt[i] <= 1e-4 * max(1.0, abs(float(numeric[i]))):
        said += f"; the differences themselves are only good to {doubt[i]:.0e} there (a kink or a pole within h?)"
    return said


def relative_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """The largest error, relative to the largest entry wanted, or to 1 if that is smaller."""
    return float(np.abs(found - wanted).max() / max(1.0, float(np.abs(wanted).max()))) if wanted.size else 0.0


def _is_float(x: Any) -> bool:
    return np.asarray(plain(x)).dtype.kind == "f"


def _projected(function: Function, rng: np.random.Generator) -> Callable[..., Tensor]:
    """The function, contracted with fixed random cotangents to a scalar."""
    cotangents: list[np.ndarray] = []

    def scalar(*args: Any) -> Tensor:
        value = function(*args)
        outs = [v for v in leaves(value) if v is not None]
        if not outs or not all(isinstance(v, Tensor) for v in outs):
            raise ArgumentError(
                f"gradcheck: the function gives a {type(value).__name__}; it takes one that gives a Tensor, or a "
                "tree of Tensors."
            )
        if not cotangents:
            cotangents.extend(rng.standard_normal(o.shape) for o in outs)
        total = None
        for out, c in zip(outs, cotangents, strict=True):
            total = (out * c).sum() if total is None else total + (out * c).sum()
        assert total is not None
        return total

    return scalar


def _gradient_of(scalar: Callable[..., Tensor], varied: list[int]) -> Function:
    def gradient(*args: Any) -> Sequence[Tensor]:
        wanted = [args[k] for k in varied]
        gs = grad(scalar(*args), wanted, create_graph=True, allow_unused=True)
        # A derivative that is constant leaves no tape; the sum with 0 * x keeps every output differentiable.
        return [x * 0.0 if g is None else g + x * 0.0 for g, x in zip(gs, wanted, strict=True)]

    return gradient


def _value(scalar: Callable[..., Tensor], arrays: Sequence[Any], varied: list[int], order: int) -> float:
    """The scalar's value; derivatives inside it (order > 1) need a tape."""
    args = [Tensor(a, requires_grad=order > 1) if k in varied else a for k, a in enumerate(arrays)]
    return float(scalar(*args).item())
