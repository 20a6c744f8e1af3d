"""Which positions of a padded batch are real?  What a recurrent layer is given, checked before anything is computed."""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt


def check_widths(who: str, **given: Any) -> None:
    """Refuse what is no whole number of at least 1.

    Raises:
        minitorch.DtypeError: one is no integer.
        minitorch.ShapeError: one is smaller.

    >>> check_widths("LSTM", d_in=3)
    """
    for name, n in given.items():
        if not isinstance(n, int | np.integer) or isinstance(n, bool):
            raise mt.DtypeError(f"{who}: {name}={n!r} is a {type(n).__name__}; it takes a whole number.")
        if n < 1:
            raise mt.ShapeError(f"{who}: {name}={n}; it is at least 1.")


def check_probability(who: str, dropout: Any) -> None:
    """Refuse what is no probability.

    >>> check_probability("LSTM", 0.1)
    """
    if isinstance(dropout, bool) or not isinstance(dropout, int | float | np.number) or not 0 <= dropout <= 1:
        raise mt.OperandError(f"{who}: dropout={dropout!r} is no probability; it can be 0 ... 1.")


def check_lengths(who: str, lengths: Any, batch: int, n: int) -> np.ndarray:
    """One whole number in 1 ... n for each sequence of the batch, as an integer array (batch,).

    Raises:
        minitorch.DtypeError: no integers.
        minitorch.ShapeError: not one for each sequence.
        minitorch.OperandError: a length that is 0, negative or larger than n; says where.

    >>> check_lengths("LSTM", [3, 1], 2, 3)
    array([3, 1])
    """
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu":
        raise mt.DtypeError(f"{who}: lengths of dtype {lengths.dtype}; it takes integers. Use lengths.astype(int)?")
    if lengths.shape != (batch,):
        raise mt.ShapeError(f"{who}: lengths of shape {lengths.shape}; it takes ({batch},), one for each sequence.")
    wrong = np.flatnonzero((lengths < 1) | (lengths > n))
    if len(wrong):
        k = int(wrong[0])
        raise mt.OperandError(
            f"{who}: lengths[{k}] = {lengths[k]}; with {n} positions a length is 1 ... {n}. "
            "Leave empty sequences out of the batch."
        )
    return lengths


def real_positions(lengths: np.ndarray, n: int) -> np.ndarray:
    """True where a token is real: (batch, n).

    >>> real_positions(np.array([2, 1]), 3).astype(int).tolist()
    [[1, 1, 0], [1, 0, 0]]
    """
    return np.arange(n) < lengths[:, None]
