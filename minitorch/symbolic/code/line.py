"""What does one line of generated code compute?  A definition, the equation shown above it, and remarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from sympy import Add, Expr, Mul, Rational

from minitorch.symbolic.binders import is_leaf, rebuild
from minitorch.symbolic.calculus import contract, hoist
from minitorch.symbolic.expression import names
from minitorch.symbolic.program import Definition, Program

_LARGE = 1000  # divisors up to this one may stand for themselves


@dataclass(frozen=True)
class Line:
    """A definition on its way to code.

    Attributes:
        definition: what is computed.
        shown: the equation that the comment shows: the formula's own, unless the rewriting changed its meaning.
        remarks: sentences for the comment, such as what was proved.
        helper: whether a rewriting has made it; then it may disappear into its only reader.
    """

    definition: Definition
    shown: Definition
    remarks: tuple[str, ...] = ()
    helper: bool = False

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def value(self) -> Expr:
        return self.definition.value

    def with_value(self, value: Expr, remarks: Iterable[str] = ()) -> Line:
        """The same line, computed by another expression for the same value."""
        return replace(self, definition=Definition(self.definition.target, value), remarks=(*self.remarks, *remarks))


def lines_of(program: Program, outputs: Sequence[str], given: Iterable[str] = ()) -> list[Line]:
    """The definitions that the outputs need, as they are written, with constant factors before the sums.

    Arguments:
        given: defined names that are not to be computed.
    """
    wanted, given, kept = set(outputs), set(given), []
    for definition in reversed(program.definitions):
        if definition.name in wanted and definition.name not in given:
            wanted |= names(definition.value)
            ready = Definition(definition.target, _plain_numbers(hoist(contract(definition.value))))
            kept.append(Line(ready, definition))
    return kept[::-1]


def _plain_numbers(e: Expr) -> Expr:
    """1/2 + x/3 for (3 + 2 x)/6 where the common divisor is a large one that nobody would write."""
    if isinstance(e, Mul):
        number, factors = e.as_coeff_mul()
        total = next((f for f in factors if isinstance(f, Add)), None)
        if total is not None and number.is_Rational and cast(Rational, number).q > _LARGE:
            rest = [f for f in factors if f is not total]
            e = Mul(*rest, Add(*(number * term for term in total.args)))
    return e if is_leaf(e) else rebuild(e, _plain_numbers)
