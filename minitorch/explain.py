"""Why did NumPy refuse?  Its complaint, as an error that names the operation, the shapes, the axis, the user's line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minitorch.errors import DtypeError, OperandError, ShapeError
from minitorch.shapes import Shape

Explanation = Callable[..., str | None]
"""(shapes of the inputs, **static) -> why they do not fit, or None."""

_ABOUT_SHAPES = re.compile("shape|broadcast|dimension|axis|axes|size|repeated|align", re.IGNORECASE)  # NumPy's words


def explained(
    name: str, explain: Explanation | None, shapes: Sequence[Shape], static: Mapping[str, Any], error: Exception
) -> Exception:
    """What to raise instead of NumPy's `error`.

    Returns:
        A ShapeError for shapes, axes and indices, a DtypeError for types, an OperandError for values.

    >>> explained("sum", None, [(2, 3)], {"axis": 5}, ValueError("axis 5 is out of bounds")).args[0].split("\\n")[0]
    'sum((2, 3), axis=5): axis 5 is out of bounds'
    """
    if reason := _reason(explain, shapes, static, error):
        return ShapeError(f"{name}: {reason}")
    shown = ", ".join(map(str, shapes)) + "".join(f", {k}={v!r}" for k, v in static.items())
    if isinstance(error, TypeError):
        return DtypeError(f"{name}({shown}): {error}")
    about_shapes = isinstance(error, IndexError) or _ABOUT_SHAPES.search(str(error))
    return (ShapeError if about_shapes else OperandError)(f"{name}({shown}): {error}")


def _reason(
    explain: Explanation | None, shapes: Sequence[Shape], static: Mapping[str, Any], error: Exception
) -> str | None:
    """Why the shapes do not fit: the operation's own explanation, or that an axis is missing."""
    if explain is not None:
        try:
            if reason := explain(*shapes, **static):
                return reason
        except Exception:  # an explanation must never hide what it was asked to explain
            return None
    if isinstance(error, np.exceptions.AxisError) and shapes:
        has = f"axes 0 ... {len(shapes[0]) - 1}" if shapes[0] else "no axes"
        return f"{error}; shape {shapes[0]} has {has}. Count from the end with -1?"
    return None
