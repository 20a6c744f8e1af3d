"""What is better computed as one operation?  Softmax and its relatives: stable at large values, with few values kept.

    softmax        S_i = exp(x_i) / sum_k exp(x_k)
    cross entropy  -log softmax(x)_t = log sum_k exp(x_k) - x_t

The forward functions subtract the maximum first, which changes nothing (softmax is invariant under a shift) and keeps
exp from overflowing.
"""

from __future__ import annotations

import numpy as np

from minitorch.errors import DtypeError, ShapeError
from minitorch.ops.elementwise import exp
from minitorch.ops.indexing import getitem, put_into_zeros
from minitorch.ops.movement import expand_dims
from minitorch.ops.reduce import sum
from minitorch.primitive import Array, primitive
from minitorch.shapes import Shape, normalize_axes


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


def _floating(x: Array) -> np.ndarray:
    """x as an array; integers in the dtype in which NumPy would take their exponential."""
    x = np.asarray(x)
    return x.astype(np.result_type(x, 0.0), copy=False)


def _shifted(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
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
    e, _ = _shifted(_floating(x), axis)
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
    x = _floating(x)
    shifted, top = _shifted(x, axis)
    lse = np.log(np.exp(shifted).sum(axis, keepdims=True)) + top
    return x - lse, np.squeeze(lse, axis)


def log_softmax(x: Array, axis: int = -1):
    """log(softmax(x)) along `axis`, without taking the logarithm of a number that has underflowed to 0."""
    return _log_softmax(x, axis=axis)[0]


def _cross_entropy_rule(g, g_lse, logits, targets, lse):
    """softmax(x) - onehot(t) for the loss, softmax(x) for the log-sum-exp that is an output beside it."""
    p = exp(logits - expand_dims(lse, -1))
    return expand_dims(g + g_lse, -1) * p - put_into_zeros(g, _at_targets(targets), logits.shape)


def _at_targets(targets: np.ndarray) -> tuple[np.ndarray, ...]:
    """The index of each row's target."""
    return (*np.indices(targets.shape, sparse=True), targets)


@primitive(
    name="cross_entropy",
    outputs=("out", "lse"),
    vjp={"logits": _cross_entropy_rule, "targets": None},
)
def _cross_entropy(logits: Array, targets: Array):
    logits, targets = _floating(logits), np.asarray(targets)
    shifted, top = _shifted(logits, -1)
    lse = (np.log(np.exp(shifted).sum(-1, keepdims=True)) + top)[..., 0]
    return lse - getitem(logits, _at_targets(targets)), lse


def cross_entropy(logits: Array, targets: Array, reduction: str = "mean"):
    """-log softmax(logits)[target]: logits (..., N), integer class indices (...) -> a scalar, or (...) for reduction
    "none".

    Args:
        logits: unnormalised log-probabilities of N classes along the last axis.
        targets: the index of the right class, 0 <= target < N.
        reduction: "mean", "sum" or "none".

    Raises:
        ShapeError: the targets' shape is not that of the logits without their last axis, or a target is not below N.
        DtypeError: the targets are not integers.

    >>> import minitorch as mt
    >>> mt.cross_entropy(mt.tensor([[0.0, 0.0]]), [1])
    Tensor(0.6931472, dtype=float32)
    """
    indices = np.asarray(targets)
    _check_targets(np.shape(logits), indices)
    losses = _cross_entropy(logits, indices)[0]
    if reduction == "none":
        return losses
    if reduction not in ("mean", "sum"):
        raise ValueError(f"cross_entropy: reduction is {reduction!r}; it can be 'mean', 'sum' or 'none'")
    total = sum(losses)
    return total if reduction == "sum" or not indices.size else total / indices.size


def _check_targets(logits: Shape, targets: np.ndarray) -> None:
    if targets.dtype.kind not in "iu":
        raise DtypeError(
            f"cross_entropy: targets are {targets.dtype}, but classes are counted in integers. Use .astype(int)?"
        )
    if logits[:-1] != targets.shape:
        raise ShapeError(
            f"cross_entropy: logits {logits} need targets {logits[:-1]}, one class per row, but got {targets.shape}. "
            "Is the class axis last?"
        )
    if targets.size and not (targets.min() >= 0 and targets.max() < logits[-1]):
        worst = targets.min() if targets.min() < 0 else targets.max()
        raise ShapeError(
            f"cross_entropy: target {worst} is outside 0 ... {logits[-1] - 1}, the classes of logits {logits}."
        )
