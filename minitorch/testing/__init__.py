"""Is my own operation right?  One line examines it as every operation of this package is examined.

    import minitorch.testing

    print(minitorch.testing.examine(op, x, y, axis=0))

`case` (one call, and the ways to run it), the checks (`derivatives`, `values`, `shapes`, `keeping`, `formulas`), their
table (`checks`), and what they found (`outcome`).  Not loaded by `import minitorch`.
"""

from minitorch.testing.case import Case
from minitorch.testing.checks import CHECKS
from minitorch.testing.examination import examine
from minitorch.testing.outcome import Check, CheckFailed, ExaminationError, NotMade, Outcome, Report, made

__all__ = [
    "CHECKS",
    "Case",
    "Check",
    "CheckFailed",
    "ExaminationError",
    "NotMade",
    "Outcome",
    "Report",
    "examine",
    "made",
]
