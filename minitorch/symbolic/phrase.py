r"""How is a sentence with mathematics in it kept, so that every format can show it?

As its parts: plain words, code, and formulas that know their plain text and their LaTeX.  "The one term with
$k = j$ is left" is ``("The one term with ", Maths("k = j", "k = j"), " is left")``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Maths:
    """A formula, as plain text and as LaTeX."""

    text: str
    latex: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Code:
    """Something to be typed as it is, such as a command."""

    text: str

    def __str__(self) -> str:
        return self.text


class Phrase:
    """Words and formulas, in order.

    Example:
        >>> print(Phrase("only ", Maths("x[i]", "x_{i}"), " is left"))
        only x[i] is left
    """

    def __init__(self, *parts: str | Maths | Code | Phrase):
        flat: list[str | Maths | Code] = []
        for part in parts:
            flat += part.parts if isinstance(part, Phrase) else [part]
        self.parts: tuple[str | Maths | Code, ...] = tuple(p for p in flat if p != "")

    def __iter__(self) -> Iterator[str | Maths | Code]:
        return iter(self.parts)

    def __str__(self) -> str:
        return "".join(map(str, self.parts))

    def __repr__(self) -> str:
        return f"Phrase({', '.join(map(repr, self.parts))})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Phrase) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)


def listed(items: Iterable[str | Maths | Phrase], last: str = " and ") -> Phrase:
    """Items as one writes them in a sentence: ``a``, ``a and b``, ``a, b and c``."""
    items = list(items)
    parts: list[str | Maths | Phrase] = []
    for k, item in enumerate(items):
        parts += [item] if k == 0 else [last if k == len(items) - 1 else ", ", item]
    return Phrase(*parts)
