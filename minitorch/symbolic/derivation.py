r"""How is a result derived, step by step, so that nobody has to believe it?

Every step is an equation with the rule that gave it, the reason in words, and *what checked it*; a step that is not
equal to the one before it is refused when it is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Expr

from minitorch.errors import FormulaError
from minitorch.symbolic.expression import Entry, Index, Partial, free, names
from minitorch.symbolic.printing import Notation, to_mathml
from minitorch.symbolic.program import Definition
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.verdict import REFUTED, UNDECIDED, Verdict

RELATIONS = {"=": "=", "≤": r"\le", "≥": r"\ge", "≈": r"\approx"}  # the sign in plain text, and in LaTeX


@dataclass(frozen=True)
class Step:
    """One equation of a derivation.

    Attributes:
        left, expression: its two sides.
        rule: the rule's name; ``reason`` says in plain words why it applies, ``proof`` what checked it.
        relation: the sign between the sides, one of :data:`RELATIONS`.
    """

    left: Expr
    expression: Expr
    rule: str
    reason: str
    proof: str
    notation: Notation
    relation: str = "="

    def latex(self) -> str:
        """The equation as LaTeX."""
        return f"{self.notation.left_latex(self.left)} {RELATIONS[self.relation]} {self.right_latex()}"

    def mathml(self) -> str:
        """The equation as MathML."""
        return to_mathml(self.latex())

    def text(self) -> str:
        """The equation as plain text."""
        right = self.notation.text(self.expression, _indices(self.left))
        return f"{self.notation.left_text(self.left)} {self.relation} {right}"

    def right_latex(self) -> str:
        """The right-hand side as LaTeX."""
        return self.notation.latex(self.expression, _indices(self.left))

    def __str__(self) -> str:
        return f"{self.text()}    [{self.rule}; {self.proof}]"


@dataclass(frozen=True)
class Derivation:
    """A finished derivation.

    Attributes:
        op: the operation, for example ``attention``.
        input: what was differentiated by.
        steps: the equations, each checked.
        verdict: how far the result itself is known to be right, by methods that do not use the steps.
    """

    op: str
    input: str
    steps: tuple[Step, ...]
    verdict: Verdict

    @property
    def result(self) -> str:
        """The last equation, as LaTeX."""
        return self.steps[-1].latex()

    @property
    def summary(self) -> tuple[Step, ...]:
        """The finished equations that the result needs, the result last: for attention's dQ those of dP, dA and dQ."""
        finished = {_name(step.left): step for step in self.steps}
        needed: list[Step] = [finished.pop(_name(self.steps[-1].left))]
        for step in reversed(tuple(finished.values())):
            if any(_name(step.left) in names(later.expression) for later in needed):
                needed.append(step)
        return tuple(reversed(needed))

    @property
    def definition(self) -> tuple[Expr, Expr]:
        """The two sides of the last equation."""
        return self.steps[-1].left, self.steps[-1].expression

    def with_method(self, method: str) -> Derivation:
        """The same derivation, whose verdict has one more method."""
        return replace(self, verdict=self.verdict.with_method(method))

    def latex(self) -> str:
        """All equations, aligned, with their rules."""
        return aligned(self.steps, rules=True)

    def mathml(self) -> str:
        """All equations, aligned, as MathML."""
        return to_mathml(aligned(self.steps))

    def text(self) -> str:
        """All equations with rule, reason and proof, and the verdict."""
        lines = [f"{self.op}: derivative by {self.input}"]
        for step in self.steps:
            lines += [f"  {step.text()}", f"      {step.rule}: {step.reason} Checked by: {step.proof}."]
        return "\n".join([*lines, f"  {self.verdict}"])

    def __str__(self) -> str:
        return self.text()


class Deriving:
    """A derivation in the making: refuses every step that does not follow.

    Example:
        >>> from minitorch.symbolic import parse
        >>> p = parse("x[n]: y[i] = x[i] + x[i]")
        >>> work = Deriving(Notation.of(p), p.definitions)
        >>> work.given(p.definitions[0].target, p.definitions[0].value, "definition", "what y is.")
        >>> work.follow(p.expression("3 x[i]"), "add", "twice.")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        minitorch.errors.FormulaError: derivation: step 2 (add) does not follow: ...
    """

    def __init__(self, notation: Notation, definitions: Sequence[Definition]):
        self.notation, self.definitions = notation, tuple(definitions)
        self.steps: list[Step] = []

    def given(self, left: Expr, expression: Expr, rule: str, reason: str, proof: str = "definition") -> None:
        """Add an equation that starts a chain, with what justifies it."""
        self.steps.append(Step(left, expression, rule, reason, proof, self.notation))

    def follow(
        self, expression: Expr, rule: str, reason: str, definitions: Sequence[Definition] = (), proof: str = ""
    ) -> None:
        """Add an expression that equals the last one.  A step that changes nothing is left out.

        Arguments:
            definitions: what defined names mean, besides those of the derivation.
            proof: what has checked the step already; if empty, it is checked here.

        Raises:
            FormulaError: the two are not shown to be equal; says where they differ.
        """
        last = self.steps[-1]
        if expression == last.expression:
            return
        proof = proof or self._check(last.expression, expression, rule, definitions)
        self.steps.append(Step(last.left, expression, rule, reason, proof, self.notation))

    def finish(self, op: str, by: str, verdict: Verdict) -> Derivation:
        """The finished derivation."""
        return Derivation(op, by, tuple(self.steps), verdict)

    def _check(self, before: Expr, after: Expr, rule: str, definitions: Sequence[Definition]) -> str:
        verdict = prove_equal(before, after, (*self.definitions, *definitions), trials=2, largest=3)
        if verdict.kind in (REFUTED, UNDECIDED):
            raise FormulaError(
                f"derivation: step {len(self.steps) + 1} ({rule}) does not follow: {self.notation.text(after)} is not "
                f"{self.notation.text(before)}; {verdict.detail}. Correct the step."
            )
        return str(verdict)


def _name(left: Expr) -> str:
    return left.name if isinstance(left, Entry) else str(left)


def _indices(left: Expr) -> tuple[Index, ...]:
    if isinstance(left, Partial):
        return (*left.of.indices, *left.by.indices)
    return left.indices if isinstance(left, Entry) else tuple(sorted(free(left), key=str))


def aligned(steps: Sequence[Step], rules: bool = False) -> str:
    """Equations as LaTeX, aligned at their signs; a left side that is that of the row above is left out."""
    rows, above = [], ""
    for step in steps:
        left = step.notation.left_latex(step.left)
        row = f"{'' if left == above else left} &{RELATIONS[step.relation]} {step.right_latex()}"
        rows.append(row + (rf" && \text{{{step.rule}}}" if rules else ""))
        above = left
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"
