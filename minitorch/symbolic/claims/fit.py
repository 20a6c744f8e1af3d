r"""Is a claimed gradient a combination of the right terms, with other coefficients?

$$ \text{claimed} = \sum_t c_t\, \text{term}_t, \qquad c_t = 1 \text{ where it is right}, $$

fitted by least squares at several sizes; each coefficient is then named as a function of the dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sympy import Add, Expr

from minitorch.symbolic.claims.factors import named_factor
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.claims.terms import Frame, Line, Values, line_of
from minitorch.symbolic.claims.worlds import World
from minitorch.symbolic.expression import Entry
from minitorch.symbolic.normal import normal_form
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.reverse import gradient_name

_NAMED_AT_LEAST = 3  # worlds, below which a coefficient is not named
_MOST_TERMS = 12


@dataclass(frozen=True)
class Coefficient:
    """A term of the right gradient and what it is multiplied by in the claimed one; None if that has no name."""

    term: Expr
    factor: Expr | None
    numbers: tuple[float, ...]


def ratio(worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float) -> Coefficient | None:
    """The factor by which all of a gradient is too large, if that is all that is wrong with it."""
    found, at = [], []
    for world, array in zip(worlds, claimed, strict=True):
        right = world.right(name)
        norm = float((right * right).sum())
        if array.shape != right.shape or norm == 0 or not np.isfinite(array).all():
            return None
        factor = float((array * right).sum()) / norm
        if np.abs(array - factor * right).max() > 10 * limit * max(np.abs(array).max(), np.abs(right).max()):
            return None
        if right.size > 1:
            found.append(factor)
            at.append(world.sizes)
    if len(found) < _NAMED_AT_LEAST:
        return None
    whole = worlds[0].subject.entries[gradient_name(name)]
    return Coefficient(whole, named_factor(found, at), tuple(found))


def terms_of(subject: Subject, name: str) -> tuple[Expr, ...]:
    """The terms of a gradient, with everything distributed, in saved values."""
    definitions = subject.backward.definitions
    wanted = subject.backward.definition(gradient_name(name))
    return tuple(Add.make_args(normal_form(inline(wanted.value, definitions))))


def fitted(worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float) -> list[Coefficient] | None:
    """The coefficients of the right terms in a claimed gradient; None if it is no combination of them."""
    subject = worlds[0].subject
    terms = terms_of(subject, name)
    if not 1 < len(terms) <= _MOST_TERMS:
        return None
    target = subject.entries[gradient_name(name)]
    lines = [line_of(Definition(Entry(target.symbol, *target.indices), t), subject.program.indices) for t in terms]
    frame = Frame(lines)
    columns = [_columns(world, frame, lines) for world in worlds]
    kept = [k for k in range(len(lines)) if any(np.abs(c[:, k]).max() > 1e-9 for c in columns)]
    solved = []
    for world, column, array in zip(worlds, columns, claimed, strict=True):
        matrix = column[:, kept]
        if array.shape != world.right(name).shape or np.linalg.matrix_rank(matrix, tol=1e-7) < len(kept):
            return None
        solution = np.linalg.lstsq(matrix, array.ravel(), rcond=None)[0]
        if np.abs(matrix @ solution - array.ravel()).max() > 100 * limit * max(1e-6, np.abs(array).max()):
            return None
        solved.append(solution)
    sizes = [world.sizes for world in worlds]
    return [
        Coefficient(terms[k], named_factor([s[p] for s in solved], sizes), tuple(float(s[p]) for s in solved))
        for p, k in enumerate(kept)
    ]


def _columns(world: World, frame: Frame, lines: Sequence[Line]) -> np.ndarray:
    values = Values(frame, world.arrays, world.sizes)
    return np.stack([values.fresh({}, line).ravel() for line in lines], axis=1)


def extra_array(
    worlds: Sequence[World], claimed: Sequence[np.ndarray], name: str, limit: float
) -> tuple[str, Coefficient] | None:
    """An array of the program whose multiple was added to the right gradient, such as a weight decay."""
    subject = worlds[0].subject
    target = subject.entries[gradient_name(name)]
    for other, entry in subject.entries.items():
        if other == gradient_name(name) or entry.dimensions != target.dimensions:
            continue
        factors = []
        for world, array in zip(worlds, claimed, strict=True):
            rest, added = array - world.right(name), world.array(other)
            norm = float((added * added).sum())
            factor = float((rest * added).sum()) / norm if norm else 0.0
            if np.abs(rest - factor * added).max() > 10 * limit * max(1e-6, np.abs(array).max()):
                break
            factors.append(factor)
        else:
            factor = named_factor(factors, [w.sizes for w in worlds])
            return other, Coefficient(Entry(entry.symbol, *target.indices), factor, tuple(factors))
    return None
