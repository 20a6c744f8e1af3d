"""What is better computed as one operation?  Softmax and its logarithm: stable at large values, with few values kept.

    softmax   S_i = exp(x_i) / sum_k exp(x_k)

The forward functions subtract the maximum first, which changes nothing (softmax is invariant under a shift) and keeps
exp from overflowing.
"""

from __future__ import annotations

import numpy as np

from minitorch.ops.dtype import accumulating, floating
from minitorch.ops.elementwise import exp
from minitorch.ops.movement import reshape
from minitorch.ops.reduce import no_such_axis, sum
from minitorch.primitive import Array
from minitorch.shapes import Axis, kept_shape, normalize_axes


def _over_axis(text: str):
    """A formula over the axes that `axis` says.  `{i}`: the indices of an entry, `{k}`: with k for i where it is summed
    `{over}`, `{rest}`: those of the other axes."""

    def formula(ranks, static):
        rank = ranks["x"]
        axes = normalize_axes(static.get("axis", -1), rank)
        own = {a: "" if len(axes) == 1 else f"{a}" for a in axes}  # several axes have a letter each

        def entry(letter: str) -> str:
            return ",".join(f"{letter}{own[a]}" if a in own else f"b{a}" for a in range(rank))

        over = ",".join(f"k{n}" for n in own.values())
        names = {
            "i": entry("i"),
            "k": entry("k"),
            "rest": ",".join(f"b{a}" for a in range(rank) if a not in own),
            "over": over if len(axes) == 1 else f"{{{over}}}",
        }
        return text.format(**names).replace("[]", "")

    return formula


def shifted(x: np.ndarray, axis: Axis) -> tuple[np.ndarray, np.ndarray]:
    """x minus its maximum, and the maximum.

    A maximum of -inf is not subtracted: a row of nothing but -inf is left to the caller.  With inf in a row, the row's
    exponentials sum to NaN.
    """
    top = np.max(x, axis, keepdims=True, initial=-np.inf)
    top = np.where(top == -np.inf, 0, top).astype(x.dtype, copy=False)
    return x - top, top


@accumulating(
    outputs=("S",),
    formula=_over_axis("Z[{rest}] = sum_{over} exp(x[{k}]); S[{i}] = exp(x[{i}]) / Z[{rest}]"),
    vjp={"x": lambda g, S, *, axis: S * (g - sum(g * S, axis=axis, keepdims=True))},
    explain=no_such_axis,
)
def softmax(x: Array, axis: Axis = -1):
    """exp(x) over its sum along `axis` (one, several, or None for all): positive weights that sum to 1.  A row of
    nothing but -inf, and one with an inf, is NaN.

    >>> softmax(np.array([0.0, 0.0, 1e4]))
    array([0., 0., 1.])
    """
    with np.errstate(invalid="ignore"):
        e, _ = shifted(floating(x), axis)
        np.exp(e, out=e)
        return np.divide(e, e.sum(axis, keepdims=True), out=e)


def _kept(reduced, x, axis: Axis):
    return reshape(reduced, kept_shape(x.shape, axis))


@accumulating(
    name="log_softmax",
    outputs=("out", "lse"),
    formula=_over_axis("lse[{rest}] = log(sum_{over} exp(x[{k}])); out[{i}] = x[{i}] - lse[{rest}]"),
    vjp={
        "x": lambda g, g_lse, x, lse, *, axis: (
            g + exp(x - _kept(lse, x, axis)) * (_kept(g_lse, x, axis) - sum(g, axis=axis, keepdims=True))
        )
    },
    explain=no_such_axis,
)
def _log_softmax(x: Array, axis: Axis = -1):
    x = floating(x)
    with np.errstate(invalid="ignore"):
        moved, top = shifted(x, axis)
    lse = np.log(np.exp(moved).sum(axis, keepdims=True)) + top
    return x - lse, np.squeeze(lse, normalize_axes(axis, x.ndim))


def log_softmax(x: Array, axis: Axis = -1):
    """log(softmax(x)) along `axis`, without taking the logarithm of a number that has underflowed to 0."""
    return _log_softmax(x, axis=axis)[0]
