"""Has this memory been written to?  Writes are counted by the block of memory, so views of one block share the count.

Nothing is counted until somebody writes: a program without in-place operations pays one test of an empty dict.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

_writes: dict[int, int] = {}  # id of the array that owns the memory -> how often it was written to
_derived: dict[int, int] = {}  # how often of these with a value that has derivatives: older views do not know of it


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
    if id(block) not in _writes:
        weakref.finalize(block, _forget, id(block))
    _writes[id(block)] = _writes.get(id(block), 0) + 1
    if derived:
        _derived[id(block)] = _derived.get(id(block), 0) + 1


def _forget(block: int) -> None:
    _writes.pop(block, None)
    _derived.pop(block, None)


def rebased(array: np.ndarray) -> int:
    """How often the memory of this array was given values that have derivatives of their own."""
    return _derived.get(id(owner(array)), 0) if _derived else 0


def anything_written() -> bool:
    """Whether any memory that is still alive was ever written to in place."""
    return bool(_writes)


def version(value: Any) -> int:
    """How often the memory of an array, or of the arrays in a tuple, was written to; 0 for anything else."""
    if not _writes:
        return 0
    if isinstance(value, tuple):
        return sum(map(version, value))
    return _writes.get(id(owner(value)), 0) if isinstance(value, np.ndarray) else 0
