"""What is a document made of?  Plain data, that every format can show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

from minitorch.symbolic.phrase import Maths, Phrase


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the document's title."""

    level: int
    words: str


@dataclass(frozen=True)
class Paragraph:
    """A sentence or several."""

    said: Phrase


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    said: tuple[Phrase, ...]


@dataclass(frozen=True)
class Equations:
    """Equations, each on a line of its own."""

    lines: tuple[Maths, ...]


@dataclass(frozen=True)
class Line:
    """One step: the equation, the rule's name, the reason in words, and what checked it, if anything had to."""

    equation: Maths
    rule: str
    reason: Phrase
    proof: str


@dataclass(frozen=True)
class Part:
    """Steps that lead to one gradient, under its name."""

    title: Phrase
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Steps:
    """A derivation, which a format may fold; ``title`` is what is seen then."""

    title: str
    parts: tuple[Part, ...]

    @property
    def numbered(self) -> Iterator[tuple[Part, list[tuple[int, Line]]]]:
        """Every part with its lines, which are counted through from 1."""
        numbers = count(1)
        # Lines first: where they end, zip has not taken the next number yet.
        return ((part, [(n, line) for line, n in zip(part.lines, numbers, strict=False)]) for part in self.parts)


@dataclass(frozen=True)
class Checked:
    """How far the result is known to be right, and by which methods."""

    verdict: str
    methods: tuple[str, ...]


Block = Heading | Paragraph | Items | Equations | Steps | Checked


@dataclass(frozen=True)
class Document:
    """A titled sequence of blocks."""

    title: str
    blocks: tuple[Block, ...]
