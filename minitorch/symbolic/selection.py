r"""What is the derivative of a maximum?  That of the entry at which it is taken.

$$ \frac{\partial}{\partial x}\max_k f_k = \sum_k [k = \arg\max f]\,\frac{\partial f_k}{\partial x} $$
"""

from __future__ import annotations

from typing import Any, cast

from sympy import Expr

from minitorch.symbolic.expression import Index, MaxOver


class Selected(Expr):
    r"""Whether an index is where a maximum is taken: $[k = \arg\max_k f_k]$; several share at a tie.

    Its sum over $k$ is 1, and $\partial \max_k f_k = \sum_k [k = \arg\max f]\,\partial f_k$.
    """

    is_commutative = True
    is_real = True
    is_nonnegative = True

    @property
    def largest(self) -> MaxOver:
        return cast(MaxOver, self.args[0])

    @property
    def index(self) -> Index:
        return cast(Index, self.args[1])

    def _sympystr(self, printer: Any) -> str:
        return f"[{self.index.name} = argmax of {printer._print(self.largest)}]"
