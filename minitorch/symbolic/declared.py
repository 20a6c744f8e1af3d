"""Which size does the header of a formula declare?  A dimension, a number, or arithmetic of them: ``x[2*d, n + m]``."""

from __future__ import annotations

import operator

from sympy import Expr, Integer

from minitorch.symbolic.expression import dimension
from minitorch.symbolic.nodes import Node
from minitorch.symbolic.syntax import read_expression
from minitorch.symbolic.tokens import Token, fail

_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "neg": operator.neg}


def declared_size(text: str, token: Token) -> Expr:
    """The size that a token of a header says.

    Raises:
        FormulaError: it is no sum or product of dimensions and whole numbers.
    """
    return _size(text, token, read_expression(token.text))


def _size(text: str, token: Token, node: Node) -> Expr:
    if node.kind == "name" and node.indices is None:
        return dimension(node.word)
    if node.kind == "number" and node.word.isdigit():
        return Integer(node.word)
    if node.kind in _ARITHMETIC:
        return _ARITHMETIC[node.kind](*(_size(text, token, part) for part in node.parts))
    position = token.position + node.position
    raise fail(text, position, f"{token.text} is no size: got {node.word!r}, wanted dimensions and whole numbers.")
