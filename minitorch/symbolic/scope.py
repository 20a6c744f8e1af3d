"""Which dimension does every index letter run over?

An axis of an array and the letter that stands on it have the same dimension; taking all such statements together
(union-find) gives every dimension, or the place where two statements disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sympy import Expr, Integer

from minitorch.symbolic.ellipsis import walk
from minitorch.symbolic.expression import Array, dimension
from minitorch.symbolic.syntax import Formula, Node
from minitorch.symbolic.tokens import Token, fail

if TYPE_CHECKING:
    from minitorch.symbolic.program import Program

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
        for entry in formula.header or ():
            scope.declare(entry)
        pending = {line.target.word for line in formula.lines}
        if formula.header is None:
            bare = {
                t.text
                for line in formula.lines
                for n in (*walk(line.target), *walk(line.value))
                for t in n.indices or ()
            }
            scope.sizes |= {f"n_{letter}": dimension(f"n_{letter}") for letter in bare}
        done: set[str] = set()
        for line in formula.lines:
            scope.use(line.value, frozenset(pending - done))
            scope.define(line.target, done)
        if formula.header is None:
            scope.name_dimensions()
        return scope

    @classmethod
    def within(cls, text: str, program: Program, extra: Mapping[str, Array], letters: bool = True) -> Scope:
        """The scope of an expression over the arrays of a program, and over its index letters if asked for."""
        scope = cls(text, closed=True)
        arrays = {name: program.array(name).dimensions for name in program.targets}
        for name, sizes in (arrays | {name: a.dimensions for name, a in extra.items()}).items():
            scope.inputs[name] = None
            scope.set_dimensions(name, sizes)
        for index in program.indices if letters else ():
            scope._declared[scope._find((index.name, None))] = index.dimension
        return scope

    def declare(self, entry: Node) -> None:
        """Take in one entry of the header."""
        if entry.word in self.inputs:
            raise fail(self.text, entry.position, f"input {entry.word} is declared twice. Remove one.")
        self.inputs[entry.word] = None
        sizes = [Integer(t.text) if t.kind == "number" else dimension(t.text) for t in entry.indices or ()]
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
        for part in walk(node):
            if part.kind == "name":
                self.use_name(part, pending)
            else:
                for token in part.indices or ():
                    self.letter(token)
            if part.kind == "delta" and part.indices:
                first, second = ((token.text, None) for token in part.indices)
                self._unify(first, second, part.indices[1], f"the delta joins it to {part.indices[0].text}, over")

    def use_name(self, node: Node, pending: frozenset[str]) -> None:
        scalar = node.indices is None
        if scalar and (node.word in self.sizes or node.word == "pi"):
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
            self._declared.setdefault(root, dimension(f"n_{letter}"))
            self.sizes[f"n_{letter}"] = self._declared[root]

    def dimension_of(self, token: Token) -> Expr:
        """The dimension that an index letter runs over."""
        size = self._declared.get(self._find((token.text, None)))
        if size is None:
            raise fail(
                self.text, token.position, f"no array tells the dimension of {token.text}. Index an input with it."
            )
        return size

    def dimensions_of(self, name: str) -> tuple[Expr, ...]:
        """The dimensions of an array."""
        return tuple(self._declared[self._find((name, axis))] for axis in range(self._ranks[name]))

    def _find(self, slot: Slot) -> Slot:
        while (parent := self._parent.get(slot, slot)) != slot:
            slot = parent
        return slot

    def _unify(self, known: Slot, new: Slot, token: Token, why: str) -> None:
        a, b = self._find(known), self._find(new)
        size, other = self._declared.get(a), self._declared.get(b)
        if size is not None and other is not None and size != other:
            raise fail(
                self.text,
                token.position,
                f"index {token.text} runs over {other}, but {why} {size}. Use another letter.",
            )
        if a != b:
            self._parent[b] = a
            if size is None and other is not None:
                self._declared[a] = other
