r"""What does softmax see, and how does it answer?

$$ S(x + c) = S(x), \qquad \frac{\partial S_i}{\partial x_j} = S_i\,(\delta_{ij} - S_j), \qquad
   \frac{\partial}{\partial x_i}\Big(-\sum_k t_k \log S_k\Big) = S_i - t_i . $$

Source: Goodfellow, Bengio and Courville, *Deep Learning* (2016), sections 4.1 and 6.2.2.3.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from sympy import Expr, Symbol, exp

from minitorch.ops.fused import softmax
from minitorch.ops.statistics import logsumexp
from minitorch.reverse import grad
from minitorch.symbolic.binders import replace, swap
from minitorch.symbolic.calculus import hoist
from minitorch.symbolic.derive import derive_jacobian
from minitorch.symbolic.expression import Array, Partial
from minitorch.symbolic.library import find
from minitorch.symbolic.library.record import Known
from minitorch.symbolic.normal import normal_form
from minitorch.symbolic.operation import engine_agrees, program_of
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.theorems.checks import as_computed
from minitorch.symbolic.theorems.programs import inline_once, joined, over, renamed, summing_to_one, with_one
from minitorch.symbolic.theorems.proving import Proving, called
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.tensor import Tensor

JACOBIAN = "S[i] (delta(i,j) - S[j])"
SUM_OF_TARGETS = "sum_k t[k]"


def _shift(claim: str) -> Proof:
    program = program_of(softmax)
    S, c = program.definition("S"), Array("c")[()]
    x = program.array("x")[S.indices]
    shifted = inline_once(program.inline(S.target), [Definition(x, x + c)])
    split = replace(shifted, lambda e: normal_form(e) if isinstance(e, exp) else None)
    work = Proving(Notation.of(program), program.definitions)
    work.given(called("softmax(x + c)", S.target), shifted, "definition", "The same number c is added to every logit.")
    work.follow(split, "law of exp", "exp(x + c) = exp(x) exp(c).")
    work.follow(hoist(split), "take out of the sum", "exp(c) is the same in every term, and cancels.")
    work.claim(program.expression(claim), rule="reuse saved values", reason="This is the softmax of x itself.")
    return work.proof()


def _jacobian(claim: str) -> Proof:
    program = program_of(softmax)
    work = Proving(Notation.of(program), program.definitions)
    work.take(derive_jacobian(program, "S", "x"))
    if work.claim(program.expression(claim)).holds:
        work.also(engine_agrees(program, softmax, ["x"]))
    return work.proof()


def _cross_entropy(claim: str) -> Proof:
    known = find("cross-entropy-soft")
    (rows, _) = known.program.array("x").dimensions
    program = with_one(known.program, cast(Symbol, rows))
    total = program.expression(SUM_OF_TARGETS)
    targets = summing_to_one(program.targets["t"])
    work = Proving(Notation.of(program), (targets, *program.definitions))
    work.take(derive_jacobian(program, known.differentiated, "x"))
    work.follow(swap(work.steps[-1].expression, {total: 1}), "assumption", "The targets sum to 1.")
    right = program.expression(claim)
    if work.claim(right, rule="order", reason="The prediction minus the target.").holds:
        work.also(_engine_cross_entropy(known, program, right))
    return work.proof()


def _engine_cross_entropy(known: Known, program: Program, claim: Expr) -> str:
    """Compare with the engine's gradient for soft targets and for a one-hot one."""
    rng = np.random.default_rng(0)
    x, soft, said = rng.standard_normal(5), rng.random(5), ""
    for t in (soft / soft.sum(), np.eye(5)[2]):
        logits = Tensor(x[None], requires_grad=True)
        (gradient,) = grad(known.run(logits, t[None]), [logits])
        arrays = {"x": x, "t": t}
        values, what = arrays | program.evaluate(arrays), "the engine's gradient, for soft and one-hot targets"
        said = as_computed(claim, values, what, gradient.numpy()[0])
    return said


def _hessian(gradient: str, hessian: str) -> Proof:
    program, smooth = program_of(softmax), renamed(program_of(logsumexp), {"out": "lse"})
    x = program.array("x")
    program = joined(program, over(smooth, dict(zip(smooth.array("x").dimensions, x.dimensions, strict=True))))
    work = Proving(Notation.of(program), program.definitions)
    work.take(derive_jacobian(program, "lse", "x"))
    (i,) = program.definition("S").indices
    slope = Definition(Array("slope", x.dimensions)[i], program.expression(gradient))
    if work.claim(swap(slope.value, {i: cast(Partial, work.steps[-1].left).by.indices[0]})).holds:
        program = Program(program.entries, (*program.definitions, slope), program.indices)
        work.definitions = program.definitions
        work.take(derive_jacobian(program, "slope", "x"))
        work.claim(program.expression(hessian))
    return work.proof()


SOFTMAX = (
    Theorem(
        name="softmax-shift",
        title="Softmax does not see a shift of all logits",
        claims=("S[i]",),
        prove=_shift,
        source="Goodfellow, Bengio & Courville 2016, Deep Learning, section 4.1, equation 4.1 and after",
        why="Only differences of logits matter; so the largest one may be subtracted, and exp cannot overflow.",
    ),
    Theorem(
        name="softmax-jacobian",
        title="The Jacobian of softmax is diag(p) - p p^T",
        claims=(JACOBIAN,),
        prove=_jacobian,
        source="Bridle 1990, Training stochastic model recognition algorithms, NeurIPS 2, equation 11",
        why="A probability grows with its own logit and falls with every other one, since they share a sum of 1.",
    ),
    Theorem(
        name="softmax-cross-entropy",
        title="The gradient of cross entropy by the logits is prediction minus target",
        claims=("p[k] - t[k]",),
        prove=_cross_entropy,
        source="Bridle 1990, NeurIPS 2, section 4; Bishop 2006, Pattern Recognition, equation 4.109",
        why="The log undoes the exp: however wrong and sure a prediction is, the gradient does not vanish.",
        assumptions=(f"{SUM_OF_TARGETS} = 1 (a one-hot target, or probabilities)",),
    ),
    Theorem(
        name="logsumexp-hessian",
        title="Softmax is the gradient of log-sum-exp, and its Jacobian the Hessian",
        claims=("S[i]", JACOBIAN),
        prove=_hessian,
        source="Boyd & Vandenberghe 2004, Convex Optimization, section 3.1.5",
        why="The Jacobian of softmax is symmetric because it is a matrix of second derivatives.",
    ),
)
