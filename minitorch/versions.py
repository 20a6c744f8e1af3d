"""Has this memory been written to?  Writes are counted by the block of memory, so views of one block share the count.

Nothing is counted until somebody writes: a program without in-place operations pays one test of an empty dict.
"""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np

_writes: dict[int, int] = {}  # id of the array that owns the memory -> how often it was written to


def owner(array: np.ndarray) -> np.ndarray:
    """The array whose memory this view shows."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def note_write(array: np.ndarray) -> None:
    """Count a write to this array, which may be a view.

    >>> a = np.zeros(3)
    >>> note_write(a[1:])
    >>> version(a), version(a[:2])
    (1, 1)
    """
    block = owner(array)
    if id(block) not in _writes:
        weakref.finalize(block, _writes.pop, id(block), None)
    _writes[id(block)] = _writes.get(id(block), 0) + 1


def version(value: Any) -> int:
    """How often the memory of an array, or of the arrays in a tuple, was written to; 0 for anything else."""
    if not _writes:
        return 0
    if isinstance(value, tuple):
        return sum(map(version, value))
    return _writes.get(id(owner(value)), 0) if isinstance(value, np.ndarray) else 0
