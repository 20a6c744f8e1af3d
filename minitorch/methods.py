"""What can be asked of a Tensor?  `x.sum()`, `x.reshape(2, 3)`: each is an operation of `minitorch.ops` by its name.

The names and arguments are NumPy's, and PyTorch's where NumPy has none; `axis` and `keepdims` throughout.
"""

# pyright: reportArgumentType=false
# (self is a Tensor, since nothing else inherits from Methods; the type checker cannot know that)

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.entrywise import Entrywise
from minitorch.ops import (
    arrangement,
    contraction,
    diagonal,
    elementwise,
    fused,
    gathering,
    movement,
    order,
    reduce,
    scan,
    statistics,
)
from minitorch.primitive import Array
from minitorch.shapes import Axis

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from minitorch.tensor import Tensor


class Methods(Entrywise):
    """The methods of a Tensor; nothing is computed and nothing is kept here."""

    __slots__ = ()

    # -- over axes -----------------------------------------------------------------------------------------------------

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The sum over `axis`."""
        return reduce.sum(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The arithmetic mean over `axis`."""
        return reduce.mean(self, axis=axis, keepdims=keepdims)

    def prod(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The product over `axis`; zeros have their exact derivatives."""
        return scan.prod(self, axis=axis, keepdims=keepdims)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The largest entry over `axis`; ties share the gradient equally."""
        return reduce.max(self, axis=axis, keepdims=keepdims)

    def min(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The smallest entry over `axis`; ties share the gradient equally."""
        return reduce.min(self, axis=axis, keepdims=keepdims)

    def logsumexp(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """log(sum(exp(x))) over `axis`, without overflow."""
        return statistics.logsumexp(self, axis=axis, keepdims=keepdims)

    def all(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether every entry over `axis` is true."""
        return reduce.all(self, axis=axis, keepdims=keepdims)

    def any(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Whether some entry over `axis` is true."""
        return reduce.any(self, axis=axis, keepdims=keepdims)

    def var(self, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
        """The variance over `axis`, with n - ddof for n."""
        return statistics.var(self, axis=axis, keepdims=keepdims, ddof=ddof)

    def std(self, axis: Axis = None, keepdims: bool = False, ddof: int = 0) -> Tensor:
        """The standard deviation over `axis`, with n - ddof for n."""
        return statistics.std(self, axis=axis, keepdims=keepdims, ddof=ddof)

    def norm(self, ord: float | str | None = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """The Euclidean length over `axis`, or that of another `ord`; at 0 its gradient is 0."""
        return statistics.norm(self, ord, axis, keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """The position of the largest entry along `axis`, the first at a tie."""
        return order.argmax(self, axis=axis, keepdims=keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> Tensor:
        """The position of the smallest entry along `axis`, the first at a tie."""
        return order.argmin(self, axis=axis, keepdims=keepdims)

    def argsort(self, axis: int | None = -1, descending: bool = False) -> Tensor:
        """The positions that would sort along `axis`; what ties keeps its order."""
        return order.argsort(self, axis=axis, descending=descending)

    def sort(self, axis: int | None = -1, descending: bool = False) -> Tensor:
        """The entries in order along an axis; of equal ones the first comes first."""
        return order.sort(self, axis, descending)

    def topk(self, k: int, axis: int = -1, largest: bool = True) -> tuple[Tensor, Tensor]:
        """The k largest entries along `axis`, in order, and their positions."""
        return order.topk(self, k, axis, largest)

    def cumsum(self, axis: int | None = None) -> Tensor:
        """The running sum along `axis`; None flattens first."""
        return scan.cumsum(self, axis=axis)

    def cumprod(self, axis: int | None = None) -> Tensor:
        """The running product along `axis`; None flattens first."""
        return scan.cumprod(self, axis=axis)

    def softmax(self, axis: int = -1) -> Tensor:
        """exp(x) over its sum along `axis`."""
        return fused.softmax(self, axis=axis)

    def log_softmax(self, axis: int = -1) -> Tensor:
        """The logarithm of the softmax along `axis`."""
        return fused.log_softmax(self, axis=axis)

    # -- entry by entry ------------------------------------------------------------------------------------------------

    def pow(self, exponent: Array) -> Tensor:
        """x ** exponent."""
        return elementwise.power(self, exponent)

    def round(self, decimals: int = 0) -> Tensor:
        """x rounded to `decimals`, halves to even; no gradient passes."""
        return elementwise.round(self, decimals=decimals)

    def clip(self, min: float | None = None, max: float | None = None) -> Tensor:
        """x, but no less than `min` and no more than `max`; the gradient at a bound is 1."""
        return elementwise.clip(self, min=min, max=max)

    def masked_fill(self, mask: Array, value: Array) -> Tensor:
        """x, but `value` where the mask is true."""
        return gathering.masked_fill(self, mask, value)

    def astype(self, dtype: DTypeLike) -> Tensor:
        """The same values in another dtype; the gradient comes back in this one."""
        return elementwise.astype(self, dtype=dtype)  # type: ignore[arg-type]

    to = astype

    def clone(self) -> Tensor:
        """A copy in memory of its own, through which gradients pass."""
        return elementwise.positive(self)

    copy = clone

    # -- which entry where ---------------------------------------------------------------------------------------------

    def reshape(self, *shape: int | tuple[int, ...]) -> Tensor:
        """The same entries under another shape; one size may be -1."""
        return movement.reshape(self, shape=_flat(shape))

    def flatten(self) -> Tensor:
        """All entries on one axis, in row-major order."""
        return movement.reshape(self, shape=(np.size(self._array),))  # type: ignore[attr-defined]

    ravel = flatten

    def transpose(self, *axes: int | tuple[int, ...]) -> Tensor:
        """Permute the axes; without arguments, reverse them."""
        return movement.transpose(self, axes=_flat(axes) if axes else None)

    @property
    def T(self) -> Tensor:
        """All axes reversed."""
        return movement.transpose(self, axes=None)

    permute = transpose

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return movement.swapaxes(self, axis1=-1, axis2=-2)

    def moveaxis(self, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Tensor:
        """Axes moved to other places."""
        return arrangement.moveaxis(self, source=source, destination=destination)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """Exchange two axes."""
        return movement.swapaxes(self, axis1=axis1, axis2=axis2)

    def squeeze(self, axis: Axis = None) -> Tensor:
        """Drop axes of size 1."""
        return movement.squeeze(self, axis=axis)

    def expand_dims(self, axis: int | tuple[int, ...]) -> Tensor:
        """Insert axes of size 1."""
        return movement.expand_dims(self, axis=axis)

    def broadcast_to(self, shape: tuple[int, ...]) -> Tensor:
        """Stretch to `shape` without copying."""
        return movement.broadcast_to(self, shape=shape)

    def flip(self, axis: Axis = None) -> Tensor:
        """The entries in reverse order along `axis`."""
        return arrangement.flip(self, axis=axis)

    def repeat(self, repeats: int | Sequence[int], axis: int | None = None) -> Tensor:
        """Each entry `repeats` times, as NumPy's repeat does; `tile` repeats the whole."""
        return arrangement.repeat(self, repeats=repeats, axis=axis)

    def tile(self, reps: int | tuple[int, ...]) -> Tensor:
        """The whole, `reps` times along each axis."""
        return arrangement.tile(self, reps=reps)

    def roll(self, shift: int | tuple[int, ...], axis: Axis = None) -> Tensor:
        """Entries moved on by `shift`; those that leave at the end come in at the beginning."""
        return arrangement.roll(self, shift=shift, axis=axis)

    def split(self, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
        """Parts along an axis: so many equal ones, or between these places, as NumPy's split."""
        return arrangement.split(self, indices_or_sections, axis)

    def unsqueeze(self, axis: int) -> Tensor:
        """PyTorch's name for `expand_dims`."""
        return movement.expand_dims(self, axis=axis)

    def gather(self, axis: int, index: Array) -> Tensor:
        """PyTorch's gather: the entries at `index` along an axis, all else in its place."""
        return gathering.gather(self, axis, index)

    def scatter_add(self, axis: int, index: Array, values: Array) -> Tensor:
        """x with `values` added at `index` along an axis."""
        return gathering.scatter_add(self, axis, index, values)

    def take_along_axis(self, indices: Array, axis: int | None = -1) -> Tensor:
        """NumPy's take_along_axis: for `argsort` and `argmax`."""
        return gathering.take_along_axis(self, indices, axis=axis)

    def take(self, indices: Array, axis: int | None = None) -> Tensor:
        """The entries at `indices` along `axis`; None counts through the flat array."""
        return gathering.take(self, indices, axis=axis)

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The entries x[i, i + offset] of two axes, as the last one of the result."""
        return diagonal.diagonal(self, offset=offset, axis1=axis1, axis2=axis2)

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """The sum of the diagonal."""
        return diagonal.matrix_trace(self, offset, axis1, axis2)

    def dot(self, other: Array) -> Tensor:
        """NumPy's dot: `x @ other` for vectors and matrices."""
        return contraction.dot(self, other)


def _flat(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """`x.reshape(2, 3)` and `x.reshape((2, 3))` mean the same."""
    one = len(sizes) == 1 and (isinstance(sizes[0], tuple | list) or getattr(sizes[0], "ndim", 0))
    return tuple(sizes[0]) if one else sizes
