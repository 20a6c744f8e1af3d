"""How far is a prediction from its target?  Losses entry by entry, with PyTorch's names and numbers.

squared     (p - t)^2
Huber       d^2 / 2 where |d| < delta, delta (|d| - delta / 2) elsewhere; d = p - t       (Huber 1964)
logistic    softplus(x) - x t                    minus the log-probability of t in {0, 1} under sigmoid(x)
KL          t (log t - x)                        x the predicted log-probability
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import OperandError
from minitorch.explain import named
from minitorch.ops.activations import sigmoid, smooth_relu, softplus
from minitorch.ops.dtype import floating, values
from minitorch.ops.elementwise import clip, exp, log, multiply, negative, square, subtract
from minitorch.ops.reduce import mean, sum
from minitorch.ops.select import equal, logical_and, where
from minitorch.primitive import Array, elementwise_mismatch, primitive


def known(reduction: str, name: str, also: tuple[str, ...] = ()) -> None:
    """Raise an OperandError unless the reduction has a meaning."""
    allowed = ("mean", "sum", *also, "none")
    if reduction not in allowed:
        said = ", ".join(map(repr, allowed[:-1]))
        raise OperandError(f"{name}: reduction is {reduction!r}; it can be {said} or 'none'.")


def reduced(losses: Any, reduction: str) -> Any:
    """The losses, their sum, or their mean; the mean of none is 0."""
    if reduction == "none":
        return losses
    return mean(losses) if reduction == "mean" and losses.size else sum(losses)


@named
def mse_loss(prediction: Array, target: Array, reduction: str = "mean") -> Any:
    """(prediction - target)^2; reduction "mean", "sum" or "none".

    >>> float(mse_loss(np.array([1.0, 2.0]), np.array([0.0, 0.0])))
    2.5
    """
    known(reduction, "mse_loss")
    return reduced(square(subtract(prediction, target)), reduction)


def _huber_formula(ranks, static):
    d = static["delta"]
    return f"c[...] = -max(-abs(x[...]), -{d}); out[...] = c[...]**2 / 2 + {d} * max(abs(x[...]) - {d}, 0)"


@primitive(
    formula=_huber_formula,
    vjp={"x": lambda g, x, *, delta: g * clip(x, -delta, delta)},
)
def huber(x: Array, delta: float = 1.0):
    """x^2 / 2 where |x| <= delta, delta (|x| - delta / 2) elsewhere: parabola, then line (Huber 1964)."""
    if not delta > 0:
        raise OperandError(f"huber: delta is {delta!r}, where the parabola ends; it is more than 0. Use 1.0?")
    size = np.abs(floating(x))
    return np.where(size <= delta, size * size / 2, delta * (size - delta / 2))


@named
def huber_loss(prediction: Array, target: Array, reduction: str = "mean", delta: float = 1.0) -> Any:
    """huber(prediction - target); reduction "mean", "sum" or "none".

    >>> huber_loss(np.array([0.5, 3.0]), np.array([0.0, 0.0]), "none").tolist()
    [0.125, 2.5]
    """
    known(reduction, "huber_loss")
    return reduced(huber(subtract(prediction, target), delta=delta), reduction)


@primitive(
    formula="out[...] = log(1 + exp(x[...])) - x[...] * target[...]",
    vjp={"x": lambda g, x, target: g * (sigmoid(x) - target), "target": lambda g, x: g * -x},
    explain=elementwise_mismatch,
)
def logistic_loss(x: Array, target: Array):
    """-t log sigmoid(x) - (1 - t) log sigmoid(-x), without overflow."""
    x = floating(x)
    return smooth_relu(x) - x * np.asarray(target)


@named
def binary_cross_entropy_with_logits(
    logits: Array,
    target: Array,
    reduction: str = "mean",
    *,
    weight: Array | None = None,
    pos_weight: Array | None = None,
) -> Any:
    """-t log sigmoid(x) - (1 - t) log sigmoid(-x), for logits x and targets t from 0 to 1 that broadcast.

    Args:
        reduction: "mean", "sum" or "none".
        weight: a factor for each loss.
        pos_weight: a factor for the first term, so that rare positives count more.

    >>> binary_cross_entropy_with_logits(np.array([1000.0, -1000.0]), np.array([1.0, 0.0])).item()
    0.0
    """
    known(reduction, "binary_cross_entropy_with_logits")
    losses = logistic_loss(logits, target)
    if pos_weight is not None:
        losses = losses + multiply(multiply(subtract(pos_weight, 1), target), softplus(negative(logits)))
    return reduced(losses if weight is None else multiply(losses, weight), reduction)


@primitive(
    formula="out[...] = x[...] * log(x[...])",
    vjp={"x": lambda g, x: where(x == 0, 0, g * (log(where(x == 0, 1, x)) + 1))},
)
def xlogx(x: Array):
    """x log(x), the negative entropy of one entry; at 0 it is 0, with gradient 0."""
    x = floating(x)
    return x * np.log(np.where(x == 0, 1, x))


@named
def kl_div(logp: Array, target: Array, reduction: str = "mean", log_target: bool = False) -> Any:
    """t (log t - logp), with logp the predicted log-probabilities and t the target probabilities.

    Args:
        reduction: "mean" over all entries, "batchmean" (the sum over the size of axis 0: the mathematical mean of the
            divergences), "sum" or "none".
        log_target: whether the target is given as log t.

    >>> float(kl_div(np.log([[0.5, 0.5]]), np.array([[1.0, 0.0]]), "batchmean").round(4))
    0.6931
    """
    known(reduction, "kl_div", ("batchmean",))
    if log_target:
        losses = multiply(exp(target), subtract(target, logp))
    else:  # where t is 0 nothing is lost, even if logp is -inf there
        losses = subtract(xlogx(target), multiply(target, countable(logp, target)))
    if reduction == "batchmean":
        divergences = sum(losses, axis=tuple(range(1, losses.ndim)))
        return reduced(divergences, "mean")
    return reduced(losses, reduction)


def countable(logp: Any, q: Any) -> Any:
    """Log-probabilities, but 0 in the place of -inf where q is 0: times q they count for nothing, and 0 * -inf is NaN.

    Where logp is finite it stays: the derivative of q logp by q is logp, and that by both is 1.
    """
    gone = logical_and(equal(values(logp), -np.inf), equal(values(q), 0))
    return where(gone, 0, logp) if np.any(gone) else logp
