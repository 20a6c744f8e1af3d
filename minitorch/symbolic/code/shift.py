r"""Where may an exponential be shifted by the largest exponent of its row, so that it cannot overflow?

Where the outputs do not change.  With $E_{ij} = e^{A_{ij} - c_i}$ every definition is rewritten,

$$ e^{A_{ij}} = E_{ij}\,e^{c_i}, \; Z_i = Z'_i\,e^{c_i}, \; P_{ij} = P'_{ij}, \; \log Z_i = c_i + \log Z'_i , $$

for *any* $c$; the factor has to be gone when an output is reached, and a $c$ that is added cancels where it can,
$A_{ij} - \log Z_i = (A_{ij} - c_i) - \log Z'_i$.  The prover checks every such equation with $c$ as an unknown array;
only then is $c_i = \max_j A_{ij}$ put in.

Source: Blanchard, Higham and Higham, *Accurately computing the log-sum-exp and softmax functions* (2021), section 2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import cast

from sympy import Expr, exp

from minitorch.symbolic.binders import close, is_leaf, opened, rename
from minitorch.symbolic.code.forms import Form, NotInvariant, Shift
from minitorch.symbolic.code.line import Line
from minitorch.symbolic.code.names import free_name
from minitorch.symbolic.expression import Array, Binder, Entry, Index, Sum, free
from minitorch.symbolic.letters import choose
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition


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


def _apply(shift: Shift, lines: Sequence[Line], outputs: Sequence[str]) -> list[Line]:
    """The lines in terms of the shifted exponentials.

    Raises:
        NotInvariant: it cannot be shown that the outputs stay the same.
    """
    result, changed, proofs = [], [], []
    for position, line in enumerate(lines):
        form = shift.form(line.value)
        if line.name in outputs:
            form = Form(form.plain)
        if form.whole != line.value:
            changed.append(position)
            proofs.append(shift.proof(line.value, form))
            definition = Definition(line.definition.target, form.rest)
            if form.said(line.name):
                shift.forms[line.name] = definition, form
            line = Line(definition, definition, (*line.remarks, *form.said(line.name)), line.helper)
        result.append(line)
    if not changed:
        raise NotInvariant
    remark = f"any constant taken off a row of exponents never changes {_listed(outputs)}: "
    first = changed[0]
    return [*result[:first], *shift.lines(remark + "; ".join(dict.fromkeys(proofs))), *result[first:]]


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
        used = {i.name for i in letters.values()} | {i.name for i in free(argument)}
        letters[index] = index if index in notation.indices else choose(index, notation.indices, used)
    argument = rename(argument, letters)
    row = tuple(new for old, new in letters.items() if old not in over)
    whole = argument.indices if isinstance(argument, Entry) else tuple(letters.values())
    name = argument.name if isinstance(argument, Entry) else "row"

    def entry(wanted: str, indices: tuple[Index, ...], positive: bool = False) -> Entry:
        return Array(free_name(wanted, taken), tuple(i.dimension for i in indices), positive)[indices]

    return Shift(argument, entry(f"{name}_max", row), entry(f"{name}_shifted", whole), entry("E", whole, True))


def _listed(outputs: Sequence[str]) -> str:
    return outputs[0] if len(outputs) == 1 else f"{', '.join(outputs[:-1])} and {outputs[-1]}"
