r"""How is a result derived, step by step, so that nobody has to believe it?

Every step is an equation with the rule that gave it, the reason in words, and *what checked it*; a step that is not
equal to the one before it is refused when it is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Expr

from minitorch.symbolic.expression import Entry, Index, Partial, free, names
from minitorch.symbolic.phrase import Maths, Phrase
from minitorch.symbolic.printing import Notation, to_mathml
from minitorch.symbolic.textbook import Textbook
from minitorch.symbolic.verdict import Verdict

DEFINITION = "definition"  # begins the proof of what is so by definition, where there is nothing to check

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
    reason: Phrase | str
    proof: str
    notation: Notation
    relation: str = "="

    @property
    def checked(self) -> bool:
        """Whether something was checked; a definition has nothing to check."""
        return not self.proof.startswith(DEFINITION)

    @property
    def indices(self) -> tuple[Index, ...]:
        """The indices on the left, which no bound index is called by."""
        left = self.left
        if isinstance(left, Partial):
            return (*left.of.indices, *left.by.indices)
        return left.indices if isinstance(left, Entry) else tuple(sorted(free(left), key=str))

    @property
    def maths(self) -> Maths:
        """The equation as plain text and as LaTeX."""
        return Maths(self.text(), self.latex())

    def latex(self) -> str:
        """The equation as LaTeX."""
        return f"{self.notation.left_latex(self.left)} {RELATIONS[self.relation]} {self.right_latex()}"

    def mathml(self) -> str:
        """The equation as MathML."""
        return to_mathml(self.latex())

    def text(self) -> str:
        """The equation as plain text."""
        right = self.notation.text(self.expression, self.indices)
        return f"{self.notation.left_text(self.left)} {self.relation} {right}"

    def right_latex(self) -> str:
        """The right-hand side as LaTeX."""
        return self.notation.latex(self.expression, self.indices)

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
        textbook: the form that is printed elsewhere, if there is one.
    """

    op: str
    input: str
    steps: tuple[Step, ...]
    verdict: Verdict
    textbook: Textbook | None = None

    @property
    def result(self) -> str:
        """The last equation, as LaTeX."""
        return self.steps[-1].latex()

    @property
    def chains(self) -> tuple[tuple[Step, ...], ...]:
        """The steps, those of one gradient together: for attention's dQ those of dP, dZ, dA and dQ."""
        chains: list[list[Step]] = []
        for step in self.steps:
            if not chains or (isinstance(step.left, Entry) and step.left.name != _chain_name(chains[-1])):
                chains.append([])
            chains[-1].append(step)
        return tuple(map(tuple, chains))

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
        if self.textbook:
            lines += [f"  {equation}" for equation in self.textbook.equations]
            lines += [f"      textbook's form ({self.textbook.source}). Checked by: {self.textbook.verdict}."]
        return "\n".join([*lines, f"  {self.verdict}"])

    def __str__(self) -> str:
        return self.text()


def _chain_name(chain: list[Step]) -> str:
    return next((_name(step.left) for step in chain if isinstance(step.left, Entry)), "")


def _name(left: Expr) -> str:
    return left.name if isinstance(left, Entry) else str(left)


def aligned(steps: Sequence[Step], rules: bool = False) -> str:
    """Equations as LaTeX, aligned at their signs; a left side that is that of the row above is left out."""
    rows, above = [], ""
    for step in steps:
        left = step.notation.left_latex(step.left)
        row = f"{'' if left == above else left} &{RELATIONS[step.relation]} {step.right_latex()}"
        rows.append(row + (rf" && \text{{{step.rule}}}" if rules else ""))
        above = left
    return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"
