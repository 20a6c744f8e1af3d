"""What is the derivative?  Reverse mode: one sweep over the recorded calls, last made first (`sweep.py`).

    dL/dx = sum over the uses u of x:  J_u^T dL/du

Each rule turns the cotangents of a call's outputs into those of its inputs.  With `create_graph=True` the sweep is
recorded too and can be differentiated again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minitorch.call import Call
from minitorch.errors import GradientError, ShapeError
from minitorch.inplace import is_stale, renew
from minitorch.ops.elementwise import astype
from minitorch.primitive import Array
from minitorch.record import Record
from minitorch.sweep import key_of, sweep, taken
from minitorch.tensor import Tensor, connect, made, plain, wrap
from minitorch.versions import DERIVED

_ndarray = np.ndarray  # looked up once

if TYPE_CHECKING:  # what a pass that nobody watches does without is not loaded for it
    from minitorch.graph import Graph


def backward(
    root: Tensor,
    gradient: Array | None = None,
    *,
    retain_graph: bool = False,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    """Add d root / d leaf to `.grad` of every leaf that requires a gradient.

    Args:
        root: what to differentiate; a scalar, unless `gradient` is given.
        gradient: the cotangent of root, of root's shape; 1 for a scalar.
        retain_graph: keep the saved values, so that `backward` may be called again; otherwise they are freed now.
        create_graph: record the sweep itself, so that `.grad` can be differentiated; implies `retain_graph`.
        inputs: add to `.grad` of these alone, which may be leaves or intermediate results; nothing is computed that
            does not lead to them.  One that root does not depend on keeps its `.grad`.

    Raises:
        GradientError: root or one of the inputs does not require a gradient.
        ShapeError: root is not a scalar and no gradient is given, or the gradient has another shape.
        GraphFreedError: an earlier backward pass has freed the saved values.

    >>> import minitorch as mt
    >>> x = mt.tensor([1.0, 2.0], requires_grad=True)
    >>> backward((x * x).sum())
    >>> x.grad
    Tensor([2., 4.], dtype=float32)
    """
    free = not (retain_graph or create_graph)
    seed = _seed(root, gradient, create_graph)
    wanted = None if inputs is None else _differentiable(inputs)
    leaves, at = sweep(root, seed, create_graph, free, None, wanted and [*map(key_of, wanted)])
    for x in wanted or leaves:  # only now: an exception on the way changes no `.grad`
        key = x if x._origin is None else x._origin
        if at.get(key) is not None:  # two leaves never share one gradient
            own, before = at[key] + 0 if create_graph else made(taken(at, key)), x._grad
            if before is None:
                x._grad = own
            elif own._requires_grad or before._requires_grad:
                x._grad = before + own
            else:  # the same without a look at modes and types
                x._grad = made(before._array + own._array)


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
    wanted = _differentiable(inputs)
    free = not (create_graph if retain_graph is None else retain_graph)
    seed = _seed(output, gradient, create_graph)
    keys = [key_of(x) for x in wanted]
    _, at = sweep(output, seed, create_graph, free, None, keys)
    results: list[Tensor | None] = []
    for k, key in enumerate(keys):
        g = at.get(key)
        if g is None and not allow_unused:
            raise GradientError(
                f"the output does not depend on {_said(wanted[k], k)}. Pass allow_unused=True to get None for it?"
            )
        results.append(g if g is None or isinstance(g, Tensor) else made(taken(at, key)))
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


class Trace(Record):
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
        on_edge: sees (edge id, cotangent) as it happens.  If it returns an array, that travels on instead: zeros cut
            the edge, so that what arrives elsewhere came by the other ways.

    >>> import minitorch as mt
    >>> x = mt.tensor([3.0, 4.0], requires_grad=True)
    >>> run = trace((x * 2).sum())
    >>> {run.graph.edges[e].input: round(norm, 3) for e, norm in run.norms.items()}
    {'x': 1.414, 'a': 2.828}
    """
    from minitorch.graph import capture

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

    sweep(root, _seed(root, gradient, False), create_graph=False, free=False, on_edge=see)
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


def _differentiable(inputs: Tensor | Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The inputs, each of which must require a gradient."""
    wanted = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    for k, x in enumerate(wanted):
        if not x.requires_grad:
            raise GradientError(f"{_said(x, k)} does not require a gradient. Make it with requires_grad=True?")
    return wanted


def _argument(x: Array) -> Tensor:
    """A Tensor of its own for x: what else a function does with x is no derivative by this argument."""
    return astype(x, x.dtype) if isinstance(x, Tensor) and x.requires_grad else Tensor(x, requires_grad=True)


def _said(x: Tensor, k: int) -> str:
    return f"input {k}" + (f" ({x.name})" if x.name else "") + f" of shape {x.shape}"


def _seed(root: Tensor, gradient: Array | None, create_graph: bool) -> Any:
    """The cotangent that the sweep starts from."""
    if DERIVED and is_stale(root):
        renew(root)
    if not root._requires_grad:
        raise GradientError(
            f"a tensor of shape {root.shape} that does not require a gradient cannot be differentiated. "
            "Did no_grad() hold?"
        )
    shape, dtype = root._array.shape, root._array.dtype
    if gradient is None:
        if root.size != 1:
            raise ShapeError(
                f"backward of shape {shape} needs a cotangent of that shape; only a scalar has the default 1. "
                "Sum it first?"
            )
        seed: Any = np.empty(shape, dtype)
        seed.fill(1)  # np.ones would take three times as long
    elif type(gradient) is _ndarray and gradient.dtype is dtype and not create_graph:
        seed = gradient
    else:
        tied = create_graph and isinstance(gradient, Tensor)
        seed = gradient if tied else np.asarray(plain(gradient), dtype)
        if create_graph and not tied:
            seed = seed.copy()  # a recorded pass keeps it
    if seed.shape != shape:
        raise ShapeError(
            f"the cotangent has shape {seed.shape}, but what is differentiated has {shape}; they must be equal"
        )
    return wrap(seed) if create_graph and not isinstance(seed, Tensor) else seed
