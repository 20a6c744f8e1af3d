r"""What is the gradient of an operation, derived in steps that are each checked?

For every array on the way back: the chain rule, the partial derivatives worked out, the deltas contracted, the saved
values reused, and adjoints that are used once substituted.  The result is then compared with the *direct* derivative

$$ \frac{\partial}{\partial x} \sum G \odot \text{output}(x) $$

of the program with all definitions substituted, which knows nothing of the reverse sweep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sympy import Expr, Symbol

from minitorch.symbolic.binders import close
from minitorch.symbolic.calculus import contract, derivative, readable
from minitorch.symbolic.derivation import Derivation, Step
from minitorch.symbolic.deriving import Deriving
from minitorch.symbolic.entrywise import NotWrittenOut, Sizes, first_difference, shown_sizes
from minitorch.symbolic.explain import (
    DIFF_METHOD,
    ROUNDING,
    checked_diff,
    contract_deltas,
    explain_adjoint,
    simplify,
    value_of,
)
from minitorch.symbolic.expression import Entry, Index, Partial, Sum, names, remember
from minitorch.symbolic.letters import choose
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program, inline
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.reverse import Adjoint, adjoints, free_seed, gradient_name, seed_entry
from minitorch.symbolic.saved import reuse_saved
from minitorch.symbolic.sizes import infer_sizes
from minitorch.symbolic.textbook import compare_textbook
from minitorch.symbolic.tidy import tidy
from minitorch.symbolic.verdict import REFUTED, Verdict
from minitorch.symbolic.words import of_derivative


def derive_gradients(
    program: Program,
    output: str,
    wrt: Sequence[str],
    seed: str = "G",
    op: str = "",
    sizes: Mapping[str, int] | None = None,
    textbook: Sequence[Definition] = (),
    source: str = "",
) -> list[Derivation]:
    """The gradient of ``sum(seed * output)`` by each of ``wrt``, step by step.

    Arguments:
        op: the operation's name, for titles.
        sizes: dimension to size, for the comparison with ``sympy.diff``; 2 unless given.
        textbook: the gradients as they are printed elsewhere, with what they are written with; compared if given.
        source: where they are printed.

    Returns:
        One derivation for each input, in the order of ``wrt``.

    Raises:
        FormulaError: a step or a result is wrong, or see :func:`minitorch.symbolic.reverse.vjp`.
    """
    sweep = adjoints(program, output, wrt, seed)
    wanted = {gradient_name(name) for name in wrt}
    kept = tidy([a.definition for a in sweep], program.definitions, wanted)
    names_of_gradients = [a.target.name for a in sweep] + [d.name for d in textbook if d.name.startswith("d")]
    notation = Notation.of(program, names_of_gradients, seed)
    incoming, chosen = seed_entry(program, output, seed), chosen_sizes(program, sizes)
    finals = {d.name: d.value for d in kept}
    gone = [a.definition for a in sweep if a.target.name not in finals]
    explained: dict[str, tuple[Step, ...]] = {}
    derivations = []
    for name in wrt:
        needed = _needed(sweep, gradient_name(name))
        for adjoint in needed:
            if adjoint.target.name not in explained:
                final = finals.get(adjoint.target.name)
                steps = explain_adjoint(notation, adjoint, program.definitions, gone, final, chosen)
                explained[adjoint.target.name] = steps
        verdict = gradient_verdict(program, kept, incoming, output, name, chosen)
        steps = tuple(step for adjoint in needed for step in explained[adjoint.target.name])
        derived = next(d for d in kept if d.name == gradient_name(name))
        printed = None
        if textbook:
            printed = compare_textbook(derived, textbook, source, (*program.definitions, *kept), notation)
        derivations.append(Derivation(op or output, name, steps, verdict, printed))
    return derivations


def gradient_verdict(
    program: Program, backward: Sequence[Definition], seed: Entry, output: str, name: str, sizes: Sizes
) -> Verdict:
    """Whether the definition of a gradient equals the direct derivative of the inlined program."""
    return _gradient_verdict(program, tuple(backward), seed, output, name, tuple(sizes.items()))


@remember
def _gradient_verdict(
    program: Program,
    backward: tuple[Definition, ...],
    seed: Entry,
    output: str,
    name: str,
    chosen: tuple[tuple[Symbol, int], ...],
) -> Verdict:
    claim = next(d for d in backward if d.name == gradient_name(name))
    by = Entry(program.targets[name].symbol, *claim.indices)
    loss = close(Sum, seed * program.definition(output).target, seed.indices)
    everything = (*_without(program.definitions, name), *backward)
    direct = derivative(_inlined(program, loss, name), by)
    verdict = prove_equal(claim.value, direct, everything, largest=3)
    return _with_diff(verdict, loss, by, claim.value, dict(chosen), everything)


def derive_jacobian(
    program: Program, output: str, wrt: str, op: str = "", sizes: Mapping[str, int] | None = None
) -> Derivation:
    """The Jacobian of an output by an input, step by step, in saved values.

    Arguments and errors as for :func:`derive_gradients`.

    Example:
        >>> from minitorch.symbolic import parse
        >>> p = parse("x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z")
        >>> print(derive_jacobian(p, "S", "x").steps[-1].text())
        ∂S[i]/∂x[j] = S[i]*(δ(i,j) - S[j])
    """
    definition = program.definition(output)
    by = program.array(wrt)[_apart(program, program.targets[wrt], definition.indices)]
    chosen, left = chosen_sizes(program, sizes), Partial(definition.target, by)
    work = Deriving(Notation.of(program), program.definitions)
    work.given(definition.target, definition.value, "definition", f"This is what {output} is.")
    inlined = _inlined(program, definition.value, wrt)
    work.follow(inlined, "substitute the definitions", f"So that every {wrt} can be seen.")
    raw, shown = derivative(inlined, by), work.notation.lettered(inlined, (*definition.indices, *by.indices))
    reason = of_derivative(work.notation, shown, by)
    work.given(left, raw, "differentiate", reason, checked_diff(inlined, by, raw, chosen))
    contract_deltas(work, contract(raw))
    result = reuse_saved(contract(raw), program.definitions)
    simplify(work, program.definitions, readable(result))
    verdict = prove_equal(readable(result), raw, program.definitions, largest=3)
    verdict = _with_diff(verdict, definition.target, by, readable(result), chosen, program.definitions)
    return work.finish(op or output, wrt, verdict)


def gradients(
    program: Program, arrays: Mapping[str, Any], output: str, seed: Any, wrt: Sequence[str]
) -> dict[str, Any]:
    """The gradients of ``sum(seed * output)`` on arrays, by the derived program.

    Arguments:
        arrays: the inputs, by name.
        seed: the incoming gradient, of the output's shape.

    Returns:
        Name to gradient (float64), for every name in ``wrt``.

    Raises:
        FormulaError: a name is unknown or an array does not fit.
    """
    name = free_seed(program)
    values = {**arrays, **program.evaluate(arrays), name: seed}
    sizes = infer_sizes(program.entries, {n: np.asarray(values[n]) for n in program.inputs})
    back = program.vjp(output, wrt, name).evaluate(values, sizes)
    return {n: back[gradient_name(n)] for n in wrt}


def _needed(sweep: Sequence[Adjoint], name: str) -> list[Adjoint]:
    """The adjoints that one gradient is made of, in the order of the sweep."""
    wanted = {name}
    for adjoint in reversed(sweep):
        if adjoint.target.name in wanted:
            wanted |= names(adjoint.reused)
    return [a for a in sweep if a.target.name in wanted]


def _with_diff(
    verdict: Verdict, function: Expr, by: Entry, claim: Expr, sizes: Sizes, definitions: Sequence[Definition]
) -> Verdict:
    """The verdict with the comparison with ``sympy.diff`` taken into account."""
    definitions = _without(definitions, by.name)
    try:
        wrong = first_difference(function, by, claim, sizes, definitions)
    except NotWrittenOut:
        return verdict
    if wrong is None:
        return verdict.with_method(DIFF_METHOD.format(sizes=shown_sizes(sizes)))
    place, difference = wrong
    value = value_of(difference)
    if abs(value) < ROUNDING:
        return verdict  # not shown, and not refuted either
    return Verdict(REFUTED, (), f"sympy.diff differs by {value:.6g} at {shown_sizes(sizes)}, entry {place}")


def _inlined(program: Program, expression: Expr, name: str) -> Expr:
    return inline(expression, _without(program.definitions, name))


def _without(definitions: Sequence[Definition], name: str) -> tuple[Definition, ...]:
    return tuple(d for d in definitions if d.name != name)


def chosen_sizes(program: Program, given: Mapping[str, int] | None) -> Sizes:
    """Sizes for sympy.diff: 2 everywhere, the least at which a forgotten delta or sum shows."""
    entries = [*program.entries, *(d.target for d in program.definitions)]
    symbols = {s: None for e in entries for size in e.dimensions for s in size.free_symbols}
    named = dict(given or {})
    return {s: named.get(str(s), 2) for s in symbols if isinstance(s, Symbol)}


def _apart(program: Program, entry: Entry, taken: Sequence[Index]) -> tuple[Index, ...]:
    """Indices for an entry that do not occur in ``taken``: the letters after those (i gives j)."""
    chosen: list[Index] = []
    for index in entry.indices:
        used = {i.name for i in (*taken, *chosen)}
        same = tuple(i for i in taken if i.dimension == index.dimension)
        chosen.append(choose(index, same or program.indices, used))
    return tuple(chosen)
