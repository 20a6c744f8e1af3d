"""How does a cotangent travel back?  From the last call to the first, each once; no recursion.

Broadcasting and promotion are undone here, in one place, after the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import GradientError
from minitorch.graph import reach
from minitorch.ops.elementwise import astype
from minitorch.ops.movement import sum_to
from minitorch.tape import Call, Part
from minitorch.tensor import Tensor, plain, source, wrap
from minitorch.versions import WRITES

OnEdge = Callable[[Call, int, Any], Any]
"""Sees (call, position of the input, cotangent that arrives there); what it returns travels on."""

Key = Call | Part | Tensor
"""A place where cotangents add up: the result of a call, one of its several results, or a leaf."""


def key_of(x: Tensor) -> Key:
    """Under which key the cotangent of x stands."""
    return x if x._origin is None else x._origin


def sweep(
    root: Tensor,
    seed: Any,
    *,
    create_graph: bool,
    free: bool,
    on_edge: OnEdge | None = None,
    keys: Collection[Key] = (),
) -> tuple[list[Tensor], dict[Key, Any]]:
    """Carry the cotangent `seed` of root back to where it came from.

    Args:
        create_graph: record what the rules do.
        free: drop the kept values of each call that was passed.
        on_edge: sees every cotangent on its way.
        keys: intermediate results whose cotangents are wanted too.

    Returns:
        The leaves, and the cotangents of leaves and wanted results, by key.

    Raises:
        GraphFreedError, InPlaceError: a kept value is gone or was written to; nothing has been changed by then.
    """
    calls, leaves = reach(source(root))
    for call in calls:
        if call.kept is None or WRITES:
            call.check_kept()
    at, found = {key_of(root): seed}, dict.fromkeys(keys)
    look = _looking(on_edge)
    if not create_graph:  # rules run on arrays, which record nothing
        _carry(calls, at, look, found, recorded=False, free=free)
    else:
        with modes.enable_grad():
            _carry(calls, at, look, found, recorded=True, free=free)
    for leaf in leaves:
        if leaf in at:
            found[leaf] = _hooked(leaf._hooks, at[leaf], create_graph) if leaf._hooks else at[leaf]
    return leaves, found


def _carry(
    calls: list[Call], at: dict[Key, Any], look: OnEdge | None, found: dict[Key, Any], *, recorded: bool, free: bool
) -> None:
    """Pass all calls, the last made first: take what has arrived at each, and add what its rules give to what has
    arrived at where its inputs came from.

    Written in one piece, since it runs once for each operation of a program.

    Args:
        at: cotangents by place; those of calls are taken out as they are used.
        found: wanted results are its keys; their cotangents are entered.
    """
    sums: set[Key] = set()  # places whose array was made by an addition here, so that it may be added to
    watched = bool(found)
    for call in reversed(calls):
        chosen, parents = call.plan, call.parents
        gs = _arrived(call, at, found, recorded) if chosen.several or call.extra or watched else (at.pop(call, None),)
        if gs is not None and gs[0] is not None:
            kept: Any = call.tied_kept() if recorded else call.kept
            for fn, needs, static, several, targets, add in chosen.applications:
                if add is not None and not recorded and look is None:
                    given = {name: call.static[name] for name in static}
                    add(_total(at, sums, parents[targets[0]]), *gs, *[kept[k] for k in needs], **given)
                    continue
                if static:
                    g = fn(*gs, *[kept[k] for k in needs], **{name: call.static[name] for name in static})
                elif not needs:
                    g = fn(*gs)
                elif len(needs) == 1:
                    g = fn(*gs, kept[needs[0]])
                else:
                    g = fn(*gs, *[kept[k] for k in needs])
                for k, part in zip(targets, g, strict=True) if several else ((targets[0], g),):
                    if k < 0:
                        continue
                    key: Any = parents[k]
                    like = key if type(key) is Call or type(key) is Part else key._array
                    if part.shape != like.shape:  # undo broadcasting
                        part = sum_to(part, shape=like.shape)
                    if part.dtype is not like.dtype and part.dtype != like.dtype:  # undo promotion
                        part = astype(part, like.dtype)
                    if look is not None:
                        part = look(call, k, part)
                    if key not in at:
                        at[key] = part
                    elif key in sums:
                        at[key] += part
                    else:
                        at[key] = total = at[key] + part
                        if type(total) is np.ndarray:
                            sums.add(key)
        if free:
            call.kept = None


def _total(at: dict[Key, Any], sums: set[Key], key: Any) -> np.ndarray:
    """What has arrived at a place, as an array that may be added to."""
    like = key if type(key) is Call or type(key) is Part else key._array
    if key not in at:
        at[key] = np.zeros(like.shape, like.dtype)
    elif key not in sums:
        at[key] = np.array(at[key])
    sums.add(key)
    return at[key]


def _arrived(call: Call, at: dict[Key, Any], found: dict[Key, Any], recorded: bool) -> list[Any] | None:
    """The cotangents of a call's results, after their hooks; None if none of the results was used."""
    results = [Part(call, i) for i in range(len(call.shape))] if call.plan.several else [call]
    hooks = call.extra.hooks if call.extra else {}
    gs: list[Any] = []
    for i, r in enumerate(results):
        g = at.pop(r, None)
        gs.append(g if g is None or i not in hooks else _hooked(hooks[i], g, recorded))
        if r in found:
            found[r] = gs[-1]
    if all(g is None for g in gs):
        return None
    return [
        _zeros(r, recorded) if g is None else g for r, g in zip(results, gs, strict=True)
    ]  # those that nothing used


def _hooked(hooks: Collection[Callable[[Any], Any]], g: Any, recorded: bool) -> Any:
    """A cotangent after its hooks, which may replace it."""
    for hook in hooks:
        with modes.Mode(grad_enabled=recorded):
            instead = hook(g if isinstance(g, Tensor) else wrap(np.array(g)))
        if instead is None:
            continue
        if instead.shape != g.shape:
            raise GradientError(f"a hook returned shape {instead.shape} for a gradient of shape {g.shape}.")
        g = instead if isinstance(g, Tensor) else np.asarray(plain(instead), g.dtype)
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
        values = np.asarray(g)
        if not np.isfinite(values).all():
            what = f"the gradient of its {call.input_name(k)} of shape {values.shape}"
            raise modes.anomaly_error(
                call.primitive.name, what, values, call.state.scope, call.extra and call.extra.line
            )
        return g

    return look
