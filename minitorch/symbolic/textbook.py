"""Is the derived gradient the one that is printed in the textbook?  Both forms, and what shows that they are equal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from minitorch.errors import FormulaError
from minitorch.symbolic.expression import names
from minitorch.symbolic.phrase import Maths
from minitorch.symbolic.printing import Notation
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.verdict import REFUTED, UNDECIDED, Verdict


@dataclass(frozen=True)
class Textbook:
    """The form of a gradient that is printed elsewhere, and how far it is known to be equal to the derived one.

    Attributes:
        definitions: the gradient, last, and what it is written with.
        source: where it is printed, or where the forward pass is.
    """

    definitions: tuple[Definition, ...]
    source: str
    verdict: Verdict
    notation: Notation

    @property
    def equations(self) -> tuple[Maths, ...]:
        """The definitions, as plain text and as LaTeX."""
        return tuple(self._equation(definition) for definition in self.definitions)

    def _equation(self, definition: Definition) -> Maths:
        if definition is self.definitions[-1]:
            return self.notation.shown(definition)
        text = f"{self.notation.text(definition.target)} = {self.notation.text(definition.value, definition.indices)}"
        left = self.notation.latex(definition.target)
        return Maths(text, f"{left} = {self.notation.latex(definition.value, definition.indices)}")


def compare_textbook(
    derived: Definition,
    closed: Sequence[Definition],
    source: str,
    meanings: Sequence[Definition],
    notation: Notation,
) -> Textbook:
    """The textbook's form of a derived gradient, compared with it.

    Arguments:
        derived: the gradient as it was derived.
        closed: the textbook's definitions, the gradient of the same name among them.
        meanings: what the names in ``derived`` stand for.

    Raises:
        FormulaError: the textbook's form does not define that gradient, or it is another one; says where they differ.
    """
    claim = next((d for d in closed if d.name == derived.name), None)
    if claim is None:
        said = ", ".join(d.name for d in closed)
        raise FormulaError(f"textbook's form: got {said}, wanted {derived.name}. Define it there.")
    verdict = prove_equal(derived.value, inline(claim.at(derived.indices), closed), meanings, trials=2, largest=3)
    if verdict.kind in (REFUTED, UNDECIDED):
        raise FormulaError(
            f"textbook's form of {derived.name} ({source}) is not the derived one: {verdict.detail}. Correct it."
        )
    return Textbook(_needed(closed, claim), source, verdict, notation)


def _needed(closed: Sequence[Definition], claim: Definition) -> tuple[Definition, ...]:
    """The definitions that one is written with, in order, and itself."""
    wanted = {claim.name}
    for definition in reversed(closed):
        if definition.name in wanted:
            wanted |= names(definition.value)
    return (*(d for d in closed if d.name in wanted and d is not claim), claim)
