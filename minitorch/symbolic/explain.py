r"""Which steps lead from the chain rule to the gradient that is computed?

$$ \frac{\partial L}{\partial P_{ij}}
   = \sum_{pc} G_{pc}\,\frac{\partial O_{pc}}{\partial P_{ij}}
   = \sum_{pc} G_{pc}\,V_{jc}\,\delta_{ip}
   = \sum_c G_{ic}\,V_{jc} : $$

the chain rule, each partial derivative worked out by itself, put in, the deltas contracted, saved values reused,
common factors collected, and gradients that are needed only once substituted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import sympy
from sympy import Add, Expr

from minitorch.errors import FormulaError
from minitorch.symbolic import words
from minitorch.symbolic.binders import close, swap
from minitorch.symbolic.calculus import contract, derivative, readable
from minitorch.symbolic.derivation import Step
from minitorch.symbolic.deriving import Deriving
from minitorch.symbolic.entrywise import NotWrittenOut, Sizes, first_difference, shown_sizes
from minitorch.symbolic.expression import Delta, Entry, Partial, Sum, dimensions, names
from minitorch.symbolic.phrase import Phrase, listed
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.reverse import Adjoint, Contribution
from minitorch.symbolic.saved import reused

DIFF_METHOD = "sympy.diff at {sizes}"
ROUNDING = 1e-9  # a difference that could not be simplified to 0 but is smaller than this is left undecided


def explain_adjoint(
    notation: Notation,
    adjoint: Adjoint,
    forward: Sequence[Definition],
    substituted: Sequence[Definition],
    final: Expr | None,
    sizes: Sizes,
) -> tuple[Step, ...]:
    """The steps of one gradient.

    Arguments:
        forward: the definitions whose values may be reused.
        substituted: the gradients that are written out where they are needed.
        final: what the steps must arrive at, if something is substituted in it.
        sizes: for the comparison with ``sympy.diff``.

    Raises:
        FormulaError: a step does not follow.
    """
    work = Deriving(notation, forward)
    left = adjoint.target
    chain = notation.lettered(adjoint.chain, left.indices)
    partials = [next(p for p in chain.atoms(Partial) if p.of.name == c.reader.name) for c in adjoint.contributions]
    work.given(left, adjoint.chain, "chain rule", words.of_chain_rule(notation, adjoint.source, chain, partials))
    inserted = [
        _work_out(work, partial, contribution, sizes)
        for partial, contribution in zip(partials, adjoint.contributions, strict=True)
    ]
    whole = Add(*inserted)
    reason = Phrase(listed([notation.maths(p) for p in partials]), " put into the chain rule.")
    work.given(left, whole, "insert", reason, work.check(adjoint.raw, whole, "insert"))
    contract_deltas(work, adjoint.contracted)
    simplify(work, forward, adjoint.reused)
    used = [d for d in substituted if d.name in names(adjoint.reused)]
    if final is not None and used:
        written_out = inline(adjoint.reused, substituted)
        work.follow(written_out, "substitute", words.of_substitution(notation, used), definitions=substituted)
        simplify(work, forward, final)
    return tuple(work.steps)


def contract_deltas(work: Deriving, after: Expr) -> None:
    """The step that takes out every delta under a sum."""
    last = work.steps[-1]
    before = work.notation.lettered(last.expression, last.indices)
    work.follow(after, "contract deltas", words.of_contraction(work.notation, before))


def simplify(work: Deriving, forward: Sequence[Definition], final: Expr) -> None:
    """The steps that reuse saved values and collect factors."""
    last = work.steps[-1]
    with_saved, used = reused(last.expression, forward)
    work.follow(with_saved, "reuse saved values", words.of_saved(work.notation, used))
    work.follow(final, "collect", words.of_collecting(work.notation, final, last.indices))


def checked_diff(function: Expr, by: Entry, claimed: Expr, sizes: Sizes) -> str:
    """What has confirmed a partial derivative: SymPy's own, entry by entry.

    Raises:
        FormulaError: they differ.
    """
    try:
        wrong = first_difference(function, by, claimed, sizes)
    except NotWrittenOut:
        return "rule of the maximum"
    if wrong and abs(value_of(wrong[1])) >= ROUNDING:
        raise FormulaError(
            f"derivative: {function} by {by} differs from sympy.diff at {wrong}. This is a bug; report it."
        )
    exactly = "" if wrong is None else ", in floating point"
    found = frozenset().union(*map(dimensions, (function, by)))
    shown = shown_sizes({s: n for s, n in sizes.items() if s in found}) or "a point"
    return DIFF_METHOD.format(sizes=shown) + exactly


def value_of(expression: Expr) -> float:
    """The value of a scalar expression at an arbitrary point (its distance from 0, if that is complex)."""
    symbols = sorted(expression.free_symbols, key=str)
    point = {symbol: sympy.Rational(k + 2, 7) for k, symbol in enumerate(symbols)}
    return abs(complex(sympy.N(swap(expression, point))))


def _work_out(work: Deriving, partial: Partial, contribution: Contribution, sizes: Sizes) -> Expr:
    """Add the steps of one partial derivative; give its term of the chain rule with the result put in."""
    reader, by = contribution.reader, partial.by
    value = reader.at(partial.of.indices)
    raw = derivative(value, by)
    beside = (*partial.of.indices, *by.indices)
    reason = words.of_derivative(work.notation, work.notation.lettered(value, beside), by)
    work.given(partial, raw, "differentiate", reason, checked_diff(value, by, raw, sizes))
    if any(total.has(Delta) for total in raw.atoms(Sum)):
        contract_deltas(work, contract(raw))
    else:
        work.follow(readable(raw), "collect", words.of_collecting(work.notation, readable(raw), beside))
    weight = Entry(contribution.upstream.symbol, *partial.of.indices)
    return close(Sum, cast(Expr, weight * work.steps[-1].expression), partial.of.indices)
