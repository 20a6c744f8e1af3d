"""Is an argument of the kind that is taken?  A size, a number, a function: asked when it is given, not when it is
used."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, DtypeError, OperandError


def check_sizes(who: str, least: float = 1, **given: Any) -> None:
    """Make sure that these are whole numbers of at least `least`.

    Raises:
        DtypeError: one is no integer.
        OperandError: one is smaller.

    >>> check_sizes("Linear", in_features=3)
    """
    for name, n in given.items():
        if not isinstance(n, int | np.integer) or isinstance(n, bool):
            raise DtypeError(f"{who}: {name}={n!r} is a {type(n).__name__}; it takes a whole number.")
        if n < least:
            raise OperandError(f"{who}: {name}={n}; it must be at least {least}.")


def check_numbers(who: str, least: float = -math.inf, **given: Any) -> None:
    """Make sure that these are single real numbers of at least `least`, and not NaN.

    Raises:
        DtypeError: one is no number.
        OperandError: one is smaller.

    >>> check_numbers("SGD", 0.0, lr=0.1, momentum=0)
    """
    for name, value in given.items():
        if number(value) is None:
            raise DtypeError(f"{who}: {name}={value!r} is a {type(value).__name__}; it takes a number.")
        if not value >= least:
            raise OperandError(f"{who}: {name}={value}; it must be {_at_least(least)}.")


def _at_least(least: float) -> str:
    return f"at least {least:g}" if math.isfinite(least) else "a number"


def number(value: Any) -> float | None:
    """The value as a Python number, also of an array or a Tensor without axes; None if it is none.

    >>> number(np.float32(0.5)), number("0.5"), number(None)
    (0.5, None, None)
    """
    if isinstance(value, str | bytes) or getattr(value, "ndim", 0):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def check_callable(who: str, value: Any) -> None:
    """Make sure that this can be called.

    Raises:
        ArgumentError: it cannot.
    """
    if not callable(value):
        raise ArgumentError(f"{who}: got {value!r}, a {type(value).__name__}; it takes a function.")
