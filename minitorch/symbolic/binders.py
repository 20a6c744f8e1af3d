r"""How is a bound index renamed without capturing a free one?

A binder is *locally nameless*: it is opened with indices that occur nowhere else, and closed with canonical ones,

$$ \sum_k x_k\,y_i \;\xrightarrow{\text{open}}\; x_{k'}\,y_i
   \;\xrightarrow{\text{close}}\; \sum_{\#1} x_{\#1}\,y_i, $$

so that two sums that differ in the letters of their indices are *equal* as data, and no substitution made between
opening and closing can capture.

Source: Chargueraud, *The locally nameless representation*, J. Automated Reasoning 49 (2012).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, cast

from sympy import Expr

from minitorch.symbolic.expression import (
    BOUND_MARK,
    FRESH_MARK,
    Binder,
    Delta,
    Entry,
    Index,
    Partial,
    free,
    remember,
)

_counter = itertools.count()


def swap(expression: Expr, changes: Mapping[Any, Any]) -> Expr:
    """``expression`` with parts exchanged as they are: for free indices and whole factors, never under a binder."""
    return cast(Expr, expression.xreplace(dict(changes)))


def fresh(index: Index) -> Index:
    """An index over the same dimension that occurs in no other expression."""
    letter = index.name.split(FRESH_MARK)[0].lstrip(BOUND_MARK)
    return Index(f"{letter}{FRESH_MARK}{next(_counter)}", index.dimension)


def opened(binder: Binder) -> tuple[Expr, tuple[Index, ...]]:
    """The body of a binder with fresh indices in place of the bound ones, and those indices."""
    renaming = {index: fresh(index) for index in binder.bound}
    return swap(binder.body, renaming), tuple(renaming.values())


@remember
def opened_once(binder: Binder) -> tuple[Expr, tuple[Index, ...]]:
    """As :func:`opened`, with the same indices each time, so that what is found out about the body is remembered.

    For what opens one binder and closes it again: a binder does not stand inside itself, so its indices meet no other.
    Where bodies are multiplied (the square of a sum), every factor needs indices of its own.
    """
    return opened(binder)


def close(kind: type[Binder], body: Expr, bound: Iterable[Index]) -> Expr:
    """The binder of ``body`` over ``bound``, with canonical names, whatever the order and letters given.

    Names count from the deepest binder outwards.  Where several bound indices occur in the same places, every order
    is tried and the least kept: these groups are small.
    """
    bound = list(bound)
    if not bound:
        return body
    start, best = _height(body) + 1, None
    for order in _orders(body, bound):
        renaming = {index: Index(f"{BOUND_MARK}{start + k}", index.dimension) for k, index in enumerate(order)}
        candidate = _reclose(swap(body, renaming))
        rank = _structure(candidate)
        if best is None or rank < best[0]:
            best = rank, cast(Expr, kind(candidate, *renaming.values()))
    return best[1] if best else body


def rebuild(expression: Expr, change: Callable[[Expr], Expr]) -> Expr:
    """``expression`` with ``change`` applied to its children; binders are opened before and closed after."""
    if isinstance(expression, Binder):
        body, bound = opened_once(expression)
        return close(type(expression), change(body), bound)
    if is_leaf(expression):
        return expression
    return cast(Expr, expression.func(*[change(cast(Expr, a)) for a in expression.args]))


def is_leaf(expression: Expr) -> bool:
    """Whether an expression has no scalar expression inside it."""
    return not expression.args or isinstance(expression, Entry | Delta | Partial)


def replace(expression: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """``expression`` with the outermost parts for which ``change`` has an answer replaced by it."""
    answer = change(expression)
    return rebuild(expression, lambda e: replace(e, change)) if answer is None else answer


def rename(expression: Expr, renaming: Mapping[Index, Index]) -> Expr:
    """``expression`` with free indices renamed, and its binders canonical again."""
    return _reclose(swap(expression, renaming))


@remember
def _height(expression: Expr) -> int:
    """The largest number that a binder inside has used."""
    heights = [_height(cast(Expr, a)) for a in expression.args]
    if isinstance(expression, Binder):
        heights += [int(i.name[len(BOUND_MARK) :]) for i in expression.bound if i.bound]
    return max(heights, default=0)


@remember
def _structure(expression: Expr) -> tuple[Any, ...]:
    """A key that orders expressions by what they are, independently of the process."""
    name = "" if expression.args else str(expression)
    return (type(expression).__name__, name, *(_structure(cast(Expr, a)) for a in expression.args))


def _orders(body: Expr, bound: list[Index]) -> Iterator[list[Index]]:
    """The orders of the bound indices worth trying: indices that occur in different places are never exchanged."""
    if len(bound) == 1:
        yield bound
        return
    groups: dict[Any, list[Index]] = {}
    for index in bound:
        groups.setdefault((str(index.dimension), tuple(sorted(_places(body, index)))), []).append(index)
    choices = [_arrangements(body, groups[place]) for place in sorted(groups)]
    for choice in itertools.product(*choices):
        yield [index for group in choice for index in group]


def _arrangements(body: Expr, group: list[Index]) -> list[tuple[Index, ...]]:
    """The orders of indices that occur in the same places; one is enough where exchanging any two changes nothing."""
    if all(swap(body, {a: b, b: a}) == body for a, b in itertools.pairwise(group)):
        return [tuple(group)]
    return list(itertools.permutations(group))


def _places(expression: Expr, index: Index) -> Iterator[tuple[str, ...]]:
    """Where an index occurs: the nodes on the way to it, and the axis where it stands."""
    if expression == index:
        yield ()
    if index not in free(expression):
        return
    for position, child in enumerate(expression.args):
        here = f"{expression.name},{position}" if isinstance(expression, Entry) else type(expression).__name__
        for rest in _places(cast(Expr, child), index):
            yield (here, *rest)


def _reclose(expression: Expr) -> Expr:
    """Canonical again after a renaming: only the order of binders over several indices can have changed."""
    if not any(len(binder.args) > 2 for binder in expression.atoms(Binder)):
        return expression
    return rebuild(expression, _reclose)
