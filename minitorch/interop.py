"""What happens when NumPy is given a Tensor?  `np.exp(tensor)` and `np.sum(tensor)` go through the tape, or refuse.

NumPy asks its arguments first (`__array_ufunc__`, NEP 13; `__array_function__`, NEP 18).  A function with a namesake
among the operations is that operation, whether its arguments come by place or by name.  Any other function, and any
argument that the operation does not have, is computed on the values where no gradient is lost by that, and raises and
names itself where one would be.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.dual import StandIn
from minitorch.errors import ArgumentError, GradientError, InPlaceError, OperandError, ShapeError
from minitorch.ops.dtype import shape_of
from minitorch.ops.movement import reshape
from minitorch.record import Record
from minitorch.rewritten import REWRITTEN
from minitorch.tensor import Tensor

_UNLIKE = frozenset(("save", "load", "linspace"))
"""What NumPy calls so is something else, or in another dtype."""

_METHODS = {
    (np.add, "reduce"): np.sum,
    (np.multiply, "reduce"): np.prod,
    (np.maximum, "reduce"): np.max,
    (np.minimum, "reduce"): np.min,
    (np.logical_and, "reduce"): np.all,
    (np.logical_or, "reduce"): np.any,
    (np.add, "accumulate"): np.cumsum,
    (np.multiply, "accumulate"): np.cumprod,
}
"""Methods of ufuncs that are functions by another name; their axis is 0 unless given."""

_NO_GRADIENT_TO_LOSE = frozenset(
    (
        *(np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.min_scalar_type, np.common_type),
        *(np.array_repr, np.array_str, np.array2string, np.shares_memory, np.may_share_memory),
        *(np.isfinite, np.isnan, np.isinf, np.isneginf, np.isposinf, np.signbit, np.floor_divide, np.logical_xor),
        *(np.isreal, np.iscomplex, np.isrealobj, np.iscomplexobj, np.allclose, np.isclose, np.array_equal, np.isin),
        *(np.array_equiv, np.nonzero, np.flatnonzero, np.argwhere, np.count_nonzero, np.searchsorted, np.digitize),
        *(np.nanargmax, np.nanargmin, np.argpartition, np.lexsort, np.zeros_like, np.ones_like, np.empty_like),
    )
)
"""Booleans, positions and what depends on shapes alone: their derivative is zero or has no meaning."""

_WRITES = frozenset((np.copyto, np.put, np.place, np.putmask, np.put_along_axis, np.fill_diagonal))
"""They write into their first argument."""

_RENAMED = {"a_min": "min", "a_max": "max", "correction": "ddof"}
_NO_MATTER = frozenset(("kind", "stable", "optimize", "casting", "subok", "device"))
"""Arguments that change neither the values nor the derivative of an operation that does not have them."""

_REFUSALS = (ShapeError, OperandError, ArgumentError)


class Translated(Record):
    """A call of NumPy's function, as a call of the operation."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    unknown: list[str]  # the arguments that the operation does not have, by NumPy's names


def connect(names: Mapping[str, Callable[..., Any]]) -> None:
    """Let NumPy find the operations, by their public names.  Called once, when the package is complete."""
    namesakes = {getattr(np, n): f for n, f in names.items() if callable(getattr(np, n, None)) and n not in _UNLIKE}
    table: dict[Any, Callable[..., Any]] = {**namesakes, **REWRITTEN}  # by the function itself: np.linalg has others

    def on_ufunc(self: Any, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        called, function = f"np.{ufunc.__name__}", ufunc
        known = table.get(ufunc)
        if method != "__call__":
            called, function = f"{called}.{method}", getattr(ufunc, method)
            known = _outer(known) if method == "outer" and known else table.get(_METHODS.get((ufunc, method)))
            kwargs = {"axis": 0, **kwargs} if (ufunc, method) in _METHODS else kwargs
        _refuse_writing(called, kwargs.get("out"), inputs[0] if method == "at" else None)
        found = list(_tensors((inputs, kwargs)))
        as_ours = known and Translated(inputs, *_known_here(known, kwargs, found))
        return _answer(called, function, inputs, kwargs, known, as_ours, found)

    def on_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        called = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
        bound = _bound(function, args, kwargs)
        written = next(iter(bound.values()), None) if function in _WRITES else None
        _refuse_writing(called, bound.get("out"), written)
        found = list(_tensors((args, kwargs)))
        known = table.get(function)
        as_ours = known and _translated(function, known, bound, found)
        return _answer(called, function, args, kwargs, known, as_ours, found)

    for cls in (Tensor, StandIn):  # a StandIn is what jvp differentiates
        cls.__array_ufunc__ = on_ufunc  # type: ignore[assignment]
        cls.__array_function__ = on_function  # type: ignore[attr-defined]


def _answer(
    called: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    known: Callable[..., Any] | None,
    as_ours: Translated | None,
    found: list[Any],
) -> Any:
    """The operation's result; or NumPy's own on the values, if no gradient is lost by that."""
    if known and as_ours and not as_ours.unknown:
        try:
            return known(*as_ours.args, **as_ours.kwargs)
        except _REFUSALS as refused:
            return _by_numpy(function, args, kwargs, found, refused)
    harmless = function in _NO_GRADIENT_TO_LOSE or getattr(known, "differentiable", True) == frozenset()
    if not harmless and any(_varied(t) for t in found):
        if as_ours:
            raise GradientError(
                f"{called}: {as_ours.unknown[0]}= is not supported where a gradient is asked for. Leave it away, or "
                "take tensor.detach() for the values?"
            )
        raise GradientError(
            f"{called} has no derivative here, and its result would lose the gradient. Use an operation of minitorch, "
            "or tensor.detach().numpy() for the values?"
        )
    return function(*_stripped(args), **_stripped(kwargs))


def _by_numpy(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], found: list[Any], refused: Exception
) -> Any:
    """What NumPy makes of a call that the operation refuses, like a mode that it does not have; if it is one of
    constants, and NumPy does not refuse it too."""
    if any(map(_varied, found)):
        raise refused
    try:
        return function(*_stripped(args), **_stripped(kwargs))
    except Exception:
        raise refused from None


def _varied(t: Tensor | StandIn) -> bool:
    return isinstance(t, StandIn) or (t.requires_grad and modes.current().grad_enabled)


def _refuse_writing(called: str, out: Any, written: Any) -> None:
    """One rule for all: NumPy's functions write into no tensor, and nowhere what a tape should record."""
    if out is not None:
        raise GradientError(
            f"{called}(..., out=...): a result cannot be written where a tape should record it. Leave out= away?"
        )
    if isinstance(written, Tensor | StandIn):
        raise InPlaceError(
            f"{called} would write into a tensor of shape {written.shape} past the tape. Use x[index] = value, "
            "x[index] += value, or mt.scatter_add where an index comes twice?"
        )


def _outer(known: Callable[..., Any]) -> Callable[..., Any]:
    """A ufunc's `outer`: each entry of a with each of b."""
    return lambda a, b: known(reshape(a, (*shape_of(a), *(1 for _ in shape_of(b)))), b)


# -- a call of NumPy's as one of ours ----------------------------------------------------------------------------------


@cache
def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Of a function, or of the one inside an operation's record; None where NumPy before 2.4 does not tell."""
    try:
        return inspect.signature(getattr(function, "forward", None) or getattr(function, "function", function))
    except ValueError:
        return None


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    signature = _signature(function)
    return signature.parameters if signature else {}


def _bound(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """What was given, by NumPy's names and in its order; `**kwargs` like the others, and `*args` under their name."""
    signature = _signature(function)
    if signature is None:
        return {**{str(k): value for k, value in enumerate(args)}, **kwargs}
    given = signature.bind(*args, **kwargs).arguments
    more = [given.pop(n, {}) for n, p in signature.parameters.items() if p.kind is p.VAR_KEYWORD]
    return {**given, **(more[0] if more else {})}


def _translated(
    function: Callable[..., Any], known: Callable[..., Any], bound: dict[str, Any], found: list[Any]
) -> Translated:
    theirs, ours = _parameters(function), list(_parameters(known).values())
    given, several = {}, ()
    for k, (name, value) in enumerate(bound.items()):
        p = theirs.get(name)
        if p is None and name == str(k):
            several += (value,)
        elif p is not None and p.kind is p.VAR_POSITIONAL:
            several = value
        elif p is not None and p.default is p.empty and name not in _parameters(known) and k < len(ours):
            given[ours[k].name] = value  # what has to be given stands at the same place, under whatever name
        elif p is None or not _same(value, p.default):
            given[_RENAMED.get(name, name)] = value
    given, unknown = _known_here(known, given, found)
    by_place = []
    for p in ours:  # as operations take their inputs
        if p.name not in given or p.kind is p.KEYWORD_ONLY:
            break
        by_place.append(given.pop(p.name))
    return Translated((*by_place, *several), given, unknown)


def _known_here(
    known: Callable[..., Any], given: Mapping[str, Any], found: list[Any]
) -> tuple[dict[str, Any], list[str]]:
    """Those of the arguments that the operation has, and the names of those that it would have to have."""
    taken, unknown = {}, []
    for name, value in given.items():
        if name in _parameters(known):
            taken[name] = value
        elif not _no_matter(name, value, found):
            unknown.append(name)
    return taken, unknown


def _no_matter(name: str, value: Any, found: list[Any]) -> bool:
    """Whether an argument changes nothing, like a dtype that floating numbers have already."""
    if name == "dtype" and value is not None:
        return all(t.dtype == np.dtype(value) and t.dtype.kind == "f" for t in found)
    return value is None or name in _NO_MATTER or (name == "where" and value is True)


def _same(value: Any, default: Any) -> bool:
    simple = isinstance(value, bool | int | str) and type(value) is type(default)
    return value is default or (simple and value == default)


def _tensors(value: Any) -> Iterator[Tensor | StandIn]:
    """All that stand somewhere in the arguments."""
    if isinstance(value, Tensor | StandIn):
        yield value
    elif isinstance(value, list | tuple | dict):
        for v in value.values() if isinstance(value, dict) else value:
            yield from _tensors(v)


def _stripped(value: Any) -> Any:
    """The same with arrays in the place of Tensors."""
    if isinstance(value, Tensor | StandIn):
        return value.numpy()
    if isinstance(value, list | tuple):
        return type(value)(map(_stripped, value))
    if isinstance(value, dict):
        return {k: _stripped(v) for k, v in value.items()}
    return value
