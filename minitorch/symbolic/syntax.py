r"""What does the text of a formula say, before any dimension is known?

A recursive-descent parser; nothing is evaluated.  The grammar, loosest first:

    formula     = [ header ":" ] definition { ";" definition }
    header      = declared { "," declared }
    declared    = name [ "[" size { "," size } "]" ] | index "<" size        a size is arithmetic of dimensions
    definition  = name [ "[" indices "]" ] "=" expression
    expression  = term { ("+" | "-") term }
    term        = unary { "*" unary | "/" unary | unary }           juxtaposition multiplies
    unary       = "-" unary | ("sum_" | "mean_") index term | power
    power       = atom [ "**" unary ]
    atom        = number | name [ "[" places "]" ] | function "(" ... ")" | "max_" index power | "(" expression ")"

So a sum reaches to the end of its term, and a maximum over an index takes the one factor that follows it.  A place is
an index, or arithmetic of indices and dimensions, or an entry of an index array (``E[v[i],e]``): what is not a plain
index is read as the sum over a delta that it stands for (:class:`minitorch.symbolic.expression.Delta`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from minitorch.errors import FormulaError
from minitorch.symbolic.expression import FRESH_MARK
from minitorch.symbolic.nodes import Formula, Line, Node
from minitorch.symbolic.tokens import Token, fail, tokenize

FUNCTIONS = {
    **dict.fromkeys(("exp", "log", "tanh", "sqrt", "sigmoid", "erf", "sin", "cos", "abs", "step"), 1),
    "max": 2,
}
DELTA = ("delta", "δ")
_T = TypeVar("_T")


def read(text: str) -> Formula:
    """The syntax tree of a formula.

    Raises:
        FormulaError: the text is no formula; the message shows the place.
    """
    return _Parser(text).formula()


def read_expression(text: str) -> Node:
    """The syntax tree of a single expression."""
    parser = _Parser(text)
    node = parser.expression()
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, text: str):
        self.text, self.tokens, self.at, self.shifts = text, tokenize(text), 0, 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def fail(self, message: str, token: Token | None = None) -> FormulaError:
        return fail(self.text, (token or self.next).position, message)

    def take(self) -> Token:
        token = self.next
        self.at += token.kind != "end"
        return token

    def sees(self, *signs: str) -> bool:
        return self.next.kind == "sign" and self.next.text in signs

    def accept(self, sign: str) -> bool:
        if self.sees(sign):
            self.at += 1
            return True
        return False

    def expect(self, sign: str, where: str) -> None:
        if not self.accept(sign):
            raise self.fail(f"got {self.shown()}, wanted {sign!r} {where}. Write it here.")

    def shown(self) -> str:
        return "the end" if self.next.kind == "end" else repr(self.next.text)

    def expect_end(self) -> None:
        if self.next.kind != "end":
            raise self.fail(f"got {self.shown()}, wanted the end. Separate definitions with ';'.")

    def formula(self) -> Formula:
        header = self.header() if any(t.text == ":" for t in self.tokens) else None
        lines = [self.line()]
        while self.accept(";") and self.next.kind != "end":
            lines.append(self.line())
        self.expect_end()
        return Formula(self.text, header, tuple(lines))

    def header(self) -> tuple[Node, ...]:
        entries = [self.declared()]
        while self.accept(","):
            entries.append(self.declared())
        self.expect(":", "after the inputs")
        return tuple(entries)

    def declared(self) -> Node:
        """An input with its sizes, or an index with the size that it stays below."""
        name = self.name("an input")
        if self.accept("<"):
            return Node("below", name.text, name.position, indices=(self.size(),))
        if not self.sees("["):
            return Node("name", name.text, name.position)
        sizes, ellipsis = self.brackets(self.size)
        return Node("name", name.text, name.position, indices=sizes, ellipsis=ellipsis)

    def size(self) -> Token:
        """A dimension: a name or a number is that token, arithmetic of them one token of kind ``size``."""
        start = self.next
        self.expression()
        end = self.tokens[self.at - 1]
        if end is start:
            return start
        return Token("size", self.text[start.position : end.position + len(end.text)], start.position)

    def line(self) -> Line:
        target = self.target()
        self.expect("=", f"after {target.word}")
        return Line(target, self.expression())

    def name(self, role: str) -> Token:
        if self.next.kind != "name":
            raise self.fail(f"got {self.shown()}, wanted {role}. Write a name here.")
        return self.take()

    def target(self) -> Node:
        token = self.name("the name that is defined")
        if not self.sees("["):
            return Node("name", token.text, token.position)
        indices, ellipsis = self.brackets(self.index)
        return Node("name", token.text, token.position, indices=indices, ellipsis=ellipsis)

    def named(self) -> Node:
        """An array with places, or a name alone."""
        token = self.name("a name")
        if not self.sees("["):
            return Node("name", token.text, token.position)
        places, ellipsis = self.brackets(self.expression)
        indices, met = [], []
        for place in places:
            if place.kind == "name" and place.indices is None:
                indices.append(Token("name", place.word, place.position))
                continue
            # x[t - k] is sum_s delta(s, t - k) x[s]: s has no letter that a formula could use.
            letter = Token("name", f"{token.text}{FRESH_MARK}{self.new()}", place.position)
            indices.append(letter)
            named = Node("name", letter.text, place.position)
            met.append((letter, Node("delta", "delta", place.position, (named, place))))
        entry = Node("name", token.text, token.position, indices=tuple(indices), ellipsis=ellipsis)
        return _summed(entry, met)

    def new(self) -> int:
        self.shifts += 1
        return self.shifts

    def brackets(self, inside: Callable[[], _T]) -> tuple[tuple[_T, ...], bool]:
        self.expect("[", "before the indices")
        ellipsis, indices = self.accept("..."), []
        if ellipsis and not self.sees("]"):
            self.expect(",", "after '...'")
        while not self.sees("]"):
            indices.append(inside())
            if not self.sees("]"):
                self.expect(",", "or ']' after an index")
        self.expect("]", "after the indices")
        return tuple(indices), ellipsis

    def index(self) -> Token:
        if self.next.kind != "name":
            raise self.fail(f"got {self.shown()}, wanted an index letter. Write a letter such as i.")
        return self.take()

    def expression(self) -> Node:
        left = self.term()
        while self.sees("+", "-"):
            token = self.take()
            left = Node(token.text, token.text, token.position, (left, self.term()))
        return left

    def term(self) -> Node:
        left = self.unary()
        while self.sees("*", "/") or self.starts_factor():
            token = self.take() if self.sees("*", "/") else Token("sign", "*", self.next.position)
            left = Node(token.text, token.text, token.position, (left, self.unary()))
        return left

    def starts_factor(self) -> bool:
        return self.next.kind in ("name", "number", "reduce") or self.sees("(")

    def unary(self) -> Node:
        if self.sees("-"):
            token = self.take()
            return Node("neg", "-", token.position, (self.unary(),))
        if self.next.kind == "reduce" and self.next.text != "max":
            return self.reduction(self.term)
        return self.power()

    def reduction(self, body) -> Node:
        token = self.take()
        indices = self.braced() if self.sees("{") else (self.index(),)
        return Node("reduce", token.text, token.position, (body(),), indices)

    def braced(self) -> tuple[Token, ...]:
        self.expect("{", "before the indices")
        indices = [self.index()]
        while self.accept(","):
            indices.append(self.index())
        self.expect("}", "after the indices")
        return tuple(indices)

    def power(self) -> Node:
        base = self.atom()
        if self.sees("**"):
            token = self.take()
            return Node("**", "**", token.position, (base, self.unary()))
        return base

    def atom(self) -> Node:
        token = self.next
        if token.kind == "number":
            self.take()
            return Node("number", token.text, token.position)
        if token.kind == "reduce":
            return self.reduction(self.power)
        if self.accept("("):
            inside = self.expression()
            self.expect(")", "to close the bracket")
            return inside
        if token.kind != "name":
            raise self.fail(f"got {self.shown()}, wanted a value. Write a name, a number or a bracket here.")
        if self.tokens[self.at + 1].text == "(" and token.text in (*FUNCTIONS, *DELTA):
            return self.call()
        return self.named()

    def call(self) -> Node:
        token = self.take()
        self.expect("(", f"after {token.text}")
        parts = [self.expression()]
        while self.accept(","):
            parts.append(self.expression())
        self.expect(")", f"to close {token.text}(")
        kind, wanted = ("delta", 2) if token.text in DELTA else ("call", FUNCTIONS[token.text])
        return self.counted(Node(kind, token.text, token.position, tuple(parts)), len(parts), wanted, token)

    def counted(self, node: Node, got: int, wanted: int, token: Token) -> Node:
        if got != wanted:
            raise self.fail(f"{token.text} got {got} arguments, wanted {wanted}. Count the commas.", token)
        return node


def _summed(entry: Node, met: list[tuple[Token, Node]]) -> Node:
    """The sum of an entry over the letters that stand for places, each with its delta."""
    if not met:
        return entry
    body = entry
    for _, delta in met:
        body = Node("*", "*", entry.position, (delta, body))
    return Node("reduce", "sum", entry.position, (body,), tuple(letter for letter, _ in met))
