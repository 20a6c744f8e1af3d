"""Is a derivative right?  Compared with central differences in float64, which share no code with the rules.

f'(x) ~ (4 D(h/2) - D(h)) / 3   with   D(h) = (f(x + h) - f(x - h)) / 2h        (Richardson extrapolation, error O(h^4))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import GradientError
from minitorch.reverse import grad
from minitorch.tensor import Tensor, plain

Function = Callable[..., Tensor | Sequence[Tensor]]


class GradcheckError(GradientError):
    """An analytic derivative disagrees with central differences; says which input, which entry, and both values."""


def numeric_gradient(f: Callable[..., float], arrays: Sequence[np.ndarray], k: int, h: float = 1e-3) -> np.ndarray:
    """The derivative of a scalar function by array k, entry by entry.

    Args:
        f: takes the arrays, gives a number.
        h: the step, relative to max(1, |entry|).

    >>> numeric_gradient(lambda x: float((x**3).sum()), [np.array([1.0, 2.0])], 0).round(9)
    array([ 3., 12.])
    """
    x = arrays[k]
    out = np.zeros(x.shape)

    def difference(i: tuple[int, ...], step: float) -> float:
        sides = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * step
            sides.append(f(*arrays[:k], moved, *arrays[k + 1 :]))
        return (sides[0] - sides[1]) / (2 * step)

    for i in np.ndindex(x.shape):
        step = h * max(1.0, abs(float(x[i])))
        out[i] = (4 * difference(i, step / 2) - difference(i, step)) / 3
    return out


def gradcheck(
    function: Function,
    *inputs: Any,
    rtol: float = 1e-7,
    atol: float = 1e-8,
    h: float = 1e-3,
    order: int = 1,
    seed: int = 0,
) -> float:
    """Compare the derivatives of `function` at `inputs` with central differences, in float64.

    An output that is not a scalar is contracted with a random cotangent first.

    Args:
        function: takes Tensors, gives a Tensor or a sequence of Tensors; differentiable at the inputs.
        inputs: arrays or Tensors; floating ones are varied, the others are passed on as they are.
        rtol, atol: the allowed error: atol + rtol * (largest entry of the numeric gradient).
        h: the step of the differences; at a distance of h from the inputs the function must still be smooth.
        order: 1 for the gradient, 2 for the gradient of a random projection of the gradient, and so on.

    Returns:
        The largest error found, relative to the largest entry of its gradient (at least 1).

    Raises:
        GradcheckError: names the input and the entry that is off the most, with both values.

    >>> import minitorch as mt
    >>> gradcheck(lambda x: mt.tanh(x), np.array([0.5, 1.0])) < 1e-9
    True
    """
    rng = np.random.default_rng(seed)
    arrays = [np.array(plain(x), np.float64) if _is_float(x) else plain(x) for x in inputs]
    varied = [k for k, x in enumerate(inputs) if _is_float(x)]
    scalar = _projected(function, rng)
    for _ in range(order - 1):
        scalar = _projected(_gradient_of(scalar, varied), rng)
    worst = 0.0
    with modes.default_dtype(np.float64), modes.enable_grad():
        wanted = [Tensor(arrays[k], requires_grad=True) for k in varied]
        tensors = [wanted[varied.index(k)] if k in varied else a for k, a in enumerate(arrays)]
        analytic = grad(scalar(*tensors), wanted, allow_unused=True)
        for k, g in zip(varied, analytic, strict=True):
            numeric = numeric_gradient(lambda *a: _value(scalar, a, varied, order), arrays, k, h)
            found = np.zeros_like(numeric) if g is None else g.numpy()
            worst = max(worst, _compare(k, found, numeric, rtol, atol, order))
    return worst


def _is_float(x: Any) -> bool:
    return np.asarray(plain(x)).dtype.kind == "f"


def _projected(function: Function, rng: np.random.Generator) -> Callable[..., Tensor]:
    """The function, contracted with fixed random cotangents to a scalar."""
    cotangents: list[np.ndarray] = []

    def scalar(*args: Any) -> Tensor:
        value = function(*args)
        outs = [value] if isinstance(value, Tensor) else [v for v in value if v is not None]
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


def _compare(k: int, analytic: np.ndarray, numeric: np.ndarray, rtol: float, atol: float, order: int) -> float:
    if not numeric.size:
        return 0.0
    error = np.abs(analytic - numeric)
    scale = float(np.abs(numeric).max())
    if not (error <= atol + rtol * scale).all():
        i = np.unravel_index(np.nanargmax(np.where(np.isnan(error), np.inf, error)), error.shape)
        entry = tuple(int(n) for n in i)
        raise GradcheckError(
            f"gradcheck, order {order}: input {k}, entry {entry}: "
            f"analytic {analytic[i]:.12g}, numeric {numeric[i]:.12g}; "
            f"{int((~(error <= atol + rtol * scale)).sum())} of {error.size} entries are off. Check that input's rule."
        )
    return float(error.max() / max(1.0, scale))
