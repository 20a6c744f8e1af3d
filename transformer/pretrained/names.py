"""How do weights under other people's names get into our model?  By a table; and all of them fit, or none is loaded.

A table maps our name to theirs, for a whole layer or for one parameter; `{i}` stands for the number of a block:

    {"blocks.{i}.attention.W_q": "encoder.layer.{i}.attention.self.query"}
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.pretrained.files import Weights

Table = Mapping[str, str]


def their_name(name: str, table: Table) -> str:
    """The name in the file of one of our parameters.

    Raises:
        KeyError: the table says nothing of it.

    >>> their_name("blocks.3.W_q.weight", {"blocks.{i}.W_q": "layer.{i}.query"})
    'layer.3.query.weight'
    """
    number = re.search(r"\.(\d+)\.", name)
    general = name if number is None else name.replace(number[0], ".{i}.", 1)
    for ours, theirs in table.items():
        if general == ours or general.startswith(ours + "."):
            found = theirs + general[len(ours) :]
            return found if number is None else found.replace("{i}", number[1])
    raise KeyError(f"the table has no line for {name}")


def fill(model: nn.Module, weights: Weights, table: Table, *, where: str | Path, ignored: Iterable[str] = ()) -> None:
    """Write the weights of a file into a model, each rounded to the dtype of its parameter.

    Every name, shape and dtype is checked before the first value is written.

    Args:
        model: a new one, since a file whose bytes cannot be read stops the writing half-way.
        weights: what the file has.
        table: our names -> theirs.
        where: the file, for errors.
        ignored: patterns (regular expressions) of names in the file that the model has no use for.

    Raises:
        minitorch.StateError: missing, unexpected and misshaped weights, all at once, under the file's names.
    """
    held = model.state_dict()
    names = {ours: their_name(ours, table) for ours in held}
    known = set(names.values())
    missing = [name for name in names.values() if name not in weights]
    unexpected = [n for n in weights if n not in known and not any(re.fullmatch(p, n) for p in ignored)]
    lines = [f"missing: {', '.join(missing)}"] * bool(missing)
    lines += [f"unexpected: {', '.join(unexpected)}"] * bool(unexpected)
    for ours, theirs in names.items():
        if theirs not in weights:
            continue
        shape, dtype = weights[theirs][:2]
        if shape != held[ours].shape:
            lines.append(f"{theirs}: shape {shape} in the file, {held[ours].shape} in the model")
        elif dtype.kind != "f":
            lines.append(f"{theirs}: dtype {dtype} in the file, wanted floats")
    if lines:
        who = type(model).__name__
        raise mt.StateError(f"{where}: its weights do not fit {who}; nothing was loaded.\n  " + "\n  ".join(lines))
    with mt.no_grad():
        for ours, theirs in names.items():
            held[ours].copy_(np.asarray(weights[theirs].read()))  # the model's own memory
