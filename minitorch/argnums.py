"""By which arguments is a function differentiated?  Their positions, checked, and the function of those alone.

    argnums = 0          the argument itself: its derivative is a tree like it
    argnums = (0, -1)    several: a tuple of such trees

A Module among them stands for the dict of its parameters.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from minitorch.errors import ArgumentError
from minitorch.functional import with_parameters
from minitorch.trees import Tree, TreeError

Argnums = int | tuple[int, ...]


class Chosen(NamedTuple):
    """A function of the chosen arguments alone, with these arguments."""

    function: Callable[..., Any]
    arguments: tuple[Tree, ...]
    positions: tuple[int, ...]  # counted from 0
    one: bool  # whether the derivative stands alone, or in a tuple

    def alone(self, found: tuple[Tree, ...]) -> Tree:
        """What belongs to each argument, as it was asked for: by itself, or as a tuple."""
        return found[0] if self.one else found


def chosen(function: Callable[..., Any], argnums: Argnums, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Chosen:
    """What `argnums` choose of a call.

    Raises:
        TreeError: there is no such argument.
        ArgumentError: they are no integers, or one argument is chosen twice.
    """
    one = not isinstance(argnums, tuple | list)
    numbers = _positions((argnums,) if one else tuple(argnums), len(args))

    def of_these(*given: Any) -> Any:
        every = list(args)
        for n, x in zip(numbers, given, strict=True):
            every[n] = x
        return function(*every, **kwargs)

    return Chosen(*with_parameters(of_these, tuple(args[n] for n in numbers)), numbers, one)


def _positions(argnums: tuple[Any, ...], count: int) -> tuple[int, ...]:
    """Counted from 0, each once."""
    found: list[int] = []
    for n in argnums:
        try:
            k = operator.index(n)
        except TypeError:
            raise ArgumentError(
                f"argnums {n!r} is a {type(n).__name__}; an argument is chosen by its position. Give an integer?"
            ) from None
        if not -count <= k < count:
            raise TreeError(f"argnums {k} of {count} positional arguments. Pass that argument by position?")
        found.append(k % count)
    if twice := [k for k in found if found.count(k) > 1]:
        raise ArgumentError(f"argnums {argnums} choose argument {twice[0]} twice. Name each argument once?")
    return tuple(found)
