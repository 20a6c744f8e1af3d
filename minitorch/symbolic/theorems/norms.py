r"""What is known about norms, without saying which one?"""

from __future__ import annotations

from sympy import Function


class Norm(Function):
    """The norm of a matrix, which is written as an array without its indices."""

    nargs = 1
    is_real = True
    is_nonnegative = True
