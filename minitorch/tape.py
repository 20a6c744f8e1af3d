"""What is recorded?  One Call for each application of a primitive to a Tensor that requires a gradient.

A Call keeps its parents (structure) and, by name, only those values that the rules of its differentiable inputs ask
for.  It never holds its own output Tensors, so there are no reference cycles: dropping the last output frees the graph
at once.  Freeing the saved values leaves the structure, which can still be drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import GraphFreedError, InPlaceError, user_line
from minitorch.operands import NUMBERS, alike, array_of, as_array, promoted
from minitorch.plan import Plan, plan
from minitorch.primitive import HANDLERS, Primitive
from minitorch.shapes import Shape
from minitorch.tensor import Tensor, wrap
from minitorch.versions import anything_written, rebased, version

_NOTHING: frozenset[str] = frozenset()
_count = itertools.count()  # a parent always has a smaller number than its children: the order of a sweep


class Call:
    """One application of a primitive."""

    __slots__ = (
        *("primitive", "plan", "number", "static", "parents", "indices", "in_shapes", "out_shapes", "dtypes"),
        *("saved", "versions", "borrowed", "hooks", "line", "scope", "step", "__weakref__"),
    )

    primitive: Primitive[...]
    plan: Plan
    number: int
    static: dict[str, Any]
    parents: list[Call | Tensor | None]  # what each input came from: a call, a leaf, or None for a constant
    indices: list[int]  # which output of that call
    in_shapes: list[Shape]
    out_shapes: list[Shape]
    dtypes: list[np.dtype]  # of the outputs
    saved: dict[str, Any] | None  # None once freed
    versions: dict[str, int] | None  # of the saved values whose memory had been written to before
    borrowed: frozenset[str]  # saved values that are not the graph's own: constants that the caller holds as Tensors
    hooks: dict[int, list[Callable[[Any], Any]]] | None  # by output: see Tensor.register_hook
    line: str | None  # the user's, in anomaly mode
    scope: str
    step: int | None

    def input_name(self, k: int) -> str:
        """The name of input k; the parts of a variadic input are numbered."""
        names = self.primitive.inputs
        return f"{names[0]}[{k}]" if self.primitive.variadic else names[k]

    def values(self) -> dict[str, Any]:
        """The saved values by name.

        Raises:
            GraphFreedError: they were freed.
            InPlaceError: one of them was written to since.
        """
        if self.saved is None:
            raise GraphFreedError(
                f"{self.primitive.name}: its saved values were freed by an earlier backward pass. "
                "Call the earlier one with retain_graph=True?"
            )
        for name, value in self.saved.items() if anything_written() else ():
            if version(value) != (self.versions or {}).get(name, 0):
                raise InPlaceError(
                    f"{self.primitive.name}: its {name} of shape {np.shape(value)} was kept for the backward pass and "
                    f"written to since{' (recorded ' + self.line + ')' if self.line else ''}. Write to a copy?"
                )
        return self.saved

    def tied(self, name: str, value: Any, k: int) -> Any:
        """A saved value as what it was: this call's output k, or where its input k came from."""
        if name in self.primitive.outputs:
            return _tied(value, self, k)
        parent = self.parents[k]
        if parent is None:
            return value
        return parent if isinstance(parent, Tensor) else _tied(value, parent, self.indices[k])


def _tied(array: np.ndarray, origin: Call, index: int) -> Tensor:
    """A Tensor that came from `origin`; integers have no derivative, and no origin."""
    t = wrap(array)
    if array.dtype.kind == "f":
        t._origin, t._index, t._requires_grad = origin, index, True
        if array.base is not None:
            t._rebased = rebased(array)
    return t


def record(p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    """Run `p`; if a gradient may be asked for, leave a Call behind."""
    state = modes.current()
    arrays, wanted, bit = [], 0, 1
    for arg in args:
        if isinstance(arg, Tensor):
            if arg._requires_grad:
                wanted |= bit
                if arg._array.base is not None and arg._rebased != rebased(arg._array):
                    raise _stale(p, arg)
            arrays.append(arg._array)
        else:
            arrays.append(arg if type(arg) in NUMBERS else array_of(p, arg, state.dtype))
        bit += bit
    if len(arrays) > 1 and p.differentiable and not alike(arrays):
        promoted(p, arrays, state.dtype)
    result = p.compute(arrays, static)
    single = type(result) is not tuple
    outs = [as_array(result)] if single else [as_array(o) for o in result]
    wanted &= p.differentiable_bits
    call = _call(p, args, arrays, static, outs, wanted, state) if wanted and state.grad_enabled else None
    if state.anomaly:
        _look_for_anomaly(p, outs, state)
    if single:
        return wrap(outs[0]) if call is None else _tied(outs[0], call, 0)
    return tuple([wrap(o) if call is None else _tied(o, call, i) for i, o in enumerate(outs)])


def _stale(p: Primitive[...], view: Tensor) -> InPlaceError:
    return InPlaceError(
        f"{p.name}: a view of shape {view.shape} was taken before its base was written to, and its derivative would be "
        "that of the old value. Take the view again?"
    )


def _call(
    p: Primitive[...], args: tuple, arrays: list, static: dict, outs: list, wanted: int, state: modes.State
) -> Call:
    call = Call()
    call.primitive, call.number = p, next(_count)
    call.plan = chosen = plan(p, wanted, len(args))
    call.static = {name: _own(v) for name, v in {**p.static, **static}.items()} if p.static else static
    call.scope, call.step = state.scope, state.step
    call.hooks = None
    call.line = user_line() if state.anomaly else None
    call.in_shapes = [a.shape if type(a) is np.ndarray else () for a in arrays]
    call.out_shapes, call.dtypes = [o.shape for o in outs], [o.dtype for o in outs]
    call.parents = parents = []
    call.indices = indices = []
    for arg in args:
        if wanted & 1:
            parents.append(arg if arg._origin is None else arg._origin)
            indices.append(arg._index)
        else:
            parents.append(None)
            indices.append(0)
        wanted >>= 1
    call.saved = {name: outs[k] for name, k in chosen.outputs}
    call.borrowed = _save_inputs(call, chosen, args, arrays) if chosen.inputs else _NOTHING
    call.versions = {name: version(v) for name, v in call.saved.items()} if anything_written() else None
    return call


def _save_inputs(call: Call, chosen: Plan, args: tuple, arrays: list) -> frozenset[str]:
    """Keep inputs; those that are not a Tensor's are copied, since their owner may write to them tomorrow.

    Returns the names of those that the caller holds anyway.
    """
    borrowed = _NOTHING
    saved: dict[str, Any] = call.saved  # type: ignore[assignment]
    for name, k in chosen.inputs:
        if k < 0:  # all parts of a variadic input
            saved[name] = tuple(_kept(args[i], arrays[i]) for i in range(len(args)))
            held = any(call.parents[i] is None and _is_array_of(args[i], arrays[i]) for i in range(len(args)))
        else:
            saved[name] = _kept(args[k], arrays[k])
            held = call.parents[k] is None and _is_array_of(args[k], arrays[k])
        if held:
            borrowed |= {name}
    return borrowed


def _kept(arg: Any, array: Any) -> Any:
    return array if isinstance(arg, Tensor) else _own(array)


def _is_array_of(arg: Any, array: Any) -> bool:
    """Whether `array` is the Tensor's own, not a copy in another dtype."""
    return isinstance(arg, Tensor) and arg._array is array


def _own(value: Any) -> Any:
    """A copy of what its owner could still change: arrays and lists, also inside a tuple, as in x[:, [0, 1]]."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (tuple, list):
        return type(value)(map(_own, value))
    return value


def _look_for_anomaly(p: Primitive[...], outs: list[np.ndarray], state: modes.State) -> None:
    for name, o in zip(p.outputs, outs, strict=True):
        if o.dtype.kind == "f" and not np.isfinite(o).all():
            raise modes.anomaly_error(p.name, f"its {name} of shape {o.shape}", o, state.scope)


HANDLERS[Tensor] = record
