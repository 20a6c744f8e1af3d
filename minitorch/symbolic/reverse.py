r"""What is the gradient of a program, as a program?

The chain rule over the definitions, from the last to the first: with $L = \sum G \odot \text{output}$,

$$ du = \frac{\partial L}{\partial u}, \qquad
   dx_j = \sum_{u \text{ reads } x} \sum_i du_i\,\frac{\partial u_i}{\partial x_j} . $$

Each adjoint keeps the forms it went through, so that a derivation can show them.

Source: Griewank and Walther, *Evaluating Derivatives* (2008), section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sympy import Add, Expr

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import close, fresh, rename
from minitorch.symbolic.calculus import contract, derivative, readable
from minitorch.symbolic.expression import Array, Entry, Index, Partial, Sum, names, remember
from minitorch.symbolic.letters import choose
from minitorch.symbolic.program import Definition, Program, gradient_name
from minitorch.symbolic.saved import reuse_saved
from minitorch.symbolic.tidy import tidy


@dataclass(frozen=True)
class Contribution:
    """What one reader of an array adds to its gradient, in the forms it goes through."""

    reader: Definition
    upstream: Array  # the gradient of what the reader defines
    chain: Expr  # with the partial derivative written down only
    raw: Expr  # worked out, deltas standing


@dataclass(frozen=True)
class Adjoint:
    """The gradient of one array by the chain rule, step by step.

    Attributes:
        source: the entry that is differentiated by.
        target: the gradient's own entry, with the same indices.
        contributions: one for every definition that reads the array.
        saved: the definitions whose values may be reused.
    """

    source: Entry
    target: Entry
    contributions: tuple[Contribution, ...]
    saved: tuple[Definition, ...]

    @property
    def chain(self) -> Expr:
        return Add(*(c.chain for c in self.contributions))

    @property
    def raw(self) -> Expr:
        return Add(*(c.raw for c in self.contributions))

    @cached_property
    def contracted(self) -> Expr:
        return contract(self.raw)

    @cached_property
    def reused(self) -> Expr:
        return readable(reuse_saved(self.contracted, self.saved))

    @property
    def definition(self) -> Definition:
        return Definition(self.target, self.reused)


def free_seed(program: Program) -> str:
    """A name for the incoming gradient that the program does not use: G unless that is taken."""
    return next(name for name in ("G", "G'", "G''") if name not in program.targets)


def vjp(program: Program, output: str, wrt: Sequence[str], seed: str = "G") -> Program:
    """The program that computes the gradients of ``sum(seed * output)``.

    Arguments:
        program: the forward program.
        output: the defined name that is differentiated.
        wrt: the inputs (or defined names) to differentiate by.
        seed: what the incoming gradient is called; it has the output's dimensions.

    Returns:
        A program whose inputs are inputs and saved values of ``program`` and the seed, and which defines ``dX`` for
        every ``X`` in ``wrt``, with those adjoints on the way that are worth keeping.

    Raises:
        FormulaError: a name is unknown, the output does not depend on it, or ``dX`` or the seed is already a name.

    Example:
        >>> from minitorch.symbolic import parse
        >>> print(parse("x[n]: h[i] = tanh(x[i])").vjp("h", ["x"]))
        dx[i] = G[i]*(1 - h[i]**2)
    """
    return _vjp(program, output, tuple(wrt), seed)


@remember
def _vjp(program: Program, output: str, wrt: tuple[str, ...], seed: str) -> Program:
    steps = adjoints(program, output, wrt, seed)
    wanted = {gradient_name(name) for name in wrt}
    definitions = tidy([a.definition for a in steps], program.definitions, wanted)
    return assemble(program, definitions, seed_entry(program, output, seed))


def seed_entry(program: Program, output: str, seed: str) -> Entry:
    """The incoming gradient, at the output's indices."""
    target = program.definition(output).target
    return Array(seed, target.dimensions)[target.indices]


def adjoints(program: Program, output: str, wrt: Sequence[str], seed: str) -> list[Adjoint]:
    """The adjoint of every array on the way from the output back to ``wrt``, in the order of the reverse sweep."""
    _check_names(program, output, wrt, seed)
    upstream = {output: Array(seed, program.definition(output).target.dimensions)}
    active, result = _active(program, set(wrt)), []
    defined = [d.name for d in program.definitions]
    last = defined.index(output)
    order = [*reversed(defined[:last]), *(n for n in program.inputs)]
    for name in order:
        readers = [d for d in program.definitions[: last + 1] if d.name in upstream and name in names(d.value)]
        if name in active and readers:
            result.append(_adjoint(program, name, readers, upstream))
            upstream[name] = Array(gradient_name(name), program.targets[name].dimensions)
    missing = [name for name in wrt if name not in upstream]
    if missing:
        raise FormulaError(f"vjp: {output} does not depend on {missing[0]}. Leave it out of wrt.")
    return result


def assemble(program: Program, definitions: Sequence[Definition], seed: Entry) -> Program:
    """The program of some gradients' definitions: its inputs are what they read and do not define."""
    defined = {d.name for d in definitions}
    read = [n for d in definitions for n in sorted(names(d.value)) if n not in defined]
    known = {**program.targets, seed.name: seed}
    return Program(tuple(known[name] for name in dict.fromkeys(read)), tuple(definitions), program.indices)


def _check_names(program: Program, output: str, wrt: Sequence[str], seed: str) -> None:
    program.definition(output)
    for name in wrt:
        program.array(name)
        if name == output:
            raise FormulaError(f"vjp: {name} is the output itself; its gradient is the seed. Leave it out of wrt.")
    for name in (seed, *map(gradient_name, program.targets)):
        if name in program.targets:
            raise FormulaError(
                f"vjp: {name} is already a name of the program. Rename that array or choose another seed."
            )


def _active(program: Program, wrt: set[str]) -> set[str]:
    """The names that depend on one of ``wrt``: only their adjoints are needed."""
    active = set(wrt)
    for definition in program.definitions:
        if names(definition.value) & active:
            active.add(definition.name)
    return active


def _adjoint(program: Program, name: str, readers: Sequence[Definition], upstream: dict[str, Array]) -> Adjoint:
    indices = _letters(program, program.targets[name])
    source = program.array(name)[indices]
    target = Array(gradient_name(name), source.dimensions)[indices]
    contributions = tuple(_contribution(reader, source, upstream[reader.name]) for reader in readers)
    return Adjoint(source, target, contributions, program.definitions)


def _contribution(reader: Definition, source: Entry, upstream: Array) -> Contribution:
    # The reader's indices are renamed apart: they must not meet those of the array that is differentiated by.
    apart = {index: fresh(index) for index in reader.indices}
    bound = tuple(apart.values())
    seed, of = upstream[bound], Entry(reader.target.symbol, *bound)
    value = rename(reader.value, apart)
    chain = close(Sum, seed * Partial(of, source), bound)
    return Contribution(reader, upstream, chain, close(Sum, seed * derivative(value, source), bound))


def _letters(program: Program, entry: Entry) -> tuple[Index, ...]:
    """The indices that an array was first written with; canonical or repeated ones get letters."""
    chosen: list[Index] = []
    for index in entry.indices:
        taken = {i.name for i in chosen}
        fine = not index.bound and index.name not in taken
        chosen.append(index if fine else choose(index, program.indices, taken))
    return tuple(chosen)
