"""What does `x += y` or `x[i] = y` do?  It computes the new value as an operation, and writes it into x's own memory.

So x, and every view of it, shows the new value, and x comes from that operation from now on.  What kept x's old value
for the backward pass finds out at the backward pass (`versions.py`).  A write that no derivative could follow is
refused: to a leaf that requires a gradient, and through a view while a tape records.
"""

# pyright: reportArgumentType=false, reportReturnType=false, reportAttributeAccessIssue=false
# (self is a Tensor, since nothing else inherits from InPlace; the type checker cannot know that)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.errors import DtypeError, InPlaceError, ShapeError
from minitorch.ops import elementwise
from minitorch.ops.writing import put
from minitorch.primitive import Array
from minitorch.versions import note_write, owner

if TYPE_CHECKING:
    from minitorch.tensor import Tensor


class InPlace:
    """The writing methods of a Tensor."""

    __slots__ = ()

    def __setitem__(self, index: Any, value: Array) -> None:
        parts = tuple(map(_plain, index)) if isinstance(index, tuple) else _plain(index)
        _become(self, "x[...] = value", lambda: put(self, value, index=parts))

    def __iadd__(self, other: Array) -> Tensor:
        return _become(self, "+=", lambda: elementwise.add(self, other))

    def __isub__(self, other: Array) -> Tensor:
        return _become(self, "-=", lambda: elementwise.subtract(self, other))

    def __imul__(self, other: Array) -> Tensor:
        return _become(self, "*=", lambda: elementwise.multiply(self, other))

    def __itruediv__(self, other: Array) -> Tensor:
        return _become(self, "/=", lambda: elementwise.divide(self, other))

    def __ipow__(self, other: Array) -> Tensor:
        return _become(self, "**=", lambda: elementwise.power(self, other))

    def copy_(self, value: Array) -> Tensor:
        """Write `value`, which broadcasts, over all entries.

        >>> import minitorch as mt
        >>> mt.tensor([1.0, 2.0]).copy_([5.0])
        Tensor([5., 5.], dtype=float32)
        """
        return _become(self, "copy_", lambda: put(self, value, index=...))

    def zero_(self) -> Tensor:
        """Write 0 over all entries."""
        return self.copy_(0)


def _plain(value: Any) -> Any:
    return getattr(value, "_array", value)


def _become(x: Tensor, what: str, compute: Any) -> Tensor:
    """Let x take on the value, and the origin, of what is computed from it."""
    tracked = modes.current().grad_enabled
    if tracked and x._requires_grad and x._origin is None:
        raise InPlaceError(
            f"{what}: a leaf of shape {x.shape} that requires a gradient would be written to. "
            "Write under mt.no_grad(), or to a copy?"
        )
    new = compute()
    if new.shape != x.shape:
        raise ShapeError(
            f"{what}: the result has shape {new.shape}, x has {x.shape}; x cannot grow. Give x that shape?"
        )
    if new.dtype.kind == "f" and x.dtype.kind != "f":
        raise DtypeError(f"{what}: the result is {new.dtype}, x is {x.dtype} and cannot hold it. Use x.astype(float)?")
    if new._requires_grad and x._array.base is not None:
        raise InPlaceError(
            f"{what}: x of shape {x.shape} is a view, and no derivative follows a write through a view. "
            "Write to the tensor that it was taken from, or to a copy (x + 0)?"
        )
    if not x._array.flags.writeable:
        raise InPlaceError(
            f"{what}: x of shape {x.shape} repeats entries of a smaller tensor. Write to a copy (x + 0)?"
        )
    if new._requires_grad:
        _keep_old(new, x._array)
    x._array[...] = new._array
    note_write(x._array, derived=new._requires_grad)
    if new._requires_grad:
        x._origin, x._requires_grad = new._origin, True
    return x


def _keep_old(new: Tensor, array: np.ndarray) -> None:
    """What the new call itself keeps of the old value is copied before it is overwritten."""
    origin: Any = new._origin
    call = origin.call
    for k, value in enumerate(call.kept or ()):
        if isinstance(value, np.ndarray) and owner(value) is owner(array):
            call.keep_instead(k, value.copy())
