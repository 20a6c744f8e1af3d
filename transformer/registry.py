"""Which models can be trained by name?  Each name is a class and the sizes that suit an hour on two cores.

A model's constructor takes sizes by keyword and gives them back as `config`, plain data, from which it is built again.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import minitorch as mt
from minitorch import nn
from transformer.errors import RunError, close_to


class Kind(NamedTuple):
    """A class, by module and name, and the options that make it what its name says; the rest are its own defaults."""

    task: str
    module: str
    name: str
    options: Mapping[str, Any]


def _recurrent(cell: str, attention: str | None = None) -> Kind:
    options = {"cell": cell, "d": 256, "layers": 2, "dropout": 0.2, "attention": attention}
    return Kind("g2p", "transformer.seq2seq", "Seq2Seq", options)


_SIZES = {"d": 128, "h": 4, "layers": 3, "d_ff": 512, "dropout": 0.1}
KINDS: dict[str, Kind] = {
    "transformer": Kind("g2p", "transformer.model", "Transformer", _SIZES),
    "lstm-attention": _recurrent("lstm", "general"),
    "lstm": _recurrent("lstm"),
    "gru-attention": _recurrent("gru", "general"),
    "gru": _recurrent("gru"),
    "rnn-attention": _recurrent("rnn", "general"),
    "rnn": _recurrent("rnn"),
    "decoder": Kind("charlm", "transformer.model", "DecoderOnly", _SIZES),
}


def kinds_of(task: str) -> list[str]:
    """The names of the models for a task."""
    return [name for name, kind in KINDS.items() if kind.task == task]


def build(name: str, task: str, options: Mapping[str, Any], sizes: Mapping[str, int]) -> nn.Module:
    """A new model.

    Args:
        name: of its kind.
        task: what it is for.
        options: what is to be otherwise than for its kind.
        sizes: those that the data decide: the vocabularies.

    Raises:
        RunError: no such kind, or options that it does not take or cannot have.
    """
    if name not in kinds_of(task):
        raise RunError(f"{task}: there is no model {name!r}. {close_to(str(name), kinds_of(task))}")
    return _made(name, {**KINDS[name].options, **options, **sizes})


def rebuild(name: str, task: str, config: Mapping[str, Any]) -> nn.Module:
    """The model that gave this `config`.

    Raises:
        RunError: as `build`.
    """
    if name not in kinds_of(task):
        raise RunError(f"{task}: there is no model {name!r}. {close_to(str(name), kinds_of(task))}")
    return _made(name, dict(config))


def _made(name: str, options: dict[str, Any]) -> nn.Module:
    kind = KINDS[name]
    make = getattr(import_module(kind.module), kind.name)
    taken = list(inspect.signature(make).parameters)
    if unknown := [o for o in options if o not in taken]:
        raise RunError(f"{name}: no option {', '.join(unknown)}; there are: {', '.join(taken)}.")
    try:
        return make(**options)
    except (mt.MinitorchError, TypeError, ValueError) as error:
        raise RunError(f"{name}: {getattr(error, 'message', error)}") from None
