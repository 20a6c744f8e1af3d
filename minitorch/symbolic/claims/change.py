"""What is one change of a formula?  What stood there, what stands there now, and what kind of mistake that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sympy import Expr, Symbol

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.terms import Frame, Line, Node, rebuilt
from minitorch.symbolic.expression import Entry, Index


@dataclass(frozen=True, eq=False)
class Change:
    """A line in which one part was exchanged.

    Attributes:
        tree: what the line's value has become.
        cause: the kind of mistake.
        before, after: the part that was exchanged, and what stands for it; None where it is left out.
        weight: how far-fetched the mistake is; the least of several explanations is told.
        also: other causes that the same change could be filed under.
        note: further words for the sentence.
    """

    tree: Node
    cause: Cause
    before: Node | None
    after: Node | None
    weight: float = 1.0
    also: tuple[Cause, ...] = ()
    note: str = ""

    def inside(self, parent: Node, position: int) -> Change:
        """The same change, seen from the node around it."""
        return replace(self, tree=rebuilt(parent, position, self.tree))


@dataclass(frozen=True)
class Scene:
    """What a change may put in: the arrays at hand, the letters that mean something here, and what is small.

    Attributes:
        frame: the axes, with a spare letter for each dimension.
        arrays: every array that numbers are read from, as an entry.
        definitions: the lines of the forward pass, by name.
        value: what the line's value is.
        target: the letters on the left of the line.
        letters: the letters in scope, the outermost first.
        equal: whether all sizes are equal, so that any two dimensions may be exchanged.
        small: the names of inputs that are small numbers (epsilon); masks: of those that are masks.
        targets: inputs that predictions are compared with, which one does not mistake for another array.
        dimensions: those that a term may be scaled by; factors: further scales, which were measured.
    """

    frame: Frame
    arrays: Mapping[str, Entry]
    definitions: Mapping[str, Line]
    value: Node
    target: tuple[Index, ...] = ()
    letters: tuple[Index, ...] = ()
    equal: bool = False
    small: frozenset[str] = frozenset()
    masks: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    dimensions: tuple[Symbol, ...] = ()
    factors: tuple[Node, ...] = ()

    def within(self, letters: tuple[Index, ...]) -> Scene:
        """The scene under a binder of these letters."""
        return replace(self, letters=(*self.letters, *letters))

    def same(self, a: Expr, b: Expr) -> bool:
        """Whether an axis of dimension ``a`` can stand where one of dimension ``b`` should."""
        return a == b or self.equal

    def is_small(self, node: Node) -> bool:
        """Whether a node is a small number that is there only to keep something finite."""
        if node.kind == "number":
            return 0 < abs(float(node.word)) <= 1e-2
        return node.kind == "read" and node.word.name in self.small

    def is_mask(self, node: Node) -> bool:
        """Whether a node reads a mask and nothing else."""
        return bool(node.names) and node.names <= self.masks
