"""Between which places does the gradient travel?  Points, and the flow between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Row(NamedTuple):
    """Points of one kind, one a position: the tokens "x" (layer 0), the outputs "y" of a layer, or the states "h" of a
    recurrence in it."""

    role: str
    layer: int
    track: int = 0  # which recurrence, where a layer has several

    def at(self, position: int) -> Point:
        """The point at a position, counted from 0."""
        return Point(self.role, self.layer, position, self.track)


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A place in the flow: the loss "L", or a point of a row."""

    role: str
    layer: int = 0
    position: int = 0  # from 0
    track: int = 0

    @property
    def row(self) -> Row:
        """The row that it stands in."""
        return Row(self.role, self.layer, self.track)


LOSS = Point("L")
TOKENS = Row("x", 0)
Edge = tuple[Point, Point]
Edges = dict[Edge, float]


def sideways(edge: Edge) -> bool:
    """Whether an edge leads from a state to another of the same recurrence."""
    return edge[0].role == "h" and edge[0].row == edge[1].row


@dataclass(frozen=True)
class Flow:
    """Gradient flow from a loss that reads the last position to every token.

    Attributes:
        n: number of tokens.
        edges: the norm of the cotangent on each edge, in the direction in which gradients travel.
        arriving: (n,) the norm of the whole gradient that reaches each token.
    """

    n: int
    edges: Edges
    arriving: np.ndarray

    @property
    def rows(self) -> set[Row]:
        """The rows of all points that an edge touches, without the loss."""
        return {p.row for edge in self.edges for p in edge if p != LOSS}
