"""How does an array of another library become one of NumPy?  By what it offers: detach, numpy, DLPack, __array__."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch.errors import FormulaError


def to_numpy(value: Any, what: str) -> np.ndarray:
    """A real array of floats, in the precision that it came in.

    Raises:
        FormulaError: it is no array of real numbers.
    """
    array = _plain(value, what)
    if array.dtype.kind in "iub":
        array = array.astype(np.float64)
    if array.dtype.kind != "f":
        raise FormulaError(f"check_vjp: {what} is {_described(value)}, wanted an array of real numbers.")
    return array


def _plain(value: Any, what: str) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    for method in ("detach", "cpu"):
        value = getattr(value, method, lambda v=value: v)()
    if "bfloat16" in str(getattr(value, "dtype", "")) and hasattr(value, "float"):
        value = value.float().half().float()  # shows as half precision, which is finer than bfloat16
    try:
        if hasattr(value, "numpy"):
            return np.asarray(value.numpy())
        if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except Exception as error:
        raise FormulaError(f"check_vjp: {what} is {_described(value)}, which is no array: {error}") from None


def _described(value: Any) -> str:
    dtype = getattr(value, "dtype", None)
    return f"a {type(value).__name__}" + (f" of {dtype}" if dtype is not None else "")


def converter(kind: str | Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], Any]:
    """What turns an array of NumPy into what the claimed function takes.

    Arguments:
        kind: "numpy", "torch", "minitorch", or a function such as ``torch.from_numpy``.

    Raises:
        FormulaError: an unknown kind, or a library that is not installed.
    """
    if callable(kind):
        return kind
    if kind == "numpy":
        return lambda array: array
    if kind == "minitorch":
        from minitorch.tensor import Tensor

        return Tensor
    if kind == "torch":
        from importlib import import_module

        try:
            return import_module("torch").from_numpy
        except ImportError:
            raise FormulaError("check_vjp: arrays='torch', but PyTorch is not installed. Install it.") from None
    raise FormulaError(f"check_vjp: got arrays={kind!r}, wanted numpy, torch, minitorch, or a function.")
