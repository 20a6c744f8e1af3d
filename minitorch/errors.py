"""What can go wrong, and where?  Every error of the library: what was got, what was wanted, where, and one next step.

Each class is also the built-in exception that Python users expect (`ValueError`, `TypeError`, ...), so `except
ValueError` keeps working.  An error that the user's own line caused ends with that line: the innermost frame outside
this distribution and NumPy.
"""

from __future__ import annotations

import linecache
import os
import re
import sys

import numpy as np

_ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# The frames of these packages are ours, and NumPy asks us in the user's name: the user's line is the first one outside.
_OURS = (
    *(os.path.join(_ROOT, package, "") for package in ("minitorch", "transformer", "viz")),
    os.path.join(os.path.dirname(np.__file__), ""),
)


def user_line() -> str | None:
    """Name the innermost line that is neither here nor in NumPy, as `file:line: source text`; None if there is none.

    >>> user_line() is None or ":" in user_line()
    True
    """
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(_OURS) and not name.startswith("<frozen"):
            source = linecache.getline(name, frame.f_lineno).strip()
            return f"{name}:{frame.f_lineno}" + (f": {source}" if source else "")
        frame = frame.f_back
    return None


class MinitorchError(Exception):
    """The base of all errors that this distribution raises on purpose."""


class _AtUserLine(MinitorchError):
    """An error whose message ends with the line of the user's code that led to it."""

    def __init__(self, message: str):
        where = user_line()
        super().__init__(f"{message}\n  at {where}" if where else message)
        self.message = message  # without the line

    def about(self, name: str) -> _AtUserLine:
        """The same error under the name of the operation that the user called, which did its work by another one.

        >>> print(ShapeError("subtract: shapes (2,) and (3,) differ").about("mse_loss").message)
        mse_loss: shapes (2,) and (3,) differ
        """
        return type(self)(re.sub(r"^\w+(?=[(:])", name, self.message))


class ShapeError(_AtUserLine, ValueError):
    """Shapes, axes or sizes do not fit together."""


class OperandError(_AtUserLine, ValueError):
    """A value that the operation is not defined for."""


class ArgumentError(_AtUserLine, TypeError):
    """An operation was called with arguments that it does not take."""


class DtypeError(_AtUserLine, TypeError):
    """A value has a type that the operation has no meaning for."""


class GradientError(_AtUserLine, RuntimeError):
    """A derivative was asked for that does not exist, or of something that does not require one."""


class GraphFreedError(GradientError):
    """The values that the backward pass needs were freed by an earlier one."""


class InPlaceError(GradientError):
    """A value that the backward pass needs was written to after it was kept."""


class AnomalyError(GradientError):
    """In anomaly mode, the first NaN or infinity; says which operation made it, in which module, from which line."""


class StateError(_AtUserLine, ValueError, RuntimeError):
    """A state dict, or the file that should hold one, does not fit: its names, shapes, dtypes or bytes."""


class RegistrationError(MinitorchError, TypeError):
    """A primitive's record contradicts itself: a rule is missing, or asks for a value that is not there."""


class FormulaError(MinitorchError, ValueError):
    """A formula in index notation cannot be read, or its indices and dimensions contradict each other."""


class TargetError(MinitorchError, ValueError):
    """A file cannot be written there: its suffix, its folder or its permissions."""
