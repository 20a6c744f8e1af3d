"""Does an operation pass every check?  On given inputs, on random ones of given shapes, or on random ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minitorch.errors import ArgumentError
from minitorch.shapes import Shape
from minitorch.signature import EMPTY, parameters
from minitorch.testing.case import Case
from minitorch.testing.checks import CHECKS
from minitorch.testing.outcome import ExaminationError, Outcome, Report, first_line, made

SHAPES: tuple[Shape, ...] = ((2, 3), (3,), ())  # of every input, where nothing else is said


def examine(
    operation: Callable[..., Any], *inputs: Any, shapes: Sequence[Shape] | None = None, **static: Any
) -> Report:
    """Make every check of `CHECKS` of an operation, and raise one error that lists all that failed.

    Args:
        operation: a primitive, or any function of arrays (which has no record, so that fewer checks can be made).
        inputs: what to call it with.  Floating arrays are made float64 and differentiated; integers, booleans and
            Python numbers are passed on.  Keep away from kinks and ties: within 0.002 it must be smooth.
        shapes: instead of inputs, one shape for each, to draw them at random.  Without inputs and shapes, each of (2,
            3), (3,) and () that the operation takes is drawn for all inputs.
        static: its static arguments.

    Returns:
        A report of every check: its worst relative error, or the reason why it could not be made.  Print it.

    Raises:
        ExaminationError: a check failed; an AssertionError, too.
        ArgumentError: no inputs could be drawn, and what the operation said to them; or no input is differentiated,
            though the operation is not declared as one without derivatives.

    >>> import minitorch as mt
    >>> cube = mt.primitive(vjp={"x": lambda g, x: g * (3 * x * x)}, name="doctest_cube")(lambda x: x**3)
    >>> report = examine(cube, np.array([0.5, -2.0]))
    >>> len(report.passed), len(report.failed)
    (17, 0)
    >>> report.not_made[0].check, report.not_made[0].not_made
    ("NumPy's namesake", 'NumPy has no function doctest_cube')
    """
    outcomes: list[Outcome] = []
    cases = [Case.of(operation, inputs, static)] if inputs else list(_drawn(operation, shapes, static, outcomes))
    _something_is_differentiated(cases)
    for case in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # what is not finite is found by its value
            outcomes += [made(check, case) for check in CHECKS.values()]
    report = Report(cases[0].name, tuple(outcomes))
    if report.failed:
        raise ExaminationError(report)
    return report


def _something_is_differentiated(cases: Sequence[Case]) -> None:
    """Refuse calls of which no derivative could be examined: all would be well, and nothing known."""
    case = cases[0]
    if any(c.varied for c in cases) or (case.record is not None and not case.record.differentiable):
        return
    given = ", ".join(f"{np.asarray(x).dtype} {np.shape(x)}" for x in case.inputs) or "nothing"
    raise ArgumentError(
        f"examine: {case.name} of {given}: no differentiable input was given, so that no derivative would be examined. "
        "Give a floating array for one of them?"
    )


def _drawn(
    operation: Callable[..., Any], shapes: Sequence[Shape] | None, static: Mapping[str, Any], refused: list[Outcome]
) -> Iterator[Case]:
    """Calls with random inputs; the shapes that were refused are noted."""
    if shapes is not None:
        wanted = [tuple(tuple(s) for s in shapes)]
    else:
        wanted = [(s,) * _count(operation, static) for s in SHAPES]
    said = []
    for chosen in wanted:
        try:
            yield _finite(operation, chosen, static)
        except Exception as error:
            said.append(f"{chosen}: {first_line(error)}")
            refused.append(Outcome(f"inputs of shapes {chosen}", "all", not_made=f"refused: {first_line(error)}"))
    if len(said) == len(wanted):
        raise ArgumentError(
            "examine: the operation refuses random inputs. Give inputs, or shapes=? It said of\n  " + "\n  ".join(said)
        )


def _count(operation: Callable[..., Any], static: Mapping[str, Any]) -> int:
    """How many inputs an operation takes: a variadic one, two."""
    inputs = getattr(operation, "inputs", None)
    if inputs is not None:
        return 2 if getattr(operation, "variadic", False) else len(inputs)
    taken = parameters(getattr(operation, "function", operation))
    return sum(p.default is EMPTY and p.name not in static for p in taken)


def _finite(operation: Callable[..., Any], shapes: Sequence[Shape], static: Mapping[str, Any]) -> Case:
    """A call with entries of either sign from 0.3 to 1.5; where that is not finite, with entries from 0.3 to 0.8."""
    rng = np.random.default_rng(5)
    case = Case.of(operation, [_signed(rng, s) for s in shapes], static)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        if all(np.isfinite(np.asarray(o)).all() for o in case.call(case.plain())):
            return case
        return Case.of(operation, [np.asarray(rng.uniform(0.3, 0.8, s)) for s in shapes], static)


def _signed(rng: np.random.Generator, shape: Shape) -> np.ndarray:
    return np.asarray(rng.uniform(0.3, 1.5, shape) * rng.choice([-1.0, 1.0], shape))
