r"""How is a formula changed in one place, and evaluated a thousand times?

As a tree with a letter for every bound index, in which nothing is simplified when a part is exchanged:

$$ \text{mul}\big(P_{ij},\ \text{add}(dP_{ij},\ \text{mul}(-1,\ \text{sum}_k(\text{mul}(P_{ik}, dP_{ik})))\big) . $$

Every letter is one axis of every value, so that values broadcast, and the value of a part is computed once for all
trees that share it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, cast

import numpy as np
from sympy import Add, Expr, Mul, Pow, Symbol

from minitorch.symbolic.binders import close
from minitorch.symbolic.evaluate import FUNCTIONS, power
from minitorch.symbolic.expression import Binder, Delta, Entry, Index, MaxOver, Sum, size_of
from minitorch.symbolic.letters import with_letters
from minitorch.symbolic.program import Definition
from minitorch.symbolic.selection import Selected


@dataclass(frozen=True, eq=False)
class Node:
    """One node of a tree.

    Attributes:
        kind: ``read`` (word: the entry), ``number``, ``size`` (a dimension), ``index`` (a letter as a number),
            ``delta``, ``add``, ``mul``, ``pow``, ``call`` (word: the function), ``sum`` and ``max`` (word: the bound
            letters), ``selected`` (word: the letter that a maximum is taken over, and where it is asked for).
        word: what the kind says.
        parts: the nodes inside.
    """

    kind: str
    word: Any = None
    parts: tuple[Node, ...] = ()

    @cached_property
    def free(self) -> frozenset[Index]:
        """The letters that the value depends on."""
        if self.kind in ("read", "index"):
            return frozenset(cast("set[Index]", self.word.atoms(Index)))
        inside = frozenset().union(*(part.free for part in self.parts))
        if self.kind == "selected":
            return inside - {self.word[0]} | {self.word[1]}
        return inside - frozenset(self.word) if self.kind in ("sum", "max") else inside

    @cached_property
    def names(self) -> frozenset[str]:
        """The arrays that are read."""
        if self.kind == "read":
            return frozenset([self.word.name])
        return frozenset().union(*(part.names for part in self.parts))

    @cached_property
    def letters(self) -> frozenset[Index]:
        """Every letter, bound ones too."""
        own = frozenset(self.word) if self.kind in ("sum", "max", "selected") else self.free
        return own.union(*(part.letters for part in self.parts))

    def walk(self) -> Iterator[Node]:
        """The node and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, eq=False)
class Line:
    """A definition as a tree: ``target = value``."""

    target: Entry
    value: Node

    @cached_property
    def name(self) -> str:
        return self.target.name

    @cached_property
    def indices(self) -> tuple[Index, ...]:
        return cast("tuple[Index, ...]", self.target.indices)


def line_of(definition: Definition, indices: Sequence[Index]) -> Line:
    """The tree of a definition; ``indices`` are the letters to choose from."""
    lettered = with_letters(definition.value, indices, [i.name for i in definition.indices], places=False)
    return Line(definition.target, tree_of(lettered))


def tree_of(e: Expr) -> Node:
    """The tree of an expression whose bound indices have letters."""
    if isinstance(e, Entry):
        return Node("read", e)
    if isinstance(e, Index):
        return Node("index", e)
    if isinstance(e, Delta):
        return Node("delta", None, tuple(tree_of(cast(Expr, place)) for place in e.args))
    if isinstance(e, Binder):
        return Node("sum" if isinstance(e, Sum) else "max", tuple(e.bound), (tree_of(e.body),))
    if isinstance(e, Selected):
        return Node("selected", (*e.largest.bound, e.index), (tree_of(e.largest.body),))
    if isinstance(e, Symbol):
        return Node("size", e)
    if not e.args:
        return Node("number", e)
    parts = tuple(tree_of(cast(Expr, a)) for a in e.args)
    kinds = {Add: "add", Mul: "mul", Pow: "pow"}
    return Node(kinds[type(e)], None, parts) if type(e) in kinds else Node("call", e.func, parts)


def expression_of(node: Node) -> Expr:
    """The expression that a tree stands for."""
    parts = [expression_of(part) for part in node.parts]
    if node.kind in ("sum", "max"):
        return close(Sum if node.kind == "sum" else MaxOver, parts[0], node.word)
    if node.kind == "selected":
        bound, index = node.word
        return Selected(close(MaxOver, parts[0], [bound]), index)
    made = {"add": Add, "mul": Mul, "pow": Pow, "delta": Delta, "call": node.word}
    return cast(Expr, made[node.kind](*parts)) if parts else cast(Expr, node.word)


def rebuilt(node: Node, position: int, part: Node) -> Node:
    """``node`` with one of its parts exchanged."""
    return Node(node.kind, node.word, (*node.parts[:position], part, *node.parts[position + 1 :]))


def renamed(node: Node, renaming: Mapping[Index, Index]) -> Node:
    """``node`` with free letters renamed."""
    if not node.free & frozenset(renaming):
        return node
    if node.kind in ("read", "index"):
        return Node(node.kind, node.word.xreplace(dict(renaming)))
    parts = tuple(renamed(part, renaming) for part in node.parts)
    if node.kind == "selected":
        return Node("selected", (node.word[0], renaming.get(node.word[1], node.word[1])), parts)
    return Node(node.kind, node.word, parts)


class Frame:
    """Which axis every letter has, for a set of lines; with two spare letters for each dimension."""

    def __init__(self, lines: Iterable[Line]):
        found: dict[Index, None] = {}
        for line in lines:
            found.update(dict.fromkeys(sorted(frozenset(line.indices) | line.value.letters, key=str)))
        self.spare = {d: Index(f"{d}'", d) for d in dict.fromkeys(i.dimension for i in found)}
        self.second = {d: Index(f"{d}''", d) for d in self.spare}
        spares = (*self.spare.values(), *self.second.values())
        self.axes = {index: axis for axis, index in enumerate((*found, *spares))}


class Values:
    """The values of lines on given arrays, and of lines in which one was changed."""

    def __init__(self, frame: Frame, arrays: Mapping[str, np.ndarray], sizes: Mapping[Symbol, int]):
        self.frame, self.axes, self.rank = frame, frame.axes, len(frame.axes)
        self.arrays, self.sizes = dict(arrays), cast("dict[Symbol, int]", dict(sizes))
        self.places: dict[str, tuple[tuple[int, ...], list[int], list[int]]] = {}
        self.known: dict[int, tuple[Node, Any]] = {}  # by identity; the node is kept, so that no other one can get it

    def run(self, lines: Sequence[Line]) -> None:
        """Compute lines and keep the value of every part."""
        for line in lines:
            self.keep(line.value)
            self.arrays[line.name] = self.placed(self.known[id(line.value)][1], line)

    def keep(self, node: Node) -> None:
        for part in node.parts:
            self.keep(part)
        self.known[id(node)] = node, self.compute(node, [self.known[id(part)][1] for part in node.parts])

    def fresh(self, changed: Mapping[str, np.ndarray], line: Line) -> np.ndarray:
        """The value of a line, which may share parts with the known ones, where some arrays are others."""
        return self.placed(self._value(line.value, changed), line)

    def placed(self, value: Any, line: Line) -> np.ndarray:
        """A value as an array with one axis for every index of the line."""
        if line.name not in self.places:
            self.places[line.name] = self._place(line)
        shape, kept, order = self.places[line.name]
        if np.shape(value) != shape:
            value = np.broadcast_to(value, shape)
        return value.reshape(kept).transpose(order)

    def _place(self, line: Line) -> tuple[tuple[int, ...], list[int], list[int]]:
        """The shape over all letters, the shape over those of the line in the frame's order, and the line's order."""
        shape, order = [1] * self.rank, [self.axes[i] for i in line.indices]
        for index, axis in zip(line.indices, order, strict=True):
            shape[axis] = size_of(index.dimension, self.sizes)
        return tuple(shape), [shape[k] for k in sorted(order)], [sorted(order).index(k) for k in order]

    def _value(self, node: Node, changed: Mapping[str, np.ndarray]) -> Any:
        known = self.known.get(id(node))
        if known is not None and node.names.isdisjoint(changed):
            return known[1]
        return self.compute(node, [self._value(part, changed) for part in node.parts], changed)

    def compute(self, node: Node, parts: list[Any], changed: Mapping[str, np.ndarray] | None = None) -> Any:
        """The value of a node from those of its parts."""
        kind = node.kind
        if kind == "read":
            return self.read(node, changed or {})
        if kind == "number":
            return np.float64(float(node.word))
        if kind == "size":
            return np.float64(self.sizes[node.word])
        if kind == "add":
            return reduce(np.add, parts)
        if kind == "mul":
            return reduce(np.multiply, parts)
        if kind == "pow":
            return power(parts[0], parts[1], expression_of(node.parts[1]))
        if kind in ("sum", "max"):
            return self.reduced(node, parts[0])
        if kind == "selected":
            return self.selected(node, parts[0])
        if kind == "delta":
            return (parts[0] == parts[1]).astype(float)
        if kind == "index":
            return self.positions(node.word).astype(float)
        return FUNCTIONS[node.word](*parts)

    def reduced(self, node: Node, body: Any) -> Any:
        frame, known = node.__dict__.get("layout", (None, None))
        if frame is not self.frame:
            inside = node.parts[0].free
            over = tuple(self.axes[i] for i in node.word if i in inside)
            known = [i for i in node.word if i not in inside], over
            node.__dict__["layout"] = self.frame, known
        idle, over = cast("tuple[list[Index], tuple[int, ...]]", known)
        if node.kind == "max":
            return np.maximum.reduce(body, axis=over, keepdims=True) if over else body
        total = np.add.reduce(body, axis=over, keepdims=True) if over else body
        return total * np.prod([float(size_of(i.dimension, self.sizes)) for i in idle]) if idle else total

    def selected(self, node: Node, body: Any) -> np.ndarray:
        """1 at the place of the largest value, shared at a tie, along the axis of the letter that asks."""
        over, asked = (self.axes[i] for i in node.word)
        wins = (body == np.maximum.reduce(body, axis=over, keepdims=True)).astype(float)
        return np.swapaxes(wins / wins.sum(axis=over, keepdims=True), over, asked)

    def positions(self, index: Index) -> np.ndarray:
        shape = [1] * self.rank
        shape[self.axes[index]] = -1
        return np.arange(size_of(index.dimension, self.sizes)).reshape(shape)

    def read(self, node: Node, changed: Mapping[str, np.ndarray]) -> np.ndarray:
        """The array with its axes at those of its letters; a letter that stands twice reads the diagonal."""
        name, places, order = self.layout(node)
        array = changed.get(name)
        array = self.arrays[name] if array is None else array
        if order is None:
            return array[tuple(self.positions(i) for i in node.word.indices)]
        shape = [1] * self.rank
        for place, size in zip(places, array.shape, strict=True):
            shape[place] = size
        return array.transpose(order).reshape(shape)

    def layout(self, node: Node) -> tuple[str, list[int], list[int] | None]:
        """The name that a node reads, the axes of its letters, and their order; None if one stands twice."""
        frame, known = node.__dict__.get("layout", (None, None))
        if frame is not self.frame:
            entry: Entry = node.word
            places = [self.axes[i] for i in entry.indices]
            order = sorted(range(len(places)), key=places.__getitem__)
            known = entry.name, places, order if len(set(places)) == len(places) else None
            node.__dict__["layout"] = self.frame, known
        return cast("tuple[str, list[int], list[int] | None]", known)


class Magnitudes:
    """How large the terms are that a value is the sum of: what its rounding errors are a part of."""

    def __init__(self, values: Values):
        self.values = values
        self.arrays: dict[str, np.ndarray] = {}

    def run(self, lines: Sequence[Line]) -> None:
        """Compute lines whose values are known."""
        for line in lines:
            self.arrays[line.name] = self.values.placed(self.of(line.value), line)

    def of(self, node: Node) -> Any:
        """The magnitude of a part: signs do not cancel in sums, and other functions are what they are."""
        if node.kind in ("add", "mul", "sum"):
            return self.values.compute(node, [self.of(part) for part in node.parts])
        if node.kind == "read" and node.word.name in self.arrays:
            return self.values.compute(node, [], self.arrays)
        return np.abs(self.values.known[id(node)][1])
