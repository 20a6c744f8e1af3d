r"""How does a theorem say something new about a formula that stands elsewhere?

By changing a program, never by writing its formula again: further definitions, other names, an input with a value, a
dimension of size 1, or a summed axis cut into blocks,

$$ \sum_{j \le n_1 + n_2} f_j = \sum_{j \le n_1} f_j + \sum_{j \le n_2} f_{n_1 + j} . $$
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sympy import Expr, S, Symbol

from minitorch.symbolic.binders import close, fresh, opened, rebuild, swap
from minitorch.symbolic.binders import replace as replaced
from minitorch.symbolic.expression import Array, Entry, Index, Sum, names
from minitorch.symbolic.parse import parse_definitions
from minitorch.symbolic.program import Definition, Program


def extended(program: Program, text: str, *inputs: Array) -> Program:
    """A program with further definitions and inputs.

    Raises:
        FormulaError: the text is no list of definitions over the program's arrays and the new inputs.
    """
    definitions = parse_definitions(text, program, {array.name: array for array in inputs}) if text else ()
    entries = tuple(entry_of(array, program.indices) for array in inputs)
    used = dict.fromkeys((*program.indices, *(i for d in definitions for i in d.indices)))
    return Program((*program.entries, *entries), (*program.definitions, *definitions), tuple(used))


def entry_of(array: Array, indices: Sequence[Index]) -> Entry:
    """An array with a letter of its own dimension on every axis."""
    chosen: list[Index] = []
    for axis, size in enumerate(array.dimensions):
        fitting = [i for i in indices if i.dimension == size and i not in chosen]
        chosen.append(fitting[0] if fitting else Index(f"i{axis}", size))
    return array[tuple(chosen)]


def renamed(program: Program, names: Mapping[str, str]) -> Program:
    """A program whose arrays have other names."""
    entries = tuple(cast(Entry, renamed_in(e, names)) for e in program.entries)
    definitions = ((cast(Entry, renamed_in(d.target, names)), renamed_in(d.value, names)) for d in program.definitions)
    return Program(entries, tuple(Definition(*d) for d in definitions), program.indices)


def renamed_in(expression: Expr, names: Mapping[str, str]) -> Expr:
    """An expression whose arrays have other names."""
    entries = [e for e in expression.atoms(Entry) if e.name in names]
    return swap(expression, {e: Entry(_symbol(names[e.name], e.symbol), *e.indices) for e in entries})


def _symbol(name: str, like: Symbol) -> Symbol:
    """Another name for an array that is as positive as it was."""
    return Symbol(name, **like.assumptions0)


def over(program: Program, sizes: Mapping[Expr, Expr]) -> Program:
    """A program whose dimensions have other names."""

    def change(e: Any) -> Any:
        indices = {i: Index(i.name, i.dimension.xreplace(sizes)) for i in e.atoms(Index)}
        return swap(e, {**indices, **sizes})

    definitions = tuple(Definition(change(d.target), change(d.value)) for d in program.definitions)
    return Program(tuple(map(change, program.entries)), definitions, tuple(map(change, program.indices)))


def joined(first: Program, second: Program) -> Program:
    """Both programs on the same inputs."""
    entries = {e.name: e for e in (*second.entries, *first.entries)}
    indices = dict.fromkeys((*first.indices, *second.indices))
    return Program(tuple(entries.values()), (*first.definitions, *second.definitions), tuple(indices))


def with_value(program: Program, *values: Definition) -> Program:
    """A program in which inputs have values, in terms of inputs of the same or of other names."""
    definitions = tuple(Definition(d.target, inline_once(d.value, values)) for d in program.definitions)
    return Program(program.entries, definitions, program.indices)


def inline_once(expression: Expr, values: Sequence[Definition]) -> Expr:
    """``expression`` with values put in for names at the same time: a value may mention the name that it replaces."""
    meant = {d.name: d for d in values}

    def change(e: Expr) -> Expr | None:
        if not names(e) & meant.keys():
            return e
        return meant[e.name].at(e.indices) if isinstance(e, Entry) and e.name in meant else None

    return replaced(expression, change)


def with_one(program: Program, size: Symbol) -> Program:
    """A program in which a dimension has size 1, and its index need not be written: one head, one row of a batch."""

    def change(e: Expr) -> Expr | None:
        if isinstance(e, Entry):
            return Entry(e.symbol, *(i for i in e.indices if i.dimension != size))
        if isinstance(e, Sum):
            body, bound = opened(e)
            return close(Sum, replaced(body, change), [i for i in bound if i.dimension != size])
        return None

    entries = tuple(cast(Entry, change(e)) for e in program.entries)
    definitions = tuple(
        Definition(cast(Entry, change(d.target)), replaced(d.value, change)) for d in program.definitions
    )
    return Program(entries, definitions, tuple(i for i in program.indices if i.dimension != size))


def in_blocks(expression: Expr, size: Symbol, blocks: Sequence[Symbol]) -> Expr:
    """``expression`` with every sum over ``size`` cut into sums over blocks; the b-th block of x is ``x_b``."""
    if not (isinstance(expression, Sum) and any(i.dimension == size for i in expression.bound)):
        return rebuild(expression, lambda e: in_blocks(e, size, blocks))
    body, bound = opened(expression)
    cut, *others = sorted(bound, key=lambda i: i.dimension != size)
    inside = in_blocks(close(Sum, body, others), size, blocks)
    total = S.Zero
    for number, block in enumerate(blocks, 1):
        index = fresh(Index(cut.name, block))
        total += close(Sum, _in_block(inside, cut, index, number), [index])
    return total


def _in_block(body: Expr, cut: Index, index: Index, number: int) -> Expr:
    def change(e: Expr) -> Expr | None:
        if isinstance(e, Entry) and cut in e.indices:
            return Entry(_symbol(f"{e.name}_{number}", e.symbol), *(index if i == cut else i for i in e.indices))
        return None

    return swap(replaced(body, change), {cut: index})


def summing_to_one(entry: Entry, name: str = "u", positive: bool = False) -> Definition:
    r"""What every array that sums to 1 is: $y_i = u_i / \sum_k u_k$ (with $u = y$), so that the sum is 1 for any u."""
    free = Array(name, entry.dimensions, positive)
    (index,) = entry.indices
    return Definition(entry, free[index] / close(Sum, free[index], [index]))
