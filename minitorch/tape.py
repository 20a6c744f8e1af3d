"""What is recorded?  `record` runs a primitive on Tensors, and leaves a Call behind if a gradient may be asked for.

Every operation of every program passes through here, so it is written for speed: straight, with few calls.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.call import Call, Part, result
from minitorch.errors import user_line
from minitorch.inplace import is_stale, renew
from minitorch.operands import MEETING, NUMBERS, alike, array_of, promoted
from minitorch.plan import ALL, plan
from minitorch.primitive import HANDLERS, REFUSALS, Primitive
from minitorch.shapes import Shape
from minitorch.tensor import Tensor, made
from minitorch.versions import DERIVED, WRITES, version

_MUTABLE = frozenset((np.ndarray, list, tuple))
_ndarray, _float32, _current = np.ndarray, np.dtype(np.float32), modes.current  # looked up once, not for each operation
_next_number = itertools.count().__next__  # a parent always has a smaller number than its children: a sweep's order


def record(p: Primitive[...], args: tuple[Any, ...], static: dict[str, Any]) -> Any:
    """Run `p`; if a gradient may be asked for, leave a Call behind."""
    state = _current()
    # Two Tensors of one dtype, or one alone, as most operations have; `_operands` would come to the same
    if (
        len(args) == 2
        and isinstance(a := args[0], Tensor)
        and isinstance(b := args[1], Tensor)
        and a._array.dtype is b._array.dtype
        and not WRITES
    ):
        arrays, safe, wanted = (a._array, b._array), True, 0
        parents: list[Any] = [None, None]
        if a._requires_grad:
            parents[0], wanted = a._origin or a, 1
        if b._requires_grad:
            parents[1], wanted = b._origin or b, wanted + 2
    elif len(args) == 1 and isinstance(a := args[0], Tensor) and not WRITES:
        arrays, safe = (a._array,), True
        parents, wanted = ([a._origin or a], 1) if a._requires_grad else ([None], 0)
    else:
        arrays, parents, wanted, safe = _operands(p, args, state)
    try:
        out: Any = p.forward(*arrays, **static) if static else p.forward(*arrays)
    except REFUSALS as error:
        raise p.refusal(arrays, static, error) from None
    if type(out) is not _ndarray:  # NumPy gives scalars where there are no axes
        out = tuple(map(np.asarray, out)) if type(out) is tuple else np.asarray(out)
    if not wanted and type(out) is _ndarray and not state.anomaly:
        return made(out)
    chosen = p.plans.get(wanted)
    if chosen is None or chosen.take is None or not (safe and state.grad_enabled) or state.anomaly:
        return _recorded(p, wanted, args, arrays, parents, static, out, state)
    call = Call()
    call.plan = chosen
    call.number = _next_number()
    call.parents = parents
    call.state = state
    call.extra = None
    call.static = _owned(p, static) if chosen.static else static
    kept = arrays if chosen.whole else chosen.take(arrays, out) if chosen.names else ()
    if chosen.shapes:
        kept += tuple([a.shape if type(a := arrays[k]) is _ndarray else () for k in chosen.shapes])
    call.kept = kept
    call.borrowed = chosen.constants
    call.shape = out.shape
    call.dtype = dtype = out.dtype
    return made(out, call if dtype is _float32 or dtype.kind == "f" else None)


def _operands(
    p: Primitive[...], args: tuple[Any, ...], state: modes.State
) -> tuple[tuple[Any, ...], list[Call | Part | Tensor | None], int, bool]:
    """What goes into an operation.

    Returns:
        The arrays and numbers, in the dtype in which they meet; what each came from, or None for a constant; the bit
        set of those that want a gradient; and whether all are as they were given, none is a foreign array, which its
        owner could write to without being seen, and no memory has been written to.
    """
    arrays, parents = [], []
    wanted, bit, safe = 0, 1, not WRITES
    for arg in args:
        parent = None
        if isinstance(arg, Tensor):
            if DERIVED and state.grad_enabled and is_stale(arg):
                renew(arg)
            arrays.append(arg._array)
            if arg._requires_grad:
                wanted |= bit
                parent = arg._origin or arg
        elif type(arg) in NUMBERS:
            arrays.append(arg)
        else:
            arrays.append(array_of(p, arg, state.dtype))
            safe = False
        parents.append(parent)
        bit += bit
    if bit > 2 and (p.differentiable or p.name in MEETING) and (p.variadic or not alike(*arrays)):
        promoted(p, arrays, state.dtype)
        safe = False
    return tuple(arrays), parents, wanted, safe


def _recorded(
    p: Primitive[...],
    wanted: int,
    args: tuple[Any, ...],
    arrays: Sequence[Any],
    parents: list[Call | Part | Tensor | None],
    static: dict[str, Any],
    out: Any,
    state: modes.State,
) -> Any:
    """The results, as what a new Call has made; the end of `record` for all that is not usual."""
    if state.anomaly:
        _look_for_anomaly(p, out, state)
    if wanted & ~p.differentiable_bits:
        wanted &= p.differentiable_bits
        parents = [parent if wanted >> k & 1 else None for k, parent in enumerate(parents)]
    if not (wanted and state.grad_enabled):
        return tuple(map(made, out)) if type(out) is tuple else made(out)
    call = Call()
    call.plan, call.number, call.parents, call.state, call.extra = (
        plan(p, wanted, len(args)),
        _next_number(),
        parents,
        state,
        None,
    )
    call.static = _owned(p, static) if p.static else static
    call.borrowed = ()
    call.kept = _keep(call, args, arrays, out)
    if WRITES:
        call.with_extra().versions = list(map(version, call.kept))
    if state.anomaly:
        call.with_extra().line = user_line()
    if call.plan.several:
        call.shape, call.dtype = tuple([o.shape for o in out]), tuple([o.dtype for o in out])
        return tuple([result(o, Part(call, i)) for i, o in enumerate(out)])
    call.shape, call.dtype = out.shape, out.dtype
    return result(out, call)


def _keep(call: Call, args: tuple[Any, ...], arrays: Sequence[Any], out: Any) -> tuple[Any, ...]:
    """What the rules need, in the plan's order."""
    chosen, kept = call.plan, []
    for k in chosen.inputs:
        if k == ALL:
            kept.append(tuple([_kept(call, args, arrays, i) for i in range(len(args))]))
        else:
            kept.append(arrays[k] if call.parents[k] is not None else _kept(call, args, arrays, k))
    for k in chosen.outputs:
        kept.append(out[k] if chosen.several else out)
    for k in chosen.shapes:
        kept.append(_shape(arrays[k]) if k >= 0 else tuple(map(_shape, arrays)))
    return tuple(kept)


def _shape(array: Any) -> Shape:
    return array.shape if type(array) is np.ndarray else ()


def _kept(call: Call, args: tuple[Any, ...], arrays: Sequence[Any], k: int) -> Any:
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


def _owned(p: Primitive[...], given: dict[str, Any]) -> dict[str, Any]:
    """The static arguments, given or not, as they are now."""
    static: dict[str, Any] = p.static | given  # type: ignore[operator]  (four times as fast as {**p.static, **given})
    for name, value in static.items():
        if type(value) in _MUTABLE:
            static[name] = _own(value)
    return static


def _look_for_anomaly(p: Primitive[...], out: Any, state: modes.State) -> None:
    for name, o in zip(p.outputs, out if type(out) is tuple else (out,), strict=True):
        if o.dtype.kind == "f" and not np.isfinite(o).all():
            raise modes.anomaly_error(p.name, f"its {name} of shape {o.shape}", o, state.scope)


HANDLERS[Tensor] = record
