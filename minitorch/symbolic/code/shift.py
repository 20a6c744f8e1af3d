r"""Where may an exponential be shifted by the largest exponent of its row, so that it cannot overflow?

Where the outputs do not change.  With $E_{ij} = e^{A_{ij} - c_i}$ every definition is rewritten,

$$ e^{A_{ij}} = E_{ij}\,e^{c_i}, \; Z_i = Z'_i\,e^{c_i}, \; P_{ij} = P'_{ij}, \; \log Z_i = c_i + \log Z'_i , $$

for *any* $c$; the factor has to be gone when an output is reached.  The prover checks every such equation with $c$ as
an unknown array; only then is $c_i = \max_j A_{ij}$ put in.

Source: Blanchard, Higham and Higham, *Accurately computing the log-sum-exp and softmax functions* (2021), section 2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from sympy import Add, Expr, Mul, Pow, S, exp, expand_log, log

from minitorch.symbolic.binders import close, is_leaf, opened, rename, replace, swap
from minitorch.symbolic.calculus import hoist
from minitorch.symbolic.code.line import Line
from minitorch.symbolic.code.names import free_name
from minitorch.symbolic.expression import Array, Binder, Entry, Index, MaxOver, Sum, free
from minitorch.symbolic.letters import choose
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.saved import instance_of


class NotInvariant(Exception):
    """A factor exp(c) does not come out of an expression, or reaches an output."""


@dataclass(frozen=True)
class Shift:
    """A pattern ``exp(argument)`` with what takes its place: ``shifted`` times exp of ``constant``."""

    argument: Expr
    shifted: Entry
    constant: Entry

    @property
    def indices(self) -> tuple[Index, ...]:
        return self.shifted.indices

    @property
    def over(self) -> tuple[Index, ...]:
        """The indices of the row."""
        return tuple(i for i in self.indices if i not in self.constant.indices)

    def lines(self, outputs: Sequence[str], proof: str) -> list[Line]:
        """The definitions of the row's maximum and of the shifted exponential."""
        largest = Definition(self.constant, close(MaxOver, self.argument, self.over))
        value = Definition(self.shifted, exp(self.argument - self.constant))
        remark = f"any constant taken off a row of exponents never changes {_listed(outputs)}: {proof}"
        return [Line(largest, largest, helper=True), Line(value, value, (remark,), helper=True)]

    def renaming(self, part: Expr) -> dict[Index, Index] | None:
        """How the indices are called where the exponential stands."""
        return instance_of(part, cast(Expr, exp(self.argument)), self.indices)


def shifted(lines: Sequence[Line], outputs: Sequence[str], taken: Collection[str], notation: Notation) -> list[Line]:
    """The lines with every exponential shifted for which that is proved to leave the outputs as they are.

    Arguments:
        outputs: the names whose values must not change.
        taken: names that are in use.
    """
    lines, tried = list(lines), set()
    while candidate := next((c for c in _candidates(lines) if close(Sum, *c) not in tried), None):
        tried.add(close(Sum, *candidate))
        shift = _named(*candidate, {*taken, *(line.name for line in lines)}, notation)
        try:
            lines = _apply(shift, lines, outputs)
        except NotInvariant:
            continue
    return lines


def _candidates(lines: Sequence[Line]) -> Iterator[tuple[Expr, tuple[Index, ...]]]:
    """Exponents in sums, with the indices of the row: those that are summed; failing that, all."""
    found = [pair for line in lines for pair in _summed_exponents(line.value)]
    yield from found
    yield from ((argument, tuple(sorted(free(argument), key=str))) for argument, _ in found)


def _summed_exponents(e: Expr) -> Iterator[tuple[Expr, tuple[Index, ...]]]:
    if is_leaf(e):
        return
    if not isinstance(e, Binder):
        for part in e.args:
            yield from _summed_exponents(cast(Expr, part))
        return
    body, bound = opened(e)
    yield from _summed_exponents(body)
    for part in body.atoms(exp) if isinstance(e, Sum) else ():
        argument = cast(Expr, part.args[0])
        over = tuple(i for i in bound if i in free(argument))
        if over and not any(i.bound for i in free(argument)):
            yield argument, over


def _named(argument: Expr, over: tuple[Index, ...], taken: set[str], notation: Notation) -> Shift:
    """The shift, with letters and names of its own."""
    letters: dict[Index, Index] = {}
    for index in sorted(free(argument), key=lambda i: (i in over, str(i))):
        known = any(index == i for i in notation.indices)
        used = {i.name for i in letters.values()} | {i.name for i in free(argument)}
        letters[index] = index if known else choose(index, notation.indices, used)
    argument = rename(argument, letters)
    kept = tuple(new for old, new in letters.items() if old not in over)
    whole = argument.indices if isinstance(argument, Entry) else tuple(letters.values())
    row = f"{argument.name}_max" if isinstance(argument, Entry) else "largest"
    constant = Array(free_name(row, taken), tuple(i.dimension for i in kept))[kept]
    name = free_name("E", taken)
    return Shift(argument, Array(name, tuple(i.dimension for i in whole), positive=True)[whole], constant)


def _listed(outputs: Sequence[str]) -> str:
    return outputs[0] if len(outputs) == 1 else f"{', '.join(outputs[:-1])} and {outputs[-1]}"


def _apply(shift: Shift, lines: Sequence[Line], outputs: Sequence[str]) -> list[Line]:
    """The lines in terms of the shifted exponential.

    Raises:
        NotInvariant: it cannot be shown that the outputs stay the same.
    """
    weights: dict[str, tuple[Definition, Expr]] = {}
    result, first, proofs = [], None, []
    for position, line in enumerate(lines):
        value, weight = _scaled(line.value, shift, weights)
        if weight != 0 and line.name in outputs:
            raise NotInvariant
        if value != line.value or weight != 0:
            first = position if first is None else first
            proofs.append(_proof(line, value, weight, shift, weights))
            definition, remarks = Definition(line.definition.target, value), line.remarks
            if weight != 0:
                weights[line.name] = definition, weight
                remarks = (*remarks, f"the formula's own {line.name} is this times exp({weight})")
            line = Line(definition, definition, remarks, line.helper)
        result.append(line)
    if first is None:
        raise NotInvariant
    return [*result[:first], *shift.lines(outputs, "; ".join(dict.fromkeys(proofs))), *result[first:]]


def _scaled(e: Expr, shift: Shift, weights: Mapping[str, tuple[Definition, Expr]]) -> tuple[Expr, Expr]:
    """e' and w with e = e' exp(w), where w is a multiple of the shift's constant."""
    renaming = shift.renaming(e)
    if renaming is not None:
        return swap(shift.shifted, renaming), swap(shift.constant, renaming)
    if isinstance(e, Entry) and e.name in weights:
        definition, weight = weights[e.name]
        return e, swap(weight, dict(zip(definition.indices, e.indices, strict=True)))
    if is_leaf(e):
        return e, S.Zero
    if isinstance(e, Binder):
        body, bound = opened(e)
        body, weight = _scaled(body, shift, weights)
        if weight != 0 and (free(weight) & set(bound) or not isinstance(e, Sum)):
            raise NotInvariant
        return close(type(e), body, bound), weight
    parts = [_scaled(cast(Expr, part), shift, weights) for part in e.args]
    values, scales = [value for value, _ in parts], [weight for _, weight in parts]
    if isinstance(e, Mul):
        return Mul(*values), Add(*scales)
    if isinstance(e, Add) and all(scale == scales[0] for scale in scales):
        return Add(*values), scales[0]
    if isinstance(e, Pow) and scales[1] == 0 and e.exp.is_number:
        return Pow(*values), e.exp * scales[0]
    if isinstance(e, log):
        return log(values[0]) + scales[0], S.Zero
    if any(scale != 0 for scale in scales):
        raise NotInvariant
    return cast(Expr, e.func(*values)), S.Zero


def _proof(line: Line, value: Expr, weight: Expr, shift: Shift, weights: Mapping[str, tuple[Definition, Expr]]) -> str:
    """What proves that the line's value is ``value`` times exp(weight), for every constant of the shift."""

    def change(part: Expr) -> Expr | None:
        renaming = shift.renaming(part)
        if renaming is not None:
            return swap(shift.shifted * exp(shift.constant), renaming)
        if isinstance(part, Entry) and part.name in weights:
            definition, scale = weights[part.name]
            return part * exp(swap(scale, dict(zip(definition.indices, part.indices, strict=True))))
        return None

    before = cast(Expr, expand_log(hoist(replace(line.value, change))))
    verdict = prove_equal(before, value * exp(weight))
    if not verdict.holds:
        raise NotInvariant
    return verdict.kind
