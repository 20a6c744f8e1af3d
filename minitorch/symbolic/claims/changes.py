"""Which mistakes does one make in a formula?  Every change of one part, each with the kind of mistake that it is.

A term or factor left out, a sign, an array for another, a sum that runs elsewhere, a power, a function, a constant: one
function for each kind of node, and the changes of the parts inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations

from sympy import Integer, S

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.change import Change, Scene
from minitorch.symbolic.claims.extras import MINUS, is_minus, negated, power_of, reads, scaled, without
from minitorch.symbolic.claims.leaves import of_call, of_delta, of_number, of_power, of_size
from minitorch.symbolic.claims.reductions import changes_of_maximum, changes_of_sum, summed
from minitorch.symbolic.claims.terms import Node, rebuilt, renamed, tree_of
from minitorch.symbolic.expression import Entry
from minitorch.symbolic.functions import sigmoid

_MOST_CONSTANTS = 4


def changes(node: Node, scene: Scene) -> Iterator[Change]:
    """Every change of one part of a tree."""
    yield from _HERE.get(node.kind, _nothing)(node, scene)
    inner = scene.within(node.word) if node.kind in ("sum", "max") else scene
    for position, part in enumerate(node.parts):
        for change in changes(part, inner):
            if node.kind == "delta":
                change = replace(change, cause=Cause.SHIFTED, before=part, after=change.tree, weight=1.6, also=())
            yield change.inside(node, position)


def changes_of_line(node: Node, scene: Scene) -> Iterator[Change]:
    """Every change of one part of a line's value, and those of the value as a whole."""
    yield Change(negated(node), Cause.WRONG_SIGN, node, negated(node), 0.9)
    if node.kind != "add":
        yield from scaled(node, scene)
    yield from changes(node, scene)
    for a, b in combinations(sorted((node.names & frozenset(scene.arrays)) - scene.targets), 2):
        if scene.arrays[a].dimensions == scene.arrays[b].dimensions:
            exchanged = _exchanged(node, scene.arrays[a], scene.arrays[b])
            yield Change(exchanged, Cause.WRONG_ARRAY, node, exchanged, 1.9)
    for other in reads(scene):
        for term in (other, negated(other)):
            yield Change(Node("add", None, (node, term)), Cause.EXTRA_TERM, None, term, 2.5)


def _exchanged(node: Node, a: Entry, b: Entry) -> Node:
    """A tree in which two arrays stand for each other."""
    if node.kind == "read":
        other = {a.name: b, b.name: a}.get(node.word.name)
        return node if other is None else Node("read", Entry(other.symbol, *node.word.indices))
    return Node(node.kind, node.word, tuple(_exchanged(part, a, b) for part in node.parts))


def _nothing(node: Node, scene: Scene) -> Iterator[Change]:
    return iter(())


def _of_total(node: Node, scene: Scene) -> Iterator[Change]:
    slope = _is_slope(node)
    for k, term in enumerate(node.parts):
        also = (Cause.WRONG_DERIVATIVE, Cause.MISSING_TERM) if slope else ()
        yield Change(without(node, k), _left_out(term, scene, slope), term, None, 1.0 + slope, also)
        turned = negated(term)
        yield Change(rebuilt(node, k, turned), Cause.WRONG_SIGN, term, turned, 1.0, also)
        for change in scaled(term, scene):
            yield change.inside(node, k)


def _left_out(term: Node, scene: Scene, slope: bool) -> Cause:
    if scene.is_small(term):
        return Cause.EPSILON
    if scene.is_mask(term):
        return Cause.DROPPED_MASK
    return Cause.WRONG_DERIVATIVE if slope and term.kind == "number" else Cause.MISSING_TERM


def _is_slope(node: Node) -> bool:
    """Whether a sum is the derivative of a function in terms of its value: 1 - h**2, 1 - s."""
    constant = any(term.kind == "number" and abs(float(term.word)) >= 0.5 for term in node.parts)
    alone = len({part.word for part in node.walk() if part.kind == "read"}) == 1
    return node.kind == "add" and constant and alone and not any(part.kind == "sum" for part in node.walk())


def _is_complement(node: Node) -> bool:
    """Whether a sum is 1 - z, which stands for a closed gate as well as for a part of a derivative."""
    return _is_slope(node) and len(node.parts) == 2 and not any(part.kind == "pow" for part in node.walk())


def _of_product(node: Node, scene: Scene) -> Iterator[Change]:
    for k, factor in enumerate(node.parts):
        if not is_minus(factor):
            yield Change(without(node, k), *_factor_left_out(node, factor, scene))
        if factor.kind in ("read", "add", "call"):
            for power, weight in ((Integer(2), 2.2), (Integer(-1), 2.4)):
                raised = Node("pow", None, (factor, Node("number", power)))
                yield Change(rebuilt(node, k, raised), Cause.WRONG_POWER, factor, raised, weight)
    yield from _constants_left_out(node)
    yield from _means_elsewhere(node, scene)
    yield from _other_slopes(node)


def _factor_left_out(node: Node, factor: Node, scene: Scene) -> tuple[Cause, Node, None, float, tuple[Cause, ...]]:
    if not factor.free and not factor.names:
        sizes = {part.word for part in factor.walk() if part.kind == "size"}
        over = {i.dimension for part in node.walk() if part.kind == "sum" for i in part.word}
        over |= {i.dimension for i in scene.letters if i not in scene.target}
        mean = factor.kind == "pow" and bool(sizes & over) and float(factor.parts[1].word) == -1
        return (Cause.SUM_FOR_MEAN if mean else Cause.SCALED, factor, None, 1.1, (Cause.SCALED, Cause.MISSING_FACTOR))
    if scene.is_mask(factor):
        return Cause.DROPPED_MASK, factor, None, 1.0, (Cause.MISSING_FACTOR,)
    if _is_complement(factor) and not any(f.names == factor.names for f in node.parts if f is not factor):
        return Cause.MISSING_FACTOR, factor, None, 1.0, (Cause.WRONG_DERIVATIVE,)
    if _is_slope(factor):
        return Cause.WRONG_DERIVATIVE, factor, None, 1.0, (Cause.MISSING_FACTOR,)
    return Cause.MISSING_FACTOR, factor, None, 1.0, ()


def _constants_left_out(node: Node) -> Iterator[Change]:
    """Several constants at once, such as sqrt(2 / pi), and what a negative number has beside its sign."""
    constants = [k for k, f in enumerate(node.parts) if f.kind in ("number", "pow") and _is_constant(f)]
    for count in range(2, len(constants) + 1 if len(constants) <= _MOST_CONSTANTS else 0):
        for chosen in combinations(constants, count):
            left = tuple(f for k, f in enumerate(node.parts) if k not in chosen) or (Node("number", S.One),)
            gone = Node("mul", None, tuple(node.parts[k] for k in chosen))
            tree = left[0] if len(left) == 1 else Node("mul", None, left)
            yield Change(tree, Cause.SCALED, gone, None, 1.2, (Cause.WRONG_NUMBER, Cause.MISSING_FACTOR))
    for k in constants:
        factor = node.parts[k]
        if factor.kind == "number" and factor.word < 0 and factor.word != -1:
            also = (Cause.WRONG_NUMBER, Cause.MISSING_FACTOR)
            yield Change(rebuilt(node, k, MINUS), Cause.SCALED, Node("number", -factor.word), None, 1.1, also)


def _is_constant(node: Node) -> bool:
    return not is_minus(node) and all(part.kind in ("number", "pow", "mul", "add") for part in node.walk())


def _means_elsewhere(node: Node, scene: Scene) -> Iterator[Change]:
    """A mean that is taken over another axis, and divided by the size of that one."""
    for k, factor in enumerate(node.parts):
        if factor.kind != "sum" or len(factor.word) != 1:
            continue
        size = factor.word[0].dimension
        for q, other in enumerate(node.parts):
            if other.kind == "pow" and other.parts[0].word == size:
                for change in changes_of_sum(factor, scene):
                    if change.cause == Cause.WRONG_AXIS:
                        by = power_of(tree_of(change.tree.word[0].dimension), -1)
                        tree = rebuilt(rebuilt(node, k, change.tree), q, by)
                        yield Change(tree, Cause.WRONG_AXIS, node, tree, 1.2)


def _other_slopes(node: Node) -> Iterator[Change]:
    """s (1 - s) of the logistic function for 1 - h**2 of tanh, and the reverse."""
    one = Node("number", S.One)
    for k, factor in enumerate(node.parts):
        inside = [p for p in factor.walk() if p.kind == "read"]
        if not _is_slope(factor) or len({p.word for p in inside}) != 1:
            continue
        value = inside[0]
        square = Node("pow", None, (value, Node("number", Integer(2))))
        logistic = Node("mul", None, (value, Node("add", None, (one, negated(value)))))
        hyperbolic = Node("add", None, (one, negated(square)))
        also = (Cause.MISSING_FACTOR, Cause.WRONG_POWER)
        gate = _is_complement(factor) and not any(f.kind == "read" and f.word == value.word for f in node.parts)
        yield Change(rebuilt(node, k, logistic), Cause.WRONG_DERIVATIVE, factor, logistic, 1.8, also)
        cause = Cause.WRONG_ARRAY if gate else Cause.WRONG_DERIVATIVE
        yield Change(rebuilt(node, k, value), cause, factor, value, 1.8, also)
        position = next((q for q, f in enumerate(node.parts) if f.kind == "read" and f.word == value.word), None)
        if position is not None:
            left = without(node, position)
            here = k - (position < k)
            whole = rebuilt(left, here, hyperbolic) if left.kind == "mul" and len(node.parts) > 2 else hyperbolic
            yield Change(whole, Cause.WRONG_DERIVATIVE, factor, hyperbolic, 1.8, also)


def _of_read(node: Node, scene: Scene) -> Iterator[Change]:
    entry: Entry = node.word
    for a, b in combinations(range(len(entry.indices)), 2):
        letters = list(entry.indices)
        if letters[a] != letters[b] and scene.same(letters[a].dimension, letters[b].dimension):
            letters[a], letters[b] = letters[b], letters[a]
            turned = Node("read", Entry(entry.symbol, *letters))
            yield Change(turned, Cause.READ_TRANSPOSED, node, turned, 1.3)
    for known in scene.arrays.values():
        fits = len(known.indices) == len(entry.indices) and all(map(scene.same, known.dimensions, entry.dimensions))
        if known.name != entry.name and fits:
            other = Node("read", Entry(known.symbol, *entry.indices))
            near = _one_step_apart(known.name, entry.name, scene)
            cause, weight = (Cause.BEFORE_AFTER, 1.5) if near else (Cause.WRONG_ARRAY, 1.6)
            yield Change(other, cause, node, other, weight, (Cause.WRONG_ARRAY,) if near else ())
    line = scene.definitions.get(entry.name)
    if line is not None and line.value.kind == "call" and line.value.word is sigmoid:
        closed = Node("add", None, (Node("number", S.One), negated(node)))
        yield Change(closed, Cause.WRONG_ARRAY, node, closed, 1.8, (Cause.WRONG_SIGN, Cause.EXTRA_TERM))
    yield from _other_letters(node, scene)
    yield from _of_inlined(node, scene)
    if entry.indices:
        yield from summed(node, scene)


def _one_step_apart(a: str, b: str, scene: Scene) -> bool:
    """Whether one of two arrays is a function of the other alone, as an activation is of what goes into it."""
    for value, argument in ((a, b), (b, a)):
        line = scene.definitions.get(value)
        if line is not None and line.value.names == {argument}:
            return True
    return False


def _other_letters(node: Node, scene: Scene) -> Iterator[Change]:
    """An array read at another index of the same dimension."""
    entry: Entry = node.word
    for axis, index in enumerate(entry.indices):
        for letter in scene.letters:
            if letter not in entry.indices and scene.same(letter.dimension, index.dimension):
                letters = (*entry.indices[:axis], letter, *entry.indices[axis + 1 :])
                other = Node("read", Entry(entry.symbol, *letters))
                yield Change(other, Cause.WRONG_AXIS, node, other, 2.2, (Cause.READ_TRANSPOSED,))


def _of_inlined(node: Node, scene: Scene) -> Iterator[Change]:
    """A saved sum, such as the normaliser of softmax, that was taken over another axis where it is used."""
    line = scene.definitions.get(node.word.name)
    if line is None or not any(part.kind == "sum" for part in line.value.walk()):
        return
    if len(set(node.word.indices)) < len(node.word.indices):
        return
    value = _with_spare_letters(line.value, scene)
    inlined = renamed(value, dict(zip(line.indices, node.word.indices, strict=True)))
    for change in changes(inlined, scene):
        if change.cause in (Cause.WRONG_AXIS, Cause.NOT_SUMMED):
            yield change


def _with_spare_letters(node: Node, scene: Scene) -> Node:
    """A tree whose sums are over letters that are used nowhere else; sums in sums keep theirs."""
    parts = tuple(_with_spare_letters(part, scene) for part in node.parts)
    if node.kind != "sum" or any(part.kind == "sum" for part in node.parts[0].walk()):
        return Node(node.kind, node.word, parts)
    apart = {i: scene.frame.second[i.dimension] for i in node.word}
    return Node("sum", tuple(apart.values()), (renamed(node.parts[0], apart),)) if len(apart) == 1 else node


_HERE: dict[str, Callable[[Node, Scene], Iterator[Change]]] = {
    "add": _of_total,
    "mul": _of_product,
    "read": _of_read,
    "pow": of_power,
    "call": of_call,
    "number": of_number,
    "size": of_size,
    "delta": of_delta,
    "sum": changes_of_sum,
    "max": changes_of_maximum,
}
