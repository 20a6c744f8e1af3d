"""What may an operation be called with?  Data, and Python's values for its options: numbers, tuples, names.

NumPy's scalars become Python's, so that `np.float64(0.1)` does not widen a float32 and `np.int64(2)` is an integer as
any other.  A Tensor is taken by its value if no derivative is lost by that.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import ArgumentError, DtypeError

PLAIN = frozenset((int, float, bool, str, type(None), type, type(Ellipsis), np.dtype))
"""The types of most options, which are taken as they are."""


def settled(name: str, option: str, value: Any) -> Any:
    """The value of an option of the operation `name`, with Python's numbers in the place of NumPy's and of Tensors.

    Raises:
        ArgumentError: it is a Tensor that requires a gradient.

    >>> settled("clip", "max", np.float64(0.5)), settled("getitem", "index", (slice(np.int64(1)), None))
    (0.5, (slice(None, 1, None), None))
    """
    if is_plain(value):
        return value
    if type(value) in (tuple, list):
        return type(value)([settled(name, option, v) for v in value])
    if type(value) is slice:
        return slice(*[settled(name, option, v) for v in (value.start, value.stop, value.step)])
    if hasattr(value, "requires_grad"):
        if value.requires_grad:
            raise ArgumentError(
                f"{name}: {option} is a Tensor of shape {value.shape} that requires a gradient, and no derivative is "
                "taken by it. Use its value: .item() or .detach()?"
            )
        value = value.numpy()
    return value.item() if isinstance(value, np.generic | np.ndarray) and not value.ndim else value


def is_plain(value: Any) -> bool:
    """Whether there are Python's own values alone; asked for each index, so it is written for speed."""
    kind = type(value)
    if kind is tuple or kind is list:
        for v in value:  # noqa: SIM110 (a generator would take longer than the question)
            if type(v) not in PLAIN and not is_plain(v):
                return False
        return True
    if kind is slice:
        return type(value.start) in PLAIN and type(value.stop) in PLAIN and type(value.step) in PLAIN
    return kind in PLAIN


NO_DATA = frozenset((type(None), str, bytes, dict, set))
"""Types of which NumPy would make an array of objects, and take it."""


def no_data(name: str, value: Any) -> DtypeError:
    """What to raise when one of these stands in the place of data."""
    return DtypeError(f"{name}: an operand is a {type(value).__name__}; it takes tensors, arrays and real numbers.")
