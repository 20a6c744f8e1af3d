"""What can be asked of a Tensor entry by entry?  `x.exp()`: each is the operation of that name, and says the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.ops import activations, elementwise, error_function, powers, trigonometric
from minitorch.primitive import Primitive

if TYPE_CHECKING:
    from minitorch.tensor import Tensor


def _method(p: Primitive[...]) -> Callable[[Any], Tensor]:
    def method(self: Any) -> Tensor:
        return p(self)

    method.__name__, method.__doc__ = p.name, (p.forward.__doc__ or "").partition("\n")[0]
    return method


def _cast(dtype: str) -> Callable[[Any], Tensor]:
    def method(self: Any) -> Tensor:
        return elementwise.astype(self, dtype=np.dtype(dtype))

    method.__doc__ = f"The same values in {dtype}; the gradient comes back in this dtype."
    return method


class Entrywise:
    """Methods without arguments; nothing is computed and nothing is kept here."""

    __slots__ = ()

    abs = _method(elementwise.absolute)
    arccos = _method(trigonometric.arccos)
    arcsin = _method(trigonometric.arcsin)
    arctan = _method(trigonometric.arctan)
    ceil = _method(elementwise.ceil)
    cos = _method(trigonometric.cos)
    cosh = _method(trigonometric.cosh)
    double = _cast("float64")
    erf = _method(error_function.erf)
    exp = _method(elementwise.exp)
    exp2 = _method(powers.exp2)
    expm1 = _method(elementwise.expm1)
    float = _cast("float32")
    floor = _method(elementwise.floor)
    half = _cast("float16")
    log = _method(elementwise.log)
    log10 = _method(powers.log10)
    log1p = _method(elementwise.log1p)
    log2 = _method(powers.log2)
    log_sigmoid = _method(activations.log_sigmoid)
    reciprocal = _method(elementwise.reciprocal)
    relu = _method(elementwise.relu)
    rsqrt = _method(elementwise.rsqrt)
    sigmoid = _method(activations.sigmoid)
    sign = _method(elementwise.sign)
    silu = _method(activations.silu)
    sin = _method(trigonometric.sin)
    sinh = _method(trigonometric.sinh)
    softplus = _method(activations.softplus)
    sqrt = _method(elementwise.sqrt)
    square = _method(elementwise.square)
    tan = _method(trigonometric.tan)
    tanh = _method(elementwise.tanh)
    trunc = _method(elementwise.trunc)
