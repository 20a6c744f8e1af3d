"""How is a number written in Python, so that it neither loses a digit nor changes an array's dtype?

A Python float takes the dtype of the array beside it, an ``np.float64`` does not; so numbers are made by ``math``.
"""

from __future__ import annotations

from typing import cast

from sympy import Expr, Integer, Rational

_LONGEST = 12  # digits of a decimal that is still written out


def number(e: Expr) -> str:
    """A number's text; a rational is a decimal if it is one exactly, else a quotient.

    >>> number(Rational(1, 100000)), number(Rational(-3)), number(Rational(1, 3))
    ('1e-5', '-3', '1 / 3')
    """
    if isinstance(e, Integer):
        return str(e)
    if isinstance(e, Rational):
        return decimal(e) or f"{e.p} / {e.q}"
    return repr(float(e)).replace("e-0", "e-")


def decimal(e: Rational) -> str:
    """A rational's decimal text, empty if it has none, or a long one, or is a plain half or quarter."""
    rest = cast(int, e.q)
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    text = repr(float(e)).replace("e-0", "e-")
    return text if rest == 1 and e.q % 10 == 0 and len(text) <= _LONGEST else ""
