"""How large may a gradient be?  Scaled down to a norm, or cut entry by entry, before the optimizer's step.

g <- g min(1, max_norm / |g|),   |g| over all parameters together               (Pascanu et al. 2013, arXiv 1211.5063,
                                                                                 algorithm 1)
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from minitorch.arguments import check_numbers
from minitorch.errors import GradientError, OperandError
from minitorch.optim.optimizer import listed
from minitorch.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients by one factor, so that their common norm is at most `max_norm`.

    Args:
        parameters: those without a gradient are left out.
        max_norm: the largest norm.
        norm_type: 2 is Euclid's, `math.inf` the largest entry; any number above 0.
        error_if_nonfinite: raise if the norm is infinite or NaN, before anything is scaled.

    Returns:
        The norm before, a scalar float64 Tensor.

    Raises:
        OperandError: norm_type is not above 0, or max_norm is below 0.
        DtypeError: something is no parameter, or no number.
        GradientError: the norm is not finite, and `error_if_nonfinite`.

    >>> import minitorch as mt
    >>> p = mt.Parameter([3.0, 4.0])
    >>> (p * p / 2).sum().backward()
    >>> clip_grad_norm_([p], 1.0).item(), p.grad.numpy().round(3).tolist()
    (5.0, [0.6000000238418579, 0.800000011920929])
    """
    check_numbers("clip_grad_norm_", 0.0, max_norm=max_norm, norm_type=norm_type)
    if norm_type == 0:
        raise OperandError("clip_grad_norm_: norm_type=0; it must be above 0.")
    having = _with_gradient("clip_grad_norm_", parameters)
    gradients = [p.grad.numpy() for p in having if p.grad is not None]
    total = _norm(gradients, float(norm_type))
    if error_if_nonfinite and not np.isfinite(total):
        raise GradientError(
            f"clip_grad_norm_: the norm of the gradients of {len(having)} parameters is {total}, and clipping cannot "
            "mend that. Find where it arises first?"
        )
    factor = np.minimum(1.0, max_norm / (total + 1e-6))  # PyTorch's 1e-6, and unlike min() it lets NaN through
    if factor != 1.0:
        with np.errstate(invalid="ignore"):  # inf * 0, as in PyTorch
            for p, g in zip(having, gradients, strict=True):
                p.grad = Tensor(g * float(factor), dtype=g.dtype)  # a new one: two leaves may share the old one
    return Tensor(total, dtype=np.float64)


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Cut every entry of every gradient to [-clip_value, clip_value].

    >>> import minitorch as mt
    >>> p = mt.Parameter([3.0, -0.5])
    >>> (p * p / 2).sum().backward()
    >>> clip_grad_value_(p, 1.0)
    >>> p.grad.numpy().tolist()
    [1.0, -0.5]
    """
    check_numbers("clip_grad_value_", 0.0, clip_value=clip_value)
    for p in _with_gradient("clip_grad_value_", parameters):
        if p.grad is not None:
            p.grad = Tensor(np.clip(p.grad.numpy(), -clip_value, clip_value))


def _with_gradient(who: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    once = {id(p): p for p in listed(who, parameters)}
    return [p for p in once.values() if p.grad is not None]


def _norm(gradients: list[np.ndarray], k: float) -> float:
    """(sum of |g|^k over all entries)^(1/k), in float64, scaled first so that no square over- or underflows."""
    sizes = [np.abs(g, dtype=np.float64) for g in gradients if g.size]
    top = float(max((s.max() for s in sizes), default=0.0)) if not any(np.isnan(s).any() for s in sizes) else np.nan
    if k == np.inf or top == 0 or not np.isfinite(top):
        return top
    return top * float(sum(((s / top) ** k).sum() for s in sizes)) ** (1 / k)
