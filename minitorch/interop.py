"""What happens when NumPy is given a Tensor?  `np.exp(tensor)` and `np.sum(tensor)` go through the tape, or refuse.

NumPy asks its arguments first (`__array_ufunc__`, NEP 13; `__array_function__`, NEP 18).  A function with a namesake
among the operations is that operation; any other raises and names itself: a gradient is never lost silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from minitorch.dual import StandIn
from minitorch.errors import GradientError
from minitorch.tensor import Tensor

_ALIASES = {"amax": "max", "amin": "min", "true_divide": "divide", "conjugate": "positive", "permute_dims": "transpose"}
_READS_ONLY = frozenset(
    ("shape", "ndim", "size", "array_repr", "array_str", "array2string", "isfinite", "isnan", "isinf")
)


def connect(names: Mapping[str, Callable[..., Any]]) -> None:
    """Let NumPy find the operations, by their public names.  Called once, when the package is complete."""

    def namesake(name: str) -> Callable[..., Any] | None:
        return names.get(_ALIASES.get(name, name))

    def on_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        known = namesake(ufunc.__name__)
        if method == "__call__" and not kwargs and known is not None:
            return known(*inputs)
        called = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
        if "out" in kwargs:
            raise GradientError(f"np.{called}(..., out=...): a result cannot be written where a tape should record it.")
        return _on_arrays(called, ufunc if method == "__call__" else getattr(ufunc, method), inputs, kwargs)

    def on_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        known = namesake(function.__name__)
        if known is not None and "out" not in kwargs:
            return known(*args, **kwargs)
        return _on_arrays(function.__name__, function, args, kwargs)

    for cls in (Tensor, StandIn):  # a StandIn is what jvp differentiates
        cls.__array_ufunc__ = on_ufunc  # type: ignore[assignment]
        cls.__array_function__ = on_function  # type: ignore[attr-defined]


def _on_arrays(name: str, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """NumPy's own function on the values, if no gradient is lost by that."""
    found: list[Tensor | StandIn] = []
    plain_args, plain_kwargs = _stripped(args, found), _stripped(kwargs, found)
    if name not in _READS_ONLY and any(t.requires_grad for t in found):
        raise GradientError(
            f"np.{name} has no derivative here, and its result would lose the gradient. Use an operation of minitorch, "
            "or tensor.detach().numpy() for the values?"
        )
    return function(*plain_args, **plain_kwargs)


def _stripped(value: Any, found: list[Tensor | StandIn]) -> Any:
    """The same with arrays in the place of Tensors, which are noted."""
    if isinstance(value, Tensor | StandIn):
        found.append(value)
        return value.numpy()
    if isinstance(value, list | tuple):
        return type(value)(_stripped(v, found) for v in value)
    if isinstance(value, dict):
        return {k: _stripped(v, found) for k, v in value.items()}
    return value
