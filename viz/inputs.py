"""What can be compared?  Everything that a user passes is looked at here, before any work begins."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

import minitorch as mt
from viz.errors import InputError
from viz.flow import inputs_of, layers_of

Model = mt.Module | Callable[[], mt.Module]
"""A model, or a function that builds one anew for each seed."""

MAX_TOKENS = 512


def check_tokens(tokens: Any) -> tuple[str, ...]:
    """The tokens as a tuple of texts.

    Raises:
        InputError: there are none, or more than 512, or one is not a text.
    """
    if isinstance(tokens, str):
        tokens = tokens.split()
    tokens = tuple(tokens)
    if not tokens:
        raise InputError(
            "the sentence is empty: it has no words between which a gradient could flow. Give at least one."
        )
    if len(tokens) > MAX_TOKENS:
        raise InputError(
            f"the sentence has {len(tokens)} tokens; the limit is {MAX_TOKENS}, because attention's map has one entry "
            f"for each pair of them ({len(tokens)}² = {len(tokens) ** 2:,}). Shorten it?"
        )
    if wrong := [t for t in tokens if not isinstance(t, str)]:
        raise InputError(f"a token is {wrong[0]!r}, but tokens are texts. Pass the words, as in sentence.split().")
    return tokens


def check_names(names: Any) -> tuple[str, str]:
    """Two names.

    Raises:
        InputError: they are not two texts.
    """
    if isinstance(names, str) or not isinstance(names, Sequence) or len(names) != 2:
        raise InputError(f"names is {names!r}, but there are two models. Give two texts: names=('left', 'right').")
    if wrong := [name for name in names if not isinstance(name, str)]:
        raise InputError(f"a name is {wrong[0]!r}, but names are texts. Give names=('left', 'right').")
    return names[0], names[1]


def build(model: Model, seed: int) -> mt.Module:
    """The model for one seed, in float64: one that was given stays as it is, one that is described is built anew.

    Raises:
        InputError: it is no Module, and no function without arguments that makes one.
    """
    if isinstance(model, mt.Module):
        return model
    _check_builder(model)
    with mt.random.fork(seed), mt.default_dtype(np.float64):
        return _built(model)


def build_as_users_do(model: Model) -> mt.Module:
    """The same with weights of the default dtype."""
    if isinstance(model, mt.Module):
        return model
    with mt.random.fork(0):
        return _built(model)


def _check_builder(model: Any) -> None:
    wanted = "Give a Module, or a function without arguments that builds one: lambda: RNN(32, 32)."
    if not callable(model):
        raise InputError(f"a model is {model!r}, a {type(model).__name__}. {wanted}")
    try:
        inspect.signature(model).bind()
    except TypeError:
        name = getattr(model, "__name__", type(model).__name__)
        raise InputError(f"{name} is a function that takes arguments. {wanted}") from None
    except ValueError:  # a built-in function, whose arguments Python does not tell
        pass


def _built(model: Callable[[], Any]) -> mt.Module:
    built = model()
    if not isinstance(built, mt.Module):
        raise InputError(f"a function that should build a model made a {type(built).__name__}, not a Module.")
    return built


def width_of(model: mt.Module, width: int | None) -> int:
    """The width of a model's inputs: as given, or the attribute `d_in` of its first layer.

    Raises:
        InputError: neither is there.
    """
    layer = next(iter(layers_of(model)), None)
    if layer is None:
        raise InputError(f"{type(model).__name__} has no layers, so there is nothing to measure. Put one in.")
    d = width if width is not None else getattr(layer, "d_in", None)
    if not isinstance(d, int) or d < 1:
        said = "has no attribute d_in" if d is None else f"has the width {d!r}"
        raise InputError(f"{type(layer).__name__} {said}; say how wide its inputs are: compare(..., width=32).")
    return d


def check_models(models: Mapping[str, Model], tokens: Sequence[str], width: int | None) -> int:
    """The width of the models' inputs, if all of them can be measured on so many tokens.

    Raises:
        InputError: a model that is none, has no known width, or does not map (batch, n, d) to (batch, n, d).
    """
    built = {name: build(m, 0) for name, m in models.items()}
    widths = {name: width_of(m, width) for name, m in built.items()}
    if len(set(widths.values())) > 1:
        said = ", ".join(f"{name} {d}" for name, d in widths.items())
        raise InputError(f"the widths of the models' inputs differ ({said}), but all get the same embedded tokens.")
    d = next(iter(widths.values()))
    x = np.random.default_rng(0).standard_normal((len(tokens), d))
    for name, model in built.items():
        made = inputs_of(layers_of(model), x)[-1].shape[-1]
        if made != d:
            raise InputError(
                f"{name} makes outputs of width {made} of inputs of width {d}; the loss reads both models' outputs "
                f"alike, so they must be equal. Put nn.Linear({made}, {d}) behind it, in an nn.Sequential?"
            )
        if not model(mt.tensor(x[None], requires_grad=True)).requires_grad:
            raise InputError(
                f"{name}: its output does not depend on its input by operations on Tensors, so no gradient can flow. "
                "Does it use .numpy() on the way?"
            )
    return d
