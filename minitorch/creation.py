"""How does a Tensor begin without data?  As zeros, ones, a range, or random numbers.

Names and arguments are NumPy's; the dtype is the default one (float32, see `default_dtype`) unless it is given, but a
range of integers holds integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.errors import ArgumentError
from minitorch.options import settled
from minitorch.primitive import Array
from minitorch.random import generator
from minitorch.shapes import Shape
from minitorch.tensor import Tensor, plain

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


def zeros(shape: int | Shape, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Zeros of a shape.

    >>> zeros((2, 3)).dtype
    dtype('float32')
    """
    return full(shape, 0, dtype, requires_grad=requires_grad)


def ones(shape: int | Shape, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Ones of a shape."""
    return full(shape, 1, dtype, requires_grad=requires_grad)


def full(
    shape: int | Shape, fill_value: float, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """One number everywhere.

    Raises:
        ArgumentError: the sizes are not one number or one tuple, as in PyTorch's `zeros(2, 3)`.
    """
    if isinstance(dtype, int):
        raise ArgumentError(f"got shape {shape} and dtype {dtype}; sizes go into one tuple: ({shape}, {dtype}).")
    shape, fill_value = settled("full", "shape", shape), settled("full", "fill_value", fill_value)
    return Tensor(np.full(shape, fill_value, dtype or modes.current().dtype), requires_grad=requires_grad)


def zeros_like(x: Array, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Zeros of x's shape and dtype."""
    return full_like(x, 0, dtype, requires_grad=requires_grad)


def ones_like(x: Array, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Ones of x's shape and dtype."""
    return full_like(x, 1, dtype, requires_grad=requires_grad)


def full_like(x: Array, fill_value: float, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """One number everywhere, in x's shape and dtype."""
    return full(np.shape(plain(x)), fill_value, dtype or getattr(x, "dtype", None), requires_grad=requires_grad)


def arange(*range: float, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """NumPy's arange: from start (0) to before stop, by step (1).

    >>> arange(3), arange(0.0, 1.0, 0.5)
    (Tensor([0, 1, 2]), Tensor([0. , 0.5], dtype=float32))
    """
    numbers = [settled("arange", "a bound", n) for n in range]
    return Tensor(_ranged(np.arange(*numbers), dtype), requires_grad=requires_grad)


def linspace(
    start: float, stop: float, num: int = 50, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """`num` numbers from start to stop, both included, equally far apart."""
    start, stop, num = (settled("linspace", "an argument", n) for n in (start, stop, num))
    return Tensor(_ranged(np.linspace(start, stop, num), dtype), requires_grad=requires_grad)


def eye(N: int, M: int | None = None, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """The identity matrix (N, N), or (N, M) with ones on the main diagonal."""
    N, M = settled("eye", "N", N), settled("eye", "M", M)
    return Tensor(np.eye(N, M, dtype=dtype or modes.current().dtype), requires_grad=requires_grad)


def rand(*shape: int, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1), from the generator that `minitorch.seed` starts."""
    return Tensor(_ranged(generator().random(shape), dtype), requires_grad=requires_grad)


def randn(*shape: int, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Standard normal numbers, from the generator that `minitorch.seed` starts.

    >>> import minitorch as mt
    >>> rng = mt.seed(0)
    >>> randn(2, 3).shape
    (2, 3)
    """
    return Tensor(_ranged(generator().standard_normal(shape), dtype), requires_grad=requires_grad)


def randint(low: int, high: int | None = None, size: int | Shape = (), dtype: DTypeLike | None = None) -> Tensor:
    """Integers from low to before high, or from 0 to before low; from the generator that `minitorch.seed` starts.

    >>> randint(0, 10, (2, 3)).dtype
    dtype('int64')
    """
    return Tensor(generator().integers(low, high, size), dtype=dtype)


def _ranged(values: Any, dtype: DTypeLike | None) -> np.ndarray:
    """In the dtype asked for; without one, floating numbers in the default dtype and integers as they are."""
    array = np.asarray(values)
    default = modes.current().dtype if array.dtype.kind == "f" else array.dtype
    return array.astype(dtype or default)
