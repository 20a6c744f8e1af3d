r"""Do two formulas agree at random points of a finite field?

Evaluated exactly modulo $p = 2^{61}-1$ (:mod:`minitorch.symbolic.field_point`), at random small sizes, with random
entries.  Two different rational functions of total degree $d$ agree at a random point with probability at most $d/p$.

The check shares no code with the normal form: definitions are evaluated where they are read, sums are added up.
Agreement is strong evidence; *disagreement is not a refutation*, since oracles know no identities
($\sin 2x = 2 \sin x \cos x$).

Source: Schwartz, *Fast probabilistic algorithms for verification of polynomial identities*, J. ACM 27 (1980).
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from typing import cast

from sympy import Expr, Symbol

from minitorch.symbolic.expression import (
    Binder,
    Delta,
    Entry,
    Index,
    dimensions,
    free,
    remember,
    size_of,
)
from minitorch.symbolic.field_point import FieldPoint, Unlucky, Unsupported
from minitorch.symbolic.program import Definition
from minitorch.symbolic.sampling import axes_of, has_arrays
from minitorch.symbolic.selection import Selected

METHOD = "random field GF(2^61-1), {trials} trials"
_RETRIES = 60  # a point may hit a pole or a number without a square root; then another one is drawn
_PLACES = 32  # of an expression with deltas are tried at every point


def agree_in_field(
    a: Expr, b: Expr, definitions: Sequence[Definition] = (), trials: int = 3, largest: int = 4, seed: int = 0
) -> bool | None:
    """Whether two expressions agree at random points; None if they cannot be evaluated there.

    Arguments:
        definitions: what defined names that occur in them mean.
        trials: the number of points.
        largest: sizes are drawn from 2 to this.
    """
    draw = random.Random(seed)
    indices = sorted(free(a) | free(b), key=str)
    read = (a, b, *(d.value for d in definitions))
    symbols, axes = sorted(frozenset().union(*map(dimensions, (*read, *indices))), key=str), axes_of(read)
    # Without deltas all places are alike; with them, a claim may be false at the border or on the diagonal alone.
    most = _PLACES if any(e.has(Delta, Selected) or _counts(e) for e in read) else 1
    done = 0
    for attempt in range(_RETRIES * trials):
        # Where most points are unlucky, small sizes have fewer numbers that need a square root.
        at_most = largest if attempt < _RETRIES * trials // 2 else 2
        sizes = {symbol: draw.randint(2, at_most) for symbol in symbols}
        if not has_arrays(axes, sizes):
            continue
        point = FieldPoint(sizes, definitions, seed=1000 * seed + attempt)
        try:
            for place in _some_places(indices, sizes, draw, most):
                if point.value(a, place) != point.value(b, place):
                    return False
        except Unlucky:
            continue
        except Unsupported:
            return None
        done += 1
        if done == trials:
            return True
    return None


def _some_places(
    indices: Sequence[Index], sizes: Mapping[Symbol, int], draw: random.Random, most: int
) -> list[dict[Index, int]]:
    """All places of the free indices, or as many as ``most`` drawn at random."""
    ranges = [range(size_of(index.dimension, sizes)) for index in indices]
    places = list(itertools.product(*ranges)) if math.prod(map(len, ranges)) <= most else None
    if places is None:
        places = [tuple(draw.choice(values) for values in ranges) for _ in range(most)]
    return [dict(zip(indices, place, strict=True)) for place in places]


@remember
def _counts(e: Expr) -> bool:
    """Whether an index stands as a number somewhere, not on an axis."""
    if isinstance(e, Entry | Delta):
        return False
    return isinstance(e, Index) or any(
        _counts(cast(Expr, a)) for a in (e.args[:1] if isinstance(e, Binder) else e.args)
    )
