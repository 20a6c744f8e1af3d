r"""What is an operation, as mathematics?

A *program*: inputs with symbolic dimensions, and named definitions in order,

$$ A = Q K^\top / \sqrt{d_k}, \quad Z_i = \sum_k e^{A_{ik}}, \quad P_{ij} = e^{A_{ij}} / Z_i, \quad O = P V . $$

The names matter: a derivative taken through them reuses the values that the forward pass has saved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sympy import Expr, Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import rename, replace
from minitorch.symbolic.expression import Array, Entry, Index, names, remember

if TYPE_CHECKING:
    import numpy as np


def gradient_name(name: str) -> str:
    """What the gradient of an array is called."""
    return f"d{name}"


@dataclass(frozen=True)
class Definition:
    """``target = value``: an array defined entry by entry; ``value`` is kept as it was written."""

    target: Entry
    value: Expr

    @property
    def name(self) -> str:
        return self.target.name

    @property
    def indices(self) -> tuple[Index, ...]:
        return self.target.indices

    def at(self, indices: Sequence[Index]) -> Expr:
        """The value at other indices."""
        return rename(self.value, dict(zip(self.indices, indices, strict=True)))

    def __str__(self) -> str:
        from minitorch.symbolic.printing import Notation

        return Notation().equation(self)


@dataclass(frozen=True)
class Program:
    """Inputs and definitions in order, each of which reads only inputs and what stands before it.

    Attributes:
        entries: the inputs as they were first written, which names their dimensions and their usual indices.
        definitions: the definitions, in order.
        indices: every index letter, in the order of appearance; what is printed uses the same letters.

    Example:
        >>> from minitorch.symbolic import parse
        >>> program = parse("x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z")
        >>> program.inputs, program.outputs
        ({'x': (n,)}, ('S',))
    """

    entries: tuple[Entry, ...]
    definitions: tuple[Definition, ...]
    indices: tuple[Index, ...] = ()

    @cached_property
    def inputs(self) -> dict[str, tuple[Expr, ...]]:
        """Name to dimensions, of every input."""
        return {entry.name: entry.dimensions for entry in self.entries}

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The definitions that no other one reads."""
        read = frozenset().union(*(names(d.value) for d in self.definitions))
        return tuple(d.name for d in self.definitions if d.name not in read)

    @cached_property
    def targets(self) -> dict[str, Entry]:
        """Every array of the program, as it was first written."""
        return {e.name: e for e in (*self.entries, *(d.target for d in self.definitions))}

    def differentiable(self, output: str) -> tuple[str, ...]:
        """The inputs that hold numbers and on which an output depends."""
        reached = names(inline(self.definition(output).target, self.definitions))
        return tuple(e.name for e in self.entries if e.name in reached and e.values is None)

    def array(self, name: str) -> Array:
        """An input or a defined array, to be indexed.

        Raises:
            FormulaError: the program has no array of that name.
        """
        if name not in self.targets:
            raise FormulaError(f"got {name!r}, wanted one of {', '.join(self.targets)}. Name an array of the program.")
        entry = self.targets[name]
        return Array(name, entry.dimensions, bool(entry.symbol.is_positive), entry.values)

    def definition(self, name: str) -> Definition:
        """The definition of a name.

        Raises:
            FormulaError: the name is not defined in the program.
        """
        for definition in self.definitions:
            if definition.name == name:
                return definition
        defined = ", ".join(d.name for d in self.definitions)
        raise FormulaError(f"got {name!r}, wanted a defined name: {defined}. An input has no definition.")

    def inline(self, expression: Expr) -> Expr:
        """An expression in the inputs alone: every defined name replaced by what defines it."""
        return inline(expression, self.definitions)

    def expression(self, text: str, extra: Mapping[str, Array] | None = None) -> Expr:
        """The expression that a text denotes, in the arrays and index letters of this program.

        Arguments:
            text: for example ``"P[i,j] (dP[i,j] - sum_k P[i,k] dP[i,k])"``.
            extra: further arrays that the text may name.

        Raises:
            FormulaError: the text is no expression over these arrays.
        """
        from minitorch.symbolic.parse import parse_expression

        return parse_expression(text, self, extra or {})

    def evaluate(self, arrays: Mapping[str, Any], sizes: Mapping[Symbol, int] | None = None) -> dict[str, np.ndarray]:
        """The value of every definition, in order, as float64 arrays.

        Arguments:
            arrays: one array for every input, of the shape that its dimensions ask for; axes of size 1 broadcast.
            sizes: of dimensions that no input has.

        Raises:
            FormulaError: an array is missing, or its shape does not agree with the others'.
        """
        from minitorch.symbolic.evaluate import evaluate_program

        return evaluate_program(self, arrays, sizes)

    def vjp(self, output: str, wrt: Sequence[str], seed: str = "G") -> Program:
        """The program of the gradients of ``sum(seed * output)``: see :func:`minitorch.symbolic.reverse.vjp`."""
        from minitorch.symbolic.reverse import vjp

        return vjp(self, output, tuple(wrt), seed)

    def __str__(self) -> str:
        from minitorch.symbolic.printing import Notation

        return "\n".join(Notation.of(self).equation(d) for d in self.definitions)


def inline(expression: Expr, definitions: Sequence[Definition]) -> Expr:
    """``expression`` with the given definitions, in order, substituted; nothing is simplified."""
    return _inline(expression, tuple(definitions))


@remember
def _inline(expression: Expr, definitions: tuple[Definition, ...]) -> Expr:
    for definition in reversed(definitions):

        def change(part: Expr, meant: Definition = definition) -> Expr | None:
            if meant.name not in names(part):
                return part  # nothing inside is looked at
            return meant.at(part.indices) if isinstance(part, Entry) else None

        expression = replace(expression, change)
    return expression
