"""What is the syntax tree of a formula made of?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from minitorch.symbolic.tokens import Token


@dataclass(frozen=True)
class Node:
    """One node of the syntax tree: what it is, its word, its parts and where it stands.

    Kinds: number, name (indices None: no brackets), delta, call, reduce, ``+ - * / **`` and ``neg``; in a header name
    and below (an index with the size that it stays below), whose indices are sizes.
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


def walk(node: Node) -> Iterator[Node]:
    """A syntax node and everything inside it."""
    yield node
    for part in node.parts:
        yield from walk(part)
