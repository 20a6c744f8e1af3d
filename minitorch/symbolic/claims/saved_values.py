r"""How does one write a gradient by hand?  In what the forward pass gives, as far as that goes.

$$ y = x\,r \;\Rightarrow\; x = y/r, \qquad r = c\,B^{p} \;\Rightarrow\; B^{q} = (r/c)^{q/p} : \qquad
   r G - x r^3 \textstyle\sum G x \;=\; r\,(G - y \sum G y) . $$
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Add, Expr, Mul, Pow, S

from minitorch.symbolic.binders import rename, replace
from minitorch.symbolic.calculus import hoist, readable
from minitorch.symbolic.expression import Entry, Index, Sum
from minitorch.symbolic.program import Definition
from minitorch.symbolic.saved import instance_of


def in_saved_values(lines: Sequence[Definition], forward: Sequence[Definition]) -> tuple[Definition, ...]:
    """The lines with roots and factors replaced by saved values, where nothing but positive values is divided by."""
    result = []
    for line in lines:
        value = line.value
        for definition in forward:
            for base, power, scale in _roots(definition):
                value = _without_root(value, definition, base, power, scale)
        for definition in forward:
            factor = _factor(definition)
            if factor is not None:
                value = _without_factor(value, definition, factor)
        result.append(Definition(line.target, readable(value)))
    return tuple(result)


def _roots(definition: Definition) -> Iterator[tuple[Expr, Expr, Expr]]:
    """Each base of a root that a definition is a multiple of, the exponent, and the rest of the product."""
    factors = Mul.make_args(hoist(definition.value))
    for factor in factors:
        base, power = factor.as_base_exp()
        rest = Mul(*(f for f in factors if f is not factor))
        if isinstance(base, Sum | Add) and power.is_Rational and not power.is_Integer and rest.is_positive:
            yield base, power, rest


def _without_root(value: Expr, definition: Definition, base: Expr, power: Expr, scale: Expr) -> Expr:
    def change(part: Expr) -> Expr | None:
        inside, exponent = part.as_base_exp() if isinstance(part, Pow) else (part, S.One)
        renaming = instance_of(inside, base, definition.indices)
        if renaming is None:
            return None
        return Pow(rename(definition.target / scale, renaming), exponent / power)

    return replace(value, change)


def _factor(definition: Definition) -> Entry | None:
    """The factor that a product of entries can be solved for: it has all the indices, and the others are positive."""
    factors = Mul.make_args(definition.value)
    entries = [f for f in factors if isinstance(f, Entry) and set(f.indices) == set(definition.indices)]
    if len(factors) < 2 or len(entries) != 1:
        return None
    return entries[0] if all(f.is_positive for f in factors if f is not entries[0]) else None


def _without_factor(value: Expr, definition: Definition, factor: Entry) -> Expr:
    solved = definition.target / (definition.value / factor)

    def change(part: Expr) -> Expr | None:
        if not isinstance(part, Entry) or part.name != factor.name:
            return None
        renaming: dict[Index, Index] = dict(zip(factor.indices, part.indices, strict=True))
        return rename(solved, renaming)

    return replace(value, change)
