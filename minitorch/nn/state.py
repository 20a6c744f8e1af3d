"""What does a model carry from one run to the next?  Named values; and they fit all together, or nothing is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minitorch.errors import DtypeError, ShapeError, StateError
from minitorch.tensor import Tensor
from minitorch.versions import note_write


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict(..., strict=False)` found on one side only."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def write(tensor: Tensor, array: Any) -> None:
    """Put these values into a parameter or a buffer: in place, rounded to its dtype, and not recorded.

    Raises:
        ShapeError: the values have another shape; nothing is broadcast here.
    """
    values = np.asarray(array)
    if values.shape != tensor.shape:
        raise ShapeError(f"values of shape {values.shape} do not fill a tensor of shape {tensor.shape}.")
    # The one place where init, load_state_dict and optim write: `tensor.copy_` under no_grad, without its temporaries.
    tensor._array[...] = values
    note_write(tensor._array)


def read(value: Any) -> np.ndarray:
    """The numbers of an array, a Tensor or a PyTorch tensor, also of those that require a gradient: they are copied."""
    value = value.detach() if hasattr(value, "detach") else value
    if str(getattr(value, "dtype", "")) == "torch.bfloat16":  # NumPy has it not; every value is one of float32
        value = value.float()
    return np.asarray(value)


def load_into(owner: str, held: Mapping[str, Tensor], state: Mapping[str, Any], *, strict: bool) -> IncompatibleKeys:
    """Write the values of `state` into the tensors of the same names; see `Module.load_state_dict`.

    Every value is checked and rounded before the first one is written.
    """
    if not isinstance(state, Mapping):
        raise DtypeError(f"load_state_dict: got a {type(state).__name__}; it takes a mapping of names to values.")
    missing = [name for name in held if name not in state]
    unexpected = [name for name in state if name not in held]
    wrong, values, first = [], {}, {}
    for name, tensor in held.items():
        if name not in state:
            continue
        problem, array = _fitted(state[name], tensor)
        other = first.setdefault(id(tensor), name)
        if problem is None and other in values and not _same(array, values[other]):
            problem = f"is the same tensor as {other}, but the state has other values for it"
        if problem is not None:
            wrong.append(f"{name}: {problem}")
        else:
            values[name] = array
    lines = [f"missing: {', '.join(missing)}"] * bool(strict and missing)
    lines += [f"unexpected: {', '.join(map(str, unexpected))}"] * bool(strict and unexpected) + wrong
    if lines:
        raise StateError(
            f"load_state_dict: the state does not fit {owner}; nothing was loaded.\n  " + "\n  ".join(lines)
        )
    for name, array in values.items():
        write(held[name], array)
    return IncompatibleKeys(missing, unexpected)


def _fitted(value: Any, tensor: Tensor) -> tuple[str | None, np.ndarray]:
    """Why a value does not fit a tensor, or None; and the value as an array of its own in the tensor's dtype."""
    try:
        array = read(value)
    except Exception as error:  # another library's object may refuse in any way; it is listed with the rest
        return f"a {type(value).__name__} that cannot be read: {error}", tensor.numpy()
    if array.shape != tensor.shape:
        return f"shape {array.shape} in the state, {tensor.shape} in the model", array
    if array.dtype.kind not in "fiub" or not np.can_cast(array.dtype, tensor.dtype, "same_kind"):
        return f"dtype {array.dtype} in the state, {tensor.dtype} in the model", array
    return None, np.array(array, tensor.dtype)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))
