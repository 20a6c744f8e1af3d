r"""Which steps may a derivation take?  Those that are shown to follow; every other one is refused when it is added,
with the place, the sizes and both values.
"""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from minitorch.errors import FormulaError
from minitorch.symbolic.derivation import DEFINITION, Derivation, Step
from minitorch.symbolic.phrase import Phrase
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.verdict import REFUTED, UNDECIDED, Verdict


class Deriving:
    """A derivation in the making: refuses every step that does not follow.

    Example:
        >>> from minitorch.symbolic import parse
        >>> p = parse("x[n]: y[i] = x[i] + x[i]")
        >>> work = Deriving(Notation.of(p), p.definitions)
        >>> work.given(p.definitions[0].target, p.definitions[0].value, "definition", "what y is.")
        >>> work.follow(p.expression("3 x[i]"), "add", "twice.")
        Traceback (most recent call last):
            ...
        minitorch.errors.FormulaError: derivation: step 2 (add) does not follow.
          before: 2*x[i]
          after:  3*x[i]
          the values differ at n=2, entry (i=0): 0.25146 against 0.377191, seed 0. Correct the step.
    """

    def __init__(self, notation: Notation, definitions: Sequence[Definition]):
        self.notation, self.definitions = notation, tuple(definitions)
        self.steps: list[Step] = []

    def given(
        self,
        left: Expr,
        expression: Expr,
        rule: str,
        reason: str | Phrase,
        proof: str = DEFINITION,
    ) -> None:
        """Add an equation that starts a chain, with what justifies it."""
        self.steps.append(Step(left, expression, rule, Phrase(reason), proof, self.notation))

    def follow(
        self, expression: Expr, rule: str, reason: str | Phrase, definitions: Sequence[Definition] = (), proof: str = ""
    ) -> None:
        """Add an expression that equals the last one.  A step that changes nothing that is seen is left out.

        Arguments:
            definitions: what defined names mean, besides those of the derivation.
            proof: what has checked the step already; if empty, it is checked here.

        Raises:
            FormulaError: the two are not shown to be equal; says where they differ.
        """
        last = self.steps[-1]
        if expression == last.expression:
            return
        proof = proof or self.check(last.expression, expression, rule, definitions)
        step = Step(last.left, expression, rule, Phrase(reason), proof, self.notation)
        if step.text() != last.text():
            self.steps.append(step)

    def finish(self, op: str, by: str, verdict: Verdict) -> Derivation:
        """The finished derivation."""
        return Derivation(op, by, tuple(self.steps), verdict)

    def check(self, before: Expr, after: Expr, rule: str, definitions: Sequence[Definition] = ()) -> str:
        """What shows that two expressions are equal.

        Raises:
            FormulaError: nothing does; says where they differ.
        """
        verdict = prove_equal(before, after, (*self.definitions, *definitions), trials=2, largest=3)
        if verdict.kind not in (REFUTED, UNDECIDED):
            return str(verdict)
        beside = self.steps[-1].indices if self.steps else ()
        found = (
            f"the values differ {verdict.detail}" if verdict.kind == REFUTED else f"not shown equal: {verdict.detail}"
        )
        raise FormulaError(
            f"derivation: step {len(self.steps) + 1} ({rule}) does not follow.\n"
            f"  before: {self.notation.text(before, beside)}\n"
            f"  after:  {self.notation.text(after, beside)}\n"
            f"  {found}. Correct the step."
        )
