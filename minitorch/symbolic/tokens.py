"""Which words does a formula consist of, and where does each one stand?

``A[i,j] = sum_e Q[i,e] K[j,e]`` is names, numbers and signs; every token keeps its place, so that an error can point.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from minitorch.errors import FormulaError

_PATTERN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)"
    r"|(?P<reduce>(?:sum|mean|max|Σ)_(?=\{|[A-Za-z]))"
    r"|(?P<name>[A-Za-zα-ωδ_][\wα-ω]*'*)"
    r"|(?P<sign>\*\*|\.\.\.|[-+*/=,;:()\[\]{}<])"
)


@dataclass(frozen=True)
class Token:
    """One word of a formula: its kind (name, number, reduce, sign, end, size), its text and its position."""

    kind: str
    text: str
    position: int


def fail(text: str, position: int, message: str) -> FormulaError:
    """The error that shows the line of a formula with a caret under the character in question."""
    start = text.rfind("\n", 0, position) + 1
    end = text.find("\n", position)
    line = text[start : end if end >= 0 else len(text)]
    return FormulaError(f"formula: {message}\n    {line}\n    {' ' * (position - start)}^")


def tokenize(text: str) -> list[Token]:
    """The tokens of a formula, closed by one of kind ``end``.

    Raises:
        FormulaError: a character that no formula contains.

    Example:
        >>> [t.text for t in tokenize("sum_k x[k]")]
        ['sum', 'k', 'x', '[', 'k', ']', '']
    """
    tokens, position = [], 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            raise fail(text, position, f"got the character {text[position]!r}, which no formula contains. Remove it.")
        kind, word = str(match.lastgroup), match.group()
        if kind == "reduce":
            word = word[:-1].replace("Σ", "sum")
        if kind != "space":
            tokens.append(Token(kind, word, position))
        position = match.end()
    return [*tokens, Token("end", "", len(text))]
