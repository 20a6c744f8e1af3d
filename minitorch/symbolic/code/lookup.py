r"""How is a sum over a delta between places computed?  As a look-up, not as a sum:

$$ \sum_s \delta_{s,\,t-k}\,x_s = x_{t-k} \;\text{is}\; \texttt{x[places]}, \qquad
   \sum_v \delta_{v,\,v_i}\,E_{ve} = E_{v_i e} \;\text{is}\; \texttt{E[v]} , $$

with 0 for what lies outside the array.  A delta that no summed index solves stays, as a comparison of places.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sympy import Expr, Integer, Mul, S

from minitorch.symbolic.binders import swap
from minitorch.symbolic.expression import Delta, Entry, Index, free
from minitorch.symbolic.places import solved


class Looked(Entry):
    """An entry of an array at places that are computed; 0 outside.

    Attributes:
        inside: whether every place is known to be inside the array, as those that an index array names are.
        whole: the first of the last axes that are read from end to end.
    """

    @property
    def inside(self) -> bool:
        return bool(self.args[1])

    @property
    def indices(self) -> tuple[Any, ...]:
        return self.args[3:]

    @property
    def whole(self) -> int:
        first = int(cast(Any, self.args[2]))
        while set(self.indices[first:]) & {i for place in self.indices[:first] for i in free(place)}:
            first += 1  # an index that is also in a place is an axis that the two have in common
        return first

    def _sympystr(self, printer: Any) -> str:
        return f"{self.name}[{', '.join(map(printer._print, self.indices))}]"


def looked_up(body: Expr, bound: Sequence[Index]) -> tuple[Expr, tuple[Index, ...]]:
    """The body of a sum and its indices, with those left out that a delta places."""
    left = list(bound)
    while choices := [c for delta in _deltas(body) for index in left if (c := _choice(body, delta, index))]:
        _, index, body = min(choices, key=lambda choice: _preference(*choice[:2]))
        left.remove(index)
    return body, tuple(left)


def between_places(e: Expr) -> bool:
    """Whether an expression is a delta that stands for a comparison of computed places."""
    return isinstance(e, Delta) and not isinstance(e.args[1], Index)


def _deltas(body: Expr) -> list[Delta]:
    return [f for f in Mul.make_args(body) if isinstance(f, Delta) and between_places(f)]


def _choice(body: Expr, delta: Delta, index: Index) -> tuple[Expr, Index, Expr] | None:
    """The place for which a delta can be solved for an index, and the body that is then left."""
    place = solved(delta, index)
    factors = [f for f in Mul.make_args(body) if f is not delta]
    carriers = [f for f in factors if index in free(f)]
    if place is None or not carriers or not all(isinstance(f, Entry) for f in carriers):
        return None
    inside = isinstance(place, Entry) and place.values == index.dimension
    placed = [_at(f, index, place, inside) if f in carriers else f for f in factors]
    return place, index, Mul(*placed)


def _preference(place: Expr, index: Index) -> tuple[bool, bool]:
    """x[t - k] rather than w[t - s]: a shift stays within one dimension; and G[s + k] rather than w[t - s]."""
    shift = any(i.dimension == index.dimension for i in free(place))
    return not shift, place.has(S.NegativeOne)


def _at(entry: Expr, index: Index, place: Expr, inside: bool) -> Expr:
    """An entry, or one at computed places, with another place for an index."""
    assert isinstance(entry, Entry)
    before = list(entry.indices)
    indices = [swap(i, {index: place}) for i in before]
    first = 1 + max(k for k, i in enumerate(before) if index in free(i))
    if isinstance(entry, Looked):
        first, inside = max(first, int(cast(Any, entry.args[2]))), inside and entry.inside
    return cast(Expr, Looked(entry.symbol, S.true if inside else S.false, Integer(first), *indices))
