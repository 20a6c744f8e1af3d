"""Do the formula in the record and the code agree?  Forward values, and the gradient derived from the formula.

Nothing is shared: the formula is text, the rule is code, and they meet only here.  SymPy is loaded when a formula is
checked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.errors import FormulaError
from minitorch.testing.case import Case
from minitorch.testing.derivatives import EXACT
from minitorch.testing.outcome import NotMade, agree, worst_of

if TYPE_CHECKING:
    from minitorch.symbolic import Program


def no_formula(case: Case) -> str | None:
    """Why there is no formula that could be compared."""
    if getattr(case.operation, "formula", None) is None:
        return "its record has no formula"
    if case.record is not None and callable(formula := case.record.formula):
        ranks = dict(zip(case.record.inputs, map(np.ndim, case.inputs), strict=False))
        if formula(ranks, {**case.record.static, **case.static}) is None:
            return "the notation cannot say this case"
    if case.static.get("keepdims"):
        return "a formula does not keep the axes that it sums over"
    return None


def not_derived(case: Case) -> str | None:
    """Why no gradient could be derived from the formula, or none that could be compared entry by entry."""
    if reason := no_formula(case):
        return reason
    if not case.varied:
        return "no input is differentiated"
    if case.record is not None and any(n < 2 for x in case.inputs for n in np.shape(x)):
        return "an axis of size 0 or 1 could stand for any size"
    return None


def formula_values(case: Case) -> float:
    """The formula gives the values of the forward function."""
    program, arrays = _program(case)
    values = program.evaluate(arrays)
    names = program.outputs[-1:] if case.record is None else case.record.outputs
    errors = []
    for name, out in zip(names, case.call(list(arrays.values())[: len(case.inputs)]), strict=True):
        errors.append(agree(values[name], np.asarray(out), 1e-13, f"{name} by the formula"))
    return worst_of(errors)


def formula_gradient(case: Case) -> float | None:
    """The gradient that is derived from the formula is that of the rules."""
    from minitorch.symbolic import engine_agrees, inputs_of
    from minitorch.symbolic.derive import gradients

    program, arrays = _program(case)
    wrt = [list(program.inputs)[k] for k in case.varied]
    p = case.record
    if p is None:  # a composite's formula has letters of its own: any sizes will do
        composite: Any = case.operation
        arrays = inputs_of(composite, program)
        engine_agrees(program, lambda *args: case.call(args[: len(case.inputs)])[0], wrt, arrays=arrays)
        return None
    out = case.call(case.tensors())[0]
    g = np.random.default_rng(0).standard_normal(out.shape)
    try:
        with np.errstate(invalid="ignore"):  # the logarithm of a negative base that nobody differentiates by
            derived = gradients(program, arrays, p.outputs[0], g, wrt)
    except FormulaError as error:
        raise NotMade(f"no gradient can be derived: {error}") from None
    args = case.tensors()
    found = case.gradients(case.call(args)[:1], args, [g])
    errors = []
    for k, a in zip(case.varied, found, strict=True):
        wanted = np.broadcast_to(derived[p.inputs[k]], a.shape)
        errors.append(agree(a, wanted, EXACT, f"the gradient of the rule and of the formula: {case.said(k)}"))
    return worst_of(errors)


def _program(case: Case) -> tuple[Program, dict[str, Any]]:
    """The formula for inputs of these ranks, and the inputs under the formula's names."""
    from minitorch.symbolic import inputs_of, program_of

    operation: Any = case.operation
    arrays = [a.astype(float) if (a := np.asarray(x)).dtype.kind == "f" else a for x in case.inputs]
    if case.record is None:
        program = program_of(operation)
        given = dict(zip(program.inputs, arrays, strict=False))
        settings = {n: value for n, value in inputs_of(operation, program).items() if isinstance(value, float)}
        return program, {n: (settings | given)[n] for n in program.inputs}
    named = dict(zip(operation.inputs, arrays, strict=True))
    return program_of(operation, {name: a.ndim for name, a in named.items()}, case.static), named
