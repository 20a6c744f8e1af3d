"""What can be wrong with data, a run or a command?  One sentence each; `python -m transformer` prints it and stops.

They are the engine's errors too, so that `except mt.MinitorchError` catches whatever was raised on purpose.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import minitorch as mt


class DataError(mt.MinitorchError, ValueError):
    """A file of data cannot be read, a line of it is not in its format, or a symbol is unknown."""


class RunError(mt.MinitorchError, ValueError):
    """A run cannot be made, found, read or continued."""


class DivergedError(mt.MinitorchError, ArithmeticError):
    """A loss or a gradient is not finite any more."""


def close_to(name: str, known: Iterable[str]) -> str:
    """What was meant, as the end of a sentence.

    >>> close_to("lstm-atention", ["lstm", "lstm-attention"])
    'Did you mean lstm-attention?'
    """
    known = list(known)
    near = difflib.get_close_matches(name, known, 1)
    return f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known)}."
