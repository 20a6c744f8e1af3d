"""What is known about an operation?  One definition, the closed form that textbooks give, and where it is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from minitorch.errors import FormulaError
from minitorch.primitive import COMPOSITES, REGISTRY, Composite
from minitorch.symbolic.operation import program_of
from minitorch.symbolic.parse import parse
from minitorch.symbolic.program import Program


@dataclass(frozen=True)
class Known:
    """An operation of the library.

    Attributes:
        name: how it is asked for, such as ``layer-norm``.
        title: what a reader calls it.
        source: paper, section and equation of the closed form.
        operation: the name of the engine's own operation, whose record holds the formula.
        formula: the formula itself, for what the engine writes with several operations.
        ranks, static: which case of an operation of any rank; see `program_of`.
        wrt: the inputs to differentiate by.
        closed: the textbook's gradients, as definitions in the names of the program, with ``G`` for the cotangent of
            the output: ``dx[i] = S[i] (G[i] - sum_j G[j] S[j])``.
        output: what is differentiated; the last definition unless given.
        function: what the engine runs for `formula`: from Tensors, in the order of the inputs, to a Tensor.
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

    @cached_property
    def program(self) -> Program:
        """The definitions, parsed when first asked for."""
        if self.formula:
            return parse(self.formula)
        record = COMPOSITES.get(self.operation) or REGISTRY.get(self.operation)
        if record is None:
            raise FormulaError(f"{self.name}: the engine has no operation {self.operation!r}. Check the name.")
        if isinstance(record, Composite):
            return program_of(record)
        return program_of(record, self.ranks, self.static)

    @property
    def differentiated(self) -> str:
        """The name of the output whose gradient is asked for."""
        return self.output or self.program.outputs[-1]
