"""What is a Tensor to Python?  Something with a length and entries and, if there is one entry, a truth and a number.

And to other libraries: an array, unless its gradient would be lost.
"""

# pyright: reportAttributeAccessIssue=false, reportIndexIssue=false
# (self is a Tensor, since nothing else inherits from Container; the type checker cannot know that)

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.errors import DtypeError, GradientError, OperandError, ShapeError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from minitorch.tensor import Tensor


class Container:
    """The methods by which Python sees a container, a truth value or a number."""

    __slots__ = ()

    def __len__(self) -> int:
        if not self.ndim:
            raise TypeError("len() of a tensor without axes")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"the truth of a tensor of shape {self.shape} is ambiguous; it needs one entry. Reduce it first?"
            )
        return bool(self._array)

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self.ndim or self.dtype.kind not in "iu":
            raise DtypeError(
                f"a {self.dtype} tensor of shape {self.shape} as an index or a count, which is one integer. Use item()?"
            )
        return int(self._array)

    def __format__(self, spec: str) -> str:
        """Of a Tensor without axes that of its number; of others only f"{x}"."""
        if spec and self.ndim:
            raise ShapeError(
                f"the format {spec!r} of a tensor of shape {self.shape}; it is for one number. Use item()?"
            )
        return format(self._array.item() if spec else str(self), spec)

    def tolist(self) -> Any:
        """The values as Python numbers in nested lists."""
        return self._array.tolist()

    def __contains__(self, value: Any) -> bool:
        found = self == value
        return bool(np.any(getattr(found, "_array", found)))

    # -- to other libraries --------------------------------------------------------------------------------------------

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        self._let_go("np.asarray(tensor)")
        view = self.numpy()
        return np.array(view, dtype, copy=copy) if copy is not None or dtype is not None else view

    def __dlpack__(self, **options: Any) -> Any:
        """The memory itself, for another library's `from_dlpack`; its writes are not seen here.

        Raises:
            GradientError: it requires a gradient, which would be lost.
            OperandError: it runs through its memory backwards, like x[::-1], which not every library can.
        """
        self._let_go("from_dlpack(tensor)")
        if any(step < 0 for step in self._array.strides):
            raise OperandError(
                f"from_dlpack(tensor) of shape {self.shape}: its steps in memory are {self._array.strides} bytes, and "
                "PyTorch ends the process where one is negative. Give a copy, tensor + 0?"
            )
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array.__dlpack_device__()

    def _let_go(self, what: str) -> None:
        """Refuse to give values away to where their derivative does not follow."""
        if self._requires_grad and modes.current().grad_enabled:
            raise GradientError(
                f"{what} of shape {self.shape} would lose its gradient. Use tensor.detach(), or an operation of "
                "minitorch?"
            )
