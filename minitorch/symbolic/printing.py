r"""How is a formula shown?

As LaTeX, as MathML (converted from that LaTeX: one source), or as plain text that can be parsed again.  A gradient is
$\frac{\partial L}{\partial Q_{ie}}$ where it is derived, and $\mathrm{d}P_{ij}$ where its value is used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr

from minitorch.errors import FormulaError
from minitorch.symbolic.expression import Entry, Index, free
from minitorch.symbolic.letters import with_letters
from minitorch.symbolic.phrase import Maths
from minitorch.symbolic.program import Definition, Program
from minitorch.symbolic.styles import Inline, Latex, Text, array_latex


@dataclass(frozen=True)
class Notation:
    """The letters and names that formulas are shown with.

    Attributes:
        indices: the index letters in use, each with its dimension.
        gradients: the names (``dP``) that stand for gradients.
        seed: the name of the gradient that arrives at the output; like the others it comes first in a product.
    """

    indices: tuple[Index, ...] = ()
    gradients: frozenset[str] = frozenset()
    seed: str = "G"

    @classmethod
    def of(cls, program: Program, gradients: Iterable[str] = (), seed: str = "G") -> Notation:
        """The notation of a program's own formula."""
        return cls(program.indices, frozenset(gradients), seed)

    def latex(self, expression: Expr, beside: Iterable[Index] = ()) -> str:
        """LaTeX of an expression; bound letters avoid those of the indices ``beside`` it."""
        return Latex(self.gradients, self.seed).write(self.lettered(expression, beside))

    def text(self, expression: Expr, beside: Iterable[Index] = ()) -> str:
        """Plain text of an expression, in the formula language.

        Example:
            >>> from minitorch.symbolic import parse
            >>> p = parse("A[n,m], V[m,d]: O[i,c] = sum_j A[i,j] V[j,c] / 2")
            >>> Notation.of(p).text(p.definitions[0].value)
            'Σ_j A[i,j]*V[j,c]/2'
        """
        return Text(self.gradients, self.seed).write(self.lettered(expression, beside))

    def mathml(self, expression: Expr, beside: Iterable[Index] = ()) -> str:
        """MathML of an expression."""
        return to_mathml(self.latex(expression, beside))

    def equation(self, definition: Definition) -> str:
        """A definition as plain text."""
        return f"{Text().entry(definition.target)} = {self.text(definition.value, definition.indices)}"

    def equation_latex(self, definition: Definition) -> str:
        """A definition as LaTeX."""
        return f"{self.left_latex(definition.target)} = {self.latex(definition.value, definition.indices)}"

    def shown(self, definition: Definition) -> Maths:
        """A definition as plain text and as LaTeX; that of a gradient as the derivative that it is."""
        right = self.text(definition.value, definition.indices)
        return Maths(f"{self.left_text(definition.target)} = {right}", self.equation_latex(definition))

    def left_latex(self, left: Expr) -> str:
        """What stands left of the equals sign: a gradient is written as the derivative that it is."""
        if isinstance(left, Entry) and left.name in self.gradients:
            source = array_latex(left.name[1:])
            under = " ".join(Latex().symbol(i.name) for i in left.indices)
            return rf"\frac{{\partial L}}{{\partial {source}{f'_{{{under}}}' if under else ''}}}"
        return self.latex(left)

    def left_text(self, left: Expr) -> str:
        """The left-hand side as plain text."""
        if isinstance(left, Entry) and left.name in self.gradients:
            return f"∂L/∂{Text().entry(left)[1:]}"
        return self.text(left)

    def maths(self, expression: Expr, beside: Iterable[Index] = ()) -> Maths:
        """An expression for a sentence, with the letters that it has in an equation ``beside`` the same indices."""
        shown = self.lettered(expression, beside)
        return Maths(Text(self.gradients, self.seed).write(shown), Inline(self.gradients, self.seed).write(shown))

    def equality(self, left: Expr, right: Expr, beside: Iterable[Index] = ()) -> Maths:
        """An equation for a sentence."""
        beside = (*beside, *free(left))
        a, b = self.maths(left, beside), self.maths(right, beside)
        return Maths(f"{a.text} = {b.text}", f"{a.latex} = {b.latex}")

    def lettered(self, expression: Expr, beside: Iterable[Index] = ()) -> Expr:
        """An expression whose bound indices have the letters that they are shown with."""
        return with_letters(expression, self.indices, [i.name for i in beside])


def to_mathml(latex: str, display: str = "block") -> str:
    """MathML of LaTeX, displayed on a line of its own, or ``inline`` in a sentence.

    Raises:
        FormulaError: latex2mathml is not installed.
    """
    try:
        from latex2mathml.converter import convert
    except ImportError as error:
        raise FormulaError("mathml: latex2mathml is not installed. Install it: pip install latex2mathml.") from error
    upright = latex.replace(r"\mathrm{d}", r"\text{d}")  # the converter sets a single \mathrm letter in italics
    return convert(upright, display=display)
