"""What can be written on a Tensor?  `x + y`, `x.sum()`: each is an operation of `minitorch.ops` by another name.

A Tensor on either side is enough: `array + tensor` asks the tensor.
"""

# pyright: reportArgumentType=false
# (self is a Tensor, since nothing else inherits from Operators; the type checker cannot know that)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import DTypeLike

from minitorch.ops import elementwise, linalg, movement, reduce, select
from minitorch.primitive import Array
from minitorch.shapes import Axis

if TYPE_CHECKING:
    from minitorch.tensor import Tensor


class Operators:
    """The operators and methods of a Tensor; nothing is computed and nothing is kept here."""

    __slots__ = ()

    __hash__ = object.__hash__  # by identity, since == compares entries

    # -- operators -----------------------------------------------------------------------------------------------------

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

    # -- methods that users expect; `axis` and `keepdims` as NumPy has them --------------------------------------------

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The sum over `axis`."""
        return reduce.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The arithmetic mean over `axis`."""
        return reduce.mean(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest entry over `axis`; ties share the gradient equally."""
        return reduce.max(self, axis=axis, keepdims=keepdims)

    def exp(self) -> Tensor:
        """The exponential of each entry."""
        return elementwise.exp(self)

    def log(self) -> Tensor:
        """The natural logarithm of each entry."""
        return elementwise.log(self)

    def sqrt(self) -> Tensor:
        """The square root of each entry."""
        return elementwise.sqrt(self)

    def tanh(self) -> Tensor:
        """The hyperbolic tangent of each entry."""
        return elementwise.tanh(self)

    def reshape(self, *shape: int | tuple[int, ...]) -> Tensor:
        """The same entries under another shape; one size may be -1."""
        return movement.reshape(self, shape=_flat(shape))

    def transpose(self, *axes: int | tuple[int, ...]) -> Tensor:
        """Permute the axes; without arguments, reverse them."""
        return movement.transpose(self, axes=_flat(axes) if axes else None)

    @property
    def T(self) -> Tensor:
        """All axes reversed."""
        return movement.transpose(self, axes=None)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Exchange two axes."""
        return movement.swapaxes(self, axis1=axis1, axis2=axis2)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """The same values in another dtype; the gradient comes back in this one."""
        return elementwise.astype(self, dtype=np.dtype(dtype))


def _flat(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """`x.reshape(2, 3)` and `x.reshape((2, 3))` mean the same."""
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes
