"""What may become a Tensor?  Arrays, numbers and nested lists of numbers, also another library's; always copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.errors import GradientError, MinitorchError, ShapeError
from minitorch.ops.dtype import entries_dtype, read

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def entries(data: Any, dtype: DTypeLike | None) -> np.ndarray:
    """The data as an array of its own; Python's floating numbers get the default dtype unless another is asked for.

    Raises:
        DtypeError: they are no numbers that a Tensor can hold.
        GradientError: data is a Tensor that requires a gradient, or a list with one, while gradients are recorded.
        OperandError: another library does not give its values away.
        ShapeError: the lists are no array.
    """
    if modes.current().grad_enabled and any(map(_has_gradient, data if type(data) in (list, tuple) else (data,))):
        raise GradientError(
            f"a tensor of a {type(data).__name__} that requires a gradient; a copy of the numbers would lose it. Use "
            "x.detach(), x + 0 to go on with the gradient, or stack for several?"
        )
    values = getattr(data, "_array", data)
    try:
        wanted = None if dtype is None else entries_dtype("tensor", dtype)
        array = np.array(read(values, wanted))
    except MinitorchError:
        raise
    except (ValueError, TypeError, OverflowError) as error:
        raise ShapeError(f"{type(data).__name__} cannot become one array: {error}") from None
    if dtype is None:
        entries_dtype("tensor", array.dtype)
        if array.dtype.kind == "f" and not hasattr(data, "dtype"):
            array = array.astype(modes.current().dtype)
    return array


def _has_gradient(x: Any) -> bool:
    return hasattr(x, "_array") and x.requires_grad
