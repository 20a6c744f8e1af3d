r"""How is something shown for *every* number of steps?

From a base case and a step, each proved for all sizes: if it holds for $k = 1$, and for $k + 1$ whenever it holds for
$k$, then it holds for all $k \ge 1$.  In the step, what $k$ steps have given is an array about which nothing is known
but the hypothesis.
"""

from __future__ import annotations

from minitorch.symbolic.theorems.checks import weakest
from minitorch.symbolic.verdict import Verdict


def by_induction(variable: str, base: Verdict, step: Verdict) -> Verdict:
    """What is known for all values of a variable from 1 on.

    Example:
        >>> sure = Verdict("proved for all sizes", ("normal form", "random field"))
        >>> print(by_induction("k", sure, sure))
        proved for all sizes (base k = 1: normal form, random field; step k to k + 1: normal form, random field):
        for all k >= 1, by induction
    """
    both = weakest([base, step])
    cases = {f"base {variable} = 1": base, f"step {variable} to {variable} + 1": step}
    if not both.holds:
        wrong = next(f"{case}: {v}" for case, v in cases.items() if v is both)
        return Verdict(both.kind, (), wrong)
    said = tuple(f"{case}: {', '.join(v.methods)}" for case, v in cases.items())
    return Verdict(both.kind, said, f"for all {variable} >= 1, by induction")
