r"""How is a sum over a delta read?  As an entry at the place that the delta names:

$$ \sum_s \delta_{s,\,t-k}\,x_s \;\text{is}\; x_{t-k}, \qquad \sum_t \delta_{s,\,t-k}\,G_t \;\text{is}\; G_{s+k} . $$

For what is shown only: calculations keep the sum.  A delta that was left to be contracted stays, so that a derivation
can show how it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from sympy import Add, Expr, Mul, S

from minitorch.symbolic.binders import swap
from minitorch.symbolic.expression import Delta, Entry, Index, Sum, free


class Placed(Index):
    """An index shown as the place that it stands for, such as ``t - k``."""

    __slots__ = ("place",)
    place: Expr

    @classmethod
    def at(cls, place: Expr, index: Index) -> Placed:
        self = cast(Placed, cls(f"({place})", index.dimension))
        self.place = place
        return self


def contractible(expression: Expr) -> bool:
    """Whether a delta between two indices stands under a sum over one of them."""
    return any(d.renaming(total.bound) for total in expression.atoms(Sum) for d in total.body.atoms(Delta))


def read_places(body: Expr, bound: Sequence[Index], plain: bool) -> tuple[Expr, tuple[Index, ...]]:
    """The body of a sum and its indices, with those left out that a delta places.

    Arguments:
        plain: whether deltas between two indices are read as well.
    """
    left = list(bound)
    while choices := sorted(_placements(body, left, plain), key=lambda c: (c[2].has(S.NegativeOne), left.index(c[1]))):
        delta, index, place = choices[0]
        others = [d for d in body.atoms(Delta) if d != delta]
        body = swap(
            body, {delta: S.One, **{d: Delta(*(swap(cast(Expr, e), {index: place}) for e in d.args)) for d in others}}
        )
        body = swap(body, {index: place if isinstance(place, Index) else Placed.at(place, index)})
        left.remove(index)
    return body, tuple(left)


def _placements(body: Expr, bound: Sequence[Index], plain: bool) -> Iterator[tuple[Delta, Index, Expr]]:
    """Every delta of a product that can be solved for an index which an entry of the product carries."""
    factors = Mul.make_args(body)
    carried = {i for f in factors for i in (f.indices if isinstance(f, Entry) else ())}
    for delta in (f for f in factors if isinstance(f, Delta)):
        for index in bound:
            place = solved(delta, index)
            if place is not None and index in carried and (plain or not isinstance(place, Index)):
                yield delta, index, place


def solved(delta: Delta, index: Index) -> Expr | None:
    """The place where an index meets the rest of a delta between places; None where it is not met with factor 1."""
    distance = cast(Expr, delta.args[0]) - cast(Expr, delta.args[1])
    for sign in (S.One, S.NegativeOne):
        rest = Add(*(term for term in Add.make_args(distance) if term != sign * index))
        if rest != distance and index not in free(rest):
            return cast(Any, -sign * rest)
    return None
