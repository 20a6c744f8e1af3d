"""In which dtype and shape is an argument?  Functions with fractional values take integers too, as NumPy's exp does."""

from __future__ import annotations

import numpy as np

from minitorch.errors import DtypeError
from minitorch.primitive import Array
from minitorch.shapes import Shape


def floating(x: Array) -> np.ndarray:
    """x as an array; integers in the dtype in which NumPy would take their exponential.

    >>> floating([1, 2]).dtype, floating(np.float32(1)).dtype
    (dtype('float64'), dtype('float32'))
    """
    array = np.asarray(x)
    return array if array.dtype.kind == "f" else array.astype(np.result_type(array, 0.0))


def integers(name: str, indices: Array) -> np.ndarray:
    """Indices as an array of integers; an empty list counts as one.

    Raises:
        DtypeError: they are not integers.
    """
    array = np.asarray(indices)
    if array.dtype.kind not in "iu":
        if array.size:
            raise DtypeError(
                f"{name}: indices are {array.dtype}, but rows and entries are counted in integers. Use .astype(int)?"
            )
        array = array.astype(int)
    return array


def shape_of(x: Array) -> Shape:
    """The shape of an array, a Tensor, a number or nested lists; `np.shape` would ask a Tensor by way of dispatch."""
    shape = getattr(x, "shape", None)
    return np.shape(x) if shape is None else shape


def values(x: Array) -> np.ndarray:
    """The numbers of an array, a Tensor or what carries a tangent, to look at."""
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)  # type: ignore[union-attr]
