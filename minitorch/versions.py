"""Has this memory been written to?  Writes are counted by the block of memory, so views of one block share the count.

Nothing is counted until somebody writes: a program without in-place operations pays one test of an empty dict.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

WRITES: dict[int, int] = {}
"""id of the array that owns the memory -> how often it was written to; empty while nothing alive was."""
DERIVED: dict[int, int] = {}
"""How often of these with a value that has derivatives of its own: older views do not know of it."""


def owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory this view shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_write(array: np.ndarray, derived: bool = False) -> None:
    """Count a write to this array, which may be a view.

    Args:
        derived: whether what was written has derivatives of its own.

    >>> a = np.zeros(3)
    >>> note_write(a[1:])
    >>> version(a), version(a[:2])
    (1, 1)
    """
    block = owner(array)
    if id(block) not in WRITES:
        weakref.finalize(block, _forget, id(block))
    WRITES[id(block)] = WRITES.get(id(block), 0) + 1
    if derived:
        DERIVED[id(block)] = DERIVED.get(id(block), 0) + 1


def _forget(block: int) -> None:
    WRITES.pop(block, None)
    DERIVED.pop(block, None)


def rebased(array: np.ndarray) -> int:
    """How often the memory of this array was given values that have derivatives of their own."""
    return DERIVED.get(id(owner(array)), 0) if DERIVED else 0


def version(value: Any) -> int:
    """How often the memory of an array, or of the arrays in a tuple, was written to; 0 for anything else."""
    if not WRITES:
        return 0
    if isinstance(value, tuple):
        return sum(map(version, value))
    return WRITES.get(id(owner(value)), 0) if isinstance(value, np.ndarray) else 0
