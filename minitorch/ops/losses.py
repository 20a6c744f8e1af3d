"""How wrong is a classification?  PyTorch's names and numbers; classes stand along the last axis.

    cross entropy   -sum_c q_c log softmax(x)_c          q the target distribution, one-hot for a class index

Rows whose target is `ignore_index` are not computed at all: whatever stands in them reaches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch.errors import DtypeError, OperandError, ShapeError
from minitorch.explain import named
from minitorch.ops.distances import countable, known, reduced
from minitorch.ops.dtype import accumulating, floating, shape_of, values
from minitorch.ops.elementwise import astype, exp, multiply
from minitorch.ops.fused import log_softmax, shifted
from minitorch.ops.gathering import take_along_axis
from minitorch.ops.indexing import getitem, put_into_zeros
from minitorch.ops.movement import expand_dims, squeeze
from minitorch.ops.reduce import sum
from minitorch.primitive import Array
from minitorch.shapes import Shape


def _cross_entropy_rule(g, g_lse, logits, targets, lse):
    """softmax(x) - onehot(t) for the loss, softmax(x) for the log-sum-exp that is an output beside it."""
    p = exp(logits - expand_dims(lse, -1))
    return expand_dims(g + g_lse, -1) * p - put_into_zeros(g, _at_targets(targets), logits.shape)


def _at_targets(targets: np.ndarray) -> tuple[np.ndarray, ...]:
    """The index of each row's target."""
    return (*np.indices(targets.shape, sparse=True), targets)


@accumulating(
    name="cross_entropy",
    outputs=("out", "lse"),
    formula="lse[...] = log(sum_k exp(logits[...,k])); out[...] = lse[...] - logits[...,targets[...]]",
    vjp={"logits": _cross_entropy_rule, "targets": None},
)
def _cross_entropy(logits: Array, targets: Array):
    logits, targets = floating(logits), np.asarray(targets)
    with np.errstate(invalid="ignore"):
        moved, top = shifted(logits, -1)
    lse = (np.log(np.exp(moved).sum(-1, keepdims=True)) + top)[..., 0]
    return lse - logits[_at_targets(targets)], lse


@named
def cross_entropy(
    logits: Array,
    targets: Array | Sequence[Any],
    reduction: str = "mean",
    *,
    weight: Array | Sequence[float] | None = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> Any:
    """-log softmax(logits)[target]: logits (..., N) and class indices (...), or probabilities (..., N), -> a scalar, or
    (...) for reduction "none".

    Args:
        logits: unnormalised log-probabilities of N classes along the last axis.
        targets: the index of the right class, 0 <= target < N; or the probability of each class.
        reduction: "mean", "sum" or "none".  The mean over class indices is weighted by their `weight` and counts no
            ignored row; if every row is ignored it is 0, with gradient 0 (PyTorch: NaN).
        weight: (N,), a factor for each class.
        ignore_index: rows with this target count for nothing.
        label_smoothing: how much of the target is spread evenly over all classes, 0 to 1 (Szegedy et al. 2015).

    Raises:
        ShapeError: the targets' shape is not that of the logits (without their last axis), or a target is not below N.
        DtypeError: targets of the logits' shape without the last axis that are not integers.

    >>> import minitorch as mt
    >>> mt.cross_entropy(mt.tensor([[0.0, 0.0]]), [1])
    Tensor(0.6931472, dtype=float32)
    """
    known(reduction, "cross_entropy")
    if not 0 <= label_smoothing <= 1:
        raise OperandError(f"cross_entropy: label_smoothing is {label_smoothing!r}; it can be from 0 to 1.")
    shape, given = shape_of(logits), values(targets)  # type: ignore[arg-type]
    weight = _class_weight("cross_entropy", weight, logits)
    if given.dtype.kind == "f" and shape and given.shape == shape:
        q = astype(targets, dtype=floating(values(logits)).dtype)  # type: ignore[arg-type]
        q = q * (1 - label_smoothing) + label_smoothing / shape[-1] if label_smoothing else q
        return reduced(_expected(log_softmax(logits), q if weight is None else multiply(q, weight)), reduction)
    keep = _check_targets("cross_entropy", shape, given, ignore_index)
    rows, classes = _kept(logits, given, keep)
    if label_smoothing == 0:
        losses = _cross_entropy(rows, classes)[0]
        factor = None if weight is None else np.take(weight, classes)
        losses = losses if factor is None else multiply(losses, factor)
    else:
        logp = log_softmax(rows)
        even = np.full(shape[-1:], label_smoothing / max(shape[-1], 1), logp.dtype)
        even = even if weight is None else even * weight
        losses, factor = _picked(logp, classes, weight)
        losses = losses * (1 - label_smoothing) + _expected(logp, even)
    return _over_kept(losses, keep, factor, reduction)


@named
def nll_loss(
    logp: Array,
    targets: Array | Sequence[Any],
    reduction: str = "mean",
    *,
    weight: Array | Sequence[float] | None = None,
    ignore_index: int = -100,
) -> Any:
    """-logp[target]: log-probabilities (..., N) and class indices (...) -> a scalar, or (...) for reduction "none".

    Arguments as for `cross_entropy`, which is this loss of `log_softmax`.

    >>> float(nll_loss(np.log([[0.25, 0.75]]), [1]).round(4))
    0.2877
    """
    known(reduction, "nll_loss")
    given = values(targets)  # type: ignore[arg-type]
    keep = _check_targets("nll_loss", shape_of(logp), given, ignore_index)
    losses, factor = _picked(*_kept(logp, given, keep), _class_weight("nll_loss", weight, logp))
    return _over_kept(losses, keep, factor, reduction)


def _picked(logp: Any, classes: np.ndarray, weight: np.ndarray | None) -> tuple[Any, np.ndarray | None]:
    """-weight[t] logp[t] for each row, and weight[t]."""
    losses = -squeeze(take_along_axis(logp, classes[..., None], axis=-1), -1)
    if weight is None:
        return losses, None
    factor = np.take(weight, classes)
    return multiply(losses, factor), factor


def _expected(logp: Any, q: Any) -> Any:
    """-sum_c q_c logp_c, in which a class of probability 0 counts for nothing, even where logp is -inf."""
    return -sum(multiply(q, countable(logp, q)), axis=-1)


def _kept(rows: Array, classes: np.ndarray, keep: np.ndarray) -> tuple[Any, np.ndarray]:
    """The rows that are not ignored, if some are."""
    return (rows, classes) if keep.all() else (getitem(rows, (keep,)), classes[keep])


def _over_kept(losses: Any, keep: np.ndarray, factor: np.ndarray | None, reduction: str) -> Any:
    """The sum or (weighted) mean over the rows that are kept; of none it is 0."""
    if reduction == "none":
        return losses if keep.all() else put_into_zeros(losses, (keep,), keep.shape)
    if losses.dtype == np.float16:  # their sum may be too large for it, and their mean is not
        return astype(_over_kept(astype(losses, np.dtype(np.float32)), keep, factor, reduction), losses.dtype)
    total = sum(losses)
    if reduction == "sum":
        return total
    count = float(keep.sum() if factor is None else factor.sum())
    return total / count if count else total


def _class_weight(name: str, weight: Any, logits: Array) -> np.ndarray | None:
    if weight is None:
        return None
    shape, weight = shape_of(logits), np.asarray(weight)
    if weight.shape != shape[-1:]:
        raise ShapeError(f"{name}: weight {weight.shape} for logits {shape}; one factor for each class is needed.")
    return weight.astype(floating(values(logits)).dtype, copy=False)


def _check_targets(name: str, logits: Shape, targets: np.ndarray, ignore_index: int) -> np.ndarray:
    """Which rows count; raise if a target that counts is no class."""
    if targets.dtype.kind not in "iu" and targets.size:
        raise DtypeError(f"{name}: targets are {targets.dtype}, but classes are counted in integers. Use .astype(int)?")
    if not logits or logits[:-1] != targets.shape:
        raise ShapeError(
            f"{name}: logits {logits} need targets {logits[:-1]}, one class per row, but got {targets.shape}. "
            "Is the class axis last?"
        )
    keep = np.asarray(targets != ignore_index)
    counted = targets[keep]
    if counted.size and not (counted.min() >= 0 and counted.max() < logits[-1]):
        worst = counted.min() if counted.min() < 0 else counted.max()
        raise ShapeError(f"{name}: target {worst} is outside 0 ... {logits[-1] - 1}, the classes of logits {logits}.")
    return keep
