"""How far is it?  Shortest paths by breadth-first search."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from viz.points import LOSS, Edge, Flow, Point

T = TypeVar("T", bound=Hashable)


def shortest_path(following: Mapping[T, Sequence[T]], start: T, goal: T) -> list[T] | None:
    """The points of a path with the fewest edges, start and goal included; None if there is none.

    >>> shortest_path({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["e"]}, "a", "e")
    ['a', 'b', 'd', 'e']
    """
    came_from: dict[T, T | None] = {start: None}
    queue = deque([start])
    while queue:
        point = queue.popleft()
        if point == goal:
            path = [point]
            while (previous := came_from[path[-1]]) is not None:
                path.append(previous)
            return path[::-1]
        for after in following.get(point, ()):
            if after not in came_from:
                came_from[after] = point
                queue.append(after)
    return None


def following(edges: Iterable[Edge]) -> dict[Point, list[Point]]:
    """Where the gradient can go next from each point."""
    after: dict[Point, list[Point]] = {}
    for a, b in edges:
        after.setdefault(a, []).append(b)
    return after


def path_to_token(flow: Flow, token: int = 0) -> list[Point] | None:
    """The shortest path that a gradient can take from the loss to a token."""
    return shortest_path(following(flow.edges), LOSS, Point("x", 0, token))


def hops_to_tokens(flow: Flow) -> list[int | None]:
    """The number of edges from the loss to each token, None where no gradient can go."""
    paths = (path_to_token(flow, t) for t in range(flow.n))
    return [None if p is None else len(p) - 1 for p in paths]
