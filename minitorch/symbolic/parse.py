r"""Which program does the text of a formula denote?

``"x[n]: Z = sum_k exp(x[k]); S[i] = exp(x[i]) / Z"`` is turned into definitions over arrays with dimensions.  Every
index letter stands for one dimension throughout a formula; dimensions are found by use, and what disagrees is an error
at the place where it is written.  The grammar is in :mod:`minitorch.symbolic.syntax`.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from functools import reduce

from sympy import Abs, Expr, Rational, cos, erf, exp, log, pi, sin, sqrt, tanh

from minitorch.symbolic.binders import close
from minitorch.symbolic.calculus import is_positive
from minitorch.symbolic.ellipsis import expand_ellipsis
from minitorch.symbolic.expression import FRESH_MARK, Array, Delta, Entry, Index, MaxOver, Sum
from minitorch.symbolic.functions import maximum, sigmoid, step
from minitorch.symbolic.letters import choose
from minitorch.symbolic.nodes import Formula, Line, Node, walk
from minitorch.symbolic.program import Definition, Program, gradient_name
from minitorch.symbolic.scope import Scope
from minitorch.symbolic.syntax import read, read_expression
from minitorch.symbolic.tokens import Token, fail

_FUNCTIONS = {
    "exp": exp,
    "log": log,
    "tanh": tanh,
    "sqrt": sqrt,
    "sigmoid": sigmoid,
    "erf": erf,
    "sin": sin,
    "cos": cos,
    "abs": Abs,
    "step": step,
    "max": maximum,
}


_ARITHMETIC = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "neg": operator.neg,
}


def parse(text: str, ranks: Mapping[str, int] | None = None) -> Program:
    """The program that a formula denotes.

    Arguments:
        text: ``"inputs : definitions"``; without the inputs, an index ``i`` has the dimension ``n_i``.
        ranks: the number of axes of each input written with ``...``, which then stands for its leading axes.  Without
            ranks, ``...`` is nothing where other indices are written, and one index where ``x[...]`` stands alone.

    Raises:
        FormulaError: the text is no formula, or ranks or dimensions disagree; the message shows the place.

    Example:
        >>> print(parse("out[...,i,j] = sum_k a[...,i,k] b[...,k,j]"))
        out[i,j] = Σ_k a[i,k]*b[k,j]
    """
    formula = expand_ellipsis(read(text), ranks)
    scope = Scope.of(formula)
    return _Builder(formula, scope).program()


def parse_definitions(
    text: str, program: Program, extra: Mapping[str, Array], sizes: Mapping[str, Expr] | None = None
) -> tuple[Definition, ...]:
    """Further definitions over the arrays of a program, such as a gradient that somebody claims: ``dx[i] = S[i] G[i]``.

    ``sizes`` are further names of dimensions.  Index letters are the text's own: a letter runs over what the arrays say
    on which it stands; where none does, the gradient ``dx`` has the dimensions of ``x``.

    Raises:
        FormulaError: the text is no list of definitions over these arrays; the message shows the place.
    """
    formula = read(text)
    nodes = [node for line in formula.lines for node in (line.target, line.value)]
    scope = Scope.within(text, nodes, program, extra, letters=False)
    scope.sizes |= dict(sizes or {})
    done: set[str] = set()
    for line in formula.lines:
        scope.use(line.value, frozenset(later.target.word for later in formula.lines) - done)
        scope.define(line.target, done)
    gradients = {gradient_name(name): entry.dimensions for name, entry in program.targets.items()}
    for line in formula.lines:
        for token, size in zip(line.target.indices or (), gradients.get(line.target.word, ()), strict=False):
            scope.suppose(token, size)
    builder = _Builder(formula, scope)
    builder.arrays = {name: program.array(name) for name in program.targets} | dict(extra)
    return tuple(builder.definition(line) for line in formula.lines)


def parse_expression(text: str, program: Program, extra: Mapping[str, Array]) -> Expr:
    """The expression that a text denotes over the arrays and index letters of a program."""
    node = read_expression(text)
    scope = Scope.within(text, [node], program, extra)
    scope.use(node, frozenset())
    builder = _Builder(Formula(text, (), ()), scope)
    builder.arrays = {name: program.array(name) for name in program.targets} | dict(extra)
    bound = {token.text for part in walk(node) if part.kind == "reduce" for token in part.indices or ()}
    return builder.value(node, frozenset(scope.letters) - bound)


class _Builder:
    """Turns syntax into index expressions, now that the scope knows every dimension."""

    def __init__(self, formula: Formula, scope: Scope):
        self.formula, self.scope = formula, scope
        self.arrays: dict[str, Array] = {}
        self.first: dict[str, Entry] = {}
        self.indices: dict[Index, None] = {}

    def program(self) -> Program:
        definitions = [self.definition(line) for line in self.formula.lines]
        defined = {d.name for d in definitions}
        entries = [self.first.get(name) or self.lettered(name) for name in self.scope.inputs if name not in defined]
        return Program(tuple(entries), tuple(definitions), tuple(self.indices))

    def lettered(self, name: str) -> Entry:
        """An input that is never written with plain indices, with letters of its dimensions."""
        chosen: list[Index] = []
        for size in self.scope.dimensions_of(name):
            chosen.append(choose(Index("i", size), tuple(self.indices), [i.name for i in chosen]))
        return Array(name, self.scope.dimensions_of(name), values=self.scope.values_of(name))[tuple(chosen)]

    def definition(self, line: Line) -> Definition:
        letters = line.target.indices or ()
        indices = tuple(self.index(token) for token in letters)
        value = self.value(line.value, frozenset(token.text for token in letters))
        target = Array(line.target.word, tuple(i.dimension for i in indices), is_positive(value))
        self.arrays[target.name] = target
        return Definition(target[indices], value)

    def index(self, token: Token) -> Index:
        index = Index(token.text, self.scope.dimension_of(token))
        if FRESH_MARK not in token.text:
            self.indices.setdefault(index)
        return index

    def fail(self, position: int, message: str) -> Exception:
        return fail(self.formula.text, position, message)

    def value(self, node: Node, known: frozenset[str]) -> Expr:
        """The expression of a node; ``known`` are the index letters that mean something here."""
        if node.kind == "number":
            return Rational(node.word)
        if node.kind == "name":
            return self.named(node, known)
        if node.kind == "delta":
            return Delta(*(self.value(place, known) for place in node.parts))
        if node.kind == "reduce":
            return self.reduction(node, known)
        parts = [self.value(part, known) for part in node.parts]
        if node.kind == "call":
            return _FUNCTIONS[node.word](*parts)
        return _ARITHMETIC[node.kind](*parts)

    def reduction(self, node: Node, known: frozenset[str]) -> Expr:
        tokens = node.indices or ()
        for token in tokens:
            if token.text in known:
                raise self.fail(token.position, f"index {token.text} already has a meaning here. Use another letter.")
        bound = [self.index(token) for token in tokens]
        body = self.value(node.parts[0], known | {token.text for token in tokens})
        if node.word == "max":
            return reduce(lambda inside, index: close(MaxOver, inside, [index]), reversed(bound), body)
        total = close(Sum, body, bound)
        for index in bound if node.word == "mean" else ():
            total /= index.dimension
        return total

    def known_index(self, token: Token, known: frozenset[str]) -> Index:
        if token.text not in known:
            raise self.fail(
                token.position,
                f"index {token.text} is neither on the left nor summed. Write sum_{token.text}, or put it on the left.",
            )
        return self.index(token)

    def named(self, node: Node, known: frozenset[str]) -> Expr:
        if node.indices is None and node.word in self.scope.sizes:
            return self.scope.sizes[node.word]
        if node.indices is None and node.word == "pi":
            return pi
        if node.indices is None and node.word in self.scope.letters and not self.scope.is_array(node):
            return self.known_index(Token("name", node.word, node.position), known)
        indices = tuple(self.known_index(token, known) for token in node.indices or ())
        values = self.scope.values_of(node.word)
        array = self.arrays.get(node.word) or Array(node.word, tuple(i.dimension for i in indices), values=values)
        entry = array[indices]
        if not any(FRESH_MARK in index.name for index in indices):
            self.first.setdefault(node.word, entry)
        return entry
