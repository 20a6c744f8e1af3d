"""What is recorded?  One Call for each application of a primitive to a Tensor that requires a gradient.

A Call keeps its parents (structure) and only those values that the rules of its differentiable inputs ask for
(`plan.py`).  It never holds its own output Tensors, so there are no reference cycles: dropping the last output frees
the graph at once.  Freeing the kept values leaves the structure, which can still be drawn.

Every operation of every program passes through `record`, so it is written for speed: straight, with few calls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minitorch import modes
from minitorch.errors import GraphFreedError, InPlaceError, user_line
from minitorch.operands import NUMBERS, alike, array_of, promoted
from minitorch.plan import ALL, Plan, plan
from minitorch.primitive import HANDLERS, REFUSALS, Primitive
from minitorch.shapes import Shape
from minitorch.tensor import Tensor, made
from minitorch.versions import DERIVED, WRITES, rebased, version

_MUTABLE = frozenset((np.ndarray, list, tuple))
_next_number = itertools.count().__next__  # a parent always has a smaller number than its children: a sweep's order


class Part(NamedTuple):
    """One of several results of a call; where there is one result, the call itself stands for it."""

    call: Call
    index: int

    @property
    def shape(self) -> Shape:
        """Of this result."""
        return self.call.shape[self.index]

    @property
    def dtype(self) -> np.dtype:
        """Of this result."""
        return self.call.dtype[self.index]


class Extra:
    """What few calls have."""

    __slots__ = ("hooks", "line", "versions")

    def __init__(self) -> None:
        self.line: str | None = None  # the user's, in anomaly mode
        self.versions: list[int] | None = None  # of the kept values, if any memory had been written to before
        self.hooks: dict[int, list[Callable[[Any], Any]]] = {}  # by result: see Tensor.register_hook


class Call:
    """One application of a primitive; as an origin it stands for its only result."""

    __slots__ = (
        *("__weakref__", "borrowed", "dtype", "extra", "kept", "number", "parents", "plan", "shape", "state", "static"),
    )

    plan: Plan
    number: int
    static: dict[str, Any]
    parents: list[Call | Part | Tensor | None]  # what each input came from: a result, a leaf, or None for a constant
    shape: Any  # of the result; of several results, a tuple of them
    dtype: Any
    kept: list[Any] | None  # what the rules need, in the plan's order; None once freed
    borrowed: tuple[int, ...]  # the inputs that are kept and alive anyway: constants that the caller holds
    state: modes.State  # what held: module path, time step
    extra: Extra | None

    index = 0  # like a Part, it stands for its first result

    @property
    def call(self) -> Call:
        """Itself, as for a Part the call that it belongs to."""
        return self

    @property
    def primitive(self) -> Primitive[...]:
        """What was applied."""
        return self.plan.primitive

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Of all results."""
        return self.shape if self.plan.several else (self.shape,)

    @property
    def dtypes(self) -> tuple[np.dtype, ...]:
        """Of all results."""
        return self.dtype if self.plan.several else (self.dtype,)

    @property
    def saved(self) -> dict[str, Any] | None:
        """The kept values by name; None once freed."""
        return None if self.kept is None else dict(zip(self.plan.names, self.kept, strict=False))  # shapes come last

    def values(self) -> dict[str, Any]:
        """The kept values by name, after making sure that they are as they were: see `check_kept`."""
        self.check_kept()
        return self.saved or {}

    def input_name(self, k: int) -> str:
        """The name of input k; the parts of a variadic input are numbered."""
        p = self.plan.primitive
        return f"{p.inputs[0]}[{k}]" if p.variadic else p.inputs[k]

    def with_extra(self) -> Extra:
        """The rarely used part, made when it is first needed."""
        self.extra = self.extra or Extra()
        return self.extra

    def check_kept(self) -> None:
        """Make sure that the kept values are there, as they were.

        Raises:
            GraphFreedError: they were freed.
            InPlaceError: one of them was written to since.
        """
        name = self.primitive.name
        if self.kept is None:
            raise GraphFreedError(
                f"{name}: its saved values were freed by an earlier backward pass. "
                "Call the earlier one with retain_graph=True?"
            )
        extra = self.extra or Extra()
        before = extra.versions or [0] * len(self.kept)
        for what, value, then in zip(self.plan.names, self.kept, before, strict=False):
            if version(value) != then:
                raise InPlaceError(
                    f"{name}: its {what} of {_said(value)} was kept for the backward pass and written to "
                    f"since{f' (recorded {extra.line})' if extra.line else ''}. Write to a copy?"
                )

    def keep_instead(self, k: int, value: Any) -> None:
        """Keep another array, with the same entries, in the place of value k."""
        self.kept[k] = value  # type: ignore[index]
        if self.extra and self.extra.versions:
            self.extra.versions[k] = version(value)

    def tied_kept(self) -> list[Any]:
        """What is kept, as what it was: Tensors that came from this call, or from where its inputs came from."""
        chosen, kept = self.plan, list(self.kept or ())
        for i, k in enumerate(chosen.inputs):
            kept[i] = tuple(map(_tied, kept[i], self.parents)) if k == ALL else _tied(kept[i], self.parents[k])
        for i, k in enumerate(chosen.outputs, len(chosen.inputs)):
            kept[i] = result(kept[i], Part(self, k) if chosen.several else self)
        return kept


def _tied(value: Any, parent: Call | Part | Tensor | None) -> Any:
    return value if parent is None else parent if isinstance(parent, Tensor) else result(value, parent)


def result(array: np.ndarray, origin: Call | Part) -> Tensor:
    """A Tensor that came from `origin`; integers have no derivative, and no origin."""
    t = made(array, origin if array.dtype.kind == "f" else None)
    if DERIVED:
        t._rebased = rebased(array)
    return t


def record(p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    """Run `p`; if a gradient may be asked for, leave a Call behind."""
    state = modes.current()
    arrays, parents = [], []
    wanted, bit = 0, 1
    for arg in args:
        if isinstance(arg, Tensor):
            arrays.append(arg._array)
            if arg._requires_grad:
                wanted |= bit
                parents.append(arg if arg._origin is None else arg._origin)
                if DERIVED and arg._array.base is not None and arg._rebased != rebased(arg._array):
                    raise _stale(p, arg)
            else:
                parents.append(None)
        else:
            arrays.append(arg if type(arg) in NUMBERS else array_of(p, arg, state.dtype))
            parents.append(None)
        bit += bit
    if bit > 2 and p.differentiable and (p.variadic or not alike(*arrays)):
        promoted(p, arrays, state.dtype)
    try:
        out: Any = p.forward(*arrays, **static) if static else p.forward(*arrays)
    except REFUSALS as error:
        raise p.refusal(arrays, static, error) from None
    if type(out) is not np.ndarray:  # NumPy gives scalars where there are no axes
        out = tuple(map(np.asarray, out)) if type(out) is tuple else np.asarray(out)
    if state.anomaly:
        _look_for_anomaly(p, out, state)
    if wanted & ~p.differentiable_bits:
        wanted &= p.differentiable_bits
        parents = [parent if wanted >> k & 1 else None for k, parent in enumerate(parents)]
    if wanted and state.grad_enabled:
        return _recorded(p.plans.get(wanted) or plan(p, wanted, len(args)), args, arrays, parents, static, out, state)
    return tuple(map(made, out)) if type(out) is tuple else made(out)


def _recorded(
    chosen: Plan,
    args: tuple[Any, ...],
    arrays: list[Any],
    parents: list[Call | Part | Tensor | None],
    static: dict[str, Any],
    out: Any,
    state: modes.State,
) -> Any:
    """The results, as what a new Call has made."""
    call = Call()
    call.plan, call.number, call.parents, call.state = chosen, _next_number(), parents, state
    call.borrowed, call.extra = (), None
    call.static = _owned({**chosen.primitive.static, **static}) if chosen.primitive.static else static
    call.kept = kept = []
    for k in chosen.inputs:
        if k == ALL:
            kept.append(tuple([_kept(call, args, arrays, i) for i in range(len(args))]))
        else:
            kept.append(arrays[k] if parents[k] is not None else _kept(call, args, arrays, k))
    for k in chosen.outputs:
        kept.append(out[k] if chosen.several else out)
    for k in chosen.shapes:
        kept.append(_shape(arrays[k]) if k >= 0 else tuple(map(_shape, arrays)))
    if WRITES:
        call.with_extra().versions = list(map(version, kept))
    if state.anomaly:
        call.with_extra().line = user_line()
    if not chosen.several:
        call.shape, call.dtype = out.shape, out.dtype
        return result(out, call) if DERIVED else made(out, call if out.dtype.kind == "f" else None)
    call.shape, call.dtype = tuple([o.shape for o in out]), tuple([o.dtype for o in out])
    return tuple([result(o, Part(call, i)) for i, o in enumerate(out)])


def _shape(array: Any) -> Shape:
    return array.shape if type(array) is np.ndarray else ()


def _said(value: Any) -> str:
    parts = value if type(value) is tuple else (value,)
    return f"shape{'s' * (len(parts) > 1)} {' and '.join(str(np.shape(v)) for v in parts)}"


def _stale(p: Primitive[...], view: Tensor) -> InPlaceError:
    return InPlaceError(
        f"{p.name}: a view of shape {view.shape} was taken before its base was written to, and its derivative would be "
        "that of the old value. Take the view again?"
    )


def _kept(call: Call, args: tuple[Any, ...], arrays: list[Any], k: int) -> Any:
    """What is kept of input k: a plain array is copied, since its owner may write to it tomorrow."""
    arg, value = args[k], arrays[k]
    if not isinstance(arg, Tensor):
        return _own(value)
    if call.parents[k] is None and arg._array is value:
        call.borrowed += (k,)
    return value


def _own(value: Any) -> Any:
    """A copy of what its owner could still change: arrays and lists, also inside a tuple, as in x[:, [0, 1]]."""
    if isinstance(value, np.ndarray):
        return value.copy()
    return type(value)(map(_own, value)) if type(value) in (tuple, list) else value


def _owned(static: dict[str, Any]) -> dict[str, Any]:
    for name, value in static.items():
        if type(value) in _MUTABLE:
            static[name] = _own(value)
    return static


def _look_for_anomaly(p: Primitive[...], out: Any, state: modes.State) -> None:
    for name, o in zip(p.outputs, out if type(out) is tuple else (out,), strict=True):
        if o.dtype.kind == "f" and not np.isfinite(o).all():
            raise modes.anomaly_error(p.name, f"its {name} of shape {o.shape}", o, state.scope)


HANDLERS[Tensor] = record
