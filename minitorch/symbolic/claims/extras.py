"""Which factors and terms does one have too many?  A number, a function of the sizes, an array that fits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from sympy import Integer, Rational, S

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change, Scene
from minitorch.symbolic.claims.terms import Node
from minitorch.symbolic.expression import Entry, Index

MINUS = Node("number", S.NegativeOne)
TIMES = "times"  # the note of a change whose `after` multiplies its `before`
_CONSTANTS = (Integer(2), Rational(1, 2))


def negated(node: Node) -> Node:
    """Minus a tree."""
    if node.kind == "mul" and any(is_minus(f) for f in node.parts):
        left = [f for f in node.parts if not is_minus(f)]
        return left[0] if len(left) == 1 else Node("mul", None, tuple(left))
    return Node("mul", None, (MINUS, node))


def is_minus(node: Node) -> bool:
    """Whether a node is the number -1."""
    return node.kind == "number" and node.word == -1


def scaled(term: Node, scene: Scene) -> Iterator[Change]:
    """A term with a factor too many: a number, a function of the sizes, or an array."""
    factors = [*scene.factors, *(Node("number", c) for c in _CONSTANTS)]
    for size in scene.dimensions:
        n = Node("size", size)
        less = Node("add", None, (n, MINUS))
        factors += [n, *(power_of(n, e) for e in (-1, Rational(1, 2), Rational(-1, 2)))]
        factors += [Node("mul", None, (n, power_of(less, -1))), Node("mul", None, (less, power_of(n, -1)))]
    for factor in factors:
        yield Change(Node("mul", None, (factor, term)), Cause.SCALED, term, factor, 1.6, note=TIMES)
    for read in reads(scene):
        yield Change(Node("mul", None, (term, read)), Cause.EXTRA_FACTOR, term, read, 2.0)


def power_of(node: Node, exponent) -> Node:
    """A tree to the power of a number."""
    return Node("pow", None, (node, Node("number", S(exponent))))


def reads(scene: Scene) -> Iterator[Node]:
    """Every array that fits on the letters in scope."""
    for entry in scene.arrays.values():
        if entry.indices:
            for letters in _fitting(entry.dimensions, scene):
                yield Node("read", Entry(entry.symbol, *letters))


def _fitting(sizes, scene: Scene) -> Iterator[tuple[Index, ...]]:
    """The ways to put letters in scope on the axes of an array; the two first ones only."""
    options = [p for p in permutations(scene.letters, len(sizes)) if all(map(_runs_over, p, sizes))]
    yield from options[:2]


def _runs_over(index: Index, size) -> bool:
    return index.dimension == size
