"""What is a Tensor to Python?  Something with a length and entries and, if there is one entry, a truth and a number."""

# pyright: reportAttributeAccessIssue=false, reportIndexIssue=false
# (self is a Tensor, since nothing else inherits from Container; the type checker cannot know that)

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.errors import ShapeError

if TYPE_CHECKING:
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

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(self._array == getattr(value, "_array", value)))
