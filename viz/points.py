"""Between which places does the gradient travel?  Points, and the flow between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, order=True)
class Point:
    """A place in the flow: the loss "L", an output "y" or a state "h" of a layer, or a token "x" (layer 0)."""

    role: str
    layer: int = 0
    position: int = 0  # from 0


LOSS = Point("L")
Edge = tuple[Point, Point]
Edges = dict[Edge, float]


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
    def points(self) -> list[Point]:
        """All points that an edge touches."""
        return sorted({p for edge in self.edges for p in edge})
