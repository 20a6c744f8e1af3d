"""What can be asked of a Tensor?  `x.sum()`, `x.reshape(2, 3)`: each is an operation of `minitorch.ops` by its name.

The names and arguments are NumPy's, and PyTorch's where NumPy has none; `axis` and `keepdims` throughout.
"""

# pyright: reportArgumentType=false
# (self is a Tensor, since nothing else inherits from Methods; the type checker cannot know that)

from __future__ import annotations

from typing import TYPE_CHECKING

from minitorch import rewritten
from minitorch.entrywise import Entrywise, method
from minitorch.misread import checked
from minitorch.ops import (
    arrangement,
    contraction,
    elementwise,
    fused,
    gathering,
    linalg,
    movement,
    order,
    reduce,
    scan,
    select,
    statistics,
)
from minitorch.ops import diagonal as diagonals
from minitorch.primitive import Array
from minitorch.pytorch_names import PyTorchNames
from minitorch.shapes import flat_sizes

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from minitorch.tensor import Tensor


class Methods(Entrywise, PyTorchNames):
    """The methods of a Tensor; nothing is computed and nothing is kept here."""

    __slots__ = ()

    # -- over axes -----------------------------------------------------------------------------------------------------

    all = method(reduce.all)
    any = method(reduce.any)
    argmax = method(order.argmax)
    argmin = method(order.argmin)
    argsort = method(order.argsort)
    cumprod = method(scan.cumprod)
    cumsum = method(scan.cumsum)
    log_softmax = method(fused.log_softmax)
    logsumexp = method(statistics.logsumexp)
    max = amax = method(reduce.max)
    mean = method(reduce.mean)
    min = amin = method(reduce.min)
    norm = method(statistics.norm)
    prod = method(scan.prod)
    softmax = method(fused.softmax)
    sort = method(order.sort)
    std = method(statistics.std)
    sum = method(reduce.sum)
    topk = method(order.topk)
    trace = method(diagonals.trace)
    var = method(statistics.var)

    # -- products ------------------------------------------------------------------------------------------------------

    dot = method(contraction.dot)
    matmul = method(linalg.matmul)
    outer = method(contraction.outer)

    # -- which entry where ---------------------------------------------------------------------------------------------

    broadcast_to = method(movement.broadcast_to)
    chunk = method(rewritten.chunk)
    diag = method(diagonals.diag)
    diagonal = method(diagonals.diagonal)
    expand_dims = unsqueeze = method(movement.expand_dims)
    flatten = method(rewritten.flatten)
    flip = method(arrangement.flip)
    gather = method(gathering.gather)
    masked_fill = method(gathering.masked_fill)
    moveaxis = method(arrangement.moveaxis)
    ravel = method(rewritten.ravel)
    repeat = method(arrangement.repeat)
    roll = method(arrangement.roll)
    scatter_add = method(gathering.scatter_add)
    split = method(arrangement.split)
    squeeze = method(movement.squeeze)
    swapaxes = method(movement.swapaxes)
    take = method(gathering.take)
    take_along_axis = method(gathering.take_along_axis)
    tile = method(arrangement.tile)
    tril = method(diagonals.tril)
    triu = method(diagonals.triu)
    unbind = method(rewritten.unbind)
    unflatten = method(rewritten.unflatten)

    @checked
    def reshape(self, *shape: int | tuple[int, ...]) -> Tensor:
        """The same entries under another shape; one size may be -1."""
        return movement.reshape(self, shape=flat_sizes(shape))

    @checked
    def transpose(self, *axes: int | tuple[int, ...]) -> Tensor:
        """Permute the axes; without arguments, reverse them."""
        return movement.transpose(self, axes=flat_sizes(axes) if axes else None)

    permute = transpose

    @property
    def T(self) -> Tensor:
        """All axes reversed."""
        return movement.transpose(self, axes=None)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged."""
        return movement.swapaxes(self, axis1=-1, axis2=-2)

    def where(self, condition: Array, other: Array) -> Tensor:
        """x where the condition holds, `other` elsewhere."""
        return select.where(condition, self, other)

    @checked
    def astype(self, dtype: DTypeLike) -> Tensor:
        """The same values in another dtype; the gradient comes back in this one."""
        return elementwise.astype(self, dtype=dtype)  # type: ignore[arg-type]

    def clone(self) -> Tensor:
        """A copy in memory of its own, through which gradients pass."""
        return elementwise.positive(self)

    copy = clone
