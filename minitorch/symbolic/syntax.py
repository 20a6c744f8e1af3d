r"""What does the text of a formula say, before any dimension is known?

A recursive-descent parser; nothing is evaluated.  The grammar, loosest first:

    formula     = [ header ":" ] definition { ";" definition }
    definition  = name [ "[" indices "]" ] "=" expression
    expression  = term { ("+" | "-") term }
    term        = unary { "*" unary | "/" unary | unary }           juxtaposition multiplies
    unary       = "-" unary | ("sum_" | "mean_") index term | power
    power       = atom [ "**" unary ]
    atom        = number | name [ "[" indices "]" ] | function "(" ... ")" | "max_" index power | "(" expression ")"

So a sum reaches to the end of its term, and a maximum over an index takes the one factor that follows it.
"""

from __future__ import annotations

from dataclasses import dataclass

from minitorch.errors import FormulaError
from minitorch.symbolic.tokens import Token, fail, tokenize

FUNCTIONS = {
    **dict.fromkeys(("exp", "log", "tanh", "sqrt", "sigmoid", "erf", "sin", "cos", "abs", "step"), 1),
    "max": 2,
}
DELTA = ("delta", "δ")


@dataclass(frozen=True)
class Node:
    """One node of the syntax tree: what it is, its word, its parts and where it stands.

    Kinds: number, name (parts None: no brackets), delta, call, reduce, ``+ - * / **`` and ``neg``.
    """

    kind: str
    word: str
    position: int
    parts: tuple[Node, ...] = ()
    indices: tuple[Token, ...] | None = None
    ellipsis: bool = False


@dataclass(frozen=True)
class Line:
    """One definition: the name on the left with its indices, and the expression on the right."""

    target: Node
    value: Node


@dataclass(frozen=True)
class Formula:
    """A parsed formula: header entries (None without a header) and definitions."""

    text: str
    header: tuple[Node, ...] | None
    lines: tuple[Line, ...]


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
        self.text, self.tokens, self.at = text, tokenize(text), 0

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
        entries = [self.named("an input")]
        while self.accept(","):
            entries.append(self.named("an input"))
        self.expect(":", "after the inputs")
        return tuple(entries)

    def line(self) -> Line:
        target = self.named("the name that is defined")
        self.expect("=", f"after {target.word}")
        return Line(target, self.expression())

    def named(self, role: str) -> Node:
        if self.next.kind != "name":
            raise self.fail(f"got {self.shown()}, wanted {role}. Write a name here.")
        token = self.take()
        if not self.sees("["):
            return Node("name", token.text, token.position)
        indices, ellipsis = self.brackets()
        return Node("name", token.text, token.position, indices=indices, ellipsis=ellipsis)

    def brackets(self) -> tuple[tuple[Token, ...], bool]:
        self.expect("[", "before the indices")
        ellipsis, indices = self.accept("..."), []
        if ellipsis and not self.sees("]"):
            self.expect(",", "after '...'")
        while not self.sees("]"):
            indices.append(self.index())
            if self.sees("+", "-", "*", "/"):
                raise self.fail("got arithmetic on an index, wanted ',' or ']'. Index arithmetic is not supported yet.")
            if not self.sees("]"):
                self.expect(",", "or ']' after an index")
        self.expect("]", "after the indices")
        return tuple(indices), ellipsis

    def index(self) -> Token:
        if self.next.kind not in ("name", "number"):
            raise self.fail(f"got {self.shown()}, wanted an index. Write a letter such as i.")
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
        return self.named("a name")

    def call(self) -> Node:
        token = self.take()
        self.expect("(", f"after {token.text}")
        if token.text in DELTA:
            indices = [self.index()]
            while self.accept(","):
                indices.append(self.index())
            self.expect(")", "after the indices")
            return self.counted(Node("delta", token.text, token.position, (), tuple(indices)), len(indices), 2, token)
        parts = [self.expression()]
        while self.accept(","):
            parts.append(self.expression())
        self.expect(")", f"to close {token.text}(")
        node = Node("call", token.text, token.position, tuple(parts))
        return self.counted(node, len(parts), FUNCTIONS[token.text], token)

    def counted(self, node: Node, got: int, wanted: int, token: Token) -> Node:
        if got != wanted:
            raise self.fail(f"{token.text} got {got} arguments, wanted {wanted}. Count the commas.", token)
        return node
