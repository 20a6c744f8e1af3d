"""What stands above and what below the line of a product, and in which order?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sympy import Expr, Integer, Mul, Pow, Rational, S, exp

from minitorch.symbolic.code.contraction import adds_up
from minitorch.symbolic.code.scalars import decimal
from minitorch.symbolic.expression import Binder, Delta, Entry, Index, Sum, free


def factor_rank(e: Expr) -> tuple[Any, ...]:
    """Numbers, dimensions, the largest arrays by name, functions and brackets, sums last."""
    kinds = (e.is_number, is_number(e), isinstance(e, Entry), not e.has(Binder))
    return next((k for k, holds in enumerate(kinds) if holds), len(kinds)), -len(free(e)), str(e)


def sides(coefficient: Rational, factors: Sequence[Expr]) -> tuple[list[Expr], list[Expr]]:
    """What stands above and below the line of a quotient."""
    above, below = [], []
    if decimal(coefficient):
        above.append(coefficient)
    else:
        above += [Integer(coefficient.p)] if coefficient.p != 1 else []
        below += [Integer(coefficient.q)] if coefficient.q != 1 else []
    for factor in factors:
        base, power = factor.as_base_exp()
        if power.is_Rational and power.is_negative and not isinstance(factor, exp):
            below.append(Pow(base, -power))
        else:
            above.append(factor)
    return above, below


def means_of(above: list[Expr], below: list[Expr]) -> tuple[list[Expr], list[Expr], list[Expr]]:
    """Which sums above are divided by just their numbers of terms; those are no longer below."""
    means = []
    for total in above:
        if isinstance(total, Sum) and adds_up(total):
            sizes, rest = [i.dimension for i in total.bound], list(below)
            if all(size in rest and (rest.remove(size) or True) for size in sizes):
                below = rest
                means.append(total)
    return above, below, means


def one_root(above: list[Expr], below: list[Expr]) -> tuple[list[Expr], list[Expr]]:
    """Square roots of plain numbers as one root: sqrt(2 / pi)."""
    roots = [
        [f for f in side if isinstance(f, Pow) and f.exp == S.Half and f.base.is_number] for side in (above, below)
    ]
    if not roots[0] or len(roots[0]) + len(roots[1]) < 2:
        return above, below
    inside = Mul(*(f.base for f in roots[0])) / Mul(*(f.base for f in roots[1]))
    joined = cast(Expr, Pow(inside, S.Half, evaluate=False))
    return [joined, *(f for f in above if f not in roots[0])], [f for f in below if f not in roots[1]]


def is_number(e: Expr) -> bool:
    """Whether an expression has no array in it."""
    return not e.has(Entry, Index, Delta)
