r"""Which mistakes does one make with a sum?  Over another axis, not at all, one too many, or a mean instead.

$$ \sum_k P_{ik}\,dP_{ik} \quad\text{becomes}\quad \sum_k P_{kj}\,dP_{kj}, \qquad P_{ij}\,dP_{ij}, \qquad
   \frac{1}{m}\sum_k P_{ik}\,dP_{ik} . $$
"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import S

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change, Scene
from minitorch.symbolic.claims.terms import Node, renamed, tree_of
from minitorch.symbolic.expression import Index


def mean_over(index: Index, node: Node) -> Node:
    """A tree divided by the size of an index."""
    return Node("mul", None, (Node("pow", None, (tree_of(index.dimension), Node("number", S.NegativeOne))), node))


def changes_of_sum(node: Node, scene: Scene) -> Iterator[Change]:
    """A sum that is a mean, is not taken, or runs over another axis."""
    for index in node.word:
        averaged = mean_over(index, node)
        yield Change(averaged, Cause.MEAN_FOR_SUM, node, averaged, 1.4, (Cause.SCALED,))
        for letter in scene.letters:
            if letter not in node.word and scene.same(letter.dimension, index.dimension):
                yield from _at(node, index, letter, scene)

    yield from summed(node, scene)


def _at(node: Node, index: Index, letter: Index, scene: Scene) -> Iterator[Change]:
    """The sum over ``index`` left out, with ``letter`` in its place, or taken over another letter instead."""
    rest = tuple(i for i in node.word if i != index)
    here = renamed(node.parts[0], {index: letter})
    kept = Node("sum", rest, (here,)) if rest else here
    yield Change(kept, Cause.NOT_SUMMED, node, kept, 1.2, (Cause.WRONG_AXIS, Cause.MISSING_TERM))
    for other in scene.letters:
        if other != letter and other in node.free:
            spare = scene.frame.spare[other.dimension]
            elsewhere = renamed(node.parts[0], {index: letter, other: spare})
            moved = Node("sum", (spare, *rest), (elsewhere,))
            yield Change(moved, Cause.WRONG_AXIS, node, moved, 1.2)


def changes_of_maximum(node: Node, scene: Scene) -> Iterator[Change]:
    """A maximum over another axis does not change a shift invariant value; nothing is tried."""
    return iter(())


def summed(node: Node, scene: Scene) -> Iterator[Change]:
    """A part that is summed, or averaged, over a letter that should be kept."""
    for letter in scene.letters:
        if letter in node.free:
            spare = scene.frame.spare[letter.dimension]
            total = Node("sum", (spare,), (renamed(node, {letter: spare}),))
            yield Change(total, Cause.SUMMED, node, total, 1.9)
            averaged = mean_over(letter, total)
            yield Change(averaged, Cause.SUMMED, node, averaged, 2.1)
