"""In which dtype and shape is an argument?  Functions with fractional values take integers too, as NumPy's exp does."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.errors import DtypeError, MinitorchError, OperandError
from minitorch.primitive import Array, P, Primitive, primitive
from minitorch.shapes import Shape

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


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


def entries_dtype(name: str, dtype: DTypeLike) -> np.dtype:
    """A dtype that tensors can hold: floating-point numbers of 16, 32 and 64 bits, integers and booleans.

    Raises:
        DtypeError: it is another one, or none.
    """
    try:
        found = np.dtype(dtype)
    except TypeError as error:
        raise DtypeError(f"{name}: {error}. Use float32, float64, int64 or bool?") from None
    if found.kind not in "fiub" or found.itemsize > 8:
        raise DtypeError(
            f"{name}: dtype {found}; tensors hold floating-point numbers, integers or booleans, of at most 64 bits. "
            "Use float64?"
        )
    return found


_HALF, _WIDE = np.dtype(np.float16), np.dtype(np.float32)


def accumulating(
    *, vjp: Mapping[str | tuple[str, ...], Callable[..., Any] | None], **record: Any
) -> Callable[[Callable[P, Any]], Primitive[P]]:
    """`primitive` for an operation that adds up or squares many entries: float16 is computed in float32, by the forward
    function and by the rules, and the result is rounded.  Outputs beside it, which rules want, stay in float32.

    A sum in float16 ends at 65504, and stops growing long before that.
    """
    rules = {key: fn and _in_float32(fn) for key, fn in vjp.items()}

    def register(forward: Callable[P, Any]) -> Primitive[P]:
        return primitive(vjp=rules, **record)(_rounded(forward))

    return register


def _in_float32(fn: Callable[..., Any]) -> Callable[..., Any]:
    """fn of float32 where it is given float16; what it returns is left in float32."""

    @functools.wraps(fn)
    def wide(*args: Any, **static: Any) -> Any:
        for a in args:
            if getattr(a, "dtype", None) == _HALF:
                return fn(*map(_widened, args), **static)
        return fn(*args, **static)

    return wide


def _widened(a: Any) -> Any:
    return a.astype(_WIDE) if getattr(a, "dtype", None) == _HALF else a


def _rounded(fn: Callable[P, Any]) -> Callable[P, Any]:
    """fn with float16 computed in float32, and the (first) result rounded."""

    @functools.wraps(fn)
    def rounded(*args: P.args, **static: P.kwargs) -> Any:
        if not args or getattr(args[0], "dtype", None) != _HALF:
            return fn(*args, **static)
        out: Any = fn(*map(_widened, args), **static)  # type: ignore[call-arg]
        if any(getattr(a, "dtype", _HALF) in (_WIDE, np.float64) for a in args[1:]):
            return out  # float32 beside float16 is float32, as in NumPy
        return (out[0].astype(_HALF), *out[1:]) if type(out) is tuple else out.astype(_HALF)

    return rounded


def is_number(x: Any) -> bool:
    """Whether x is None or one number without a derivative: what may stand as an option rather than as an operand."""
    return x is None or isinstance(x, int | float | np.generic) or (isinstance(x, np.ndarray) and not x.ndim)


def read(data: Any, dtype: DTypeLike | None = None) -> np.ndarray:
    """Data as an array, in its own memory where it has some.

    Raises:
        OperandError: it belongs to another library, which does not give it away; in that library's words.
    """
    try:
        return np.asarray(data, dtype)
    except (RuntimeError, TypeError) as error:
        if isinstance(error, MinitorchError) or not hasattr(data, "__array__"):
            raise
        kind = f"{type(data).__module__}.{type(data).__name__}"
        raise OperandError(f"the values of a {kind} cannot be read: {error} Give its detached values?") from None


def shape_of(x: Array) -> Shape:
    """The shape of an array, a Tensor, a number or nested lists; `np.shape` would ask a Tensor by way of dispatch."""
    shape = getattr(x, "shape", None)
    return np.shape(x) if shape is None else shape


def values(x: Array) -> np.ndarray:
    """The numbers of an array, a Tensor or what carries a tangent, to look at."""
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)  # type: ignore[union-attr]
