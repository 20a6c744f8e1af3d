r"""Does SymPy's own scalar derivative agree, entry by entry, at concrete sizes?

At sizes such as $n = 2$ every entry is a scalar symbol $x_{01}$, every sum is written out, and

$$ \frac{\partial}{\partial x_{01}} \sum_i G_i\,y_i(x) $$

is left to ``sympy.diff``.  Exact, and independent of the index calculus: of its binders, deltas and chain rule.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import sympy
from sympy import Add, Expr, Integer, Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.expression import Binder, Delta, Entry, Index, Sum, size_of
from minitorch.symbolic.program import Definition
from minitorch.symbolic.selection import Selected

Sizes = dict[Symbol, int]


class NotWrittenOut(FormulaError):
    """An expression that has no scalar form at concrete sizes."""


def shown_sizes(sizes: Mapping[Symbol, int]) -> str:
    """Sizes as text: ``n=2, d_k=1``."""
    return ", ".join(f"{symbol}={size}" for symbol, size in sizes.items())


def places(indices: Sequence[Index], sizes: Sizes) -> Iterator[tuple[int, ...]]:
    """Every value that the indices take together."""
    return itertools.product(*(range(size_of(i.dimension, sizes)) for i in indices))


def scalar(entry: Entry, place: tuple[int, ...]) -> Symbol:
    """The scalar symbol of one entry of an array."""
    return Symbol("_".join((entry.name, *map(str, place))), real=True, positive=entry.symbol.is_positive)


class Expansion:
    """Index expressions written out at concrete sizes, definitions resolved where they are read."""

    def __init__(self, sizes: Sizes, definitions: Sequence[Definition] = ()):
        self.sizes, self.definitions = sizes, {d.name: d for d in definitions}
        self.known: dict[tuple[str, tuple[int, ...]], Expr] = {}

    def entry(self, e: Entry, place: tuple[int, ...]) -> Expr:
        if e.values is not None:
            return Integer((1 + sum(place) // 2) % size_of(e.values, self.sizes))  # some repeat, some are left out
        if e.name not in self.definitions:
            return scalar(e, place)
        if (e.name, place) not in self.known:
            definition = self.definitions[e.name]
            at = dict(zip(definition.indices, place, strict=True))
            self.known[e.name, place] = self.value(definition.value, at)
        return self.known[e.name, place]

    def value(self, e: Expr, at: Mapping[Index, int]) -> Expr:
        """The scalar expression that an index expression is, where its free indices have the values ``at``."""
        if isinstance(e, Entry):
            return self.entry(e, tuple(at[i] for i in e.indices))
        if isinstance(e, Delta):
            return Integer(int(self.value(cast(Expr, e.args[0]), at) == self.value(cast(Expr, e.args[1]), at)))
        if isinstance(e, Binder):
            if not isinstance(e, Sum):
                raise NotWrittenOut(f"entry by entry: {e} is not a sum, and sympy.diff knows no largest entry.")
            inner = (
                self.value(e.body, {**at, **dict(zip(e.bound, p, strict=True))}) for p in places(e.bound, self.sizes)
            )
            return Add(*inner)
        if isinstance(e, Selected):
            raise NotWrittenOut(f"entry by entry: {e} has no value without numbers.")
        if isinstance(e, Index):
            return Integer(at[e])
        if isinstance(e, Symbol):
            return Integer(self.sizes[e])
        if not e.args:
            return e
        return cast(Expr, e.func(*[self.value(cast(Expr, a), at) for a in e.args]))


def is_zero(expression: Expr) -> bool:
    """Exact zero test for rational functions of entries, roots and exponentials; False means "not shown"."""
    if expression == 0:
        return True
    split = sympy.expand(
        expression, power_base=False, mul=False, multinomial=False, log=False, basic=False, power_exp=True
    )
    numerator, _ = cast(Expr, sympy.together(split)).as_numer_denom()  # never cancel(): it does not come back
    left = sympy.expand(numerator)
    return left == 0 or sympy.powsimp(left) == 0  # x * x**(n - 1) against x**n


def first_difference(
    function: Expr, by: Entry, claimed: Expr, sizes: Sizes, definitions: Sequence[Definition] = ()
) -> tuple[dict[str, int], Expr] | None:
    """Where ``sympy.diff`` of a function disagrees with a claimed derivative, if anywhere.

    Arguments:
        function: an index expression; its free indices are all tried.
        by: the entry to differentiate by; its indices may occur in ``claimed``.
        claimed: the derivative to be checked.
        definitions: what defined names mean; a name that is differentiated by must not be among them.

    Returns:
        The values of the indices and the difference there, or None if all entries agree.
    """
    world = Expansion(sizes, definitions)
    outer = sorted((i for i in function.atoms(Index) if i not in by.indices and not i.bound), key=str)
    for outside in places(outer, sizes):
        at = dict(zip(outer, outside, strict=True))
        written_out = world.value(function, at)
        for place in places(by.indices, sizes):
            here = {**at, **dict(zip(by.indices, place, strict=True))}
            difference = sympy.diff(written_out, scalar(by, place)) - world.value(claimed, here)
            if not is_zero(difference):
                return {i.name: v for i, v in here.items()}, difference
    return None
