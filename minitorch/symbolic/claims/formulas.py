"""What do claimed formulas say?  Definitions in the names of the program, evaluated, and compared by proof."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Symbol

from minitorch.errors import FormulaError
from minitorch.symbolic.binders import swap
from minitorch.symbolic.claims.binding import seed_names
from minitorch.symbolic.claims.function import Gradients, forms_of
from minitorch.symbolic.claims.sentences import shown_difference
from minitorch.symbolic.claims.subject import Subject
from minitorch.symbolic.claims.terms import Frame, Values, line_of
from minitorch.symbolic.claims.worlds import World
from minitorch.symbolic.claims.written import as_definitions, words
from minitorch.symbolic.expression import Array, Entry, names
from minitorch.symbolic.nodes import walk
from minitorch.symbolic.parse import parse_definitions
from minitorch.symbolic.program import Definition, inline
from minitorch.symbolic.prove import prove_equal
from minitorch.symbolic.reverse import gradient_name
from minitorch.symbolic.syntax import read
from minitorch.symbolic.verdict import Verdict


class FormulaClaim:
    """Definitions that are claimed to give gradients.

    Attributes:
        claims: for every input, the definition that is claimed to be its gradient.
    """

    title = "formulas"

    def __init__(self, text: str, subject: Subject):
        self.subject = subject
        written = as_definitions(text)
        defined = {line.target.word for line in read(written).lines}
        self.seeds = {n: Array(n, subject.seed.dimensions) for n in self._aliases(written, defined)}
        extra = self.seeds | {n: array for n, array in self._adjoints().items() if n not in defined}
        self.definitions = parse_definitions(written, subject.program, extra, self._sizes(written, defined))
        self.claims = self._claims()
        lines = [line_of(d, (*subject.program.indices, *d.indices)) for d in self.definitions]
        self.lines, self.frame = lines, Frame(lines)

    def _aliases(self, text: str, defined: set[str]) -> list[str]:
        """The names that stand for the incoming gradient."""
        known = {*self.subject.program.targets, *map(str, self.subject.dimensions), *defined}
        usual = (seed_names(self.subject) & words(text)) - known
        return sorted({self.subject.seed.name, *usual})

    def _sizes(self, text: str, defined: set[str]) -> dict[str, Symbol]:
        """Plain letters for dimensions: d for d_k, where d means nothing else."""
        known = {*self.subject.program.targets, *map(str, self.subject.dimensions), *defined}
        nodes = [part for line in read(text).lines for side in (line.target, line.value) for part in walk(side)]
        letters = {token.text for node in nodes for token in node.indices or ()}
        short = {str(size).split("_")[0]: size for size in reversed(self.subject.dimensions)}
        return {word: size for word, size in short.items() if word not in known | letters}

    def _adjoints(self) -> dict[str, Array]:
        arrays = {n: e for n, e in self.subject.entries.items() if n not in self.subject.program.targets}
        wanted = {gradient_name(n) for n in self.subject.wrt}
        return {n: Array(n, e.dimensions) for n, e in arrays.items() if n not in wanted and n != self.subject.seed.name}

    def _claims(self) -> dict[str, Definition]:
        found = {}
        for name in self.subject.wrt:
            forms = forms_of(name)
            definition = next((d for d in self.definitions if d.name in forms), None)
            if definition is not None:
                found[name] = definition
        if not found:
            wanted = ", ".join(map(gradient_name, self.subject.wrt))
            defined = ", ".join(d.name for d in self.definitions)
            raise FormulaError(f"check_vjp: the text defines {defined}, wanted one of {wanted}. Define a gradient.")
        return found

    @property
    def wanted(self) -> frozenset[str]:
        """Every array that the formulas could read: all of them."""
        return frozenset(self.subject.program.targets)

    @property
    def words(self) -> frozenset[str]:
        """The names that are read and defined."""
        return frozenset(d.name for d in self.definitions).union(*(names(d.value) for d in self.definitions))

    def __call__(self, world: World) -> Gradients:
        """The values of the claimed gradients."""
        arrays = dict(world.arrays)
        arrays |= dict.fromkeys(self.seeds, arrays[self.subject.seed.name])
        values = Values(self.frame, arrays, world.sizes)
        values.run(self.lines)
        return {name: values.arrays[definition.name] for name, definition in self.claims.items()}

    def verdict(self, name: str) -> Verdict:
        """How far a claimed gradient is known to equal the derived one."""
        claimed, derived = self._sides(name)
        back = [*(a.definition for a in self.subject.adjoints)]
        return prove_equal(claimed, derived.value, (*self.subject.program.definitions, *back))

    def difference(self, name: str) -> str:
        """Claimed minus right, in index notation; empty where the two have other dimensions."""
        if not self._comparable(name):
            return ""
        claimed, derived = self._sides(name)
        return shown_difference(claimed, inline(derived.value, ()), derived.target, self.subject)

    def _sides(self, name: str) -> tuple[Expr, Definition]:
        derived, claim = self.subject.backward.definition(gradient_name(name)), self.claims[name]
        if not self._comparable(name):
            raise FormulaError(f"check_vjp: {claim.name} has other dimensions than {name}.")
        value = inline(claim.at(derived.indices), [d for d in self.definitions if d is not claim])
        return self._with_seed(value), derived

    def _comparable(self, name: str) -> bool:
        derived = self.subject.backward.definition(gradient_name(name))
        return self.claims[name].target.dimensions == derived.target.dimensions

    def _with_seed(self, value: Expr) -> Expr:
        """The incoming gradient under its own name."""
        own = self.subject.seed.symbol
        changes: Mapping = {e: Entry(own, *e.indices) for e in value.atoms(Entry) if e.name in self.seeds}
        return swap(value, changes)
