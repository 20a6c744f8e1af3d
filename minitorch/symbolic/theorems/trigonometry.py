r"""When are two formulas with sines and cosines equal?

For all sizes by the addition theorem and the normal form,

$$ \sin(a + b) = \sin a \cos b + \cos a \sin b, \qquad \cos(a + b) = \cos a \cos b - \sin a \sin b, \qquad
   \cos^2 a = 1 - \sin^2 a , $$

and, by a way that shares no code with it, entry by entry with $\cos a = (e^{ia} + e^{-ia}) / 2$ and
$\sin a = (e^{ia} - e^{-ia}) / 2i$.

Source: Abramowitz and Stegun, *Handbook of Mathematical Functions* (1964), 4.3.1, 4.3.2, 4.3.10, 4.3.16, 4.3.17.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import sympy
from sympy import Expr, Pow, S, cos, exp, sin

from minitorch.symbolic.binders import replace
from minitorch.symbolic.entrywise import Expansion, Sizes, places, shown_sizes
from minitorch.symbolic.expression import free
from minitorch.symbolic.normal import normal_form
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.prove import FLOAT_METHOD, prove_equal
from minitorch.symbolic.theorems.checks import twos
from minitorch.symbolic.verdict import PROVED, REFUTED, Verdict

METHOD = "addition theorem, normal form"
ENTRIES_METHOD = "complex exponentials, every entry written out at {sizes}"


def equal_angles(a: Expr, b: Expr, definitions: Sequence[Definition] = ()) -> Verdict:
    """How far two formulas with sines and cosines are known to be equal."""
    verdict = prove_equal(a, b, definitions)
    if verdict.kind == REFUTED:
        return verdict
    whole = inline(a, definitions) - inline(b, definitions)
    sizes = twos(whole)
    if added(whole) != 0 or not _by_exponentials(whole, sizes):
        return verdict
    entries = ENTRIES_METHOD.format(sizes=shown_sizes(sizes) or "a point")
    return Verdict(PROVED, (METHOD, entries, FLOAT_METHOD))


def added(expression: Expr) -> Expr:
    """The normal form of an expression whose angles are no sums, and whose cosines have no powers."""
    return normal_form(replace(normal_form(replace(expression, _apart)), _without_square))


def _apart(e: Expr) -> Expr | None:
    if not isinstance(e, sin | cos):
        return None
    return cast(Expr, sympy.expand_trig(e.func(sympy.expand(e.args[0]))))


def _without_square(e: Expr) -> Expr | None:
    if not (isinstance(e, Pow) and isinstance(e.base, cos) and e.exp.is_Integer and e.exp >= 2):
        return None
    pairs, rest = divmod(int(e.exp), 2)
    return e.base**rest * (1 - sin(e.base.args[0]) ** 2) ** pairs


def _by_exponentials(difference: Expr, sizes: Sizes) -> bool:
    indices = sorted(free(difference), key=str)
    world = Expansion(sizes)
    values = (world.value(difference, dict(zip(indices, place, strict=True))) for place in places(indices, sizes))
    return all(sympy.expand(value.rewrite(exp)) == S.Zero for value in values)
