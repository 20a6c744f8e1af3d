r"""In which order is an expression written, and where does it need brackets?

The structure that LaTeX and plain text share: signs, fractions, the order of factors (sums last) and brackets.  The two
styles in :mod:`minitorch.symbolic.styles` say how each construct looks.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, cast

from sympy import Add, Expr, Mul, Pow, Rational, S, Symbol, exp, preorder_traversal

from minitorch.symbolic.expression import Binder, Delta, Entry, Index, Partial, free
from minitorch.symbolic.places import Placed, solved
from minitorch.symbolic.selection import Selected

ADD, MUL, POWER, ATOM = range(4)


class Writer(ABC):
    """Writes an expression whose bound indices have letters."""

    times: str
    line_brackets: bool  # whether the line of a fraction holds a sum together by itself

    def __init__(self, gradients: Collection[str] = (), seed: str = ""):
        self.gradients = gradients  # the names of arrays that are gradients
        self.arriving = {*gradients, seed}

    @abstractmethod
    def entry(self, e: Entry) -> str: ...
    @abstractmethod
    def delta(self, a: str, b: str) -> str: ...
    @abstractmethod
    def selected(self, index: str, largest: str) -> str: ...
    @abstractmethod
    def partial(self, of: str, by: str) -> str: ...
    @abstractmethod
    def binder(self, kind: str, indices: Sequence[str], body: str) -> str: ...
    @abstractmethod
    def symbol(self, name: str) -> str: ...
    @abstractmethod
    def constant(self, e: Expr) -> str: ...
    @abstractmethod
    def call(self, name: str, arguments: Sequence[str]) -> str: ...
    @abstractmethod
    def exponential(self, argument: str) -> str: ...
    @abstractmethod
    def root(self, inside: str) -> str: ...
    @abstractmethod
    def power(self, base: str, exponent: str) -> str: ...
    @abstractmethod
    def brackets(self, inside: str) -> str: ...
    @abstractmethod
    def fraction(self, above: list[str], below: list[str], last: list[str]) -> str: ...

    def write(self, e: Expr) -> str:
        """The expression as text."""
        if isinstance(e, Add):
            return self.total(e)
        if isinstance(e, Mul) or (isinstance(e, Rational) and not e.is_Integer):
            return self.product(e)
        if isinstance(e, Pow):
            return self.any_power(e)
        if isinstance(e, Entry):
            return self.entry(e)
        if isinstance(e, Delta):
            return self.delta(*self.places(e))
        if isinstance(e, Selected):
            return self.selected(e.index.name, self.within(e.largest, MUL))
        if isinstance(e, Placed):
            return self.within(e.place, ATOM)
        if isinstance(e, Partial):
            return self.partial(self.entry(e.of), self.entry(e.by))
        if isinstance(e, Binder):
            kind = type(e).__name__
            return self.binder(kind, [i.name for i in _in_order(e)], self.within(e.body, MUL))
        return self.leaf(e)

    def places(self, e: Delta) -> tuple[str, str]:
        """The two places that a delta compares: an index, and what it equals."""
        if isinstance(e.args[1], Index):
            return self.write(cast(Expr, e.args[0])), self.write(e.args[1])
        for index in sorted(free(e), key=lambda i: i.name):
            place = solved(e, index)
            if place is not None:
                return self.write(index), self.write(place)
        return self.write(cast(Expr, e.args[0])), "0"

    def axes(self, e: Entry) -> list[str]:
        """What is written for every axis of an entry."""
        return [self.write(i.place) if isinstance(i, Placed) else self.symbol(i.name) for i in e.indices]

    def leaf(self, e: Expr) -> str:
        if isinstance(e, Symbol):
            return self.symbol(e.name)
        if isinstance(e, exp):
            return self.exponential(self.write(cast(Expr, e.args[0])))
        if e.args:
            return self.call(type(e).__name__, [self.write(cast(Expr, a)) for a in e.args])
        return self.constant(e)

    def within(self, e: Expr, level: int) -> str:
        """An expression as part of another one, in brackets if it binds less tightly."""
        written = self.write(e)
        return self.brackets(written) if level_of(e) < level else written

    def total(self, e: Add) -> str:
        place = any(isinstance(t.as_coeff_Mul()[1], Index) for t in e.args)  # 2*j + 1, but 1 - h**2
        terms = sorted(
            cast("tuple[Expr, ...]", e.args), key=lambda t: (_negative(t), place and t.is_number, self.order(t))
        )
        written = self.write(terms[0])
        for term in terms[1:]:
            minus = _negative(term)
            written += (" - " if minus else " + ") + self.within(-term if minus else term, MUL)
        return written

    def product(self, e: Expr) -> str:
        coefficient, factors = e.as_coeff_mul()
        if coefficient.is_negative:
            turned = next((f for f in factors if isinstance(f, Add) and any(map(_negative, f.args))), None)
            if turned is None:
                return "-" + self.within(-e, MUL)
            coefficient, factors = -coefficient, [-f if f is turned else f for f in factors]  # 1 - h, not -(h - 1)
        return self.ratio(sorted([*Mul.make_args(coefficient), *factors], key=self.order))

    def ratio(self, factors: list[Expr]) -> str:
        """A product, divided into what stands above and below the line, and what stands behind it: deltas, and sums."""
        above, below, behind, last = [], [], [], []
        for factor in factors:
            base, power = factor.as_base_exp()
            if isinstance(factor, Rational):
                above += [S(factor.p)] if factor.p != 1 else []
                below += [S(factor.q)] if factor.q != 1 else []
            elif power.is_Rational and power.is_negative and not isinstance(factor, exp):
                below.append(Pow(base, -power))
            elif isinstance(factor, Delta | Partial):
                behind.append(factor)
            else:
                (last if isinstance(factor, Binder | Add) else above).append(factor)
        if below and not any(f.has(Binder) for f in last):
            above, last = above + last, []  # a bracket goes above the line, a sum stays behind it
        last = behind + last
        return self.fraction(self.side(above), self.side(below), [self.factor(f, final=f is last[-1]) for f in last])

    def order(self, e: Expr) -> tuple[Any, ...]:
        """Numbers, dimensions, gradients, entries as in a product of matrices, partial derivatives, brackets, sums."""
        kinds = (e.is_number, not free(e), isinstance(e, Entry | Partial | Pow | Delta))
        rank = next((k for k, holds in enumerate(kinds) if holds), len(kinds))
        rank += 2 * isinstance(e, Add) + 3 * isinstance(e, Binder)
        base = e.as_base_exp()[0]
        entry = base if isinstance(base, Entry) else None
        arriving = entry is not None and entry.name in self.arriving
        letters = tuple(i.name for i in entry.indices) if entry is not None else ()
        return rank, len(e.atoms(Binder)), isinstance(e, Partial | Delta), not arriving, -len(letters), letters, str(e)

    def side(self, factors: list[Expr]) -> list[str]:
        """What stands above or below a line; one factor alone needs no brackets there if the line is drawn."""
        alone = len(factors) == 1 and self.line_brackets
        return [self.write(f) if alone else self.factor(f) for f in factors]

    def factor(self, e: Expr, final: bool = False) -> str:
        """One factor: a sum needs brackets unless nothing follows it."""
        written = self.within(e, MUL)
        return self.brackets(written) if isinstance(e, Binder) and not final else written

    def any_power(self, e: Pow) -> str:
        if e.exp.is_Rational and e.exp.is_negative:
            return self.ratio([e])
        if e.exp == S.Half:
            return self.root(self.write(e.base))
        return self.power(self.within(e.base, ATOM), self.write(e.exp))


def level_of(e: Expr) -> int:
    """How tightly an expression holds together."""
    if isinstance(e, Add) or _negative(e):
        return ADD
    if isinstance(e, Mul | Binder) or (isinstance(e, Rational) and not e.is_Integer):
        return MUL
    if isinstance(e, Pow):
        return MUL if e.exp.is_negative else (ATOM if e.exp == S.Half else POWER)
    return POWER if isinstance(e, exp) else ATOM


def _negative(e: Any) -> bool:
    return bool(e.as_coeff_Mul()[0].is_negative)


def _in_order(binder: Binder) -> list[Index]:
    """The bound indices as they come in the entries: of G[p,c] first p, then c."""
    parts = cast("list[Expr]", [*preorder_traversal(binder.body)])
    entries = {part.of if isinstance(part, Partial) else part for part in parts if isinstance(part, Entry | Partial)}
    inside = [[i for axis in entry.indices for i in _letters(axis) if i in binder.bound] for entry in entries]
    inside.sort(key=lambda letters: (-len(letters), [i.name for i in letters]))
    return [*dict.fromkeys(i for letters in (*inside, binder.bound) for i in letters)]


def _letters(axis: Index) -> list[Index]:
    """The index letters that are written on an axis."""
    return sorted(free(axis.place), key=str) if isinstance(axis, Placed) else [axis]
