"""How far is every gradient of an operation known to be right?

Three comparisons for each input, by code that has nothing in common: the reverse sweep with the direct derivative (by
normal form, in a random field, and by ``sympy.diff``), the textbook's closed form with the reverse sweep, and the
engine's numbers with both.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from minitorch.errors import FormulaError
from minitorch.symbolic.derivation import Derivation
from minitorch.symbolic.derive import chosen_sizes, derive_gradients, gradient_verdict
from minitorch.symbolic.library.record import SEED, Known
from minitorch.symbolic.operation import engine_agrees
from minitorch.symbolic.program import Program, inline
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.reverse import gradient_name, seed_entry
from minitorch.symbolic.verdict import KINDS, REFUTED, Verdict

CLOSED_METHOD = "closed form: {methods}"
_FROM_BEST = (*(kind for kind in KINDS if kind != REFUTED), REFUTED)


@dataclass(frozen=True)
class InputVerdict:
    """What is known about the gradient by one input.

    Attributes:
        op, input: the operation's name in the library, and the input's in its formula.
        verdict: how far its gradient is known to be right, with every method that agreed.
        seconds: of the processor, that finding it out has taken.
    """

    op: str
    input: str
    verdict: Verdict
    seconds: float

    @property
    def methods(self) -> tuple[str, ...]:
        return self.verdict.methods


def verdicts(known: Known) -> tuple[InputVerdict, ...]:
    """The verdict on every gradient of an operation, in the order of its ``wrt``; steps are not written down.

    Example:
        >>> from minitorch.symbolic.library import find
        >>> [found] = verdicts(find("softmax"))
        >>> found.input, found.verdict.kind
        ('x', 'proved for all sizes')
    """
    return tuple(_timed(known, name) for name in known.wrt)


def derivations(known: Known) -> list[Derivation]:
    """The derivation of every gradient of an operation, step by step, with the verdict of :func:`verdicts`.

    Raises:
        FormulaError: a step does not follow.
    """
    derived = derive_gradients(
        known.program,
        known.differentiated,
        known.wrt,
        SEED,
        known.name,
        known.sizes,
        textbook=known.closed_definitions,
        source=known.source,
    )
    return [
        replace(d, verdict=_with_others(known, d.textbook.verdict, d.input, d.verdict)) for d in derived if d.textbook
    ]


def _timed(known: Known, name: str) -> InputVerdict:
    start = time.process_time()
    verdict = _verdict(known, name)
    return InputVerdict(known.name, name, verdict, time.process_time() - start)


def _verdict(known: Known, name: str) -> Verdict:
    back = _sweep(known)
    program, output = known.program, known.differentiated
    seed, sizes = seed_entry(program, output, SEED), chosen_sizes(program, known.sizes)
    derived = gradient_verdict(program, back.definitions, seed, output, name, sizes)
    return _with_others(known, closed_verdict(known, back, name), name, derived)


def _sweep(known: Known) -> Program:
    return known.program.vjp(known.differentiated, known.wrt, SEED)


def _with_others(known: Known, closed: Verdict, name: str, derived: Verdict) -> Verdict:
    """The verdict on a derived gradient with that on the closed form and the engine taken into account."""
    weaker = max(derived, closed, key=lambda verdict: _FROM_BEST.index(verdict.kind))
    if weaker.kind == REFUTED:
        return weaker
    said = CLOSED_METHOD.format(methods=" and ".join(closed.methods))
    try:
        engine = engine_agrees(known.program, known.run, [name], output=known.differentiated, arrays=known.arrays())
    except FormulaError as error:
        return Verdict(REFUTED, (), str(error))
    return Verdict(weaker.kind, (*derived.methods, said, engine), weaker.detail)


def closed_verdict(known: Known, back: Program, name: str) -> Verdict:
    """Whether the closed form of a gradient equals what the reverse sweep ``back`` computes.

    Raises:
        FormulaError: the closed form does not define that gradient.
    """
    wanted, closed = gradient_name(name), known.closed_definitions
    derived = back.definition(wanted)
    claim = next((d for d in closed if d.name == wanted), None)
    if claim is None:
        raise FormulaError(f"{known.name}: closed has no {wanted}, which wrt asks for. Write {wanted}[...] = ...")
    meant = inline(claim.at(derived.indices), closed)
    verdict = prove_equal(derived.value, meant, (*known.program.definitions, *back.definitions), largest=3)
    return replace(verdict, detail=f"closed form: {verdict.detail}") if verdict.detail else verdict
