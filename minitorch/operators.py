"""What can be written between Tensors?  `x + y`, `x @ y`, `x > 0`: each is an operation of `minitorch.ops` by a sign.

A Tensor on either side is enough: `array + tensor` asks the tensor.  `&`, `|`, `^` and `~` combine booleans,
or the bits of integers, as in NumPy.
"""

# pyright: reportArgumentType=false
# (self is a Tensor, since nothing else inherits from Operators; the type checker cannot know that)

from __future__ import annotations

from typing import TYPE_CHECKING

from minitorch.methods import Methods
from minitorch.ops import elementwise, linalg, select
from minitorch.primitive import Array

if TYPE_CHECKING:
    from minitorch.tensor import Tensor


class Operators(Methods):
    """The operators of a Tensor; nothing is computed and nothing is kept here."""

    __slots__ = ()

    __hash__ = object.__hash__  # by identity, since == compares entries

    def __add__(self, other: Array) -> Tensor:
        return elementwise.add(self, other)

    def __radd__(self, other: Array) -> Tensor:
        return elementwise.add(other, self)

    def __sub__(self, other: Array) -> Tensor:
        return elementwise.subtract(self, other)

    def __rsub__(self, other: Array) -> Tensor:
        return elementwise.subtract(other, self)

    def __mul__(self, other: Array) -> Tensor:
        return elementwise.multiply(self, other)

    def __rmul__(self, other: Array) -> Tensor:
        return elementwise.multiply(other, self)

    def __truediv__(self, other: Array) -> Tensor:
        return elementwise.divide(self, other)

    def __rtruediv__(self, other: Array) -> Tensor:
        return elementwise.divide(other, self)

    def __pow__(self, other: Array) -> Tensor:
        return elementwise.power(self, other)

    def __rpow__(self, other: Array) -> Tensor:
        return elementwise.power(other, self)

    def __matmul__(self, other: Array) -> Tensor:
        return linalg.matmul(self, other)

    def __rmatmul__(self, other: Array) -> Tensor:
        return linalg.matmul(other, self)

    def __neg__(self) -> Tensor:
        return elementwise.negative(self)

    def __abs__(self) -> Tensor:
        return elementwise.absolute(self)

    def __eq__(self, other: Array) -> Tensor:  # type: ignore[override]
        return select.equal(self, other)

    def __ne__(self, other: Array) -> Tensor:  # type: ignore[override]
        return select.not_equal(self, other)

    def __lt__(self, other: Array) -> Tensor:
        return select.less(self, other)

    def __le__(self, other: Array) -> Tensor:
        return select.less_equal(self, other)

    def __gt__(self, other: Array) -> Tensor:
        return select.greater(self, other)

    def __ge__(self, other: Array) -> Tensor:
        return select.greater_equal(self, other)

    def __and__(self, other: Array) -> Tensor:
        return select.bitwise_and(self, other)

    def __rand__(self, other: Array) -> Tensor:
        return select.bitwise_and(other, self)

    def __or__(self, other: Array) -> Tensor:
        return select.bitwise_or(self, other)

    def __ror__(self, other: Array) -> Tensor:
        return select.bitwise_or(other, self)

    def __xor__(self, other: Array) -> Tensor:
        return select.bitwise_xor(self, other)

    def __rxor__(self, other: Array) -> Tensor:
        return select.bitwise_xor(other, self)

    def __invert__(self) -> Tensor:
        return select.invert(self)
