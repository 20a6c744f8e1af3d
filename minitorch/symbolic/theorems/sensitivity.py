r"""How strongly does softmax answer a change of its logits?

With $J = \operatorname{diag}(p) - p p^\top$, which is symmetric,

$$ 0 \le v^\top J v \le \tfrac12 |v|^2, \qquad
   \|J\|_F^2 = \textstyle\sum_i p_i^2 - 2 \sum_i p_i^3 + \big(\sum_i p_i^2\big)^2
   \le (\operatorname{tr} J)^2, \qquad \operatorname{tr} J = 1 - \sum_i p_i^2 \le 2\,(1 - p_t) . $$

So it answers weakly when nearly all weight lies on one entry $t$, and not at all when all of it does.

Source: Gao and Pavel 2017, arXiv 1704.00805, proposition 4 (the Lipschitz constant); the certificates are ours.
"""

from __future__ import annotations

from sympy import Expr

from minitorch.ops.fused import softmax
from minitorch.symbolic.expression import Array, Delta, Index
from minitorch.symbolic.operation import program_of
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.theorems.programs import extended, inline_once
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.theorems.softmax import JACOBIAN

SQUARED_NORM = "sum_i S[i]**2 - 2 sum_i S[i]**3 + (sum_i S[i]**2)**2"
UNIFORM = "(n_k - 1) / n_k**2"
FORM, NORM, TRACE = "sum_{i,j} v[i] J[i,j] v[j]", "sum_{i,j} J[i,j]**2", "sum_i J[i,i]"


class _About(Proving):
    """A proof about J, whose chains start from a text in which J stands for its formula."""

    def __init__(self) -> None:
        program = program_of(softmax)
        v = Array("v", program.array("x").dimensions)
        self.program = extended(program, f"J[i,j] = {JACOBIAN}", v)
        super().__init__(Notation.of(self.program), self.program.definitions)

    def read(self, text: str) -> Expr:
        return self.program.expression(text)

    def about(self, text: str, reason: str) -> None:
        left = self.read(text)
        self.given(left, inline(left, [self.program.definition("J")]), "definition", reason)


def squared_norm() -> Expr:
    """The squared norm of J as a sum of squares in S: near a one-hot S, the formula by powers of S would cancel."""
    work = _About()
    return inline(work.read(NORM), [work.program.definition("J")])


def _bounds(lower: str, upper: str) -> Proof:
    work = _About()
    work.about(FORM, "How far the answer goes along with a change v of the logits.")
    squares = work.read("sum_{i,j} S[i] S[j] (v[i] - v[j])**2 / 2")
    work.bound("≥", work.read(lower), squares, "Squares times probabilities: it is the variance of v under p.")
    work.about(FORM, "The same again.")
    rest = "sum_i (1 - 2 S[i])**2 v[i]**2 / 2 + sum_{i,j} (1 - delta(i,j)) S[i] S[j] (v[i] + v[j])**2 / 2"
    work.bound("≤", work.read(upper), work.read(rest), "What is subtracted is made of squares and probabilities.")
    return work.proof()


def _norm(square: str, trace: str, upper: str) -> Proof:
    work = _About()
    work.about(NORM, "The square of the Frobenius norm.")
    work.claim(work.read(square), rule="multiply out", reason="A delta is its own square.")
    work.about(TRACE, "The diagonal.")
    work.claim(work.read(trace), rule="sum", reason="The probabilities sum to 1.")
    work.about(NORM, "The square of the Frobenius norm, again.")
    apart = "sum_{i,j,k} (1 - delta(i,j)) (1 - delta(i,k)) (1 - delta(j,k)) S[i] S[j] S[k]"
    work.bound("≤", work.read(upper), work.read(apart), "What is subtracted is made of products of probabilities.")
    return work.proof()


def _saturation(weight: str, gap: str, one_hot: str, uniform: str) -> Proof:
    work = _About()
    work.about(TRACE, "The trace, which bounds the norm.")
    rest = "(1 - S[t])**2 + sum_j (1 - delta(j,t)) S[j]**2"
    work.bound("≤", work.read(weight), work.read(rest), "What is subtracted is made of squares.")
    right = work.read(weight)
    work.given(right, right, "from above", "The bound before, for any entry t.")
    rest = "2 sum_{j,k} (1 - delta(j,t)) (1 - delta(k,t)) exp(x[j] - x[t]) S[k]"
    work.bound("≤", work.read(gap), work.read(rest), "What is subtracted is made of positive terms.")
    _at_extremes(work, one_hot, uniform)
    return work.proof()


def _at_extremes(work: _About, one_hot: str, uniform: str) -> None:
    S_i = work.program.targets["S"]
    (i,) = S_i.indices
    t = Index("t", i.dimension)
    left = work.read("J[i,j]")
    at_t = inline_once(inline(left, [work.program.definition("J")]), [Definition(S_i, Delta(i, t))])
    work.given(left, at_t, "one-hot", "All weight lies on one entry: p[i] = delta(i,t).")
    work.claim(work.read(one_hot), rule="contract deltas", reason="Both terms are 1 at i = j = t, and else 0.")
    work.about(NORM, "The square of the norm.")
    even = inline_once(work.steps.pop().expression, [Definition(S_i, 1 / i.dimension)])
    work.given(work.read(NORM), even, "uniform", "All weights are equal: p[i] = 1/n.")
    work.claim(work.read(uniform), rule="count", reason="All sums are over constants.")


SENSITIVITY = (
    Theorem(
        name="softmax-jacobian-bounds",
        title="The Jacobian of softmax is positive semidefinite, and at most 1/2",
        claims=("0", "sum_i v[i]**2 / 2"),
        prove=_bounds,
        source="Gao & Pavel 2017, arXiv 1704.00805, proposition 4, has 1; Nair 2025, Softmax is 1/2-Lipschitz, has 1/2",
        why="No softmax amplifies a change of its logits: its answer is at most half as long as the change.",
    ),
    Theorem(
        name="softmax-jacobian-norm",
        title="How large the Jacobian of softmax is, in terms of p alone",
        claims=(SQUARED_NORM, "1 - sum_i S[i]**2", "(1 - sum_i S[i]**2)**2"),
        prove=_norm,
        source="from the Jacobian by multiplying out",
        why="The gradient that softmax passes back is bounded by how far p is from one-hot.",
    ),
    Theorem(
        name="softmax-saturation",
        title="A saturated softmax passes no gradient back",
        claims=(
            "2 (1 - S[t])",
            "2 sum_j (1 - delta(j,t)) exp(x[j] - x[t])",
            "0",
            UNIFORM,
        ),
        prove=_saturation,
        source="Vaswani et al. 2017, arXiv 1706.03762, section 3.2.1: 'regions where it has extremely small gradients'",
        why="The gradient falls exponentially in the gap between the largest logit and the others; scores that are not "
        "divided by sqrt(d_k) have gaps that grow with it.  All logits alike are the other extreme: (n - 1) / n^2.",
    ),
)
