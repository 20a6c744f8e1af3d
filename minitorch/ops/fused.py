"""What is better computed as one operation?  Softmax and its logarithm: stable at large values, with few values kept.

    softmax   S_i = exp(x_i) / sum_k exp(x_k)

The forward functions subtract the maximum first, which changes nothing (softmax is invariant under a shift) and keeps
exp from overflowing.
"""

from __future__ import annotations

import numpy as np

from minitorch.ops.dtype import floating
from minitorch.ops.elementwise import exp
from minitorch.ops.movement import expand_dims
from minitorch.ops.reduce import sum
from minitorch.primitive import Array, primitive
from minitorch.shapes import normalize_axes


def _over_axis(text: str):
    """A formula over the last axis, with that axis moved to where `axis` says.  `{i}`: all indices, `{k}`: with k
    summed."""

    def formula(ranks, static):
        rank = ranks["x"]
        (axis,) = normalize_axes(static.get("axis", -1), rank)
        letters = ["i" if a == axis else f"b{a}" for a in range(rank)]
        names = {
            "i": ",".join(letters),
            "k": ",".join(["k" if a == axis else letter for a, letter in enumerate(letters)]),
            "rest": ",".join(letter for a, letter in enumerate(letters) if a != axis),
        }
        return text.format(**names).replace("[]", "")

    return formula


def shifted(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """x minus its maximum, and the maximum; an infinite maximum is not subtracted, since inf - inf would be NaN."""
    top = np.max(x, axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0).astype(x.dtype, copy=False)
    return x - top, top


@primitive(
    outputs=("S",),
    formula=_over_axis("Z[{rest}] = sum_k exp(x[{k}]); S[{i}] = exp(x[{i}]) / Z[{rest}]"),
    vjp={"x": lambda g, S, *, axis: S * (g - sum(g * S, axis=axis, keepdims=True))},
)
def softmax(x: Array, axis: int = -1):
    """exp(x) over its sum along `axis`: positive weights that sum to 1.  All entries -inf give NaN, as the formula
    says.

    >>> softmax(np.array([0.0, 0.0, 1e4]))
    array([0., 0., 1.])
    """
    e, _ = shifted(floating(x), axis)
    np.exp(e, out=e)
    with np.errstate(invalid="ignore"):
        return np.divide(e, e.sum(axis, keepdims=True), out=e)


@primitive(
    name="log_softmax",
    outputs=("out", "lse"),
    formula=_over_axis("lse[{rest}] = log(sum_k exp(x[{k}])); out[{i}] = x[{i}] - lse[{rest}]"),
    vjp={
        "x": lambda g, g_lse, x, lse, *, axis: (
            g + exp(x - expand_dims(lse, axis)) * (expand_dims(g_lse, axis) - sum(g, axis=axis, keepdims=True))
        )
    },
)
def _log_softmax(x: Array, axis: int = -1):
    x = floating(x)
    moved, top = shifted(x, axis)
    lse = np.log(np.exp(moved).sum(axis, keepdims=True)) + top
    return x - lse, np.squeeze(lse, axis)


def log_softmax(x: Array, axis: int = -1):
    """log(softmax(x)) along `axis`, without taking the logarithm of a number that has underflowed to 0."""
    return _log_softmax(x, axis=axis)[0]
