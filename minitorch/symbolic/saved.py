r"""Which parts of a derivative has the forward pass already computed?

Every definition is an equation, so it can be solved for a factor of its right-hand side:

$$ P_{ij} = e^{A_{ij}} / Z_i \;\Rightarrow\; e^{A_{ij}} = P_{ij} Z_i, \qquad
   r = (v + \epsilon)^{-1/2} \;\Rightarrow\; v + \epsilon = r^{-2} . $$

Wherever such a factor stands in a derivative, at whatever indices, the saved value takes its place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import cast

from sympy import Add, Expr, Function, Mul, Pow, exp

from minitorch.symbolic.binders import rename, replace, swap
from minitorch.symbolic.expression import Binder, Index, Sum, free
from minitorch.symbolic.program import Definition


def reuse_saved(expression: Expr, definitions: Sequence[Definition]) -> Expr:
    """``expression`` with saved values in place of what they were computed from."""
    return reused(expression, definitions)[0]


def reused(expression: Expr, definitions: Sequence[Definition]) -> tuple[Expr, list[tuple[Definition, Expr, Expr]]]:
    """The same, with every equality that was used: the definition, the factor, and what it is equal to.

    Whole sums first: once the exponentials inside a normaliser were rewritten, it would no longer be recognised.
    """
    used = []
    for wanted in (True, False):
        for definition in reversed(definitions):
            for factor, saved in solutions(definition):
                if isinstance(factor, Sum) is wanted and expression.has(type(factor)):
                    before, expression = expression, _replace_instances(expression, factor, saved, definition)
                    used += [(definition, factor, saved)] if expression != before else []
    return expression, used


def solutions(definition: Definition) -> Iterator[tuple[Expr, Expr]]:
    """The factors of a definition's value that it can be solved for, each with what it is then equal to.

    Only where that is safe: no division by what may be 0, and a base only from a root: a square has lost its sign.
    """
    factors = Mul.make_args(definition.value)
    for factor in factors:
        solved = definition.target / Mul(*(f for f in factors if f is not factor))
        if not set(definition.indices) <= free(factor) or not _finite(solved):
            continue  # without all indices, the instance could not be told from those it has
        if isinstance(factor, Function | exp | Sum):
            yield factor, solved
        elif isinstance(factor, Pow) and isinstance(factor.base, Add) and not factor.exp.is_Integer:
            yield factor.base, Pow(solved, 1 / factor.exp)


def _finite(product: Expr) -> bool:
    """Whether a product divides only by what is positive."""
    powers = (factor.as_base_exp() for factor in Mul.make_args(product))
    return all(base.is_positive or not power.is_negative for base, power in powers)


def _replace_instances(expression: Expr, factor: Expr, saved: Expr, definition: Definition) -> Expr:
    """Replace ``factor`` at any indices, except inside the sums that the definition itself divides by."""
    bases = [f.as_base_exp()[0] for f in Mul.make_args(definition.value)]
    own_sums = [base for base in bases if base.has(Binder) and base != factor]

    def change(part: Expr) -> Expr | None:
        for own in own_sums:
            if instance_of(part, own, definition.indices) is not None:
                return part
        renaming = instance_of(part, factor, definition.indices)
        return None if renaming is None else swap(saved, renaming)

    return replace(expression, change)


def instance_of(part: Expr, pattern: Expr, indices: tuple[Index, ...]) -> dict[Index, Index] | None:
    """The renaming of ``indices`` that turns the pattern into the part, if there is one."""
    if type(part) is not type(pattern):
        return None
    relevant = [i for i in indices if i in free(pattern)]
    candidates = [sorted((f for f in free(part) if f.dimension == i.dimension), key=str) for i in relevant]
    for choice in itertools.product(*candidates):
        renaming = dict(zip(relevant, choice, strict=True))
        if rename(pattern, renaming) == part:
            return cast("dict[Index, Index]", renaming)
    return None
