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
from minitorch.plan import Application
from minitorch.tape import Call
from minitorch.tensor import Tensor, plain, source, wrap
from minitorch.versions import anything_written

OnEdge = Callable[[Call, int, Any], Any]
"""Sees (call, position of the input, cotangent that arrives there); what it returns travels on."""

Key = tuple[int, int]  # id of a call or leaf, and which of its outputs


def key_of(x: Tensor) -> Key:
    """Under which key the cotangent of x stands."""
    return id(source(x)), x._index


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
        free: drop the saved values of each call that was passed.
        on_edge: sees every cotangent on its way.
        keys: intermediate results whose cotangents are wanted too.

    Returns:
        The leaves, and the cotangents of leaves and wanted results, by key.

    Raises:
        GraphFreedError, InPlaceError: a saved value is gone or was written to; nothing has been changed by then.
    """
    calls, leaves = reach(source(root))
    for v in calls:
        if v.saved is None or anything_written():
            v.values()
    carrier = _Carrier({key_of(root): seed}, on_edge, create_graph)
    if not create_graph:  # rules run on arrays, which record nothing
        return leaves, carrier.carry(calls, leaves, free, keys)
    with modes.enable_grad():
        return leaves, carrier.carry(calls, leaves, free, keys)


class _Carrier:
    """Applies rules, and adds up what arrives at each place."""

    def __init__(self, at: dict[Key, Any], on_edge: OnEdge | None, create_graph: bool):
        self._at, self._on_edge, self._create_graph = at, on_edge, create_graph
        self._anomaly = modes.current().anomaly
        self._sums: set[Key] = set()  # places whose array was made by an addition here, so that it may be added to

    def carry(self, calls: list[Call], leaves: list[Tensor], free: bool, keys: Collection[Key]) -> dict[Key, Any]:
        """Pass all calls, the last made first; returns the cotangents of the leaves and of `keys`."""
        at, found = self._at, {}
        for v in reversed(calls):
            gs = [at.pop((id(v), i), None) for i in range(len(v.out_shapes))]
            if v.hooks:
                gs = [g if g is None else self._hooked(v.hooks.get(i, ()), g) for i, g in enumerate(gs)]
            if keys:
                found |= {k: g for i, g in enumerate(gs) if g is not None and (k := (id(v), i)) in keys}
            if len(gs) > 1 or gs[0] is not None:
                self._pull(v, gs)
            if free:
                v.saved = None
        for leaf in leaves:
            if (g := at.get((id(leaf), 0))) is not None:
                found[id(leaf), 0] = self._hooked(leaf._hooks, g) if leaf._hooks else g
        return found

    def _pull(self, v: Call, gs: list[Any]) -> None:
        """Hand the cotangents of a call's outputs on to its inputs."""
        if len(gs) > 1:
            if all(g is None for g in gs):
                return  # nothing that was differentiated used it
            # an output that nothing used sends zeros
            gs = [self._zeros(v, i) if g is None else g for i, g in enumerate(gs)]
        for application in v.plan.applications:
            parts = self._apply(application, v, gs)
            for k, g in zip(application.targets, parts, strict=True):
                if k >= 0:
                    self._hand_on(v, k, g)

    def _apply(self, application: Application, v: Call, gs: list[Any]) -> Any:
        arguments = list(gs)
        for origin, name, k in application.needs:
            if origin == "shape":
                arguments.append(v.in_shapes[k])
            elif origin == "shapes":
                arguments.append(tuple(v.in_shapes))
            else:
                arguments.append(self._saved(v, name, k))
        if application.static:
            static = v.static
            result = application.fn(*arguments, **{s: static[s] for s in application.static})
        else:
            result = application.fn(*arguments)
        return result if application.several else (result,)

    def _saved(self, v: Call, name: str, k: int) -> Any:
        value = v.saved[name]  # type: ignore[index]
        if not self._create_graph:
            return value
        if k < 0:
            return tuple(v.tied(name, part, i) for i, part in enumerate(value))
        return v.tied(name, value, k)

    def _hand_on(self, v: Call, k: int, g: Any) -> None:
        parent = v.parents[k]
        index = v.indices[k]
        if g.shape != v.in_shapes[k]:  # undo broadcasting
            g = sum_to(g, v.in_shapes[k])
        dtype = parent.dtypes[index] if type(parent) is Call else parent.dtype  # type: ignore[union-attr]
        if g.dtype is not dtype and g.dtype != dtype:  # undo promotion
            g = astype(g, dtype)
        if self._on_edge is not None:
            g = self._on_edge(v, k, g)
        if self._anomaly:
            _look_for_anomaly(v, k, g)
        self._add((id(parent), index), g)

    def _add(self, key: Key, g: Any) -> None:
        before = self._at.get(key)
        if before is None:
            self._at[key] = g
        elif key in self._sums:
            before += g
        else:
            self._at[key] = total = before + g
            if type(total) is np.ndarray:
                self._sums.add(key)

    def _hooked(self, hooks: Collection[Callable[[Any], Any]], g: Any) -> Any:
        """A cotangent after its hooks, which may replace it."""
        for hook in hooks:
            with modes.Mode(grad_enabled=self._create_graph):
                instead = hook(g if isinstance(g, Tensor) else wrap(np.array(g)))
            if instead is None:
                continue
            if instead.shape != g.shape:
                raise GradientError(f"a hook returned shape {instead.shape} for a gradient of shape {g.shape}.")
            g = instead if isinstance(g, Tensor) else np.asarray(plain(instead), g.dtype)
        return g

    def _zeros(self, v: Call, i: int) -> Any:
        zeros = np.zeros(v.out_shapes[i], v.dtypes[i])
        return wrap(zeros) if self._create_graph else zeros


def _look_for_anomaly(v: Call, k: int, g: Any) -> None:
    values = np.asarray(g)
    if not np.isfinite(values).all():
        what = f"the gradient of its {v.input_name(k)} of shape {v.in_shapes[k]}"
        raise modes.anomaly_error(v.primitive.name, what, values, v.scope, v.line)
