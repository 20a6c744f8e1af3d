"""What is the derivative?  One sweep over the recorded calls, last made first; no recursion.

    dL/dx = sum over the uses u of x:  J_u^T dL/du

Each rule turns the cotangents of a call's outputs into those of its inputs.  Broadcasting and dtype are undone here, in
one place, after the rule.  With `create_graph=True` the sweep is recorded too and can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minitorch import modes
from minitorch.errors import GradientError, ShapeError
from minitorch.graph import Graph, capture, sources
from minitorch.ops.elementwise import astype
from minitorch.ops.movement import sum_to
from minitorch.primitive import Array, Rule
from minitorch.tape import Call
from minitorch.tensor import Tensor, connect, plain, wrap

OnEdge = Callable[[Call, int, Any], Any]
"""Sees (call, position of the input, cotangent that arrives there); what it returns travels on."""


def backward(
    root: Tensor, gradient: Array | None = None, *, retain_graph: bool = False, create_graph: bool = False
) -> None:
    """Add d root / d leaf to `.grad` of every leaf that requires a gradient.

    Args:
        root: what to differentiate; a scalar, unless `gradient` is given.
        gradient: the cotangent of root, of root's shape; 1 for a scalar.
        retain_graph: keep the saved values, so that `backward` may be called again; otherwise they are freed now.
        create_graph: record the sweep itself, so that `.grad` can be differentiated; implies `retain_graph`.

    Raises:
        GradientError: root does not require a gradient.
        ShapeError: root is not a scalar and no gradient is given, or the gradient has another shape.
        GraphFreedError: an earlier backward pass has freed the saved values.

    >>> import minitorch as mt
    >>> x = mt.tensor([1.0, 2.0], requires_grad=True)
    >>> backward((x * x).sum())
    >>> x.grad
    Tensor([2., 4.], dtype=float32)
    """
    free = not (retain_graph or create_graph)
    # The sweep ends before the first gradient is handed out: an exception on the way changes no `.grad`.
    for leaf, g in list(_sweep(root, _seed(root, gradient, create_graph), create_graph=create_graph, free=free)):
        _accumulate(leaf, g if isinstance(g, Tensor) else np.array(g))


def _accumulate(leaf: Tensor, g: Any) -> None:
    g = g if isinstance(g, Tensor) else wrap(g)
    leaf._grad = g if leaf._grad is None else leaf._grad + g


connect(backward)


def grad(
    output: Tensor,
    inputs: Tensor | Sequence[Tensor],
    gradient: Array | None = None,
    *,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> Any:
    """The derivative of `output` with respect to `inputs`, which may be leaves or intermediate results; `.grad` is left
    alone.

    Args:
        output: what to differentiate; a scalar, unless `gradient` (its cotangent) is given.
        inputs: one Tensor, or several.
        create_graph: record the sweep, so that the result can be differentiated again.
        retain_graph: keep the saved values; the default is `create_graph`.
        allow_unused: return None for an input that the output does not depend on, instead of raising.

    Returns:
        One Tensor for one input, a tuple of them for a sequence.

    Raises:
        GradientError: output or an input does not require a gradient; an input is unused.

    >>> import minitorch as mt
    >>> x = mt.tensor(3.0, requires_grad=True)
    >>> (first := grad(x * x * x, x, create_graph=True)).item(), grad(first, x).item()
    (27.0, 18.0)
    """
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for k, x in enumerate(wanted):
        if not x.requires_grad:
            raise GradientError(f"{_said(x, k)} does not require a gradient. Make it with requires_grad=True?")
    keys = {(id(_source(x)), x._index) for x in wanted}
    free = not (create_graph if retain_graph is None else retain_graph)
    found: dict[tuple[int, int], Any] = {}
    seed = _seed(output, gradient, create_graph)
    for source, g in _sweep(output, seed, create_graph=create_graph, free=free, keys=keys):
        slot = (id(source[0]), source[1]) if isinstance(source, tuple) else (id(source), 0)
        found[slot] = g
    results = []
    for k, x in enumerate(wanted):
        g = found.get((id(_source(x)), x._index))
        if g is None and not allow_unused:
            raise GradientError(
                f"the output does not depend on {_said(x, k)}. Pass allow_unused=True to get None for it?"
            )
        results.append(g if g is None or isinstance(g, Tensor) else wrap(np.array(g)))
    return results[0] if isinstance(inputs, Tensor) else tuple(results)


def vjp(function: Callable[..., Tensor], *primals: Array) -> tuple[Tensor, Callable[..., tuple[Tensor, ...]]]:
    """Run `function`, and return its value with the function `cotangent -> cotangents of the primals`.

    >>> value, pull = vjp(lambda a, b: a * b, [2.0, 3.0], [5.0, 7.0])
    >>> pull([1.0, 0.0])
    (Tensor([5., 0.], dtype=float32), Tensor([2., 0.], dtype=float32))
    """
    inputs = [_argument(x) for x in primals]
    value = function(*inputs)

    def pull(cotangent: Array, *, create_graph: bool = False) -> tuple[Tensor, ...]:
        gs = grad(value, inputs, cotangent, create_graph=create_graph, retain_graph=True, allow_unused=True)
        return tuple(wrap(np.zeros_like(x._array)) if g is None else g for g, x in zip(gs, inputs, strict=True))

    return value, pull


@dataclass(frozen=True)
class Trace:
    """A backward pass as data: the graph, and the norm of the cotangent that travelled each edge, by edge id."""

    graph: Graph
    norms: dict[int, float]


def trace(
    root: Tensor,
    gradient: Array | None = None,
    *,
    on_edge: Callable[[int, np.ndarray], np.ndarray | None] | None = None,
) -> Trace:
    """Run a backward pass and watch every edge; nothing is accumulated in `.grad`, nothing is freed.

    Args:
        root: what to differentiate; a scalar, unless `gradient` is given.
        gradient: the cotangent of root, of root's shape; 1 for a scalar.
        on_edge: sees (edge id, cotangent) as it happens.  If it returns an array, that travels on instead: zeros cut the
            edge, so that what arrives elsewhere came by the other ways.

    >>> import minitorch as mt
    >>> x = mt.tensor([3.0, 4.0], requires_grad=True)
    >>> run = trace((x * 2).sum())
    >>> {run.graph.edges[e].input: round(norm, 3) for e, norm in run.norms.items()}
    {'x': 1.414, 'a': 2.828}
    """
    graph, number = capture(root)
    edge_at = {(e.target, e.input): e.id for e in graph.edges}
    norms: dict[int, float] = {}

    def see(call: Call, k: int, g: np.ndarray) -> np.ndarray:
        e = edge_at[number[id(call)], call.input_name(k)]
        norms[e] = norm(g)
        instead = None if on_edge is None else on_edge(e, g)
        if instead is not None and np.shape(instead) != g.shape:
            raise ShapeError(f"on_edge returned shape {np.shape(instead)} for edge {e}, which carries {g.shape}.")
        return g if instead is None else instead

    for _ in _sweep(root, _seed(root, gradient, False), create_graph=False, free=False, on_edge=see):
        pass
    return Trace(graph, norms)


def norm(g: np.ndarray, axis: int | None = None) -> Any:
    """The Euclidean norm, scaled first, so that gradients as small as 1e-300 do not underflow when they are squared.

    >>> norm(np.array([3e-200, 4e-200]))
    5e-200
    """
    size = np.abs(g)
    top = size.max(axis, keepdims=True, initial=0.0)
    scale = np.where((top > 0) & np.isfinite(top), top, 1.0)
    total = np.sqrt(np.square(size / scale).sum(axis, keepdims=True)) * scale
    return float(total.reshape(())) if axis is None else np.squeeze(total, axis)


def _argument(x: Array) -> Tensor:
    """A Tensor of its own for x: what else a function does with x is no derivative by this argument."""
    return astype(x, x.dtype) if isinstance(x, Tensor) and x.requires_grad else Tensor(x, requires_grad=True)


# -- the sweep ---------------------------------------------------------------------------------------------------------


def _source(x: Tensor) -> Call | Tensor:
    return x if x._origin is None else x._origin


def _said(x: Tensor, k: int) -> str:
    return f"input {k}" + (f" ({x.name})" if x.name else "") + f" of shape {x.shape}"


def _seed(root: Tensor, gradient: Array | None, create_graph: bool) -> Any:
    """The cotangent that the sweep starts from."""
    if not root.requires_grad:
        raise GradientError(
            f"a tensor of shape {root.shape} that does not require a gradient cannot be differentiated. "
            "Did no_grad() hold?"
        )
    if gradient is None:
        if root.size != 1:
            raise ShapeError(
                f"backward of shape {root.shape} needs a cotangent of that shape; only a scalar has the default 1. "
                "Sum it first?"
            )
        seed: Any = np.ones(root.shape, root.dtype)
    else:
        seed = gradient if create_graph and isinstance(gradient, Tensor) else np.array(plain(gradient), root.dtype)
        if seed.shape != root.shape:
            raise ShapeError(
                f"the cotangent has shape {seed.shape}, but what is differentiated has {root.shape}; they must be equal"
            )
    return seed if isinstance(seed, Tensor) or not create_graph else wrap(seed)


def _sweep(
    root: Tensor,
    seed: Any,
    *,
    create_graph: bool,
    free: bool,
    on_edge: OnEdge | None = None,
    keys: set[tuple[int, int]] | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Yield (leaf, cotangent), and ((call, output), cotangent) for those intermediate results that `keys` names."""
    at: dict[int, list[Any]] = {}
    _add(at, _source(root), root._index, seed)
    order = sources(_source(root))
    _ = [v.values() for v in order if isinstance(v, Call)]  # raises if some were freed, before anything else is
    for v in reversed(order):
        gs = at.pop(id(v), None)
        if gs is None:
            continue
        if isinstance(v, Tensor):
            yield v, gs[0]
            continue
        if keys:
            yield from (((v, i), g) for i, g in enumerate(gs) if g is not None and (id(v), i) in keys)
        with modes.Mode(grad_enabled=create_graph):
            _pull(v, _all_cotangents(v, gs, create_graph), at, on_edge)
        if free:
            v.saved = None


def _all_cotangents(v: Call, gs: list[Any], create_graph: bool) -> list[Any]:
    """One cotangent per output; an output that nothing used sends zeros."""
    gs = gs + [None] * (len(v.out_shapes) - len(gs))
    for i, g in enumerate(gs):
        if g is None:
            zeros = np.zeros(v.out_shapes[i], v.dtypes[i])
            gs[i] = wrap(zeros) if create_graph else zeros
    return gs


def _pull(v: Call, gs: list[Any], at: dict[int, list[Any]], on_edge: OnEdge | None) -> None:
    """Apply the rules of the inputs that want a gradient, and hand their cotangents on."""
    for rule in v.primitive.rules:
        where = [v.positions(name) for name in rule.inputs]
        if all(v.parents[k] is None for ks in where for k in ks):
            continue
        parts = _apply(rule, v, gs)
        for ks, part in zip(where, parts, strict=True):
            for k, g in zip(ks, part if v.primitive.variadic else (part,), strict=True):
                parent = v.parents[k]
                if parent is None:
                    continue
                if g.shape != v.in_shapes[k]:  # undo broadcasting
                    g = sum_to(g, v.in_shapes[k])
                dtype = parent.dtype if isinstance(parent, Tensor) else parent.dtypes[v.indices[k]]
                if g.dtype != dtype:  # undo promotion
                    g = astype(g, dtype)
                if on_edge is not None:
                    g = on_edge(v, k, g)
                _add(at, parent, v.indices[k], g)


def _apply(rule: Rule, v: Call, gs: list[Any]) -> Sequence[Any]:
    result = rule.fn(*gs, *[v.need(n) for n in rule.needs], **{s: v.static[s] for s in rule.static})
    return result if len(rule.inputs) > 1 else (result,)


def _add(at: dict[int, list[Any]], source: Call | Tensor, index: int, g: Any) -> None:
    slots = at.setdefault(id(source), [])
    slots += [None] * (index + 1 - len(slots))
    slots[index] = g if slots[index] is None else slots[index] + g
