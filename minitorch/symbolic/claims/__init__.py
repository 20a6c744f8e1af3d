"""Is a backward pass that was derived by hand right, and if not, which term is wrong?

    from minitorch.testing import check_vjp

    print(check_vjp(my_backward, "attention"))

Read it in this order: ``causes`` (what can be wrong), ``subject`` and ``worlds`` (what is right), ``binding``,
``function`` and ``formulas`` (what is claimed), ``terms``, ``change``, ``changes`` and ``reductions`` (every mistake
that one change makes), ``suspects``, ``fit`` and ``shapes`` (which of them it was), ``shrink`` (the smallest
counterexample), ``diagnosis`` and ``sentences`` (the report), ``check``.
"""

from minitorch.symbolic.claims.causes import Cause
from minitorch.symbolic.claims.check import assert_vjp, check_vjp
from minitorch.symbolic.claims.diagnosis import Diagnosis, Finding
from minitorch.symbolic.claims.shrink import Counterexample

__all__ = ["Cause", "Counterexample", "Diagnosis", "Finding", "assert_vjp", "check_vjp"]
