"""What do PyTorch's users type that NumPy has no name for?  Each is said in a line by what a Tensor has anyway."""

# pyright: reportAttributeAccessIssue=false, reportReturnType=false
# (self is a Tensor, or what stands in for one; the type checker cannot know that)

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.errors import ShapeError
from minitorch.misread import checked
from minitorch.rewritten import expand

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from minitorch.tensor import Tensor


class PyTorchNames:
    """PyTorch's own methods; `size` is none of them, since it is a number as in NumPy: write `x.shape`."""

    __slots__ = ()

    def dim(self) -> int:
        """How many axes there are: `ndim`."""
        return self.ndim

    def numel(self) -> int:
        """How many entries there are: `size`."""
        return math.prod(self.shape)

    nelement = numel

    def element_size(self) -> int:
        """How many bytes an entry takes."""
        return self.dtype.itemsize

    def is_contiguous(self) -> bool:
        """Whether the entries lie in memory in row-major order, without gaps."""
        return self.numpy().flags.c_contiguous

    def contiguous(self) -> Tensor:
        """Itself if the entries lie in memory in row-major order, else a copy in which they do."""
        return self if self.is_contiguous() else self.reshape(-1).reshape(self.shape)

    @checked
    def view(self, *shape: int | tuple[int, ...]) -> Tensor:
        """`reshape`, but never a copy: the result shows the same memory.

        Raises:
            ShapeError: the entries do not fill the shape, or do not lie in memory as it needs them.
        """
        result: Any = self.reshape(*shape)
        if result.size and not np.may_share_memory(result.numpy(), self.numpy()):
            raise ShapeError(
                f"view: the entries of {self.shape} do not lie in memory as {result.shape} needs them. Use reshape?"
            )
        return result

    @checked
    def expand(self, *sizes: int | tuple[int, ...]) -> Tensor:
        """Stretched to these sizes without copying; -1 leaves an axis as it is."""
        return expand(self, *sizes)  # type: ignore[arg-type]

    def t(self) -> Tensor:
        """The matrix transposed.

        Raises:
            ShapeError: there are more than two axes.
        """
        if self.ndim > 2:
            raise ShapeError(f"t() of shape {self.shape}; it is for matrices. Use mT or swapaxes?")
        return self.T

    def type_as(self, other: Tensor) -> Tensor:
        """The same values in the dtype of another Tensor."""
        return self.astype(other.dtype)

    def cpu(self) -> Tensor:
        """Itself: there is no other device."""
        return self

    def to(self, dtype: DTypeLike) -> Tensor:
        """The same values in another dtype, as `astype`; the only device is "cpu"."""
        return self if isinstance(dtype, str) and dtype == "cpu" else self.astype(dtype)
