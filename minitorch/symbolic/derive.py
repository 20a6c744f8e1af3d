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
import sympy
from sympy import Expr, Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import close, swap
from minitorch.symbolic.calculus import contract, derivative, readable
from minitorch.symbolic.derivation import Derivation, Deriving
from minitorch.symbolic.entrywise import NotWrittenOut, Sizes, first_difference, shown_sizes
from minitorch.symbolic.expression import Entry, Index, Partial, Sum, dimensions, names
from minitorch.symbolic.letters import choose
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program, inline
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.reverse import Adjoint, adjoints, gradient_name, seed_entry
from minitorch.symbolic.saved import reuse_saved
from minitorch.symbolic.sizes import infer_sizes
from minitorch.symbolic.tidy import tidy
from minitorch.symbolic.verdict import REFUTED, Verdict

DIFF_METHOD = "sympy.diff at {sizes}"
_ROUNDING = 1e-9  # a difference that could not be simplified to 0 but is smaller than this is left undecided


def derive_gradients(
    program: Program,
    output: str,
    wrt: Sequence[str],
    seed: str = "G",
    op: str = "",
    sizes: Mapping[str, int] | None = None,
) -> list[Derivation]:
    """The gradient of ``sum(seed * output)`` by each of ``wrt``, step by step.

    Arguments:
        op: the operation's name, for titles.
        sizes: dimension to size, for the comparison with ``sympy.diff``; 2 unless given.

    Returns:
        One derivation for each input, in the order of ``wrt``.

    Raises:
        FormulaError: a step or a result is wrong, or see :func:`minitorch.symbolic.reverse.vjp`.
    """
    sweep = adjoints(program, output, wrt, seed)
    wanted = {gradient_name(name) for name in wrt}
    kept = tidy([a.definition for a in sweep], program.definitions, wanted)
    notation = Notation.of(program, [a.target.name for a in sweep])
    incoming = seed_entry(program, output, seed)
    chosen = chosen_sizes(program, sizes)
    derivations = []
    for name in wrt:
        work = Deriving(notation, program.definitions)
        for adjoint in _needed(sweep, gradient_name(name)):
            _explain(work, adjoint, sweep, kept, chosen)
        verdict = gradient_verdict(program, kept, incoming, output, name, chosen)
        derivations.append(work.finish(op or output, name, verdict))
    return derivations


def gradient_verdict(
    program: Program, backward: Sequence[Definition], seed: Entry, output: str, name: str, sizes: Sizes
) -> Verdict:
    """Whether the definition of a gradient equals the direct derivative of the inlined program."""
    claim = next(d for d in backward if d.name == gradient_name(name))
    by = Entry(program.targets[name].symbol, *claim.indices)
    loss = close(Sum, seed * program.definition(output).target, seed.indices)
    everything = (*_without(program.definitions, name), *backward)
    direct = derivative(_inlined(program, loss, name), by)
    verdict = prove_equal(claim.value, direct, everything, largest=3)
    return _with_diff(verdict, loss, by, claim.value, sizes, everything)


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
    raw = derivative(inlined, by)
    proof = _checked_diff(inlined, by, raw, chosen)
    reason = f"The chain rule; an entry of {wrt} by another one is a delta."
    work.given(left, raw, "differentiate", reason, proof)
    work.follow(contract(raw), "contract deltas", "A sum over a delta keeps the one term where its indices meet.")
    result = reuse_saved(contract(raw), program.definitions)
    work.follow(result, "reuse saved values", "The forward pass has computed these already.")
    work.follow(readable(result), "collect", "The common factor is written in front.")
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
    name = next(n for n in ("G", "G'", "G''") if n not in program.targets)
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


def _explain(
    work: Deriving, adjoint: Adjoint, sweep: Sequence[Adjoint], kept: Sequence[Definition], sizes: Sizes
) -> None:
    """Add the steps from the chain rule to the final form of one gradient."""
    readers = " and ".join(c.reader.name for c in adjoint.contributions)
    source = adjoint.source.name
    reason = f"{source} is read by {readers}; what comes back through each is added up."
    work.given(adjoint.target, adjoint.chain, "chain rule", reason, "definition of the gradient")
    proof = "; ".join(dict.fromkeys(_partial_proof(c.reader, adjoint.source, sizes) for c in adjoint.contributions))
    work.follow(adjoint.raw, "differentiate", f"An entry of {source} by another one is a delta.", proof=proof)
    work.follow(adjoint.contracted, "contract deltas", "A sum over a delta keeps the one term where its indices meet.")
    work.follow(adjoint.reused, "reuse saved values", "The forward pass has computed these already.")
    final = next((d for d in kept if d.name == adjoint.target.name), None)
    if final is not None:
        gone = [a.definition for a in sweep if a.target.name not in {d.name for d in kept}]
        used = ", ".join(d.name for d in gone if d.name in names(adjoint.reused))
        work.follow(final.value, "substitute", f"{used} is needed nowhere else.", definitions=gone)


def _partial_proof(reader: Definition, source: Entry, sizes: Sizes) -> str:
    apart = {i: Index(f"{i.name}_", i.dimension) for i in reader.indices}
    value = Definition(reader.target, reader.value).at(tuple(apart.values()))
    return _checked_diff(value, source, derivative(value, source), sizes)


def _checked_diff(function: Expr, by: Entry, claimed: Expr, sizes: Sizes) -> str:
    try:
        wrong = first_difference(function, by, claimed, sizes)
    except NotWrittenOut:
        return "rule of the maximum"
    if wrong and abs(_number(wrong[1])) >= _ROUNDING:
        raise FormulaError(
            f"derivative: {function} by {by} differs from sympy.diff at {wrong}. This is a bug; report it."
        )
    exactly = "" if wrong is None else ", in floating point"
    return DIFF_METHOD.format(sizes=_mentioned(sizes, function, by)) + exactly


def _number(expression: Expr) -> float:
    """The value of a scalar expression at an arbitrary point (its distance from 0, if that is complex)."""
    symbols = sorted(expression.free_symbols, key=str)
    point = {symbol: sympy.Rational(k + 2, 7) for k, symbol in enumerate(symbols)}
    return abs(complex(sympy.N(swap(expression, point))))


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
    value = _number(difference)
    if abs(value) < _ROUNDING:
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


def _mentioned(sizes: Sizes, *expressions: Expr) -> str:
    found = frozenset().union(*map(dimensions, expressions))
    return shown_sizes({s: n for s, n in sizes.items() if s in found}) or "a point"


def _apart(program: Program, entry: Entry, taken: Sequence[Index]) -> tuple[Index, ...]:
    """Indices for an entry that do not occur in ``taken``: the letters after those (i gives j)."""
    chosen: list[Index] = []
    for index in entry.indices:
        used = {i.name for i in (*taken, *chosen)}
        same = tuple(i for i in taken if i.dimension == index.dimension)
        chosen.append(choose(index, same or program.indices, used))
    return tuple(chosen)
