"""Which dimension does every index letter run over?

An axis of an array and the letter that stands on it have the same dimension; taking all such statements together
(union-find) gives every dimension, or the place where two statements disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sympy import Expr

from minitorch.symbolic.declared import declared_size
from minitorch.symbolic.expression import FRESH_MARK, Array, dimension
from minitorch.symbolic.nodes import Formula, Node, walk
from minitorch.symbolic.tokens import Token, fail

if TYPE_CHECKING:
    from minitorch.symbolic.program import Program

VALUES = -1  # the axis that stands for what an index array's entries run over
Slot = tuple[str, int | None]  # an axis of an array, or (letter, None)


class Scope:
    """The arrays, index letters and dimensions of a formula.

    Attributes:
        inputs: the names of the inputs, in order; defined names may be among them.
        letters: the index letters that are used, each with the place of its first use.
        sizes: what a dimension's name means as a number.
    """

    def __init__(self, text: str, closed: bool):
        self.text, self.closed = text, closed
        self.inputs: dict[str, None] = {}
        self.letters: dict[str, Token] = {}
        self.sizes: dict[str, Expr] = {}
        self._used: frozenset[str] = frozenset()  # every letter that indexes something, wherever it does
        self._ranks: dict[str, int] = {}
        self._parent: dict[Slot, Slot] = {}
        self._declared: dict[Slot, Expr] = {}

    @classmethod
    def of(cls, formula: Formula) -> Scope:
        """The scope of a formula, from its header and every use.

        Raises:
            FormulaError: a name is used with two ranks, before its definition or without one; an index with two
                dimensions; a name is defined twice; an index stands twice on the left.
        """
        scope = cls(formula.text, formula.header is not None)
        nodes = [node for line in formula.lines for node in (line.target, line.value)]
        scope.note_letters(nodes)
        for entry in formula.header or ():
            scope.declare(entry)
        pending = {line.target.word for line in formula.lines}
        if formula.header is None:
            scope.sizes |= {f"n_{letter}": dimension(f"n_{letter}") for letter in scope._used}
        done: set[str] = set()
        for line in formula.lines:
            scope.use(line.value, frozenset(pending - done))
            scope.define(line.target, done)
        if formula.header is None:
            scope.name_dimensions()
        return scope

    @classmethod
    def within(
        cls, text: str, nodes: Sequence[Node], program: Program, extra: Mapping[str, Array], letters: bool = True
    ) -> Scope:
        """The scope of expressions over the arrays of a program, and over its index letters if asked for."""
        scope = cls(text, closed=True)
        scope.note_letters(nodes)
        for name, array in ({name: program.array(name) for name in program.targets} | dict(extra)).items():
            scope.inputs[name] = None
            scope.set_dimensions(name, array.dimensions)
            if array.values is not None:
                scope._declared[scope._find((name, VALUES))] = array.values
        for index in program.indices if letters else ():
            scope._declared[scope._find((index.name, None))] = index.dimension
        return scope

    def note_letters(self, nodes: Sequence[Node]) -> None:
        """Remember every letter that indexes something: standing alone it is a number, not an array."""
        parts = [part for node in nodes for part in walk(node)]
        self._used = frozenset(token.text for part in parts for token in part.indices or ())

    def declare(self, entry: Node) -> None:
        """Take in one entry of the header."""
        sizes = [declared_size(self.text, token) for token in entry.indices or ()]
        if entry.kind == "below":
            self._declared[self._find((entry.word, None))] = sizes[0]
            self.sizes |= {str(s): s for s in sizes[0].free_symbols}  # type: ignore[misc]
            return
        if entry.word in self.inputs:
            raise fail(self.text, entry.position, f"input {entry.word} is declared twice. Remove one.")
        self.inputs[entry.word] = None
        self.set_dimensions(entry.word, sizes)

    def set_dimensions(self, name: str, sizes: Sequence[Expr]) -> None:
        self._ranks[name] = len(sizes)
        for axis, size in enumerate(sizes):
            self._declared[self._find((name, axis))] = size
            self.sizes |= {str(s): s for s in size.free_symbols}  # type: ignore[misc]

    def define(self, target: Node, done: set[str]) -> None:
        """Take in the left-hand side of a definition."""
        if target.word in done or (self.closed and target.word in self.inputs):
            raise fail(self.text, target.position, f"{target.word} is already defined. Give it another name.")
        seen: set[str] = set()
        for token in target.indices or ():
            if token.text in seen:
                raise fail(self.text, token.position, f"index {token.text} stands twice on the left. Use two letters.")
            seen.add(token.text)
        self.axes(target)
        done.add(target.word)
        if not self.closed:
            self.inputs.setdefault(target.word)

    def use(self, node: Node, pending: frozenset[str]) -> None:
        """Take in every array and index letter of an expression; ``pending`` names are defined only later."""
        if node.kind == "name":
            self.use_name(node, pending)
        else:
            for token in node.indices or ():
                self.letter(token)
        if node.kind == "delta":
            self.use_delta(node, pending)
        else:
            for part in node.parts:
                self.use(part, pending)

    def use_delta(self, node: Node, pending: frozenset[str]) -> None:
        """Two places: an index that meets another one, or an entry of an index array, runs over the same dimension."""
        for place in (part for side in node.parts for part in walk(side) if part.kind != "name" or self.is_array(part)):
            if place.kind == "name":
                self.use_name(place, pending)
        for place in (part for side in node.parts for part in walk(side) if part.kind == "name"):
            if not self.is_array(place) and place.word not in self.sizes:
                self.letter(_token(place))
        first, second = sorted(node.parts, key=lambda side: side.indices is not None)  # a letter before an entry
        if first.kind == second.kind == "name" and not self.is_array(first) and first.word not in self.sizes:
            entry = self.is_array(second)
            other = (second.word, VALUES if entry else None)
            self._unify((first.word, None), other, _token(second), f"the delta joins it to {first.word}, over")

    def use_name(self, node: Node, pending: frozenset[str]) -> None:
        scalar = node.indices is None
        if scalar and (node.word in self.sizes or node.word == "pi"):
            return
        if scalar and node.word in self._used and node.word not in self.inputs and node.word not in pending:
            self.letter(_token(node))
            return
        if node.word in pending:
            raise fail(self.text, node.position, f"{node.word} is used before it is defined. Move its definition up.")
        known = node.word in self.inputs or node.word in self._ranks
        if self.closed and not known:
            have = ", ".join(self._ranks) or "none"
            raise fail(
                self.text, node.position, f"{node.word} is not an input or defined name; there are: {have}. Declare it."
            )
        self.inputs.setdefault(node.word)
        self.axes(node)

    def axes(self, node: Node) -> None:
        """An array stands with these indices: its rank and the dimensions of its axes."""
        tokens = node.indices or ()
        rank = self._ranks.setdefault(node.word, len(tokens))
        if rank != len(tokens):
            raise fail(
                self.text,
                node.position,
                f"{node.word} has {len(tokens)} indices here and {rank} elsewhere. Write {rank} indices.",
            )
        for axis, token in enumerate(tokens):
            self.letter(token)
            self._unify((node.word, axis), (token.text, None), token, f"axis {axis} of {node.word} has dimension")

    def letter(self, token: Token) -> None:
        if token.kind != "name":
            raise fail(
                self.text, token.position, f"got the number {token.text}, wanted an index letter. Write a letter."
            )
        self.letters.setdefault(token.text, token)

    def name_dimensions(self) -> None:
        """Without a header, a dimension takes the name of its first letter."""
        for letter in self.letters:
            root = self._find((letter, None))
            name = f"n_{letter.replace(FRESH_MARK, '')}"
            self._declared.setdefault(root, dimension(name))
            self.sizes[name] = self._declared[root]

    def suppose(self, token: Token, size: Expr) -> None:
        """The dimension of a letter, unless something else tells it."""
        self._declared.setdefault(self._find((token.text, None)), size)

    def dimension_of(self, token: Token) -> Expr:
        """The dimension that an index letter runs over."""
        size = self._declared.get(self._find((token.text, None)))
        if size is None:
            message = (
                f"no array tells the dimension of {token.text}. Index an input with it, or declare {token.text}<n."
            )
            raise fail(self.text, token.position, message)
        return size

    def dimensions_of(self, name: str) -> tuple[Expr, ...]:
        """The dimensions of an array."""
        return tuple(self._declared[self._find((name, axis))] for axis in range(self._ranks[name]))

    def values_of(self, name: str) -> Expr | None:
        """What an index array's entries run over; None for an array of numbers."""
        return self._declared.get(self._find((name, VALUES)))

    def is_array(self, node: Node) -> bool:
        """Whether a name stands for an array: it has indices, or was declared."""
        return node.indices is not None or node.word in self._ranks

    def _find(self, slot: Slot) -> Slot:
        while (parent := self._parent.get(slot, slot)) != slot:
            slot = parent
        return slot

    def _unify(self, known: Slot, new: Slot, token: Token, why: str) -> None:
        a, b = self._find(known), self._find(new)
        size, other = self._declared.get(a), self._declared.get(b)
        if size is not None and other is not None and size != other:
            place = "this place" if FRESH_MARK in token.text else f"index {token.text}"
            message = f"{place} runs over {other}, but {why} {size}. Use another letter."
            raise fail(self.text, token.position, message)
        if a != b:
            self._parent[b] = a
            if size is None and other is not None:
                self._declared[a] = other


def _token(node: Node) -> Token:
    return Token("name", node.word, node.position)
