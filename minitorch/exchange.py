"""How do arrays come in and go out without a copy?  By sharing memory: with NumPy, and through DLPack with others.

Shared memory can be written to by its other owner, which no version counter sees: a value that the backward pass keeps
is then silently another one.  `mt.tensor(data)` copies, and is safe.

Source: the DLPack protocol of the Python array API standard (2023.12), `__dlpack__` and `from_dlpack`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import DtypeError, OperandError
from minitorch.tensor import Tensor, wrap


def from_numpy(array: np.ndarray) -> Tensor:
    """A Tensor in the memory of `array`: no copy.

    What is written to one shows in the other.  Writes to the array are not seen by the tape: between the forward and
    the backward pass there should be none.

    Raises:
        DtypeError: not an array of floating-point numbers, integers or booleans.

    >>> a = np.zeros(2)
    >>> x = from_numpy(a)
    >>> a[0] = 5.0
    >>> x
    Tensor([5., 0.])
    """
    if not isinstance(array, np.ndarray):
        raise DtypeError(f"from_numpy: got a {type(array).__name__}, wanted an array. Use mt.tensor(data)?")
    if array.dtype.kind not in "fiub":
        raise DtypeError(
            f"from_numpy: an array of {array.dtype}; tensors hold floating-point numbers, integers or booleans."
        )
    return wrap(array)


def from_dlpack(data: Any) -> Tensor:
    """A Tensor in the memory of another library's array in main memory (PyTorch, JAX, CuPy's host arrays): no copy.

    Writes by the other library are not seen by the tape; see `from_numpy`.

    Args:
        data: anything with `__dlpack__` and `__dlpack_device__`.

    Raises:
        DtypeError: it has no `__dlpack__`, or a dtype that tensors do not hold.
        OperandError: it cannot be shared: it is on another device, or wants its gradient; the library's own words.

    >>> a = np.ones(3)
    >>> np.shares_memory(from_dlpack(a).numpy(), a)
    True
    """
    if not hasattr(data, "__dlpack__"):
        raise DtypeError(f"from_dlpack: a {type(data).__name__} has no __dlpack__. Use mt.tensor(data)?")
    try:
        array = np.from_dlpack(data)
    except (BufferError, RuntimeError, ValueError, TypeError) as error:
        raise OperandError(f"from_dlpack: a {type(data).__name__} cannot be shared: {error}") from None
    return from_numpy(array)
