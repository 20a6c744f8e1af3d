"""Which parts of something long are shown?  The first three and the last four, in every picture."""

from __future__ import annotations

FIRST, LAST = 3, 4  # of what is too long to be shown whole
MAX_POSITIONS = 24  # a sentence with more of them is too long


def shown_positions(n: int) -> list[int]:
    """The positions that a figure shows: all up to 24, else the first 3 and the last 4.

    >>> shown_positions(40)
    [0, 1, 2, 36, 37, 38, 39]
    """
    return list(range(n)) if n <= MAX_POSITIONS else [*range(FIRST), *range(n - LAST, n)]
