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
    formula="out[...] = condition[...] a[...] + (1 - condition[...]) b[...]",
    vjp={"condition": None, "a": _if_chosen, "b": _if_not_chosen},
    explain=elementwise_mismatch,
)
def where(condition: Array, a: Array, b: Array):
    """`a` where the condition holds, `b` elsewhere.

    Both sides are computed: an infinite derivative on the side that is not chosen still makes the gradient NaN (0 *
    inf), as in JAX and PyTorch.
    """
    return np.where(condition, a, b)


def _share(g, chosen, other):
    """g where `chosen` won, half of it at a tie; where either is NaN so is the result, and g reaches both."""
    return where(other > chosen, 0, where(chosen == other, g / 2, g))


@primitive(
    formula="out[...] = max(a[...], b[...])",
    vjp={"a": lambda g, a, b: _share(g, a, b), "b": lambda g, a, b: _share(g, b, a)},
    explain=elementwise_mismatch,
)
def maximum(a: Array, b: Array):
    """The larger of two, entry by entry; NaN if either is."""
    return np.maximum(a, b)


@primitive(
    formula="out[...] = -max(-a[...], -b[...])",
    vjp={"a": lambda g, a, b: _share(g, b, a), "b": lambda g, a, b: _share(g, a, b)},
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
logical_and = _comparison(np.logical_and)
logical_or = _comparison(np.logical_or)
bitwise_and = _comparison(np.bitwise_and)
bitwise_or = _comparison(np.bitwise_or)
bitwise_xor = _comparison(np.bitwise_xor)


@primitive(vjp={"x": None})
def logical_not(x: Array):
    """Whether x is false (0)."""
    return np.logical_not(x)


@primitive(vjp={"x": None})
def invert(x: Array):
    """The opposite of booleans, the complement of the bits of integers."""
    return np.invert(x)
