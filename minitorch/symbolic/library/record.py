"""What is known about an operation?  One definition, the closed form that textbooks give, and where it is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from minitorch.errors import FormulaError
from minitorch.primitive import COMPOSITES, REGISTRY, Primitive
from minitorch.symbolic.expression import Array
from minitorch.symbolic.operation import Operation, program_of, random_arrays
from minitorch.symbolic.parse import parse, parse_definitions
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.reverse import seed_entry

SEED = "G"
"""What closed forms call the cotangent of the output."""


@dataclass(frozen=True)
class Known:
    """An operation of the library.

    Attributes:
        name: how it is asked for, such as ``layer-norm``.
        title: what a reader calls it.
        source: where the forward pass and the closed form are printed: paper or book, section, equation.
        operation: the name of the engine's own operation, whose record holds the formula.
        formula: the formula itself, for what the engine writes with several operations.
        ranks, static: which case of an operation of any rank; see `program_of`.
        wrt: the inputs to differentiate by.
        closed: the textbook's gradients, as definitions in the names of the program, with ``G`` for the cotangent of
            the output: ``dx[i] = S[i] (G[i] - sum_j G[j] S[j])``.
        output: what is differentiated; the last definition unless given.
        function: what the engine runs for `formula`: from Tensors, in the order of the inputs, to a Tensor.
        about: what the operation is for, in one sentence.
        values: numbers for the inputs without indices that are settings, such as ``eps``.
        positive: the inputs whose entries are positive, such as probabilities.
        sizes: dimension to size, for the comparison with ``sympy.diff``; 2 unless given.
        also: other names that it goes by.
    """

    name: str
    title: str
    source: str
    wrt: tuple[str, ...]
    closed: str
    operation: str = ""
    formula: str = ""
    ranks: Mapping[str, int] | None = None
    static: Mapping[str, Any] = field(default_factory=dict)
    output: str = ""
    function: Callable[..., Any] | None = None
    about: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    positive: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    also: tuple[str, ...] = ()

    @cached_property
    def record(self) -> Operation | None:
        """The engine's record of the operation; None for what the engine writes with several.

        Raises:
            FormulaError: the engine has no operation of that name.
        """
        if not self.operation:
            return None
        record = COMPOSITES.get(self.operation) or REGISTRY.get(self.operation)
        if record is None:
            raise FormulaError(f"{self.name}: the engine has no operation {self.operation!r}. Check the name.")
        return record

    @cached_property
    def program(self) -> Program:
        """The definitions, parsed when first asked for."""
        if self.record is None:
            return parse(self.formula)
        return program_of(self.record, self.ranks, self.static)

    @property
    def differentiated(self) -> str:
        """The name of the output whose gradient is asked for."""
        return self.output or self.program.outputs[-1]

    @cached_property
    def closed_definitions(self) -> tuple[Definition, ...]:
        """The closed form, parsed: gradients ``dX`` and what they are written with."""
        seed = seed_entry(self.program, self.differentiated, SEED)
        return parse_definitions(self.closed, self.program, {SEED: Array(SEED, seed.dimensions)})

    def arrays(self, seed: int = 0) -> dict[str, Any]:
        """Random inputs that the operation can take: float64, all dimensions different, settings as numbers."""
        arrays = random_arrays(self.program, seed)
        arrays |= {name: np.exp(arrays[name]) for name in self.positive}
        return arrays | dict(self.values)

    def run(self, *arrays: Any) -> Any:
        """What the engine computes, from Tensors in the order of the program's inputs.

        Raises:
            FormulaError: neither the record nor `function` says how.
        """
        if self.function is not None:
            return self.function(*arrays)
        if self.record is None:
            raise FormulaError(f"{self.name}: nothing says what the engine runs. Give function=...")
        if isinstance(self.record, Primitive):
            out = self.record(*arrays, **self.static)
            return out[self.record.outputs.index(self.differentiated)] if isinstance(out, tuple) else out
        return self.record(*arrays)
