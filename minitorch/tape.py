"""What is recorded?  One Call for each application of a primitive to a Tensor that requires a gradient.

A Call keeps its parents (structure) and, by name, only those values that the rules of its differentiable inputs ask
for.  It never holds its own output Tensors, so there are no reference cycles: dropping the last output frees the graph
at once. Freeing the saved values leaves the structure, which can still be drawn.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import DtypeError, GraphFreedError
from minitorch.primitive import HANDLERS, Primitive
from minitorch.shapes import Shape
from minitorch.tensor import Tensor, wrap

_NUMBERS = {int, float, bool}  # a np.float64 is a float too, but unlike one it would widen a float32
_count = itertools.count()  # a parent always has a smaller number than its children: the order of a sweep


class Call:
    """One application of a primitive."""

    __slots__ = (
        *("primitive", "number", "static", "parents", "indices", "in_shapes", "out_shapes", "dtypes"),
        *("saved", "borrowed", "scope", "step", "__weakref__"),
    )

    primitive: Primitive[...]
    number: int
    static: dict[str, Any]
    parents: list[Call | Tensor | None]  # what each input came from: a call, a leaf, or None for a constant
    indices: list[int]  # which output of that call
    in_shapes: list[Shape]
    out_shapes: list[Shape]
    dtypes: list[np.dtype]  # of the outputs
    saved: dict[str, Any] | None  # None once freed
    borrowed: frozenset[str]  # saved values that are not the graph's own: constants that the caller holds as Tensors
    scope: str
    step: int | None

    def input_name(self, k: int) -> str:
        """The name of input k; the parts of a variadic input are numbered."""
        names = self.primitive.inputs
        return f"{names[0]}[{k}]" if self.primitive.variadic else names[k]

    def positions(self, name: str) -> list[int]:
        """Which inputs `name` stands for: one, or all the parts of a variadic input."""
        return list(range(len(self.parents))) if self.primitive.variadic else [self.primitive.inputs.index(name)]

    def need(self, name: str) -> Any:
        """What a rule asks for: a shape, or a saved value, tied to its origin while the backward pass itself is
        recorded."""
        p = self.primitive
        if name.endswith("_shape") and name not in p.inputs and name not in p.outputs:
            name = name.removesuffix("_shape")
            shapes = tuple(self.in_shapes[k] for k in self.positions(name))
            return shapes if p.variadic else shapes[0]
        value = self.values()[name]
        if not modes.current().grad_enabled:
            return value
        if name in p.outputs:
            return _tied(value, self, p.outputs.index(name))
        if p.variadic:
            return tuple(self._input(k, v) for k, v in zip(self.positions(name), value, strict=True))
        return self._input(p.inputs.index(name), value)

    def values(self) -> dict[str, Any]:
        """The saved values by name."""
        if self.saved is None:
            raise GraphFreedError(
                f"{self.primitive.name}: its saved values were freed by an earlier backward pass. "
                "Call the earlier one with retain_graph=True?"
            )
        return self.saved

    def _input(self, k: int, value: Any) -> Any:
        parent = self.parents[k]
        return (
            value if parent is None else parent if isinstance(parent, Tensor) else _tied(value, parent, self.indices[k])
        )


def _tied(array: np.ndarray, origin: Call, index: int) -> Tensor:
    """A Tensor that came from `origin`; integers have no derivative, and no origin."""
    t = wrap(array)
    if array.dtype.kind == "f":
        t._origin, t._index, t._requires_grad = origin, index, True
    return t


def record(p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    """Run `p`; if a gradient may be asked for, leave a Call behind."""
    state = modes.current()
    arrays, tracked = [], False
    for name, arg in zip(p.inputs, args, strict=False) if not p.variadic else ((p.inputs[-1], a) for a in args):
        if isinstance(arg, Tensor):
            arrays.append(arg._array)
            tracked = tracked or (arg._requires_grad and name in p.differentiable)
        else:
            arrays.append(arg if type(arg) in _NUMBERS else _operand(p, arg))
    if len(arrays) > 1 and p.differentiable:
        _keep_narrow(p, arrays)
    result = p.compute(arrays, static)
    outs = result if isinstance(result, tuple) else (result,)
    outs = tuple(o if isinstance(o, np.ndarray) else np.asarray(o) for o in outs)
    if tracked and state.grad_enabled:
        call = _call(p, args, arrays, static, outs, state)
        tensors = tuple(_tied(o, call, i) for i, o in enumerate(outs))
    else:
        tensors = tuple(map(wrap, outs))
    return tensors if len(p.outputs) > 1 else tensors[0]


def _call(p: Primitive[...], args: tuple, arrays: list, static: dict, outs: tuple, state: modes.State) -> Call:
    call = Call()
    call.primitive, call.number = p, next(_count)
    call.static = {name: _own(value) for name, value in {**p.static, **static}.items()}
    call.scope, call.step = state.scope, state.step
    call.in_shapes = [np.shape(a) for a in arrays]
    call.out_shapes, call.dtypes = [o.shape for o in outs], [o.dtype for o in outs]
    call.parents, call.indices = [], []
    wanted = set()
    for k, arg in enumerate(args):
        name = p.inputs[min(k, len(p.inputs) - 1)]
        if isinstance(arg, Tensor) and arg._requires_grad and name in p.differentiable:
            call.parents.append(arg if arg._origin is None else arg._origin)
            call.indices.append(arg._index)
            wanted.add(name)
        else:
            call.parents.append(None)
            call.indices.append(0)
    _save(call, args, arrays, outs, wanted)
    return call


def _save(call: Call, args: tuple, arrays: list, outs: tuple, wanted: set[str]) -> None:
    """Keep what the rules of the wanted inputs ask for.  An array that is not a Tensor's is copied: its owner may write
    to it tomorrow."""
    p, borrowed = call.primitive, set()
    call.saved = saved = {}
    for rule in p.rules:
        if wanted.isdisjoint(rule.inputs):
            continue
        for name in rule.keeps:
            if name in saved:
                continue
            if name in p.outputs:
                saved[name] = outs[p.outputs.index(name)]
                continue
            where = call.positions(name)
            kept = [arrays[k] if isinstance(args[k], Tensor) else _own(arrays[k]) for k in where]
            saved[name] = tuple(kept) if p.variadic else kept[0]
            if any(call.parents[k] is None and _is_array_of(args[k], arrays[k]) for k in where):
                borrowed.add(name)
    call.borrowed = frozenset(borrowed)


def _is_array_of(arg: Any, array: Any) -> bool:
    """Whether `array` is the Tensor's own, not a copy in another dtype."""
    return isinstance(arg, Tensor) and arg._array is array


def _own(value: Any) -> Any:
    """A copy of what its owner could still change: arrays and lists, also inside a tuple, as in x[:, [0, 1]]."""
    if isinstance(value, np.ndarray):
        return value.copy()
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        return type(value)(map(_own, value))
    return value


def _operand(p: Primitive[...], value: Any) -> Any:
    """An array, a list or a NumPy scalar, as an array of numbers."""
    if isinstance(value, list | tuple) and any(isinstance(v, Tensor) for v in value):
        raise DtypeError(f"{p.name}: an operand is a {type(value).__name__} of tensors; it takes one. Use stack?")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        said = f"{array.dtype} array" if isinstance(value, np.ndarray) else type(value).__name__
        raise DtypeError(f"{p.name}: an operand is a {said}; it takes tensors, arrays and real numbers.")
    return array


def _keep_narrow(p: Primitive[...], arrays: list[Any]) -> None:
    """Integers and 0-d float64 values take the dtype of the floating arrays they meet; NumPy would widen a float32."""
    floats = [a for a in arrays if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    narrow = [a.dtype for a in floats if a.ndim] or [a.dtype for a in floats if a.dtype != np.float64]
    if not narrow:
        return
    dtype = np.result_type(*narrow)
    for k, a in enumerate(arrays):
        yields = isinstance(a, np.ndarray) and (a.dtype.kind in "iu" or (a.dtype.kind == "f" and not a.ndim))
        if yields and a.dtype != dtype and (p.variadic or p.inputs[k] in p.differentiable):
            arrays[k] = a.astype(dtype)


HANDLERS[Tensor] = record
