"""Is this a batch of sequences?  What every layer of this package takes: (batch, n, d)."""

from __future__ import annotations

import minitorch as mt


def check_sequence(layer: str, shape: tuple[int, ...], d: int) -> None:
    """Refuse what is not (batch, n, d).

    Raises:
        minitorch.ShapeError: another number of axes, no position, or another width; says which.

    >>> check_sequence("RNN", (2, 5, 8), 8)
    """
    if len(shape) != 3:
        raise mt.ShapeError(
            f"{layer}: x of shape {shape} has {len(shape)} axes; it takes 3, (batch, n, {d}). Use x[None]?"
        )
    if shape[2] != d:
        raise mt.ShapeError(f"{layer}: x of shape {shape}; axis -1 is {shape[2]}, it takes width {d}.")
    if not shape[1]:
        raise mt.ShapeError(f"{layer}: x of shape {shape}; axis 1 is empty, it takes at least one position.")
