"""How does a Tensor begin without data?  As zeros, ones, a range, or random numbers.

Names and arguments are NumPy's; the dtype is the default one (float32, see `default_dtype`) unless it is given, but a
range of integers holds integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch import modes
from minitorch.errors import ArgumentError, MinitorchError, ShapeError
from minitorch.ops.dtype import shape_of
from minitorch.options import settled
from minitorch.primitive import REFUSALS, Array
from minitorch.random import generator
from minitorch.shapes import Shape
from minitorch.tensor import Tensor

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
        ShapeError: a size is negative.
    """
    if isinstance(dtype, int):
        raise ArgumentError(f"got shape {shape} and dtype {dtype}; sizes go into one tuple: ({shape}, {dtype}).")
    array = _array("full", np.full, shape, fill_value, dtype or modes.current().dtype)
    return Tensor(array, requires_grad=requires_grad)


def zeros_like(x: Array, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Zeros of x's shape and dtype."""
    return full_like(x, 0, dtype, requires_grad=requires_grad)


def ones_like(x: Array, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """Ones of x's shape and dtype."""
    return full_like(x, 1, dtype, requires_grad=requires_grad)


def full_like(x: Array, fill_value: float, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """One number everywhere, in x's shape and dtype."""
    return full(shape_of(x), fill_value, dtype or getattr(x, "dtype", None), requires_grad=requires_grad)


def arange(*range: float, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """NumPy's arange: from start (0) to before stop, by step (1).

    >>> arange(3), arange(0.0, 1.0, 0.5)
    (Tensor([0, 1, 2]), Tensor([0. , 0.5], dtype=float32))
    """
    return Tensor(_ranged(_array("arange", np.arange, *range), dtype), requires_grad=requires_grad)


def linspace(
    start: float, stop: float, num: int = 50, dtype: DTypeLike | None = None, *, requires_grad: bool = False
) -> Tensor:
    """`num` numbers from start to stop, both included, equally far apart."""
    return Tensor(_ranged(_array("linspace", np.linspace, start, stop, num), dtype), requires_grad=requires_grad)


def eye(N: int, M: int | None = None, dtype: DTypeLike | None = None, *, requires_grad: bool = False) -> Tensor:
    """The identity matrix (N, N), or (N, M) with ones on the main diagonal."""
    return Tensor(_array("eye", np.eye, N, M, 0, dtype or modes.current().dtype), requires_grad=requires_grad)


def rand(*shape: int | Shape, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Uniform numbers in [0, 1), from the generator that `minitorch.seed` starts; sizes one by one or in a tuple."""
    return Tensor(_ranged(_array("rand", generator().random, _sizes(shape)), dtype), requires_grad=requires_grad)


def randn(*shape: int | Shape, dtype: DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Standard normal numbers, from the generator that `minitorch.seed` starts; sizes one by one or in a tuple.

    >>> import minitorch as mt
    >>> rng = mt.seed(0)
    >>> randn(2, 3).shape
    (2, 3)
    """
    array = _array("randn", generator().standard_normal, _sizes(shape))
    return Tensor(_ranged(array, dtype), requires_grad=requires_grad)


def randint(low: int, high: int | None = None, size: int | Shape = (), dtype: DTypeLike | None = None) -> Tensor:
    """Integers from low to before high, or from 0 to before low; from the generator that `minitorch.seed` starts.

    >>> randint(0, 10, (2, 3)).dtype
    dtype('int64')
    """
    return Tensor(generator().integers(low, high, size), dtype=dtype)


def _sizes(shape: tuple[Any, ...]) -> Any:
    """`rand(2, 3)` and `rand((2, 3))` mean the same."""
    return tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape


def _array(name: str, make: Callable[..., np.ndarray], *args: Any) -> np.ndarray:
    """What NumPy makes of arguments that are constants."""
    try:
        return make(*[settled(name, "an argument", a) for a in args])
    except REFUSALS as error:
        if isinstance(error, MinitorchError):
            raise
        said = f"{name}({', '.join(map(str, args))}): {error}."
        raise (ArgumentError if isinstance(error, TypeError) else ShapeError)(said) from None


def _ranged(values: Any, dtype: DTypeLike | None) -> np.ndarray:
    """In the dtype asked for; without one, floating numbers in the default dtype and integers as they are."""
    array = np.asarray(values)
    default = modes.current().dtype if array.dtype.kind == "f" else array.dtype
    return array.astype(dtype or default)
