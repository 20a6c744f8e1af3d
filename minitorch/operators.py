"""What can be written between Tensors?  `x + y`, `x @ y`, `x > 0`: each is an operation of `minitorch.ops` by a sign.

A Tensor on either side is enough: `array + tensor` asks the tensor.  `&`, `|`, `^` and `~` combine booleans,
or the bits of integers, as in NumPy.
"""

# pyright: reportArgumentType=false
# (self is a Tensor, since nothing else inherits from Operators; the type checker cannot know that)

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.methods import Methods
from minitorch.ops import elementwise, linalg, select
from minitorch.primitive import HANDLERS, Array, Primitive

if TYPE_CHECKING:
    from minitorch.tensor import Tensor


# What these call is found as a primitive's own call finds it, but without looking at the other arguments.


def _unary(p: Primitive[...]) -> Callable[[Any], Tensor]:
    return lambda self: HANDLERS[type(self)](p, (self,), {})


def _binary(p: Primitive[...]) -> Callable[[Any, Array], Tensor]:
    return lambda self, other: HANDLERS[type(self)](p, (self, other), {})


def _equality(p: Primitive[...]) -> Callable[[Any, Any], Any]:
    """Entry by entry with data; for Python to decide (by identity) with None, a string or another object."""
    return lambda self, other: HANDLERS[type(self)](p, (self, other), {}) if _is_data(other) else NotImplemented


def _is_data(x: Any) -> bool:
    if isinstance(x, Operators | int | float | complex | list | tuple | np.ndarray):
        return True
    return not isinstance(x, str | bytes) and (hasattr(x, "__array__") or np.asarray(x).dtype.kind in "fiub")


def _reflected(p: Primitive[...]) -> Callable[[Any, Array], Tensor]:
    return lambda self, other: HANDLERS[type(self)](p, (other, self), {})


class Operators(Methods):
    """The operators of a Tensor; nothing is computed and nothing is kept here."""

    __slots__ = ()

    __hash__ = object.__hash__  # by identity, since == compares entries

    __add__ = _binary(elementwise.add)
    __radd__ = _reflected(elementwise.add)
    __sub__ = _binary(elementwise.subtract)
    __rsub__ = _reflected(elementwise.subtract)
    __mul__ = _binary(elementwise.multiply)
    __rmul__ = _reflected(elementwise.multiply)
    __truediv__ = _binary(elementwise.divide)
    __rtruediv__ = _reflected(elementwise.divide)
    __floordiv__ = _binary(elementwise.floor_divide)
    __rfloordiv__ = _reflected(elementwise.floor_divide)
    __mod__ = _binary(elementwise.remainder)
    __rmod__ = _reflected(elementwise.remainder)
    __pow__ = _binary(elementwise.power)
    __rpow__ = _reflected(elementwise.power)
    __matmul__ = _binary(linalg.matmul)
    __rmatmul__ = _reflected(linalg.matmul)
    __neg__ = _unary(elementwise.negative)
    __pos__ = _unary(elementwise.positive)
    __abs__ = _unary(elementwise.absolute)
    __eq__ = _equality(select.equal)  # type: ignore[assignment]
    __ne__ = _equality(select.not_equal)  # type: ignore[assignment]
    __lt__ = _binary(select.less)
    __le__ = _binary(select.less_equal)
    __gt__ = _binary(select.greater)
    __ge__ = _binary(select.greater_equal)
    __and__ = _binary(select.bitwise_and)
    __rand__ = _reflected(select.bitwise_and)
    __or__ = _binary(select.bitwise_or)
    __ror__ = _reflected(select.bitwise_or)
    __xor__ = _binary(select.bitwise_xor)
    __rxor__ = _reflected(select.bitwise_xor)
    __invert__ = _unary(select.invert)

    def __divmod__(self, other: Array) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __rdivmod__(self, other: Array) -> tuple[Tensor, Tensor]:
        return other // self, other % self

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return self.round(ndigits or 0)
