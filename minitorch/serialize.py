"""How does a model get into a file and back?  As safetensors: names, dtypes, shapes, bytes, and no code that could run.

    mt.save(model.state_dict(), "model.safetensors")
    model.load_state_dict(mt.load("model.safetensors"))

PyTorch users read and write the same files with `safetensors.torch`.  A file is written beside the old one and then
takes its place in one operation of the file system: whoever reads sees the old file or the new one, never half of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.errors import DtypeError, StateError
from minitorch.files import replacing
from minitorch.tensor import Tensor, wrap

if TYPE_CHECKING:
    from pathlib import Path

_FLOATS = {"F64": np.float64, "F32": np.float32, "F16": np.float16}
_SIGNED = {"I64": np.int64, "I32": np.int32, "I16": np.int16, "I8": np.int8}
_UNSIGNED = {"U64": np.uint64, "U32": np.uint32, "U16": np.uint16, "U8": np.uint8}
_DTYPES = {**_FLOATS, **_SIGNED, **_UNSIGNED, "BOOL": np.bool_}
_WRITTEN = {np.dtype(t).name for t in _DTYPES.values()}


def save(state_dict: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
    """Write a state dict to a safetensors file.

    Args:
        state_dict: name -> Tensor or array, as `Module.state_dict` gives it; any shape, contiguous or not; floats of
            16, 32 and 64 bits, integers and booleans.
        path: the file.  One that exists is replaced, and only when the new one is complete.

    Raises:
        DtypeError: not a mapping of names to values, or values that the format cannot hold, all at once.
        ModuleNotFoundError: the package `safetensors` is not installed.
        OSError: the file cannot be written; one that was there before is as it was.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save({"w": np.arange(3.0)}, f"{folder}/w.safetensors")
    ...     load(f"{folder}/w.safetensors")
    {'w': Tensor([0., 1., 2.])}
    """
    write = _safetensors("numpy").save_file
    arrays = _arrays(state_dict)
    with replacing(path) as partial:
        _written(write, partial, arrays)


def load(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read a safetensors file.

    Returns:
        name -> Tensor, sorted by name.  The values are the file's; bfloat16 ones, which NumPy does not have,
        come as the float32 that are equal to them.

    Raises:
        StateError: the file is truncated, damaged or of another kind, or has dtypes that NumPy has not.
        ModuleNotFoundError: the package `safetensors` is not installed.
        OSError: the file cannot be read.
    """
    package = _safetensors()
    with open(path, "rb") as file:
        data = file.read()
    try:
        entries = sorted(package.deserialize(data), key=lambda entry: entry[0])
    except package.SafetensorError as error:
        raise StateError(f"load({str(path)!r}): {_foreign(data)} ({error}); nothing was loaded.") from None
    known = {*_DTYPES, "BF16"}
    if unknown := [f"{name}: {entry['dtype']}" for name, entry in entries if entry["dtype"] not in known]:
        raise StateError(
            f"load({str(path)!r}): dtypes that NumPy has not; nothing was loaded.\n  " + "\n  ".join(unknown)
        )
    return {name: wrap(_array(entry)) for name, entry in entries}


def _array(entry: Mapping[str, Any]) -> np.ndarray:
    """An array of its own for the little-endian bytes of one tensor."""
    if entry["dtype"] == "BF16":  # the upper half of a float32
        bits = np.frombuffer(entry["data"], "<u2").astype(np.uint32) << 16
        return bits.view(np.float32).reshape(entry["shape"])
    dtype = np.dtype(_DTYPES[entry["dtype"]])
    return np.frombuffer(entry["data"], dtype.newbyteorder("<")).astype(dtype).reshape(entry["shape"])


def _arrays(state_dict: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The values, checked, as contiguous arrays."""
    if not isinstance(state_dict, Mapping):
        raise DtypeError(
            f"save: got a {type(state_dict).__name__}; it takes a dictionary of names and values. "
            "Pass model.state_dict()?"
        )
    wrong, arrays = [], {}
    for name, value in state_dict.items():
        array = value.numpy() if isinstance(value, Tensor) else value
        if not isinstance(name, str) or name == "__metadata__":
            wrong.append(f"{name!r}: a name is a text other than '__metadata__'")
        elif not isinstance(array, np.ndarray | np.generic):
            wrong.append(f"{name}: a {type(value).__name__}; it takes Tensors and arrays")
        elif array.dtype.name not in _WRITTEN:
            wrong.append(f"{name}: dtype {array.dtype}; the format has {', '.join(sorted(_WRITTEN))}")
        else:  # the library writes the memory as it lies, so a transposed view must be laid out first
            arrays[name] = np.asarray(array, order="C")
    if wrong:
        raise DtypeError("save: these cannot be written; nothing was.\n  " + "\n  ".join(wrong))
    return arrays


def _written(write: Any, partial: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write, and let a full disk be the OSError that it is."""
    try:
        write(arrays, partial)
    except _safetensors().SafetensorError as error:
        raise OSError(f"save: {partial.parent} could not be written to: {error}") from error


def _foreign(data: bytes) -> str:
    """What a file that is no safetensors file may be."""
    if data[:2] == b"PK":
        return "a zip, as torch.save writes it; read it with torch and write it with safetensors.torch.save_file"
    if data[:1] == b"\x80":
        return "a pickle; it could run any code. Read it where it was made, and write it with safetensors"
    if data[:6] == b"\x93NUMPY":
        return "a NumPy array; read it with np.load"
    return "not a complete safetensors file: truncated, damaged or of another kind"


def _safetensors(part: str | None = None) -> Any:
    """The package, loaded when it is first needed."""
    try:
        import safetensors
        import safetensors.numpy
    except ModuleNotFoundError as error:
        if error.name != "safetensors":
            raise
        raise ModuleNotFoundError(
            "state dicts are written and read by the package safetensors, which is not installed. "
            "pip install 'minitorch-transformer[models]'?",
            name="safetensors",
        ) from None
    return safetensors if part is None else getattr(safetensors, part)
