"""How far is it?  Shortest paths by breadth-first search."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

T = TypeVar("T", bound=Hashable)
CameFrom = dict[T, T | None]
Ways = Callable[[list[T], Mapping[T, T | None]], Iterable[tuple[T, Iterable[T]]]]
"""(points equally far from the start, all that were found so far) -> each point with those that follow it.  It may
leave out points from which nothing new can be found."""


def search(start: T, ways: Ways[T]) -> CameFrom[T]:
    """Every point that can be reached, with the point before it on a shortest path; None before the start.

    >>> following = {"a": "bc", "b": "d", "c": "d", "d": "e"}
    >>> search("a", lambda points, found: [(p, following.get(p, "")) for p in points])
    {'a': None, 'b': 'a', 'c': 'a', 'd': 'b', 'e': 'd'}
    """
    came_from: CameFrom[T] = {start: None}
    level = [start]
    while level:
        reached: list[T] = []
        for point, following in ways(level, came_from):
            for after in following:
                if after not in came_from:
                    came_from[after] = point
                    reached.append(after)
        level = reached
    return came_from


def path_to(goal: T, came_from: Mapping[T, T | None]) -> list[T] | None:
    """The points from the start to the goal, both included; None if it cannot be reached.

    >>> path_to("c", {"a": None, "b": "a", "c": "b"})
    ['a', 'b', 'c']
    """
    if goal not in came_from:
        return None
    path = [goal]
    while (before := came_from[path[-1]]) is not None:
        path.append(before)
    return path[::-1]
