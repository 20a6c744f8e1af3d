r"""When are two index expressions equal for all sizes?

When their difference has the normal form 0: a sum of monomials in which products are distributed, nested sums are
flattened and split into independent ones, deltas are contracted and exponentials of sums are products,

$$ \sum_{jk} \delta_{ij}\,(a_j + b_j)\,c_k = a_i \sum_k c_k + b_i \sum_k c_k . $$

It decides equality and nothing else: computing *with* a normal form loses accuracy (it expands a variance).

Source: Kronecker-delta contraction and dummy-index canonicalisation as in xAct/Cadabra (Peeters, CPC 176, 2007).
"""

from __future__ import annotations

from typing import cast

from sympy import Add, Expr, Mul, Pow, Rational, S, exp, log, tanh, together

from minitorch.symbolic.binders import close, is_leaf, opened, opened_once, rebuild, swap
from minitorch.symbolic.expression import Delta, Entry, Index, Sum, free, remember
from minitorch.symbolic.functions import sigmoid
from minitorch.symbolic.selection import Selected

METHOD = "normal form"


def equal_by_normal_form(a: Expr, b: Expr) -> bool:
    """Whether the normal form shows that two expressions are equal for all sizes.

    False means "not shown", not "different".

    Example:
        >>> from minitorch.symbolic.parse import parse
        >>> p = parse("x[n], y[n]: u = sum_i x[i] (y[i] + 1); v = sum_k x[k] + sum_i y[i] x[i]")
        >>> equal_by_normal_form(p.definitions[0].value, p.definitions[1].value)
        True
    """
    difference = a - b
    return _is_zero(difference) or (difference.has(sigmoid, tanh) and _is_zero(by_exponentials(difference)))


def _is_zero(difference: Expr) -> bool:
    difference = normal_form(difference)
    if difference == 0:
        return True
    numerator, _ = over_one_line(difference)
    return normal_form(numerator) == 0


def by_exponentials(expression: Expr) -> Expr:
    r"""``expression`` with $\sigma(x) = 1 / (1 + e^{-x})$ and $\tanh x = 2 \sigma(2x) - 1$ written out."""
    inside = rebuild(expression, by_exponentials)
    if not isinstance(inside, sigmoid | tanh):
        return inside
    argument = cast(Expr, inside.args[0])
    return 1 / (1 + exp(-argument)) if isinstance(inside, sigmoid) else 2 / (1 + exp(-2 * argument)) - 1


@remember
def normal_form(expression: Expr) -> Expr:
    """The normal form of an index expression."""
    if is_leaf(expression):
        return expression
    if isinstance(expression, Sum):
        body, bound = opened_once(expression)
        return sum_normal(body, frozenset(bound))
    if isinstance(expression, Add):
        return Add(*map(normal_form, expression.args))
    if isinstance(expression, Mul):
        return _product([normal_form(cast(Expr, factor)) for factor in expression.args])
    if isinstance(expression, exp):
        return _exponential(normal_form(expression.args[0]))
    if isinstance(expression, log):
        return _logarithm(normal_form(cast(Expr, expression.args[0])))
    if isinstance(expression, Pow):
        return _power(normal_form(expression.base), normal_form(expression.exp))
    return rebuild(expression, normal_form)


def over_one_line(expression: Expr) -> tuple[Expr, Expr]:
    """Numerator and denominator over a common denominator; without cancel(), which does not come back."""
    return cast(Expr, together(expression)).as_numer_denom()


def sum_normal(body: Expr, bound: frozenset[Index]) -> Expr:
    """The normal form of the sum of ``body`` over ``bound`` (indices that are free in it)."""
    return Add(*(_sum_of_monomial(monomial, bound) for monomial in Add.make_args(normal_form(body))))


def _product(factors: list[Expr]) -> Expr:
    """Distribute a product of normal forms."""
    monomials = [S.One]
    for factor in factors:
        monomials = [m * term for m in monomials for term in Add.make_args(factor)]
    return Add(*map(_monomial, monomials))


def _exponential(argument: Expr) -> Expr:
    """$e^{a+b} = e^a e^b$."""
    return Mul(*map(exp, Add.make_args(argument)))


def _monomial(product: Expr) -> Expr:
    """Normal form of a product of factors in normal form: SymPy may have merged powers, and deltas rename."""
    if any(_distributes(factor) for factor in Mul.make_args(product)):
        return product if isinstance(product, Add) else normal_form(product)
    return _rename_by_free_deltas(product)


def _distributes(factor: Expr) -> bool:
    base, power = factor.as_base_exp()
    return isinstance(base, Add) and bool(power.is_Integer and power.is_positive)


def _rename_by_free_deltas(product: Expr) -> Expr:
    r"""$\delta_{ij} f_j = \delta_{ij} f_i$."""
    for factor in Mul.make_args(product):
        if isinstance(factor, Delta) and isinstance(factor.args[1], Index):
            rest = swap(product, {factor: S.One})
            renamed = swap(rest, {factor.args[1]: factor.args[0]})
            if renamed != rest:
                return _product([factor, normal_form(renamed)])
    return product


def _power(base: Expr, exponent: Expr) -> Expr:
    if isinstance(exponent, Add):  # x**(k + 1) = x**k x
        return _product([_power(base, cast(Expr, term)) for term in exponent.args])
    if exponent.is_Integer and exponent.is_positive:
        return _product([base] * int(exponent)) if isinstance(base, Add) else _product([Pow(base, exponent)])
    if isinstance(base, Add):
        numerator, denominator = over_one_line(base)
        numerator = normal_form(numerator)
        if exponent.is_Integer or denominator.is_positive:
            return Pow(numerator, exponent) * Pow(denominator, -exponent)
        return Pow(base, exponent)
    # A fractional power goes into a product only past factors that are not negative.
    factors = Mul.make_args(base)
    apart = [f for f in factors if exponent.is_Integer or f.is_nonnegative]
    joined = [f for f in factors if f not in apart]
    return _monomial(Mul(*(Pow(f, exponent) for f in apart), Pow(Mul(*joined), exponent)))


def _logarithm(argument: Expr) -> Expr:
    r"""$\log a\,b^c = \log a + c \log b$ for positive factors."""
    if isinstance(argument, Add):
        numerator, denominator = over_one_line(argument)
        if denominator != 1 and denominator.is_positive:
            return _logarithm(normal_form(numerator)) - _logarithm(denominator)
    terms, rest = [], S.One
    for factor in Mul.make_args(argument):
        if factor.is_positive and not factor.is_Rational:
            base, power = factor.as_base_exp()
            terms += [_product([normal_form(power), log(base)])]
        else:
            rest *= factor
    whole, part = (rest.p, rest.q) if isinstance(rest, Rational) else (rest, 1)
    return Add(*terms, log(whole), -log(part))


def _sum_of_monomial(monomial: Expr, bound: frozenset[Index]) -> Expr:
    factors, bound = _flatten(monomial, bound)
    for factor in factors:
        if isinstance(factor, Delta) and (met := factor.renaming(bound)):
            return _contract_delta(factor, *met, factors, bound)
    return _split_components(factors, bound)


def _flatten(monomial: Expr, bound: frozenset[Index]) -> tuple[list[Expr], frozenset[Index]]:
    """Pull nested sums that depend on the bound indices into one."""
    factors, todo = [], list(Mul.make_args(monomial))
    while todo:
        factor = todo.pop()
        base, power = factor.as_base_exp()
        if isinstance(base, Sum) and power.is_Integer and power.is_positive and free(base) & bound:
            for _ in range(int(power)):
                body, new = opened(base)
                bound |= frozenset(new)
                todo.extend(Mul.make_args(body))
        else:
            factors.append(factor)
    return factors, bound


def _contract_delta(delta: Delta, index: Index, other: Index, factors: list[Expr], bound: frozenset[Index]) -> Expr:
    r"""$\sum_k \delta_{ik} f_k = f_i$."""
    rest = Mul(*(f for f in factors if f is not delta))
    return sum_normal(swap(rest, {index: other}), bound - {index})


def _split_components(factors: list[Expr], bound: frozenset[Index]) -> Expr:
    r"""$\sum_{jk} a_j b_k = \sum_j a_j \sum_k b_k$: factors joined by no bound index are summed apart."""
    components: list[tuple[frozenset[Index], list[Expr]]] = []
    for factor in factors:
        shared, group = free(factor) & bound, [factor]
        for component in [c for c in components if c[0] & shared]:
            components.remove(component)
            shared, group = shared | component[0], component[1] + group
        components.append((shared, group))
    sums = [close(Sum, Mul(*group), shared) for shared, group in components if not _is_whole(group, shared)]
    idle = bound - frozenset().union(*(shared for shared, _ in components))
    return Mul(*sums, *(index.dimension for index in idle))


def _is_whole(group: list[Expr], bound: frozenset[Index]) -> bool:
    r"""Whether a sum picks one place exactly once: $\sum_v \delta_{v,\,v_i} = 1$ and $\sum_k [k = \arg\max f] = 1$."""
    if len(group) != 1 or len(bound) != 1:
        return False
    (factor,), (index,) = group, bound
    if isinstance(factor, Selected):
        return factor.index == index and index not in free(factor.largest)
    if not isinstance(factor, Delta):
        return False
    looked_up = index - cast(Expr, factor.args[0]), index + cast(Expr, factor.args[0])
    return any(isinstance(e, Entry) and e.values == index.dimension and index not in e.indices for e in looked_up)
