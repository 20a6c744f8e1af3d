r"""What is the value of a formula at a random point of a finite field?

Exact modulo $p = 2^{61}-1$.  Functions are random oracles of their argument's value; $\exp$ and $\log$ keep their laws
($e^{a+b} = e^a e^b$, $e^{\log a} = a$); $\sigma$ and $\tanh$ are computed from $\exp$.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

from sympy import Abs, Add, Expr, Function, Mul, Pow, Rational, S, Symbol, cos, erf, exp, expand, log, sign, sin, tanh

from minitorch.symbolic.expression import (
    Binder,
    Delta,
    Entry,
    Index,
    MaxOver,
    Sum,
    free,
    remember,
    size_of,
)
from minitorch.symbolic.functions import sigmoid
from minitorch.symbolic.program import Definition
from minitorch.symbolic.selection import Selected

PRIME = 2**61 - 1  # is 3 modulo 4: a square root is one power
_ROOTS = math.lcm(2, 3, 4, 5, 6, 7, 8, 9)  # exp(m/q) is exact for every q that divides this
_ODD, _EVEN = (erf, sin, sign), (cos, Abs)


class Unlucky(Exception):
    """The point has a pole or a number without a square root."""


class Unsupported(Exception):
    """The expression has no meaning in a finite field."""


@remember
def _sorted_free(e: Expr) -> tuple[Index, ...]:
    return tuple(sorted(free(e), key=str))


@remember
def _expanded(argument: Expr) -> tuple[tuple[Fraction, Expr], ...]:
    """The terms of a sum, each as a rational number times the rest."""
    terms = (cast(Any, term).as_coeff_Mul(rational=True) for term in Add.make_args(expand(argument)))
    return tuple((Fraction(int(c.p), int(c.q)), rest) for c, rest in terms)


class FieldPoint:
    """Random values for every entry, scalar and function, at given sizes."""

    def __init__(self, sizes: dict[Symbol, int], definitions: Sequence[Definition], seed: int):
        self.sizes, self.definitions = sizes, {d.name: d for d in definitions}
        self.random = random.Random(seed)
        self.drawn: dict[Any, int] = {}
        self.known: dict[Any, int] = {}

    def draw(self, *key: Any) -> int:
        """A random number that is the same whenever the key is."""
        if key not in self.drawn:
            self.drawn[key] = self.random.randrange(1, PRIME)
        return self.drawn[key]

    def value(self, e: Expr, at: Mapping[Index, int]) -> int:
        """The value of an expression where its free indices have the values ``at``."""
        here = (e, *(at[i] for i in _sorted_free(e)))
        if here not in self.known:
            self.known[here] = self.compute(e, at)
        return self.known[here]

    def compute(self, e: Expr, at: Mapping[Index, int]) -> int:
        if isinstance(e, Entry):
            return self.entry(e, tuple(at[i] for i in e.indices))
        if isinstance(e, Delta):
            a, b = (self.value(cast(Expr, place), at) for place in e.args)
            return int(a == b)
        if isinstance(e, Selected):
            return self.selected(e, at)
        if isinstance(e, Index):
            return at[e]
        if isinstance(e, Binder):
            return self.total(e, at)
        if isinstance(e, Symbol):
            return self.sizes[e]
        if e.is_Rational:
            return cast(Any, e).p * self.power(cast(Any, e).q, -1) % PRIME
        if isinstance(e, Add):
            return sum(self.value(cast(Expr, term), at) for term in e.args) % PRIME
        if isinstance(e, Mul):
            return self.product(self.value(cast(Expr, factor), at) for factor in e.args)
        if isinstance(e, exp):
            return self.exponential(cast(Expr, e.args[0]), at)
        if isinstance(e, sigmoid):
            return self.power(1 + self.exponential(-cast(Expr, e.args[0]), at), -1)
        if isinstance(e, tanh):
            return (1 - 2 * self.power(1 + self.exponential(2 * cast(Expr, e.args[0]), at), -1)) % PRIME
        if isinstance(e, log):
            return self.logarithm(cast(Expr, e.args[0]), at)
        if isinstance(e, Pow):
            return self.general_power(e, at)
        if isinstance(e, Function):
            return self.oracle(e, [self.value(cast(Expr, a), at) for a in e.args])
        if not e.args:
            return self.draw("constant", str(e))
        raise Unsupported(str(e))

    def entry(self, e: Entry, places: tuple[int, ...]) -> int:
        if e.name in self.definitions:
            definition = self.definitions[e.name]
            return self.value(definition.value, dict(zip(definition.indices, places, strict=True)))
        drawn = self.draw("entry", e.name, places)
        if e.values is not None:
            return drawn % size_of(e.values, self.sizes)
        return drawn * drawn % PRIME if e.is_positive else drawn  # positive: what has a square root

    def total(self, e: Binder, at: Mapping[Index, int]) -> int:
        ranges = [range(size_of(i.dimension, self.sizes)) for i in e.bound]
        places = itertools.product(*ranges)
        values = (self.value(e.body, {**at, **dict(zip(e.bound, place, strict=True))}) for place in places)
        if isinstance(e, Sum):
            return sum(values) % PRIME
        if isinstance(e, MaxOver):
            return max(values)  # by residue: some choice among the values, which is all that is known of a maximum
        raise Unsupported(str(e))

    def selected(self, e: Selected, at: Mapping[Index, int]) -> int:
        """1 where the chosen value stands; at a tie another point is drawn."""
        (index,) = e.largest.bound
        places = range(size_of(index.dimension, self.sizes))
        values = [self.value(e.largest.body, {**at, index: place}) for place in places]
        if values.count(max(values)) > 1:
            raise Unlucky
        return int(values[at[e.index]] == max(values))

    @staticmethod
    def product(factors: Any) -> int:
        result = 1
        for factor in factors:
            result = result * factor % PRIME
        return result

    def general_power(self, e: Pow, at: Mapping[Index, int]) -> int:
        base = self.value(e.base, at)
        fixed, rest = e.exp.as_coeff_Add()
        if not fixed.is_Rational:
            raise Unsupported(str(e))
        result = self.power(base, fixed)
        if rest != 0:
            result = result * self.draw("power", base, self.value(rest, at)) % PRIME
        return result

    @staticmethod
    def power(base: int, exponent: Any) -> int:
        exponent = S(exponent)
        if base == 0 and exponent.is_negative:
            raise Unlucky
        if exponent.q == 1:
            return pow(base, int(exponent), PRIME)
        if exponent.q != 2:
            raise Unsupported(f"a root of order {exponent.q}")
        if pow(base, (PRIME - 1) // 2, PRIME) != 1:
            raise Unlucky
        return pow(pow(base, (PRIME + 1) // 4, PRIME), exponent.p, PRIME)

    def exponential(self, argument: Expr, at: Mapping[Index, int]) -> int:
        """exp of a formal combination of values: each value m has a random exp(m / _ROOTS)."""
        terms: dict[Any, Fraction] = {}
        self.add_terms(argument, at, Fraction(1), terms)
        return self.product(self.exponential_of_term(*term) for term in terms.items())

    def exponential_of_term(self, value: tuple[str, int], coefficient: Fraction) -> int:
        kind, number = value
        if kind == "log":
            return self.power(number, Rational(coefficient.numerator, coefficient.denominator))
        times, root = coefficient * _ROOTS, 1
        if times.denominator != 1:  # another denominator has a random number of its own
            times, root = Fraction(coefficient.numerator), coefficient.denominator
        return pow(self.draw("exp", number, root), times.numerator, PRIME)

    def add_terms(self, argument: Expr, at: Mapping[Index, int], times: Fraction, terms: dict[Any, Fraction]) -> None:
        """Add the argument of exp to a combination of values, with definitions and sums of terms resolved."""
        for coefficient, monomial in _expanded(argument):
            if isinstance(monomial, Entry) and monomial.name in self.definitions:
                definition = self.definitions[monomial.name]
                places = self.places(definition, monomial, at)
                self.add_terms(definition.value, places, times * coefficient, terms)
                continue
            kind, of = ("log", cast(Expr, monomial.args[0])) if isinstance(monomial, log) else ("value", monomial)
            value = kind, self.value(of, at)
            terms[value] = terms.get(value, Fraction(0)) + times * coefficient

    @staticmethod
    def places(definition: Definition, e: Entry, at: Mapping[Index, int]) -> dict[Index, int]:
        """The values of a definition's own indices where one of its entries is read."""
        return dict(zip(definition.indices, (at[i] for i in e.indices), strict=True))

    def logarithm(self, e: Expr, at: Mapping[Index, int]) -> int:
        """The logarithm of a product is the sum of those of its positive factors; each other value has a random one."""
        if not e.is_positive:
            return self.draw("log", self.value(e, at))
        if isinstance(e, Entry) and e.name in self.definitions:
            definition = self.definitions[e.name]
            return self.logarithm(definition.value, self.places(definition, e, at))
        if isinstance(e, exp):
            return self.value(cast(Expr, e.args[0]), at)
        if isinstance(e, sigmoid):
            return -self.logarithm(1 + exp(-cast(Expr, e.args[0])), at) % PRIME
        if isinstance(e, Pow):
            return self.value(e.exp, at) * self.logarithm(e.base, at) % PRIME
        if isinstance(e, Mul):
            return sum(self.logarithm(cast(Expr, factor), at) for factor in e.args) % PRIME
        if isinstance(e, Sum) and e.body.is_positive:
            places = itertools.product(*(range(size_of(i.dimension, self.sizes)) for i in e.bound))
            return self.logarithm_of_sum([(e.body, {**at, **dict(zip(e.bound, p, strict=True))}) for p in places])
        if isinstance(e, Add) and all(term.is_positive for term in e.args):
            return self.logarithm_of_sum([(cast(Expr, term), at) for term in e.args])
        if isinstance(e, Rational) and e.q != 1:
            return (self.draw("log", e.p) - self.draw("log", e.q)) % PRIME
        return self.draw("log", self.value(e, at))

    def logarithm_of_sum(self, terms: list[tuple[Expr, Mapping[Index, int]]]) -> int:
        r"""Of $s = \sum_j t_j$ the mean over j of $\log t_j + \log(s / t_j)$: a common factor comes out of the sum."""
        values = [self.value(*term) for term in terms]
        inverse = [self.power(value, -1) for value in values]
        total = sum(values) % PRIME
        logs = sum(
            self.logarithm(*t) + self.draw("log", total * v % PRIME) for t, v in zip(terms, inverse, strict=True)
        )
        return logs * self.power(len(terms), -1) % PRIME

    def oracle(self, e: Function, values: list[int]) -> int:
        """A random function of the argument's value, odd or even where the real one is."""
        kind = type(e)
        negative = kind in (*_ODD, *_EVEN) and values[0] > PRIME // 2
        drawn = self.draw(kind.__name__, *([PRIME - values[0]] if negative else values))
        if kind in _ODD and values[0] == 0:
            return 0
        return -drawn % PRIME if negative and kind in _ODD else drawn
