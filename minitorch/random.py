"""Where do random numbers come from?  One seeded generator for initialisation and everything else that draws.

The generator belongs to the thread or task that seeded it, like all modes.
"""

from __future__ import annotations

from contextvars import ContextVar

import numpy as np

_generator: ContextVar[np.random.Generator | None] = ContextVar("minitorch.generator", default=None)


def seed(value: int) -> np.random.Generator:
    """Start anew from `value`; the same value gives the same numbers on every platform.

    >>> seed(0).random() == seed(0).random()
    True
    """
    fresh = np.random.default_rng(value)
    _generator.set(fresh)
    return fresh


def generator() -> np.random.Generator:
    """The generator in force; seeded from the operating system if nobody called `seed`."""
    current = _generator.get()
    if current is None:
        _generator.set(current := np.random.default_rng())
    return current
