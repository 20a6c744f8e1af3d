"""Which factors and terms does one have too many?  A number, a function of the sizes, an array that fits."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from sympy import Integer, Rational, S, tanh

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change, Scene
from minitorch.symbolic.claims.terms import Node
from minitorch.symbolic.expression import Entry, Index
from minitorch.symbolic.functions import sigmoid

MINUS = Node("number", S.NegativeOne)
TIMES = "times"  # the note of a change whose `after` multiplies its `before`
OVER = "over"  # the same, where it divides
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


def without(node: Node, position: int) -> Node:
    """A sum of terms or product with one of its parts left out."""
    rest = (*node.parts[:position], *node.parts[position + 1 :])
    return rest[0] if len(rest) == 1 else Node(node.kind, None, rest)


def scaled(term: Node, scene: Scene) -> Iterator[Change]:
    """A term with a factor too many: a number, one that was measured, a function of the sizes, or an array."""
    for factor in (*scene.factors, *(Node("number", c) for c in _CONSTANTS)):
        yield Change(Node("mul", None, (factor, term)), Cause.SCALED, term, factor, 1.5, note=TIMES)
    for size in scene.dimensions:
        n = Node("size", size)
        for factor in (n, *(power_of(n, e) for e in (-1, Rational(1, 2), Rational(-1, 2)))):
            yield Change(Node("mul", None, (factor, term)), Cause.SCALED, term, factor, 2.1, note=TIMES)
    already = {base.word for base in _bases(term) if base.kind == "read"}
    for read in reads(scene):
        power = read.word in already
        extra = Cause.WRONG_POWER if power else Cause.EXTRA_FACTOR
        yield Change(Node("mul", None, (term, read)), extra, term, read, 2.0, (Cause.EXTRA_FACTOR,), note=TIMES)
        # A term that is divided by an array lacks it as a factor: that is how it came about.
        lacking = Cause.WRONG_POWER if power else Cause.MISSING_FACTOR
        over = Node("mul", None, (term, power_of(read, -1)))
        yield Change(over, lacking, term, read, 2.2, (Cause.MISSING_FACTOR, Cause.EXTRA_FACTOR), note=OVER)
    for slope in slopes(scene):
        also = (Cause.WRONG_DERIVATIVE,)
        yield Change(Node("mul", None, (term, slope)), Cause.EXTRA_FACTOR, term, slope, 2.1, also, note=TIMES)


def _bases(term: Node) -> list[Node]:
    """The factors of a product, without their powers."""
    factors = term.parts if term.kind == "mul" else (term,)
    return [factor.parts[0] if factor.kind == "pow" else factor for factor in factors]


def slopes(scene: Scene) -> Iterator[Node]:
    """The derivatives of the activations in the forward pass, whose letters are in scope."""
    one = Node("number", S.One)
    for value in (scene.value, *(line.value for line in scene.definitions.values())):
        for part in value.walk():
            if part.kind == "call" and part.word in (tanh, sigmoid) and part.free <= set(scene.letters):
                square = power_of(part, 2)
                logistic = Node("mul", None, (part, Node("add", None, (one, negated(part)))))
                yield logistic if part.word is sigmoid else Node("add", None, (one, negated(square)))


def power_of(node: Node, exponent) -> Node:
    """A tree to the power of a number."""
    return Node("pow", None, (node, Node("number", S(exponent))))


def reads(scene: Scene) -> Iterator[Node]:
    """Every array that fits on the letters in scope."""
    for entry in scene.arrays.values():
        if entry.indices or entry.name in scene.definitions:
            for letters in _fitting(entry.dimensions, scene):
                yield Node("read", Entry(entry.symbol, *letters))


def _fitting(sizes, scene: Scene) -> Iterator[tuple[Index, ...]]:
    """The ways to put letters in scope on the axes of an array; the two first ones only."""
    options = [p for p in permutations(scene.letters, len(sizes)) if all(map(_runs_over, p, sizes))]
    yield from options[:2]


def _runs_over(index: Index, size) -> bool:
    return index.dimension == size
