r"""Which letter does a bound index get when it is shown?

Bound indices have no letters of their own (:mod:`minitorch.symbolic.binders`).  A shown sum takes the first letter that
the formula uses for that dimension and that nothing around or inside it uses already: $\sum_j$ beside $P_{ij}$ becomes
$\sum_k$.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from sympy import Expr

from minitorch.symbolic.binders import is_leaf, swap
from minitorch.symbolic.expression import FRESH_MARK, Binder, Index, Sum, free
from minitorch.symbolic.places import contractible, read_places

# The usual order for summation indices.  Not l and o, which read as digits, and not d, which reads as a differential.
_ORDER = "kpqrstuvwzmnabcefghijxy"


def with_letters(expression: Expr, indices: Sequence[Index], avoid: Iterable[str] = (), places: bool = True) -> Expr:
    """``expression`` with letters for its bound and fresh indices; for printing only, as binders are not canonical.

    Arguments:
        indices: the letters that the formula uses, each with its dimension.
        avoid: further letters that must not be taken.
        places: whether a sum over a delta is read as an entry at the place that the delta names.
    """
    taken = {i.name for i in free(expression) if FRESH_MARK not in i.name} | set(avoid)
    renaming = {}
    for index in sorted((i for i in free(expression) if FRESH_MARK in i.name), key=lambda i: i.name):
        renaming[index] = choose(index, indices, taken)
        taken.add(renaming[index].name)
    plain = not contractible(expression) if places else None
    return _letter_binders(swap(expression, renaming), indices, taken, plain)


def choose(index: Index, indices: Sequence[Index], taken: Iterable[str]) -> Index:
    """The first letter for an index's dimension that is not taken, and names no dimension."""
    taken = set(taken) | {str(i.dimension) for i in (index, *indices)}
    used = [i.name for i in indices if i.dimension == index.dimension]
    others = {i.name for i in indices if i.dimension != index.dimension}
    for name in itertools.chain(used, _successors(used, others)):
        if name not in taken:
            return Index(name, index.dimension)
    raise AssertionError("the letters do not end")


def _successors(used: list[str], others: set[str]) -> Iterator[str]:
    """Letters after the one that the formula uses (j gives k), then any, then numbered ones; others' letters last."""
    start = used[-1] if used and used[-1] in string.ascii_lowercase else ""
    after = string.ascii_lowercase[string.ascii_lowercase.index(start) + 1 :] if start else ""
    letters = [c for c in after if c in _ORDER] + list(_ORDER)
    yield from (c for c in letters if c not in others)
    yield from letters
    yield from (f"k{number}" for number in itertools.count(1))


def _letter_binders(expression: Expr, indices: Sequence[Index], taken: set[str], plain: bool | None) -> Expr:
    if is_leaf(expression):
        return expression
    if isinstance(expression, Binder):
        renaming, inner = {}, set(taken)
        for index in expression.bound:
            renaming[index] = choose(index, indices, inner)
            inner.add(renaming[index].name)
        body, bound = swap(expression.body, renaming), tuple(renaming.values())
        if plain is not None and isinstance(expression, Sum):
            body, bound = read_places(body, bound, plain)
        body = _letter_binders(body, indices, inner, plain)
        return cast(Expr, type(expression)(body, *bound)) if bound else body
    return cast(
        Expr, expression.func(*[_letter_binders(cast(Expr, a), indices, taken, plain) for a in expression.args])
    )
