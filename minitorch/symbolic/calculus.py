r"""What is the derivative of an index expression, and how does it become readable?

$$ \frac{\partial x_i}{\partial x_j} = \delta_{ij}, \qquad \sum_k \delta_{ik}\,f_k = f_i . $$

:func:`derivative` is the chain rule alone and leaves its deltas standing, so that the step can be seen and checked.
:func:`contract` removes them, :func:`hoist` takes out of a sum what does not depend on it.  None of them distributes
a product that has no delta in it: the result is what will be *computed*, so a variance must stay a variance.
"""

from __future__ import annotations

from typing import cast

from sympy import Add, Expr, Function, Mul, Pow, S, exp, factor_terms, log

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import close, is_leaf, opened, rebuild, swap
from minitorch.symbolic.expression import Delta, Entry, Index, MaxOver, Sum, free, names
from minitorch.symbolic.selection import Selected


def derivative(expression: Expr, by: Entry) -> Expr:
    """The derivative of an expression by an entry whose indices do not occur in it; deltas are left standing.

    Raises:
        FormulaError: the array holds indices, by which nothing can be differentiated.

    Example:
        >>> from minitorch.symbolic.expression import Array, dimension
        >>> n = dimension("n"); x = Array("x", (n,)); i, j = Index("i", n), Index("j", n)
        >>> print(derivative(x[i] ** 2, x[j]))
        2*delta(i,j)*x[i]
    """
    if by.values is not None:
        raise FormulaError(f"derivative: {by.name} holds indices over {by.values}. Leave it out: it has no gradient.")
    if by.name not in names(expression) or isinstance(expression, Selected):
        return S.Zero
    if isinstance(expression, Entry):
        return Mul(*map(Delta, expression.indices, by.indices))
    if isinstance(expression, Sum):
        body, bound = opened(expression)
        return close(Sum, derivative(body, by), bound)
    if isinstance(expression, Add):
        return Add(*(derivative(cast(Expr, term), by) for term in expression.args))
    if isinstance(expression, Mul):
        return _product_rule(expression, by)
    if isinstance(expression, Pow):
        return _power_rule(expression.base, expression.exp, by)
    if isinstance(expression, MaxOver):
        body, (index,) = opened(expression)
        return close(Sum, Selected(expression, index) * derivative(body, by), [index])
    function = cast(Function, expression)
    return Add(*(function.fdiff(k + 1) * derivative(cast(Expr, a), by) for k, a in enumerate(function.args)))


def _product_rule(product: Mul, by: Entry) -> Expr:
    factors = list(product.args)
    return Add(*(Mul(*factors[:k], derivative(f, by), *factors[k + 1 :]) for k, f in enumerate(factors)))


def _power_rule(base: Expr, exponent: Expr, by: Entry) -> Expr:
    inner = exponent * Pow(base, exponent - 1) * derivative(base, by)
    return inner + Pow(base, exponent) * log(base) * derivative(exponent, by)


def contract(expression: Expr) -> Expr:
    """Remove every delta that stands under a sum over one of its indices."""
    if not expression.has(Delta) or is_leaf(expression):
        return expression
    if isinstance(expression, Sum):
        body, bound = opened(expression)
        terms = _delta_terms(contract(body))
        return Add(*(_contract_term(term, frozenset(bound)) for term in terms))
    return rebuild(expression, contract)


def _delta_terms(body: Expr) -> list[Expr]:
    """The terms of a body, split only as far as deltas ask for it; what has no delta stays in one piece."""
    factors = Mul.make_args(body)
    for factor in factors:
        if isinstance(factor, Add) and factor.has(Delta):
            rest = Mul(*(f for f in factors if f is not factor))
            return [term for f in _grouped(factor) for term in _delta_terms(rest * f)]
    return [body]


def _grouped(total: Add) -> list[Expr]:
    with_delta = [cast(Expr, t) for t in total.args if t.has(Delta)]
    without = Add(*(t for t in total.args if not t.has(Delta)))
    return with_delta + ([without] if without != 0 else [])


def _contract_term(term: Expr, bound: frozenset[Index]) -> Expr:
    for factor in Mul.make_args(term):
        if isinstance(factor, Delta) and (met := factor.renaming(bound)):
            rest = swap(swap(term, {factor: S.One}), {met[0]: met[1]})
            return _contract_term(rest, bound - {met[0]})
    return _take_out(term, bound)


def _take_out(body: Expr, bound: frozenset[Index]) -> Expr:
    """The sum of ``body`` over ``bound``, with the factors that do not depend on ``bound`` before it."""
    body, bound = _joined(body, bound)
    factors = Mul.make_args(body)
    before = [f for f in factors if not free(f) & bound]
    inside = Mul(*(f for f in factors if free(f) & bound))
    used = free(inside) & bound
    return Mul(*before, *(i.dimension for i in bound - used), close(Sum, inside, used))


def _joined(body: Expr, bound: frozenset[Index]) -> tuple[Expr, frozenset[Index]]:
    """One sum instead of two where a delta stands in the inner one: it may be solved for an outer index."""
    for factor in Mul.make_args(body):
        if isinstance(factor, Sum) and any(isinstance(f, Delta) for f in Mul.make_args(factor.body)):
            inner, more = opened(factor)
            return _joined(swap(body, {factor: inner}), bound | frozenset(more))
    return body, bound


def hoist(expression: Expr) -> Expr:
    """Take out of every sum the factors that do not depend on it."""
    if is_leaf(expression):
        return expression
    if isinstance(expression, Sum):
        body, bound = opened(expression)
        return _take_out(hoist(body), frozenset(bound))
    return rebuild(expression, hoist)


def readable(expression: Expr) -> Expr:
    r"""Common factors in front, as one writes by hand: $P\,(dP - \sum P\,dP)$."""
    return hoist(cast(Expr, factor_terms(hoist(expression))))


def is_positive(expression: Expr) -> bool:
    """Whether a formula is positive wherever it is real: an exponential, a root, a sum or product of such."""
    if isinstance(expression, exp):
        return True
    if isinstance(expression, Pow) and expression.exp.is_Rational and not expression.exp.is_Integer:
        return True
    if isinstance(expression, Sum):
        return is_positive(expression.body)
    if isinstance(expression, Mul):
        return all(is_positive(cast(Expr, f)) for f in expression.args)
    if isinstance(expression, Pow):
        return is_positive(expression.base)
    return bool(expression.is_positive)
