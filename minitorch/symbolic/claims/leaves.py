"""Which mistakes does one make with a power, a function, a constant, a size or a place?"""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Rational, S, cos, erf, exp, sin, tanh

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change, Scene
from minitorch.symbolic.claims.extras import MINUS, is_minus, negated, power_of, without
from minitorch.symbolic.claims.terms import Node, rebuilt, tree_of
from minitorch.symbolic.functions import maximum, sigmoid, step

_OTHERS = {tanh: (sigmoid,), sigmoid: (tanh,), exp: (), erf: (tanh,), sin: (cos,), cos: (sin,)}


def of_power(node: Node, scene: Scene) -> Iterator[Change]:
    """Another exponent, and an epsilon outside the root."""
    base, exponent = node.parts
    if exponent.kind != "number":
        return
    e = exponent.word
    for other in dict.fromkeys((e + 1, e - 1, 2 * e, e / 2, -e, S.One)):
        if other not in (0, e):
            raised = base if other == 1 else power_of(base, other)
            scale = not base.names
            cause = Cause.SCALED if scale else Cause.WRONG_POWER
            yield Change(
                raised, cause, node, raised, 1.3 if other in (2 * e, e / 2, e + 1) else 1.5, (Cause.WRONG_POWER,)
            )
    small = [k for k, term in enumerate(base.parts) if base.kind == "add" and scene.is_small(term)]
    if small and not e.is_Integer:
        inside = power_of(without(base, small[0]), Rational(1, 2))
        outside = power_of(Node("add", None, (inside, base.parts[small[0]])), 2 * e)
        yield Change(outside, Cause.EPSILON, node, outside, 1.0)


def of_call(node: Node, scene: Scene) -> Iterator[Change]:
    """A function left out, of the opposite argument, or another one."""
    argument = node.parts[0]
    yield Change(argument, Cause.BEFORE_AFTER, node, argument, 2.0, (Cause.WRONG_DERIVATIVE, Cause.WRONG_ARRAY))
    turned = Node("call", node.word, (negated(argument), *node.parts[1:]))
    yield Change(turned, Cause.WRONG_SIGN, node, turned, 2.0, (Cause.WRONG_DERIVATIVE,))
    if node.word is step:
        kept = Node("call", maximum, (argument, Node("number", S.Zero)))
        yield Change(kept, Cause.WRONG_DERIVATIVE, node, kept, 1.6, (Cause.BEFORE_AFTER, Cause.WRONG_ARRAY))
    for other in _OTHERS.get(node.word, ()):
        called = Node("call", other, (argument,))
        yield Change(called, Cause.WRONG_DERIVATIVE, node, called, 2.0)


def of_number(node: Node, scene: Scene) -> Iterator[Change]:
    """Another constant."""
    if is_minus(node):
        return
    c = node.word
    for other in dict.fromkeys((2 * c, c / 2, 3 * c, c / 3, c**2, -c, c + 1, c - 1)):
        if other not in (0, c):
            changed = Node("number", other)
            cause = Cause.EPSILON if scene.is_small(node) else Cause.WRONG_NUMBER
            yield Change(changed, cause, node, changed, 2.3)


def of_size(node: Node, scene: Scene) -> Iterator[Change]:
    """The size of another dimension, and one less."""
    for size in scene.dimensions:
        if size != node.word:
            other = Node("size", size)
            yield Change(other, Cause.SCALED, node, other, 1.5, (Cause.WRONG_NUMBER,))
    less = Node("add", None, (node, MINUS))
    yield Change(less, Cause.SCALED, node, less, 1.7, (Cause.WRONG_NUMBER,))


def of_delta(node: Node, scene: Scene) -> Iterator[Change]:
    """A place one further or one before, or counted from the other end."""
    place = node.parts[0]
    for by in (S.One, S.NegativeOne):
        moved = Node("delta", None, (Node("add", None, (place, Node("number", by))), *node.parts[1:]))
        yield Change(moved, Cause.SHIFTED, node, moved, 1.4)
    for part in place.parts if place.kind == "add" else ():
        letter = next((p for p in part.walk() if p.kind == "index"), None)
        if letter is not None:
            end = Node("add", None, (tree_of(letter.word.dimension), MINUS, negated(letter)))
            flipped = Node("mul", None, (MINUS, end)) if part is not letter else end
            exchanged = rebuilt(place, place.parts.index(part), flipped)
            turned = Node("delta", None, (exchanged, *node.parts[1:]))
            yield Change(turned, Cause.SHIFTED, node, turned, 1.4)
