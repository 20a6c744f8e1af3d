"""What can be asked of a Tensor entry by entry?  `x.exp()`: each is the operation of that name, and says the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from minitorch.misread import checked
from minitorch.ops import activations, elementwise, error_function, powers, select, trigonometric
from minitorch.primitive import HANDLERS, Primitive

if TYPE_CHECKING:
    from minitorch.tensor import Tensor

P = ParamSpec("P")
R = TypeVar("R")


def method(operation: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
    """The operation as a method of its first argument, with its arguments, defaults and documentation."""
    if not isinstance(operation, Primitive):
        return checked(operation)
    p: Any = operation
    alone = len(p.inputs) == 1

    @functools.wraps(p.forward)
    def call(self: Any, *args: Any, **static: Any) -> Any:
        if args or not alone:
            return p(self, *args, **static)
        return HANDLERS[type(self)](p, (self,), static)  # as its own call does, but without looking for arguments

    return call


def _cast(dtype: str) -> Callable[[Any], Tensor]:
    def cast(self: Any) -> Tensor:
        return elementwise.astype(self, np.dtype(dtype))

    cast.__doc__ = f"The same values in {dtype}; the gradient comes back in this dtype."
    return cast


class Entrywise:
    """Methods entry by entry; nothing is computed and nothing is kept here."""

    __slots__ = ()

    # -- of one operand ------------------------------------------------------------------------------------------------

    abs = absolute = method(elementwise.absolute)
    arccos = method(trigonometric.arccos)
    arccosh = method(trigonometric.arccosh)
    arcsin = method(trigonometric.arcsin)
    arcsinh = method(trigonometric.arcsinh)
    arctan = method(trigonometric.arctan)
    arctanh = method(trigonometric.arctanh)
    ceil = method(elementwise.ceil)
    clip = clamp = method(elementwise.clip)
    cos = method(trigonometric.cos)
    cosh = method(trigonometric.cosh)
    elu = method(activations.elu)
    erf = method(error_function.erf)
    exp = method(elementwise.exp)
    exp2 = method(powers.exp2)
    expm1 = method(elementwise.expm1)
    floor = method(elementwise.floor)
    gelu = method(activations.gelu)
    isfinite = method(elementwise.isfinite)
    isinf = method(elementwise.isinf)
    isnan = method(elementwise.isnan)
    leaky_relu = method(activations.leaky_relu)
    log = method(elementwise.log)
    log10 = method(powers.log10)
    log1p = method(elementwise.log1p)
    log2 = method(powers.log2)
    log_sigmoid = method(activations.log_sigmoid)
    logical_not = method(select.logical_not)
    neg = negative = method(elementwise.negative)
    reciprocal = method(elementwise.reciprocal)
    relu = method(elementwise.relu)
    round = method(elementwise.round)
    rsqrt = method(elementwise.rsqrt)
    sigmoid = method(activations.sigmoid)
    sign = method(elementwise.sign)
    silu = method(activations.silu)
    sin = method(trigonometric.sin)
    sinh = method(trigonometric.sinh)
    softplus = method(activations.softplus)
    sqrt = method(elementwise.sqrt)
    square = method(elementwise.square)
    tan = method(trigonometric.tan)
    tanh = method(elementwise.tanh)
    trunc = method(elementwise.trunc)

    # -- of two --------------------------------------------------------------------------------------------------------

    add = method(elementwise.add)
    arctan2 = method(trigonometric.arctan2)
    div = divide = method(elementwise.divide)
    eq = method(select.equal)
    floor_divide = method(elementwise.floor_divide)
    ge = greater_equal = method(select.greater_equal)
    gt = greater = method(select.greater)
    hypot = method(powers.hypot)
    le = less_equal = method(select.less_equal)
    logaddexp = method(elementwise.logaddexp)
    logical_and = method(select.logical_and)
    logical_or = method(select.logical_or)
    lt = less = method(select.less)
    maximum = method(select.maximum)
    minimum = method(select.minimum)
    mul = multiply = method(elementwise.multiply)
    ne = not_equal = method(select.not_equal)
    pow = power = method(elementwise.power)
    remainder = method(elementwise.remainder)
    sub = subtract = method(elementwise.subtract)

    # -- in another dtype ----------------------------------------------------------------------------------------------

    bool = _cast("bool")
    double = _cast("float64")
    float = _cast("float32")
    half = _cast("float16")
    int = _cast("int32")
    long = _cast("int64")
