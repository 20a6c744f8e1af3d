r"""How large can the Jacobian of $k$ steps of a tanh RNN be?

$$ \Big\|\frac{\partial h_t}{\partial h_{t-k}}\Big\| \le \big(g\,\|U\|\big)^k, \qquad g = \max |\tanh'| \le 1 , $$

by induction, from :data:`AXIOMS` about the norm and from nothing else about it.  What is at most something else is
written as that minus a rest that is not negative, so that every bound is an identity with a certificate.

Source: Pascanu, Mikolov and Bengio 2013, arXiv 1211.5063, section 2.1.
"""

from __future__ import annotations

from typing import cast

import numpy as np
from sympy import Expr, Function, S

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import swap
from minitorch.symbolic.calculus import derivative
from minitorch.symbolic.evaluate import evaluate
from minitorch.symbolic.expression import Array, Partial
from minitorch.symbolic.parse import parse
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.theorems.checks import bound, weakest
from minitorch.symbolic.theorems.induction import by_induction
from minitorch.symbolic.theorems.programs import inline_once
from minitorch.symbolic.theorems.proving import Proving
from minitorch.symbolic.theorems.record import Proof, Theorem
from minitorch.symbolic.theorems.recurrent import ONE_STEP, RNN, one_step, run
from minitorch.symbolic.verdict import Verdict

AXIOMS = (
    "the norm of a product is at most the product of the norms",
    "the norm of a diagonal matrix is its largest entry in size, as that of the spectral norm is",
)


class Norm(Function):
    """The norm of a matrix, which is written as an array without its indices."""

    nargs = 1
    is_real = True
    is_nonnegative = True


def norm_of(name: str) -> Expr:
    """The norm of the matrix of that name."""
    return cast(Expr, Norm(Array(name)[()]))


def _bound(least: str, most: str, power: str) -> Proof:
    work = Proving(Notation())
    _slope(work, least, most)
    _power(work, power)
    return work.proof()


def _slope(work: Proving, least: str, most: str) -> None:
    """The derivative of tanh lies between 0 and 1."""
    program = parse("a: y = tanh(a)")
    (a,), y = program.entries, program.definition("y")
    for relation, limit, rest in (("≥", least, "4 / (exp(a) + exp(-a))**2"), ("≤", most, "tanh(a)**2")):
        work.given(Partial(y.target, a), derivative(y.value, a), "differentiate", "The derivative of y = tanh(a).")
        work.bound(relation, program.expression(limit), program.expression(rest), "The rest is not negative.")


class _Powers:
    """The positive numbers of the induction.

    D, u: the norms of diag(tanh') and U.  g: the largest slope, D + r.  N, M: the norms of the Jacobians of k steps and
    of one, whose bounds they fall short of by q and s.
    """

    def __init__(self, claim: str):
        self.program = Program(tuple(Array(name, (), positive=True)[()] for name in "DugrNMqsk"), ())
        self.claim = self.read(claim)

    def read(self, text: str) -> Expr:
        return self.program.expression(text)

    def at(self, steps: Expr) -> Expr:
        """The claimed bound for a number of steps."""
        return inline_once(self.claim, [Definition(self.program.targets["k"], steps)])

    def base(self) -> Verdict:
        """One step: its norm is at most D u, and D at most g."""
        slope = [Definition(self.program.targets["g"], self.read("D + r"))]
        return bound(self.read("D u"), inline_once(self.at(S.One), slope), self.read("r u"))

    def step(self) -> Verdict:
        """One step more: at most N M, which is at most the bounds' product, which is at most the next bound."""
        product = bound(self.read("N M"), self.read("(N + q) (M + s)"), self.read("N s + q M + q s"))
        k = self.program.targets["k"]
        return weakest([product, bound(self.at(k) * self.read("g u"), self.at(k + 1), S.Zero)])


def _power(work: Proving, power: str) -> None:
    numbers = _Powers(power)
    base, step = numbers.base(), numbers.step()
    verdict = by_induction("k", base, step)
    shown = {numbers.program.targets["u"]: norm_of("U"), numbers.program.targets["D"]: norm_of("diag(tanh')")}
    show = lambda e: swap(e, shown)
    g_u, k = show(numbers.read("g u")), numbers.program.targets["k"]
    one, many, more = (norm_of(name) for name in ("J_{1}", "J_{k}", "J_{k+1}"))
    work.add(one, "≤", show(numbers.read("D u")), "base, axioms", "J_1 = diag(tanh') U.", "axioms")
    if verdict.holds:
        work.add(one, "≤", show(numbers.at(S.One)), "base", "g is the largest slope.", str(base))
        work.add(more, "≤", many * norm_of("J_{1}"), "step, axioms", "J_{k+1} = J_k M.", "axioms")
        work.add(more, "≤", show(numbers.at(k)) * g_u, "step, hypothesis", "Larger factors.", str(step))
        work.add(more, "≤", show(numbers.at(k + 1)), "step", "One factor more.", str(step))
    work.state(many, "≤", show(numbers.claim), verdict)
    if verdict.holds:
        work.also(_in_engine(numbers.claim))


def _in_engine(claim: Expr) -> str:
    """Compare the bound with the spectral norms of the engine's Jacobians; say how much of it they take."""
    seen, _ = run(RNN)
    factors = [one_step(RNN, RNN.factor(ONE_STEP), at) for at in seen]
    g = max(float(np.abs(1 - at[RNN.new] ** 2).max()) for at in seen)
    u, product, largest = float(np.linalg.norm(seen[0]["U"], 2)), np.eye(len(factors[0])), 0.0
    for k, factor in enumerate(reversed(factors), 1):
        product = product @ factor
        limit = float(evaluate(claim, {"g": g, "u": u, "k": k}))
        largest = max(largest, float(np.linalg.norm(product, 2)) / limit)
    if largest > 1:
        raise FormulaError(
            f"theorem: the engine's Jacobian is {largest:.3g} times its bound. This is a bug; report it."
        )
    return f"spectral norms in the engine over {len(seen)} steps, at most {largest:.2g} of the bound"


NORMS = (
    Theorem(
        name="rnn-bound",
        title="The gradient through k steps of a tanh RNN is at most (|U| max|tanh'|)^k",
        claims=("0", "1", "(g u)**k"),
        prove=_bound,
        source="Pascanu, Mikolov & Bengio 2013, arXiv 1211.5063, section 2.1",
        why="If |U| is below 1 / max|tanh'|, the gradient vanishes exponentially in the distance k, for any inputs.",
        assumptions=(*AXIOMS, "u is the norm of U, g the largest slope |tanh'| that is met"),
    ),
)
