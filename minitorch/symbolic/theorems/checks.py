r"""How is a claim of a theorem checked?

An equation: by :func:`minitorch.symbolic.prove.prove_equal`, and besides with every entry written out at small sizes.
A bound $a \le b$: by a *certificate*, a sum of squares and of products of what is not negative, that equals $b - a$,

$$ b - a = \sum_{ij} p_i\,p_j\,(v_i + v_j)^2 \ge 0 , $$

and besides by numbers, which also find the witness where the bound is false.

Source: certificates as in Blekherman, Parrilo and Thomas, *Semidefinite Optimization and Convex Algebraic Geometry*
(2012), chapter 3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
from sympy import Abs, Add, Expr, Mul, Pow

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import opened
from minitorch.symbolic.derive import DIFF_METHOD
from minitorch.symbolic.entrywise import Expansion, Sizes, first_difference, is_zero, places, shown_sizes
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Delta, Index, Partial, Sum, dimensions, free
from minitorch.symbolic.operation import TOLERANCE
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.prove import FLOAT_METHOD, float_excess, prove_equal
from minitorch.symbolic.verdict import KINDS, PROVED, REFUTED, UNDECIDED, Verdict

ENTRIES_METHOD = "every entry written out at {sizes}"
CERTIFICATE_METHOD = "a certificate: the difference is made of squares and of what is not negative"


def equality(a: Expr, b: Expr, definitions: Sequence[Definition] = (), by_entry: bool = True) -> Verdict:
    """How far ``a = b`` is known: for all sizes and, if asked for, with every entry written out at size 2."""
    verdict = prove_equal(a, b, definitions, largest=3)
    sizes = twos(inline(a, definitions), inline(b, definitions))
    if verdict.kind == REFUTED or not by_entry or not equal_entries(a, b, sizes, definitions):
        return verdict
    return verdict.with_method(ENTRIES_METHOD.format(sizes=shown_sizes(sizes) or "a point"))


def differentiated(verdict: Verdict, left: Partial, right: Expr, definitions: Sequence[Definition]) -> Verdict:
    """A verdict on a claimed derivative, with the comparison with ``sympy.diff`` as one more method if it agrees."""
    sizes = twos(*(inline(e, definitions) for e in (left.of, right)))
    if verdict.kind == REFUTED or first_difference(left.of, left.by, right, sizes, definitions):
        return verdict
    return verdict.with_method(DIFF_METHOD.format(sizes=shown_sizes(sizes)))


def equal_entries(a: Expr, b: Expr, sizes: Sizes, definitions: Sequence[Definition] = ()) -> bool:
    """Whether SymPy finds every entry of ``a - b`` to be 0 at these sizes; False means "not shown"."""
    world, indices = Expansion(sizes, definitions), sorted(free(a) | free(b), key=str)
    for place in places(indices, sizes):
        at = dict(zip(indices, place, strict=True))
        if not is_zero(world.value(a, at) - world.value(b, at)):
            return False
    return True


def twos(*expressions: Expr) -> Sizes:
    """The size 2, the least at which a forgotten delta or sum shows, for every dimension."""
    symbols = sorted(frozenset().union(*map(dimensions, expressions)), key=str)
    return dict.fromkeys((s for s in symbols if s.is_integer), 2)


def bound(smaller: Expr, larger: Expr, certificate: Expr, definitions: Sequence[Definition] = ()) -> Verdict:
    """How far ``smaller <= larger`` is known, given what ``larger - smaller`` should be."""
    witness, tested = float_excess(smaller, larger, definitions)
    if witness:
        return Verdict(REFUTED, (), witness)
    same = equality(larger - smaller, certificate, definitions)
    if same.kind != PROVED or not visibly_nonnegative(certificate):
        why = "may be negative" if same.kind == PROVED else f"is not the difference: {same}"
        return Verdict(UNDECIDED, (), f"the certificate {certificate} {why}")
    numbers = f"{FLOAT_METHOD} at {tested}"
    return Verdict(PROVED, (CERTIFICATE_METHOD, *same.methods, numbers))


def visibly_nonnegative(expression: Expr) -> bool:
    """Whether an expression cannot be negative, as its form shows.

    Example:
        >>> from minitorch.symbolic import parse
        >>> p = parse("x[n]: y = sum_{i,j} (1 - delta(i,j)) (x[i] - x[j])**2; z = sum_i x[i]")
        >>> [visibly_nonnegative(d.value) for d in p.definitions]
        [True, False]
    """
    if isinstance(expression, Sum):
        return visibly_nonnegative(opened(expression)[0])
    if isinstance(expression, Mul | Add):
        complement = isinstance(expression, Add) and 1 - expression
        return isinstance(complement, Delta) or all(visibly_nonnegative(cast(Expr, e)) for e in expression.args)
    if isinstance(expression, Pow):
        real = expression.base.is_real or isinstance(expression.base, Add | Sum)  # entries and sums are real
        return bool(real and expression.exp.is_even) or visibly_nonnegative(expression.base)
    return bool(isinstance(expression, Abs) or expression.is_nonnegative)


def weakest(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict that claims least; a refutation before all."""
    return max(verdicts, key=lambda v: _DOUBT.index(v.kind))


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """What is known of several claims at once: as much as of the weakest; a method that not all have is numbered."""
    verdicts = list(verdicts)
    least = weakest(verdicts)
    if len(verdicts) == 1 or least.kind == REFUTED:
        return least
    methods = dict.fromkeys(m for v in verdicts for m in v.methods)
    details = dict.fromkeys(v.detail for v in verdicts if v.kind == least.kind and v.detail)
    return Verdict(least.kind, tuple(_numbered(m, verdicts) for m in methods), "; ".join(details))


_DOUBT = [kind for kind in KINDS if kind != REFUTED] + [REFUTED]


def _numbered(method: str, verdicts: Sequence[Verdict]) -> str:
    using = [k for k, v in enumerate(verdicts, 1) if method in v.methods]
    return method if len(using) == len(verdicts) else f"{method} (claim {', '.join(map(str, using))})"


def as_computed(
    claim: Expr, arrays: Mapping[str, Any], what: str, computed: np.ndarray, indices: tuple[Index, ...] = ()
) -> str:
    """Compare a claim on float64 arrays with what something else has computed there; say the largest error, relative.

    Arguments:
        indices: the axes of what was computed; the free indices of the claim, sorted, unless given.

    Raises:
        FormulaError: they differ by more than the engine's rules may differ from derived ones.
    """
    indices = indices or tuple(sorted(free(claim), key=str))
    wanted = evaluate(claim, arrays, indices)
    error = float(np.abs(wanted - computed).max() / np.abs(wanted).max())
    if not error <= TOLERANCE:
        raise FormulaError(f"theorem: {what} differs from the claim by {error:.1e}, wanted at most {TOLERANCE:g}.")
    return f"{what}, largest error {f'{error:.0e}' if error else '0'}"
