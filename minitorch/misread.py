"""What was meant by a call that does not fit?  `x.sum(dim=1)` is PyTorch's word for what is called `axis` here.

This is asked when Python has refused the arguments, so a call that fits pays nothing for it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np

from minitorch.errors import ArgumentError
from minitorch.signature import parameters

_ALL_BY_POSITION = inspect.Parameter.VAR_POSITIONAL
P = ParamSpec("P")
R = TypeVar("R")

_HERE = {  # others' words, and what is meant by them here, of which a function has one
    **dict.fromkeys(("dim", "dims"), ("axis", "axes", "shape", "reps")),
    **dict.fromkeys(("unbiased", "correction"), ("ddof",)),
    "keepdim": ("keepdims",),
    "dim0": ("axis1",),
    "dim1": ("axis2",),
    "start_dim": ("start_axis",),
    "end_dim": ("end_axis",),
    "diagonal": ("k", "offset"),
    "a_min": ("min",),
    "a_max": ("max",),
    "p": ("ord",),
    "size": ("shape",),
    "newshape": ("shape",),
    "shifts": ("shift",),
    "exponent": ("b",),
    "tensors": ("arrays",),
    "steps": ("num",),
}
_PLACES = {"input": 0, "self": 0, "a": 0, "x1": 0, "other": 1, "b": 1, "x2": 1}  # those of the operands


def misread(
    name: str, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> ArgumentError | None:
    """The error to raise for arguments that `function` does not take; None if it takes them.

    >>> def sum(x, axis=None, keepdims=False): ...
    >>> print(str(misread("sum", sum, ["x"], {"dim": 1})).split("\\n")[0])
    sum: got dim=, which is called axis here. Write axis=1?
    """
    signature = inspect.signature(function)
    try:
        signature.bind(*args, **kwargs)
        return None
    except TypeError as error:
        complaint = str(error)
    taken = signature.parameters
    order = [*taken]
    for word, value in kwargs.items():
        if word in taken and taken[word].kind is not _ALL_BY_POSITION:
            continue
        place = _PLACES.get(word, len(order))
        here = next((w for w in (word, *_HERE.get(word, ()), *order[place : place + 1]) if w in taken), None)
        if here is None:
            complaint = f"got {word}=, which it does not take"
            break
        by_position = taken[here].kind is _ALL_BY_POSITION
        meant = "given by position" if by_position else f"called {here} here"
        write = f"{name}({_brief(value)})" if by_position else _said(here, value)
        return ArgumentError(f"{name}: got {word}=, which is {meant}. Write {write}?")
    shown = [p.replace(annotation=inspect.Parameter.empty) for p in taken.values()]
    return ArgumentError(f"{name}{inspect.Signature(shown)}: {complaint}.{_hint(order, args)}")


def check_flags(name: str, defaults: Mapping[str, Any], values: Sequence[Any]) -> None:
    """Make sure that what stands in the place of a flag is one: `x.sum(0, 1)` means two axes, not keepdims=1.

    Raises:
        ArgumentError: a value whose default is True or False is neither.
    """
    for (word, default), value in zip(defaults.items(), values, strict=False):
        if isinstance(default, bool) and not isinstance(value, bool | np.bool_):
            hint = _hint([*defaults], values) if word == "keepdims" else ""
            raise ArgumentError(f"{name}: got {word}={_brief(value)}; it is True or False.{hint}")


@functools.cache
def _checked(function: Callable[..., Any]) -> Callable[..., Any]:
    name = function.__name__
    taken = [p for p in parameters(function) if p.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    defaults = {p.name: p.default for p in taken}
    flags = [k for k, p in enumerate(taken) if isinstance(p.default, bool)]
    first = flags[0] if flags else float("inf")

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) > first:
            check_flags(name, defaults, args)
        try:
            return function(*args, **kwargs)
        except TypeError:
            if better := misread(name, function, args, kwargs):
                raise better from None
            raise

    return call


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, but arguments that it does not take are an ArgumentError with a next step.

    There is one for each function, so that `cat is concatenate`.
    """
    return _checked(function)


def _hint(taken: Sequence[str], args: Sequence[Any]) -> str:
    """What to write for numbers that follow each other where one axis, or one tuple of them, is taken."""
    k = next((k for k, word in enumerate(taken) if word in ("axis", "axes", "shape")), len(args))
    numbers = args[k:]
    several = len(numbers) > 1 and all(type(n) is int for n in numbers)
    return f" Several go into one tuple: {taken[k]}={tuple(numbers)}?" if several else ""


def _said(word: str, value: Any) -> str:
    return f"{word}={_brief(int(value) if word == 'ddof' and isinstance(value, bool) else value)}"


def _brief(value: Any) -> str:
    return repr(value) if isinstance(value, int | float | str | tuple | list) and len(repr(value)) < 30 else "..."
