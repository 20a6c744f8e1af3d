"""Which operation is a gradient claimed for?  Its program, its output, and every way to write its gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

from sympy import Expr, Symbol

from minitorch.errors import FormulaError
from minitorch.primitive import Composite, Primitive
from minitorch.symbolic.claims.saved_values import in_saved_values
from minitorch.symbolic.claims.terms import Frame, Line, line_of
from minitorch.symbolic.expression import Array, Entry
from minitorch.symbolic.library import Known, find
from minitorch.symbolic.operation import program_of
from minitorch.symbolic.parse import parse, parse_definitions
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.reverse import Adjoint, adjoints, gradient_name, seed_entry

MASKS = frozenset(("M", "mask", "Mask", "keep"))
SMALL = frozenset(("eps", "epsilon", "ε"))
TARGETS = frozenset(("y", "t", "p", "q", "target", "targets", "labels", "probs"))  # whose rows may add up to 1
SEEDS = ("G", "G'", "G''")

Operation = str | Program | Known | Primitive[...] | Composite[...]


@dataclass(frozen=True, eq=False)
class Route:
    """One way to compute the gradients: the forward lines, then the backward ones, as trees.

    Attributes:
        title: what it is: derived, textbook, every step.
        forward, backward: the lines.
    """

    title: str
    forward: tuple[Line, ...]
    backward: tuple[Line, ...]

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        return self.forward + self.backward

    @cached_property
    def changes(self) -> dict[tuple[int, bool], list]:
        """The changes of each line that have been made already."""
        return {}

    @cached_property
    def frame(self) -> Frame:
        return Frame(self.lines)

    @cached_property
    def readers(self) -> dict[str, tuple[int, ...]]:
        """For every name, the positions of the lines that depend on it, in order."""
        found: dict[str, tuple[int, ...]] = {}
        for line in self.lines:
            reached, hit = {line.name}, []
            for position, later in enumerate(self.lines):
                if later.value.names & reached:
                    reached.add(later.name)
                    hit.append(position)
            found[line.name] = tuple(hit)
        return found


@dataclass(frozen=True, eq=False)
class Subject:
    """An operation whose gradient is claimed.

    Attributes:
        name: what it is called in a report.
        program, output: the forward definitions, and the name that is differentiated.
        wrt: the inputs that may be differentiated by.
        closed: the textbook's gradients, if the library has them.
        values, positive: numbers for settings, and the inputs that are positive.
    """

    name: str
    program: Program
    output: str
    wrt: tuple[str, ...]
    closed: tuple[Definition, ...] = ()
    values: Mapping[str, float] = field(default_factory=dict)
    positive: tuple[str, ...] = ()

    @cached_property
    def seed(self) -> Entry:
        """The incoming gradient."""
        name = next(n for n in SEEDS if n not in self.program.targets)
        return seed_entry(self.program, self.output, name)

    @cached_property
    def adjoints(self) -> list[Adjoint]:
        """The gradient of every array on the way back, whether or not it is worth a line."""
        return adjoints(self.program, self.output, self.wrt, self.seed.name)

    @cached_property
    def backward(self) -> Program:
        """The derived gradients."""
        return self.program.vjp(self.output, self.wrt, self.seed.name)

    @cached_property
    def notation(self) -> Notation:
        return Notation.of(self.program)

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """The gradient as the textbook has it, which one knows; as derived; and with every adjoint written out."""
        every_step = tuple(a.definition for a in self.adjoints)
        saved = in_saved_values(self.backward.definitions, self.program.definitions)
        routes = [*self._route("textbook", self.closed), self.derived]
        if any(a.value != b.value for a, b in zip(saved, self.backward.definitions, strict=True)):
            routes += self._route("saved values", saved)
        return (*routes, *self._route("every step", every_step))

    @cached_property
    def derived(self) -> Route:
        """The gradient as it was derived, which is right."""
        (route,) = self._route("derived", self.backward.definitions)
        return route

    def _route(self, title: str, lines: Sequence[Definition]) -> tuple[Route, ...]:
        return (Route(title, self._lines(self.program.definitions), self._lines(lines)),) if lines else ()

    @cached_property
    def entries(self) -> dict[str, Entry]:
        """Every array of the forward pass, the incoming gradient, and the gradients, by name."""
        lines = (*self.closed, *(a.definition for a in self.adjoints), *self.backward.definitions)
        return {**self.program.targets, self.seed.name: self.seed} | {d.name: d.target for d in lines}

    @cached_property
    def dimensions(self) -> tuple[Symbol, ...]:
        """Every dimension, in the order of appearance."""
        sizes = (d for e in self.program.targets.values() for d in e.dimensions)
        found = (s for size in sizes for s in sorted(size.free_symbols, key=str))
        return tuple(dict.fromkeys(cast(Symbol, s) for s in found))

    @cached_property
    def small(self) -> frozenset[str]:
        return frozenset(n for n in self.program.inputs if n in SMALL)

    def shape(self, name: str, sizes: Mapping[Symbol, int]) -> tuple[int, ...]:
        """The shape of an array at given sizes."""
        from minitorch.symbolic.expression import size_of

        return tuple(size_of(d, cast("dict[Symbol, int]", sizes)) for d in self.entries[name].dimensions)

    def shown_shape(self, name: str) -> str:
        """The shape of an array in the names of its dimensions: (n, d_k)."""
        return _tuple(self.entries[name].dimensions)

    def _lines(self, definitions: Sequence[Definition]) -> tuple[Line, ...]:
        return tuple(line_of(d, self.program.indices) for d in definitions)


def _tuple(sizes: Sequence[Expr]) -> str:
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


_KNOWN: dict[tuple[Any, ...], Subject] = {}


def subject_of(operation: Operation | Callable[..., Any], wrt: Sequence[str] | None, output: str | None) -> Subject:
    """The subject that an operation means.

    Arguments:
        operation: a name in the library, an engine operation with a formula, a program, a library record, or the
            text of a formula.
        wrt: the inputs to differentiate by; the library's, or all that numbers are read from, unless given.
        output: what is differentiated; the library's, or the last definition, unless given.

    Raises:
        FormulaError: there is no such operation, input or output, or the output does not depend on an input.
    """
    known = _record(operation)
    program = known.program if isinstance(known, Known) else known
    if not isinstance(program, Program):
        raise FormulaError(
            f"check_vjp: got an operation of type {type(operation).__name__}, wanted a name of the library, an "
            "operation of the engine with a formula, a Program, or the text of a formula."
        )
    key = (known.name if isinstance(known, Known) else program, tuple(wrt) if wrt is not None else None, output)
    if key not in _KNOWN:
        _KNOWN[key] = _made(known, program, wrt, output, operation)
    return _KNOWN[key]


def _record(operation: Any) -> Any:
    if isinstance(operation, Primitive | Composite):
        known = next((k for k in _library() if k.operation == operation.name), None)
        return known or program_of(operation)
    if isinstance(operation, str):
        return parse(_joined(operation)) if "=" in operation else find(operation)
    return operation


def _library() -> list[Known]:
    from minitorch.symbolic.library import LIBRARY

    return list(LIBRARY.values())


def _joined(text: str) -> str:
    from minitorch.symbolic.claims.written import as_definitions

    return as_definitions(text)


def _made(known: Any, program: Program, wrt: Sequence[str] | None, output: str | None, operation: Any) -> Subject:
    listed = isinstance(known, Known)
    name = known.name if listed else getattr(operation, "name", "the formula")
    target = output or (known.differentiated if listed else program.outputs[-1])
    program.definition(target)
    for asked in wrt or ():
        if asked not in program.inputs:
            raise FormulaError(f"check_vjp: wrt has {asked!r}, wanted inputs of {name}: {', '.join(program.inputs)}.")
    own = listed and target == known.differentiated
    chosen = tuple(wrt) if wrt is not None else (known.wrt if own else _differentiable(program, target))
    if not chosen:
        raise FormulaError(f"check_vjp: {target} depends on no input that numbers are read from. Name one in wrt.")
    subject = Subject(name, program, target, chosen)
    closed = _closed(known, subject) if own else ()
    values, positive = (dict(known.values), known.positive) if listed else ({}, ())
    return Subject(name, program, target, chosen, closed, values, positive)


def _closed(known: Known, subject: Subject) -> tuple[Definition, ...]:
    """The textbook's lines that the wanted gradients need."""
    if not known.closed or subject.seed.name != SEEDS[0]:
        return ()
    lines = parse_definitions(known.closed, subject.program, {SEEDS[0]: Array(SEEDS[0], subject.seed.dimensions)})
    needed = {gradient_name(n) for n in subject.wrt}
    if not needed <= {d.name for d in lines}:
        return ()
    for line in reversed(lines):
        if line.name in needed:
            needed |= {e.name for e in line.value.atoms(Entry)}
    return tuple(line for line in lines if line.name in needed)


def _differentiable(program: Program, output: str) -> tuple[str, ...]:
    """The inputs that the output depends on, except settings and index arrays."""
    from minitorch.symbolic.expression import names

    reached = {output}
    for definition in reversed(program.definitions):
        if definition.name in reached:
            reached |= names(definition.value)
    entries = {e.name: e for e in program.entries}
    numbers = (n for n in program.inputs if entries[n].values is None)
    return tuple(n for n in numbers if n in reached and n not in SMALL)
