"""Which of two?  Choices by a condition, by order, and the comparisons that decide them.

At a tie, `maximum` and `minimum` give each operand half of the gradient, so that the result does not depend on their
order.
"""

from __future__ import annotations

import numpy as np

from minitorch.primitive import Array, elementwise_mismatch, primitive


def _if_chosen(g, condition):
    return where(condition, g, 0)


def _if_not_chosen(g, condition):
    return where(condition, 0, g)


@primitive(
    vjp={"condition": None, "a": _if_chosen, "b": _if_not_chosen},
    explain=elementwise_mismatch,
)
def where(condition: Array, a: Array, b: Array):
    """`a` where the condition holds, `b` elsewhere.

    Both sides are computed: an infinite derivative on the side that is not chosen still makes the gradient NaN (0 *
    inf), as in JAX and PyTorch.
    """
    return np.where(condition, a, b)


def _share(chosen, other):
    """1 where `chosen` won, 1/2 at a tie."""
    return where(chosen == other, 0.5, where(chosen > other, 1.0, 0.0))


@primitive(
    formula="out[...] = max(a[...], b[...])",
    vjp={"a": lambda g, a, b: g * _share(a, b), "b": lambda g, a, b: g * _share(b, a)},
    explain=elementwise_mismatch,
)
def maximum(a: Array, b: Array):
    """The larger of two, entry by entry; NaN if either is."""
    return np.maximum(a, b)


@primitive(
    formula="out[...] = -max(-a[...], -b[...])",
    vjp={"a": lambda g, a, b: g * _share(b, a), "b": lambda g, a, b: g * _share(a, b)},
    explain=elementwise_mismatch,
)
def minimum(a: Array, b: Array):
    """The smaller of two, entry by entry; NaN if either is."""
    return np.minimum(a, b)


def _comparison(ufunc: np.ufunc):
    @primitive(name=ufunc.__name__, vjp={"a": None, "b": None}, explain=elementwise_mismatch)
    def compare(a: Array, b: Array):
        return ufunc(a, b)

    return compare


equal = _comparison(np.equal)
not_equal = _comparison(np.not_equal)
less = _comparison(np.less)
less_equal = _comparison(np.less_equal)
greater = _comparison(np.greater)
greater_equal = _comparison(np.greater_equal)
