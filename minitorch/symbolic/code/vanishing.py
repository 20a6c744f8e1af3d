r"""Which sums in a derived gradient are always 0?

The gradient through a mean is full of them: $\sum_j (x_j - m) = 0$ where $m$ is the mean.  Computed, they are rounding
errors; what the normal form shows to be 0 for all sizes is left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr, S

from minitorch.symbolic.binders import replace
from minitorch.symbolic.code.line import Line
from minitorch.symbolic.expression import Sum
from minitorch.symbolic.field import agree_in_field
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition
from minitorch.symbolic.prove import prove_equal


def without_vanishing(lines: Sequence[Line], definitions: Sequence[Definition], notation: Notation) -> list[Line]:
    """The lines without the sums that are proved to be 0, each with a remark.

    Arguments:
        definitions: what the names in the lines mean.
    """

    def cleaned(line: Line) -> Line:
        remarks = []

        def change(part: Expr) -> Expr | None:
            if not isinstance(part, Sum):
                return None
            if not _may_vanish(part) or agree_in_field(part, S.Zero, definitions, trials=1) is False:
                return None  # the field is fast: a sum that is not 0 is seldom worth a proof attempt
            verdict = prove_equal(part, S.Zero, definitions)
            if not verdict.holds:
                return None
            remarks.append(f"without the term in {notation.text(part, line.definition.indices)} = 0 ({verdict.kind})")
            return S.Zero

        return line.with_value(replace(line.value, change), remarks)

    return [cleaned(line) for line in lines]


def _may_vanish(total: Sum) -> bool:
    """Only a difference can: a sum of one term is not 0 for all arrays."""
    return any(part.is_Add for part in (total.body, *total.body.args))
