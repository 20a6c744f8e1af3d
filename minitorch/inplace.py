"""What does `x += y` or `x[i] = y` do?  It computes the new value as an operation, and writes it into x's own memory.

So x, and every view of it, shows the new value, and x comes from that operation from now on.  A write through a view
`x[i]` is a write to its base, of which the view is then taken again; so is a view that is used after its base was
written to.  What kept x's old value for the backward pass finds out at the backward pass (`versions.py`).  A write that
no derivative could follow is refused: to a leaf that requires a gradient, and through any other view, such as
`x.reshape(-1)`, while a tape records.
"""

# pyright: reportArgumentType=false, reportReturnType=false, reportAttributeAccessIssue=false
# (self is a Tensor, since nothing else inherits from InPlace; the type checker cannot know that)

from __future__ import annotations

from sys import getrefcount
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.errors import DtypeError, InPlaceError, ShapeError
from minitorch.ops import elementwise
from minitorch.ops.indexing import getitem
from minitorch.ops.writing import put
from minitorch.primitive import Array
from minitorch.versions import DERIVED, note_write, owner, rebased

if TYPE_CHECKING:
    from minitorch.tensor import Tensor


class InPlace:
    """The writing methods of a Tensor."""

    __slots__ = ()

    def __setitem__(self, index: Any, value: Array) -> None:
        parts = tuple(map(_plain, index)) if isinstance(index, tuple) else _plain(index)
        if not _is_there(self, parts, value):
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

    def __ifloordiv__(self, other: Array) -> Tensor:
        return _become(self, "//=", lambda: elementwise.floor_divide(self, other))

    def __imod__(self, other: Array) -> Tensor:
        return _become(self, "%=", lambda: elementwise.remainder(self, other))

    mul_, div_, pow_ = __imul__, __itruediv__, __ipow__

    def add_(self, other: Array, alpha: float = 1) -> Tensor:
        """Add alpha * other."""
        return _become(self, "add_", lambda: elementwise.add(self, _times(alpha, other)))

    def sub_(self, other: Array, alpha: float = 1) -> Tensor:
        """Subtract alpha * other."""
        return _become(self, "sub_", lambda: elementwise.subtract(self, _times(alpha, other)))

    def clamp_(self, min: float | None = None, max: float | None = None) -> Tensor:
        """Bring all entries between the bounds."""
        return _become(self, "clamp_", lambda: elementwise.clip(self, min=min, max=max))

    def copy_(self, value: Array) -> Tensor:
        """Write `value`, which broadcasts, over all entries.

        >>> import minitorch as mt
        >>> mt.tensor([1.0, 2.0]).copy_([5.0])
        Tensor([5., 5.], dtype=float32)
        """
        return _become(self, "copy_", lambda: put(self, value, index=...))

    fill_ = copy_

    def zero_(self) -> Tensor:
        """Write 0 over all entries."""
        return self.copy_(0)

    @property
    def data(self) -> Tensor:
        """The values in the same memory, without an origin; what is assigned is written into it and not recorded."""
        return self.detach()

    @data.setter
    def data(self, value: Array) -> None:
        if np.shape(_plain(value)) != self.shape:
            raise ShapeError(f"data of shape {np.shape(_plain(value))} for a tensor of shape {self.shape}.")
        if _plain(value) is not self._array:  # as after `x.data -= y`
            with modes.Mode(grad_enabled=False):
                self.copy_(value)


def _times(alpha: float, other: Array) -> Array:
    return other if alpha == 1 else elementwise.multiply(other, alpha)


def _plain(value: Any) -> Any:
    return getattr(value, "_array", value)


def is_stale(x: Tensor) -> bool:
    """Whether x is a view of memory that has been given a value with derivatives of its own since x was taken."""
    return bool(DERIVED) and x._rebased != rebased(x._array) and x._array.base is not None


def renew(x: Tensor) -> None:
    """Take the view x = base[index] again: it shows another value now, which came from elsewhere.

    Raises:
        InPlaceError: x is a view of another kind.
    """
    if x._view is None:
        raise InPlaceError(
            f"a view of shape {x.shape} was taken before its base was written to, and its derivative would be that of "
            "the old value. Take the view again?"
        )
    base, index = x._view
    again = getitem(base, index=index)
    x._origin, x._requires_grad, x._rebased = again._origin, again._requires_grad, again._rebased


def _is_there(x: Tensor, index: Any, value: Any) -> bool:
    """Whether the value is x[index] itself, up to date: Python ends `x[index] += y` by assigning what is there."""
    view = getattr(value, "_view", None)
    if view is None or view[0] is not x or is_stale(value):
        return False
    place, there = x._array[index], value._array
    return place.shape == there.shape and place.__array_interface__ == there.__array_interface__


def _become(x: Tensor, what: str, compute: Any) -> Tensor:
    """Let x take on the value, and the origin, of what is computed from it."""
    tracked = modes.current().grad_enabled
    if tracked and x._requires_grad and x._origin is None:
        raise InPlaceError(
            f"{what}: a leaf of shape {x.shape} that requires a gradient would be written to. "
            "Write under mt.no_grad(), or to a copy?"
        )
    new = compute()
    _check_fit(x, what, new)
    if tracked and x._view is not None and (new._requires_grad or x._view[0]._requires_grad):
        _write_to_base(x, what, new)
        return x
    if new._requires_grad and x._array.base is not None and _is_shared(x._array):
        raise InPlaceError(
            f"{what}: x of shape {x.shape} is a view, and no derivative follows a write through a view of this kind. "
            "Write to the tensor that it was taken from, through x[...], or to a copy (x + 0)?"
        )
    if new._requires_grad:
        _keep_old(new, x._array)
    x._array[...] = new._array
    note_write(x._array, derived=new._requires_grad)
    if new._requires_grad:
        x._origin, x._requires_grad, x._rebased = new._origin, True, rebased(x._array)
    return x


def _check_fit(x: Tensor, what: str, new: Tensor) -> None:
    if new.shape != x.shape:
        raise ShapeError(
            f"{what}: the result has shape {new.shape}, x has {x.shape}; x cannot grow. Give x that shape?"
        )
    if not np.can_cast(new.dtype, x.dtype, "same_kind"):
        raise DtypeError(
            f"{what}: the result is {new.dtype}, x is {x.dtype} and cannot hold it. Use x.astype('{new.dtype}')?"
        )
    if not x._array.flags.writeable:
        repeats = any(step == 0 and n > 1 for step, n in zip(x._array.strides, x.shape, strict=True))
        why = "repeats entries of a smaller tensor" if repeats else "is in memory that may only be read"
        raise InPlaceError(f"{what}: x of shape {x.shape} {why}. Write to a copy (x + 0)?")


def _write_to_base(x: Tensor, what: str, new: Tensor) -> None:
    """Write through the view x = base[index]: base takes on the value, and x is taken from it again."""
    base, index = x._view  # type: ignore[misc]
    if not new._requires_grad:
        raise InPlaceError(
            f"{what}: x of shape {x.shape} is a view that was taken under no_grad(), and no derivative follows a write "
            "through it. Take the view again?"
        )
    _keep_old(new, x._array)
    _become(base, what, lambda: put(base, new, index=index))
    renew(x)


def _holders_of_base(array: np.ndarray) -> int:
    base = array.base
    return getrefcount(base)


_ONE_HOLDER = _holders_of_base(np.zeros(2)[:1])  # counts of memory that one view shows and nobody else; Pythons differ


def _is_shared(view: np.ndarray) -> bool:
    """Whether somebody else may see the memory of this view; some operations return a view of an array of their own."""
    return getattr(view.base, "base", view) is not None or _holders_of_base(view) > _ONE_HOLDER


def _keep_old(new: Tensor, array: np.ndarray) -> None:
    """What the new call itself keeps of the old value is copied before it is overwritten."""
    origin: Any = new._origin
    call = origin.call
    for k, value in enumerate(call.kept or ()):
        if isinstance(value, np.ndarray) and owner(value) is owner(array):
            call.keep_instead(k, value.copy())
