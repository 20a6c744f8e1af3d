r"""Which adjoints are worth a definition of their own?

An adjoint that is used once, such as $dZ$ of a softmax, only hides the formula one knows,
$dA = P \odot (dP - \operatorname{rowsum}(dP \odot P))$.  It is substituted where that does not cost more arithmetic,
counted as the volume of all loops with one size for every dimension, and does not read more saved arrays.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import cast

import sympy
from sympy import Add, Expr, Mul

from minitorch.symbolic.calculus import readable
from minitorch.symbolic.expression import Sum, free, names
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.saved import reuse_saved

_SIZE = 64  # of every dimension, in the estimate of the cost
_DEARER = 1.3  # how much more arithmetic one saved array fewer may cost


def tidy(
    adjoints: Sequence[Definition], forward: Sequence[Definition], wanted: Collection[str]
) -> tuple[Definition, ...]:
    """The adjoints with those substituted that do not pay for themselves; the ``wanted`` ones stay."""
    kept, position = list(adjoints), 0
    while position < len(kept):
        candidate = kept[position]
        if candidate.name not in wanted:
            without = _substituted(kept, candidate, forward)
            if _better(without, kept, {d.name for d in forward}):
                kept = without
                continue
        position += 1
    return tuple(kept)


def _substituted(kept: list[Definition], gone: Definition, forward: Sequence[Definition]) -> list[Definition]:
    result = []
    for definition in kept:
        if definition is gone:
            continue
        value = definition.value
        if gone.name in names(value):
            value = readable(reuse_saved(inline(value, [gone]), forward))
        result.append(Definition(definition.target, value))
    return result


def _better(new: list[Definition], old: list[Definition], forward: set[str]) -> bool:
    fewer = len(_reads(new) & forward) - len(_reads(old) & forward)
    limit = _DEARER if fewer < 0 else 1.0
    return fewer <= 0 and sum(map(_cost, new)) <= limit * sum(map(_cost, old))


def _reads(definitions: list[Definition]) -> frozenset[str]:
    return frozenset().union(*(names(d.value) for d in definitions))


def _cost(definition: Definition) -> int:
    parts = cast("list[Expr]", list(sympy.preorder_traversal(definition.value)))
    return sum(_operations(part) for part in set(parts)) + _SIZE ** len(definition.indices)


def _operations(part: Expr) -> int:
    """Multiplications and additions of one node, over all values of its free indices."""
    if isinstance(part, Sum):
        return _SIZE ** (len(free(part)) + len(part.bound))
    if isinstance(part, Add | Mul):
        return _SIZE ** len(free(part)) * (len(part.args) - 1)
    return 0
