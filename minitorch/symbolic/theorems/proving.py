"""How is a theorem proved?  A chain of checked equations and bounds, and claims that are compared with where it starts.

A claim is compared with the *first* expression of its chain, by methods that do not use the steps in between: a proof
can no more lead to a false claim than a derivation can lead to a false gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr

from minitorch.errors import FormulaError
from minitorch.symbolic.derivation import Derivation, Step
from minitorch.symbolic.deriving import Deriving
from minitorch.symbolic.expression import Entry, Partial
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition
from minitorch.symbolic.theorems.checks import bound, differentiated, equality, together
from minitorch.symbolic.theorems.record import Proof
from minitorch.symbolic.verdict import REFUTED, Verdict


class Proving(Deriving):
    """A proof in the making: the steps of a derivation, and the claims that they lead to."""

    def __init__(self, notation: Notation, definitions: Sequence[Definition] = ()):
        super().__init__(notation, definitions)
        self.statement: list[Step] = []
        self.verdicts: list[Verdict] = []
        self.start: Expr | None = None

    def given(self, left: Expr, expression: Expr, rule: str, reason: str, proof: str = "definition") -> None:
        """Start a chain; see :meth:`Deriving.given`."""
        super().given(left, expression, rule, reason, proof)
        self.start = expression

    def claim(self, right: Expr, verdict: Verdict | None = None, rule: str = "claim", reason: str = "") -> Verdict:
        """State that the left side of the chain equals ``right``, and say how far that is known.

        Arguments:
            verdict: if the claim has been checked already; otherwise it is compared with the start of the chain.
            rule, reason: of the last step, from the end of the chain to the claim; none is added if they are equal.
        """
        assert self.start is not None, "a claim needs a chain"
        left, known = self.steps[-1].left, verdict is not None and verdict.holds
        proof = str(verdict) if known else ""
        if verdict is None:
            verdict = equality(self.start, right, self.definitions, by_entry=not isinstance(left, Partial))
            verdict = differentiated(verdict, left, right, self.definitions) if isinstance(left, Partial) else verdict
        if verdict.kind != REFUTED:
            self.follow(right, rule, reason or "This is what is claimed.", proof=proof)
        self.state(left, "=", right, verdict)
        return verdict

    def bound(self, relation: str, right: Expr, certificate: Expr, reason: str) -> Verdict:
        """State that the left side of the chain is at most (``≤``) or at least (``≥``) ``right``.

        Arguments:
            certificate: what the larger side exceeds the smaller one by, in a form that cannot be negative.
            reason: why it cannot be.
        """
        assert self.start is not None, "a bound needs a chain"
        left, upper = self.steps[-1].left, relation == "≤"
        smaller, larger = (self.start, right) if upper else (right, self.start)
        verdict = bound(smaller, larger, certificate, self.definitions)
        if verdict.holds:
            exact = right - certificate if upper else right + certificate
            self.follow(exact, "certificate", "So the difference of the two sides can be seen.")
            self.add(left, relation, right, "not negative", reason, str(verdict))
        self.state(left, relation, right, verdict)
        return verdict

    def add(self, left: Expr, relation: str, right: Expr, rule: str, reason: str, proof: str) -> None:
        """Add a line that has been checked already."""
        self.steps.append(Step(left, right, rule, reason, proof, self.notation, relation))

    def state(self, left: Expr, relation: str, right: Expr, verdict: Verdict) -> None:
        """Add a claim with its verdict."""
        self.statement.append(Step(left, right, "claim", "", str(verdict), self.notation, relation))
        self.verdicts.append(verdict)

    def take(self, derivation: Derivation) -> None:
        """The steps of a derivation as a chain, which starts where the derivative has been worked out."""
        self.steps += derivation.steps
        self.start = next(step.expression for step in derivation.steps if step.rule == "differentiate")

    def also(self, said: str) -> None:
        """The last claim was checked in one more way."""
        verdict = self.verdicts[-1].with_method(said)
        self.verdicts[-1], self.statement[-1] = verdict, replace(self.statement[-1], proof=str(verdict))

    def proof(self) -> Proof:
        """The finished proof."""
        if not self.statement:
            raise FormulaError("theorem: a proof without a claim. State what it shows.")
        return Proof(tuple(self.statement), tuple(self.steps), together(self.verdicts))


def called(name: str, like: Entry) -> Entry:
    """An array that is named by what it is, ``softmax(x + c)[i]``, to stand on the left of an equation."""
    return Entry(type(like.symbol)(name, real=True), *like.indices)
