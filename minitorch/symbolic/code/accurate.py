r"""Which functions does NumPy have that are accurate where the textbook form is not?

$$ \operatorname{logaddexp}(a, b) = \log(e^a + e^b), \quad \operatorname{log1p}(u) = \log(1 + u), \quad
   \operatorname{expm1}(u) = e^u - 1, \quad \sigma(a - b) = \frac{e^a}{e^a + e^b} . $$

Each rewriting can be undone with :func:`meant`, so that it can be proved or tested.

Source: Goldberg, *What every computer scientist should know about floating-point arithmetic* (1991), theorem 4; Higham,
*Accuracy and Stability of Numerical Algorithms* (2002), section 1.14.
"""

from __future__ import annotations

from typing import Any, cast

from sympy import Add, Expr, Function, Mul, Pow, S, exp, log, sinh

from minitorch.symbolic.binders import is_leaf, rebuild
from minitorch.symbolic.functions import sigmoid


class log1p(Function):
    """log(1 + u)."""

    nargs = 1
    is_real = True


class expm1(Function):
    """exp(u) - 1."""

    nargs = 1
    is_real = True


class logaddexp(Function):
    """log(exp(a) + exp(b))."""

    nargs = 2
    is_real = True


_MEANING = {
    log1p: lambda u: log(1 + u),
    expm1: lambda u: exp(u) - 1,
    logaddexp: lambda a, b: log(exp(a) + exp(b)),
    sinh: lambda a: (exp(a) - exp(-a)) / 2,
    sigmoid: lambda a: 1 / (1 + exp(-a)),
}


def meant(expression: Expr) -> Expr:
    """``expression`` with these functions written out again.

    >>> from sympy import Symbol
    >>> meant(log1p(Symbol("u")))
    log(u + 1)
    """
    if is_leaf(expression):
        return expression
    inner = rebuild(expression, meant)
    meaning = _MEANING.get(type(inner))
    return cast(Expr, meaning(*inner.args)) if meaning else inner


def stable(expression: Expr) -> Expr:
    """``expression`` with the accurate functions where their textbook forms stand.

    >>> from sympy import Symbol
    >>> x = Symbol("x", real=True)
    >>> stable(log(1 + exp(-x))), stable(exp(x) / (1 + exp(x))), stable(1 / (1 + exp(x)) ** 2), stable(exp(x) - 1)
    (logaddexp(0, -x), sigmoid(x), sigmoid(-x)**2, expm1(x))
    """
    if is_leaf(expression):
        return expression
    if isinstance(expression, Mul | Pow):
        expression = _logistic(expression)
    if isinstance(expression, log):
        return _logarithm(cast(Expr, expression.args[0]))
    if isinstance(expression, Add):
        expression = _difference(expression)
    return rebuild(expression, stable)


def _logistic(product: Expr) -> Expr:
    """exp(a) / (exp(a) + exp(b)) is sigmoid(a - b), as often as it occurs."""
    factors = list(Mul.make_args(product))
    for divisor in [f for f in factors if isinstance(f, Pow) and f.exp.is_Integer and f.exp.is_negative]:
        exponents = _two_exponents(divisor.base)
        if exponents is None:
            continue
        one_less = Mul(*(f for f in factors if f is not divisor), Pow(divisor.base, divisor.exp + 1))
        for a, b in (exponents, exponents[::-1]):
            if exp(a) in factors:
                return _logistic(one_less / exp(a)) * sigmoid(a - b)
        if S.Zero in exponents:
            other = exponents[1] if exponents[0] == 0 else exponents[0]
            return _logistic(one_less) * sigmoid(-other)
    return product


def _logarithm(argument: Expr) -> Expr:
    if isinstance(argument, sigmoid):
        return -stable(_expr(log(1 + exp(-_expr(argument.args[0])))))
    exponents = _two_exponents(argument)
    if exponents is not None:
        return _expr(logaddexp(*map(stable, exponents)))
    if isinstance(argument, Add) and argument.args[0] == 1:
        return _expr(log1p(stable(argument - 1)))
    return _expr(log(stable(argument)))


def _expr(e: Any) -> Expr:
    return cast(Expr, e)


def _two_exponents(total: Expr) -> tuple[Expr, Expr] | None:
    """a and b of exp(a) + exp(b), where 1 is exp(0)."""
    if not isinstance(total, Add) or len(total.args) != 2:
        return None
    if not all(term == 1 or isinstance(term, exp) for term in total.args):
        return None
    first, second = (S.Zero if term == 1 else term.args[0] for term in total.args)
    return cast("tuple[Expr, Expr]", (first, second))


def _difference(total: Add) -> Expr:
    """exp(u) - 1 is expm1(u), and exp(a) - exp(-a) is 2 sinh(a)."""
    terms = cast("list[Expr]", list(total.args))
    for term in terms:
        scale, rest = term.as_coeff_Mul()
        if not isinstance(rest, exp) or scale.is_negative:
            continue
        a = cast(Expr, rest.args[0])
        if -scale * exp(-a) in terms:
            return total - term + scale * exp(-a) + 2 * scale * sinh(a)
        if -scale in terms:
            return total - term + scale + scale * expm1(a)
    return total
