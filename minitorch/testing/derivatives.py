"""Are the derivatives right?  Reverse mode against central differences, forward mode against both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minitorch.check import STEP, compared, disagreement, extrapolated, relative_error
from minitorch.forward import jvp
from minitorch.tensor import Tensor, plain
from minitorch.testing.case import Case, contracted
from minitorch.testing.outcome import CheckFailed, agree, worst_of
from minitorch.transforms import grad

TOLERANCE = 1e-9  # against differences, relative to the largest entry of the gradient
FLOOR = 1e-11  # and absolutely, where the gradient is small: what the differences of values of size 1 are good to
EXACT = 1e-12  # between two ways to compute the same


def first_derivative(case: Case) -> float:
    """The gradient is that of central differences."""
    return _differences(case, 1)


def second_derivative(case: Case) -> float:
    """The gradient of a random projection of the gradient is that of central differences."""
    return _differences(case, 2)


def _differences(case: Case, order: int) -> float:
    errors, wrong = [], []
    for c in compared(case.function, *case.arrays, order=order):
        reason = disagreement(c.analytic, c.numeric, TOLERANCE, FLOOR + c.noise, c.doubt)
        wrong += [f"{case.said(case.varied[c.k])}, {reason}"] if reason else []
        errors.append(relative_error(c.analytic, c.numeric))
    if wrong:
        raise CheckFailed(". ".join(wrong))
    return worst_of(errors)


def linearity(case: Case) -> float:
    """Every rule is linear in the cotangent: that of g + 2h is that of g plus twice that of h."""
    g, h = case.cotangents(1), case.cotangents(2)
    both = case.pull(case.tensors(), [a + 2 * b for a, b in zip(g, h, strict=True)])
    one, other = case.pull(case.tensors(), g), case.pull(case.tensors(), h)
    return _each(case, both, [a + 2 * b for a, b in zip(one, other, strict=True)], "the gradient by g + 2h")


def _each(case: Case, found: Sequence[Any], wanted: Sequence[Any], said: str, tolerance: float = EXACT) -> float:
    """Compare an array for each differentiated input."""
    errors = []
    for k, a, b in zip(case.varied, found, wanted, strict=True):
        errors.append(agree(plain(a), plain(b), tolerance, f"{said}: {case.said(k)}"))
    return worst_of(errors)


# -- forward mode ------------------------------------------------------------------------------------------------------


def forward_mode(case: Case) -> float:
    """The derivative along a random direction is the central difference along it; the values are those without it."""
    f, xs, ts = case.function, _points(case), case.directions(1)
    values, tangents = jvp(f, xs, ts)
    for i, (value, plainly) in enumerate(zip(values, f(*xs), strict=True)):
        agree(value.numpy(), plainly.numpy(), 0.0, f"output {i} under jvp")
    for t, value in zip(tangents, values, strict=True):
        if (t.shape, t.dtype) != (value.shape, value.dtype):
            raise CheckFailed(f"the tangent of a {value.dtype} {value.shape} is {t.dtype} {t.shape}")
    return _along(f, xs, ts, tangents, "the tangent of output")


def forward_linearity(case: Case) -> float:
    """Forward mode is linear in the direction, and the sum of its parts by each argument alone."""
    f, xs = case.function, _points(case)
    s, t = case.directions(2), case.directions(3)
    whole = jvp(f, xs, [a + 2 * b for a, b in zip(s, t, strict=True)])[1]
    one, other = jvp(f, xs, s)[1], jvp(f, xs, t)[1]
    parts = [jvp(f, xs, [a if i == k else None for i, a in enumerate(s)])[1] for k in range(len(s))]
    errors = []
    for i, w in enumerate(whole):
        errors.append(agree(w.numpy(), one[i].numpy() + 2 * other[i].numpy(), EXACT, f"the tangent of output {i}"))
        if alone := [f"{p[i].shape}" for p in parts if p[i].shape != w.shape]:
            raise CheckFailed(f"the tangent of output {i} along one argument alone is {alone[0]}, wanted {w.shape}")
        summed = sum((p[i].numpy() for p in parts), start=np.zeros(w.shape))
        errors.append(agree(one[i].numpy(), summed, EXACT, f"output {i} along all arguments and along each"))
    return worst_of(errors)


def mixed_modes(case: Case) -> float:
    """The Hessian times a direction: forward over reverse is reverse over forward, and the difference of gradients."""
    f, xs, ts = case.function, _points(case), case.directions(6)
    weights = case.cotangents(7)
    numbers = tuple(range(len(xs)))
    scalar = lambda *args: contracted(f(*args), weights)
    forward_over_reverse = jvp(grad(scalar, numbers), xs, ts)[1]
    reverse_over_forward = grad(lambda *args: jvp(scalar, args, ts)[1], numbers)(*xs)
    _each(case, forward_over_reverse, reverse_over_forward, "forward over reverse", 1e-10)
    return _along(grad(scalar, numbers), xs, ts, forward_over_reverse, "the tangent of the gradient by argument")


def forward_over_forward(case: Case) -> float:
    """The derivative of forward mode along a second direction is the central difference of forward mode."""
    f, xs, ts = case.function, _points(case), case.directions(8)
    us = case.directions(9)
    inner = lambda *args: jvp(f, args, ts)[1]
    return _along(inner, xs, us, jvp(inner, xs, us)[1], "the second tangent of output")


def _points(case: Case) -> list[Tensor]:
    return [Tensor(a) for a in case.arrays]


def _along(f: Callable[..., Any], xs: list[Tensor], ts: list[Tensor], tangents: Sequence[Tensor], said: str) -> float:
    """Compare tangents with the central differences of f along ts, per output."""
    top = max((float(np.abs(t.numpy()).max(initial=0.0)) for t in ts), default=0.0)
    values: list[float] = []

    def difference(i: int, step: float) -> np.ndarray:
        sides = [f(*(x + s * step * t for x, t in zip(xs, ts, strict=True)))[i].numpy() for s in (1, -1)]
        values.append(float(np.abs(sides[0]).max(initial=0.0)))
        return (sides[0] - sides[1]) / (2 * step)

    errors = []
    h = STEP / max(1.0, top)
    for i, t in enumerate(tangents):
        wanted, doubt = extrapolated(lambda step, i=i: difference(i, step), h)
        noise = 8 * np.finfo(float).eps * max(values) / (h / 4)
        if reason := disagreement(t.numpy(), wanted, TOLERANCE, FLOOR + noise, np.asarray(doubt)):
            raise CheckFailed(f"{said} {i}, {reason}")
        errors.append(relative_error(t.numpy(), wanted))
    return worst_of(errors)
