"""Is my own operation right?  One line examines it as every operation of this package is examined.

    import minitorch.testing

    print(minitorch.testing.examine(op, x, y, axis=0))

`case` (one call, and the ways to run it), the checks (`derivatives`, `values`, `shapes`, `keeping`, `formulas`), their
table (`checks`), and what they found (`outcome`).  Not loaded by `import minitorch`.

`check_vjp` and `assert_vjp` compare a backward pass that was derived by hand with the formula's own; they are those of
`minitorch.symbolic.claims`, loaded when they are asked for.
"""

from typing import TYPE_CHECKING, Any

from minitorch.testing.case import Case
from minitorch.testing.checks import CHECKS
from minitorch.testing.examination import examine
from minitorch.testing.outcome import Check, CheckFailed, ExaminationError, NotMade, Outcome, Report, made

if TYPE_CHECKING:
    from minitorch.symbolic.claims import assert_vjp, check_vjp

__all__ = [
    "CHECKS",
    "Case",
    "Check",
    "CheckFailed",
    "ExaminationError",
    "NotMade",
    "Outcome",
    "Report",
    "assert_vjp",
    "check_vjp",
    "examine",
    "made",
]


def __getattr__(name: str) -> Any:
    if name in ("assert_vjp", "check_vjp"):
        from minitorch.symbolic import claims

        return getattr(claims, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
