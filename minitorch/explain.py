"""Why did NumPy refuse?  Its complaint, as an error that names the operation, the shapes, the axis, the user's line."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from minitorch.errors import ArgumentError, DtypeError, OperandError, ShapeError
from minitorch.shapes import Shape

P = ParamSpec("P")
R = TypeVar("R")

REFUSED = (ShapeError, DtypeError, OperandError, ArgumentError)
"""What an operation raises for arguments that it cannot take."""

Explanation = Callable[..., str | None]
"""(shapes of the inputs, **static) -> why they do not fit, or None."""

_ABOUT_SHAPES = "(?i)shape|broadcast|dimension|axis|axes|size|repeated|align"  # NumPy's words; compiled when one errs


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
    shown = ", ".join(map(str, shapes)) + "".join(f", {k}={_shown(v)}" for k, v in static.items())
    if isinstance(error, TypeError):
        return DtypeError(f"{name}({shown}): {error}")
    about_shapes = isinstance(error, IndexError) or re.search(_ABOUT_SHAPES, str(error))
    return (ShapeError if about_shapes else OperandError)(f"{name}({shown}): {error}")


def named(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function that is written with operations complain under its own name: who called mse_loss knows nothing of
    a subtraction inside."""

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except REFUSED as error:
            raise error.about(function.__name__) from None

    return call


def _shown(value: Any) -> str:
    """A static argument in a message: of arrays, which may be long, the shape."""
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}" if value.ndim else repr(value.item())
    if type(value) is tuple:
        return f"({', '.join(map(_shown, value))}{',' * (len(value) == 1)})"
    return repr(value)


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
