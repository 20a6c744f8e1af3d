"""Which checks are there?  Each with its name and with what it cannot be asked of."""

from __future__ import annotations

from minitorch.testing import derivatives, formulas, keeping, shapes, values
from minitorch.testing.case import Case
from minitorch.testing.outcome import Check


def _nothing_varied(case: Case) -> str | None:
    if case.varied:
        return None
    return "no input is differentiated" if case.floating else "no input is a floating array"


def _no_record(case: Case) -> str | None:
    return "a function has no record of its own" if case.record is None else _nothing_varied(case)


def _dtype_on_purpose(case: Case) -> str | None:
    return "it takes a dtype" if "dtype" in case.static else _nothing_varied(case)


def _alone(case: Case) -> str | None:
    return _nothing_varied(case) or ("it has one input" if len(case.inputs) < 2 else None)


def _empty(case: Case) -> str | None:
    if any(getattr(x, "size", 1) == 0 for x in case.inputs):
        return "an input has size 0 already"
    return _nothing_varied(case)


CHECKS = {
    check.name: check
    for check in (
        Check("first derivative", derivatives.first_derivative, _nothing_varied),
        Check("second derivative", derivatives.second_derivative, _nothing_varied),
        Check("linearity", derivatives.linearity, _nothing_varied),
        Check("forward mode", derivatives.forward_mode, _nothing_varied),
        Check("forward mode is linear", derivatives.forward_linearity, _nothing_varied),
        Check("forward over reverse", derivatives.mixed_modes, _nothing_varied),
        Check("forward over forward", derivatives.forward_over_forward, _nothing_varied),
        Check("float32", values.float32, _dtype_on_purpose),
        Check("rules", values.rules, _no_record),
        Check("plain arrays", values.plain_arrays),
        Check("no tape", values.no_tape),
        Check("layouts", values.layouts, _nothing_varied),
        Check("NumPy's namesake", values.numpy_namesake),
        Check("broadcasting", shapes.broadcasting, _alone),
        Check("size zero", shapes.size_zero, _empty),
        Check("error text", shapes.error_text),
        Check("kept values", keeping.kept_values, _no_record),
        Check("rules write nothing", keeping.untouched_values, _no_record),
        Check("needed values", keeping.needed_values, _no_record),
        Check("in-place writes", keeping.in_place_writes, _no_record),
        Check("formula", formulas.formula_values, formulas.no_formula),
        Check("formula's gradient", formulas.formula_gradient, formulas.not_derived),
    )
}
