"""Which keys may a query see?  Masks are added to the scores: 0 where a key may be seen, -inf where it may not."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike


def causal_mask(n: int, m: int | None = None, dtype: DTypeLike = np.float64) -> np.ndarray:
    """The mask M (n, m) under which query i sees keys 0 ... i + (m - n): itself and the past.

    >>> causal_mask(3)
    array([[  0., -inf, -inf],
           [  0.,   0., -inf],
           [  0.,   0.,   0.]])
    """
    m = n if m is None else m
    return additive(np.tri(n, m, m - n, dtype=bool), dtype)


def additive(allowed: np.ndarray, dtype: DTypeLike = np.float64) -> np.ndarray:
    """A boolean mask, True where a key may be seen, as the mask that is added to the scores."""
    return np.where(allowed, 0.0, -np.inf).astype(dtype)
