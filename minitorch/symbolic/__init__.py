"""Which derivative does a formula have, and is it right?  Derived, proved, printed, and evaluated as a check.

The only package that imports SymPy.  Read it in this order: ``expression`` and ``selection`` (what a formula is),
``binders``, ``normal`` and ``calculus`` (what may be done to it), ``parse`` and ``program`` (an operation as text and
as definitions), ``reverse`` (its gradient), ``field``, ``entrywise`` and ``prove`` (is it right?), ``derivation`` and
``derive`` (step by step), ``printing`` and ``places`` (LaTeX, MathML, text), ``claims`` (is
a gradient that somebody derived by hand right?), ``code`` (a program as a NumPy function) and ``cost``.
"""

from minitorch.symbolic.claims import Diagnosis, assert_vjp, check_vjp
from minitorch.symbolic.code import kept, numpy_function, numpy_source, with_gradients
from minitorch.symbolic.cost import Costs, costs, leading
from minitorch.symbolic.derivation import Derivation, Step
from minitorch.symbolic.derive import derive_gradients, derive_jacobian, gradients
from minitorch.symbolic.deriving import Deriving
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Array, Delta, Entry, Index, MaxOver, Sum, dimension
from minitorch.symbolic.library import LIBRARY
from minitorch.symbolic.normal import normal_form
from minitorch.symbolic.operation import (
    definitions_mathml,
    derive_operation,
    derive_softmax_jacobian,
    engine_agrees,
    inputs_of,
    program_of,
)
from minitorch.symbolic.parse import parse
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.reverse import vjp
from minitorch.symbolic.verdict import KINDS, Verdict

__all__ = [
    "KINDS",
    "LIBRARY",
    "Array",
    "Costs",
    "Definition",
    "Delta",
    "Derivation",
    "Deriving",
    "Diagnosis",
    "Entry",
    "Index",
    "MaxOver",
    "Notation",
    "Program",
    "Step",
    "Sum",
    "Verdict",
    "assert_vjp",
    "check_vjp",
    "costs",
    "definitions_mathml",
    "derive_gradients",
    "derive_jacobian",
    "derive_operation",
    "derive_softmax_jacobian",
    "dimension",
    "engine_agrees",
    "evaluate",
    "gradients",
    "inputs_of",
    "kept",
    "leading",
    "normal_form",
    "numpy_function",
    "numpy_source",
    "parse",
    "program_of",
    "prove_equal",
    "vjp",
    "with_gradients",
]
