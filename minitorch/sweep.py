"""How does a cotangent travel back?  From the last call to the first, each once; no recursion.

Broadcasting and promotion are undone here, in one place, after the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from sys import getrefcount
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.call import Call, Part
from minitorch.errors import GradientError
from minitorch.ops.elementwise import astype, positive
from minitorch.ops.movement import sum_to
from minitorch.plan import Group
from minitorch.reach import behind
from minitorch.tensor import Tensor, plain, wrap
from minitorch.versions import WRITES

OnEdge = Callable[[Call, int, Any], Any]
"""Sees (call, position of the input, cotangent that arrives there); what it returns travels on."""

Key = Call | Part | Tensor
"""A place where cotangents add up: the result of a call, one of its several results, or a leaf."""

_ndarray = np.ndarray  # NumPy makes some of its names only when they are asked for, so that each look-up takes a while


def key_of(x: Tensor) -> Key:
    """Under which key the cotangent of x stands."""
    return x if x._origin is None else x._origin


def sweep(
    root: Tensor,
    seed: Any,
    create_graph: bool,
    free: bool,
    on_edge: OnEdge | None = None,
    only: Collection[Key] | None = None,
) -> tuple[list[Tensor], dict[Key, Any]]:
    """Carry the cotangent `seed` of root back to where it came from.

    Args:
        create_graph: record what the rules do.
        free: drop the kept values of each call that root depends on.
        on_edge: sees every cotangent on its way.
        only: the leaves and intermediate results whose cotangents are wanted: nothing else is computed than what leads
            to them.  All leaves if None.

    Returns:
        Whose gradients these are, the leaves and the results that retain theirs; and the cotangents that have arrived,
        by place.  An array may stand at several places.

    Raises:
        GraphFreedError, InPlaceError: a kept value is gone or was written to; nothing has been changed by then.
    """
    calls = [] if root._origin is None else behind(root._origin.call)
    needed = None if only is None else _leading_to(only, calls)
    for call in calls:
        if (call.kept is None or WRITES) and (needed is None or not needed.isdisjoint(call.parents)):
            call.check_kept()
    at: dict[Key, Any] = {key_of(root): seed}
    found: dict[Key, Any] = {} if only is None else {key: None for key in only if not isinstance(key, Tensor)}
    look = _looking(on_edge) if on_edge or modes.current().anomaly else None
    if not create_graph:  # rules run on arrays, which record nothing
        _carry(calls, at, found, needed, look, False, free)
    else:
        with modes.enable_grad():
            _carry(calls, at, found, needed, look, True, free)
    leaves: list[Any] = list(at)  # what has arrived at calls was taken out as they were passed
    for leaf in leaves:
        if leaf._hooks:
            at[leaf] = _hooked(leaf._hooks.values(), at[leaf], create_graph)
    if found:
        at.update(found)
        leaves += _retaining(found)
    return leaves, at


def _retaining(found: dict[Key, Any]) -> list[Tensor]:
    """The results that have asked for their gradient (`Tensor.retain_grad`), and still are what they were then."""
    asked = [(key, key.call.extra.retained.get(key.index)) for key in found if key.call.extra]  # type: ignore[union-attr]
    tensors = [(key, ask()) for key, ask in asked if ask is not None]
    return [x for key, x in tensors if x is not None and key_of(x) == key]


def _leading_to(wanted: Collection[Key], calls: list[Call]) -> set[Any]:
    """The places on the way to the wanted ones, these included."""
    needed: set[Any] = {*wanted, *(key.call for key in wanted if not isinstance(key, Tensor))}
    for call in calls:
        if call in needed or not needed.isdisjoint(call.parents):
            needed.add(call)
            if call.plan.several:
                needed.update(Part(call, i) for i in range(len(call.shape)))
    return needed


def _carry(
    calls: list[Call],
    at: dict[Key, Any],
    found: dict[Key, Any],
    needed: set[Any] | None,
    look: OnEdge | None,
    recorded: bool,
    free: bool,
) -> None:
    """Pass all calls, the last made first: take what has arrived at each, and add what its rules give to what has
    arrived at where its inputs came from.

    Written in one piece, since it runs once for each operation of a program.

    Args:
        at: cotangents by place; those of calls are taken out as they are used.
        found: wanted intermediate results are its keys; their cotangents are entered.
        needed: the places that are to be reached; all if None.
    """
    watched = bool(found)
    for call in reversed(calls):
        chosen = call.plan
        if chosen.several or watched or call.extra is not None:
            gs = _arrived(call, at, found, recorded)
            g = gs[0] if gs else None
        else:
            gs, g = (), at.pop(call, None)
        if g is not None:
            parents = call.parents
            kept: Any = call.tied_kept() if recorded else call.kept
            for fn, first, second, target, group in chosen.applications:
                if group is not None:
                    _apply(call, fn, group, gs or (g,), kept, at, needed, look, recorded)
                    continue
                key: Any = parents[target]
                if needed is not None and key not in needed:
                    continue
                if first is None:
                    part = fn(g)
                else:
                    part = fn(g, kept[first]) if second is None else fn(g, kept[first], kept[second])
                like = key if type(key) is Call else key._array if isinstance(key, Tensor) else key
                if part.shape != like.shape or part.dtype is not like.dtype or look is not None:
                    part = _fitted(part, call, target, look)
                if key in at:
                    _increase(at, key, part)
                else:
                    at[key] = part
        if free:
            call.kept = None


def _apply(
    call: Call,
    fn: Callable[..., Any],
    group: Group,
    gs: Collection[Any],
    kept: Any,
    at: dict[Key, Any],
    needed: set[Any] | None,
    look: OnEdge | None,
    recorded: bool,
) -> None:
    """Apply a rule that is more than one small function of one cotangent for one input."""
    parents = call.parents
    targets = [k if k >= 0 and (needed is None or parents[k] in needed) else -1 for k in group.targets]
    if not any(k >= 0 for k in targets):
        return
    given = {name: call.static[name] for name in group.static}
    values = [kept[k] for k in group.needs]
    if group.add is not None and not recorded and look is None:
        group.add(_total(at, parents[targets[0]]), *gs, *values, **given)
        return
    result = fn(*gs, *values, **given)
    for k, part in zip(targets, result if group.several else (result,), strict=True):
        if k >= 0:
            key: Any = parents[k]
            part = _fitted(part, call, k, look)
            if key in at:
                _increase(at, key, part)
            else:
                at[key] = part


def _fitted(part: Any, call: Call, k: int, look: OnEdge | None) -> Any:
    """What a rule gave for input k of a call, in the shape and the dtype of that input."""
    key: Any = call.parents[k]
    like = key._array if isinstance(key, Tensor) else key
    if part.shape != like.shape:  # undo broadcasting
        part = sum_to(part, shape=like.shape)
    if part.dtype != like.dtype:  # undo promotion
        part = astype(part, like.dtype)
    return part if look is None else look(call, k, part)


def _increase(at: dict[Key, Any], key: Key, part: Any) -> None:
    """Add to what has arrived at a place."""
    there = at[key]
    if type(there) is _ndarray and there.base is None and getrefcount(there) == _ONE_HOLDER:
        there += part
    else:
        at[key] = there + part


def _total(at: dict[Key, Any], key: Any) -> np.ndarray:
    """What has arrived at a place, as an array that may be added to."""
    like = key._array if isinstance(key, Tensor) else key
    if key not in at:
        at[key] = np.zeros(like.shape, like.dtype)
    else:
        at[key] = taken(at, key)
    return at[key]


def _holders(at: dict[Any, Any], key: Any) -> int:
    value = at[key]
    return getrefcount(value)


_ONE_HOLDER = _holders({0: np.zeros(1)}, 0)  # counts of what stands in a dict and nowhere else; Pythons differ


def taken(at: dict[Key, Any], key: Key) -> np.ndarray:
    """The cotangent at a place, as an array that nobody else holds: a copy only if somebody does."""
    g = at[key]
    return g if type(g) is _ndarray and g.base is None and getrefcount(g) == _ONE_HOLDER else np.array(g)


def _arrived(call: Call, at: dict[Key, Any], found: dict[Key, Any], recorded: bool) -> list[Any] | None:
    """The cotangents of a call's results, after their hooks; None if none of the results was used."""
    results = [Part(call, i) for i in range(len(call.shape))] if call.plan.several else [call]
    hooks = call.extra.hooks if call.extra else {}
    gs: list[Any] = []
    for i, r in enumerate(results):
        g = at.pop(r, None)
        gs.append(g if g is None or i not in hooks else _hooked(hooks[i].values(), g, recorded))
        if r in found or (call.extra and i in call.extra.retained):
            found[r] = gs[-1]
    if all(g is None for g in gs):
        return None
    # a result that nothing used sends zeros
    return [_zeros(r, recorded) if g is None else g for r, g in zip(results, gs, strict=True)]


def _hooked(hooks: Collection[Callable[[Any], Any]], g: Any, recorded: bool) -> Any:
    """A cotangent after its hooks, which may replace it, or write to it: they see a copy, since it may stand at other
    places too."""
    for hook in tuple(hooks):
        with modes.Mode(grad_enabled=recorded):
            seen = positive(g) if isinstance(g, Tensor) else wrap(np.array(g))
            given = hook(seen)
        instead = seen if given is None else given
        if getattr(instead, "shape", None) != g.shape:
            said = f"shape {instead.shape}" if hasattr(instead, "shape") else f"a {type(instead).__name__}"
            raise GradientError(f"a hook returned {said} for a gradient of shape {g.shape}.")
        if isinstance(g, Tensor):
            instead = instead if isinstance(instead, Tensor) else wrap(np.array(instead))
            g = instead if instead.dtype == g.dtype else astype(instead, dtype=g.dtype)
        else:
            g = np.asarray(plain(instead), g.dtype)
    return g


def _zeros(like: Call | Part, recorded: bool) -> Any:
    zeros = np.zeros(like.shape, like.dtype)
    return wrap(zeros) if recorded else zeros


def _looking(on_edge: OnEdge | None) -> OnEdge | None:
    """Who looks at every cotangent: `on_edge`, and in anomaly mode the search for NaN; None if nobody does."""
    if not modes.current().anomaly:
        return on_edge

    def look(call: Call, k: int, g: Any) -> Any:
        g = g if on_edge is None else on_edge(call, k, g)
        values = np.asarray(plain(g))
        if not np.isfinite(values).all():
            what = f"the gradient of its {call.input_name(k)} of shape {values.shape}"
            raise modes.anomaly_error(
                call.primitive.name, what, values, call.state.scope, call.extra and call.extra.line
            )
        return g

    return look
