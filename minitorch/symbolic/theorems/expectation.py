r"""What is the average of a formula over random arrays?

Standard entries have mean 0 and variance 1; different entries, and different arrays, are independent:

$$ \mathbb{E}[q_i] = 0, \qquad \mathbb{E}[q_i q_j] = \delta_{ij}, \qquad
   \mathbb{E}[q_i q_j q_k] = \gamma\,\delta_{ij}\delta_{jk}, $$
$$ \mathbb{E}[q_i q_j q_k q_l] = \delta_{ij}\delta_{kl} + \delta_{ik}\delta_{jl} + \delta_{il}\delta_{jk}
   + \kappa\,\delta_{ij}\delta_{jk}\delta_{kl} $$

with the skewness $\gamma$ and the excess kurtosis $\kappa$ of the law, which need not be normal.  An average is linear,
and that of a product of independent factors is the product of their averages: this is all that is used.

Source: McCullagh, *Tensor Methods in Statistics* (1987), section 2.2.  :func:`mean_by_entries` is a second way, which
shares no code with it: every entry a scalar, every moment a number or a symbol.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Sequence
from typing import cast

import sympy
from sympy import Add, Expr, Function, Mul, Poly, S, Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import close, opened
from minitorch.symbolic.calculus import hoist
from minitorch.symbolic.entrywise import Expansion, Sizes, scalar
from minitorch.symbolic.expression import Array, Delta, Entry, Index, Sum, free, names
from minitorch.symbolic.normal import normal_form, sum_normal

Moment = Callable[[str, Sequence[Entry]], Expr]
SumOver = Callable[[Expr, frozenset[Index]], Expr]

METHOD = "moments written as deltas, normal form"
ENTRIES_METHOD = "every entry a scalar with the law's moments, at {sizes}"


class Mean(Function):
    """The average of an expression, written down but not worked out."""

    nargs = 1
    is_real = True


class Variance(Function):
    """The variance of an expression, written down but not worked out."""

    nargs = 1
    is_real = True
    is_nonnegative = True


def mean(expression: Expr, random: Collection[str]) -> Expr:
    """The average of an expression over the arrays named in ``random``, whose entries are independent and standard.

    Raises:
        FormulaError: the expression is no polynomial of degree 4 or less in the entries of each random array.

    Example:
        >>> from minitorch.symbolic import parse
        >>> p = parse("q[d], k[d]: s = sum_e q[e] k[e]; f = sum_e q[e]**2")
        >>> print(mean(p.definitions[0].value**2, {"q", "k"}), mean(p.definitions[1].value, {"q"}))
        d d
    """
    random = frozenset(random)
    return normal_form(
        Add(*(_of_monomial(m, random, _moment, sum_normal) for m in Add.make_args(normal_form(expression))))
    )


def variance(expression: Expr, random: Collection[str]) -> Expr:
    r"""$\mathbb{E}[f^2] - \mathbb{E}[f]^2$; errors as for :func:`mean`."""
    return normal_form(mean(expression**2, random) - mean(expression, random) ** 2)


def factored(expression: Expr, random: Collection[str]) -> Expr:
    """The average of a polynomial with the averages of independent arrays apart, each only written down; for printing.

    Errors as for :func:`mean`.
    """
    random = frozenset(random)
    return Add(*(_of_monomial(m, random, _written, _sum) for m in Add.make_args(normal_form(expression))))


def skewness(name: str) -> Expr:
    """The third moment of an array's entries."""
    return Array(f"gamma_{name}")[()]


def excess_kurtosis(name: str) -> Expr:
    """How much the fourth moment of an array's entries exceeds 3, that of the normal law."""
    return Array(f"kappa_{name}")[()]


def _of_monomial(monomial: Expr, random: frozenset[str], moment: Moment, sum_over: SumOver) -> Expr:
    fixed, entries, bound = _factors(monomial, random)
    by_name: dict[str, list[Entry]] = {}
    for entry in entries:
        by_name.setdefault(entry.name, []).append(entry)
    moments = Mul(*(moment(name, group) for name, group in by_name.items()))
    return sum_over(Mul(*fixed) * moments, frozenset(bound))


def _factors(monomial: Expr, random: frozenset[str]) -> tuple[list[Expr], list[Entry], list[Index]]:
    """What is not random, the random entries with repetition, and the indices that all of it is summed over."""
    fixed: list[Expr] = []
    entries: list[Entry] = []
    bound: list[Index] = []
    todo = list(Mul.make_args(monomial))
    while todo:
        factor = todo.pop()
        base, power = factor.as_base_exp()
        if not names(factor) & random:
            fixed.append(factor)
        elif not (power.is_Integer and power.is_positive and isinstance(base, Entry | Sum)):
            raise FormulaError(f"mean: {factor} is no polynomial in random entries. Average a polynomial.")
        elif isinstance(base, Entry):
            entries += [base] * int(power)
        else:
            for _ in range(int(power)):
                body, new = opened(base)
                bound += new
                todo += Mul.make_args(body)
    return fixed, entries, bound


def _moment(name: str, entries: Sequence[Entry]) -> Expr:
    if len(entries) > 4:
        raise FormulaError(f"mean: a product of {len(entries)} entries of {name}; moments are known up to the fourth.")
    if len(entries) == 4:
        a, b, c, d = entries
        pairs = _meet(a, b) * _meet(c, d) + _meet(a, c) * _meet(b, d) + _meet(a, d) * _meet(b, c)
        return pairs + excess_kurtosis(name) * _meet(*entries)
    return (S.One, S.Zero, _meet(*entries), skewness(name) * _meet(*entries))[len(entries)]


def _written(name: str, entries: Sequence[Entry]) -> Expr:
    return cast(Expr, Mean(Mul(*entries)))


def _sum(body: Expr, bound: frozenset[Index]) -> Expr:
    return hoist(close(Sum, body, bound))


def _meet(*entries: Entry) -> Expr:
    """1 where all entries are the same one, else 0."""
    pairs = (zip(a.indices, b.indices, strict=True) for a, b in itertools.pairwise(entries))
    return Mul(*(Delta(i, j) for i, j in itertools.chain.from_iterable(pairs)))


def mean_by_entries(expression: Expr, random: Collection[str], sizes: Sizes) -> Expr:
    """The average of an expression at concrete sizes, from the moments of one entry; free indices are 0.

    Raises:
        FormulaError: an entry occurs to a higher power than the fourth.
    """
    at = dict.fromkeys(free(expression), 0)
    sizes = {cast(Symbol, i.dimension): 1 for i in at} | sizes
    entries = {e.name: e for e in expression.atoms(Entry) if e.name in random}
    law = {
        scalar(entry, place): name
        for name, entry in sorted(entries.items())
        for place in itertools.product(*(range(sizes[cast(Symbol, size)]) for size in entry.dimensions))
    }
    polynomial = Poly(sympy.expand(Expansion(sizes).value(expression, at)), *law)
    return Add(
        *(
            coefficient * math.prod(_power_moment(law[s], p) for s, p in zip(law, powers, strict=True))
            for powers, coefficient in polynomial.terms()
        )
    )


def _power_moment(name: str, power: int) -> Expr:
    if power > 4:
        raise FormulaError(f"mean: an entry of {name} to the power {power}; moments are known up to the fourth.")
    third, excess = (scalar(cast(Entry, symbol(name)), ()) for symbol in (skewness, excess_kurtosis))
    return (S.One, S.Zero, S.One, third, 3 + excess)[power]
