"""How are the inputs of an example drawn?

A row is `(inputs, static arguments)`.  Floating arrays are differentiated; integers, booleans and Python numbers are
passed on as they are (see `minitorch.testing.Case`).  Entries keep away from kinks and ties, so that differences of
step 0.002 are smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_rng = np.random.default_rng(7)


def signed(*shape: int) -> np.ndarray:
    """Entries of magnitude 0.3 to 1.5 and either sign."""
    return np.asarray(_rng.uniform(0.3, 1.5, shape) * _rng.choice([-1.0, 1.0], shape))


def positive(*shape: int) -> np.ndarray:
    """Entries from 0.3 to 1.5."""
    return np.asarray(_rng.uniform(0.3, 1.5, shape))


def distinct(*shape: int) -> np.ndarray:
    """Entries no two of which are closer than 0.1."""
    return np.asarray(_rng.permutation(int(np.prod(shape))).reshape(shape) / 10 - 0.42)


def inner(*shape: int) -> np.ndarray:
    """Entries from -0.8 to 0.8."""
    return np.asarray(_rng.uniform(-0.8, 0.8, shape))


Row = tuple[tuple[Any, ...], dict[str, Any]]
UNARY_SHAPES = [(), (3,), (2, 3), (0, 2)]
PAIRS: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    ((), ()),
    ((), (2, 3)),
    ((3,), (2, 3)),
    ((3, 1), (1, 4)),
    ((1,), (0,)),
    ((2, 1, 3), (4, 1)),
    ((1, 1), (3,)),
]


def unary(make: Callable[..., np.ndarray], **static: Any) -> list[Row]:
    """A function of one entry, on scalars, vectors, matrices and nothing."""
    return [((make(*s),), static) for s in UNARY_SHAPES]


def binary(make: Callable[..., np.ndarray], second: Callable[..., np.ndarray] | None = None) -> list[Row]:
    """A function of two entries, on shapes that broadcast."""
    return [((make(*a), (second or make)(*b)), {}) for a, b in PAIRS]


def apart() -> list[Row]:
    """Operands that differ by at least 0.3 everywhere."""
    return [((signed(*s), np.asarray(2 * np.sign(signed(*t)))), {}) for s, t in PAIRS]
