"""Which scalar functions does the formula language add to SymPy's, and what are their derivatives?

The logistic function and two with a kink; at the kink the derivative is what the docstring says.
"""

from __future__ import annotations

from typing import cast

from sympy import Expr, Function, S


class sigmoid(Function):
    """The logistic function 1 / (1 + exp(-x))."""

    nargs = 1
    is_real = True
    is_positive = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return self * (1 - self)


class step(Function):
    """1 where its argument is positive, else 0; its derivative is 0 away from the jump."""

    nargs = 1
    is_real = True
    is_nonnegative = True

    def fdiff(self, argindex: int = 1) -> Expr:
        return S.Zero


class maximum(Function):
    """The larger of two values; at a tie the derivative follows the second."""

    nargs = 2
    is_real = True

    def fdiff(self, argindex: int = 1) -> Expr:
        first_wins = cast(Expr, step(cast(Expr, self.args[0]) - cast(Expr, self.args[1])))
        return first_wins if argindex == 1 else 1 - first_wins
