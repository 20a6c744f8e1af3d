"""What did an examination find?  For each check: passed with its worst error, failed and where, or why not made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch.check import disagreement, relative_error
from minitorch.errors import MinitorchError
from minitorch.testing.case import Case


class ExaminationError(MinitorchError, AssertionError):
    """An operation failed checks; its text lists all of them, and `report` has what passed too."""

    def __init__(self, report: Report):
        super().__init__(report._failures())
        self.report = report


class CheckFailed(MinitorchError, AssertionError):
    """One check failed; says where, with the numbers."""


class NotMade(Exception):
    """A check could not be made; says why.  No error: nothing was found wrong."""


@dataclass(frozen=True)
class Check:
    """One question to an operation."""

    name: str
    run: Callable[[Case], float | None]  # the worst relative error, where it compares numbers
    unless: Callable[[Case], str | None] = lambda case: None  # why it cannot be asked of this call


@dataclass(frozen=True)
class Outcome:
    """What one check of one call found."""

    case: str
    check: str
    worst: float | None = None
    failure: str | None = None
    not_made: str | None = None

    def __str__(self) -> str:
        if self.failure is not None:
            return f"FAILED: {self.failure}"
        if self.not_made is not None:
            return f"not made: {self.not_made}"
        return "passed" if self.worst is None else f"passed, worst error {self.worst:.0e}"


@dataclass(frozen=True)
class Report:
    """All outcomes, in order.  As text: a line for each."""

    name: str
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> list[Outcome]:
        """The checks that were made and passed."""
        return [o for o in self.outcomes if o.failure is None and o.not_made is None]

    @property
    def failed(self) -> list[Outcome]:
        """The checks that failed."""
        return [o for o in self.outcomes if o.failure is not None]

    @property
    def not_made(self) -> list[Outcome]:
        """The checks that could not be made, each with its reason."""
        return [o for o in self.outcomes if o.not_made is not None]

    def __str__(self) -> str:
        counts = f"{len(self.passed)} passed, {len(self.failed)} failed, {len(self.not_made)} could not be made"
        width = max((len(o.check) for o in self.outcomes), default=0)
        lines, case = [f"{self.name}: {counts}"], None
        for o in self.outcomes:
            if o.case != case:
                case = o.case
                lines.append(f"  {case}")
            lines.append(f"    {o.check.ljust(width)}  {o}")
        return "\n".join(lines)

    def _failures(self) -> str:
        count, plural = len(self.failed), "s" if len(self.failed) != 1 else ""
        lines, case = [f"{self.name} fails {count} check{plural}:"], None
        for o in self.failed:
            lines += [f"  {o.case}"] * (o.case != case) + [f"    {o.check}: {o.failure}"]
            case = o.case
        return "\n".join(lines)


def made(check: Check, case: Case) -> Outcome:
    """Make one check of one call; whatever it raises is its finding."""
    if reason := check.unless(case):
        return Outcome(str(case), check.name, not_made=reason)
    try:
        return Outcome(str(case), check.name, worst=check.run(case))
    except NotMade as reason:
        return Outcome(str(case), check.name, not_made=str(reason))
    except CheckFailed as error:
        return Outcome(str(case), check.name, failure=str(error))
    except Exception as error:  # also what a rule raises when it is run in a way that its author did not think of
        return Outcome(str(case), check.name, failure=f"it raises {first_line(error)}")


def first_line(error: Exception) -> str:
    """The class of an error and what it says, without the user's line."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def agree(found: Any, wanted: Any, tolerance: float, said: str) -> float:
    """The relative error of `found`; raises CheckFailed, beginning with `said`, where it is above the tolerance."""
    found, wanted = np.asarray(found), np.asarray(wanted)
    if found.shape != wanted.shape:
        raise CheckFailed(f"{said}: shape {found.shape}, wanted {wanted.shape}")
    same = np.isnan(found) & np.isnan(wanted) | (found == wanted)  # infinities, too, have no difference
    if reason := disagreement(np.where(same, 0.0, found), np.where(same, 0.0, wanted), 0.0, tolerance * _scale(wanted)):
        raise CheckFailed(f"{said}, {reason.replace('analytic', 'found').replace('numeric', 'wanted')}")
    return relative_error(np.where(same, 0.0, found), np.where(same, 0.0, wanted))


def _scale(wanted: np.ndarray) -> float:
    finite = np.abs(wanted[np.isfinite(wanted)])
    return float(finite.max(initial=1.0))


def worst_of(errors: Sequence[float]) -> float:
    """The largest of the errors of one check."""
    return max(errors, default=0.0)
