"""What may stand in an operation, and in which dtype do its operands meet?

NumPy's promotion, with one difference: Python numbers, 0-d float64 values and integer arrays never widen a float32.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minitorch.errors import DtypeError
from minitorch.ops.dtype import read
from minitorch.primitive import Primitive
from minitorch.tensor import Tensor

NUMBERS = frozenset((int, float, bool))  # a np.float64 is a float too, but unlike one it would widen a float32

MEETING = frozenset(("floor_divide",))
"""Operations without a derivative whose result has the dtype in which their operands meet."""


def array_of(p: Primitive[...], value: Any, default: np.dtype) -> Any:
    """An array, a list or a NumPy scalar, as an array of numbers.

    Args:
        default: the dtype of a list of Python's floating numbers.

    Raises:
        DtypeError: it is none of these.
    """
    if isinstance(value, list | tuple) and any(isinstance(v, Tensor) for v in value):
        raise DtypeError(f"{p.name}: an operand is a {type(value).__name__} of tensors; it takes one. Use stack?")
    array = read(value)
    if array.dtype.kind not in "fiub":
        said = f"{array.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__
        raise DtypeError(f"{p.name}: an operand is a {said}; it takes tensors, arrays and real numbers.")
    return array.astype(default) if isinstance(value, list | tuple) and array.dtype == np.float64 else array


def alike(first: Any, second: Any, *more: Any) -> bool:
    """Whether nothing needs to be promoted: all are arrays of one dtype, or a floating array and a Python number."""
    if more:
        return all(type(a) is np.ndarray and a.dtype is first.dtype for a in (first, second, *more))
    if type(first) is type(second) is np.ndarray:
        return first.dtype is second.dtype
    array = first if type(first) is np.ndarray else second
    return type(array) is np.ndarray and array.dtype.kind == "f"  # the other one is a number: `record` sees to it


def promoted(p: Primitive[...], operands: list[Any], default: np.dtype) -> None:
    """Bring operands to the dtype in which they meet, in place of the list's entries.

    Args:
        default: the dtype of Python's floating numbers where no floating array says otherwise.
    """
    floats = [a for a in operands if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    wide = [a.dtype for a in floats if a.ndim] or [a.dtype for a in floats if a.dtype != np.float64]
    if wide:
        dtype = wide[0] if len(wide) == 1 else np.result_type(*wide)
    elif not floats and any(type(a) is float for a in operands):
        dtype = default
    else:
        return
    numbers_too = p.variadic or not floats  # NumPy's own functions keep a number from widening only beside an array
    for k, a in enumerate(operands):
        if (p.variadic or p.inputs[k] in p.differentiable or p.name in MEETING) and _yields(a, dtype, numbers_too):
            operands[k] = np.asarray(a, dtype)


def _yields(a: Any, dtype: np.dtype, numbers_too: bool) -> bool:
    """Whether an operand takes the others' dtype: integers, 0-d floats, and Python numbers where asked for."""
    if isinstance(a, np.ndarray):
        return a.dtype != dtype and (a.dtype.kind in "iu" or (a.dtype.kind == "f" and not a.ndim))
    return numbers_too and type(a) in (int, float)
